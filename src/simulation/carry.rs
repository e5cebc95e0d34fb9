//! What surrounds the nodes, and carries out what they ask for.

use std::{
    collections::{BTreeMap, BTreeSet},
    hint,
    sync::Arc,
    time::Duration,
};

use super::{
    downloads::Downloads,
    drive::UNLIMITED,
    events::Subscribers,
    floods::Floods,
    flow::Flow,
    queue::{Arrival, Queue, Turn, end_of},
    replays::Replays,
    schedule::Schedule,
    searches::{Effort, Searches},
    under_way::MessagesUnderWay,
    unread::Unread,
};
use crate::{
    blockchain::Blockchain,
    command::{Answer, Ticket},
    event::{Event, Happening},
    hash::BlockHash,
    message::{Message, NodeId, Told},
    node::{Effect, Extended, Limits, Node, SearchId},
    pow::{Search, Target},
    report::{Messages, Recorder, Volume},
    rules::{Relay, Rules},
    strategy::Behaviour,
    time::Time,
    verbs::{Names, state::State, traffic::Traffic},
    wire::Room,
};

/// How a simulation is set up.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) seed: u64,
    /// Whether proofs are really searched for.
    pub(super) is_hashed: bool,
    pub(super) limits: Limits,
    pub(super) inbox_room: Room,
    pub(super) link_room: Room,
}

/// Links of which something is to be told.
#[derive(Debug, Default)]
pub(super) enum Untold {
    #[default]
    None,
    /// Those between these nodes and their peers.
    Of(BTreeSet<NodeId>),
    All,
}

impl Untold {
    /// Adds a node's. One node's come one by one: to look at all others each time would take a network of many for ever
    /// to begin.
    pub(super) fn add(&mut self, node: NodeId) {
        match self {
            Self::None => *self = Self::Of([node].into()),
            Self::Of(nodes) => drop(nodes.insert(node)),
            Self::All => {}
        }
    }
}

/// Everything but the nodes themselves.
pub(super) struct Surroundings {
    pub(super) rules: Arc<Rules>,
    pub(super) limits: Limits,
    /// The shortest time that any node has waited for an answer, or less.
    pub(super) patience: Duration,
    /// Whether proofs are really searched for.
    pub(super) is_hashed: bool,
    /// What each sender has for what waits for a node that is paused, or for a puppet.
    pub(super) inbox_room: Room,
    pub(super) now: Time,
    /// Whose turn it is now, or was last. What comes no later, but is not in the queue, has come.
    pub(super) turn: Turn,
    pub(super) seed: u64,
    pub(super) names: Names,
    pub(super) states: Vec<State>,
    pub(super) peers: Vec<Vec<NodeId>>,
    pub(super) addresses: Vec<Arc<str>>,
    /// Of the nodes that do not have the usual one.
    pub(super) behaviours: BTreeMap<NodeId, Behaviour>,
    /// The attempts a second that each node makes when it searches.
    rates: Vec<f64>,
    pub(super) queue: Queue,
    pub(super) under_way: MessagesUnderWay,
    /// How many messages each node has sent.
    pub(super) sent: Vec<u32>,
    pub(super) traffic: Traffic,
    pub(super) floods: Floods,
    pub(super) downloads: Downloads,
    pub(super) replays: Replays,
    /// The flood whose message the node has just got that handles its input, and from whom it came.
    pub(super) hint: Option<(u32, NodeId)>,
    /// Whether blocks that are pushed may flow without a message for each link.
    pub(super) flow: Flow,
    /// The nodes that would notice a repeat.
    pub(super) noticing: BTreeSet<NodeId>,
    /// Whether messages that cannot matter are left out.
    pub(super) skips: bool,
    /// What has come to those that do not read: nodes that are paused, and puppets.
    pub(super) unread: Vec<Unread>,
    pub(super) searches: Searches,
    /// The target of the last search, and the attempts that it takes on average.
    work: (Target, f64),
    /// A search that the last input has begun, if it is to be hashed.
    pub(super) to_hash: Option<SearchId>,
    /// When the nodes are woken that do not stand still.
    pub(super) wakes: Schedule,
    /// When each node wants to be woken, whether or not it stands still.
    wake_at: Vec<Option<Time>>,
    pub(super) answers: BTreeMap<Ticket, Answer>,
    pub(super) recorder: Recorder,
    pub(super) messages: Messages,
    /// The messages that were not put into the queue when they were sent: those that floods and downloads stand for, and
    /// those by which blocks would have spread that were replayed.
    pub(super) unqueued: Volume,
    /// How many of these were put into it while they were under way.
    pub(super) brought_back: u64,
    pub(super) subscribers: Subscribers,
    /// How many changes there were that somebody may wait for: of a tip, a state, a list of peers or a link.
    pub(super) changes: u64,
    /// The links of which nodes are still to be told whether they lose anything.
    pub(super) untold: Untold,
    /// The blocks of the longest chain.
    pub(super) longest: u64,
    /// The blocks mined so far.
    pub(super) mined: u64,
}

