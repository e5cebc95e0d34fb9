//! The verbs of fault: what a test does to links and nodes.

use crossbeam_channel::bounded;

use super::{
    closure,
    ending::{self, RestartFrom},
    error::{DownCause, NodeError, PartitionFault, RestartError},
    handle::Network,
    links_up::CameUp,
    mailbox::{self, Control, Member},
    state::State,
    traffic::Judge,
    worker::start_worker,
};
use crate::{
    blockchain::Blockchain,
    command::Snapshot,
    event::Event,
    message::{Message, NodeId},
    node::Node,
    wire::{Link, Partition, Verdict},
};

/// What is done to one node from several threads at once, of crash, restart, pause and resume, is done one after the
/// other, each as a whole.
impl Network {
    /// Sets what the directed link from one node to another is like, from the next message on. If it loses less than it
    /// did, the sender tells the receiver of its tip, which it may have missed.
    ///
    /// # Errors
    ///
    /// A node is unknown.
    pub fn set_link(&self, from: NodeId, to: NodeId, link: Link) -> Result<(), NodeError> {
        self.check_known([from, to])?;
        let came_up = self.shared.delivery.change().set_link(from, to, link);
        self.shared.links_changed(came_up);
        Ok(())
    }

    /// Sets what every link is like that has no setting of its own, from the next message on. If it loses less than it
    /// did, all nodes tell their peers of their tips.
    pub fn set_default_link(&self, link: Link) {
        let came_up = self.shared.delivery.change().set_default(link);
        self.shared.links_changed(came_up);
    }

    /// Has a closure judge every message before its link does, in place of the closure before, of which what it dropped
    /// is announced again; its first two arguments are the sender and the receiver. It runs in the senders' threads, one
    /// at a time, and must not call the network: a call that would wait for a node or a link panics instead. A closure
    /// that panics takes down the node that sends.
    pub fn set_judge(&self, mut judge: impl FnMut(NodeId, NodeId, &Message) -> Verdict + Send + 'static) {
        let judge = move |from, to, message: &_| closure::run("judge", || judge(from, to, message));
        let came_up = self.shared.delivery.change().set_judge(Some(Judge(Box::new(judge))));
        self.shared.links_changed(came_up);
    }

    /// Has no closure judge the messages any longer; what it dropped is announced again.
    pub fn clear_judge(&self) {
        let came_up = self.shared.delivery.traffic().set_judge(None);
        self.shared.links_changed(came_up);
    }

    /// Cuts the network into groups; nodes that are in none stay together as one further group. It takes the place of
    /// the partition before. Messages under way between the groups are lost.
    ///
    /// # Errors
    ///
    /// A node is in two groups or unknown; then nothing is cut.
    pub fn partition<G>(&self, groups: impl IntoIterator<Item = G>) -> Result<(), PartitionFault>
    where
        G: IntoIterator<Item = NodeId>,
    {
        let groups: Vec<Vec<_>> = groups.into_iter().map(|group| group.into_iter().collect()).collect();
        self.check_known(groups.iter().flatten().copied())?;
        let partition = Partition::new(groups)?;
        let came_up = self.shared.delivery.change().partition(partition);
        self.shared.links_changed(came_up);
        Ok(())
    }

    /// Ends the partition: the nodes that it cut off from their peers tell them of their tips.
    pub fn heal(&self) {
        let came_up = self.shared.delivery.traffic().heal();
        self.shared.links_changed(came_up);
    }

    /// Holds the directed link from one node to another: what is sent there waits for [`Network::release`],
    /// up to [`Config::under_way_max`](super::Config::under_way_max).
    ///
    /// # Errors
    ///
    /// A node is unknown.
    pub fn hold(&self, from: NodeId, to: NodeId) -> Result<(), NodeError> {
        self.check_known([from, to])?;
        self.shared.delivery.change().hold(from, to);
        self.shared.links_changed(None);
        Ok(())
    }

    /// Releases a held link: what waited there is delivered, in the order in which it was sent. One that is not held
    /// stays as it is.
    pub fn release(&self, from: NodeId, to: NodeId) {
        let now = self.shared.delivery.now();
        let mut links = self.shared.delivery.traffic();
        let (came_up, due) = links.release(now, from, to);
        due.into_iter().for_each(|message| links.queue(message));
        drop(links);
        self.shared.links_changed(came_up);
    }

    fn check_known(&self, nodes: impl IntoIterator<Item = NodeId>) -> Result<(), NodeError> {
        self.shared.nodes.look(|table| nodes.into_iter().try_for_each(|node| table.check_known(node)))
    }

