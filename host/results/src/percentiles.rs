//! Which percentiles a sample size carries, and how a percentile is read from ordered values.

/// All percentiles that a report may show, in its order.
pub const PERCENTILES: [f64; 6] = [50.0, 90.0, 99.0, 99.9, 99.99, 100.0];

/// The percentiles that this number of samples supports, as in Rally: a percentile needs samples beyond it. Empty without samples.
pub fn percentiles_for_sample_size(count: u64) -> &'static [f64] {
    match count {
        0 => &[],
        1 => &[100.0],
        2..10 => &[50.0, 100.0],
        10..100 => &[50.0, 90.0, 100.0],
        100..1_000 => &[50.0, 90.0, 99.0, 100.0],
        1_000..10_000 => &[50.0, 90.0, 99.0, 99.9, 100.0],
        _ => &PERCENTILES,
    }
}

/// The key of a percentile in Rally's records: `50_0`, `99_99`. Elasticsearch reads a dot in a name as a path.
pub fn encode_float_key(percentile: f64) -> String {
    // The debug format always shows a decimal: 50 becomes 50.0.
    format!("{percentile:?}").replace('.', "_")
}

/// The percentile as reports name it: `50th`, `99.9th`.
pub(crate) fn ordinal(percentile: f64) -> String {
    format!("{percentile}th")
}

/// The `percentile` (0 to 100) of `count` ordered values, of which `at` gives the one at an index from 0: linear between
/// the two neighbours of the rank `percentile / 100 * (count - 1)`, as Rally's in-memory store reads it. `None` without values.
pub fn interpolated_percentile(count: u64, percentile: f64, mut at: impl FnMut(u64) -> f64) -> Option<f64> {
    let last = count.checked_sub(1)?;
    let rank = (percentile / 100.0 * last as f64).clamp(0.0, last as f64);
    let below = rank.floor();
    let share = rank - below;
    let lower = at(below as u64);
    if share == 0.0 {
        return Some(lower);
    }
    Some(lower * (1.0 - share) + at(below as u64 + 1) * share)
}

/// The median of some figures; `None` without any.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut ordered = values.to_vec();
    ordered.sort_by(f64::total_cmp);
    interpolated_percentile(ordered.len() as u64, 50.0, |index| ordered[index as usize])
}
