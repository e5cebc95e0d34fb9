//! Means, and how far they are to be trusted.

use serde::Serialize;

use super::student;

/// A mean, or a percentile, with its standard error and its 95 % interval, which is Student's t.
///
/// ```
/// use chainlab::experiment::Estimate;
///
/// let estimate = Estimate::of(&[9.0, 10.0, 11.0]).expect("two values or more");
/// assert_eq!((estimate.mean, estimate.count), (10.0, 3));
/// assert_eq!(format!("{:.2} to {:.2}", estimate.low, estimate.high), "7.52 to 12.48");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// The mean; of a percentile itself, the one of all values together.
    pub mean: f64,
    /// The standard deviation of such means, or such percentiles.
    pub standard_error: f64,
    /// Where the 95 % interval begins.
    pub low: f64,
    /// Where the 95 % interval ends.
    pub high: f64,
    /// How many values the mean is of, which are taken as independent of each other: replicates, or batches.
    pub count: u64,
    /// How many values a batch has; 1, if the values are taken by themselves.
    pub batch: u64,
}

impl Estimate {
    /// Estimates the mean of what independent values are drawn from, such as those of replicates. None if there are fewer
    /// than two.
    pub fn of(values: &[f64]) -> Option<Self> {
        let mut moments = Moments::default();
        values.iter().for_each(|value| moments.add(*value));
        moments.estimate()
    }

    /// Estimates a mean within one run, of values that follow and depend on each other, by the means of so many batches
    /// of as many values each. The first values are left out, if the batches do not divide all. None if there are fewer
    /// than two batches, or fewer values than batches.
    ///
    /// A batch is to be much longer than values depend on each other.
    ///
    /// ```
    /// use chainlab::experiment::Estimate;
    ///
    /// let values: Vec<f64> = (0..1005).map(|number| f64::from(number % 2)).collect();
    /// let estimate = Estimate::by_batches(&values, 10).expect("there are enough");
    /// assert_eq!((estimate.mean, estimate.standard_error), (0.5, 0.0));
    /// assert_eq!((estimate.count, estimate.batch), (10, 100));
    /// ```
    pub fn by_batches(values: &[f64], batches: usize) -> Option<Self> {
        let batch = values.len().checked_div(batches).filter(|batch| *batch > 0)?;
        let mut moments = Moments::default();
        for values in values[values.len() - batch * batches..].chunks_exact(batch) {
            moments.add(values.iter().sum::<f64>() / batch as f64);
        }
        Some(Self { batch: batch as u64, ..moments.estimate()? })
    }
}

impl Estimate {
    /// Estimates what is not a mean, such as a percentile, within one run: by what it is of all batches together, and how
    /// far what it is of each lies from that. Its mean over batches would be off by more than it is uncertain, as a
    /// percentile of few values is biased. None if there are fewer than two batches.
    ///
    /// Source: sectioning, in Nakayama, "Confidence intervals for quantiles using sectioning when applying
    /// variance-reduction techniques" (ACM Transactions on Modeling and Computer Simulation 24, 2014).
    pub(super) fn by_sections(of_all: f64, of_each: &[f64]) -> Option<Self> {
        let squares = of_each.iter().map(|value| (value - of_all) * (value - of_all)).sum();
        Moments { count: of_each.len() as u64, mean: of_all, squares }.estimate()
    }

    /// Returns the mean, the standard error and the interval, as a person reads them.
    ///
    /// ```
    /// use chainlab::experiment::Estimate;
    ///
    /// let estimate = Estimate::of(&[9.0, 10.0, 11.0]).expect("two values or more");
    /// assert_eq!(estimate.texts(), ["10.000", "0.577", "7.516 to 12.484"]);
    /// ```
    pub fn texts(&self) -> [String; 3] {
        let Self { mean, standard_error, low, high, .. } = *self;
        // Digits beyond a hundredth of the interval say nothing.
        let size = if standard_error > 0.0 { standard_error } else { mean };
        [
            short(mean, size),
            short(standard_error, size),
            format!("{} to {}", short(low, size), short(high, size)),
        ]
    }
}

/// Writes a number with three digits of a size.
pub(super) fn short(number: f64, size: f64) -> String {
    let magnitude = if size == 0.0 { 0.0 } else { libm::floor(libm::log10(size.abs())) };
    let digits = (2.0 - magnitude).clamp(0.0, 12.0) as usize;
    format!("{number:.digits$}")
}

/// Values, of which only what their mean and variance need is kept.
///
/// Source: Welford, "Note on a method for calculating corrected sums of squares and products" (Technometrics 4, 1962).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Moments {
    pub(super) count: u64,
    pub(super) mean: f64,
    /// The sum of the squared distances from it.
    squares: f64,
}

impl Moments {
    pub(super) fn add(&mut self, value: f64) {
        self.count += 1;
        let distance = value - self.mean;
        self.mean += distance / self.count as f64;
        self.squares += distance * (value - self.mean);
    }

    pub(super) fn estimate(&self) -> Option<Estimate> {
        let &Self { count, mean, squares } = self;
        if count < 2 {
            return None;
        }
        let standard_error = (squares / (count - 1) as f64 / count as f64).sqrt();
        let reach = student::quantile(count - 1) * standard_error;
        Some(Estimate { mean, standard_error, low: mean - reach, high: mean + reach, count, batch: 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_cannot_be_estimated_is_not() {
        assert_eq!(Estimate::of(&[]), None);
        assert_eq!(Estimate::of(&[1.0]), None);
        assert_eq!(Estimate::by_batches(&[1.0; 9], 0), None);
        assert_eq!(Estimate::by_batches(&[1.0; 9], 1), None);
        assert_eq!(Estimate::by_batches(&[1.0; 9], 10), None);
    }

    proptest! {
        /// The textbook's two passes over all values.
        #[test]
        fn it_is_the_textbooks(values in prop::collection::vec(-1e6..1e6, 2..200)) {
            let count = values.len() as f64;
            let mean = values.iter().sum::<f64>() / count;
            let variance = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / (count - 1.0);
            let found = Estimate::of(&values).unwrap();
            prop_assert!((found.mean - mean).abs() < 1e-6);
            prop_assert!((found.standard_error - (variance / count).sqrt()).abs() < 1e-6);
            prop_assert!((found.high - found.mean - (found.mean - found.low)).abs() < 1e-6);
            let alone = Estimate::by_batches(&values, values.len()).unwrap();
            prop_assert_eq!(alone, found, "batches of one");
        }
    }
}
