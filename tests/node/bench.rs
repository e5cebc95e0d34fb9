//! A node on the bench: it is told things by hand, and its effects are read as lines of text.
//!
//! Whatever a test is about, the bench holds the node to what it always owes: each command is answered once and in its
//! kind, a proof is searched for exactly while somebody wants a block, a wake-up is asked for only when it changes,
//! and the chain never gets worse.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chainlab::{
    Answer, Blockchain, Command, Difficulty, Effect, Effects, Genesis, Happening, Input, Inventory, Limits,
    Message, Node, NodeConfig, NodeId, Placement, RequestId, Retarget, Rules, SearchId, Template, Ticket,
    Time, Told, Transaction,
    pow::{Challenge, Search, Target},
};

/// When every test starts.
pub(crate) const START: Time = Time::from_secs(1_000_000);

/// The notebook's rules, at a target that one in 16 hashes meets.
pub(crate) fn notebook() -> Rules {
    let target = Target::leading_zero_bits(4);
    Rules::notebook().with_first_target(target)
}

/// The sealed rules at the same target, with 100 coins each for alice, bob and carol. The target follows after 8
/// blocks; until then it is one for all.
pub(crate) fn sealed() -> Rules {
    let target = Target::leading_zero_bits(4);
    let retarget = Retarget::new(target, 8, Duration::from_secs(1)).unwrap();
    let allocations = ["alice", "bob", "carol"].map(|address| (address.into(), 100)).into();
    Rules {
        difficulty: Difficulty::Retargeted(retarget),
        genesis: Genesis::Shared { time: Some(START), allocations },
        ..Rules::sealed()
    }
}

/// The same rules, but nobody counts coins.
pub(crate) fn without_accounts() -> Rules {
    let genesis = Genesis::Shared { time: Some(START), allocations: BTreeMap::new() };
    Rules { accounts: false, genesis, ..sealed() }
}

pub(crate) fn peer(number: u32) -> NodeId {
    NodeId::new(number)
}

pub(crate) fn transfer(sender: &str, nonce: u64, amount: u64) -> Transaction {
    Transaction::new(sender, "someone", amount).with_nonce(nonce)
}

pub(crate) fn seconds(duration: f64) -> std::time::Duration {
    std::time::Duration::from_secs_f64(duration)
}

/// Mines a block on a chain, a second after the last.
pub(crate) fn grown(
    chain: &Blockchain,
    rules: &Rules,
    miner: &str,
    transactions: &[Transaction],
) -> Blockchain {
    grown_after(chain, rules, miner, transactions, 1.0)
}

/// Mines a block on a chain, so many seconds after the last.
pub(crate) fn grown_after(
    chain: &Blockchain,
    rules: &Rules,
    miner: &str,
    transactions: &[Transaction],
    after: f64,
) -> Blockchain {
    let micros = chain.last_block().timestamp().rounded_micros() + (after * 1e6) as u64;
    chain.mine_next(rules, transactions.iter().cloned(), miner, Time::from_nanos(1000 * micros)).unwrap()
}

/// Mines so many blocks of rewards alone.
pub(crate) fn grown_by(chain: &Blockchain, rules: &Rules, miner: &str, blocks: usize) -> Blockchain {
    (0..blocks).fold(chain.clone(), |chain, _| grown(&chain, rules, miner, &[]))
}

pub(crate) fn proof_for(challenge: Challenge, target: Target) -> u64 {
    Search::new(challenge, target).run(u64::MAX).unwrap().expect("a test's target is met soon")
}

/// The chain's blocks after a position, bare.
pub(crate) fn bare(chain: &Blockchain, after: u64) -> Told {
    Told::Blocks(chain.iter_after(after).cloned().collect())
}

pub(crate) fn document(chain: &Blockchain) -> Told {
    Told::Document(chain.to_json().into())
}

/// A node under the sealed rules with three peers.
pub(crate) fn connected() -> Bench {
    Bench::with_peers(sealed(), 3)
}

pub(crate) fn has(chain: &Blockchain) -> String {
    format!("has {:.6}", chain.tip_hash())
}

pub(crate) fn acknowledge(chain: &Blockchain) -> Message {
    Message::Acknowledge { block: chain.tip_hash() }
}

/// An inventory that is not the peer's first.
pub(crate) fn inventory(request: u64, transactions: &[Transaction]) -> Message {
    let hashes = transactions.iter().map(Transaction::hash).collect();
    Message::Inventory(Inventory {
        request: RequestId(request),
        is_anew: false,
        acknowledge: Some(0),
        hashes,
    })
}

