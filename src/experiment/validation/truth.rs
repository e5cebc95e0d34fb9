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
