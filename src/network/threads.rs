//! The threads of a network: their making, their nodes, and their end.

use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use uuid::Uuid;

use super::{
    clock::Clock,
    counters::MessageCounters,
    delivery::Delivery,
    late::start_delivery,
    mailbox::{self, Control, Line, Mailbox, Member},
    nodes::{Nodes, Row},
    panicked::Panicked,
    question::ReplyChannels,
    shared::Shared,
    watch::Watch,
    worker::start_worker,
};
use crate::{
    blockchain::Blockchain,
    message::NodeId,
    node::{Limits, Node, NodeConfig},
    rules::Rules,
    time::Time,
    verbs::{DownCause, Identity, NetworkOf, SpawnError, state::State, traffic::Traffic},
    wire::Room,
};

/// What drives a [`Network`]: each node is a thread, on the wall clock.
#[derive(Debug)]
pub struct Threads {
    pub(super) shared: Arc<Shared>,
}

/// A network of nodes, each a thread of the operating system, on the wall clock.
///
/// `&Network` is used from many threads at once. A call to a node waits for its answer; nodes never wait for each
/// other. Dropping the network, or [`Network::shutdown`], ends and joins every thread.
pub type Network = NetworkOf<Threads>;

/// How a network is set up.
#[derive(Debug, Clone)]
pub struct Config {
    /// What the nodes tell the time by; by default the wall clock.
    pub clock: Clock,
    /// How long a node waits and how much it keeps; by default what each field of [`Limits`] says.
    pub limits: Limits,
    /// How many messages of one sender may wait in a node's inbox; those over it are dropped and counted.
    /// By default 1024.
    pub unread_max: u32,
    /// How many bytes the messages of one sender may take that wait in a node's inbox, as
    /// [`Message::size`](crate::Message::size) counts them; those over it are dropped and counted. A message that waits
    /// there alone may be of any length. By default 64 MB.
    pub unread_bytes_max: u64,
    /// How many messages may be under way on a link from one node to another, held or not yet due; those over it are
    /// dropped and counted. By default 65,536.
    pub under_way_max: u32,
    /// How many bytes the messages may take that are under way on a link, as [`Message::size`](crate::Message::size)
    /// counts them; those over it are dropped and counted. A message that is alone there may be of any length. By default
    /// 64 MB.
    pub under_way_bytes_max: u64,
    /// What the draws of the links and of the topologies follow from; by default 0.
    pub seed: u64,
}

impl Default for Config {
    /// What each field says.
    fn default() -> Self {
        Self {
            clock: Clock::wall(),
            limits: Limits::default(),
            unread_max: Room::INBOX.messages,
            unread_bytes_max: Room::INBOX.bytes,
            under_way_max: Room::LINK.messages,
            under_way_bytes_max: Room::LINK.bytes,
            seed: 0,
        }
    }
}

impl Network {
    /// Starts a network without nodes.
    ///
    /// ```
    /// use chainlab::{Network, Rules};
    ///
    /// let network = Network::new(Rules::notebook());
    /// assert_eq!(network.nodes(), []);
    /// ```
    pub fn new(rules: Rules) -> Self {
        Self::with_config(rules, Config::default())
    }

    /// Starts a network without nodes that is set up otherwise than by default.
    ///
    /// ```
    /// use chainlab::{Network, Rules, network::Config};
    ///
    /// let network = Network::with_config(Rules::sealed(), Config { seed: 7, ..Config::default() });
    /// # let _ = network;
    /// ```
    pub fn with_config(rules: Rules, config: Config) -> Self {
        let Config { clock, limits, unread_max, unread_bytes_max, under_way_max, under_way_bytes_max, seed } =
            config;
        let start = clock.now(NodeId::new(0));
        let shared = Shared {
            rules: Arc::new(rules.started_at(start)),
            clock,
            limits,
            inbox_room: Room { messages: unread_max, bytes: unread_bytes_max },
            seed,
            genesis: OnceLock::new(),
            starting: Mutex::new(()),
            nodes: Nodes::default(),
            delivery: Delivery::new(Traffic::new(
                seed,
                Room { messages: under_way_max, bytes: under_way_bytes_max },
            )),
            watch: Watch::new(start),
            counters: MessageCounters::default(),
            reply_channels: ReplyChannels::default(),
        };
        Self { driver: Threads { shared: Arc::new(shared) } }
    }

