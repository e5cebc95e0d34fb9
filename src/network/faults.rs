//! The verbs of fault: what a test does to links and nodes.

use super::{
    error::{DownCause, LinkChangeError, NodeError, PartitionFault, RestartError},
    handle::Network,
    member::Control,
    settle::Liveness,
    shared::Shared,
    worker::start_worker,
};
use crate::{
    block::Block,
    blockchain::Blockchain,
    event::Happening,
    mempool::LossReason,
    message::{Message, NodeId},
    node::Node,
    wire::{Link, Partition, Verdict},
};

/// What a restarted node begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestartFrom {
    /// The chain that it had, as on its disk.
    Chain,
    /// The genesis alone: its disk is lost.
    Genesis,
}

impl Network {
    /// Sets what the directed link from one node to another is like, from the next message on. If it loses less than it
    /// did, the sender tells the receiver of its tip, which it may have missed.
    ///
    /// # Errors
    ///
    /// A node is unknown, or no thread can be started for the postman.
    pub fn set_link(&self, from: NodeId, to: NodeId, link: Link) -> Result<(), LinkChangeError> {
        self.shared.member(from)?;
        self.shared.member(to)?;
        let may_have_missed = {
            let mut conditions = self.shared.change_links()?;
            let before = conditions.links.link(from, to);
            let was_down = !conditions.links.is_reachable(from, to);
            conditions.links.set_link(from, to, link);
            was_down || before.loss() > link.loss()
        };
        if may_have_missed {
            self.tell_of_links(|one, other| (one, other) == (from, to));
        } else {
            self.shared.standings_changed();
        }
        Ok(())
    }

    /// Sets what every link is like that has no setting of its own, from the next message on.
    ///
    /// # Errors
    ///
    /// No thread can be started for the postman.
    pub fn set_default_link(&self, link: Link) -> Result<(), LinkChangeError> {
        self.shared.change_links()?.links.set_default(link);
        self.tell_of_links(|_, _| true);
        Ok(())
    }

    /// Has a closure judge every message before its link does, in place of the closure before; its first two arguments
    /// are the sender and the receiver. It runs in the senders' threads, one at a time, and must not call the network.
    ///
    /// # Errors
    ///
    /// No thread can be started for the postman.
    pub fn set_judge(
        &self,
        judge: impl FnMut(NodeId, NodeId, &Message) -> Verdict + Send + 'static,
    ) -> Result<(), LinkChangeError> {
        self.shared.change_links()?.judge = Some(super::carrier::Judge(Box::new(judge)));
        Ok(())
    }

    /// Has no closure judge the messages any longer; what it dropped is announced again.
    pub fn clear_judge(&self) {
        self.shared.carrier.conditions().judge = None;
        self.tell_of_links(|_, _| true);
    }

    /// Cuts the network into groups; nodes that are in none stay together as one further group. It takes the place of
    /// the partition before. Messages under way between the groups are lost.
    ///
    /// # Errors
    ///
    /// A node is in two groups or unknown, or no thread can be started for the postman; then nothing is cut.
    pub fn partition<G>(&self, groups: impl IntoIterator<Item = G>) -> Result<(), PartitionFault>
    where
        G: IntoIterator<Item = NodeId>,
    {
        let groups: Vec<Vec<_>> = groups.into_iter().map(|group| group.into_iter().collect()).collect();
        for &node in groups.iter().flatten() {
            self.shared.member(node)?;
        }
        let before = self.shared.change_links()?.links.partition(Partition::new(groups)?);
        self.tell_of_links(|one, other| before.separates(one, other));
        Ok(())
    }

    /// Ends the partition: the nodes that it cut off from their peers tell them of their tips.
    pub fn heal(&self) {
        let before = self.shared.carrier.conditions().links.heal();
        self.tell_of_links(|one, other| before.separates(one, other));
    }

    /// Holds the directed link from one node to another: what is sent there waits for [`Network::release`],
    /// up to [`Config::under_way_max`](super::Config::under_way_max).
    ///
    /// # Errors
    ///
    /// A node is unknown, or no thread can be started for the postman.
    pub fn hold(&self, from: NodeId, to: NodeId) -> Result<(), LinkChangeError> {
        self.shared.member(from)?;
        self.shared.member(to)?;
        self.shared.change_links()?.links.hold(from, to);
        self.shared.standings_changed();
        Ok(())
    }

    /// Releases a held link: what waited there is delivered, in the order in which it was sent.
    pub fn release(&self, from: NodeId, to: NodeId) {
        let mut conditions = self.shared.carrier.conditions();
        self.shared.release_held(&mut conditions, from, to);
        drop(conditions);
        self.tell_of_links(|one, other| (one, other) == (from, to));
    }

