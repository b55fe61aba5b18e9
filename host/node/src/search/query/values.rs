//! The words of a query as values of a field.

use super::date_math;
use crate::error::EsError;
use crate::mapping::date::DateFormat;
use crate::mapping::{FieldType, MappedField};
use crate::search::json;
use serde_json::Value;
use std::net::{IpAddr, Ipv6Addr};
use std::ops::Bound;

/// An interval of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Interval {
    /// No value is in it.
    Empty,
    /// Of whole numbers and dates.
    Integer(Bound<i64>, Bound<i64>),
    /// Of floating-point numbers.
    Float(Bound<f64>, Bound<f64>),
    /// Of addresses.
    Ip(Bound<Ipv6Addr>, Bound<Ipv6Addr>),
}

/// One end of a range as the request gives it.
pub type End<'v> = Option<(&'v Value, bool)>;

/// The interval of exactly `value` in a column; a date that leaves out the time is all of its day.
///
/// # Errors
/// 400 where `value` is no value of the field's type.
pub fn exact(field: &MappedField, value: &Value, now: i64) -> Result<Interval, EsError> {
    match field.field_type() {
        FieldType::Ip => ip_interval(value),
        FieldType::Date => interval(field, Some((value, true)), Some((value, true)), None, now),
        kind if kind.integer_range().is_some() => {
            if fraction(value)? != 0.0 {
                return Ok(Interval::Empty);
            }
            let number = whole(field, value)?;
            Ok(Interval::Integer(Bound::Included(number), Bound::Included(number)))
        }
        _ => {
            let number = field.definition.round(json::float(value)?)?;
            Ok(Interval::Float(Bound::Included(number), Bound::Included(number)))
        }
    }
}

/// The interval between two ends, the second of each pair telling whether the value itself belongs to it.
///
/// # Errors
/// 400 where an end is no value of the field's type.
pub fn interval(
    field: &MappedField,
    lower: End<'_>,
    upper: End<'_>,
    format: Option<&DateFormat>,
    now: i64,
) -> Result<Interval, EsError> {
    match field.field_type() {
        FieldType::Date => date_interval(format.unwrap_or(&field.definition.format), lower, upper, now),
        FieldType::Ip => {
            let bound = |end: End<'_>| match end {
                None => Ok(Bound::Unbounded),
                Some((value, true)) => address(value).map(Bound::Included),
                Some((value, false)) => address(value).map(Bound::Excluded),
            };
            Ok(Interval::Ip(bound(lower)?, bound(upper)?))
        }
        kind if kind.integer_range().is_some() => integer_interval(field, lower, upper),
        FieldType::ScaledFloat => scaled_interval(field.definition.scaling_factor, lower, upper),
        _ => {
            let bound = |end: End<'_>| match end {
                None => Ok::<_, EsError>(Bound::Unbounded),
                Some((value, inclusive)) => {
                    let number = field.definition.round(json::float(value)?)?;
                    Ok(if inclusive { Bound::Included(number) } else { Bound::Excluded(number) })
                }
            };
            Ok(Interval::Float(bound(lower)?, bound(upper)?))
        }
    }
}

/// `value` as Boolean, as a Boolean field reads it.
///
/// # Errors
/// 400 `illegal_argument_exception` for what is neither true nor false.
pub fn boolean(value: &Value) -> Result<bool, EsError> {
    match value {
        Value::Bool(flag) => Ok(*flag),
        Value::String(text) if text == "true" => Ok(true),
        Value::String(text) if text == "false" || text.is_empty() => Ok(false),
        other => {
            let text = json::text(other).unwrap_or_default();
            let reason = format!("Can't parse boolean value [{text}], expected [true] or [false]");
            Err(EsError::illegal_argument(reason))
        }
    }
}

/// `value` as address, IPv4 mapped into IPv6.
///
/// # Errors
/// 400 `illegal_argument_exception` for what is no address.
pub fn address(value: &Value) -> Result<Ipv6Addr, EsError> {
    let text = json::text(value).unwrap_or_default();
    text.parse::<IpAddr>()
        .map(mapped)
        .map_err(|_| EsError::illegal_argument(format!("'{text}' is not an IP string literal.")))
}

fn mapped(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    }
}

