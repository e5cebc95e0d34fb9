//! The figures of a report, as columns of a row.

use std::time::Duration;

use super::row::Cell;
use crate::report::{Report, Spread};

/// What is read off a report, and its column's name.
type Figure = (&'static str, fn(&Report) -> Cell);

/// The figures of the network as a whole. What a name says in `Report` it says here; times are in seconds.
const OF_ALL: &[Figure] = &[
    ("duration_seconds", |report| seconds(report.duration)),
    ("mined", |report| Cell::Count(report.mined)),
    ("in_chain", |report| Cell::Count(report.in_chain)),
    ("stale", |report| Cell::Count(report.stale)),
    ("stale_rate", |report| Cell::Number(report.stale_rate)),
    ("block_interval_mean_seconds", |report| mean(&report.block_intervals)),
    ("block_interval_median_seconds", |report| median(&report.block_intervals)),
    ("propagation_mean_seconds", |report| mean(&report.propagation.to_each)),
    ("propagation_median_seconds", |report| median(&report.propagation.to_each)),
    ("propagation_half_median_seconds", |report| median(&report.propagation.to_half)),
    ("propagation_90_percent_median_seconds", |report| median(&report.propagation.to_90_percent)),
    ("propagation_all_median_seconds", |report| median(&report.propagation.to_all)),
    ("reorganisations", |report| Cell::Count(report.reorganisations.values().sum())),
    ("blocks_given_up", |report| {
        Cell::Count(report.reorganisations.iter().map(|(depth, count)| depth * count).sum())
    }),
    ("deepest_reorganisation", |report| {
        Cell::Count(report.reorganisations.last_key_value().map_or(0, |(depth, _)| *depth))
    }),
    ("transactions_lost", |report| Cell::Count(report.transactions_lost.values().sum())),
    ("messages_sent", |report| Cell::Count(report.messages.sent)),
    ("bytes_sent", |report| Cell::Count(report.messages.kinds.values().map(|volume| volume.bytes).sum())),
    ("messages_lost", |report| Cell::Count(report.messages.lost.values().sum())),
    ("crashes", |report| Cell::Count(report.crashes)),
    ("double_spends_tried", |report| Cell::Count(report.double_spends.tried)),
    ("double_spends_won", |report| Cell::Count(report.double_spends.won)),
    ("double_spends_stale", |report| Cell::Count(report.double_spends.stale)),
    ("double_spends_cost", |report| Cell::Count(report.double_spends.cost)),
];

/// The figures of one node; a column's name has the node's number before it, as `node_3_mined`.
const OF_A_NODE: [&str; 5] = ["mined", "in_chain", "stale", "chain_share", "attempts_share"];

/// Returns the names of the columns, with those of some nodes by their numbers.
pub(super) fn columns(nodes: &[u32]) -> impl Iterator<Item = String> {
    let of_all = OF_ALL.iter().map(|(name, _)| (*name).to_owned());
    of_all
        .chain(nodes.iter().flat_map(|node| OF_A_NODE.iter().map(move |name| format!("node_{node}_{name}"))))
}

/// Reads the figures off a report; those of a node that there is not are nothing.
pub(super) fn cells(report: &Report, nodes: &[u32]) -> impl Iterator<Item = Cell> {
    let of_all = OF_ALL.iter().map(|(_, read)| read(report));
    of_all.chain(nodes.iter().flat_map(|number| {
        let Some(node) = report.nodes.get(*number as usize) else {
            return OF_A_NODE.map(|_| Cell::Nothing);
        };
        [
            Cell::Count(node.mined),
            Cell::Count(node.in_chain),
            Cell::Count(node.mined - node.in_chain),
            Cell::Number(node.chain_share),
            Cell::Number(node.attempts_share),
        ]
    }))
}

fn seconds(duration: Duration) -> Cell {
    Cell::Number(duration.as_secs_f64())
}

fn mean(spread: &Spread) -> Cell {
    measured(spread, spread.mean)
}

fn median(spread: &Spread) -> Cell {
    measured(spread, spread.median)
}

/// Of no durations there is neither a mean nor a median.
fn measured(spread: &Spread, duration: Duration) -> Cell {
    if spread.count > 0 { seconds(duration) } else { Cell::Nothing }
}
