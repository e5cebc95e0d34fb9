//! Final blocks are let go of, and nothing else shows: the same runs, with a finality and without, look by look.

use std::{cell::Cell, env};

use chainlab::NodeId;
use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

use super::any_run::{Act, Run, carry_out, compare, run};

/// The run with so many blocks more before each act: enough for some to be let go of.
fn lengthened(run: Run, blocks: u64) -> Run {
    let acts = run.acts.into_iter().flat_map(|act| [(Act::RunBlocks(blocks), false), act]).collect();
    Run { acts, ..run }
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

/// The cases are the same each time: forks are deeper here than what is final, more than is promised, and in one of
/// thousands an answer comes that nobody waits for any more. `CHAINLAB_LONG=1` runs 20,000 others.
#[test]
fn what_is_let_go_does_not_matter() {
    let is_long = env::var_os("CHAINLAB_LONG").is_some();
    let cases = if is_long { 20_000 } else { 300 };
    let config = Config { cases, source_file: Some(file!()), ..Config::default() };
    let mut runner = match is_long {
        true => TestRunner::new(config),
        false => TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha)),
    };
    let let_go = Cell::new(0);
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
            let [shortened, whole] =
                [shortened, whole].map(|simulation| simulation.chain(NodeId::new(0)).unwrap());
            prop_assert_eq!(whole.iter().len() as u64, whole.len());
            let_go.set(let_go.get() + whole.len() - shortened.iter().len() as u64);
            compare(&without_bytes(letting), &without_bytes(keeping))
        });
    tested.unwrap_or_else(|error| panic!("{error}"));
    assert!(let_go.get() > 20 * u64::from(cases), "{} blocks are not enough", let_go.get());
}
