//! A node that lags, one honest peer, and a crowd of liars that are always heard first: how soon it is on the best
//! chain. A network in one thread, on a clock of its own.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chainlab::{
    BlockHash, Blockchain, Command, Difficulty, Effect, Effects, Genesis, Input, Message, Node, NodeId,
    RequestId, Rules, Ticket, Time, Told, pow::Target,
};

use crate::lab::{FRIEND, HONEST, bare};

const START: Time = Time::from_secs(1_000_000);
/// How far the node lags.
const LAG: u64 = 10_000;
/// How long a message is under way, how much sooner a liar's tellings come, and how often there is a new tip.
const LATENCY: Duration = Duration::from_millis(50);
const HEAD_START: Duration = Duration::from_millis(20);
const SPACING: Duration = Duration::from_millis(200);
/// What the node waits for an answer, by default.
const PATIENCE: Duration = Duration::from_secs(1);
/// Just short of the quarter of it.
const DAWDLING: Duration = Duration::from_millis(240);
/// Where the honest peer's new blocks come from.
const ELSEWHERE: NodeId = NodeId::new(1000);

/// What a liar answers to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lie {
    Silence,
    /// The truth, long after.
    Late,
    Junk,
    Empty,
    /// Blocks after one that the node cannot know.
    Unconnected,
    /// A block whose reward is too high.
    Invalid,
    /// What the node has already.
    ItsOwnChain,
    /// A branch of one block.
    WorseBranch,
    /// One block more than the last time.
    OneBlockMore,
    /// It tells of the second block, then of the third, and so on, and delivers each that is asked for.
    OneBlockAtATime,
}

use Lie::*;

const LIES: [Lie; 10] = [
    Silence,
    Late,
    Junk,
    Empty,
    Unconnected,
    Invalid,
    ItsOwnChain,
    WorseBranch,
    OneBlockMore,
    OneBlockAtATime,
];

struct Liar {
    lie: Lie,
    delay: Duration,
    told: u64,
    asked: u64,
}

struct Crowd {
    now: Time,
    /// Whether the node's own clock stands still.
    is_frozen: bool,
    chain: Blockchain,
    rules: Rules,
    nodes: BTreeMap<NodeId, Node>,
    wakes: BTreeMap<NodeId, Time>,
    liars: BTreeMap<NodeId, Liar>,
    /// What is under way: when it arrives, a count, to whom, from whom.
    queue: BTreeMap<(Time, u64), (NodeId, NodeId, Message)>,
    sent: u64,
    mined: u64,
    next_tip: Time,
    /// Whom the node asked.
    asked: Vec<NodeId>,
}

/// Any proof will do.
fn rules() -> Rules {
    Rules {
        difficulty: Difficulty::Fixed(Target::EASIEST),
        genesis: Genesis::Shared { time: Some(START), allocations: BTreeMap::new() },
        ..Rules::sealed()
    }
}

fn grown(chain: &Blockchain, rules: &Rules, miner: &str) -> Blockchain {
    let micros = chain.last_block().timestamp().rounded_micros() + 1;
    chain.mine_next(rules, [], miner, Time::from_nanos(1000 * micros)).unwrap()
}

fn grown_by(chain: &Blockchain, rules: &Rules, blocks: u64) -> Blockchain {
    (0..blocks).fold(chain.clone(), |chain, _| grown(&chain, rules, "miner"))
}

impl Crowd {
    /// A node at the genesis, a friend that has all of a chain but what is still to be mined, and liars.
    fn new(chain: &Blockchain, lies: impl IntoIterator<Item = (Lie, Duration)>) -> Self {
        let rules = rules();
        let shared = Arc::new(rules.clone());
        let node = |id| (id, Node::new(id, Arc::clone(&shared), "miner", START).unwrap());
        let liars = (10..).map(NodeId::new).zip(lies);
        let liars = liars.map(|(id, (lie, delay))| (id, Liar { lie, delay, told: 1, asked: 0 }));
        let mut crowd = Self {
            now: START + PATIENCE,
            is_frozen: false,
            chain: chain.clone(),
            rules,
            nodes: [node(HONEST), node(FRIEND)].into(),
            wakes: BTreeMap::new(),
            liars: liars.collect(),
            queue: BTreeMap::new(),
            sent: 0,
            mined: 1,
            next_tip: START,
            asked: Vec::new(),
        };
        crowd.mine(LAG);
        let everybody: Vec<_> = crowd.liars.keys().copied().chain([FRIEND]).collect();
        crowd.tell(HONEST, Input::Command(Ticket(1), Command::Register(everybody)));
        crowd.tell(FRIEND, Input::Command(Ticket(2), Command::Register(vec![HONEST])));
        crowd.new_tip();
        crowd
    }

    fn is_on_best_chain(&self) -> bool {
        self.nodes[&HONEST].chain() == self.nodes[&FRIEND].chain()
    }

