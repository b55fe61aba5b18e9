//! Numbers as people read them.

/// 1234567 as `1,234,567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.char_indices() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A size in bytes as Rally prints it: `2.0 kB`, `4.8 MB`, in powers of 1024; `N/A` if unknown.
pub fn human_size(bytes: Option<u64>) -> String {
    let Some(bytes) = bytes else { return "N/A".to_owned() };
    let size = bytes as f64;
    // As in Rally a unit starts above, not at, its size.
    for (unit, factor) in [("GB", 1024.0 * 1024.0 * 1024.0), ("MB", 1024.0 * 1024.0), ("kB", 1024.0)] {
        if size > factor {
            return format!("{:.1} {unit}", size / factor);
        }
    }
    format!("{bytes} bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        let shown = [0, 999, 1_000, 12_345_678, u64::MAX].map(grouped);
        assert_eq!(shown, ["0", "999", "1,000", "12,345,678", "18,446,744,073,709,551,615"]);
    }

    #[test]
    fn sizes_are_those_of_rally() {
        let sizes = [Some(0), Some(1024), Some(1025), Some(5_000_000), Some(3 << 30), None].map(human_size);
        assert_eq!(sizes, ["0 bytes", "1024 bytes", "1.0 kB", "4.8 MB", "3.0 GB", "N/A"]);
    }
}
