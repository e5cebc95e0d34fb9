//! The recorder and its report: against an obvious model on random events, figure by figure on events made by hand, and
//! the text.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
    time::Duration,
};

use chainlab::{
    Block, BlockHash, Blockchain, Event, Happening, IgnoreReason, InvalidBlock, LossReason, NodeId,
    PreviousHash, Report, Rules, Time, Timestamp, Transaction, Violation,
    pow::Target,
    report::{Messages, NodeReport, Propagation, Recorder, Spread},
    wire,
};
use proptest::prelude::*;

const START: Time = Time::from_secs(1000);

/// A chain of 9 blocks, and the same as far as the block at position 5 with other blocks up to 8.
static CHAINS: LazyLock<[Blockchain; 2]> = LazyLock::new(|| {
    let rules = Rules { first_target: Target::leading_zero_bits(1), ..Rules::notebook() };
    let grow = |chain: Blockchain, salt: i64| {
        let parent = PreviousHash::Hash(chain.tip_hash());
        let block = |proof| Block::new(chain.len() + 1, Timestamp::integer(salt), [], proof, parent);
        (0..).find_map(|proof| chain.append(block(proof), &rules).ok()).unwrap()
    };
    let common = (0..4).fold(Blockchain::start(&rules, START), |chain, _| grow(chain, 1));
    [(4, 2), (3, 3)].map(|(blocks, salt)| (0..blocks).fold(common.clone(), |chain, _| grow(chain, salt)))
});

/// The hash, position and parent of a block of one of the chains; without a parent for the first.
fn block(chain: usize, position: u64) -> (BlockHash, u64, BlockHash) {
    let chain = &CHAINS[chain];
    (chain.at(position).unwrap().tip_hash(), position, chain.at(position - 1).unwrap().tip_hash())
}

fn node(number: u32) -> NodeId {
    NodeId::new(number)
}

fn at(millis: u64) -> Time {
    START + Duration::from_millis(millis)
}

fn mined((block, position, parent): (BlockHash, u64, BlockHash)) -> Happening {
    Happening::Mined { block, position, parent }
}

fn accepted((block, position, _): (BlockHash, u64, BlockHash)) -> Happening {
    Happening::Accepted { block, position, from: node(0) }
}

fn recorder(nodes: u32) -> Recorder {
    let mut recorder = Recorder::new(START);
    for number in 0..nodes {
        recorder.add_node(node(number), format!("miner {number}"));
    }
    recorder
}

fn observe_all(recorder: &mut Recorder, events: impl IntoIterator<Item = (u64, u32, Happening)>) {
    for (millis, number, what) in events {
        recorder.observe(&Event { time: at(millis), node: node(number), what });
    }
}

fn report(recorder: &Recorder) -> Report {
    recorder.report(at(60_000), &CHAINS[0], |_| 0, Messages::default())
}

fn millis(count: u64, [median, percentile_90, max]: [u64; 3]) -> Spread {
    let [median, percentile_90, max] = [median, percentile_90, max].map(Duration::from_millis);
    Spread { count, median, percentile_90, max }
}

/// Compares but for the one part in a thousand that a percentile may be too long.
#[track_caller]
fn assert_spread(spread: Spread, expected: Spread) {
    assert_eq!((spread.count, spread.max), (expected.count, expected.max));
    for (found, expected) in
        [(spread.median, expected.median), (spread.percentile_90, expected.percentile_90)]
    {
        assert!(found >= expected && found <= expected + expected / 1000, "{found:?}, not {expected:?}");
    }
}