    /// Tells nodes that the links to some of their peers have come up: those that `was_down` says of and that are now
    /// up.
    fn tell_of_links(&self, was_down: impl Fn(NodeId, NodeId) -> bool) {
        for (node, peers) in self.shared.peers_of_all() {
            let conditions = self.shared.carrier.conditions();
            let up: Vec<_> = peers
                .into_iter()
                .filter(|&peer| was_down(node, peer) && conditions.links.is_reachable(node, peer))
                .collect();
            drop(conditions);
            if let (false, Ok(member)) = (up.is_empty(), self.shared.member(node)) {
                // One that is down learns of its links when it restarts.
                let _ = member.control(Control::LinksUp(up));
            }
        }
        self.shared.standings_changed();
    }

    /// Crashes a node: its thread ends, and its mempool, its orphans and what was under way to it and from it are gone.
    /// Its chain stays, as on its disk. Calls that wait for it are told.
    ///
    /// # Errors
    ///
    /// The node is unknown, down already, or a puppet.
    pub fn crash(&self, node: NodeId) -> Result<(), NodeError> {
        let member = self.shared.member(node)?;
        member.end(DownCause::Crashed)?;
        member.join();
        Ok(())
    }

    /// Restarts a node that is down, with the peers that it had. Its peers and it tell each other of their tips. It
    /// does not mine until it is told to. What was on its chain and on no other's is recorded as lost if it begins with
    /// the genesis.
    ///
    /// # Errors
    ///
    /// The node is unknown, not down, or a puppet; the network was shut down; or no thread can be started.
    pub fn restart(&self, node: NodeId, from: RestartFrom) -> Result<(), RestartError> {
        let shared = &self.shared;
        let member = shared.member(node)?;
        // No shutdown overtakes it.
        let _starting = shared.starting.lock();
        if shared.members.read().is_shut_down {
            return Err(NodeError::Down { node, cause: DownCause::ShutDown }.into());
        }
        let (before, mailbox) = member.revive()?;
        let now = shared.clock.now(node);
        let chain = match from {
            RestartFrom::Chain => before.clone(),
            RestartFrom::Genesis => Blockchain::start(&shared.rules, now),
        };
        let peers = shared.peers_of(node);
        let state = Node::with_chain(node, shared.rules.clone(), member.address.clone(), chain)
            .with_limits(shared.limits)
            .with_peers(peers);
        // First, as its thread records what happens from then on.
        shared.happened(node, Happening::Restarted);
        start_worker(state, shared, &member, mailbox)
            .inspect_err(|_| shared.happened(node, Happening::Crashed))?;
        if from == RestartFrom::Genesis {
            shared.lose_chain(node, &before);
        }
        self.tell_of_links(|one, other| one == node || other == node);
        Ok(())
    }

    /// Pauses a node, and waits until its thread stands still: what is said to it waits, up to the bound of its inbox.
    /// Calls to it fail until [`Network::resume`].
    ///
    /// # Errors
    ///
    /// The node is unknown, down, paused already, or a puppet.
    pub fn pause(&self, node: NodeId) -> Result<(), NodeError> {
        self.shared.member(node)?.pause(|| self.shared.set_liveness(node, Liveness::Paused))?;
        self.shared.happened(node, Happening::Paused);
        Ok(())
    }

    /// Resumes a paused node; one that is not paused goes on as it is.
    ///
    /// # Errors
    ///
    /// The node is unknown, down, or a puppet.
    pub fn resume(&self, node: NodeId) -> Result<(), NodeError> {
        self.shared.member(node)?.resume(|| {
            self.shared.set_liveness(node, Liveness::Live);
            self.shared.happened(node, Happening::Resumed);
        })?;
        // It heard of no link that came up, and what it was told may have been over the bound.
        self.tell_of_links(|one, other| one == node || other == node);
        Ok(())
    }
}

impl Shared {
    /// Records the loss of the transactions that nobody has but on the chain of a node that begins anew.
    fn lose_chain(&self, node: NodeId, chain: &Blockchain) {
        let common = self.chains().into_iter().filter_map(|other| chain.common_ancestor(&other));
        let kept = common.map(|common| common.len()).max().unwrap_or(0);
        for transaction in chain.iter_after(kept).flat_map(Block::transactions) {
            if !transaction.is_reward() {
                let (transaction, reason) = (transaction.clone(), LossReason::Crashed);
                self.happened(node, Happening::Lost { transaction, reason });
            }
        }
    }
}
