//! Where nodes lie: regions, and how far they are from each other.

use std::{fmt, sync::Arc, time::Duration};

use super::{
    Bandwidth, Latency,
    draw::{Key, Purpose},
};
use crate::{NodeId, text::shortened};

/// A region of the world.
#[derive(Debug, Clone, PartialEq)]
pub struct Region {
    /// Its name.
    pub name: Arc<str>,
    /// What part of the nodes lies there, beside the other regions' parts.
    pub share: f64,
    /// The bandwidth of a node there.
    pub bandwidth: Bandwidth,
}

/// Regions, and the latency from each to each. Cloning copies nothing.
///
/// Which region a node lies in is drawn from the network's seed and the node's number: a node more moves no other.
///
/// ```
/// use chainlab::{Network, Rules, wire::Regions};
///
/// let network = Network::new(Rules::sealed());
/// network.set_regions(Some(Regions::of_2019()));
/// let node = network.spawn()?;
/// let region = network.region(node)?.expect("it lies in one of the six");
/// assert!(Regions::of_2019().iter().any(|other| other.name == region.name));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq)]
#[must_use]
pub struct Regions(Arc<Table>);

#[derive(Debug, PartialEq)]
struct Table {
    regions: Vec<Region>,
    /// From each to each, row by row.
    latency: Vec<Latency>,
    shares: f64,
}

impl Regions {
    /// Makes regions from a table of latencies, of which each row is of the region that is sent from.
    ///
    /// # Errors
    ///
    /// If there is no region, a share is negative or not a number, all are 0, or the table is not square.
    pub fn new(regions: Vec<Region>, latency: Vec<Vec<Latency>>) -> Result<Self, RegionsError> {
        let count = regions.len();
        if let Some(region) = regions.iter().find(|region| !(0.0..=f64::MAX).contains(&region.share)) {
            return Err(RegionsError::Share { region: shortened(&region.name).into(), share: region.share });
        }
        let shares = regions.iter().fold(0.0, |sum, region| sum + region.share);
        if shares <= 0.0 || shares == f64::INFINITY {
            return Err(RegionsError::Shares { sum: shares });
        }
        if latency.len() != count || latency.iter().any(|row| row.len() != count) {
            let lengths = || latency.iter().map(Vec::len);
            return Err(RegionsError::Latencies {
                regions: count,
                rows: latency.len(),
                least: lengths().min().unwrap_or(0),
                most: lengths().max().unwrap_or(0),
            });
        }
        Ok(Self(Arc::new(Table { regions, latency: latency.concat(), shares })))
    }

    /// Returns the six regions of the Bitcoin network of 2019, their shares of the nodes, mean latencies and bandwidths.
    ///
    /// Source: `NetworkConfiguration` of SimBlock (Aoki, Otsuki, Kaneko, Banno and Shudo, "SimBlock: a blockchain network
    /// simulator", 2019), which draws a latency for each message around the means that are taken here:
    /// [`Regions::of_2019_drawn`] does so, too.
    pub fn of_2019() -> Self {
        Self::six(|millis| Latency::fixed(Duration::from_millis(millis)))
    }

    /// Returns the six regions of [`Regions::of_2019`] with a latency drawn anew for each message: from the Pareto
    /// distribution of the same mean m, at least m less 5 ms, of the shape m / 5 ms.
    ///
    /// In a simulation each block is carried from node to node: how one spreads does not tell how the next one will.
    ///
    /// Source: `NetworkConfiguration` and `Network.getLatency` of SimBlock (2019).
    ///
    /// ```
    /// use std::time::Duration;
    /// use chainlab::wire::{Latency, Regions};
    ///
    /// // Between north america and europe 124 ms are taken on average.
    /// let latency = Latency::pareto(Duration::from_millis(119), 24.8)?;
    /// assert_eq!(Regions::of_2019_drawn().latency(0, 1), Some(latency));
    /// # Ok::<(), chainlab::wire::LatencyError>(())
    /// ```
    pub fn of_2019_drawn() -> Self {
        Self::six(|millis| {
            let shape = millis as f64 / 5.0;
            Latency::pareto(Duration::from_millis(millis - 5), shape).expect("each mean is more than 5 ms")
        })
    }

