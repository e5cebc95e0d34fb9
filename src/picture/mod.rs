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
//! | all of it, again, on a page to play | [`Replay`], as HTML |
//! | how blocks spread, how a figure depends on another, a chain's intervals and its difficulty | `Curve`, as SVG, with the feature `plot` |

mod clock;
#[cfg(feature = "plot")]
mod curves;
mod fork_dot;
mod fork_svg;
mod fork_text;
mod fork_tree;
mod grid;
mod growth;
mod layout;
mod names;
mod pack;
mod replay;
mod space_time;
mod space_time_svg;
mod svg;

#[cfg(feature = "plot")]
pub use curves::{Curve, CurveError, Point};
pub use fork_tree::ForkTree;
pub use replay::{Replay, ReplayError};
pub use space_time::{SpaceTime, SpaceTimeError, Span};