/// An address, or a network such as `10.0.0.0/8`.
fn ip_interval(value: &Value) -> Result<Interval, EsError> {
    let text = json::text(value).unwrap_or_default();
    let Some((network, length)) = text.split_once('/') else {
        let address = address(value)?;
        return Ok(Interval::Ip(Bound::Included(address), Bound::Included(address)));
    };
    let invalid = || EsError::illegal_argument(format!("Expected [ip/prefix] but was [{text}]"));
    let network: IpAddr = network.parse().map_err(|_| invalid())?;
    let length: u32 = length.parse().map_err(|_| invalid())?;
    let bits = match network {
        IpAddr::V4(_) if length <= 32 => 32 - length,
        IpAddr::V6(_) if length <= 128 => 128 - length,
        _ => return Err(invalid()),
    };
    let host_mask = if bits == 128 { u128::MAX } else { (1 << bits) - 1 };
    let address = u128::from(mapped(network));
    let (first, last) = (address & !host_mask, address | host_mask);
    Ok(Interval::Ip(Bound::Included(Ipv6Addr::from(first)), Bound::Included(Ipv6Addr::from(last))))
}

/// What is behind the decimal point of `value`, with its sign.
fn fraction(value: &Value) -> Result<f64, EsError> {
    match value {
        Value::Number(number) if number.is_i64() || number.is_u64() => Ok(0.0),
        Value::String(text) if text.trim().parse::<i64>().is_ok() => Ok(0.0),
        other => json::float(other).map(f64::fract),
    }
}

/// `value` cut to a whole number of the field's type.
fn whole(field: &MappedField, value: &Value) -> Result<i64, EsError> {
    // Elasticsearch searches bytes and shorts as integers: what they cannot hold is not found, but no error.
    let kind = match field.field_type() {
        FieldType::Byte | FieldType::Short => FieldType::Integer,
        other => other,
    };
    let out_of_range = || {
        let text = json::text(value).unwrap_or_default();
        let article = if kind == FieldType::Integer { "an" } else { "a" };
        EsError::illegal_argument(format!("Value [{text}] is out of range for {article} {}", kind.name()))
    };
    let exact = match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    let number = match exact {
        Some(number) => number,
        None => {
            let float = json::float(value)?;
            if !(-9.3e18..9.3e18).contains(&float) || float as i64 == i64::MAX {
                return Err(out_of_range());
            }
            float as i64
        }
    };
    match kind.integer_range() {
        Some((least, greatest)) if (least..=greatest).contains(&number) => Ok(number),
        _ => Err(out_of_range()),
    }
}

/// Ends with a fraction move inwards, so that `> 1.5` is `>= 2` and `< -1.5` is `<= -2`.
fn integer_interval(field: &MappedField, lower: End<'_>, upper: End<'_>) -> Result<Interval, EsError> {
    let lower = match lower {
        None => Bound::Unbounded,
        Some((value, inclusive)) => {
            let (number, fraction) = (whole(field, value)?, fraction(value)?);
            if fraction > 0.0 || (fraction == 0.0 && !inclusive) {
                Bound::Excluded(number)
            } else {
                Bound::Included(number)
            }
        }
    };
    let upper = match upper {
        None => Bound::Unbounded,
        Some((value, inclusive)) => {
            let (number, fraction) = (whole(field, value)?, fraction(value)?);
            if fraction < 0.0 || (fraction == 0.0 && !inclusive) {
                Bound::Excluded(number)
            } else {
                Bound::Included(number)
            }
        }
    };
    Ok(Interval::Integer(lower, upper))
}

/// Compares the scaled whole numbers, as Elasticsearch does, so that rounding does not move a bound.
fn scaled_interval(factor: f64, lower: End<'_>, upper: End<'_>) -> Result<Interval, EsError> {
    let lower = match lower {
        None => Bound::Unbounded,
        Some((value, true)) => Bound::Included((json::float(value)? * factor).ceil() / factor),
        Some((value, false)) => Bound::Included(((json::float(value)? * factor).floor() + 1.0) / factor),
    };
    let upper = match upper {
        None => Bound::Unbounded,
        Some((value, true)) => Bound::Included((json::float(value)? * factor).floor() / factor),
        Some((value, false)) => Bound::Included(((json::float(value)? * factor).ceil() - 1.0) / factor),
    };
    Ok(Interval::Float(lower, upper))
}

fn date_interval(format: &DateFormat, lower: End<'_>, upper: End<'_>, now: i64) -> Result<Interval, EsError> {
    let read = |value: &Value, round_up| {
        let text = json::text(value).unwrap_or_default();
        date_math::milliseconds(&text, format, round_up, now)
    };
    let lower = match lower {
        None => Bound::Unbounded,
        Some((value, true)) => Bound::Included(read(value, false)?),
        Some((value, false)) => Bound::Excluded(read(value, true)?),
    };
    let upper = match upper {
        None => Bound::Unbounded,
        Some((value, true)) => Bound::Included(read(value, true)?),
        Some((value, false)) => Bound::Excluded(read(value, false)?),
    };
    Ok(Interval::Integer(lower, upper))
}