pub(crate) fn transactions(request: u64, transactions: &[Transaction]) -> Message {
    Message::Transactions { request: RequestId(request), transactions: transactions.into() }
}

/// Answers the last question of a node for blocks.
pub(crate) fn blocks(
    bench: &mut Bench,
    from: u32,
    request: u64,
    after: u64,
    blocks: impl Into<Told>,
) -> Vec<String> {
    bench.hear(from, Message::Blocks { request: RequestId(request), after, blocks: blocks.into() })
}

/// One block, bare.
pub(crate) fn tip(chain: &Blockchain) -> Told {
    Told::from(chain.last_block().clone())
}

#[derive(Clone)]
pub(crate) struct Bench {
    pub(crate) node: Node,
    pub(crate) rules: Arc<Rules>,
    pub(crate) now: Time,
    /// The effects of the last input.
    pub(crate) effects: Effects,
    /// What is searched for, as a driver would.
    pub(crate) search: Option<(SearchId, Template)>,
    searching: Option<SearchId>,
    pub(crate) wake_at: Option<Time>,
    open: BTreeMap<Ticket, Command>,
    continuous: bool,
    next_ticket: u64,
}

impl Bench {
    pub(crate) fn new(rules: Rules) -> Self {
        Self::with_limits(rules, Limits::default())
    }

    pub(crate) fn with_limits(rules: Rules, limits: Limits) -> Self {
        let rules = Arc::new(rules);
        let config = NodeConfig {
            id: peer(0),
            rules: Arc::clone(&rules),
            address: "miner-0".into(),
            limits,
            behaviour: Default::default(),
        };
        let node = Node::with_config(config, START).unwrap();
        Self {
            node,
            rules,
            now: START,
            effects: Effects::default(),
            search: None,
            searching: None,
            wake_at: None,
            open: BTreeMap::new(),
            continuous: false,
            next_ticket: 0,
        }
    }

    /// A node that has peers, which were registered in the order of their numbers.
    pub(crate) fn with_peers(rules: Rules, peers: u32) -> Self {
        let mut bench = Self::new(rules);
        bench.command(Command::Register((1..=peers).map(peer).collect()));
        bench
    }

    pub(crate) fn chain(&self) -> Blockchain {
        self.node.chain().clone()
    }

    pub(crate) fn rules(&self) -> &Rules {
        &self.rules
    }

    pub(crate) fn pending(&self) -> Vec<u64> {
        self.node.mempool().iter().map(Transaction::amount).collect()
    }

    /// Gives a command the next ticket; the first is 1.
    pub(crate) fn command(&mut self, command: Command) -> Vec<String> {
        self.next_ticket += 1;
        self.tell(Input::Command(Ticket(self.next_ticket), command))
    }

    pub(crate) fn hear(&mut self, from: u32, message: Message) -> Vec<String> {
        self.tell(Input::Message(peer(from), message))
    }

    /// A peer answers a resolving node's question.
    pub(crate) fn answer(&mut self, from: u32, request: u64, chain: impl Into<Told>) -> Vec<String> {
        self.hear(from, Message::Chain { request: RequestId(request), chain: chain.into() })
    }

    /// A peer tells of a new block.
    pub(crate) fn announce(&mut self, from: u32, told: impl Into<Told>) -> Vec<String> {
        self.hear(from, Message::NewBlock(told.into()))
    }

    pub(crate) fn submit(&mut self, transaction: Transaction) -> Vec<String> {
        self.command(Command::Submit(transaction))
    }

    /// Finds the proof that is searched for.
    pub(crate) fn find(&mut self) -> Vec<String> {
        let (id, template) = self.search.expect("nothing is searched for");
        self.tell(Input::Found(id, proof_for(template.challenge, template.target)))
    }

    /// Lets time pass, and wakes the node if it asked for that.
    pub(crate) fn pass(&mut self, duration: f64) -> Vec<String> {
        self.now += seconds(duration);
        if self.wake_at.is_some_and(|at| at <= self.now) { self.tell(Input::Wake) } else { Vec::new() }
    }

    /// Tells whether every command has been answered.
    pub(crate) fn is_settled(&self) -> bool {
        self.open.is_empty()
    }

