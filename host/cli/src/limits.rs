//! Options about what the components of a track may take.

use std::time::Duration;

use clap::Args;
use rally_extension::Limits;
use rally_session::ExtensionLimits;

/// What the track's own code may take. The defaults are documented with [`Limits`].
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Extension limits")]
pub struct LimitArgs {
    /// CPU time per call, e.g. 1s or 500ms.
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "1s")]
    pub extension_time_per_call: Duration,

    /// CPU time per call that prepares a task.
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "30s")]
    pub extension_time_to_open: Duration,

    /// Wall time per run of a runner, waiting included.
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "1h")]
    pub extension_time_to_run: Duration,

    /// Memory per instance, e.g. 256MiB.
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "256MiB")]
    pub extension_memory: u64,

    /// Table elements per instance.
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    pub extension_table_elements: usize,

    /// Handles (bodies, assets) per instance.
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub extension_handles: usize,

    /// Bytes passed to the host per call.
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "64MiB")]
    pub extension_host_call_bytes: u64,

    /// Log lines per instance.
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub extension_log_lines: u32,

    /// Bytes kept per response.
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "16MiB")]
    pub extension_response_bytes: u64,

    /// Concurrent requests per runner.
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=65_535))]
    pub extension_requests_in_flight: u32,

    /// Bytes written to the track's data directory per instance.
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "0")]
    pub extension_data_bytes: u64,

    /// Size of a component file [default: see `rally extension inspect`].
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub extension_max_size: Option<u64>,
}

impl LimitArgs {
    /// As the specification of a race has them.
    pub fn limits(&self) -> ExtensionLimits {
        let bytes = |size: u64| usize::try_from(size).unwrap_or(usize::MAX);
        let limits = Limits {
            time_per_call: self.extension_time_per_call,
            time_to_open: self.extension_time_to_open,
            time_to_run: self.extension_time_to_run,
            memory: bytes(self.extension_memory),
            table_elements: self.extension_table_elements,
            handles: self.extension_handles,
            host_call_bytes: bytes(self.extension_host_call_bytes),
            log_lines: self.extension_log_lines,
            response_bytes: bytes(self.extension_response_bytes),
            in_flight: self.extension_requests_in_flight,
            data_bytes: self.extension_data_bytes,
        };
        ExtensionLimits::new(&limits, self.extension_max_size)
    }
}

/// A number with a unit, e.g. `500ms`.
fn with_unit<'a>(text: &str, units: &'a [(&str, u64)]) -> Option<(f64, &'a (&'a str, u64))> {
    let digits =
        text.find(|character: char| !character.is_ascii_digit() && character != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = units.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit.trim()))?;
    Some((number.parse().ok()?, unit))
}

fn time(text: &str) -> Result<Duration, String> {
    let units = [("ms", 1), ("s", 1_000), ("m", 60_000), ("min", 60_000), ("h", 3_600_000)];
    with_unit(text, &units)
        .map(|(number, (_, milliseconds))| number * *milliseconds as f64)
        .filter(|milliseconds| *milliseconds >= 1.0 && *milliseconds <= 1e12)
        .map(|milliseconds| Duration::from_micros((milliseconds * 1000.0) as u64))
        .ok_or_else(|| "give a time of at least 1ms with its unit: ms, s, m or h, e.g. 500ms".to_owned())
}

fn size(text: &str) -> Result<u64, String> {
    let units = [
        ("", 1),
        ("B", 1),
        ("KB", 1_000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("K", 1 << 10),
        ("KiB", 1 << 10),
        ("M", 1 << 20),
        ("MiB", 1 << 20),
        ("G", 1 << 30),
        ("GiB", 1 << 30),
    ];
    with_unit(text, &units)
        .map(|(number, (_, bytes))| number * *bytes as f64)
        .filter(|bytes| *bytes <= (1u64 << 50) as f64)
        .map(|bytes| bytes as u64)
        .ok_or_else(|| "give a size, e.g. 256MiB, 64KiB or a number of bytes".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes_have_units() {
        assert_eq!(time("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(time("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(size("256MiB"), Ok(256 << 20));
        assert_eq!(size("0"), Ok(0));
    }

    #[test]
    fn times_without_unit_and_sizes_with_a_wrong_one_are_refused() {
        for text in ["5", "s", "-1s", "0s", "1 parsec"] {
            assert!(time(text).is_err(), "{text}");
        }
        for text in ["", "MiB", "-1", "1XB", "99999999TiB"] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
