//! Targets and work: conversions, text and sums.

use chainlab::{
    BlockHash,
    pow::{ParseTargetError, Target, Work},
};
use proptest::prelude::*;

/// A hash that begins with these 16 bytes; what follows must not matter.
fn hash(head: u128, rest: u8) -> BlockHash {
    let mut bytes = [rest; 32];
    bytes[..16].copy_from_slice(&head.to_be_bytes());
    BlockHash::from_bytes(bytes)
}

#[test]
fn a_hash_meets_a_target_when_it_is_below() {
    for target in [1, 2, 1 << 64, 1 << 112, u128::MAX] {
        for rest in [0, 255] {
            assert!(Target::new(target).unwrap().is_met_by(&hash(target - 1, rest)));
            assert!(!Target::new(target).unwrap().is_met_by(&hash(target, rest)));
        }
    }
    assert_eq!(Target::new(0), None);
}

#[test]
fn leading_zeros_are_powers_of_two() {
    assert_eq!(Target::leading_zero_bits(0), Target::EASIEST);
    for bits in 1..=128 {
        let target = Target::leading_zero_bits(bits);
        assert_eq!(target.get(), 1 << (128 - bits));
        let last = target.get() - 1;
        assert_eq!(last.leading_zeros(), bits);
    }
    for digits in 0..=32 {
        assert_eq!(Target::leading_hex_zeros(digits), Target::leading_zero_bits(4 * digits));
    }
    assert_eq!(Target::leading_zero_bits(128), Target::HARDEST);
    assert!(
        Target::HARDEST < Target::leading_zero_bits(16) && Target::leading_zero_bits(16) < Target::EASIEST
    );
}

#[test]
#[should_panic(expected = "at most 128 leading zero bits")]
fn more_bits_than_a_target_has() {
    let _ = Target::leading_zero_bits(129);
}

#[test]
#[should_panic(expected = "at most 32 leading hexadecimal zeros")]
fn more_digits_than_a_target_has() {
    // Times four this wraps around to zero.
    let _ = Target::leading_hex_zeros(1 << 30);
}

#[test]
fn expected_hashes_there_and_back() {
    for (hashes, target) in [
        (0, u128::MAX),
        (1, u128::MAX),
        (2, 1 << 127),
        (3, 0x5555_5555_5555_5555_5555_5555_5555_5555),
        (6, 0x2aaa_aaaa_aaaa_aaaa_aaaa_aaaa_aaaa_aaab),
        (1 << 112, 1 << 16),
        (u128::MAX, 1),
    ] {
        assert_eq!(Target::from_expected_hashes(hashes).get(), target, "{hashes}");
    }
    assert_eq!(Target::EASIEST.expected_hashes(), 1);
    assert_eq!(Target::HARDEST.expected_hashes(), u128::MAX);
    assert_eq!(Target::new(2).unwrap().expected_hashes(), 1 << 127);
    // Ten minutes of a network with 10^21 hashes a second: neighbouring targets differ by less than 10^-14 of it.
    let bitcoin = Target::from_expected_hashes(600 * 10u128.pow(21));
    assert!(bitcoin.get() > 10u128.pow(14));
}

#[test]
fn the_text_of_a_target_is_a_hash_to_compare_with() {
    let target = Target::leading_hex_zeros(4);
    assert_eq!(target.to_string(), "00010000000000000000000000000000");
    assert_eq!(format!("{target:?}"), "Target(00010000000000000000000000000000)");
    assert_eq!(serde_json::to_string(&target).unwrap(), "\"00010000000000000000000000000000\"");
    for text in [
        "",
        "1",
        "00000000000000000000000000000000",
        "+0010000000000000000000000000000",
        "0001000000000000000000000000000",
        "000100000000000000000000000000000",
        "000A0000000000000000000000000000",
        "000g0000000000000000000000000000",
        "ééééééééééééééééé",
    ] {
        let error = text.parse::<Target>().unwrap_err();
        assert_eq!(error, ParseTargetError { found: text.into() });
        assert!(error.to_string().ends_with(&format!("found \"{text}\"")));
        assert!(serde_json::from_str::<Target>(&format!("\"{text}\"")).is_err());
    }
    assert!(serde_json::from_str::<Target>("65536").is_err());
    assert_eq!("x".repeat(100_000).parse::<Target>().unwrap_err().found.len(), 80);
}

