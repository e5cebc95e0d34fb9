//! What a run showed: forks, shares of the chain, propagation, and all that was refused or lost.
//!
//! A [`Recorder`] observes the events of a run one by one, keeps counts, and gives a [`Report`] at any time. Both drivers
//! use it; it reads no clock and starts no thread. So may anybody who has events: a recorder that is fed from a
//! subscription reports on what happened since.
//!
//! ```
//! use std::time::Duration;
//!
//! use chainlab::{
//!     Blockchain, Event, Happening, NodeId, Rules, Time,
//!     report::{Messages, Recorder},
//! };
//!
//! let chain = Blockchain::start(&Rules::notebook(), Time::UNIX_EPOCH)?;
//! let (alice, bob) = (NodeId::new(0), NodeId::new(1));
//! let block = "47f8658295d76149bc7447466eda3e4c26a49d5b8309629da1cf89aedb0c42b0".parse()?;
//!
//! let mut recorder = Recorder::new(Time::UNIX_EPOCH);
//! recorder.add_node(alice, "alice");
//! recorder.add_node(bob, "bob");
//! let what = Happening::Mined { block, position: 2, parent: chain.tip_hash() };
//! recorder.observe(&Event { time: Time::from_secs(5), node: alice, what });
//! let what = Happening::Accepted { block, position: 2, from: alice };
//! recorder.observe(&Event { time: Time::from_secs(7), node: bob, what });
//!
//! let report = recorder.report(Time::from_secs(60), &chain, |_| 0, Messages::default());
//! assert_eq!((report.mined, report.stale), (1, 1), "the block is not in the chain");
//! assert_eq!(report.propagation.to_each.max, Duration::from_secs(2));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bins;
mod classes;
mod figures;
mod mined;
mod nodes;
mod pattern;
mod propagation;
mod ranked;
mod recorder;
mod spread;
mod tally;
mod text;
mod verdict;

pub(crate) use bins::Bins;
pub(crate) use classes::Classes;
pub use figures::{DoubleSpends, Messages, NodeReport, Propagation, Report, Volume};
pub(crate) use pattern::Pattern;
pub(crate) use ranked::{Ranked, rank};
pub use recorder::Recorder;
pub use spread::{Bin, Spread};
pub(crate) use tally::{PASSAGES, Tally};
