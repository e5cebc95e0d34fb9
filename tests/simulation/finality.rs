//! Final blocks are let go of, and nothing else shows: the same runs, with a finality and without, look by look.

use std::{cell::Cell, env};

use chainlab::{
    NodeId, Relay, Simulation,
    wire::{BlockCost, Topology},
};
use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

use super::any_run::{Act, Run, Wire, carry_out, compare, run};

/// The run with so many blocks more before each act: enough for some to be let go of. Blocks are pushed, and take no time
/// but links' latency: else forks are deeper still, and whoever asks for blocks beyond what is promised gets other answers.
fn lengthened(run: Run, blocks: u64) -> Run {
    let acts = run.acts.into_iter().flat_map(|act| [(Act::RunBlocks(blocks), false), act]).collect();
    Run { acts, relay: Relay::Push, wire: Wire::default(), ..run }
}

/// Tells whether no fork of a run was deeper than what is final, no node began behind that, and no link brought a block as
/// late: only then the same is promised.
fn is_as_promised(run: &Run, simulation: &Simulation, depth: u64) -> bool {
    let millis = depth as f64 * run.interval * 1000.0;
    let is_late = |act: &Act| match act {
        Act::Join(_) | Act::Restart(_, true) | Act::Hold(..) => true,
        // What is drawn may be some times the mean.
        Act::Link(.., latency) => *latency as f64 > millis / 8.0,
        _ => false,
    };
    !run.acts.iter().any(|(act, _)| is_late(act))
        && simulation.report().reorganisations.keys().all(|given_up| *given_up <= depth)
}

/// What was seen but for the bytes of messages: forks are deeper here than what is final.
fn without_bytes(looks: Vec<String>) -> Vec<String> {
    let without = |look: String| {
        let mut parts = look.split("\"bytes\":");
        let first = parts.next().into_iter().map(String::from);
        first.chain(parts.map(|part| part.trim_start_matches(|c: char| c.is_ascii_digit()).into())).collect()
    };
    looks.into_iter().map(without).collect()
}

/// The short form's cases are the same each time, and in all of them more holds than is promised. `CHAINLAB_LONG=1` runs
/// 20,000 others, as far as it is promised.
#[test]
fn what_is_let_go_does_not_matter() {
    let is_long = env::var_os("CHAINLAB_LONG").is_some();
    let cases = if is_long { 20_000 } else { 300 };
    let config = Config { cases, source_file: Some(file!()), ..Config::default() };
    let mut runner = match is_long {
        true => TestRunner::new(config),
        false => TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha)),
    };
    let [let_go, promised] = [0, 0].map(Cell::new);
    let tested =
        runner.run(&(run(), 0..12_u64, 0..200_u64, any::<bool>()), |(run, depth, blocks, replays)| {
            let run = lengthened(run, blocks);
            let [(letting, shortened), (keeping, whole)] = [true, false].map(|has_finality| {
                carry_out(&run, |simulation| {
                    simulation.set_replays(replays);
                    if has_finality {
                        simulation.set_finality(depth);
                    }
                })
            });
            let chains = [&shortened, &whole].map(|simulation| simulation.chain(NodeId::new(0)).unwrap());
            let [short, long] = &chains;
            prop_assert_eq!(long.iter().len() as u64, long.len());
            let_go.set(let_go.get() + long.len() - short.iter().len() as u64);
            let is_promised = is_as_promised(&run, &whole, depth);
            promised.set(promised.get() + u64::from(is_promised));
            if is_long && !is_promised {
                return Ok(());
            }
            prop_assert_eq!(short, long);
            compare(&without_bytes(letting), &without_bytes(keeping))
        });
    tested.unwrap_or_else(|error| panic!("{error}"));
    let (let_go, promised) = (let_go.get(), promised.get());
    assert!(let_go > 20 * u64::from(cases), "{let_go} blocks are not enough");
    assert!(promised > u64::from(cases) / 4, "{promised} of {cases} runs are not enough");
}

/// Blocks of a megabyte, told of by their hashes: but for the bytes of questions, which name fewer blocks, all is the same.
#[test]
fn nor_does_it_where_blocks_are_asked_for() {
    let block_cost = BlockCost { bytes: Some(1_000_000), ..BlockCost::default() };
    let wire = Wire { are_in_regions: true, block_cost, ..Wire::default() };
    let run = Run {
        seed: 5,
        nodes: 8,
        topology: Topology::Random { links: 2 },
        has_own_latencies: false,
        millis: 0,
        interval: 600.0,
        window: None,
        relay: Relay::Announce,
        wire,
        schemer: None,
        acts: vec![(Act::RunBlocks(500), true), (Act::Steps(9), true), (Act::RunBlocks(500), true)],
    };
    let [(letting, shortened), (keeping, _)] = [Some(50), None].map(|depth| {
        carry_out(&run, |simulation| depth.into_iter().for_each(|depth| simulation.set_finality(depth)))
    });
    let report = shortened.report();
    assert!(report.replayed > 800, "{report}");
    assert!(shortened.chain(NodeId::new(0)).unwrap().block(2).is_none());
    assert_ne!(letting, keeping);
    assert_eq!(without_bytes(letting), without_bytes(keeping));
}
