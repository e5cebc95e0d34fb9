//! Hash rates are followed, and a proof is told of when it is due.

use std::time::Duration;

use chainlab::{Genesis, Happening, Network, Rules, network::HashRate, pow::Target};

use crate::common::*;

/// A search begins at 0 and nothing interrupts it: each proof is one less than the attempts that it took.
#[test]
fn each_block_takes_the_attempts_to_its_proof_and_their_time() {
    finishes(|| {
        let rules =
            Rules { genesis: Genesis::Shared { time: None, allocations: [].into() }, ..Rules::sealed() };
        let network = Network::new(rules.with_first_target(Target::from_expected_hashes(2_000)));
        let node = network.spawn().unwrap();
        let events = network.events();
        let start = network.report().duration;
        network.start_mining(node, HashRate::per_second(40e3).unwrap()).unwrap();
        let mined: Vec<_> =
            events.filter(|event| matches!(event.what, Happening::Mined { .. })).take(10).collect();
        network.stop_mining(node).unwrap();
        let report = network.report();
        let proofs: Vec<_> =
            network.chain(node).unwrap().iter().skip(1).map(|block| block.proof() + 1).collect();
        let (made, rest) = (report.nodes[0].attempts, &proofs[mined.len()..]);
        let of_mined = made - rest.iter().sum::<u64>();
        let sum: u64 = proofs[..mined.len()].iter().sum();
        assert!(sum <= of_mined, "{made} attempts for {proofs:?}");
        // What it makes up for was due since it started: it is never ahead.
        assert!(Duration::from_micros(25 * made) <= report.duration - start, "{made} attempts in {report}");
        // The first was late by a tenth of a second at most, or what is more is not made up for.
        let took = mined[9].time - mined[0].time;
        let due = Duration::from_micros(25 * proofs[1..10].iter().sum::<u64>());
        assert!(took + Duration::from_millis(101) >= due, "{took:?} for what takes {due:?}");
    });
}
