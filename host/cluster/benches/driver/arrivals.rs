//! How late requests arrive. Used by more than one benchmark.

/// Quantiles (50 %, 99 %, 99.9 %) in microseconds of how late requests arrived whose due times are `interval` seconds apart on
/// each connection. The earliest arrival of a connection relative to its due times is taken as punctual.
pub fn lateness(connections: &[Vec<u64>], interval: f64) -> [f64; 3] {
    let mut late: Vec<f64> = Vec::new();
    for arrivals in connections {
        let relative: Vec<f64> = arrivals
            .iter()
            .enumerate()
            .map(|(number, at)| *at as f64 - number as f64 * interval * 1e9)
            .collect();
        let anchor = relative.iter().copied().fold(f64::INFINITY, f64::min);
        late.extend(relative.iter().map(|at| (at - anchor) / 1000.0));
    }
    late.sort_by(f64::total_cmp);
    assert!(!late.is_empty(), "nothing arrived");
    [0.5, 0.99, 0.999].map(|quantile| late[((late.len() - 1) as f64 * quantile) as usize])
}
