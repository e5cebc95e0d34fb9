//! The handle of a network: its making, its nodes, and its end.

use std::sync::Arc;

use parking_lot::Mutex;
use uuid::Uuid;

use super::{
    clock::Clock,
    counters::MessageCounters,
    delivery::Delivery,
    error::{DownCause, NodeError, Panicked, SpawnError},
    late::start_delivery,
    mailbox::{self, Control, Line, Mailbox, Member},
    nodes::Nodes,
    question::ReplyChannels,
    shared::Shared,
    state::{Row, State},
    traffic::Traffic,
    watch::Watch,
    worker::start_worker,
};
use crate::{
    blockchain::Blockchain,
    message::NodeId,
    node::{Limits, Node, NodeConfig},
    rules::Rules,
};

/// A network of nodes, each a thread.
///
/// `&Network` is used from many threads at once. A call to a node waits for its answer; nodes never wait for each
/// other. Dropping the network, or [`Network::shutdown`], ends and joins every thread.
///
/// ```
/// use chainlab::{Network, Rules, Transaction};
///
/// let network = Network::new(Rules::notebook());
/// let (alice, bob) = (network.spawn()?, network.spawn()?);
/// network.register(bob, [alice])?;
/// network.submit(alice, Transaction::new("d4ee26eee15148ee92c6cd394edd974e", "someone-other-address", 5))?;
/// let forged = network.mine(alice)?;
/// assert_eq!((forged.index, forged.proof), (2, 35293));
/// network.resolve(bob)?;
/// assert_eq!(network.chain(bob)?, network.chain(alice)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Network {
    pub(super) shared: Arc<Shared>,
}

/// How a network is set up.
#[derive(Debug, Clone)]
pub struct Config {
    /// What the nodes tell the time by.
    pub clock: Clock,
    /// How long a node waits and how much it keeps.
    pub limits: Limits,
    /// How many messages of one sender may wait in a node's inbox; those over it are dropped and counted.
    pub unread_max: u32,
    /// How many messages may be under way on a link from one node to another, held or not yet due; those over it are
    /// dropped and counted.
    pub under_way_max: u32,
    /// What the draws of the links and of the topologies follow from.
    pub seed: u64,
}

impl Default for Config {
    /// The wall clock, the default [`Limits`], 1024 unread messages of each sender, 65,536 under way on each link, and
    /// the seed 0.
    fn default() -> Self {
        Self {
            clock: Clock::wall(),
            limits: Limits::default(),
            unread_max: 1024,
            under_way_max: 65_536,
            seed: 0,
        }
    }
}

/// Who a node is: by default `node-0` and so on, with an address of its own.
#[derive(Debug, Clone, Default)]
pub struct Identity {
    /// The node's name, and its thread's.
    pub name: Option<String>,
    /// Where its rewards go: in the notebook 32 hexadecimal digits of a UUID and four digits.
    pub address: Option<String>,
}

impl Network {
    /// Starts a network without nodes.
    pub fn new(rules: Rules) -> Self {
        Self::with_config(rules, Config::default())
    }

