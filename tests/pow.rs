//! The search against a plain loop over sha2, on every instruction set that this CPU has, and asked for those that it
//! lacks.

use chainlab::{
    BlockHash,
    pow::{
        Challenge, Exhausted, InstructionSet, Search, Target, instruction_set, proof_of_work, valid_proof,
    },
};
use proptest::prelude::*;
use sha2::{Digest, Sha256};

const SETS: [InstructionSet; 4] =
    [InstructionSet::Avx512, InstructionSet::Avx2, InstructionSet::Sha, InstructionSet::Baseline];

/// The first 16 bytes of the hash, by the rules' own words.
fn head(challenge: &Challenge, proof: u64) -> u128 {
    let hash = match challenge {
        Challenge::LastProof { last_proof } => Sha256::digest(format!("{last_proof}{proof}")),
        Challenge::LastProofAndHash { last_proof, last_hash } => {
            Sha256::digest(format!("{last_proof}{proof}{}", hex::encode(last_hash.as_bytes())))
        }
        Challenge::Sealed { digest } => {
            Sha256::digest([&digest.as_bytes()[..], &proof.to_be_bytes()].concat())
        }
    };
    u128::from_str_radix(&hex::encode(hash)[..32], 16).unwrap()
}

/// The proofs among so many candidates from a first one on, by a plain loop.
fn plain_loop(challenge: &Challenge, target: Target, first: u64, candidates: u64) -> Vec<u64> {
    (first..=u64::MAX)
        .take(candidates as usize)
        .filter(|proof| head(challenge, *proof) < target.get())
        .collect()
}

/// The same, by one search after the other.
fn searches(
    challenge: Challenge,
    target: Target,
    first: u64,
    candidates: u64,
    set: InstructionSet,
) -> Vec<u64> {
    let mut proofs = Vec::new();
    let (mut next, mut left) = (first, candidates);
    loop {
        let mut search = Search::starting_at(challenge, target, next).on(set);
        let result = search.run(left);
        left -= search.attempts();
        match result {
            Ok(Some(proof)) => proofs.push(proof),
            Ok(None) => {
                assert_eq!(left, 0, "the whole budget is used");
                return proofs;
            }
            Err(_) => {
                assert_eq!(search.attempts(), u64::MAX - next + 1);
                return proofs;
            }
        }
        match proofs.last().and_then(|proof| proof.checked_add(1)) {
            Some(after) => next = after,
            None => return proofs,
        }
    }
}

fn assert_agreement(challenge: Challenge, target: Target, first: u64, candidates: u64) {
    let expected = plain_loop(&challenge, target, first, candidates);
    for set in SETS {
        let found = searches(challenge, target, first, candidates, set);
        assert_eq!(found, expected, "{set}: {challenge:?}, {target}, {candidates} from {first} on");
    }
}

fn challenges(last_proof: u64) -> [Challenge; 3] {
    let hash = BlockHash::of(&last_proof.to_be_bytes());
    [
        Challenge::LastProof { last_proof },
        Challenge::LastProofAndHash { last_proof, last_hash: hash },
        Challenge::Sealed { digest: hash },
    ]
}

#[test]
fn the_twelve_known_proofs_follow_100() {
    let target = Target::leading_zero_bits(16);
    let known = [35293, 35089, 119678, 146502, 43538, 85724, 51178, 71730, 55589, 35704, 57342, 68975];
    for set in SETS {
        let mut last_proof = 100;
        for proof in known {
            let mut search = Search::new(Challenge::LastProof { last_proof }, target).on(set);
            assert_eq!(search.run(u64::MAX), Ok(Some(proof)), "{set}");
            assert_eq!(search.attempts(), proof + 1);
            last_proof = proof;
        }
    }
    assert_eq!(proof_of_work(68975, target), proof_of_work(68975, Target::leading_hex_zeros(4)));
    assert!(valid_proof(100, 35293, target));
    assert!(!valid_proof(100, 35292, target));
    assert!(!valid_proof(35293, 100, target));
}

#[test]
fn a_challenge_hashes_what_its_rule_says() {
    for last_proof in [0, 9, 10, 12_345_678_901, u64::MAX] {
        for challenge in challenges(last_proof) {
            for proof in [0, 7, 10, 4_294_967_296, u64::MAX] {
                let bytes = *challenge.hash(proof).as_bytes();
                assert_eq!(bytes[..16], head(&challenge, proof).to_be_bytes());
            }
        }
    }
}

