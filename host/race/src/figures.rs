//! What runners report about their requests beyond weight and unit, in a form that adds up over threads, laps and machines and
//! whose size does not depend on the number of requests.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::wire::figures::{number, pairs};

/// The number of keys of request metadata that are kept for a task: the first ones in alphabetical order, whatever the order in
/// which they come, so that what is kept is whole.
pub const MOST_META_KEYS: usize = 32;

/// Longer keys, in bytes, are not kept: each takes its place in every record of the task.
pub const LONGEST_META_KEY: usize = 128;

/// Bits of a rate's binary form that do not distinguish rates: the rest has a precision of 0.1 %, as the histograms have.
const RATE_BITS: u32 = 52 - 10;

/// A number of which many were seen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Figure {
    /// How many.
    pub count: u64,
    /// Their sum.
    #[serde(with = "number")]
    pub sum: f64,
    /// The least.
    #[serde(with = "number")]
    pub min: f64,
    /// The greatest.
    #[serde(with = "number")]
    pub max: f64,
}

impl Figure {
    /// One number.
    pub fn of(value: f64) -> Figure {
        Figure { count: 1, sum: value, min: value, max: value }
    }

    /// Takes in others.
    pub fn merge(&mut self, other: &Figure) {
        self.count += other.count;
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// Their mean.
    pub fn mean(&self) -> f64 {
        self.sum / self.count.max(1) as f64
    }
}

/// The numbers that runners report for successful measured requests, by key (Rally's request meta-data). Texts, objects,
/// lists and booleans are none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RequestMeta {
    /// At most [`MOST_META_KEYS`] of them.
    pub figures: BTreeMap<String, Figure>,
    /// Numbers under keys that are not kept, and what runners of extensions report that are not numbers.
    pub dropped: u64,
}

impl RequestMeta {
    /// Takes in the meta of a request.
    pub fn add(&mut self, meta: &Map<String, Value>) {
        for (key, value) in meta {
            let Value::Number(number) = value else { continue };
            let Some(value) = number.as_f64().filter(|value| value.is_finite()) else { continue };
            match self.figures.get_mut(key.as_str()) {
                Some(figure) => figure.merge(&Figure::of(value)),
                None => self.insert(key, Figure::of(value)),
            }
        }
    }

    /// Takes in what others saw.
    pub fn merge(&mut self, other: &RequestMeta) {
        self.dropped += other.dropped;
        for (key, more) in &other.figures {
            match self.figures.get_mut(key.as_str()) {
                Some(figure) => figure.merge(more),
                None => self.insert(key, *more),
            }
        }
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.figures.is_empty() && self.dropped == 0
    }

    fn insert(&mut self, key: &str, figure: Figure) {
        let last = self.figures.last_key_value().map(|(last, _)| last.as_str());
        let full = self.figures.len() >= MOST_META_KEYS;
        if key.len() > LONGEST_META_KEY || full && last.is_some_and(|last| last < key) {
            self.dropped += figure.count;
            return;
        }
        self.figures.insert(key.to_owned(), figure);
        if full && let Some((_, last)) = self.figures.pop_last() {
            self.dropped += last.count;
        }
    }
}

/// The throughput that runners give themselves, one value per measured request.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct GivenThroughput {
    all: Option<Figure>,
    /// Equal to [`RATE_BITS`]: how many, and their sum. Rates are not negative, so the order of the keys is theirs.
    #[serde(with = "pairs")]
    near: BTreeMap<u64, (u64, f64)>,
}

impl GivenThroughput {
    /// Takes in a rate per second, finite and not negative.
    pub fn add(&mut self, rate: f64) {
        self.take(rate.abs().to_bits() >> RATE_BITS, (1, rate));
        self.merge_all(&Figure::of(rate));
    }

    /// Takes in what others saw.
    pub fn merge(&mut self, other: &GivenThroughput) {
        for (key, near) in &other.near {
            self.take(*key, *near);
        }
        if let Some(all) = &other.all {
            self.merge_all(all);
        }
    }

    /// Number, sum, least and greatest; `None` where no runner gave a throughput.
    pub fn all(&self) -> Option<Figure> {
        self.all
    }

