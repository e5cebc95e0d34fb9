//! A report as a text.

use std::{
    collections::BTreeMap,
    fmt::{self, Display},
};

use super::{
    figures::{DoubleSpends, NodeReport, Propagation, Report, Volume},
    spread::Spread,
};
use crate::{message::MessageKind, wire};

impl Display for Report {
    /// Writes a table of the nodes that mine and a line for each other figure; what did not happen is left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { duration, mined, in_chain, stale, .. } = self;
        writeln!(f, "{} in {duration:.1?}", nodes(self.nodes.len()))?;
        let stale_rate = percent(self.stale_rate);
        writeln!(f, "{mined} blocks mined, {in_chain} in the chain, {stale} stale ({stale_rate})")?;
        self.write_nodes(f)?;
        write_times(f, self)?;
        write_counts(f, "reorganisations", &self.reorganisations, |depth| {
            format!("{depth} {}", if *depth == 1 { "block" } else { "blocks" })
        })?;
        self.write_messages(f)?;
        write_counts(f, "rejected", &self.rejections, |name| (*name).to_owned())?;
        write_counts(f, "ignored", &self.ignored, ToString::to_string)?;
        write_counts(f, "transactions lost", &self.transactions_lost, ToString::to_string)?;
        let attacks = &self.double_spends;
        if attacks.tried > 0 {
            let DoubleSpends { tried, won, stale, cost } = attacks;
            writeln!(f, "double spends: {tried} tried, {won} won; {stale} blocks in vain, a cost of {cost}")?;
        }
        let others = [
            ("blocks replayed, not carried message by message", self.replayed),
            ("documents rejected", self.rejected_documents),
            ("peers banned", self.banned),
            ("crashes", self.crashes),
            ("restarts", self.restarts),
            ("panics", self.panics),
        ];
        for (name, count) in others.into_iter().filter(|(_, count)| *count > 0) {
            writeln!(f, "{name}: {count}")?;
        }
        Ok(())
    }
}

impl Report {
    fn write_nodes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (miners, others): (Vec<_>, Vec<_>) =
            self.nodes.iter().partition(|node| node.mined > 0 || node.attempts > 0);
        if miners.is_empty() {
            return Ok(());
        }
        let width = miners.iter().map(|node| node.name.chars().count()).max().unwrap_or(0).max("miner".len());
        writeln!(f)?;
        writeln!(
            f,
            "{:width$}  {:>8}  {:>8}  {:>14}  {:>16}  {:>17}",
            "miner", "mined", "in chain", "share of chain", "attempts", "share of attempts"
        )?;
        for node in miners {
            let NodeReport { name, mined, in_chain, attempts, .. } = node;
            let [of_chain, of_attempts] = [node.chain_share, node.attempts_share].map(percent);
            let counts = format_args!("{mined:>8}  {in_chain:>8}  {of_chain:>14}  {attempts:>16}");
            writeln!(f, "{name:width$}  {counts}  {of_attempts:>17}")?;
        }
        if !others.is_empty() {
            writeln!(f, "and {} that did not mine", nodes(others.len()))?;
        }
        writeln!(f)
    }

    fn write_messages(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let messages = &self.messages;
        if messages.sent == 0 {
            return Ok(());
        }
        write!(f, "messages: {} sent, {} delivered", messages.sent, messages.delivered)?;
        if messages.dropped > 0 {
            write!(f, ", {} dropped at full inboxes", messages.dropped)?;
        }
        if messages.missed > 0 {
            write!(f, ", {} missed by nodes that were down", messages.missed)?;
        }
        for (reason, count) in messages.lost.iter().filter(|(_, count)| **count > 0) {
            write!(f, ", {count} lost {}", lost_on_link(*reason))?;
        }
        writeln!(f)?;
        let kinds: Vec<_> = messages.kinds.iter().map(|(kind, volume)| sent_about(*kind, *volume)).collect();
        if kinds.is_empty() { Ok(()) } else { writeln!(f, "of those sent: {}", kinds.join(", ")) }
    }
}

fn write_times(f: &mut fmt::Formatter<'_>, report: &Report) -> fmt::Result {
    let Propagation { pairs: _, to_each, to_half, to_90_percent, to_all } = &report.propagation;
    if report.block_intervals.count == 0 && to_each.count == 0 {
        return Ok(());
    }
    let columns = ["mean", "median", "90 %", "95 %", "99 %", "max"];
    write_row(f, "time", "count", columns.map(str::to_owned))?;
    let rows = [
        ("  from block to block", &report.block_intervals),
        ("  to each node", to_each),
        ("  to half of the nodes", to_half),
        ("  to 90 % of the nodes", to_90_percent),
        ("  to all nodes", to_all),
    ];
    for (name, spread) in rows {
        let &Spread { count, mean, median, percentile_90, percentile_95, percentile_99, max, bins: _ } =
            spread;
        let times = [mean, median, percentile_90, percentile_95, percentile_99, max];
        let times = times.map(|time| if count == 0 { "-".to_owned() } else { format!("{time:.2?}") });
        write_row(f, name, &count.to_string(), times)?;
    }
    writeln!(f)
}

fn write_row(f: &mut fmt::Formatter<'_>, name: &str, count: &str, times: [String; 6]) -> fmt::Result {
    write!(f, "{name:24}  {count:>8}")?;
    times.iter().try_for_each(|time| write!(f, "  {time:>8}"))?;
    writeln!(f)
}

/// Writes counts on one line: `rejected: 4 × Overdraft, 1 × Proof`.
fn write_counts<K>(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    counts: &BTreeMap<K, u64>,
    text: impl Fn(&K) -> String,
) -> fmt::Result {
    if counts.is_empty() {
        return Ok(());
    }
    let counts: Vec<_> = counts.iter().map(|(key, count)| format!("{count} × {}", text(key))).collect();
    writeln!(f, "{name}: {}", counts.join(", "))
}

fn sent_about(kind: MessageKind, Volume { messages, bytes }: Volume) -> String {
    let what = match kind {
        MessageKind::Chains => "whole chains",
        MessageKind::Blocks => "blocks",
        MessageKind::Transactions => "transactions",
    };
    format!("{messages} about {what} ({bytes} bytes)")
}

fn nodes(count: usize) -> String {
    format!("{count} {}", if count == 1 { "node" } else { "nodes" })
}

fn percent(share: f64) -> String {
    format!("{:.2} %", 100.0 * share)
}

fn lost_on_link(reason: wire::MessageLoss) -> &'static str {
    match reason {
        wire::MessageLoss::Loss => "by chance",
        wire::MessageLoss::Partition => "to a partition",
        wire::MessageLoss::Verdict => "by a verdict",
        wire::MessageLoss::Crash => "in a crash",
    }
}
