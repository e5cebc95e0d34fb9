//! Published figures, as data.

use serde::Deserialize;

/// What nobody of this project made, with its sources: `tests/truth/published.json`.
#[derive(Debug, Deserialize)]
pub(super) struct Truth {
    pub(super) darosior_miningsimulation: NineMiners,
    pub(super) two_equal_miners: Rows<TwoEqual>,
    pub(super) two_miners_general: Rows<Two>,
    pub(super) fork_probability_from_sync: Rows<FromSync>,
    pub(super) eyal_sirer: Rows<Selfish>,
    #[cfg(test)]
    regions_2019: RegionRows,
}

impl Truth {
    pub(super) fn read() -> Self {
        let text = include_str!("../../../tests/truth/published.json");
        serde_json::from_str(text).expect("the file comes with this crate, and a test reads it")
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Rows<T> {
    /// A paper, where there is more than a formula.
    pub(super) source: Option<String>,
    pub(super) formula: Option<String>,
    pub(super) rows: Vec<T>,
}

impl<T> Rows<T> {
    pub(super) fn source(&self) -> String {
        let source = self.source.as_ref().or(self.formula.as_ref());
        source.cloned().unwrap_or_default()
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct NineMiners {
    pub(super) source: String,
    #[serde(rename = "D_10s")]
    pub(super) ten_seconds: NineShares,
}

/// In per cent, by miner.
#[derive(Debug, Deserialize)]
pub(super) struct NineShares {
    pub(super) hash_pct: Vec<f64>,
    pub(super) share_pct: Vec<f64>,
    pub(super) stale_pct: Vec<f64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct TwoEqual {
    pub(super) x: f64,
    pub(super) stale_fraction: f64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Two {
    pub(super) h: Vec<f64>,
    #[serde(rename = "lambdaD")]
    pub(super) x: f64,
    pub(super) stale_fraction: f64,
}

#[derive(Debug, Deserialize)]
pub(super) struct FromSync {
    pub(super) n: usize,
    #[serde(rename = "lambdaD")]
    pub(super) x: f64,
    pub(super) prob: f64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Selfish {
    pub(super) alpha: f64,
    pub(super) gamma: f64,
    #[serde(rename = "R_pool")]
    pub(super) revenue: f64,
    pub(super) main_chain_per_block: f64,
}

#[cfg(test)]
#[derive(Debug, Deserialize)]
struct RegionRows {
    names: Vec<String>,
    share: Vec<f64>,
    latency_ms: Vec<Vec<u64>>,
    upload_mbit_s: Vec<f64>,
    download_mbit_s: Vec<f64>,
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::wire::{Bandwidth, Latency, Region, Regions};

    #[test]
    fn the_regions_are_those_that_were_published() {
        let published = Truth::read().regions_2019;
        let bytes = |megabits: f64| (megabits * 1e6 / 8.0).round() as u64;
        let region = |place: usize| Region {
            name: published.names[place].as_str().into(),
            share: published.share[place],
            bandwidth: Bandwidth::new(
                bytes(published.upload_mbit_s[place]),
                bytes(published.download_mbit_s[place]),
            )
            .unwrap(),
        };
        let made = |latency: fn(u64) -> Latency| {
            let rows =
                published.latency_ms.iter().map(|row| row.iter().map(|millis| latency(*millis)).collect());
            let regions = (0..published.names.len()).map(region).collect();
            Regions::new(regions, rows.collect()).unwrap()
        };
        assert!(made(|millis| Latency::fixed(Duration::from_millis(millis))) == Regions::of_2019());
        // "Pareto with shape 0.2*mean and scale mean-5 (ms)".
        let drawn = made(|mean| Latency::pareto(Duration::from_millis(mean - 5), mean as f64 / 5.0).unwrap());
        assert!(drawn == Regions::of_2019_drawn());
    }
}
