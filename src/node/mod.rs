//! A node: a state machine that does nothing by itself.
//!
//! Input goes in with the time; effects come out. A node reads no clock, starts no thread, owns no channel and draws no
//! randomness: a driver carries out its effects and hands it the inputs, on the wall clock or on a virtual one. Searching
//! for a proof is an effect, like sending a message.
//!
//! ```
//! use std::sync::Arc;
//!
//! use chainlab::{Answer, Command, Effect, Effects, Input, Node, NodeId, Rules, Ticket, Time};
//!
//! let rules = Arc::new(Rules::notebook());
//! let mut node = Node::new(NodeId::new(0), rules, "11120ceb2131427f99dda3fc2623ae9b5000", Time::UNIX_EPOCH)?;
//! let mut effects = Effects::default();
//! node.handle(Time::from_secs(1), Input::Command(Ticket(7), Command::Mine), &mut effects);
//! let [Effect::Search(search, _)] = effects.to_do[..] else { panic!("mining starts with a search") };
//!
//! effects.clear();
//! node.handle(Time::from_secs(2), Input::Found(search, 35293), &mut effects);
//! assert!(matches!(effects.to_do.last(), Some(Effect::Answer(Ticket(7), Answer::Mine(Ok(forged)))) if forged.position == 2));
//! # Ok::<(), chainlab::RulesError>(())
//! ```

mod adopt;
mod announce;
mod apart;
mod catch_up;
mod effects;
mod extend;
mod gossip;
mod kept;
#[cfg(test)]
mod lab;
mod limits;
mod machine;
mod memory;
mod mining;
mod payments;
mod questions;
mod reading;
mod resolve;
mod rival;
mod secret;
mod shorten;

pub use effects::{Effect, Effects};
pub(crate) use extend::Extended;
pub use limits::{Limits, NodeConfig};
pub use machine::{Input, Node, SearchId, Template};
pub(crate) use questions::{TELLINGS_MAX, time_alone};