    /// The friend comes to know so many further blocks.
    fn mine(&mut self, blocks: u64) {
        for _ in 0..blocks {
            self.mined += 1;
            let tip = self.chain.at(self.mined).expect("the chain is long enough");
            self.tell(FRIEND, Input::Message(ELSEWHERE, Message::NewBlock(tip.into())));
        }
    }

    /// There is a new block: the friend tells of it, and the liars do before.
    fn new_tip(&mut self) {
        self.mine(1);
        let tip = self.chain.at(self.mined).expect("it was mined");
        let liars: Vec<_> = self.liars.keys().copied().collect();
        for liar in liars {
            self.lie_about(liar, tip.clone());
        }
        self.next_tip = self.now + SPACING;
    }

    fn lie_about(&mut self, liar: NodeId, tip: Blockchain) {
        let Liar { lie, told, .. } = self.liars.get_mut(&liar).expect("it is a liar");
        *told += 1;
        let told = if *lie == OneBlockAtATime { self.chain.at(*told).expect("it is long") } else { tip };
        // The parent is never sent along.
        self.send(HONEST, liar, Message::NewBlock(told.into()), LATENCY - HEAD_START);
    }

    fn send(&mut self, to: NodeId, from: NodeId, message: Message, delay: Duration) {
        self.sent += 1;
        self.queue.insert((self.now + delay, self.sent), (to, from, message));
    }

    fn tell(&mut self, to: NodeId, input: Input) {
        let now = if self.is_frozen && to == HONEST { START + PATIENCE } else { self.now };
        let mut effects = Effects::default();
        let node = self.nodes.get_mut(&to).expect("it is a node");
        node.handle(now, input, &mut effects);
        let peers = node.peers().to_vec();
        for effect in effects.to_do {
            match effect {
                Effect::Send(peer, message) => {
                    if to == HONEST && matches!(message, Message::BlocksRequest { .. }) {
                        self.asked.push(peer);
                    }
                    self.send(peer, to, message, LATENCY);
                }
                Effect::Relay { except, message } => {
                    for &peer in peers.iter().filter(|peer| Some(**peer) != except) {
                        self.send(peer, to, message.clone(), LATENCY);
                    }
                }
                Effect::WakeAt(Some(at)) => {
                    self.wakes.insert(to, at);
                }
                Effect::WakeAt(None) => {
                    self.wakes.remove(&to);
                }
                _ => {}
            }
        }
    }

    /// Goes on to the next thing that happens.
    fn step(&mut self) {
        let arrives = self.queue.keys().next().map_or(Time::MAX, |(at, _)| *at);
        let wakes = self.wakes.iter().filter(|(node, _)| !self.is_frozen || **node != HONEST);
        let wakes = wakes.min_by_key(|(node, at)| (**at, **node)).map(|(node, at)| (*at, *node));
        if let Some((at, node)) = wakes.filter(|(at, _)| *at <= arrives.min(self.next_tip)) {
            self.now = self.now.max(at);
            self.wakes.remove(&node);
            self.tell(node, Input::Wake);
        } else if self.next_tip <= arrives {
            self.now = self.next_tip;
            self.new_tip();
        } else {
            let ((at, _), (to, from, message)) = self.queue.pop_first().expect("something arrives");
            self.now = at;
            match message {
                Message::BlocksRequest { request, locator, .. } if self.liars.contains_key(&to) => {
                    self.lie_to_question(to, request, &locator);
                }
                _ if to == ELSEWHERE || self.liars.contains_key(&to) => {}
                message => self.tell(to, Input::Message(from, message)),
            }
        }
    }

    fn lie_to_question(&mut self, liar: NodeId, request: RequestId, locator: &[(u64, BlockHash)]) {
        let Liar { lie, delay, asked, told } = self.liars.get_mut(&liar).expect("it is a liar");
        *asked += 1;
        let (asked, told, mut delay) = (*asked, *told, *delay);
        let (len, chain, genesis) =
            (locator[0].0, &self.chain, self.chain.at(1).expect("a chain has its genesis"));
        let part = |to: u64| Told::from(chain.at(to).expect("the chain is as long as that"));
        let (after, blocks) = match lie {
            Silence => return,
            Late => {
                delay += 30 * PATIENCE;
                (1, part(self.mined))
            }
            Junk => (1, Told::Document("{\"junk\": [".into())),
            Empty => (len, Told::Blocks([].into())),
            Unconnected => (len + 7, part(len + 9)),
            Invalid => {
                let rules = Rules { reward: self.rules.reward + 1, ..self.rules.clone() };
                (1, bare(&grown(&genesis, &rules, "liar"), 1))
            }
            ItsOwnChain => (1, part(len)),
            WorseBranch => (1, grown(&genesis, &self.rules, &format!("liar {liar} {asked}")).into()),
            OneBlockMore => (len, part(len + 1)),
            OneBlockAtATime => (len.min(told - 1), part(told)),
        };
        let lie = *lie;
        self.send(HONEST, liar, Message::Blocks { request, after, blocks }, LATENCY + delay);
        if lie == OneBlockAtATime {
            self.lie_about(liar, genesis);
        }
    }

