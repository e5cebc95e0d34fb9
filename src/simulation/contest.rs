//! Contested blocks: a miner has found a block and held it back, then somebody finds another in the same place, and once that
//! has come to the miner it shows its own, the rival.
//!
//! Where each message takes the same time, what follows can be told beforehand, as for any block that is
//! [replayed](super::replays). The block comes to all nodes by its shortest ways, none of which leads through the miner. The
//! miner keeps it beside the rival and does not pass it on. Its peers hear of the rival only when they have the block, so that
//! they keep the rival beside that and do not pass it on either; and all others never hear of it.

use super::{carry::Surroundings, flow::Flow, nodes::Nodes, replays::Found};
use crate::{blockchain::Blockchain, message::NodeId, time::Time};

/// A rival of a block that was found.
#[derive(Debug, Clone)]
pub(super) struct Contest {
    /// Who has found it, and holds it back.
    miner: NodeId,
    pub(super) rival: Blockchain,
    /// How many nanoseconds after the block was found the last of the miner's peers has got the rival.
    shown_nanos: u64,
}

impl Surroundings {
    /// Returns who contests a block that a node has just found on the chain of all, if one node alone has more on its mind than
    /// its chain, and what follows can be told.
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

    /// Has all nodes but the miner take on a contested block, and the miner's peers keep the rival, if all messages about either
    /// arrive before another moment; tells whether they do.
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
        // In the record the miner passes the block on to all of its peers but the finder. Here it tells all of them of the rival.
        let of_rival = self.peers[miner.index()].len() as u64;
        let of_block = record.messages + 1 - of_rival;
        self.unqueued.messages += of_block + of_rival;
        self.unqueued.bytes +=
            of_block * self.floods.bytes_of(chain) + of_rival * self.floods.bytes_of(rival);
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