    /// The median, with a precision of 0.1 %; exact where few different rates were given.
    pub fn median(&self) -> Option<f64> {
        let all = self.all?;
        let middle = [all.count.saturating_sub(1) / 2, all.count / 2];
        let mut before = 0;
        let mut found = [None, None];
        for (count, sum) in self.near.values() {
            for (rank, value) in middle.iter().zip(&mut found) {
                if value.is_none() && *rank < before + count {
                    *value = Some(sum / *count as f64);
                }
            }
            before += count;
        }
        let [Some(lower), Some(upper)] = found else { return None };
        Some(((lower + upper) / 2.0).clamp(all.min, all.max))
    }

    fn take(&mut self, key: u64, (count, sum): (u64, f64)) {
        let near = self.near.entry(key).or_default();
        near.0 += count;
        near.1 += sum;
    }

    fn merge_all(&mut self, more: &Figure) {
        match &mut self.all {
            Some(all) => all.merge(more),
            None => self.all = Some(*more),
        }
    }
}

/// Clients of a time-based task whose parameters ran out before its time was up. Times are seconds since the client's start.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RanOut {
    /// How many clients.
    pub clients: u32,
    /// When the first of them ended.
    pub first: f64,
    /// When the last of them ended.
    pub last: f64,
    /// How long the task was to run, warm-up included.
    pub planned: f64,
}

impl RanOut {
    /// Takes in other clients of the same task.
    pub fn merge(&mut self, other: &RanOut) {
        self.clients += other.clients;
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.planned = self.planned.max(other.planned);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn meta(value: Value) -> RequestMeta {
        let mut meta = RequestMeta::default();
        meta.add(value.as_object().unwrap());
        meta
    }

    #[test]
    fn only_numbers_of_the_top_level_are_figures() {
        let told = meta(
            json!({"took": 3, "hits": 1.5, "timed_out": false, "name": "x", "deep": {"a": 1}, "list": [1]}),
        );
        let keys: Vec<&str> = told.figures.keys().map(String::as_str).collect();
        assert_eq!(keys, ["hits", "took"]);
        assert_eq!(told.dropped, 0);
    }

    #[test]
    fn the_same_keys_are_kept_in_whatever_order_and_grouping_they_come() {
        let one = |number: usize| meta(json!({format!("key-{number:02}"): number}));
        let mut forward = RequestMeta::default();
        let mut halves = [RequestMeta::default(), RequestMeta::default()];
        for number in 0..50 {
            forward.merge(&one(number));
            halves[number % 2].merge(&one(49 - number));
        }
        let [mut backward, other] = halves;
        backward.merge(&other);
        assert_eq!(forward, backward);
        assert_eq!(forward.figures.len(), MOST_META_KEYS);
        assert_eq!(forward.dropped, 50 - MOST_META_KEYS as u64);
        assert!(forward.figures.contains_key("key-31") && !forward.figures.contains_key("key-32"));
    }

    #[test]
    fn keys_that_are_too_long_are_counted_not_kept() {
        let told = meta(json!({"k".repeat(LONGEST_META_KEY + 1): 1, "k": 2}));
        assert_eq!((told.figures.len(), told.dropped), (1, 1));
    }

    #[test]
    fn the_median_of_given_rates_is_that_of_the_values() {
        let mut given = GivenThroughput::default();
        assert_eq!(given.median(), None);
        for rate in [8000.0, 10.0, 9000.0, 0.0] {
            given.add(rate);
        }
        assert_eq!(given.median(), Some(4005.0));
        given.add(7000.0);
        assert_eq!(given.median(), Some(7000.0));
        assert_eq!(given.all().map(|all| (all.min, all.max, all.mean())), Some((0.0, 9000.0, 4802.0)));
    }

    #[test]
    fn given_rates_add_up_over_threads() {
        let (mut all, mut parts) = (GivenThroughput::default(), [(); 3].map(|()| GivenThroughput::default()));
        for number in 0..300u32 {
            let rate = f64::from(number * 8);
            all.add(rate);
            parts[number as usize % 3].add(rate);
        }
        let mut sum = GivenThroughput::default();
        parts.iter().for_each(|part| sum.merge(part));
        assert_eq!(sum, all);
    }
}
