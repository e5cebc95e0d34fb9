//! A block that a miner contests, which has found a rival of it and held that back: it shows the rival once the block has come
//! to it.
//!
//! Where each message takes the same time, all that follows can be told as for any block that is [replayed](super::replays):
//! the block comes to all others, each of whom has it by the time when the rival comes there from the miner itself, and keeps
//! that beside it. Nobody passes the rival on, and the miner does not pass the block on.

use super::{carry::Surroundings, flow::Flow, nodes::Nodes, replays::Found};
use crate::{blockchain::Blockchain, message::NodeId, time::Time};

/// A rival of a block that was found.
#[derive(Debug, Clone)]
pub(super) struct Contest {
    /// Who has found it, and holds it back.
    pub(super) miner: NodeId,
    pub(super) rival: Blockchain,
    /// How many nanoseconds after the block was found the miner has shown it to all of its peers.
    shown_nanos: u64,
}

impl Surroundings {
    /// Finds out who contests a block that a node has found, while one node has more on its mind than its chain, if it can be
    /// told what follows.
    pub(super) fn contest(
        &mut self,
        nodes: &mut Nodes,
        finder: NodeId,
        chain: &Blockchain,
    ) -> Option<Contest> {
        let (now, miner) = (self.now, nodes.only_busy()?);
        if self.flow != Flow::Free || !self.floods.lanes.are_both_ways() {
            return None;
        }
        let rival = nodes.at(self, miner)?.rival_to_show(now, chain)?.clone();
        let shown_nanos = self.replays.ways.shown_after(self.floods.links(), finder, miner)?;
        let keeps = |peer: &NodeId| nodes.keeps_rival(*peer, (now, miner), (&rival, chain));
        let are_kept = self.peers[miner.index()].iter().all(keeps);
        are_kept.then_some(Contest { miner, rival, shown_nanos })
    }

    /// Has all nodes take on a block that is contested, and whoever sees its rival keep that, if all of their messages arrive
    /// before another moment; tells whether they do.
    pub(super) fn replay_contested(
        &mut self,
        nodes: &mut Nodes,
        (found, contest): (&Found, &Contest),
        before: Time,
    ) -> bool {
        let Contest { miner, rival, shown_nanos } = contest;
        let (finder, chain) = (found.kind.finder, &found.chain);
        let Some(record) = self.replays.records.get(found.kind) else { return false };
        let last = self.now.after_nanos(*shown_nanos).max(self.now + record.last);
        if last >= before {
            return false;
        }
        self.replays.settled_by = self.replays.settled_by.max(last);
        // It tells all of its peers of the rival, instead of all but the finder of the block.
        let shown = self.peers[miner.index()].len() as u64;
        let told = record.messages + 1 - shown;
        self.unqueued.messages += told + shown;
        self.unqueued.bytes += told * self.floods.bytes_of(chain) + shown * self.floods.bytes_of(rival);
        let others = (0..nodes.count() as u32).map(NodeId::new).filter(|id| ![finder, *miner].contains(id));
        let others: Vec<_> = others.collect();
        let times = self.replays.ways.times(self.floods.links(), (self.now, finder), &others);
        self.recorder.accepted_in_turn(&chain.tip_hash(), &times);
        self.changes += 1;
        self.floods.end_those_over(self.now);
        nodes.give_contested(self, (finder, chain, found.target), (*miner, rival));
        true
    }
}
