//! The acts that a driver carries out, below the verbs.

use std::sync::OnceLock;

use super::{
    ending::RestartFrom,
    error::{NodeError, RestartError, SpawnError},
    links_up::CameUp,
    names::Identity,
    rate::HashRate,
    traffic::Traffic,
    view::View,
};
use crate::{
    blockchain::Blockchain,
    command::{Answer, Command},
    event::{Event, Happening},
    message::{Message, NodeId},
    node::{Node, NodeConfig},
    report::{Messages, Recorder},
    rules::Rules,
    time::Time,
    wire::Links,
};

/// What drives the nodes of a [`NetworkOf`](super::NetworkOf). It is implemented here alone; name it to write what runs
/// under any driver.
///
/// ```
/// use chainlab::{Driver, Network, NetworkOf, Rules};
///
/// fn two_blocks<D: Driver>(network: &NetworkOf<D>) -> Result<u64, Box<dyn std::error::Error>> {
///     let alice = network.spawn()?;
///     network.mine(alice)?;
///     network.mine(alice)?;
///     Ok(network.chain(alice)?.len())
/// }
///
/// assert_eq!(two_blocks(&Network::new(Rules::notebook()))?, 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Driver: Drive {}

impl<D: Drive> Driver for D {}

/// What was recorded up to a moment, and all else that a report of that moment is made of.
#[derive(Debug)]
pub struct Recorded<T> {
    pub(crate) recorder: Recorder,
    pub(crate) now: Time,
    /// The attempts at proofs that each node has made.
    pub(crate) attempts: Vec<u64>,
    pub(crate) messages: Messages,
    pub(crate) seen: T,
}

/// The acts of a driver.
///
/// A limit is a moment of [`Drive::now`]; at [`Time::MAX`] there is none. No act is called from within another's closure,
/// and none holds anything back while a user's closure runs, but for the judge's.
pub trait Drive {
    type View: View;
    type Events;

    fn rules(&self) -> &Rules;

    /// The chain that each new node begins with, where the rules have them share one: made once, with all of its accounts.
    fn genesis(&self) -> &OnceLock<Blockchain>;

    /// What draws of topologies follow from.
    fn seed(&self) -> u64;

    /// The driver's time, in which limits are counted. It never goes back.
    fn now(&self) -> Time;

    /// Looks at the nodes at one moment.
    fn look<T>(&self, look: impl FnOnce(&Self::View) -> T) -> T;

    /// Looks at the nodes and the links at one moment.
    fn look_at_links<T>(&self, look: impl FnOnce(&Self::View, &Links) -> T) -> T;

    /// Looks now, and again after every change of a node or a link, until there is an answer or it is too late.
    fn wait<T>(&self, until: Time, look: impl FnMut(&Self::View, &Links) -> Option<T>) -> Option<T>;

    /// Looks now, and again after every change of one node's chain or state, until there is an answer or it is too late.
    fn wait_at<T>(&self, node: NodeId, until: Time, look: impl FnMut(&Self::View) -> Option<T>) -> Option<T>;

    /// Tells a node to do something, and waits for the answer. If that is late, the node is to give it at once.
    fn ask(&self, node: NodeId, command: Command, until: Time) -> Result<Answer, NodeError>;

    /// Has a node mine block after block, from now on at a rate.
    fn start_mining(&self, node: NodeId, rate: HashRate) -> Result<(), NodeError>;

    /// Adds a node; `make` makes it at its moment.
    fn add_node(
        &self,
        identity: Identity,
        make: impl FnOnce(NodeConfig, Time) -> Node,
    ) -> Result<NodeId, SpawnError>;

    fn add_puppet(&self, identity: Identity) -> Result<NodeId, SpawnError>;

    /// Changes the links.
    fn change<T>(&self, change: impl FnOnce(&mut Traffic) -> T) -> T;

    /// Ends a hold, and has what waited there arrive.
    fn release(&self, from: NodeId, to: NodeId) -> Option<CameUp>;

    /// Tells a node that the links to these peers have come up, after all that was sent to it before. One that is not
    /// live is told nothing: it learns of its links when it goes on.
    fn links_up(&self, node: NodeId, peers: Vec<NodeId>);

    /// Has whoever waits for a change of the links look again.
    fn links_changed(&self);

    /// Records what has happened to all nodes and puppets.
    fn happened(&self, what: impl Fn(NodeId) -> Happening);

    fn crash(&self, node: NodeId) -> Result<(), NodeError>;

    fn restart(&self, node: NodeId, from: RestartFrom) -> Result<(), RestartError>;

    fn pause(&self, node: NodeId) -> Result<(), NodeError>;

    /// Has a node go on, and tells whether it was paused.
    fn resume(&self, node: NodeId) -> Result<bool, NodeError>;

    /// Sends a message in the name of a puppet.
    fn say(&self, puppet: NodeId, to: NodeId, message: Message);

    /// Waits for the next message to a puppet.
    fn hear(&self, puppet: NodeId, until: Time) -> Option<(NodeId, Message)>;

    /// Subscribes to what happens from now on, with room for so many unread events.
    fn subscribe(&self, capacity: usize) -> Self::Events;

    /// Waits for the next event of a subscription.
    fn next_event(&self, events: &Self::Events, until: Time) -> Option<Event>;

    /// Has what was recorded so far count no longer.
    fn count_from_now(&self);

    /// Copies what was recorded, and looks at the nodes at the same moment.
    fn recorded<T>(&self, look: impl FnOnce(&Self::View) -> T) -> Recorded<T>;
}
