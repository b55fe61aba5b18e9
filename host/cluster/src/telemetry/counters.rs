//! Counters that only grow, and how much they grew.

use std::collections::BTreeMap;

/// How much counters grew while they were looked at, by who counts: a shard, a node. Who has not been seen before began at zero; so did
/// one whose counters are lower than before. Who is gone keeps what it was last seen with.
#[derive(Debug)]
pub(super) struct Growth<Key, const N: usize> {
    last: BTreeMap<Key, [Option<f64>; N]>,
    grown: BTreeMap<Key, [Option<f64>; N]>,
}

impl<Key: Ord + Clone, const N: usize> Growth<Key, N> {
    /// Starts with what has been counted before.
    pub(super) fn from(counters: BTreeMap<Key, [Option<f64>; N]>) -> Self {
        Growth { last: counters, grown: BTreeMap::new() }
    }

    /// Takes in what is counted now.
    pub(super) fn look(&mut self, counters: BTreeMap<Key, [Option<f64>; N]>) {
        for (key, now) in &counters {
            let before = self.last.get(key);
            // A counter that restarted marks its neighbours as well: a count of zero is not lower than zero.
            let restarted = before.is_some_and(|before| {
                before.iter().zip(now).any(|(before, now)| before > now && now.is_some())
            });
            let grown = self.grown.entry(key.clone()).or_insert([None; N]);
            for (index, value) in now.iter().enumerate() {
                let Some(value) = value else { continue };
                let old = before.filter(|_| !restarted).and_then(|before| before[index]).unwrap_or(0.0);
                *grown[index].get_or_insert(0.0) += value - old;
            }
        }
        self.last.extend(counters);
    }

    /// How much each has counted.
    pub(super) fn by_key(&self) -> &BTreeMap<Key, [Option<f64>; N]> {
        &self.grown
    }

    /// The sum over all shards; `None` if the target does not report this counter.
    pub(super) fn total(&self, index: usize) -> Option<f64> {
        self.grown.values().filter_map(|grown| grown[index]).reduce(|sum, value| sum + value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(pairs: &[(&'static str, f64)]) -> BTreeMap<&'static str, [Option<f64>; 1]> {
        pairs.iter().map(|(key, value)| (*key, [Some(*value)])).collect()
    }

    #[test]
    fn what_was_counted_before_does_not_count() {
        let mut growth = Growth::from(counted(&[("a", 10.0), ("gone", 99.0)]));
        growth.look(counted(&[("a", 13.0)]));
        assert_eq!(growth.total(0), Some(3.0));
    }

    #[test]
    fn who_is_new_counts_as_a_whole() {
        let mut growth = Growth::from(counted(&[("old", 10.0)]));
        growth.look(counted(&[("new", 10.0)]));
        assert_eq!(growth.total(0), Some(10.0));
    }

    #[test]
    fn who_goes_keeps_what_it_was_last_seen_with() {
        let mut growth = Growth::from(BTreeMap::new());
        growth.look(counted(&[("first", 7.0)]));
        growth.look(counted(&[("second", 5.0)]));
        assert_eq!(growth.total(0), Some(12.0));
    }

    #[test]
    fn a_counter_that_starts_anew_adds_to_what_it_counted_before() {
        let mut growth = Growth::from(counted(&[("a", 100.0)]));
        growth.look(counted(&[("a", 130.0)]));
        growth.look(counted(&[("a", 20.0)]));
        assert_eq!(growth.total(0), Some(50.0));
    }

    #[test]
    fn neighbours_of_a_counter_that_starts_anew_start_anew_too() {
        let mut growth = Growth::from(BTreeMap::from([("a", [Some(100.0), Some(3.0)])]));
        growth.look(BTreeMap::from([("a", [Some(20.0), Some(3.0)])]));
        assert_eq!((growth.total(0), growth.total(1)), (Some(20.0), Some(3.0)));
    }

    #[test]
    fn what_nobody_counts_is_not_zero() {
        let mut growth: Growth<&str, 2> = Growth::from(BTreeMap::new());
        growth.look(BTreeMap::from([("a", [Some(1.0), None])]));
        assert_eq!((growth.total(0), growth.total(1)), (Some(1.0), None));
    }
}
