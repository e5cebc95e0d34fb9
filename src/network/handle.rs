//! The handle of a network: its making, its nodes, and its end.

use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use uuid::Uuid;

use super::{
    carrier::Carrier,
    clock::Clock,
    error::{DownCause, NodeError, Panicked, SpawnError},
    member::{Mailbox, Member},
    question::ReplyChannels,
    settle::{Liveness, Standing, Standings},
    shared::{Members, Shared},
    watch::Watch,
    worker::start_thread,
};
use crate::{
    blockchain::Blockchain,
    message::NodeId,
    node::{Limits, Node},
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
            under_way_max,
            seed,
            starting: Mutex::new(()),
            members: RwLock::new(Members::default()),
            standings: Standings::default(),
            carrier: Carrier::new(seed),
            watch: Watch::new(start),
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
        let (rules, clock, limits) = (&self.shared.rules, &self.shared.clock, self.shared.limits);
        self.add(identity, |id, address| {
            Node::new(id, Arc::clone(rules), address, clock.now(id)).with_limits(limits)
        })
    }

    /// Starts a thread for the node that `make` makes of its number and address.
    pub(super) fn add(
        &self,
        identity: Identity,
        make: impl FnOnce(NodeId, Arc<str>) -> Node,
    ) -> Result<NodeId, SpawnError> {
        let shared = &self.shared;
        let _starting = shared.starting.lock();
        let (member, mailbox) = self.new_member(identity, false)?;
        let node = make(member.id, Arc::clone(&member.address));
        let standing = Standing { liveness: Liveness::Live, chain: node.chain().clone(), peers: Vec::new() };
        // It has nothing to do before others know of it; if it does not start, they never do.
        start_thread(node, shared, &member, mailbox)?;
        shared.watch.joined(shared.clock.now(member.id), member.id, Arc::clone(&member.name));
        Ok(self.enlist(member, standing))
    }

    /// Gives a puppet its number, its name and its inbox.
    pub(super) fn add_puppet(&self, identity: Identity) -> Result<(Arc<Member>, Mailbox), SpawnError> {
        let shared = &self.shared;
        let _starting = shared.starting.lock();
        let (member, mailbox) = self.new_member(identity, true)?;
        let chain = Blockchain::start(&shared.rules, shared.clock.now(member.id));
        self.enlist(Arc::clone(&member), Standing { liveness: Liveness::Puppet, chain, peers: Vec::new() });
        Ok((member, mailbox))
    }

    /// Makes the next member, which nobody knows of yet; `starting` is held until it is enlisted.
    fn new_member(&self, identity: Identity, is_puppet: bool) -> Result<(Arc<Member>, Mailbox), SpawnError> {
        let number = {
            let members = self.shared.members.read();
            if members.is_shut_down {
                return Err(SpawnError::ShutDown);
            }
            u32::try_from(members.list.len()).expect("there are fewer threads than 2^32")
        };
        let name = identity.name.unwrap_or_else(|| format!("node-{number}"));
        if name.contains('\0') {
            return Err(SpawnError::Name { name });
        }
        let address = identity.address.unwrap_or_else(|| random_address(number));
        let (id, unread_max) = (NodeId::new(number), self.shared.unread_max);
        let (member, mailbox) = Member::new(id, name.into(), address.into(), unread_max, is_puppet);
        Ok((Arc::new(member), mailbox))
    }

    /// Lets others know of a new member.
    fn enlist(&self, member: Arc<Member>, standing: Standing) -> NodeId {
        let id = member.id;
        self.shared.add_standing(standing);
        self.shared.members.write().list.push(member);
        id
    }

    /// Returns all nodes, in the order in which they were started.
    pub fn nodes(&self) -> Vec<NodeId> {
        self.shared.members.read().list.iter().map(|member| member.id).collect()
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
        let members = {
            let _starting = self.shared.starting.lock();
            let mut members = self.shared.members.write();
            members.is_shut_down = true;
            members.list.clone()
        };
        for member in &members {
            // One that is down already has nothing to end.
            let _ = member.end(DownCause::ShutDown);
        }
        let mut nodes = Vec::new();
        for member in &members {
            member.join();
            if let Some(message) = member.panic() {
                nodes.push((member.id, message));
            }
        }
        self.shared.carrier.shut_down();
        self.shared.watch.close();
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
