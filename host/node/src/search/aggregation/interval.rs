//! The intervals of date histograms, over milliseconds since the epoch in UTC.

use crate::error::EsError;

const DAY: i64 = 86_400_000;

/// The time of one bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interval {
    /// That many milliseconds, counted from the epoch.
    Fixed(i64),
    /// From Monday to Monday.
    Week,
    /// That many months, counted from January: 1, 3 or 12.
    Months(i64),
}

impl Interval {
    /// Reads a calendar interval: `month`, `1M`.
    ///
    /// # Errors
    /// 400 `illegal_argument_exception` in the words of Elasticsearch.
    pub fn calendar(text: &str) -> Result<Self, EsError> {
        Ok(match text {
            "second" | "1s" => Interval::Fixed(1000),
            "minute" | "1m" => Interval::Fixed(60_000),
            "hour" | "1h" => Interval::Fixed(3_600_000),
            "day" | "1d" => Interval::Fixed(DAY),
            "week" | "1w" => Interval::Week,
            "month" | "1M" => Interval::Months(1),
            "quarter" | "1q" => Interval::Months(3),
            "year" | "1y" => Interval::Months(12),
            _ => {
                return Err(EsError::illegal_argument(format!(
                    "The supplied interval [{text}] could not be parsed as a calendar interval."
                )));
            }
        })
    }

    /// Reads a fixed interval: `30d`, `12h`.
    ///
    /// # Errors
    /// 400 `illegal_argument_exception` in the words of Elasticsearch.
    pub fn fixed(text: &str, setting: &str) -> Result<Self, EsError> {
        let time = crate::search::request::duration(setting, text)?;
        match i64::try_from(time.as_millis()) {
            Ok(milliseconds) if milliseconds > 0 => Ok(Interval::Fixed(milliseconds)),
            _ => Err(EsError::illegal_argument("Zero or negative time interval not supported")),
        }
    }

    /// The bucket that `time` is in: the first millisecond of it.
    pub fn floor(self, time: i64) -> i64 {
        match self {
            Interval::Fixed(step) => time.div_euclid(step).saturating_mul(step),
            // The epoch was a Thursday.
            Interval::Week => ((time.div_euclid(DAY) + 3).div_euclid(7) * 7 - 3).saturating_mul(DAY),
            Interval::Months(step) => {
                let month = month_of(time.div_euclid(DAY));
                first_day(month.div_euclid(step) * step).saturating_mul(DAY)
            }
        }
    }

    /// The bucket behind the one that starts at `start`.
    pub fn next(self, start: i64) -> i64 {
        match self {
            Interval::Fixed(step) => start.saturating_add(step),
            Interval::Week => start.saturating_add(7 * DAY),
            Interval::Months(step) => {
                let month = month_of(start.div_euclid(DAY));
                first_day(month.div_euclid(step) * step + step).saturating_mul(DAY)
            }
        }
    }
}

/// Months from the year 0 to the month that `day` (days since the epoch) is in.
fn month_of(day: i64) -> i64 {
    // Years are counted from March, so that leap days come last; 400 years make an era of 146,097 days.
    let day = day + 719_468;
    let era = day.div_euclid(146_097);
    let of_era = day.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    (year_of_era + era * 400) * 12 + month_from_march + 2
}

/// Days since the epoch of the first day of a month as [`month_of`] counts them.
fn first_day(month: i64) -> i64 {
    let from_march = month - 2;
    let (year, month) = (from_march.div_euclid(12), from_march.rem_euclid(12));
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * month + 2) / 5;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::date::DateFormat;

    fn at(text: &str) -> i64 {
        DateFormat::new("strict_date_optional_time").unwrap().parse(text).unwrap()
    }

    #[test]
    fn buckets_start_where_calendars_do() {
        for (interval, time, start, next) in [
            ("month", "2017-02-28T23:59:59.999Z", "2017-02-01", "2017-03-01"),
            ("month", "1969-12-31T23:59:59.999Z", "1969-12-01", "1970-01-01"),
            ("quarter", "2016-02-29", "2016-01-01", "2016-04-01"),
            ("year", "2016-12-31", "2016-01-01", "2017-01-01"),
            ("week", "2017-01-01", "2016-12-26", "2017-01-02"),
            ("week", "2017-01-02", "2017-01-02", "2017-01-09"),
            ("day", "1969-12-31T12:00:00Z", "1969-12-31", "1970-01-01"),
        ] {
            let interval = Interval::calendar(interval).unwrap();
            assert_eq!(interval.floor(at(time)), at(start), "{time}");
            assert_eq!(interval.next(at(start)), at(next), "{time}");
        }
    }

    #[test]
    fn months_agree_with_the_calendar_over_eight_centuries() {
        let mut month = at("1600-01-01");
        for year in 1600..2400 {
            for of_year in 1..=12 {
                assert_eq!(month, at(&format!("{year}-{of_year:02}-01")));
                assert_eq!(Interval::Months(1).floor(month), month);
                assert_eq!(Interval::Months(1).floor(month + 27 * DAY), month);
                month = Interval::Months(1).next(month);
            }
        }
    }

    #[test]
    fn fixed_intervals_have_no_months() {
        assert_eq!(Interval::fixed("30d", "x").unwrap(), Interval::Fixed(30 * DAY));
        assert_eq!(Interval::fixed("90m", "x").unwrap(), Interval::Fixed(5_400_000));
        assert!(Interval::fixed("1M", "x").unwrap_err().reason.contains("unit is missing or unrecognized"));
        assert!(Interval::calendar("2M").unwrap_err().reason.contains("[2M]"));
    }
}