    /// How long it takes until the node is on the best chain.
    fn run(&mut self) -> Duration {
        let start = self.now;
        while !self.is_on_best_chain() {
            self.step();
            assert!(self.now - start < 30 * PATIENCE, "it stands at {:?}", self.nodes[&HONEST].chain());
        }
        self.now - start
    }
}

fn chain() -> Blockchain {
    grown_by(&Blockchain::start(&rules(), START).unwrap(), &rules(), LAG + 400)
}

fn bound(alone: Duration) -> Duration {
    3 * alone + PATIENCE
}

#[test]
fn one_honest_peer_of_eight_is_enough_whatever_the_others_do() {
    let chain = chain();
    let alone = Crowd::new(&chain, []).run();
    assert_eq!(alone, 3 * LATENCY, "told, asked, answered");
    for lie in LIES {
        for delay in [Duration::ZERO, DAWDLING, 2 * PATIENCE] {
            let mut crowd = Crowd::new(&chain, [(lie, delay); 7]);
            let took = crowd.run();
            assert!(took <= bound(alone), "{lie:?} after {delay:?}: {took:?}");
        }
    }
    for turned in 0..LIES.len() {
        let lies = LIES.into_iter().cycle().skip(turned).take(7);
        let took = Crowd::new(&chain, lies.zip([Duration::ZERO, DAWDLING].into_iter().cycle())).run();
        assert!(took <= bound(alone), "all kinds from {turned}: {took:?}");
    }
}

/// It held a node at the first block, as each new tip was a new question, and each question was its to answer.
#[test]
fn a_liar_that_relays_each_tip_first_and_answers_nothing_is_passed_over() {
    let chain = chain();
    let mut crowd = Crowd::new(&chain, [(Silence, Duration::ZERO)]);
    let took = crowd.run();
    assert!(took <= PATIENCE / 4 + 3 * LATENCY, "{took:?}");
    // The next time it keeps nobody waiting.
    let (liar, silent) = (NodeId::new(10), crowd.asked.len());
    crowd.queue.clear();
    crowd.mine(2);
    crowd.queue.clear();
    crowd.new_tip();
    let took = crowd.run();
    assert_eq!(took, 3 * LATENCY);
    assert!(crowd.asked[silent..].iter().filter(|peer| **peer == liar).count() <= 1);
}

#[test]
fn a_clock_that_stands_still_keeps_no_question_open() {
    let chain = chain();
    for liars in [1, 7] {
        let mut crowd = Crowd::new(&chain, vec![(Silence, Duration::ZERO); liars]);
        crowd.is_frozen = true;
        crowd.run();
    }
    // Nor does a question that got lost.
    let mut crowd = Crowd::new(&chain, []);
    crowd.is_frozen = true;
    while crowd.asked.is_empty() {
        crowd.step();
    }
    crowd.queue.clear();
    crowd.run();
}

/// Answers that are under way for longer than the patience come in time in the end.
#[test]
fn a_far_peer_is_not_asked_so_often_that_no_answer_comes_in_time() {
    let chain = chain();
    let mut crowd = Crowd::new(&chain, [(Late, Duration::ZERO)]);
    let start = crowd.now;
    while crowd.nodes[&HONEST].chain().len() <= LAG {
        // The friend tells, and does not answer.
        crowd
            .queue
            .retain(|_, (_, from, message)| *from != FRIEND || !matches!(message, Message::Blocks { .. }));
        crowd.step();
        assert!(crowd.now - start < 70 * PATIENCE, "no answer came in time");
    }
}

#[test]
fn once_nothing_is_missing_nothing_is_waited_for() {
    let chain = chain();
    let lies = [(Empty, Duration::ZERO), (Silence, Duration::ZERO), (OneBlockMore, DAWDLING)];
    let mut crowd = Crowd::new(&chain, lies);
    crowd.run();
    // The liars do not acknowledge the tip, and would be told again.
    let end = crowd.now + 4 * PATIENCE;
    crowd.next_tip = Time::MAX;
    let tip = crowd.nodes[&HONEST].chain().tip_hash();
    for liar in crowd.liars.keys().copied().collect::<Vec<_>>() {
        crowd.send(HONEST, liar, Message::Acknowledge { block: tip }, LATENCY);
    }
    crowd.queue.retain(|_, (.., message)| !matches!(message, Message::NewBlock(_)));
    while crowd.now < end && !(crowd.queue.is_empty() && crowd.wakes.is_empty()) {
        crowd.step();
    }
    assert_eq!(crowd.wakes.get(&HONEST), None, "no wake-up");
}
