//! Difficulty talked down by timestamps, and the bound that prevents it.
//!
//! The attackers have three quarters of the hash rate, and each block takes them the time that its target asks of so
//! many. They hold every timestamp just above the median, as far back as it can be, but that of each window's last block
//! as far ahead as others take it: so each window seems to have taken all the time since the attack began.

mod miner;

use std::time::Duration;

use chainlab::{
    Blockchain, Difficulty, InvalidBlock, Rules, Time, Timestamp, Transaction, Violation, pow::Target,
};
use miner::mine;

const WINDOW: u64 = 32;
const SPACING_MICROS: u64 = 1_000_000;
/// What the target asks for at the start: as many hashes as are made in the wanted spacing.
const HASHES: u64 = 1 << 14;
const AHEAD_MICROS: u64 = 10_000_000;
const START: Time = Time::from_secs(1_500_000_000);

fn rules(back_max: Duration) -> Rules {
    let sealed = Rules::sealed();
    let first = Target::from_expected_hashes(HASHES.into());
    let retarget = sealed.difficulty.retarget().unwrap().starting_at(first).with_back_max(back_max);
    let retarget = retarget.with_easiest_target(Target::from_expected_hashes(16)).unwrap();
    assert_eq!(
        (u64::from(retarget.window()), retarget.spacing()),
        (WINDOW, Duration::from_micros(SPACING_MICROS))
    );
    assert_eq!(sealed.ahead_max, Duration::from_micros(AHEAD_MICROS));
    Rules { difficulty: Difficulty::Retargeted(retarget), ..sealed }.started_at(START)
}

/// How many bits of a hash must be zero, on average.
fn bits(target: Target) -> f64 {
    (target.expected_hashes() as f64).log2()
}

/// A block at a time, and what the rules have against it.
fn at(chain: &Blockchain, rules: &Rules, micros: u64) -> Result<Blockchain, InvalidBlock> {
    let reward = Transaction::reward("miner", rules.reward);
    chain.append(mine(chain, rules, vec![reward], Timestamp::from_micros(micros)), rules)
}

/// Grows a chain by windows, each block at the time that `choose` makes of the chain, whether it is the last of its
/// window, and the present. The hash rate is a share of the one that the first target is made for. Returns the
/// difficulty at the start and after each window.
fn windows(
    rules: &Rules,
    count: u64,
    hash_rate: f64,
    choose: impl Fn(&Blockchain, bool, u64) -> u64,
) -> (Blockchain, Vec<f64>) {
    let mut chain = Blockchain::start(rules, START).unwrap();
    let (mut now, mut difficulties) = (START.as_micros(), vec![bits(rules.difficulty.first_target())]);
    while chain.len() < count * WINDOW {
        let spacings = chain.next_target(rules).expected_hashes() as f64 / HASHES as f64;
        now += (spacings * SPACING_MICROS as f64 / hash_rate) as u64;
        let ends = (chain.len() + 1).is_multiple_of(WINDOW);
        chain = at(&chain, rules, choose(&chain, ends, now)).expect("the times are allowed");
        if ends {
            difficulties.push(bits(chain.next_target(rules)));
        }
    }
    println!("{difficulties:.1?}");
    (chain, difficulties)
}

/// The attack, as far as the rules let it go.
fn warp(rules: &Rules, count: u64) -> (Blockchain, Vec<f64>) {
    windows(rules, count, 0.75, |chain, ends, now| {
        let context = chain.context(rules);
        let earliest = context.window_micros.unwrap_or(0).max(context.median_micros + 1);
        if ends { now + AHEAD_MICROS } else { earliest }
    })
}

#[test]
fn without_a_bound_five_windows_talk_the_difficulty_down() {
    let (_, difficulties) = warp(&rules(Duration::MAX), 5);
    assert_eq!(difficulties[0], 14.0);
    assert!((difficulties[5] - 7.5).abs() < 0.05, "{difficulties:?}");
}

#[test]
fn with_a_bound_the_difficulty_stays_where_it_is() {
    let rules = rules(Rules::sealed().difficulty.retarget().unwrap().back_max());
    let (_, difficulties) = warp(&rules, 40);
    // The first window has the lead of the clocks, once for all; then it is the difficulty of their hash rate.
    assert!(difficulties.iter().all(|bits| *bits > 13.3), "{difficulties:?}");
    assert!((difficulties[40] - (14.0 + 0.75_f64.log2())).abs() < 0.05, "{difficulties:?}");
}

/// The honest, whose clocks are right, notice nothing of the bound: windows have an interval less than they have blocks.
#[test]
fn the_bound_costs_the_honest_nothing() {
    for back_max in [Duration::MAX, Duration::ZERO, Duration::from_secs(1)] {
        let (_, difficulties) = windows(&rules(back_max), 5, 1.0, |_, _, now| now);
        assert!(difficulties.iter().all(|bits| (13.9..14.3).contains(bits)), "{difficulties:?}");
    }
}

#[test]
fn a_window_starts_at_most_so_long_before_the_end_of_the_last() {
    let back_max = Duration::from_secs(3);
    let (free, bound) = (rules(Duration::MAX), rules(back_max));
    let (chain, _) = warp(&free, 1);
    // It breaks no rule of either, until the next window starts.
    let chain = chain.verify(&bound).expect("the bound is on windows' starts");
    let earliest = chain.last_block().timestamp().micros().unwrap() - back_max.as_micros() as u64;
    assert_eq!(chain.context(&bound).window_micros, Some(earliest));
    assert_eq!(chain.parent().unwrap().context(&bound).window_micros, None, "not within a window");
    assert_eq!(chain.context(&free).window_micros, Some(0));

    let [found, earliest_stamp] = [earliest - 1, earliest].map(Timestamp::from_micros);
    let violation = Violation::WindowStartsTooEarly { earliest: earliest_stamp, found };
    let position = WINDOW + 1;
    assert_eq!(at(&chain, &bound, earliest - 1), Err(InvalidBlock { position, violation }));
    assert!(at(&chain.verify(&free).unwrap(), &free, earliest - 1).is_ok());
    let chain = at(&chain, &bound, earliest).unwrap();
    // After its first block a window is free again, down to the median.
    assert!(at(&chain, &bound, chain.median_micros() + 1).is_ok());
}