    /// The six regions of 2019, with the latency that is made of each mean in milliseconds.
    fn six(latency: impl Fn(u64) -> Latency) -> Self {
        let region = |(name, share, upload, download): (&str, f64, f64, f64)| {
            let bytes = |megabits: f64| (megabits * 1e6 / 8.0) as u64;
            let bandwidth = Bandwidth::new(bytes(upload), bytes(download)).expect("neither is zero");
            Region { name: name.into(), share, bandwidth }
        };
        let regions = [
            ("north america", 0.3316, 19.2, 52.0),
            ("europe", 0.4998, 20.7, 40.0),
            ("south america", 0.009, 5.8, 18.0),
            ("asia pacific", 0.1177, 15.7, 22.8),
            ("japan", 0.0224, 10.2, 22.8),
            ("australia", 0.0195, 11.3, 29.9),
        ];
        let means = [
            [32, 124, 184, 198, 151, 189],
            [124, 11, 227, 237, 252, 294],
            [184, 227, 88, 325, 301, 322],
            [198, 237, 325, 85, 58, 198],
            [151, 252, 301, 58, 12, 126],
            [189, 294, 322, 198, 126, 16],
        ];
        let latencies = means.map(|row| row.map(&latency).to_vec());
        Self::new(regions.map(region).into(), latencies.into()).expect("a square table and shares above 0")
    }

    /// Iterates over the regions.
    pub fn iter(&self) -> impl Iterator<Item = &Region> {
        self.0.regions.iter()
    }

    /// Returns the latency from one region to another, by their places; nothing if one is not there.
    pub fn latency(&self, from: usize, to: usize) -> Option<Latency> {
        let count = self.0.regions.len();
        (from < count && to < count).then(|| self.0.latency[from * count + to])
    }

    /// Returns the place of the region that a node lies in, in a network of a seed.
    pub fn place_of(&self, node: NodeId, seed: u64) -> usize {
        let key = Key::new(seed).and(Purpose::Region as u64).and(node.index() as u64);
        let mut left = key.uniform() * self.0.shares;
        let is_there = |region: &Region| {
            left -= region.share;
            left < 0.0
        };
        // What rounding leaves over is the last's that has a share.
        let last = self.0.regions.iter().rposition(|region| region.share > 0.0);
        self.0.regions.iter().position(is_there).or(last).expect("some region has a share")
    }

    pub(super) fn region(&self, place: usize) -> &Region {
        &self.0.regions[place]
    }
}

impl fmt::Debug for Regions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|region| &region.name)).finish()
    }
}

/// Regions that cannot be.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RegionsError {
    /// A region's share is no part of anything.
    #[error("the share of {region} is {share}, not a number from 0 up")]
    Share {
        /// The region.
        region: Arc<str>,
        /// What was given.
        share: f64,
    },
    /// No region has a share, or all together are too large.
    #[error("the shares of all regions are {sum} together: no node can be placed by them")]
    Shares {
        /// Their sum.
        sum: f64,
    },
    /// The latencies are not from each region to each.
    #[error(
        "{regions} regions take {regions} rows of as many latencies each, found {rows}, the shortest of {least} and the longest of {most}"
    )]
    Latencies {
        /// How many regions there are.
        regions: usize,
        /// How many rows.
        rows: usize,
        /// How many latencies the shortest row has.
        least: usize,
        /// How many the longest has.
        most: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_spread_by_the_shares() {
        let regions = Regions::of_2019();
        let mut counts = [0; 6];
        (0..100_000).for_each(|node| counts[regions.place_of(NodeId::new(node), 7)] += 1);
        for (region, count) in regions.iter().zip(counts) {
            let share = f64::from(count) / 1e5;
            let deviation = (region.share * (1.0 - region.share) / 1e5).sqrt();
            assert!((share - region.share).abs() < 4.0 * deviation, "{}: {share}", region.name);
        }
        assert_eq!(regions.latency(4, 3), Some(Latency::fixed(Duration::from_millis(58))));
        assert_eq!(regions.latency(6, 0), None);
    }

    #[test]
    fn the_last_region_with_a_share_takes_what_rounding_leaves() {
        let region = |share| Region { name: "here".into(), share, bandwidth: Bandwidth::default() };
        let rows = vec![vec![Latency::ZERO; 3]; 3];
        let regions = Regions::new(vec![region(0.0), region(1e-300), region(0.0)], rows).unwrap();
        assert!((0..1000).all(|node| regions.place_of(NodeId::new(node), 1) == 1));
    }

    #[test]
    fn bad_values_are_named() {
        let region = |share| Region { name: "there".into(), share, bandwidth: Bandwidth::default() };
        let message = |regions, latency| Regions::new(regions, latency).unwrap_err().to_string();
        assert_eq!(message(vec![region(-0.5)], vec![]), "the share of there is -0.5, not a number from 0 up");
        assert!(message(vec![region(f64::NAN)], vec![]).contains("NaN"));
        assert!(message(vec![], vec![]).starts_with("the shares of all regions are 0 together"));
        assert!(message(vec![region(f64::MAX), region(f64::MAX)], vec![]).contains("inf"));
        assert_eq!(
            message(vec![region(1.0)], vec![vec![Latency::ZERO; 2]]),
            "1 regions take 1 rows of as many latencies each, found 1, the shortest of 2 and the longest of 2"
        );
    }
}
