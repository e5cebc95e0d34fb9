//! The figures of a single run, and how far they are to be trusted.

use std::{cmp::Reverse, sync::Arc};

use super::estimate::Estimate;
use crate::{
    report::{Bins, Classes, NodeReport, PASSAGES, Report, Tally, rank},
    simulation::{Sampled, Simulation},
};

/// Of how many nodes, those with the most blocks in the chain, the share of it is estimated.
const NODES_MAX: usize = 10;

/// The percentiles that are estimated, by their names: those that a [`Spread`](crate::report::Spread) tells.
const PERCENTILES: [(&str, u64); 4] =
    [("median", 50), ("percentile_90", 90), ("percentile_95", 95), ("percentile_99", 99)];

/// Estimates the figures of one run by so many batches of blocks, as these follow and depend on each other:
///
/// - the stale rate;
/// - the seconds from a block to the next, their mean and their percentiles;
/// - if [samples](Simulation::take_samples) were taken, how long blocks take to come to each node, to half of the nodes, to
///   nine tenths and to all, means and percentiles; and what is counted, a block: the reorganisations, the blocks given up,
///   the messages and their bytes, in all and by what they are about, those that came, were dropped, missed or lost,
///   rejections, what was ignored, bans, lost transactions, and what came of double spends;
/// - of the ten nodes with the most blocks in the chain, the share of it that is paid to the node's own address.
///
/// Means are those of the batches. A percentile is the one of all batches together, and its standard error comes from those
/// of each; it is estimated if in every batch at least two durations are longer: the median takes batches of 4 and more, the
/// 99th percentile of 200. How long blocks take is known in bins of 3 % there, and a batch is taken to lie within a bin
/// as the whole run does.
///
/// Those are left out that have too few blocks, or of which there was nothing; those of samples, of which there are some
/// hundreds, with more than 255 batches; and, where final blocks were let go of, the shares and the seconds from block to
/// block. Without an interval are what is of the run as a whole: the longest durations, counts, such as how deep
/// reorganisations were, and shares of the attempts, which follow from the hash rates. A batch is to be much longer than
/// blocks depend on each other: where forks are long, or a chain retargets, take few batches or make replicates.
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
/// let median = simulation.report().block_intervals.median.as_secs_f64();
/// assert!((of("block_interval_median_seconds").mean / median - 1.0).abs() < 0.01);
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
    let percentiles = percentiles_of(&intervals, batches);

    let mut miners: Vec<_> = report.nodes.iter().filter(|node| node.in_chain > 0).collect();
    miners.sort_by_key(|node| Reverse(node.in_chain));
    miners.truncate(NODES_MAX);
    miners.sort_by_key(|node| node.node);
    let shares = miners.into_iter().filter_map(|NodeReport { node, .. }| {
        let address = simulation.address(*node).ok()?;
        let is_own =
            |(_, miner): &(f64, Option<Arc<str>>)| f64::from(u8::from(miner.as_ref() == Some(&address)));
        let shares: Vec<_> = blocks.iter().map(is_own).collect();
        estimate(format!("node_{}_chain_share", node.index()), &shares)
    });
    of_all
        .into_iter()
        .flatten()
        .chain(percentiles)
        .chain(of_samples(simulation, batches))
        .chain(shares)
        .collect()
}

/// Estimates the percentiles of the seconds from block to block by batches of as many; the first are left out if the
/// batches do not divide all.
fn percentiles_of(intervals: &[f64], batches: usize) -> Vec<(String, Estimate)> {
    let Some(batch) = intervals.len().checked_div(batches).filter(|batch| *batch > 0) else {
        return Vec::new();
    };
    let sorted = |values: &[f64]| {
        let mut values = values.to_vec();
        values.sort_by(f64::total_cmp);
        values
    };
    let counted = &intervals[intervals.len() - batch * batches..];
    let all = sorted(counted);
    let each: Vec<_> = counted.chunks_exact(batch).map(sorted).collect();
    let figure = |(name, percent): (&str, u64)| {
        let of = |values: &Vec<f64>| Some(values[rank(values.len() as u64, percent)? as usize - 1]);
        let of_each = each.iter().map(of).collect::<Option<Vec<_>>>()?;
        let estimate = Estimate::by_sections(of(&all)?, &of_each)?;
        Some((format!("block_interval_{name}_seconds"), Estimate { batch: batch as u64, ..estimate }))
    };
    PERCENTILES.into_iter().filter_map(figure).collect()
}

/// Estimates what is sampled, by batches of as many samples; the first samples are left out if the batches do not divide
/// all.
fn of_samples(simulation: &Simulation, batches: usize) -> Vec<(String, Estimate)> {
    let Sampled { samples, apart, all } = simulation.samples();
    let intervals = samples.len().saturating_sub(1);
    let Some(batch) = intervals.checked_div(batches).filter(|batch| *batch > 0) else { return Vec::new() };
    let samples = &samples[intervals - batch * batches..];
    let ends: Vec<_> = samples.iter().step_by(batch).map(|sample| &sample.tally).collect();
    let by_means = |mean: &dyn Fn(&Tally, &Tally) -> Option<f64>| {
        Estimate::of(&ends.windows(2).map(|ends| mean(ends[1], ends[0])).collect::<Option<Vec<_>>>()?)
    };
    let mut figures = Vec::new();
    for (passage, (name, all)) in PASSAGES.into_iter().zip(&all).enumerate() {
        let mean = by_means(&|tally, before| tally.mean_since(before, passage));
        figures.push((format!("{name}_mean_seconds"), mean));
        let since: Vec<_> = samples[1..].iter().map(|sample| &sample.since[passage]).collect();
        let together = bins_of(&since);
        let each: Vec<_> = since.chunks_exact(batch).map(bins_of).collect();
        figures.extend(PERCENTILES.map(|(percentile, percent)| {
            let of_each = each.iter().map(|part| all.percentile(part, percent)).collect::<Option<Vec<_>>>();
            let of_all = all.percentile(&together, percent);
            let estimate = of_each.zip(of_all).and_then(|(each, all)| Estimate::by_sections(all, &each));
            (format!("{name}_{percentile}_seconds"), estimate)
        }));
    }
    for (place, (name, _)) in samples[0].tally.counts.iter().enumerate() {
        figures.push(((*name).to_owned(), by_means(&|tally, before| tally.counted_since(before, place))));
    }
    let of_blocks = |estimate: Estimate| Estimate { batch: batch as u64 * apart, ..estimate };
    let is_some = |estimate: &Estimate| estimate.mean > 0.0;
    let figure = |(name, estimate): (String, Option<Estimate>)| {
        estimate.filter(is_some).map(|estimate| (name, of_blocks(estimate)))
    };
    figures.into_iter().filter_map(figure).collect()
}

/// How many durations lie in each bin, of several samples together.
fn bins_of(since: &[&Classes]) -> Bins {
    let mut bins = Bins::new();
    since.iter().for_each(|since| bins.add(since, 1));
    bins
}

/// The blocks of the best chain that the report counts: their times in seconds, and who was paid for them.
fn counted(simulation: &Simulation, report: &Report) -> Vec<(f64, Option<Arc<str>>)> {
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
        let reward = block.transactions().last().filter(|last| last.is_reward());
        (block.timestamp().seconds(), reward.map(|reward| Arc::clone(reward.recipient_address())))
    });
    blocks.collect()
}
