//! The figures of a single run, and how far they are to be trusted.

use std::cmp::Reverse;

use super::estimate::Estimate;
use crate::{
    report::{NodeReport, Report},
    simulation::Simulation,
    transaction::REWARD_SENDER,
};

/// Of how many nodes, those with the most blocks in the chain, the share of it is estimated.
const NODES_MAX: usize = 10;

/// Estimates the figures of one run by the means of so many batches of blocks, as these follow and depend on each other:
/// the stale rate; the seconds from a block to the next; if [samples](Simulation::take_samples) were taken, how long blocks
/// take to come to each node, to half of the nodes, to nine tenths and to all on average, and the reorganisations, the blocks
/// given up, the messages and their bytes a block; and, of the ten nodes with the most blocks in the chain, the share of it
/// that is paid to the node's own address.
///
/// Those are left out that have too few blocks, or of which there was nothing; those of samples, of which there are some
/// hundreds, with more than 255 batches; and, where final blocks were let go of, the shares and the seconds from block to
/// block. A batch is to be much longer than blocks depend on each other: where forks are long, or a chain retargets, take few
/// batches or make replicates.
///
/// ```
/// use chainlab::{Rules, Simulation, experiment::within_run, network::HashRate};
///
/// let simulation = Simulation::new(Rules::bitcoin().paced_for(4e6), 42);
/// simulation.take_samples();
/// let (alice, bob) = (simulation.spawn()?, simulation.spawn()?);
/// simulation.connect(alice, bob)?;
/// simulation.start_mining(alice, HashRate::per_second(1e6)?)?;
/// simulation.start_mining(bob, HashRate::per_second(3e6)?)?;
/// simulation.run_blocks(1000);
///
/// let estimates = within_run(&simulation, 20);
/// let of = |name| estimates.iter().find(|(other, _)| other == name).expect("there are enough blocks").1;
/// let share = of("node_0_chain_share");
/// assert_eq!((share.count, share.batch), (20, 50));
/// assert!(share.low < 0.25 && 0.25 < share.high);
/// assert_eq!(of("messages_a_block").mean, 1.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn within_run(simulation: &Simulation, batches: usize) -> Vec<(String, Estimate)> {
    let report = simulation.report();
    let estimate =
        |name: String, values: &[f64]| Estimate::by_batches(values, batches).map(|estimate| (name, estimate));
    let mut stale = vec![0.0; report.mined as usize];
    for number in &report.stale_blocks {
        stale[(number - 1) as usize] = 1.0;
    }
    let blocks = counted(simulation, &report);
    let times: Vec<_> = blocks.iter().map(|(seconds, _)| *seconds).collect();
    let intervals: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let of_all =
        [estimate("stale_rate".into(), &stale), estimate("block_interval_seconds".into(), &intervals)];

    let mut miners: Vec<_> = report.nodes.iter().filter(|node| node.in_chain > 0).collect();
    miners.sort_by_key(|node| Reverse(node.in_chain));
    miners.truncate(NODES_MAX);
    miners.sort_by_key(|node| node.node);
    let shares = miners.into_iter().filter_map(|NodeReport { node, .. }| {
        let address = simulation.address(*node).ok()?;
        let is_own = |(_, miner): &(f64, String)| f64::from(u8::from(**miner == *address));
        let shares: Vec<_> = blocks.iter().map(is_own).collect();
        estimate(format!("node_{}_chain_share", node.index()), &shares)
    });
    of_all.into_iter().flatten().chain(of_samples(simulation, batches)).chain(shares).collect()
}

/// Estimates what adds up block by block, by batches of as many samples; the first samples are left out if the batches do
/// not divide all.
fn of_samples(simulation: &Simulation, batches: usize) -> Vec<(String, Estimate)> {
    let (samples, apart) = simulation.samples();
    let intervals = samples.len().saturating_sub(1);
    let Some(batch) = intervals.checked_div(batches).filter(|batch| *batch > 0) else { return Vec::new() };
    let ends: Vec<_> = samples[intervals - batch * batches..].iter().step_by(batch).collect();
    let batches: Vec<_> = ends.windows(2).map(|ends| ends[1].means_since(ends[0])).collect();
    let figure = |place: usize| {
        let means = batches.iter().map(|batch| batch[place].1).collect::<Option<Vec<_>>>()?;
        let estimate = Estimate::of(&means).filter(|estimate| estimate.mean > 0.0)?;
        Some((batches[0][place].0.to_owned(), Estimate { batch: batch as u64 * apart, ..estimate }))
    };
    (0..batches.first().map_or(0, |batch| batch.len())).filter_map(figure).collect()
}

/// The blocks of the best chain that the report counts: their times in seconds, and who was paid for them.
fn counted(simulation: &Simulation, report: &Report) -> Vec<(f64, String)> {
    let chains = report.nodes.iter().filter_map(|node| simulation.chain(node.node).ok());
    let best = chains.reduce(|best, chain| {
        let is_better = chain.is_better_than(&best, simulation.rules());
        if is_better { chain } else { best }
    });
    let Some(best) = best else { return Vec::new() };
    let blocks = best.iter_after(best.len().saturating_sub(report.in_chain));
    if blocks.len() as u64 != report.in_chain {
        return Vec::new();
    }
    let blocks = blocks.map(|block| {
        let reward = block.transactions().last().filter(|last| last.sender() == REWARD_SENDER);
        (block.timestamp().seconds(), reward.map_or_else(String::new, |reward| reward.recipient().into()))
    });
    blocks.collect()
}