#[test]
fn a_block_that_is_not_in_the_chain_is_stale() {
    let mut recorder = recorder(3);
    let events = [
        (0, 0, mined(block(0, 6))),
        (1, 1, mined(block(1, 6))),
        (2, 1, mined(block(1, 7))),
        (3, 2, mined(block(0, 7))),
        (4, 0, mined(block(0, 8))),
    ];
    observe_all(&mut recorder, events);
    let by_first = report(&recorder);
    assert_eq!((by_first.mined, by_first.in_chain, by_first.stale), (5, 3, 2));
    assert_eq!(by_first.stale_rate, 0.4);
    let counts = |report: &Report| -> Vec<_> {
        report.nodes.iter().map(|node| (node.mined, node.in_chain, node.chain_share)).collect()
    };
    assert_eq!(counts(&by_first), [(2, 2, 2.0 / 3.0), (2, 0, 0.0), (1, 1, 1.0 / 3.0)]);
    // The same blocks by the other chain.
    let by_second = recorder.report(at(5), &CHAINS[1], |_| 0, Messages::default());
    assert_eq!((by_second.in_chain, by_second.stale_rate), (2, 0.6));
    assert_eq!(counts(&by_second), [(2, 0, 0.0), (2, 2, 1.0), (1, 0, 0.0)]);
    assert_eq!(by_second.duration, Duration::from_millis(5));
    // What was not mined while it recorded does not count: the chain has nine blocks.
    assert_eq!(by_first.in_chain + 6, CHAINS[0].len());
}

#[test]
fn a_block_mined_again_is_its_first_miners() {
    let mut recorder = recorder(2);
    observe_all(&mut recorder, [(0, 0, mined(block(0, 2))), (7, 1, mined(block(0, 2)))]);
    let report = report(&recorder);
    assert_eq!((report.mined, report.nodes[0].mined, report.nodes[1].mined), (1, 1, 0));
    assert_spread(report.propagation.to_each, millis(1, [7; 3]));
}

#[test]
fn nothing_happened_and_no_share_is_a_number_that_is_none() {
    let report = report(&recorder(2));
    assert_eq!(
        (report.stale_rate, report.nodes[0].chain_share, report.nodes[0].attempts_share),
        (0.0, 0.0, 0.0)
    );
    assert_eq!(report.propagation.to_all, Spread::default());
    let before = recorder(0).report(Time::UNIX_EPOCH, &CHAINS[0], |_| 0, Messages::default());
    assert_eq!(before.duration, Duration::ZERO, "a clock that went back");
}

#[test]
fn shares_of_attempts_are_of_all_attempts() {
    let attempts = |node: NodeId| [u64::MAX, u64::MAX, 0][node.index()];
    let report = recorder(3).report(START, &CHAINS[0], attempts, Messages::default());
    let shares = report.nodes.iter().map(|node| (node.attempts, node.attempts_share));
    assert!(shares.eq([(u64::MAX, 0.5), (u64::MAX, 0.5), (0, 0.0)]));
}

#[test]
fn a_block_propagates_from_its_mining_to_each_half_nine_tenths_and_all() {
    // Ten nodes: half are five, the miner counted; 90 % are nine.
    let mut recorder = recorder(10);
    observe_all(&mut recorder, [(100, 3, mined(block(0, 2)))]);
    let others = [0, 1, 2, 4, 5, 6, 7, 8, 9];
    for (place, number) in (1..).zip(others) {
        observe_all(&mut recorder, [(100 + 10 * place, number, accepted(block(0, 2)))]);
        let Propagation { to_each, to_half, to_90_percent, to_all } = report(&recorder).propagation;
        let counts = [to_each, to_half, to_90_percent, to_all].map(|spread| spread.count);
        let reached = |nodes: u64| u64::from(1 + place >= nodes);
        assert_eq!(counts, [place, reached(5), reached(9), reached(10)]);
    }
    let propagation = report(&recorder).propagation;
    assert_spread(propagation.to_each, millis(9, [50, 90, 90]));
    assert_spread(propagation.to_half, millis(1, [40; 3]));
    assert_spread(propagation.to_90_percent, millis(1, [80; 3]));
    assert_spread(propagation.to_all, millis(1, [90; 3]));
    // Taken on again after a reorganisation: no news.
    observe_all(&mut recorder, [(900, 5, accepted(block(0, 2)))]);
    assert_eq!(report(&recorder).propagation, propagation);
}

