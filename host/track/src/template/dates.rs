//! Rally's filters for dates, all in UTC.

use jiff::civil::{Date, DateTime};
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Environment, Error, ErrorKind, Value};

/// Adds the filters.
pub(super) fn add_to(environment: &mut Environment<'static>) {
    environment.add_filter("days_ago", days_ago);
    environment.add_filter("get_start_date", get_start_date);
    environment.add_filter("get_end_date", get_end_date);
}

/// Whole days between two moments. Rounded down, as Python's `timedelta.days`.
fn days_ago(start: &Value, end: &Value, format: Option<String>, kwargs: Kwargs) -> Result<i64, Error> {
    let format = named(&kwargs, "date_format", format)?.unwrap_or_else(|| "%d-%m-%Y".to_owned());
    kwargs.assert_all_used()?;
    let microseconds = |value| moment("days_ago", value, Some(&format)).map(Timestamp::as_microsecond);
    Ok((microseconds(end)? - microseconds(start)?).div_euclid(86_400_000_000))
}

/// The date of a moment.
fn get_start_date(start: &Value, format: Option<String>, kwargs: Kwargs) -> Result<String, Error> {
    let format = named(&kwargs, "date_format", format)?;
    kwargs.assert_all_used()?;
    written("get_start_date", moment("get_start_date", start, None)?, format.as_deref())
}

/// The date `days` after a moment.
fn get_end_date(
    start: &Value,
    days: Option<Value>,
    format: Option<String>,
    kwargs: Kwargs,
) -> Result<String, Error> {
    let days = named(&kwargs, "duration_days", days)?.unwrap_or_else(|| Value::from(1));
    let format = named(&kwargs, "date_format", format)?;
    kwargs.assert_all_used()?;
    let number = match days.kind() {
        ValueKind::Number => f64::try_from(days.clone())?,
        ValueKind::Bool => f64::from(u8::from(days.is_true())),
        _ => return Err(invalid(format!("get_end_date: '{days}' is not a number of days"))),
    };
    let start = moment("get_end_date", start, None)?;
    let end = SignedDuration::try_from_secs_f64(number * 86_400.0)
        .ok()
        .and_then(|duration| start.checked_add(duration).ok())
        .ok_or_else(|| invalid(format!("get_end_date: {days} days lead out of the calendar")))?;
    written("get_end_date", end, format.as_deref())
}

fn named<'a, T>(kwargs: &'a Kwargs, name: &'a str, positional: Option<T>) -> Result<Option<T>, Error>
where
    Option<T>: minijinja::value::ArgType<'a, Output = Option<T>>,
{
    match positional {
        Some(value) => Ok(Some(value)),
        None => kwargs.get::<Option<T>>(name),
    }
}

fn written(filter: &str, moment: Timestamp, format: Option<&str>) -> Result<String, Error> {
    let format = format.unwrap_or("%Y-%m-%d");
    strtime::format(format, &moment.to_zoned(TimeZone::UTC))
        .map_err(|error| invalid(format!("{filter}: cannot write a date as '{format}': {error}")))
}

/// A float is seconds since the epoch; a text needs a format. As in Rally an integer is no moment: `5 | days_ago(now)` is
/// a mistake.
fn moment(filter: &str, value: &Value, format: Option<&str>) -> Result<Timestamp, Error> {
    match (value.as_str(), format) {
        (Some(text), Some(format)) => parsed(text, format)
            .ok_or_else(|| invalid(format!("{filter}: '{text}' is not a date of the form '{format}'"))),
        (None, _) if value.kind() == ValueKind::Number && !value.is_integer() => {
            let seconds = f64::try_from(value.clone())?;
            Timestamp::from_microsecond((seconds * 1e6).round_ties_even() as i64)
                .map_err(|_| invalid(format!("{filter}: '{value}' is outside the calendar")))
        }
        (_, Some(format)) => Err(invalid(format!(
            "{filter} needs a date of the form '{format}' or a moment such as now, not '{value}'"
        ))),
        (_, None) => Err(invalid(format!("{filter} needs a moment such as now, not '{value}'"))),
    }
}

/// As `datetime.strptime`: what the format does not have is that of the start of 1900.
fn parsed(text: &str, format: &str) -> Option<Timestamp> {
    let parts = strtime::parse(format, text).ok()?;
    let day =
        Date::new(parts.year().unwrap_or(1900), parts.month().unwrap_or(1), parts.day().unwrap_or(1)).ok()?;
    let moment: DateTime = day.at(
        parts.hour().unwrap_or(0),
        parts.minute().unwrap_or(0),
        parts.second().unwrap_or(0),
        parts.subsec_nanosecond().unwrap_or(0),
    );
    let zone = parts.offset().map_or(TimeZone::UTC, TimeZone::fixed);
    moment.to_zoned(zone).ok().map(|zoned| zoned.timestamp())
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}
