//! The recorder and its report: against an obvious model on random events, figure by figure on events made by hand, and
//! the text.

mod figures;
mod model;

use std::{sync::LazyLock, time::Duration};

use chainlab::{
    Block, BlockHash, Blockchain, Event, Happening, IgnoreReason, InvalidBlock, LossReason, NodeId,
    PreviousHash, Report, Rules, Time, Timestamp, Transaction, Violation,
    pow::Target,
    report::{Bin, Messages, Recorder, Spread},
};

const START: Time = Time::from_secs(1000);

/// A chain of 9 blocks, and the same as far as the block at position 5 with other blocks up to 8.
static CHAINS: LazyLock<[Blockchain; 2]> = LazyLock::new(|| {
    let rules = Rules::notebook().with_first_target(Target::leading_zero_bits(1));
    let grow = |chain: Blockchain, salt: i64| {
        let parent = PreviousHash::Hash(chain.tip_hash());
        let block = |proof| Block::new(chain.len() + 1, Timestamp::integer(salt), [], proof, parent);
        (0..).find_map(|proof| chain.append(block(proof), &rules).ok()).unwrap()
    };
    let common = (0..4).fold(Blockchain::start(&rules, START).unwrap(), |chain, _| grow(chain, 1));
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

/// The obvious way: sorted, every figure worked out by its definition.
fn spread(mut durations: Vec<Duration>) -> Spread {
    durations.sort();
    let Some(&max) = durations.last() else { return Spread::default() };
    let percentile = |percent: usize| durations[(percent * durations.len()).div_ceil(100) - 1];
    let nanos: u128 = durations.iter().map(Duration::as_nanos).sum();
    let mut bins: Vec<Bin> = Vec::new();
    for duration in &durations {
        match bins.last_mut().filter(|bin| *duration < bin.to) {
            Some(bin) => bin.count += 1,
            None => bins.push(bin(*duration)),
        }
    }
    Spread {
        count: durations.len() as u64,
        mean: Duration::from_nanos((nanos / durations.len() as u128) as u64),
        median: percentile(50),
        percentile_90: percentile(90),
        percentile_95: percentile(95),
        percentile_99: percentile(99),
        max,
        bins,
    }
}

/// The bin that holds a duration, which is less than a day.
fn bin(duration: Duration) -> Bin {
    let nanos = duration.as_nanos() as u64;
    let powers = (5..47).map(|power| 1_u64 << power);
    let (from, width) = powers
        .flat_map(|power| (0..32).map(move |step| (power + step * (power / 32), power / 32)))
        .take_while(|(from, _)| *from <= nanos)
        .last()
        .unwrap_or((nanos, 1));
    let [from, to] = [from, from + width].map(Duration::from_nanos);
    Bin { from, to, count: 1 }
}

fn millis<const N: usize>(durations: [u64; N]) -> Spread {
    spread(durations.map(Duration::from_millis).into())
}

/// Compares but for the one part in a thousand that a percentile may be too long.
#[track_caller]
fn assert_spread(spread: &Spread, expected: Spread) {
    let percentiles = |spread: &Spread| {
        let Spread { median, percentile_90, percentile_95, percentile_99, .. } = *spread;
        [median, percentile_90, percentile_95, percentile_99]
    };
    for (found, expected) in percentiles(spread).into_iter().zip(percentiles(&expected)) {
        assert!(found >= expected && found <= expected + expected / 1000, "{found:?}, not {expected:?}");
    }
    let [median, percentile_90, percentile_95, percentile_99] = percentiles(spread);
    assert_eq!(*spread, Spread { median, percentile_90, percentile_95, percentile_99, ..expected });
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
        Happening::DoubleSpent { won: true, confirmations: 6, stale: 1, cost: 50 },
        Happening::DoubleSpent { won: false, confirmations: 2, stale: 3, cost: 157 },
        Happening::DoubleSpent { won: false, confirmations: 2, stale: 0, cost: 7 },
        // These are in no figure.
        Happening::Dropped { from },
        Happening::Resolved { replaced: true, silent: 1 },
        Happening::Waits { from, until: START },
        Happening::Paused,
        Happening::Resumed,
    ]
}