#[test]
fn every_length_of_last_proof_and_proof() {
    // Not a power of two, so that the filter's word is no round number.
    let target = Target::new(u128::MAX / 37).unwrap();
    for digits in 0..20 {
        for challenge in challenges(7 * (10u64.pow(digits) / 5).max(1)) {
            for first in (0..20).map(|digits| 10u64.pow(digits)) {
                assert_agreement(challenge, target, first.saturating_sub(90), 180);
            }
        }
    }
}

#[test]
fn around_the_carries_of_a_binary_proof() {
    let target = Target::new(u128::MAX / 37).unwrap();
    for challenge in challenges(100) {
        for middle in [1 << 16, 1 << 32, 3 << 32, 1 << 48, 1 << 63] {
            assert_agreement(challenge, target, middle - 300, 600);
        }
    }
}

#[test]
fn a_whole_run_and_the_next() {
    for challenge in challenges(35293) {
        assert_agreement(challenge, Target::from_expected_hashes(3_000), 9_990, 20_100);
        assert_agreement(challenge, Target::from_expected_hashes(3_000), (1 << 32) - 10_050, 20_100);
    }
}

#[test]
fn past_the_last_u64_a_search_is_exhausted() {
    // An easy target, which is searched one candidate at a time, from just after the last of its proofs on.
    let easy = Target::leading_zero_bits(3);
    let meets = |challenge: &Challenge, back| head(challenge, u64::MAX - back) < easy.get();
    let fails_at_last = |challenges: &[_; 3]| !challenges.iter().any(|challenge| meets(challenge, 0));
    for challenge in (0..).map(challenges).find(fails_at_last).unwrap() {
        let back = (0..).find(|back| meets(&challenge, *back)).unwrap();
        for (target, back) in
            [(easy, back - 1), (Target::HARDEST, 0), (Target::HARDEST, 5), (Target::HARDEST, 20_000)]
        {
            for set in SETS {
                let mut search = Search::starting_at(challenge, target, u64::MAX - back).on(set);
                assert_eq!(search.run(back), Ok(None), "the last u64 has not been tried");
                assert_eq!(search.attempts(), back);
                let exhausted = Err(Exhausted { challenge, target });
                assert_eq!([search.run(1), search.run(0), search.run(u64::MAX)], [exhausted; 3]);
                assert_eq!(search.attempts(), back + 1);
                let mut at_once = Search::starting_at(challenge, target, u64::MAX - back).on(set);
                assert_eq!((at_once.run(u64::MAX), at_once.attempts()), (exhausted, back + 1));
            }
        }
    }
    let error = Exhausted { challenge: Challenge::LastProof { last_proof: 7 }, target: Target::HARDEST };
    assert_eq!(
        error.to_string(),
        "no proof up to 18446744073709551615 meets the target 00000000000000000000000000000001 for \
         LastProof { last_proof: 7 }"
    );
}

#[test]
fn the_last_u64_can_be_the_proof() {
    for challenge in challenges(100) {
        let target = Target::new(head(&challenge, u64::MAX) + 1).unwrap();
        let mut search = Search::starting_at(challenge, target, u64::MAX);
        assert_eq!(search.run(u64::MAX), Ok(Some(u64::MAX)));
        assert_eq!(search.run(u64::MAX), Ok(Some(u64::MAX)));
        assert_eq!(search.attempts(), 1);
    }
}

#[test]
fn the_full_comparison_decides() {
    // The smallest hash of many is what the filter on 32 bits cannot tell from its neighbours.
    for challenge in challenges(100) {
        let (head, proof) = (0..50_000).map(|proof| (head(&challenge, proof), proof)).min().unwrap();
        for set in SETS {
            let mut not_below = Search::new(challenge, Target::new(head).unwrap()).on(set);
            assert_eq!(not_below.run(50_000), Ok(None));
            assert_eq!(not_below.attempts(), 50_000);
            let mut just_below = Search::new(challenge, Target::new(head + 1).unwrap()).on(set);
            assert_eq!(just_below.run(50_000), Ok(Some(proof)));
        }
    }
}

#[test]
fn after_a_candidate_that_only_the_filter_lets_through() {
    let first = 10_000;
    for challenge in challenges(100) {
        // Each is smaller than all before it. With the one as the target, it is not below, and the next is the proof.
        let mut records: Vec<(u128, u64)> = Vec::new();
        for proof in first..first + 10_000 {
            let head = head(&challenge, proof);
            if records.last().is_none_or(|(least, _)| head < *least) {
                records.push((head, proof));
            }
        }
        for pair in records.windows(2) {
            let [(head, _), (_, proof)] = pair else { unreachable!("windows of two") };
            for set in SETS {
                let mut search = Search::starting_at(challenge, Target::new(*head).unwrap(), first).on(set);
                assert_eq!(search.run(u64::MAX), Ok(Some(*proof)), "{set}: {challenge:?}");
                assert_eq!(search.attempts(), proof - first + 1);
            }
        }
    }
}