    /// Starts a network without nodes that is set up otherwise than by default.
    pub fn with_config(rules: Rules, config: Config) -> Self {
        let Config { clock, limits, unread_max, under_way_max, seed } = config;
        let start = clock.now(NodeId::new(0));
        let shared = Shared {
            rules: Arc::new(rules.started_at(start)),
            clock,
            limits,
            unread_max,
            seed,
            starting: Mutex::new(()),
            nodes: Nodes::default(),
            delivery: Delivery::new(Traffic::new(seed, under_way_max)),
            watch: Watch::new(start),
            counters: MessageCounters::default(),
            reply_channels: ReplyChannels::default(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Returns the rules, with the network's start as the time of a shared genesis that had none.
    pub fn rules(&self) -> &Rules {
        &self.shared.rules
    }

    /// Starts a node.
    ///
    /// # Errors
    ///
    /// The network was shut down, or the operating system starts no further thread; then no node was added.
    pub fn spawn(&self) -> Result<NodeId, SpawnError> {
        self.spawn_as(Identity::default())
    }

    /// Starts a node with a name or an address of the caller's.
    ///
    /// # Errors
    ///
    /// As [`Network::spawn`], and a name with a zero byte.
    pub fn spawn_as(&self, identity: Identity) -> Result<NodeId, SpawnError> {
        let clock = &self.shared.clock;
        self.add(identity, |config| {
            let now = clock.now(config.id);
            Node::with_config(config, now)
        })
    }

    /// Starts a thread for the node that `make` makes.
    pub(super) fn add(
        &self,
        identity: Identity,
        make: impl FnOnce(NodeConfig) -> Node,
    ) -> Result<NodeId, SpawnError> {
        let shared = &self.shared;
        let _starting = shared.starting();
        let member = self.new_member(identity)?;
        let node = make(shared.node_config(&member));
        let row = Row { state: State::Live, chain: node.chain().clone(), peers: Vec::new() };
        let (line, mailbox) = mailbox::open(shared.unread_max);
        let now = shared.clock.now(member.id);
        // It has nothing to do before others know of it; if it does not start, they never do.
        *member.thread() = Some(start_worker(node, shared, &member, mailbox)?);
        shared.watch.joined(now, member.id, Arc::clone(&member.name));
        Ok(self.enlist(member, row, line))
    }

    /// Gives a puppet its number, its name and its inbox.
    pub(super) fn add_puppet(&self, identity: Identity) -> Result<(NodeId, Mailbox), SpawnError> {
        let shared = &self.shared;
        let _starting = shared.starting();
        let member = self.new_member(identity)?;
        let chain = Blockchain::start(&shared.rules, shared.clock.now(member.id));
        let row = Row { state: State::Puppet, chain, peers: Vec::new() };
        let (line, mailbox) = mailbox::open(shared.unread_max);
        Ok((self.enlist(member, row, line), mailbox))
    }

    /// Makes the next member, which nobody knows of yet; `starting` is held until it is enlisted.
    fn new_member(&self, identity: Identity) -> Result<Arc<Member>, SpawnError> {
        let (nodes, is_shut_down) = self.shared.nodes.look(|table| (table.rows.len(), table.is_shut_down));
        if is_shut_down {
            return Err(SpawnError::ShutDown);
        }
        start_delivery(&self.shared)?;
        let number = u32::try_from(nodes).expect("there are fewer threads than 2^32");
        let name = identity.name.unwrap_or_else(|| format!("node-{number}"));
        if name.contains('\0') {
            return Err(SpawnError::Name { name });
        }
        let address = identity.address.unwrap_or_else(|| random_address(number));
        Ok(Arc::new(Member::new(NodeId::new(number), name.into(), address.into())))
    }

    /// Lets others know of a new member.
    fn enlist(&self, member: Arc<Member>, row: Row, line: Line) -> NodeId {
        let id = member.id;
        self.shared.nodes.change(|table| {
            table.members.push(member);
            table.rows.push(row);
            table.lines.push(Some(line));
        });
        id
    }

    /// Returns all nodes, in the order in which they were started.
    pub fn nodes(&self) -> Vec<NodeId> {
        self.shared.nodes.look(|table| table.members.iter().map(|member| member.id).collect())
    }

    /// Returns a node's name.
    ///
    /// # Errors
    ///
    /// The node is unknown.
    pub fn name(&self, node: NodeId) -> Result<Arc<str>, NodeError> {
        Ok(Arc::clone(&self.shared.member(node)?.name))
    }

    /// Returns the address that a node's rewards go to.
    ///
    /// # Errors
    ///
    /// The node is unknown.
    pub fn address(&self, node: NodeId) -> Result<Arc<str>, NodeError> {
        Ok(Arc::clone(&self.shared.member(node)?.address))
    }

    /// Ends every node and joins its thread. Calls that still wait for a node are told that it is down, and so are all
    /// later ones. A second call only names the panicked nodes again.
    ///
    /// # Errors
    ///
    /// The nodes that had panicked, each with its message.
    pub fn shutdown(&self) -> Result<(), Panicked> {
        let shared = &self.shared;
        let members = {
            let _starting = shared.starting();
            shared.nodes.change(|table| {
                table.is_shut_down = true;
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
            if let Some(message) = shared.nodes.look(|table| table.rows[member.id.index()].panic()) {
                nodes.push((member.id, message));
            }
        }
        shared.delivery.shut_down();
        shared.watch.close();
        if nodes.is_empty() { Ok(()) } else { Err(Panicked { nodes }) }
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // Whoever wants to know of panics calls `shutdown`.
        let _ = self.shutdown();
    }
}

/// An address as the notebook makes them: 32 hexadecimal digits of a random UUID and four of a number.
#[expect(clippy::disallowed_methods, reason = "addresses are the driver's to draw")]
fn random_address(number: u32) -> String {
    format!("{}{number:04}", Uuid::new_v4().simple())
}