#[test]
fn whoever_catches_up_has_all_blocks_at_that_moment() {
    let mut recorder = recorder(2);
    let events = [
        (0, 0, mined(block(0, 2))),
        (10, 0, mined(block(0, 3))),
        (12, 1, accepted(block(0, 3))),
        (20, 0, mined(block(0, 4))),
        (30, 0, mined(block(0, 5))),
        (40, 0, mined(block(0, 6))),
        // By way of the other branch.
        (50, 1, mined(block(1, 6))),
        (60, 1, accepted(block(0, 6))),
    ];
    observe_all(&mut recorder, events);
    // 12 and 2 ms; then, when it mined on them, 30 and 20; then 20.
    assert_spread(report(&recorder).propagation.to_each, millis(5, [20, 30, 30]));
}

#[test]
fn a_node_counts_for_the_blocks_mined_since_it_joined() {
    let mut recorder = recorder(2);
    observe_all(&mut recorder, [(0, 0, mined(block(0, 2))), (10, 0, mined(block(0, 3)))]);
    recorder.add_node(node(2), "late");
    observe_all(&mut recorder, [(20, 0, mined(block(0, 4))), (50, 2, accepted(block(0, 4)))]);
    let propagation = report(&recorder).propagation;
    assert_spread(propagation.to_each, millis(1, [30; 3]));
    assert_eq!(propagation.to_all.count, 0);
    observe_all(&mut recorder, [(60, 1, accepted(block(0, 4)))]);
    assert_eq!(report(&recorder).propagation.to_all.count, 3);
}

#[test]
fn blocks_that_nobody_was_seen_to_mine_are_left_out() {
    let mut recorder = recorder(2);
    let events = [
        (0, 0, mined(block(0, 2))),
        (5, 1, accepted(block(0, 3))),
        (6, 1, accepted(block(0, 2))),
        (7, 0, mined(block(0, 4))),
        (9, 1, accepted(block(0, 4))),
    ];
    observe_all(&mut recorder, events);
    let report = report(&recorder);
    assert_eq!((report.mined, report.in_chain), (2, 2));
    assert_spread(report.propagation.to_each, millis(2, [2, 6, 6]));
}

#[test]
fn the_latest_4096_blocks_are_followed_that_some_node_lacks() {
    let mut recorder = recorder(2);
    let hash = |number: u64| BlockHash::of(&number.to_be_bytes());
    let block = |number| (hash(number), number + 1, hash(number - 1));
    observe_all(&mut recorder, (1..=5000).map(|number| (number, 0, mined(block(number)))));
    observe_all(&mut recorder, [(5000, 1, accepted(block(5000)))]);
    let report = report(&recorder);
    assert_eq!((report.mined, report.stale_rate), (5000, 1.0));
    assert_eq!((report.propagation.to_each.count, report.propagation.to_all.count), (4096, 4096));
    assert_eq!(report.propagation.to_each.max, Duration::from_millis(4095));
}

#[test]
fn times_too_long_or_negative_are_told_as_far_as_they_can_be() {
    let mut recorder = recorder(2);
    let mine = |block| Event { time: START, node: node(0), what: mined(block) };
    recorder.observe(&mine(block(0, 2)));
    recorder.observe(&mine(block(0, 3)));
    recorder.observe(&Event { time: Time::UNIX_EPOCH, node: node(1), what: accepted(block(0, 2)) });
    recorder.observe(&Event { time: Time::MAX, node: node(1), what: accepted(block(0, 3)) });
    let Spread { count, median, percentile_90, max } = report(&recorder).propagation.to_each;
    assert_eq!((count, median, max), (2, Duration::ZERO, Time::MAX - START));
    assert!(percentile_90 > Duration::from_secs(145 * 365 * 86_400));
}