#[test]
fn work_is_the_expected_number_of_hashes_rounded_down() {
    for (target, work) in [
        (u128::MAX, "1"),
        (1 << 127, "2"),
        ((1 << 127) + 1, "1"),
        (3, "113427455640312821154458202477256070485"),
        (2, "170141183460469231731687303715884105728"),
        (1, "340282366920938463463374607431768211456"),
    ] {
        assert_eq!(Target::new(target).unwrap().work().to_string(), work);
    }
    assert_eq!(Target::leading_zero_bits(32).work().as_f64(), 4_294_967_296.0);
    assert_eq!(Target::HARDEST.work().as_f64(), 2f64.powi(128));
}

#[test]
fn work_adds_up_beyond_128_bits() {
    let hardest = Target::HARDEST.work();
    let mut work: Work = (0..1_000).map(|_| hardest).sum();
    assert_eq!(work.to_string(), "340282366920938463463374607431768211456000");
    work += Target::leading_zero_bits(16).work();
    assert_eq!(work.to_string(), "340282366920938463463374607431768211521536");
    // A carry from the low half: 2 * 2^127.
    let half = Target::new(2).unwrap().work();
    assert_eq!(half + half, hardest);
    assert_eq!(hardest - half, half);
    assert_eq!(Work::ZERO + half, half);
    assert_eq!([Work::ZERO.to_string(), format!("{:>4}", Work::ZERO)], ["0", "   0"]);
    assert_eq!(Work::default(), Work::ZERO);
    assert!(half < hardest && hardest < hardest + half);
}

#[test]
#[should_panic(expected = "no less is subtracted from more")]
fn there_is_no_less_than_no_work() {
    let _ = Target::HARDEST.work() - (Target::HARDEST.work() + Target::EASIEST.work());
}

fn targets() -> impl Strategy<Value = Target> {
    (any::<u128>(), 0..128u32).prop_filter_map("a target is at least 1", |(n, bits)| Target::new(n >> bits))
}

proptest! {
    #[test]
    fn text_and_json_round_trip(target in targets()) {
        prop_assert_eq!(target.to_string().parse::<Target>(), Ok(target));
        let json = serde_json::to_string(&target).unwrap();
        prop_assert_eq!(serde_json::from_str::<Target>(&json).unwrap(), target);
    }

    #[test]
    fn expected_hashes_below_two_to_the_64_come_back(hashes in 1..=u64::MAX, bits in 0..64u32) {
        let hashes = u128::from(hashes >> bits).max(1);
        prop_assert_eq!(Target::from_expected_hashes(hashes).expected_hashes(), hashes);
    }

    #[test]
    fn the_text_compares_as_the_hash_does(target in targets(), head in any::<u128>(), bits in 0..128u32) {
        let hash = hash(head >> bits, 0);
        prop_assert_eq!(target.is_met_by(&hash), hash.to_string()[..32] < target.to_string()[..]);
    }

    #[test]
    fn what_was_added_may_be_subtracted(works in prop::collection::vec(targets(), 1..50)) {
        let works: Vec<_> = works.into_iter().map(|target| target.work()).collect();
        let sums: Vec<_> = (1..=works.len()).map(|count| works[..count].iter().copied().sum::<Work>()).collect();
        for (pair, work) in sums.windows(2).zip(&works[1..]) {
            prop_assert_eq!(pair[1] - pair[0], *work);
            prop_assert_eq!(pair[1] - *work, pair[0]);
        }
    }

    #[test]
    fn work_adds_as_numbers_do(works in prop::collection::vec(targets(), 0..50)) {
        // Small works fit a u128; the large ones are told by their text above.
        let works: Vec<_> = works.into_iter().filter(|target| target.get() >= 1 << 16).collect();
        let sum: Work = works.iter().map(|target| target.work()).sum();
        let expected: u128 = works.iter().map(|target| (u128::MAX - target.get() + 1) / target.get() + 1).sum();
        prop_assert_eq!(sum.to_string(), expected.to_string());
        prop_assert_eq!(sum.as_f64(), expected as f64);
    }
}