    /// Ends every node and joins its thread. Calls that still wait for a node are told that it is down, and so are all
    /// later ones. A second call only names the panicked nodes again.
    ///
    /// # Errors
    ///
    /// The nodes that had panicked, each with its message.
    ///
    /// ```
    /// use chainlab::{Network, Rules};
    ///
    /// let network = Network::new(Rules::notebook());
    /// let alice = network.spawn()?;
    /// network.shutdown()?;
    /// assert_eq!(network.mine(alice).unwrap_err().to_string(), "node 0 is down: the network was shut down");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn shutdown(&self) -> Result<(), Panicked> {
        self.driver.shut_down()
    }
}

impl Threads {
    /// Starts a thread for the node that `make` makes at its moment.
    pub(super) fn start_node(
        &self,
        identity: Identity,
        make: impl FnOnce(NodeConfig, Time) -> Node,
    ) -> Result<NodeId, SpawnError> {
        let shared = &self.shared;
        let _starting = shared.starting();
        let member = self.new_member(&identity, None)?;
        let now = shared.clock.now(member.id);
        let node = make(shared.node_config(&member), now);
        let row = Row { state: State::Live, chain: node.chain().clone(), peers: Vec::new() };
        let (line, mailbox) = mailbox::open(shared.inbox_room);
        // It has nothing to do before others know of it; if it does not start, they never do.
        *member.thread() = Some(start_worker(node, shared, &member, mailbox)?);
        shared.watch.joined(now, member.id, Arc::clone(&member.name));
        Ok(self.enlist(identity, member, row, line))
    }

    /// Gives a puppet its number, its name and its inbox.
    pub(super) fn start_puppet(&self, identity: Identity) -> Result<NodeId, SpawnError> {
        let shared = &self.shared;
        let _starting = shared.starting();
        let (line, mailbox) = mailbox::open(shared.inbox_room);
        let member = self.new_member(&identity, Some(mailbox))?;
        let chain = Blockchain::started(&shared.rules, shared.clock.now(member.id));
        let row = Row { state: State::Puppet, chain, peers: Vec::new() };
        Ok(self.enlist(identity, member, row, line))
    }

    /// Makes the next member, which nobody knows of yet; `starting` is held until it is enlisted.
    fn new_member(&self, identity: &Identity, mailbox: Option<Mailbox>) -> Result<Arc<Member>, SpawnError> {
        let (id, name) = self.shared.nodes.look(|table| {
            if table.is_shut_down {
                return Err(SpawnError::ShutDown);
            }
            let number = u32::try_from(table.rows.len()).expect("there are fewer threads than 2^32");
            let id = NodeId::new(number);
            table.names.check(id, identity.name.as_deref())?;
            Ok((id, identity.name.as_deref().map_or_else(|| table.names.of(id), Arc::from)))
        })?;
        start_delivery(&self.shared)?;
        let address = identity.address.clone().unwrap_or_else(|| random_address(id));
        let behaviour = identity.behaviour.clone();
        Ok(Arc::new(Member::new(id, name, address.into(), behaviour, mailbox)))
    }

    /// Lets others know of a new member.
    fn enlist(&self, identity: Identity, member: Arc<Member>, row: Row, line: Line) -> NodeId {
        let id = member.id;
        self.shared.nodes.change(|table| {
            table.names.give(id, identity.name.as_deref());
            table.members.push(member);
            table.rows.push(row);
            table.lines.push(Some(line));
        });
        id
    }

    fn shut_down(&self) -> Result<(), Panicked> {
        let shared = &self.shared;
        let members = {
            let _starting = shared.starting();
            shared.nodes.change(|table| {
                table.is_shut_down = true;
                let puppets = table.rows.iter().map(|row| row.state.is_puppet());
                // Whoever waits for what puppets hear is told that way.
                table.lines.iter_mut().zip(puppets).for_each(|(line, is_one)| drop(line.take_if(|_| is_one)));
                table.members.clone()
            })
        };
        for member in &members {
            // One that is down already has nothing to end.
            let _ = shared.tell(member.id, State::check_up, Control::End(DownCause::ShutDown));
        }
        let mut nodes = Vec::new();
        for member in &members {
            Member::join(&mut member.thread());
            let panic = |state: &State| state.panic().map(str::to_owned);
            if let Some(message) = shared.nodes.look(|table| panic(&table.rows[member.id.index()].state)) {
                nodes.push((member.id, message));
            }
        }
        shared.delivery.shut_down();
        shared.watch.close();
        if nodes.is_empty() { Ok(()) } else { Err(Panicked { nodes }) }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        // Whoever wants to know of panics calls `shutdown`.
        let _ = self.shut_down();
    }
}

/// An address as the notebook makes them: 32 hexadecimal digits of a random UUID and four of a number.
#[expect(clippy::disallowed_methods, reason = "addresses are the driver's to draw")]
fn random_address(node: NodeId) -> String {
    format!("{}{:04}", Uuid::new_v4().simple(), node.index())
}