#[test]
fn the_easiest_target_takes_the_first_candidate() {
    for challenge in challenges(100) {
        let mut search = Search::starting_at(challenge, Target::EASIEST, 77);
        assert_eq!((search.run(0), search.attempts()), (Ok(None), 0));
        assert_eq!((search.run(u64::MAX), search.attempts()), (Ok(Some(77)), 1));
        assert_eq!((search.run(u64::MAX), search.attempts()), (Ok(Some(77)), 1));
    }
}

#[test]
fn a_search_is_a_value_that_goes_to_another_thread() {
    fn is_a_value<T: Clone + std::fmt::Debug + Send + Sync + 'static>() {}
    is_a_value::<Search>();

    let mut search = Search::new(Challenge::LastProof { last_proof: 100 }, Target::leading_zero_bits(16));
    assert_eq!(search.run(20_000), Ok(None));
    let mut copy = search.clone();
    assert_eq!(copy.run(u64::MAX), Ok(Some(35293)));
    assert_eq!((search.attempts(), search.run(u64::MAX)), (20_000, Ok(Some(35293))));
}

#[test]
fn the_fastest_instruction_set_is_the_one_that_runs() {
    let available: Vec<_> = InstructionSet::available().collect();
    assert_eq!(available.first(), Some(&instruction_set()));
    assert_eq!(available.last(), Some(&InstructionSet::Baseline));
    assert_eq!(SETS.map(|set| set.to_string()), ["AVX-512", "AVX2", "SHA instructions", "baseline"]);
}

/// The search asks multiversion; this asks the standard library.
#[cfg(target_arch = "x86_64")]
#[test]
fn what_the_cpu_has_is_found() {
    macro_rules! has { ($($feature:tt)*) => { $( is_x86_feature_detected!($feature) && )* true } }
    let available: Vec<_> = InstructionSet::available().collect();
    assert_eq!(available.contains(&InstructionSet::Avx2), has!("avx2"));
    assert_eq!(available.contains(&InstructionSet::Sha), has!("sha"));
    let ice_lake = has!("avx512bitalg" "avx512bw" "avx512cd" "avx512dq" "avx512f" "avx512ifma" "avx512vbmi" "avx512vbmi2"
        "avx512vl" "avx512vnni" "avx512vpopcntdq" "gfni" "vaes" "vpclmulqdq");
    assert!(available.contains(&InstructionSet::Avx512) || !ice_lake);
}

/// Numbers of every length, with the places where lengths, words and the type end more often than chance would.
fn numbers() -> impl Strategy<Value = u64> {
    prop_oneof![
        (0..20u32, any::<u64>()).prop_map(|(digits, n)| n % 10u64.pow(digits)),
        (0..20u32, 0..400u64).prop_map(|(digits, back)| 10u64.pow(digits).saturating_sub(back)),
        (0..64u32, 0..400u64).prop_map(|(bits, back)| (1u64 << bits).saturating_sub(back)),
        (0..2000u64).prop_map(|back| u64::MAX - back),
    ]
}

proptest! {
    #[test]
    fn slices_of_a_search_agree_with_a_plain_loop(
        last_proof in numbers(),
        rule in 0..3usize,
        first in numbers(),
        expected_hashes in prop_oneof![0..40u128, 0..3000u128],
        fine in any::<u64>(),
        budgets in prop::collection::vec(prop_oneof![0..20u64, 0..200u64, 0..3000u64], 1..12),
    ) {
        let challenge = challenges(last_proof)[rule];
        let target = Target::from_expected_hashes(expected_hashes).get().saturating_sub(fine.into());
        let target = Target::new(target).unwrap();
        let tries = u128::from(u64::MAX - first) + 1;
        let proof = plain_loop(&challenge, target, first, budgets.iter().sum()).first().copied();
        for set in SETS {
            let mut search = Search::starting_at(challenge, target, first).on(set);
            let mut budget = 0;
            for slice in &budgets {
                budget += slice;
                let result = search.run(*slice);
                let attempts = match proof {
                    Some(proof) => budget.min(proof - first + 1),
                    None => u128::from(budget).min(tries) as u64,
                };
                prop_assert_eq!(search.attempts(), attempts);
                match proof {
                    Some(proof) if budget > proof - first => prop_assert_eq!(result, Ok(Some(proof))),
                    _ if u128::from(budget) >= tries => prop_assert_eq!(result, Err(Exhausted { challenge, target })),
                    _ => prop_assert_eq!(result, Ok(None)),
                }
            }
        }
    }
}
