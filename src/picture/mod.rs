//! Pictures of what happened: which blocks stand on which, who told whom and when, and curves.
//!
//! A picture is made from the [events](crate::Event) of a run, as they happen or from the lines that an
//! [`EventWriter`](crate::EventWriter) has written, or from chains. It starts no thread and reads no clock; the same input
//! gives the same bytes.
//!
//! | what | where |
//! | --- | --- |
//! | which blocks were mined on which, and where the nodes stand | [`ForkTree`], as text, SVG and DOT |
//! | who told whom, and when | [`SpaceTime`], as SVG |

mod clock;
mod fork_dot;
mod fork_svg;
mod fork_text;
mod fork_tree;
mod grid;
mod growth;
mod layout;
mod names;
mod pack;
mod space_time;
mod space_time_svg;
mod svg;

pub use fork_tree::ForkTree;
pub use space_time::{SpaceTime, SpaceTimeError, Span};
