//! Clocks of the far future: after the year 2242 a float tells no microseconds apart, and in the year 2554 time ends.

use std::time::Duration;

use chainlab::{
    Block, Blockchain, Command, Difficulty, Genesis, Input, PreviousHash, Rules, Time, Timestamp, Transaction,
};

use crate::bench::{Bench, proof_for, sealed};

fn rules(start: Time) -> Rules {
    let genesis = Genesis::Shared { time: Some(start), allocations: [].into() };
    Rules { difficulty: Difficulty::Fixed(sealed().difficulty.first_target()), genesis, ..sealed() }
}

/// The years 2242 and 2514, from which on floats are two and four microseconds apart, and the end.
fn starts() -> impl Iterator<Item = Time> {
    let before = |time: Time, nanos: u64| Time::from_nanos(time.as_nanos() - nanos);
    let years = [1 << 33, 1 << 34].map(Time::from_secs);
    let years = years.into_iter().flat_map(move |time| [before(time, 20_000), time]);
    years.chain([before(Time::MAX, 20_000), before(Time::MAX, 1), Time::MAX])
}

#[test]
fn mining_goes_on_whatever_the_clock_says() {
    for start in starts() {
        for step in [0, 1, 1000, 10_000] {
            let rules = rules(start);
            let [mut miner, mut other] = [(); 2].map(|()| Bench::with_peers(rules.clone(), 1));
            miner.now = start;
            for position in 2..=40 {
                miner.now += Duration::from_nanos(step);
                other.now = miner.now;
                let median = miner.chain().median_micros();
                miner.command(Command::Mine);
                miner.find();
                let chain = miner.chain();
                assert_eq!(chain.len(), position, "from {start} in steps of {step} ns");
                assert!(
                    chain.last_block().timestamp().micros() > Some(median),
                    "whole, and after the median"
                );
                let lines = other.announce(1, chain.last_block().clone());
                assert_eq!(lines[0], format!("accepted {position} from 1"));
            }
            assert_eq!(Blockchain::from_json(&miner.chain().to_json(), &rules), Ok(miner.chain()));
        }
    }
}

/// What is due at once, and again at once, keeps a thread busy for ever.
#[test]
fn no_deadline_at_the_end_of_time_comes_again_and_again() {
    let mut bench = Bench::with_peers(rules(Time::from_secs(1_000_000)), 3);
    bench.now = Time::MAX;
    bench.command(Command::Mine);
    bench.find();
    assert_eq!(bench.wake_at, None, "nobody can be told again later");
    let missing = (1..=3).fold(bench.chain(), |chain, _| {
        let micros = chain.median_micros() + 1000;
        next(&chain, &bench.rules, micros)
    });
    for peer in 1..=3 {
        bench.announce(peer, missing.clone());
    }
    bench.command(Command::Resolve);
    assert!(bench.is_settled(), "there is no time to wait for answers");
    let mut woken = 0;
    while bench.wake_at.is_some_and(|at| at <= bench.now) {
        bench.tell(Input::Wake);
        woken += 1;
        assert!(woken < 10, "it is woken again and again");
    }
}

/// A block on a chain, with a timestamp.
pub(crate) fn next(chain: &Blockchain, rules: &Rules, micros: u64) -> Blockchain {
    let reward = [Transaction::reward("miner", rules.reward)];
    let previous_hash = PreviousHash::Hash(chain.tip_hash());
    let block = Block::new(chain.len() + 1, Timestamp::from_micros(micros), reward, 0, previous_hash);
    let challenge = rules.challenge(&block, chain.last_block(), chain.tip_hash());
    let proof = proof_for(challenge, chain.next_target(rules));
    chain.append(block.with_proof(proof), rules).unwrap()
}

/// Once the blocks stand at the last timestamp that can be counted, whoever mines is told why nothing comes of it.
#[test]
fn after_the_last_timestamp_mining_ends_with_a_reason() {
    let rules = rules(Time::MAX);
    let mut bench = Bench::with_peers(rules.clone(), 1);
    bench.now = Time::MAX;
    bench.announce(1, next(&bench.chain(), &rules, u64::MAX));
    assert_eq!(bench.chain().len(), 2);
    let lines = bench.command(Command::Mine);
    let reason = "no timestamp is left that is later than the median of the chain's last";
    assert_eq!(lines, [format!("ended mining: {reason}"), format!("answer 2: {reason}")]);
}