fn overdraft() -> Violation {
    Violation::Overdraft { sender: "alice".into(), balance: 1, amount: 2 }
}

fn rejected(violation: Violation) -> Happening {
    Happening::Rejected { from: node(1), invalid: InvalidBlock { position: 7, violation } }
}

/// One of every happening that is only counted, and some twice.
fn counted() -> Vec<Happening> {
    let (from, transaction) = (node(1), Transaction::new("alice", "bob", 5));
    let lost = |reason| Happening::Lost { transaction: transaction.clone(), reason };
    let reorganised = |abandoned| Happening::Reorganised { abandoned, adopted: 9, old_tip: block(0, 2).0 };
    vec![
        reorganised(1),
        reorganised(3),
        reorganised(1),
        rejected(overdraft()),
        rejected(Violation::RewardMissing),
        rejected(overdraft()),
        Happening::RejectedDocument { from, error: Block::from_json("[").unwrap_err() },
        Happening::Ignored { from, reason: IgnoreReason::Unwanted },
        Happening::Ignored { from, reason: IgnoreReason::Late },
        Happening::Ignored { from, reason: IgnoreReason::Unwanted },
        Happening::Banned { peer: from },
        lost(LossReason::Evicted),
        lost(LossReason::Crashed),
        lost(LossReason::Crashed),
        Happening::Crashed,
        Happening::Restarted,
        Happening::Panicked { message: "no".into() },
        // These are in no figure.
        Happening::Dropped { from },
        Happening::Resolved { replaced: true, silent: 1 },
        Happening::Waits { from, until: START },
        Happening::Paused,
        Happening::Resumed,
    ]
}

#[test]
fn everything_else_is_counted_by_its_kind() {
    let mut recorder = recorder(1);
    observe_all(&mut recorder, counted().into_iter().map(|what| (0, 0, what)));
    let report = report(&recorder);
    assert_eq!(report.reorganisations, BTreeMap::from([(1, 2), (3, 1)]));
    assert_eq!(report.rejections, BTreeMap::from([("Overdraft", 2), ("RewardMissing", 1)]));
    assert_eq!(report.ignored, BTreeMap::from([(IgnoreReason::Late, 1), (IgnoreReason::Unwanted, 2)]));
    assert_eq!(
        report.transactions_lost,
        BTreeMap::from([(LossReason::Crashed, 2), (LossReason::Evicted, 1)])
    );
    assert_eq!((report.rejected_documents, report.banned), (1, 1));
    assert_eq!((report.crashes, report.restarts, report.panics), (1, 1, 1));
}

#[test]
fn a_violation_is_named_as_its_variant() {
    let hash = block(0, 2).0;
    for violation in [
        overdraft(),
        Violation::RewardMissing,
        Violation::ForeignGenesis { expected: hash, found: hash },
        Violation::Index { expected: 1, found: 2 },
        Violation::Nonce { sender: "alice".into(), expected: 1, found: None },
    ] {
        let debug = format!("{violation:?}");
        assert_eq!(debug.split(' ').next(), Some(violation.name()));
    }
}

/// A report of every kind of figure.
fn full_report() -> Report {
    let mut recorder = recorder(3);
    recorder.add_node(node(7), "a node of Ålesund");
    recorder.add_node(node(8), "idle");
    let events = [
        (0, 0, mined(block(0, 6))),
        (1, 1, mined(block(1, 6))),
        (20, 2, accepted(block(0, 6))),
        (250, 2, mined(block(0, 7))),
        (2_000, 0, accepted(block(0, 7))),
        (3_000, 1, accepted(block(0, 7))),
        (3_001, 7, accepted(block(0, 7))),
    ];
    observe_all(&mut recorder, events);
    observe_all(&mut recorder, counted().into_iter().map(|what| (0, 0, what)));
    let lost = BTreeMap::from([(wire::LossReason::Loss, 12), (wire::LossReason::Partition, 3)]);
    let messages = Messages { sent: 1234, delivered: 1200, dropped: 2, missed: 1, lost };
    let attempts =
        |node: NodeId| [40_000, 20_000, 39_999, 0, 0, 0, 0, 1].get(node.index()).copied().unwrap_or(0);
    recorder.report(at(60_000), &CHAINS[0], attempts, messages)
}

