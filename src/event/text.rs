//! Events as a person reads them.

use std::fmt::{self, Write};

use super::{Event, Happening, IgnoreReason, LossCause, MessageName, Passage};
use crate::{mempool::LossReason, text::blocks, time::Time};

impl Event {
    /// Returns the event as one line, its time counted from a run's start: `+12.345 s  node 3: mined block 7 1a2b3c4d on
    /// 9f8e7d6c`. By a clock that was before the start, it is `-0.001 s`.
    ///
    /// ```
    /// use chainlab::{Event, Happening, NodeId, Time};
    ///
    /// let event = Event { time: Time::from_nanos(13_345_678_900), node: NodeId::new(3), what: Happening::Paused };
    /// assert_eq!(event.display_since(Time::from_secs(1)).to_string(), "+12.345 s  node 3: was paused");
    /// ```
    pub fn display_since(&self, start: Time) -> impl fmt::Display {
        Since { event: self, start }
    }
}

struct Since<'a> {
    event: &'a Event,
    start: Time,
}

impl fmt::Display for Since<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Event { time, node, what } = self.event;
        write!(f, "{}  {node}: ", since(*time, self.start))?;
        match what {
            Happening::Waits { from, until } => {
                write!(f, "keeps a block from {from} until {}", since(*until, self.start))
            }
            Happening::Message(passage) => {
                write!(f, "{passage}, sent at {}", since(passage.sent, self.start))
            }
            _ => write!(f, "{what}"),
        }
    }
}

fn since(time: Time, start: Time) -> String {
    let (sign, since) = if time < start { ('-', start - time) } else { ('+', time - start) };
    format!("{sign}{}.{:03} s", since.as_secs(), since.subsec_millis())
}

impl fmt::Display for Happening {
    /// Writes what happened on one line, hashes by their first 8 digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let f = &mut OneLine(f);
        match self {
            Self::Joined { name } => write!(f, "joined as {name}"),
            Self::Mined { block, position, parent } => {
                write!(f, "mined block {position} {block:.8} on {parent:.8}")
            }
            Self::MiningEnded { error } => write!(f, "ended mining: {error}"),
            Self::Accepted { block, position, from } => {
                write!(f, "accepted block {position} {block:.8} from {from}")
            }
            Self::Reorganised { abandoned, adopted, old_tip } => {
                write!(f, "gave up {} for {adopted}; its tip was {old_tip:.8}", blocks(*abandoned))
            }
            Self::DoubleSpent { won, confirmations, stale, cost } => {
                let outcome = if *won { "took back" } else { "could not take back" };
                let confirmed = format_args!("confirmed by {}", blocks(*confirmations));
                write!(f, "{outcome} a payment {confirmed}; {} in vain, a cost of {cost}", blocks(*stale))
            }
            Self::Resolved { replaced, silent } => {
                let outcome = if *replaced { "replaced" } else { "kept" };
                write!(f, "asked its peers, {silent} of them silent; its chain was {outcome}")
            }
            Self::Rejected { from, invalid } => write!(f, "rejected what {from} sent: {invalid}"),
            Self::RejectedDocument { from, error } => {
                write!(f, "rejected a document that {from} sent: {error}")
            }
            Self::Ignored { from, reason } => write!(f, "ignored a message from {from}: {reason}"),
            Self::Waits { from, until } => {
                write!(f, "keeps a block from {from} until {until} s since the epoch")
            }
            Self::Banned { peer } => write!(f, "no longer listens to {peer}"),
            Self::Dropped { from } => {
                write!(f, "dropped a message from {from}: too many were under way or unread")
            }
            Self::Crashed => f.write_str("crashed"),
            Self::Panicked { message } => write!(f, "panicked: {message}"),
            Self::Restarted => f.write_str("was restarted"),
            Self::Paused => f.write_str("was paused"),
            Self::Resumed => f.write_str("was resumed"),
            Self::Partitioned { group: 0 } => f.write_str("was cut off with all that are in no group"),
            Self::Partitioned { group } => write!(f, "was cut off with group {group}"),
            Self::Healed => f.write_str("is no longer cut off"),
            Self::Lost { transaction, reason } => write!(f, "lost a transaction {reason}: {transaction}"),
            Self::Message(passage) => write!(f, "{passage}, sent at {} s since the epoch", passage.sent),
        }
    }
}

/// Writes control characters as escapes, so that a text of a peer's or a panic's stays on its line.
struct OneLine<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl fmt::Write for OneLine<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for piece in text.split_inclusive(char::is_control) {
            let plain = piece.trim_end_matches(char::is_control);
            self.0.write_str(plain)?;
            write!(self.0, "{}", piece[plain.len()..].escape_debug())?;
        }
        Ok(())
    }
}

impl fmt::Display for IgnoreReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Late => "late answer",
            Self::Unasked => "answer to no question",
            Self::Stranger => "answer from no peer",
            Self::Banned => "sender is banned",
            Self::NoGossip => "the rules know no gossip",
            Self::Unconnected => "blocks that follow none that is known",
            Self::Unwanted => "unwanted transaction",
        })
    }
}

impl fmt::Display for Passage {
    /// Writes what came from whom, but not when.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, kind, block, transactions, lost, .. } = self;
        write!(f, "{} {kind}", if lost.is_none() { "got" } else { "did not get" })?;
        if let Some(block) = block {
            write!(f, " {block:.8}")?;
        }
        for transaction in transactions {
            write!(f, " {transaction:.8}")?;
        }
        write!(f, " from {from}")?;
        lost.map_or(Ok(()), |cause| write!(f, ", {cause}"))
    }
}

impl fmt::Display for MessageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ChainRequest => "a request for its chain",
            Self::Chain => "a chain",
            Self::NewBlock => "a new block",
            Self::Announce => "an announcement",
            Self::CompactBlock => "a compact block",
            Self::BlocksRequest => "a request for blocks",
            Self::Blocks => "blocks",
            Self::Acknowledge => "an acknowledgement",
            Self::Inventory => "an inventory",
            Self::TransactionsRequest => "a request for transactions",
            Self::Transactions => "transactions",
            Self::AcknowledgeInventory => "an acknowledgement of an inventory",
            Self::InventoryRequest => "a request for an inventory",
        })
    }
}

impl fmt::Display for LossCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Link => "as the link lost it",
            Self::Judge => "as the judge dropped it",
            Self::Partition => "for a partition",
            Self::Crash => "for a crash",
            Self::Full => "as too many were under way or unread",
            Self::Down => "as it was down",
        })
    }
}

impl fmt::Display for LossReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Crashed => "in a crash",
            Self::Evicted => "from a full mempool",
            Self::Replaced => "to another of the same nonce",
            Self::Unpayable => "that can no longer be paid",
        })
    }
}