    /// Crashes a node: its thread ends, and its mempool, its orphans and what was under way to it and from it are gone.
    /// Its chain stays, as on its disk. Calls that wait for it are told.
    ///
    /// # Errors
    ///
    /// The node is unknown or a puppet, or it is down already, or ends just now, for another cause.
    pub fn crash(&self, node: NodeId) -> Result<(), NodeError> {
        let member = self.shared.member(node)?;
        let mut thread = member.thread();
        self.shared.tell(node, State::check_up, Control::End(DownCause::Crashed))?;
        Member::join(&mut thread);
        match self.check(node, State::check_up) {
            Err(NodeError::Down { cause: DownCause::Crashed, .. }) => Ok(()),
            other => other,
        }
    }

    /// Restarts a node that is down, with the peers that it had. Its peers and it tell each other of their tips. It
    /// does not mine until it is told to. What was on its chain and on no other's is recorded as lost if it begins with
    /// the genesis.
    ///
    /// # Errors
    ///
    /// The node is unknown, not down, or a puppet; the network was shut down; or no thread can be started. Then the node
    /// is as it was.
    pub fn restart(&self, node: NodeId, from: RestartFrom) -> Result<(), RestartError> {
        let shared = &self.shared;
        let member = shared.member(node)?;
        let mut thread = member.thread();
        let _starting = shared.starting();
        let before = shared.nodes.look(|table| table.rows[node.index()].clone());
        match before.state {
            State::Down { .. } => {}
            State::Live | State::Paused => return Err(RestartError::NotDown { node }),
            State::Puppet => return Err(NodeError::Puppet { node }.into()),
        }
        if shared.nodes.look(|table| table.is_shut_down) {
            return Err(NodeError::Down { node, cause: DownCause::ShutDown }.into());
        }
        // One that panicked may still be on its way out.
        Member::join(&mut thread);
        let time = shared.clock.now(node);
        let chain = match from {
            RestartFrom::Chain => before.chain,
            RestartFrom::Genesis => Blockchain::start(&shared.rules, time),
        };
        let left = Snapshot { chain: chain.clone(), pending: Vec::new(), peers: before.peers };
        let (state, _) = Node::restored(shared.node_config(&member), left);
        let (line, mailbox) = mailbox::open(shared.unread_max);
        *thread = Some(start_worker(state, shared, &member, mailbox)?);
        // It has nothing to do before others know that it is up.
        let recorded = shared.nodes.look(|table| ending::restart(node, from, &table.rows));
        let events: Vec<_> = recorded.into_iter().map(|what| Event { time, node, what }).collect();
        shared.watch.record_with(&events, || {
            shared.nodes.change(|table| {
                let row = &mut table.rows[node.index()];
                (row.state, row.chain) = (State::Live, chain);
                table.lines[node.index()] = Some(line);
            });
        });
        shared.links_changed(Some(CameUp::Of(node)));
        Ok(())
    }

    /// Pauses a node, and waits until its thread stands still: what is said to it waits, up to the bound of its inbox,
    /// and so do its deadlines. Calls to it fail until [`Network::resume`], but for [`Network::snapshot`] and
    /// [`Network::save`].
    ///
    /// # Errors
    ///
    /// The node is unknown, down, paused already, or a puppet.
    pub fn pause(&self, node: NodeId) -> Result<(), NodeError> {
        let member = self.shared.member(node)?;
        let _thread = member.thread();
        let (standing_still, stands_still) = bounded(0);
        self.shared.tell(node, State::check_live, Control::Pause(standing_still))?;
        let Err(_) = stands_still.recv();
        match self.check(node, State::check_live) {
            Err(NodeError::Paused { .. }) => Ok(()),
            other => other,
        }
    }

    /// Resumes a paused node; one that is not paused goes on as it is.
    ///
    /// # Errors
    ///
    /// The node is unknown, down, or a puppet.
    pub fn resume(&self, node: NodeId) -> Result<(), NodeError> {
        let member = self.shared.member(node)?;
        let _thread = member.thread();
        if self.check(node, State::check_live).is_ok() {
            return Ok(());
        }
        let (going_on, goes_on) = bounded(0);
        self.shared.tell(node, State::check_up, Control::Resume(going_on))?;
        let Err(_) = goes_on.recv();
        self.check(node, State::check_live)?;
        // It heard of no link that came up, and what it was told may have been over the bound.
        self.shared.links_changed(Some(CameUp::Of(node)));
        Ok(())
    }

    fn check(
        &self,
        node: NodeId,
        check: fn(&State, NodeId) -> Result<(), NodeError>,
    ) -> Result<(), NodeError> {
        self.shared.nodes.look(|table| check(&table.row(node)?.state, node))
    }
}