    /// Hands the node an input and holds it to what it owes. Returns what comes of it, one a line: first what
    /// has happened.
    pub(crate) fn tell(&mut self, input: Input) -> Vec<String> {
        let before = self.chain();
        let searched = self.searching.is_some();
        let given_up = if let Input::GiveUp(ticket) = input { Some(ticket) } else { None };
        self.note_input(&input);
        let ended = searched && self.searching.is_none();
        self.effects.clear();
        self.node.handle(self.now, input, &mut self.effects);
        let effects = std::mem::take(&mut self.effects);
        for effect in &effects.to_do {
            self.note_effect(effect);
        }
        self.search = self.searching.map(|id| {
            (id, self.node.template(self.now, id).expect("a search goes on until the node says otherwise"))
        });
        // A search that ends without a block would end so again: that is the end of all mining.
        let mined = |what: &Happening| matches!(what, Happening::Mined { .. });
        self.continuous &= !ended || effects.happened.iter().any(mined);
        let wanted = self.continuous || self.open.values().any(|command| matches!(command, Command::Mine));
        assert_eq!(self.search.is_some(), wanted, "a proof is searched for exactly while it is wanted");
        assert!(
            !given_up.is_some_and(|ticket| self.open.contains_key(&ticket)),
            "it is to be answered at once"
        );
        for command in self.open.values() {
            assert!(matches!(command, Command::Mine | Command::Resolve), "unanswered: {command:?}");
        }
        assert!(!before.is_better_than(&self.chain(), &self.rules), "the chain got worse");
        let wakes = effects.to_do.iter().filter(|effect| matches!(effect, Effect::WakeAt(_)));
        assert!(wakes.count() <= 1, "one wake-up at most");
        let is_past = |effect: &Effect| matches!(effect, Effect::WakeAt(Some(at)) if *at < self.now);
        assert!(!effects.to_do.iter().any(is_past), "nobody can be woken before now");
        let lines = effects.happened.iter().map(happened).chain(effects.to_do.iter().map(line)).collect();
        self.effects = effects;
        lines
    }

    fn note_input(&mut self, input: &Input) {
        match input {
            Input::Command(ticket, command) => {
                assert!(self.open.insert(*ticket, command.clone()).is_none(), "a ticket is used once");
                self.continuous |= matches!(command, Command::StartMining);
            }
            Input::Found(id, _) | Input::Exhausted(id, _) => {
                self.searching = self.searching.filter(|current| current != id);
            }
            Input::Wake => self.wake_at = None,
            Input::Message(..) | Input::LinkUp(_) | Input::LinkLoses(..) | Input::GiveUp(_) => {}
        }
    }

    fn note_effect(&mut self, effect: &Effect) {
        match effect {
            Effect::Search(id, _) => self.searching = Some(*id),
            Effect::StopSearch => assert!(self.searching.take().is_some(), "there is a search to stop"),
            Effect::WakeAt(at) => {
                assert_ne!(*at, self.wake_at, "a wake-up is asked for when it changes");
                self.wake_at = *at;
            }
            Effect::Answer(ticket, answer) => {
                let command = self.open.remove(ticket).expect("only commands are answered, and once");
                assert!(fits(answer, &command), "{command:?} is answered by {answer:?}");
                self.continuous &= !matches!(answer, Answer::StopMining);
            }
            Effect::Send(..) | Effect::Relay { .. } => {}
        }
    }
}

fn fits(answer: &Answer, command: &Command) -> bool {
    variant(answer) == variant(command)
}

/// What of some lines is said to others, but of blocks.
pub(crate) fn said_in(lines: &[String]) -> Vec<&str> {
    let is_said = |line: &&String| line.starts_with("to ") && !line.contains("new block");
    lines.iter().filter(is_said).map(String::as_str).collect()
}

/// The name of an enum's variant.
fn variant(value: &impl std::fmt::Debug) -> String {
    let text = format!("{value:?}");
    text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned()
}

/// An effect as a line of text.
fn line(effect: &Effect) -> String {
    match effect {
        Effect::Send(to, message) => format!("to {}: {}", to.index(), said(message)),
        Effect::Relay { except: None, message } => format!("to all: {}", said(message)),
        Effect::Relay { except: Some(peer), message } => {
            format!("to all but {}: {}", peer.index(), said(message))
        }
        Effect::Search(id, _) => format!("search {}", id.0),
        Effect::StopSearch => "stop search".into(),
        Effect::WakeAt(None) => "wake never".into(),
        Effect::WakeAt(Some(at)) => format!("wake at {:?}", *at - START),
        Effect::Answer(ticket, answer) => format!("answer {}: {}", ticket.0, answered(answer)),
    }
}

