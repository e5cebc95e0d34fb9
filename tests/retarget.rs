//! How the target follows the hash rate: Bitcoin's published cases, and slow models of the windows and the median.

mod miner;

use std::time::Duration;

use chainlab::{
    Block, Blockchain, Difficulty, PreviousHash, Retarget, RetargetError, Rules, Time, Timestamp,
    Transaction, pow::Target,
};
use miner::mine;
use proptest::prelude::*;

/// Reads Bitcoin's compact form of a target, as the first 16 of its 32 bytes.
fn from_compact(compact: u32) -> Target {
    let (size, mantissa) = (compact >> 24, u128::from(compact & 0x00ff_ffff));
    Target::new(mantissa << (8 * (size - 3) - 128)).unwrap()
}

/// Writes a target in Bitcoin's compact form: its length in bytes, and its first three, of which the first bit is a
/// sign.
fn to_compact(target: Target) -> u32 {
    let size = 16 + (128 - target.get().leading_zeros()).div_ceil(8);
    let mantissa = (target.get() >> (8 * (size - 3) - 128)) as u32;
    if mantissa & 0x0080_0000 == 0 { size << 24 | mantissa } else { (size + 1) << 24 | mantissa >> 8 }
}

/// Bitcoin's four published cases, `src/test/pow_tests.cpp`: seconds from the first to the last block of a window of
/// 2016, the target before and after.
const BITCOIN: [(u64, u32, u32); 4] = [
    (1_262_152_739 - 1_261_130_161, 0x1d00_ffff, 0x1d00_d86a),
    (1_233_061_996 - 1_231_006_505, 0x1d00_ffff, 0x1d00_ffff),
    (1_279_297_671 - 1_279_008_237, 0x1c05_a3f4, 0x1c01_68fd),
    (1_269_211_443 - 1_263_163_443, 0x1c38_7f6f, 0x1d00_e1fd),
];

#[test]
fn retargeting_gives_bitcoin_s_published_targets() {
    assert_eq!(BITCOIN.map(|(seconds, ..)| seconds), [1_022_578, 2_055_491, 289_434, 6_048_000]);
    let rules = Rules::bitcoin();
    let retarget = *rules.difficulty.retarget().unwrap();
    assert_eq!(retarget.easiest_target(), from_compact(0x1d00_ffff));
    assert_eq!(rules.ahead_max, Duration::from_secs(7200));
    for (seconds, before, after) in BITCOIN {
        let actual = i128::from(seconds) * 1_000_000;
        let target = retarget.next_target(from_compact(before), actual);
        assert_eq!(to_compact(target), after, "{target}");
    }
}

/// The same on chains, with all targets 2^32 times as easy: the window is the blocks 1 to 2016.
#[test]
fn chains_retarget_as_bitcoin_s() {
    for (seconds, before, after) in BITCOIN {
        let easier = |compact| Target::new(from_compact(compact).get() << 32).unwrap();
        let bitcoin = Rules::bitcoin();
        let retarget = bitcoin.difficulty.retarget().unwrap().starting_at(easier(before));
        let retarget = retarget.with_easiest_target(easier(0x1d00_ffff)).unwrap();
        let rules = Rules { difficulty: Difficulty::Retargeted(retarget), ..bitcoin };
        let mut chain = Blockchain::start(&rules, Time::UNIX_EPOCH).unwrap();
        while chain.len() < 2016 {
            assert_eq!(
                chain.next_target(&rules),
                rules.difficulty.first_target(),
                "at block {}",
                chain.len() + 1
            );
            let timestamp = Timestamp::from_micros(seconds * 1_000_000 * chain.len() / 2015);
            let block = mine(&chain, &rules, vec![Transaction::reward("miner", 50)], timestamp);
            chain = chain.append(block, &rules).unwrap();
        }
        let target = chain.next_target(&rules);
        assert_eq!(to_compact(Target::new(target.get() >> 32).unwrap()), after);
        assert_eq!(chain.target(), rules.difficulty.first_target());
        assert_eq!(chain.work(), [rules.difficulty.first_target().work(); 2015].into_iter().sum());
    }
}

/// Computes `value * factor / divisor`, rounded down, bit after bit of the value.
fn scaled(value: u128, factor: u128, divisor: u128) -> Option<u128> {
    let (mut quotient, mut remainder) = (0_u128, 0);
    for bit in (0..128).rev() {
        remainder = 2 * remainder + if value >> bit & 1 == 1 { factor } else { 0 };
        quotient = quotient.checked_mul(2)?.checked_add(remainder / divisor)?;
        remainder %= divisor;
    }
    Some(quotient)
}

