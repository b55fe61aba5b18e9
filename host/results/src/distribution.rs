//! A histogram in little room: only the values that occurred.
//!
//! The dense histograms of the race add up fast but take a few hundred kilobytes each; once a task is over its
//! histograms are kept like this. The buckets are the same, so nothing is lost on the way.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;

use crate::percentiles::{interpolated_percentile, percentiles_for_sample_size};

const NANOSECONDS_PER_MILLISECOND: f64 = 1e6;

/// How often which time occurred, in nanoseconds, to the resolution of the histograms that it was made of (three
/// significant digits: at most 0.05 % off, as each bucket counts with its middle).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Distribution {
    counts: BTreeMap<u64, u64>,
    count: u64,
    // Integers add up the same in every order, floating point would not.
    sum: u128,
}

/// What a report shows of a distribution. Times are in milliseconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    /// Number of samples.
    pub count: u64,
    /// Percentile and its value, as many as the sample size carries.
    pub percentiles: Vec<(f64, f64)>,
    /// Arithmetic mean.
    pub mean: f64,
}

impl Distribution {
    /// Adds all samples of a histogram of nanoseconds.
    pub fn add_histogram(&mut self, histogram: &Histogram<u64>) {
        for step in histogram.iter_recorded() {
            let value = histogram.median_equivalent(step.value_iterated_to());
            self.add(value, step.count_at_value());
        }
    }

    /// Adds all samples of another distribution.
    pub fn merge(&mut self, other: &Distribution) {
        for (&value, &count) in &other.counts {
            self.add(value, count);
        }
    }

    fn add(&mut self, nanoseconds: u64, count: u64) {
        *self.counts.entry(nanoseconds).or_default() += count;
        self.count += count;
        self.sum += u128::from(nanoseconds) * u128::from(count);
    }

    /// Number of samples.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The percentile (0 to 100) in nanoseconds; `None` without samples.
    pub fn percentile(&self, percentile: f64) -> Option<f64> {
        interpolated_percentile(self.count, percentile, |index| self.at(index) as f64)
    }

    /// The sample with this index in ascending order.
    fn at(&self, index: u64) -> u64 {
        let mut seen = 0;
        for (&value, &count) in &self.counts {
            seen += count;
            if seen > index {
                return value;
            }
        }
        self.counts.last_key_value().map_or(0, |(&value, _)| value)
    }

    /// Arithmetic mean in nanoseconds; `None` without samples.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum as f64 / self.count as f64)
    }

    /// The figures of a report; `None` without samples.
    pub fn figures(&self) -> Option<Figures> {
        let percentiles = percentiles_for_sample_size(self.count)
            .iter()
            .filter_map(|&percentile| {
                Some((percentile, self.percentile(percentile)? / NANOSECONDS_PER_MILLISECOND))
            })
            .collect();
        Some(Figures { count: self.count, percentiles, mean: self.mean()? / NANOSECONDS_PER_MILLISECOND })
    }
}

impl Figures {
    /// The value of a percentile in milliseconds, if the sample size carries it.
    pub fn percentile(&self, percentile: f64) -> Option<f64> {
        self.percentiles.iter().find(|(known, _)| *known == percentile).map(|(_, value)| *value)
    }
}