/// Carries out what comes of a block that extends a node's tip, or a rival of it.
pub(super) struct NodeEffects<'a> {
    pub(super) around: &'a mut Surroundings,
    pub(super) node: NodeId,
}

impl Extended for NodeEffects<'_> {
    #[inline(always)]
    fn accepted(&mut self, block: BlockHash, position: u64, from: NodeId) {
        self.around.longest = self.around.longest.max(position);
        self.around.changes += 1;
        if self.around.subscribers.is_empty() && self.around.replays.recording.is_none() {
            self.around.recorder.accepted(self.around.now, self.node, &block);
        } else {
            self.around.record(self.node, Happening::Accepted { block, position, from });
        }
    }

    fn reorganised(&mut self, old_tip: BlockHash) {
        self.around.record(self.node, Happening::to_rival(old_tip));
    }

    #[inline]
    fn relay(&mut self, except: NodeId, tip: &Blockchain, by: Relay) {
        match by {
            Relay::Announce => self.around.announce(self.node, Some(except), tip),
            _ => self.around.relay_block(self.node, Some(except), tip),
        }
    }

    #[inline]
    fn search(&mut self, search: SearchId, target: Target) {
        self.around.search(self.node, search, target);
    }

    fn acknowledge(&mut self, to: NodeId, block: BlockHash) {
        self.around.send(self.node, to, Message::Acknowledge { block });
    }
}

/// Of a replayed block that is written into a node at once, carries out only that the node reorganises, if it does. That it
/// takes the block on and tells its peers is counted for all nodes together, and its search goes on, as the difficulty is the
/// same.
pub(super) struct GivenEffects<'a> {
    pub(super) around: &'a mut Surroundings,
    pub(super) node: NodeId,
}

impl Extended for GivenEffects<'_> {
    fn accepted(&mut self, _: BlockHash, _: u64, _: NodeId) {}

    fn reorganised(&mut self, old_tip: BlockHash) {
        self.around.record(self.node, Happening::to_rival(old_tip));
    }

    fn relay(&mut self, _: NodeId, _: &Blockchain, _: Relay) {}

    fn search(&mut self, _: SearchId, _: Target) {}

    fn acknowledge(&mut self, to: NodeId, block: BlockHash) {
        unreachable!("blocks are replayed where nothing is lost, and {to} need not hear of {block}");
    }
}

impl Surroundings {
    pub(super) fn new(rules: Rules, start: Time, settings: Settings) -> Self {
        let Settings { seed, is_hashed, limits, inbox_room, link_room } = settings;
        Self {
            rules: Arc::new(rules),
            limits,
            patience: limits.resolve_timeout,
            is_hashed,
            inbox_room,
            now: start,
            turn: end_of(start),
            seed,
            names: Names::default(),
            states: Vec::new(),
            peers: Vec::new(),
            addresses: Vec::new(),
            behaviours: BTreeMap::new(),
            rates: Vec::new(),
            queue: Queue::new(start),
            under_way: MessagesUnderWay::default(),
            sent: Vec::new(),
            traffic: Traffic::new(seed, link_room),
            floods: Floods::default(),
            downloads: Downloads::default(),
            replays: Replays::default(),
            hint: None,
            flow: Flow::Unknown,
            noticing: BTreeSet::new(),
            skips: true,
            unread: Vec::new(),
            searches: Searches::new(seed),
            work: (Target::EASIEST, 1.0),
            to_hash: None,
            wakes: Schedule::default(),
            wake_at: Vec::new(),
            answers: BTreeMap::new(),
            recorder: Recorder::new(start),
            messages: Messages::default(),
            unqueued: Volume::default(),
            brought_back: 0,
            subscribers: Subscribers::new(start),
            changes: 0,
            untold: Untold::default(),
            longest: 1,
            mined: 0,
        }
    }

    /// Makes room for the next node or puppet.
    pub(super) fn add_member(&mut self, state: State, address: Arc<str>) {
        self.spell_out();
        self.changes += 1;
        self.states.push(state);
        self.peers.push(Vec::new());
        self.addresses.push(address);
        self.rates.push(UNLIMITED);
        self.sent.push(0);
        self.unread.push(Unread::default());
        self.wake_at.push(None);
        self.wakes.add_node();
        self.searches.add_node(UNLIMITED);
    }

    pub(super) fn set_state(&mut self, node: NodeId, state: State) {
        self.states[node.index()] = state;
        self.changes += 1;
    }

