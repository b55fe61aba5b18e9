//! How long something takes, as far as that is known.

use std::fmt;

/// Between the least and the most seconds that something takes. The most is infinite where nothing bounds it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    least: f64,
    most: f64,
}

impl Span {
    /// Nothing at all is known.
    pub const UNKNOWN: Span = Span { least: 0.0, most: f64::INFINITY };
    /// No time.
    pub const NONE: Span = Span { least: 0.0, most: 0.0 };

    /// A number of seconds.
    pub fn exactly(seconds: f64) -> Span {
        Span { least: seconds, most: seconds }
    }

    /// At most this number of seconds.
    pub fn at_most(seconds: f64) -> Span {
        Span { least: 0.0, most: seconds }
    }

    /// Seconds, where they are known exactly.
    pub fn seconds(&self) -> Option<f64> {
        (self.least == self.most).then_some(self.least)
    }

    /// The least seconds.
    pub fn least(&self) -> f64 {
        self.least
    }

    /// One after the other.
    pub fn then(self, other: Span) -> Span {
        Span { least: self.least + other.least, most: self.most + other.most }
    }

    /// Until both are over.
    pub fn longer(self, other: Span) -> Span {
        Span { least: self.least.max(other.least), most: self.most.max(other.most) }
    }

    /// Until one of them is over.
    pub fn shorter(self, other: Span) -> Span {
        Span { least: self.least.min(other.least), most: self.most.min(other.most) }
    }

    /// The same in fewer characters, e.g. `≥ 5 s`.
    pub fn briefly(&self) -> String {
        let Span { least, most } = *self;
        match (least > 0.0, most.is_finite()) {
            _ if least == most => seconds_in_words(least),
            (false, false) => "?".to_owned(),
            (true, false) => format!("≥ {}", seconds_in_words(least)),
            (_, true) => format!("≤ {}", seconds_in_words(most)),
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Span { least, most } = *self;
        match (least > 0.0, most.is_finite()) {
            _ if least == most => formatter.write_str(&seconds_in_words(least)),
            (false, false) => formatter.write_str("unknown"),
            (true, false) => write!(formatter, "at least {}", seconds_in_words(least)),
            (false, true) => write!(formatter, "at most {}", seconds_in_words(most)),
            (true, true) => write!(formatter, "{} to {}", seconds_in_words(least), seconds_in_words(most)),
        }
    }
}

const MINUTE: f64 = 60.0;
const HOUR: f64 = 60.0 * MINUTE;
const DAY: f64 = 24.0 * HOUR;

/// Seconds in the two largest units that they fill, e.g. `2 h 5 min`, `1 min 3 s`, `7.5 s`, `20 ms`.
pub fn seconds_in_words(seconds: f64) -> String {
    let pair = |large: f64, large_unit: &str, small: f64, small_unit: &str| {
        let total = (seconds / small).round();
        let per_large = large / small;
        let (whole, rest) = ((total / per_large).floor(), total % per_large);
        if rest == 0.0 {
            format!("{whole} {large_unit}")
        } else {
            format!("{whole} {large_unit} {rest} {small_unit}")
        }
    };
    if seconds == 0.0 {
        "0 s".to_owned()
    } else if seconds < 0.0005 {
        "below 1 ms".to_owned()
    } else if seconds < 0.9995 {
        format!("{:.0} ms", seconds * 1000.0)
    } else if seconds < 9.95 {
        let text = format!("{seconds:.1}");
        format!("{} s", text.strip_suffix(".0").unwrap_or(&text))
    } else if seconds < MINUTE - 0.5 {
        format!("{seconds:.0} s")
    } else if seconds < HOUR - 0.5 {
        pair(MINUTE, "min", 1.0, "s")
    } else if seconds < DAY - MINUTE / 2.0 {
        pair(HOUR, "h", MINUTE, "min")
    } else {
        pair(DAY, "d", HOUR, "h")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_say_what_is_known() {
        let exact = Span::exactly(7.5);
        assert_eq!(exact.to_string(), "7.5 s");
        assert_eq!(Span::UNKNOWN.to_string(), "unknown");
        assert_eq!(exact.then(Span::UNKNOWN).to_string(), "at least 7.5 s");
        assert_eq!(Span::at_most(60.0).to_string(), "at most 1 min");
        assert_eq!(exact.then(Span::at_most(60.0)).to_string(), "7.5 s to 1 min 8 s");
    }

    #[test]
    fn what_ends_with_the_first_takes_as_long_as_the_shorter() {
        assert_eq!(Span::exactly(5.0).shorter(Span::UNKNOWN), Span::at_most(5.0));
        assert_eq!(Span::exactly(5.0).longer(Span::UNKNOWN).to_string(), "at least 5 s");
        assert_eq!(Span::exactly(5.0).longer(Span::exactly(7.0)).seconds(), Some(7.0));
    }

    #[test]
    fn seconds_are_told_in_the_units_that_they_fill() {
        for (seconds, words) in [
            (0.0, "0 s"),
            (0.0001, "below 1 ms"),
            (0.02, "20 ms"),
            (0.9999, "1 s"),
            (5.0, "5 s"),
            (59.7, "1 min"),
            (63.0, "1 min 3 s"),
            (3600.0, "1 h"),
            (3599.8, "1 h"),
            (7500.0, "2 h 5 min"),
            (90_000.0, "1 d 1 h"),
        ] {
            assert_eq!(seconds_in_words(seconds), words);
        }
    }
}