#[test]
fn a_report_reads_as_a_table() {
    let expected = "\
5 nodes in 60.0s
3 blocks mined, 2 in the chain, 1 stale (33.33 %)

miner                 mined  in chain  share of chain          attempts  share of attempts
miner 0                   1         1         50.00 %             40000            40.00 %
miner 1                   1         0          0.00 %             20000            20.00 %
miner 2                   1         1         50.00 %             39999            40.00 %
a node of Ålesund         0         0          0.00 %                 1             0.00 %
and 1 node that did not mine

propagation                  count      median        90 %         max
  to each node                   6       2.75s       3.00s       3.00s
  to half of the nodes           2       2.75s       3.00s       3.00s
  to 90 % of the nodes           0           -           -           -
  to all nodes                   0           -           -           -

reorganisations: 2 × 1 block, 1 × 3 blocks
messages: 1234 sent, 1200 delivered, 2 dropped at full inboxes, 1 missed by nodes that were down, \
12 lost by chance, 3 lost to a partition
rejected: 2 × Overdraft, 1 × RewardMissing
ignored: 1 × late answer, 2 × unwanted transaction
transactions lost: 2 × in a crash, 1 × from a full mempool
documents rejected: 1
peers banned: 1
crashes: 1
restarts: 1
panics: 1
";
    assert_eq!(full_report().to_string(), expected);
    assert_eq!(
        report(&recorder(2)).to_string(),
        "2 nodes in 60.0s\n0 blocks mined, 0 in the chain, 0 stale (0.00 %)\n"
    );
}

#[test]
fn a_report_is_a_document() {
    let document = serde_json::to_value(full_report()).unwrap();
    assert_eq!(document["duration"]["secs"], 60);
    assert_eq!(document["nodes"][0]["name"], "miner 0");
    assert_eq!(document["reorganisations"]["3"], 1);
    assert_eq!(document["ignored"]["unwanted"], 2);
    assert_eq!(document["transactions_lost"]["crashed"], 2);
    assert_eq!(document["messages"]["lost"]["partition"], 3);
    assert_eq!(document["rejections"]["Overdraft"], 2);
    assert_eq!(document["propagation"]["to_each"]["count"], 6);
}

/// A step of a random run. Blocks and nodes are chosen by numbers, taken modulo what there is.
#[derive(Debug, Clone)]
enum Step {
    Join,
    Wait(u64),
    /// A block of the two chains, whoever mines it.
    Mine(u32, usize, u64),
    /// A block that is in neither, on top of one of any kind.
    MineAside(u32, usize),
    /// A block that was mined, or one of the chains that perhaps was not.
    Accept(u32, usize),
    AcceptOfChain(u32, usize, u64),
    Count(u32, usize),
}

fn step() -> impl Strategy<Value = Step> {
    let (number, position) = (0..8_u32, 2..=8_u64);
    prop_oneof![
        1 => Just(Step::Join),
        4 => (0..500_u64).prop_map(Step::Wait),
        4 => (number.clone(), 0..2_usize, position.clone()).prop_map(|(n, c, p)| Step::Mine(n, c, p)),
        4 => (number.clone(), any::<usize>()).prop_map(|(n, b)| Step::MineAside(n, b)),
        12 => (number.clone(), any::<usize>()).prop_map(|(n, b)| Step::Accept(n, b)),
        2 => (number.clone(), 0..2_usize, position).prop_map(|(n, c, p)| Step::AcceptOfChain(n, c, p)),
        3 => (number, any::<usize>()).prop_map(|(n, h)| Step::Count(n, h)),
    ]
}

