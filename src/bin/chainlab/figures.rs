//! Figures as a table.

use chainlab::experiment::Estimate;

/// Writes figures with their intervals, and the batches that those are of.
pub(crate) fn table(estimates: &[(String, Estimate)]) -> String {
    let width = estimates.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut text =
        format!("{:width$}  {:>12}  {:>14}  95 % interval by batches\n", "figure", "mean", "standard error");
    for (name, estimate) in estimates {
        let Estimate { count, batch, .. } = estimate;
        let [mean, error, interval] = estimate.texts();
        let batches = format!("{count} batches of {batch}");
        text.push_str(&format!("{name:width$}  {mean:>12}  {error:>14}  {interval}, {batches}\n"));
    }
    text
}