/// Targets that a few attempts meet, the easiest among them.
fn easy_target() -> impl Strategy<Value = Target> {
    ((u128::MAX >> 6)..=u128::MAX).prop_map(|target| Target::new(target).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The target of each block, from the times of all before it: of the first and the last block of the same window.
    #[test]
    fn targets_follow_the_windows(
        window in 2..6_u32,
        spacing_millis in 1..3000_u64,
        factor_max in 1..6_u32,
        one in easy_target(),
        other in easy_target(),
        times in prop::collection::vec(0..20_000_000_u64, 1..30),
    ) {
        let spacing = Duration::from_millis(spacing_millis);
        let [first_target, easiest_target] = [one.min(other), one.max(other)];
        let retarget = Retarget::new(first_target, window, spacing).unwrap();
        let retarget = retarget.with_easiest_target(easiest_target).unwrap().with_factor_max(factor_max).unwrap();
        // Links and proofs alone, so that the times may go back.
        let rules = Rules { difficulty: Difficulty::Retargeted(retarget), ..Rules::notebook() };
        let mut chain = Blockchain::start(&rules, Time::UNIX_EPOCH).unwrap();
        let (mut target, mut micros) = (first_target, vec![0_i128]);
        for time in times {
            if micros.len() % window as usize == 0 {
                let in_window = &micros[micros.len() - window as usize..];
                let (wanted, factor) = (i128::from(window) * i128::from(spacing_millis) * 1000, i128::from(factor_max));
                let actual = (in_window.last().unwrap() - in_window[0]).clamp(wanted / factor, wanted * factor);
                let next = scaled(target.get(), actual as u128, wanted as u128).unwrap_or(u128::MAX);
                target = Target::new(next.max(1)).unwrap().min(easiest_target);
            }
            prop_assert_eq!(chain.next_target(&rules), target);
            // The chain goes on while proofs are cheap.
            if target < Target::leading_zero_bits(12) {
                break;
            }
            let block = mine(&chain, &rules, vec![], Timestamp::from_micros(time));
            chain = chain.append(block, &rules).unwrap();
            prop_assert_eq!(chain.target(), target);
            micros.push(i128::from(time));
        }
    }

    #[test]
    fn the_median_is_the_middle_of_the_last_eleven(
        micros in prop::collection::vec(prop_oneof![0..5_u64, 0..1_000_000_000_000_000_u64], 1..30),
    ) {
        let rules = Rules::notebook().with_first_target(Target::EASIEST);
        let genesis = Block::new(1, Timestamp::from_micros(micros[0]), [], 100, PreviousHash::NumberOne);
        let mut chain = Blockchain::with_genesis(genesis, &rules).unwrap();
        for len in 1..=micros.len() {
            if len > 1 {
                let block = mine(&chain, &rules, vec![], Timestamp::from_micros(micros[len - 1]));
                chain = chain.append(block, &rules).unwrap();
            }
            let mut last = micros[len.saturating_sub(11)..len].to_vec();
            last.sort();
            prop_assert_eq!(chain.median_micros(), last[last.len() / 2]);
            prop_assert_eq!(chain.context(&rules).median_micros, chain.median_micros());
        }
    }
}

#[test]
fn retargeting_stops_at_its_ends() {
    let retarget = Retarget::new(Target::EASIEST, 10, Duration::from_secs(1)).unwrap();
    let next = |target, micros| retarget.next_target(target, micros);
    let target = Target::leading_zero_bits(16);
    assert_eq!(next(target, 10_000_000), target);
    assert_eq!(next(target, i128::MIN), Target::leading_zero_bits(18));
    assert_eq!(next(target, -1), Target::leading_zero_bits(18));
    assert_eq!(next(target, i128::MAX), Target::leading_zero_bits(14));
    assert_eq!(next(Target::HARDEST, 0), Target::HARDEST, "a target is at least 1");
    assert_eq!(next(Target::EASIEST, i128::MAX), Target::EASIEST, "no overflow");
    let starting = retarget.starting_at(target);
    assert_eq!(starting.next_target(target, i128::MAX), target, "never above the easiest");
    let still = retarget.with_factor_max(1).unwrap();
    assert_eq!(still.next_target(target, 0), target);
    let years = Duration::from_secs(36_000 * 365 * 86_400);
    for (window, spacing) in [(2, Duration::from_micros(1)), (2, years)] {
        let extreme =
            Retarget::new(Target::EASIEST, window, spacing).unwrap().with_factor_max(u32::MAX).unwrap();
        for actual in [i128::MIN, 0, i128::MAX] {
            let next = extreme.next_target(target, actual);
            assert!(Target::HARDEST <= next && next <= Target::EASIEST);
        }
    }
    let due: Vec<_> = (0..=41).filter(|&position| retarget.is_due_at(position)).collect();
    assert_eq!(due, [11, 21, 31, 41]);
}

#[test]
fn a_retarget_that_cannot_be_is_refused_by_field_and_value() {
    let (easy, hard, second) = (Target::EASIEST, Target::leading_zero_bits(8), Duration::from_secs(1));
    let retarget = Retarget::new(easy, 10, second).unwrap();
    let error = |made: Result<Retarget, RetargetError>| made.unwrap_err().to_string();
    for (made, expected) in [
        (Retarget::new(easy, 1, second), "window is 1 blocks"),
        (retarget.with_window(0), "window is 0 blocks"),
        (Retarget::new(easy, 10, Duration::ZERO), "spacing is 0ns"),
        (retarget.with_spacing(Duration::from_nanos(999)), "spacing is 999ns"),
        (retarget.with_spacing(Duration::MAX), "spacing is 18446744073709551615.999999999s"),
        (retarget.with_window(u32::MAX).unwrap().with_spacing(Duration::from_secs(1000)), "spacing is 1000s"),
        (retarget.with_factor_max(0), "factor_max is 0"),
        (
            retarget.with_easiest_target(hard),
            "first_target ffffffffffffffffffffffffffffffff is easier than easiest_target 0100000000",
        ),
    ] {
        let error = error(made);
        assert!(error.starts_with(expected), "{error}");
    }
    // A document is checked like everything else.
    let text = serde_json::to_string(&retarget).unwrap();
    assert_eq!(serde_json::from_str::<Retarget>(&text).unwrap(), retarget);
    let text = text.replace(r#""window":10"#, r#""window":1"#);
    assert!(
        serde_json::from_str::<Retarget>(&text).unwrap_err().to_string().starts_with("window is 1 blocks")
    );
}