/// The obvious way: it keeps everything, and works the figures out at the end.
#[derive(Default)]
struct Model {
    nodes: Vec<NodeId>,
    mined: Vec<ModelBlock>,
    counted: Vec<Happening>,
}

struct ModelBlock {
    hash: BlockHash,
    parent: BlockHash,
    miner: NodeId,
    time: Time,
    /// The nodes that count for it.
    nodes: Vec<NodeId>,
    /// When each of them had it.
    had: BTreeMap<NodeId, Time>,
}

impl Model {
    fn join(&mut self, node: NodeId) {
        if !self.nodes.contains(&node) {
            self.nodes.push(node);
        }
    }

    fn observe(&mut self, Event { time, node, what }: Event) {
        self.join(node);
        match what {
            Happening::Mined { block, parent, .. } => {
                if !self.mined.iter().any(|mined| mined.hash == block) {
                    let nodes = self.nodes.clone();
                    let had = BTreeMap::new();
                    self.mined.push(ModelBlock { hash: block, parent, miner: node, time, nodes, had });
                }
                self.had_with_all_before(node, time, block);
            }
            Happening::Accepted { block, .. } => self.had_with_all_before(node, time, block),
            other => self.counted.push(other),
        }
    }

    /// A block's parent was mined before it, or was not seen to be.
    fn had_with_all_before(&mut self, node: NodeId, time: Time, block: BlockHash) {
        let mut wanted = block;
        for mined in self.mined.iter_mut().rev() {
            if mined.hash == wanted {
                if mined.nodes.contains(&node) {
                    mined.had.entry(node).or_insert(time);
                }
                wanted = mined.parent;
            }
        }
    }

    fn to_each(&self) -> Spread {
        let others = self.mined.iter().flat_map(|mined| {
            mined.had.iter().filter(|(node, _)| **node != mined.miner).map(|(_, time)| *time - mined.time)
        });
        spread(others.collect())
    }

    /// The time until so many in ten of the nodes had it.
    fn to_tenths(&self, tenths: usize) -> Spread {
        let times = self.mined.iter().filter_map(|mined| {
            let mut times: Vec<_> = mined.had.values().map(|time| *time - mined.time).collect();
            times.sort();
            let wanted = (0..=mined.nodes.len()).find(|count| 10 * count >= tenths * mined.nodes.len())?;
            times.get(wanted - 1).copied()
        });
        spread(times.collect())
    }

    fn report(&self, now: Time, best: &Blockchain, propagation: Propagation) -> Report {
        let hashes: BTreeSet<_> = best.iter().map(Block::hash).collect();
        let mined_by = |node: NodeId| self.mined.iter().filter(move |mined| mined.miner == node);
        let in_chain = self.mined.iter().filter(|mined| hashes.contains(&mined.hash)).count() as u64;
        let share = |part: u64, whole: u64| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
        let mut nodes = self.nodes.clone();
        nodes.sort();
        let all_attempts = nodes.iter().copied().map(attempts).sum();
        let nodes = nodes.into_iter().map(|node| {
            let own = mined_by(node).filter(|mined| hashes.contains(&mined.hash)).count() as u64;
            NodeReport {
                node,
                name: node.to_string().into(),
                mined: mined_by(node).count() as u64,
                in_chain: own,
                chain_share: share(own, in_chain),
                attempts: attempts(node),
                attempts_share: share(attempts(node), all_attempts),
            }
        });
        let count = |is_wanted: fn(&Happening) -> bool| {
            self.counted.iter().filter(|happening| is_wanted(happening)).count() as u64
        };
        let stale = self.mined.len() as u64 - in_chain;
        Report {
            duration: now - START,
            nodes: nodes.collect(),
            mined: self.mined.len() as u64,
            in_chain,
            stale,
            stale_rate: share(stale, self.mined.len() as u64),
            reorganisations: self.tally(|happening| match happening {
                Happening::Reorganised { abandoned, .. } => Some(*abandoned),
                _ => None,
            }),
            rejections: self.tally(|happening| match happening {
                Happening::Rejected { invalid, .. } => Some(invalid.violation.name()),
                _ => None,
            }),
            rejected_documents: count(|what| matches!(what, Happening::RejectedDocument { .. })),
            ignored: self.tally(|happening| match happening {
                Happening::Ignored { reason, .. } => Some(*reason),
                _ => None,
            }),
            banned: count(|what| matches!(what, Happening::Banned { .. })),
            transactions_lost: self.tally(|happening| match happening {
                Happening::Lost { reason, .. } => Some(*reason),
                _ => None,
            }),
            crashes: count(|what| matches!(what, Happening::Crashed)),
            restarts: count(|what| matches!(what, Happening::Restarted)),
            panics: count(|what| matches!(what, Happening::Panicked { .. })),
            propagation,
            messages: Messages::default(),
        }
    }