fn said(message: &Message) -> String {
    match message {
        Message::ChainRequest { request } => format!("chain? #{}", request.0),
        Message::Chain { request, chain } => format!("chain {} #{}", told(chain), request.0),
        Message::NewBlock(block) => format!("new block {}", told(block)),
        Message::Announce { block, position } => format!("announces {position} {block:.6}"),
        Message::CompactBlock(block) => format!("compact block {}", told(block)),
        Message::BlocksRequest { request, wanted, .. } => format!("blocks to {wanted:.6}? #{}", request.0),
        Message::Blocks { request, after, blocks } => {
            format!("blocks after {after} of {} #{}", told(blocks), request.0)
        }
        Message::Acknowledge { block } => format!("has {block:.6}"),
        Message::Inventory(Inventory { request, is_anew, acknowledge, hashes }) => {
            let (anew, last) = (
                if *is_anew { ", anew" } else { "" },
                match acknowledge {
                    Some(0) => String::new(),
                    Some(before) => format!(", after {before}"),
                    None => ", more".into(),
                },
            );
            format!("inventory #{} of {}{anew}{last}", request.0, hashes.len())
        }
        Message::TransactionsRequest { request, wanted } => {
            format!("transactions? #{} of {}", request.0, wanted.len())
        }
        Message::Transactions { request, transactions } => {
            let amounts: Vec<_> = transactions.iter().map(Transaction::amount).collect();
            format!("transactions #{} {amounts:?}", request.0)
        }
        Message::AcknowledgeInventory { request } => format!("judged inventory #{}", request.0),
        Message::InventoryRequest => "inventory?".into(),
    }
}

fn told(told: &Told) -> String {
    match told {
        Told::Chain(chain) => name(chain),
        other => format!("{other:?}"),
    }
}

/// A chain by its length and the beginning of its tip's hash.
pub(crate) fn name(chain: &Blockchain) -> String {
    format!("{}:{:.6}", chain.len(), chain.tip_hash())
}

fn answered(answer: &Answer) -> String {
    match answer {
        Answer::Register(peers) => format!("peers {:?}", numbers(peers)),
        Answer::Unregister(peers) => format!("peers {:?} are left", numbers(peers)),
        Answer::Submit(Ok(submitted)) => match submitted.placement {
            Placement::InBlock { position } => format!("block {position}"),
            Placement::AwaitsNonce { nonce } => format!("waits for nonce {nonce}"),
        },
        Answer::Submit(Err(error)) => error.to_string(),
        Answer::Mine(Ok(forged)) => format!("forged {}", forged.position),
        Answer::Mine(Err(error)) => error.to_string(),
        Answer::Resolve(resolution) => format!(
            "{:?} {}, silent {:?}",
            resolution.outcome,
            name(&resolution.chain),
            numbers(&resolution.silent)
        ),
        Answer::Chain(chain) => name(chain),
        Answer::Pending(pending) => {
            format!("pending {:?}", pending.iter().map(Transaction::amount).collect::<Vec<_>>())
        }
        Answer::Snapshot(snapshot) => format!("snapshot of {}", name(&snapshot.chain)),
        Answer::StartMining => "mining".into(),
        Answer::StopMining => "mining stopped".into(),
    }
}

fn numbers(nodes: &[NodeId]) -> Vec<usize> {
    nodes.iter().map(|node| node.index()).collect()
}

fn happened(happening: &Happening) -> String {
    match happening {
        Happening::Mined { position, .. } => format!("mined {position}"),
        Happening::MiningEnded { error } => format!("ended mining: {error}"),
        Happening::Accepted { position, from, .. } => format!("accepted {position} from {}", from.index()),
        Happening::Reorganised { abandoned, adopted, .. } => format!("reorganised -{abandoned} +{adopted}"),
        Happening::Resolved { replaced, silent } => format!("resolved {replaced}, silent {silent}"),
        Happening::Rejected { from, invalid } => {
            let violation = variant(&invalid.violation);
            format!("rejected from {}: block {} {violation}", from.index(), invalid.position)
        }
        Happening::RejectedDocument { from, error } => format!("rejected from {}: {error}", from.index()),
        Happening::Ignored { from, reason } => format!("ignored from {}: {reason}", from.index()),
        Happening::Waits { from, until } => format!("waits from {} until {:?}", from.index(), *until - START),
        Happening::Banned { peer } => format!("banned {}", peer.index()),
        Happening::Lost { transaction, reason } => format!("lost {}: {reason:?}", transaction.amount()),
        other => format!("{other:?}"),
    }
}
