//! Dates in queries: a text in the field's format, `now`, and arithmetic behind them.
//!
//! `now-1d/d` is the start of yesterday, `2015-01-31||+1M/M` the start of February. A bound that closes a range from above
//! is rounded up to the end of what it names.

use crate::error::EsError;
use crate::mapping::date::DateFormat;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use jiff::{Span, Timestamp};

/// Milliseconds since the epoch of `text`, at `now` (milliseconds since the epoch).
///
/// # Errors
/// 400 `parse_exception` in the words of Elasticsearch where `text` is no date in `format` or the arithmetic is wrong.
pub fn milliseconds(text: &str, format: &DateFormat, round_up: bool, now: i64) -> Result<i64, EsError> {
    if let Some(operations) = text.strip_prefix("now") {
        return apply(now, operations, round_up);
    }
    let (date, operations) = text.split_once("||").unwrap_or((text, ""));
    // Arithmetic starts from the earliest moment; only a bare date is rounded up itself.
    let start =
        if round_up && operations.is_empty() { format.parse_rounding_up(date) } else { format.parse(date) };
    apply(start.ok_or_else(|| unreadable(date, format))?, operations, round_up)
}

fn unreadable(text: &str, format: &DateFormat) -> EsError {
    let reason = format!("failed to parse date field [{text}] with format [{}]", format.source());
    let cause = EsError::illegal_argument(reason.clone()).caused_by(EsError::new(
        400,
        "date_time_parse_exception",
        "Failed to parse with all enclosed parsers",
    ));
    EsError::new(400, "parse_exception", format!("{reason}: [{reason}]")).caused_by(cause)
}

fn apply(start: i64, operations: &str, round_up: bool) -> Result<i64, EsError> {
    let outside =
        || EsError::new(400, "parse_exception", format!("date math [{operations}] leaves the calendar"));
    let mut rest = operations;
    if rest.is_empty() {
        return Ok(start);
    }
    let timestamp = Timestamp::from_millisecond(start).map_err(|_| outside())?;
    let mut date = Offset::UTC.to_datetime(timestamp);
    while let Some(operator) = rest.chars().next() {
        rest = &rest[operator.len_utf8()..];
        let count = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: i64 = match (operator, count) {
            ('/', _) | (_, 0) => 1,
            _ => rest[..count].parse().map_err(|_| outside())?,
        };
        if operator == '/' && count > 0 {
            let reason = format!("rounding `/` can only be used on single unit types [{operations}]");
            return Err(EsError::new(400, "parse_exception", reason));
        }
        rest = &rest[count..];
        let Some(unit) = rest.chars().next() else {
            return Err(EsError::new(400, "parse_exception", format!("truncated date math [{operations}]")));
        };
        rest = &rest[unit.len_utf8()..];
        let step = span(unit, number)
            .ok_or_else(|| {
                let reason = format!("unit [{unit}] not supported for date math [{operations}]");
                EsError::new(400, "parse_exception", reason)
            })?
            .map_err(|_| outside())?;
        date = match operator {
            '+' => date.checked_add(step).map_err(|_| outside())?,
            '-' => date.checked_sub(step).map_err(|_| outside())?,
            '/' => {
                let floor = floor(date, unit).ok_or_else(outside)?;
                if round_up {
                    floor
                        .checked_add(step)
                        .and_then(|end| end.checked_sub(Span::new().milliseconds(1)))
                        .map_err(|_| outside())?
                } else {
                    floor
                }
            }
            _ => {
                let reason = format!("operator not supported for date math [{operations}]");
                return Err(EsError::new(400, "parse_exception", reason));
            }
        };
    }
    Offset::UTC.to_timestamp(date).map(|timestamp| timestamp.as_millisecond()).map_err(|_| outside())
}

fn span(unit: char, number: i64) -> Option<Result<Span, jiff::Error>> {
    let span = Span::new();
    Some(match unit {
        'y' => span.try_years(number),
        'M' => span.try_months(number),
        'w' => span.try_weeks(number),
        'd' => span.try_days(number),
        'h' | 'H' => span.try_hours(number),
        'm' => span.try_minutes(number),
        's' => span.try_seconds(number),
        _ => return None,
    })
}

fn floor(date: DateTime, unit: char) -> Option<DateTime> {
    let midnight = date.date().to_datetime(jiff::civil::Time::midnight());
    let time = |hour, minute, second| date.date().at(hour, minute, second, 0);
    match unit {
        'y' => DateTime::new(date.year(), 1, 1, 0, 0, 0, 0).ok(),
        'M' => DateTime::new(date.year(), date.month(), 1, 0, 0, 0, 0).ok(),
        'w' => {
            let days = i64::from(date.weekday().to_monday_zero_offset());
            midnight.checked_sub(Span::new().days(days)).ok()
        }
        'd' => Some(midnight),
        'h' | 'H' => Some(time(date.hour(), 0, 0)),
        'm' => Some(time(date.hour(), date.minute(), 0)),
        _ => Some(time(date.hour(), date.minute(), date.second())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::date::DEFAULT_FORMAT;

    fn at(text: &str, round_up: bool) -> String {
        let format = DateFormat::new(DEFAULT_FORMAT).unwrap();
        let now = format.parse("2017-03-15T10:20:30.400Z").unwrap();
        format.format(milliseconds(text, &format, round_up, now).unwrap())
    }

    #[test]
    fn arithmetic_and_rounding() {
        for (text, down, up) in [
            ("now", "2017-03-15T10:20:30.400Z", "2017-03-15T10:20:30.400Z"),
            ("now-1d", "2017-03-14T10:20:30.400Z", "2017-03-14T10:20:30.400Z"),
            ("now-1d/d", "2017-03-14T00:00:00.000Z", "2017-03-14T23:59:59.999Z"),
            ("now/M", "2017-03-01T00:00:00.000Z", "2017-03-31T23:59:59.999Z"),
            ("now/w", "2017-03-13T00:00:00.000Z", "2017-03-19T23:59:59.999Z"),
            ("now+1h-5m", "2017-03-15T11:15:30.400Z", "2017-03-15T11:15:30.400Z"),
            ("2017-01-31||+1M/M", "2017-02-01T00:00:00.000Z", "2017-02-28T23:59:59.999Z"),
            ("2017-02", "2017-02-01T00:00:00.000Z", "2017-02-01T23:59:59.999Z"),
            ("2017-02-03T04", "2017-02-03T04:00:00.000Z", "2017-02-03T04:59:59.999Z"),
        ] {
            assert_eq!((at(text, false).as_str(), at(text, true).as_str()), (down, up), "{text}");
        }
    }

    #[test]
    fn nonsense_is_a_parse_exception() {
        let format = DateFormat::new(DEFAULT_FORMAT).unwrap();
        for text in
            ["abc", "now*1d", "now-1", "now-1x", "now/2d", "now+99999999999999999999d", "now+999999999y"]
        {
            assert_eq!(milliseconds(text, &format, false, 0).unwrap_err().kind, "parse_exception", "{text}");
        }
    }
}
