//! Curves of one chain.

use super::curve::{Curve, Point, Shape};
use crate::blockchain::Blockchain;

/// How many bars a histogram has.
const BARS: usize = 30;

impl Curve {
    /// Makes the curve of a chain's difficulty: how many hashes a proof took on average, against the time since its second
    /// block, as the blocks tell it. The first block has no proof of its own.
    ///
    /// ```
    /// use chainlab::{Blockchain, Rules, Time, picture::Curve, pow::Target};
    ///
    /// let rules = Rules::notebook().with_first_target(Target::leading_zero_bits(4));
    /// let mut chain = Blockchain::start(&rules, Time::UNIX_EPOCH)?;
    /// for second in [10, 20, 25] {
    ///     chain = chain.mine_next(&rules, [], "alice", Time::from_secs(second))?;
    /// }
    /// let curve = Curve::difficulty(&chain);
    /// assert_eq!(curve.points().last().map(|point| (point.x, point.mean)), Some((15.0, 16.0)));
    ///
    /// // From 10 to 20 s, and from 20 to 25 s.
    /// let curve = Curve::block_intervals(&chain);
    /// assert_eq!(curve.points().iter().map(|point| point.mean).sum::<f64>(), 2.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn difficulty(chain: &Blockchain) -> Self {
        let mut points: Vec<(f64, f64)> = Vec::new();
        let mut next = Some(chain.clone());
        while let Some(chain) = next.filter(|chain| chain.len() > 1) {
            let (seconds, difficulty) = (seconds(&chain), chain.target().work().as_f64());
            // Of those alike in a row the first alone is a step, the last the end.
            let is_repeated =
                matches!(points[..], [.., (_, one), (_, other)] if one == difficulty && other == difficulty);
            if is_repeated {
                points.pop();
            }
            points.push((seconds, difficulty));
            next = chain.parent();
        }
        let start = points.last().map_or(0.0, |(seconds, _)| *seconds);
        let points = points.into_iter().rev().map(|(seconds, mean)| {
            // Timestamps may go back; time does not.
            Point { x: (seconds - start).max(0.0), mean, low: mean, high: mean }
        });
        Self {
            title: "difficulty".into(),
            x: "seconds since block 2".into(),
            y: "expected hashes".into(),
            shape: Shape::Steps,
            points: points.collect(),
            published: None,
        }
    }

    /// Makes the histogram of the times between a chain's blocks, as the blocks tell them, from the second one on. A time
    /// that would be negative is 0.
    pub fn block_intervals(chain: &Blockchain) -> Self {
        let micros: Vec<_> = chain.iter_after(1).map(|block| block.timestamp().rounded_micros()).collect();
        let intervals: Vec<_> = micros.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect();
        // In whole microseconds, and so that the longest is in the last bar.
        let longest = intervals.iter().copied().max().unwrap_or(0);
        let width = longest / BARS as u64 + 1;
        let mut counts = [0_u64; BARS];
        for interval in &intervals {
            counts[usize::try_from(interval / width).expect("there are that few bars")] += 1;
        }
        let is_empty = intervals.is_empty();
        let points = (0_u64..).zip(counts).filter(|_| !is_empty).map(|(bar, count)| {
            let mean = count as f64;
            Point { x: (bar * width) as f64 / 1e6, mean, low: mean, high: mean }
        });
        Self {
            title: "block intervals".into(),
            x: "seconds from a block to the next".into(),
            y: "blocks".into(),
            shape: Shape::Bars { width: width as f64 / 1e6 },
            points: points.collect(),
            published: None,
        }
    }
}

fn seconds(chain: &Blockchain) -> f64 {
    chain.tip_micros() as f64 / 1e6
}