    fn tally<K: Ord>(&self, key: impl Fn(&Happening) -> Option<K>) -> BTreeMap<K, u64> {
        let mut tally = BTreeMap::new();
        for key in self.counted.iter().filter_map(key) {
            *tally.entry(key).or_default() += 1;
        }
        tally
    }
}

fn attempts(node: NodeId) -> u64 {
    1000 * node.index() as u64
}

fn spread(mut durations: Vec<Duration>) -> Spread {
    durations.sort();
    let Some(&max) = durations.last() else { return Spread::default() };
    let percentile = |percent: usize| durations[(percent * durations.len()).div_ceil(100) - 1];
    Spread { count: durations.len() as u64, median: percentile(50), percentile_90: percentile(90), max }
}

proptest! {
    #[test]
    fn a_report_is_that_of_the_model(steps in prop::collection::vec(step(), 0..150), chain in 0..2_usize) {
        let (mut recorder, mut model) = (Recorder::new(START), Model::default());
        let mut now = START;
        for (number, step) in (0_u64..).zip(steps) {
            let known = model.mined.iter().map(|mined| mined.hash).collect::<Vec<_>>();
            let (by, what) = match step {
                Step::Join => {
                    let next = node(model.nodes.len() as u32);
                    recorder.add_node(next, next.to_string());
                    model.join(next);
                    continue;
                }
                Step::Wait(millis) => {
                    now += Duration::from_millis(millis);
                    continue;
                }
                Step::Mine(by, chain, position) => (by, mined(block(chain, position))),
                Step::MineAside(by, parent) => {
                    let unknown = BlockHash::of(b"a block that nobody mined");
                    let parent = *known.get(parent % (known.len() + 1)).unwrap_or(&unknown);
                    (by, mined((BlockHash::of(&number.to_be_bytes()), 3, parent)))
                }
                Step::Accept(by, block) => match known.get(block % known.len().max(1)) {
                    Some(&hash) => (by, accepted((hash, 3, hash))),
                    None => continue,
                },
                Step::AcceptOfChain(by, chain, position) => (by, accepted(block(chain, position))),
                Step::Count(by, which) => {
                    let all = counted();
                    (by, all[which % all.len()].clone())
                }
            };
            let event = Event { time: now, node: node(by), what };
            recorder.observe(&event);
            model.observe(event);
        }
        let best = &CHAINS[chain];
        let report = recorder.report(now, best, attempts, Messages::default());
        assert_spread(report.propagation.to_each, model.to_each());
        assert_spread(report.propagation.to_half, model.to_tenths(5));
        assert_spread(report.propagation.to_90_percent, model.to_tenths(9));
        assert_spread(report.propagation.to_all, model.to_tenths(10));
        prop_assert_eq!(&report, &model.report(now, best, report.propagation));
    }
}