    /// Forgets what a node waited for that has ended, and how fast it has mined.
    pub(super) fn forget(&mut self, node: NodeId) {
        self.to_hash = None;
        self.searches.stop(self.now, node);
        self.rates[node.index()] = UNLIMITED;
        self.searches.set_rate(self.now, node, UNLIMITED);
        self.set_wake(node, None);
        self.unread[node.index()] = Unread::default();
    }

    /// Stops a node's search and deadlines.
    pub(super) fn stand_still(&mut self, node: NodeId) {
        self.searches.set_rate(self.now, node, 0.0);
        self.wakes.set(node, None);
    }

    /// Lets a node's search and deadlines go on; one that has passed is due now.
    pub(super) fn go_on(&mut self, node: NodeId) {
        self.searches.set_rate(self.now, node, self.rates[node.index()]);
        if let Some(at) = &mut self.wake_at[node.index()] {
            *at = self.now.max(*at);
            self.wakes.set(node, Some(*at));
        }
    }

    /// Has a node make so many attempts a second from now on, or once it goes on.
    pub(super) fn set_rate(&mut self, node: NodeId, rate: f64) {
        self.rates[node.index()] = rate;
        if self.states[node.index()].is_live() {
            self.searches.set_rate(self.now, node, rate);
        }
    }

    /// Lets time pass in which nothing comes.
    pub(super) fn advance(&mut self, now: Time) {
        debug_assert!(now >= self.now, "time does not go back from {:?} to {now:?}", self.now);
        self.queue.advance(now);
        self.come_to(end_of(now));
    }

    /// Comes to the turn of what happens next. Something that takes no time may come after others of its moment.
    #[inline]
    pub(super) fn come_to(&mut self, turn: Turn) {
        self.now = turn.0;
        // Mostly the time alone tells.
        if turn.0 > self.turn.0 || turn > self.turn {
            self.turn = turn;
        }
    }

    /// Has what tables tell of something that is to arrive fetched from memory, and does not wait for it.
    #[inline]
    pub(super) fn fetch_from_tables(&self, arrival: &Arrival) {
        self.searches.fetch(arrival.to);
        self.floods.fetch(arrival);
        hint::black_box(self.sent[arrival.to as usize]);
    }

    pub(super) fn pop_wake(&mut self) -> NodeId {
        let (_, node) = self.wakes.first().expect("whoever asks has seen it");
        self.set_wake(node, None);
        node
    }

    /// Carries out what a node asks for whose chain that is.
    pub(super) fn carry_out(&mut self, node: NodeId, chain: &Blockchain, effect: Effect) {
        match effect {
            Effect::Send(to, message) => self.send(node, to, message),
            Effect::Relay { except, message: Message::Announce { block, .. } }
                if block == chain.tip_hash() =>
            {
                self.announce(node, except, chain);
            }
            Effect::Relay { except, message: Message::NewBlock(Told::Chain(chain)) } => {
                self.relay_block(node, except, &chain);
            }
            Effect::Relay { except, message } => self.relay(node, except, &message),
            Effect::Search(search, target) => self.search(node, search, target),
            Effect::StopSearch => {
                self.to_hash = None;
                self.searches.stop(self.now, node);
            }
            Effect::WakeAt(at) => self.set_wake(node, at),
            Effect::Answer(ticket, answer) => {
                self.answers.insert(ticket, answer);
            }
        }
    }

    /// Searches for a proof at once, and so finds out when it will be found.
    pub(super) fn hash(&mut self, node: &mut Node, search: SearchId) {
        let template = node.template(self.now, search).expect("the search has just begun");
        let mut attempts = Search::new(template.challenge, template.target);
        let proof = attempts.run(u64::MAX).ok().flatten().expect("nobody waits for 2^64 attempts");
        let effort = Effort::Hashed { attempts: attempts.attempts(), proof };
        self.searches.begin(self.now, node.id(), effort);
    }

    pub(super) fn set_wake(&mut self, node: NodeId, at: Option<Time>) {
        self.wake_at[node.index()] = at;
        self.wakes.set(node, at);
    }

    #[inline]
    pub(super) fn search(&mut self, node: NodeId, search: SearchId, target: Target) {
        if self.is_hashed {
            self.to_hash = Some(search);
        } else {
            if self.work.0 != target {
                // Dividing 128 bits takes longer than most of a delivery.
                self.work = (target, target.work().as_f64());
            }
            self.searches.begin(self.now, node, Effort::Drawn { work: self.work.1 });
        }
    }

    /// Records what happened to a node.
    pub(super) fn record(&mut self, node: NodeId, what: Happening) {
        self.mined += u64::from(matches!(what, Happening::Mined { .. }));
        self.replays.recording.take_if(|recording| !recording.note(self.now, &what));
        let event = Event { time: self.now, node, what };
        self.recorder.observe(&event);
        self.subscribers.tell(&event);
    }
}
