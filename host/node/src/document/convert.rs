//! One value to what its field type holds.

use crate::error::EsError;
use crate::mapping::{FieldDefinition, FieldType, MappedField};
use serde_json::Value;
use std::borrow::Cow;
use std::net::{IpAddr, Ipv6Addr};
use tantivy::TantivyDocument;

/// The greatest number of bytes that Lucene takes as one term.
const MAX_TERM_BYTES: usize = 32_766;

/// A value of a document that is neither null, array nor object.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Scalar<'s> {
    Boolean(bool),
    Integer(i64),
    Unsigned(u64),
    Float(f64),
    Text(&'s str),
}

impl<'s> Scalar<'s> {
    /// The scalar in `value`, if it is one.
    pub fn of(value: &'s Value) -> Option<Self> {
        Some(match value {
            Value::Bool(boolean) => Scalar::Boolean(*boolean),
            Value::String(text) => Scalar::Text(text),
            Value::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(integer), _) => Scalar::Integer(integer),
                (None, Some(unsigned)) => Scalar::Unsigned(unsigned),
                _ => Scalar::Float(number.as_f64()?),
            },
            _ => return None,
        })
    }

    /// The value as text, as `Elasticsearch` reads numbers into strings.
    pub fn text(self) -> Cow<'s, str> {
        match self {
            Scalar::Boolean(boolean) => Cow::Borrowed(if boolean { "true" } else { "false" }),
            Scalar::Integer(integer) => Cow::Owned(integer.to_string()),
            Scalar::Unsigned(unsigned) => Cow::Owned(unsigned.to_string()),
            Scalar::Float(float) => Cow::Owned(Value::from(float).to_string()),
            Scalar::Text(text) => Cow::Borrowed(text),
        }
    }
}

/// Adds `value` to the slot of `field`.
///
/// # Errors
/// The cause, where it does not fit: to be wrapped with the field, its type and the document's id.
pub(super) fn add(
    document: &mut TantivyDocument,
    field: &MappedField,
    value: Scalar<'_>,
) -> Result<(), EsError> {
    let definition = &field.definition;
    match definition.field_type {
        FieldType::Text => document.add_text(field.field(), value.text()),
        FieldType::Keyword => {
            let text = value.text();
            if !is_ignored(definition, &text) {
                if text.len() > MAX_TERM_BYTES {
                    return Err(EsError::illegal_argument(format!(
                        "Document contains at least one immense term in field=\"{}\" (whose UTF8 encoding is longer than the max length {MAX_TERM_BYTES})",
                        field.path
                    )));
                }
                document.add_text(field.field(), text);
            }
        }
        FieldType::Long | FieldType::Integer | FieldType::Short | FieldType::Byte => {
            document.add_i64(field.field(), integer(definition, value)?);
        }
        FieldType::Double | FieldType::Float | FieldType::HalfFloat | FieldType::ScaledFloat => {
            document.add_f64(field.field(), definition.round(float(definition, value)?)?);
        }
        FieldType::Date => {
            let text = value.text();
            let milliseconds = definition.format.parse(&text).ok_or_else(|| {
                let format = definition.format.source();
                let cause = if format.contains("||") {
                    "Failed to parse with all enclosed parsers".to_string()
                } else {
                    format!("Text '{text}' could not be parsed")
                };
                EsError::illegal_argument(format!(
                    "failed to parse date field [{text}] with format [{format}]"
                ))
                .caused_by(EsError::new(400, "date_time_parse_exception", cause))
            })?;
            document.add_i64(field.field(), milliseconds);
        }
        FieldType::Boolean => document.add_bool(field.field(), boolean(value)?),
        FieldType::Ip => document.add_ip_addr(field.field(), ip(&value.text())?),
        // Points come as objects, pairs or text; `point` reads them.
        FieldType::GeoPoint => return Err(EsError::new(400, "parse_exception", "geo_point expected")),
        // Queries are objects.
        FieldType::Percolator => {
            return Err(EsError::parsing("[_na] query malformed, must start with start_object"));
        }
    }
    Ok(())
}

/// Whether a keyword is too long for its `ignore_above`.
fn is_ignored(definition: &FieldDefinition, text: &str) -> bool {
    // A string has at least as many bytes as UTF-16 units.
    definition.ignore_above.is_some_and(|most| text.len() > most && text.encode_utf16().count() > most)
}

/// The cause where a number is expected and another token found.
pub(super) fn not_numeric(token: &str) -> EsError {
    let reason = format!("Current token ({token}) not numeric, can not use numeric value accessors");
    EsError::new(400, "json_parse_exception", reason)
}

fn integer(definition: &FieldDefinition, value: Scalar<'_>) -> Result<i64, EsError> {
    let kind = definition.field_type;
    let (least, most) = kind.integer_range().unwrap_or((i64::MIN, i64::MAX));
    let out_of_range = || {
        let class = match kind {
            FieldType::Long => Some("long"),
            FieldType::Integer => Some("int"),
            _ => None,
        };
        if let (Some(class), Scalar::Integer(_) | Scalar::Unsigned(_)) = (class, value) {
            let reason =
                format!("Numeric value ({}) out of range of {class} ({least} - {most})", value.text());
            return EsError::new(400, "input_coercion_exception", reason);
        }
        let article = if kind == FieldType::Integer { "an" } else { "a" };
        EsError::illegal_argument(format!(
            "Value [{}] is out of range for {article} {}",
            value.text(),
            kind.name()
        ))
    };
    let integer = match value {
        Scalar::Integer(integer) => integer,
        Scalar::Unsigned(_) => return Err(out_of_range()),
        Scalar::Boolean(_) => {
            return Err(not_numeric(&format!("VALUE_{}", value.text().to_uppercase())));
        }
        Scalar::Text(text) => {
            check_coerce(definition)?;
            match text.parse::<i64>() {
                Ok(integer) => integer,
                Err(_) => whole(definition, value, number(kind, text)?, out_of_range)?,
            }
        }
        Scalar::Float(float) => whole(definition, value, float, out_of_range)?,
    };
    if (least..=most).contains(&integer) { Ok(integer) } else { Err(out_of_range()) }
}

fn whole(
    definition: &FieldDefinition,
    value: Scalar<'_>,
    float: f64,
    out_of_range: impl Fn() -> EsError,
) -> Result<i64, EsError> {
    if !definition.coerce && float.fract() != 0.0 {
        let name = definition.field_type.name();
        let class = name[..1].to_uppercase() + &name[1..];
        return Err(EsError::illegal_argument(format!(
            "{} cannot be converted to {class} without data loss",
            value.text()
        )));
    }
    // 2^63 is the first double that i64 has no room for.
    if (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&float) {
        Ok(float as i64)
    } else {
        Err(out_of_range())
    }
}

fn float(definition: &FieldDefinition, value: Scalar<'_>) -> Result<f64, EsError> {
    match value {
        Scalar::Integer(integer) => Ok(integer as f64),
        Scalar::Unsigned(unsigned) => Ok(unsigned as f64),
        Scalar::Float(float) => Ok(float),
        Scalar::Text(text) => {
            check_coerce(definition)?;
            number(definition.field_type, text)
        }
        Scalar::Boolean(_) => Err(not_numeric(&format!("VALUE_{}", value.text().to_uppercase()))),
    }
}

fn check_coerce(definition: &FieldDefinition) -> Result<(), EsError> {
    if definition.coerce {
        return Ok(());
    }
    let name = definition.field_type.name();
    Err(EsError::illegal_argument(format!(
        "{} value passed as String",
        name[..1].to_uppercase() + &name[1..]
    )))
}

fn number(kind: FieldType, text: &str) -> Result<f64, EsError> {
    let class =
        if kind == FieldType::Long { "illegal_argument_exception" } else { "number_format_exception" };
    if text.trim().is_empty() {
        return Err(EsError::new(400, class, "empty String"));
    }
    (if kind == FieldType::Long { text } else { text.trim() })
        .parse()
        .map_err(|_| EsError::new(400, class, format!("For input string: \"{text}\"")))
}

fn boolean(value: Scalar<'_>) -> Result<bool, EsError> {
    match value {
        Scalar::Boolean(boolean) => Ok(boolean),
        Scalar::Text("true") => Ok(true),
        Scalar::Text("false" | "") => Ok(false),
        Scalar::Text(text) => Err(EsError::illegal_argument(format!(
            "Failed to parse value [{text}] as only [true] or [false] are allowed."
        ))),
        Scalar::Integer(_) | Scalar::Unsigned(_) => Err(EsError::new(
            400,
            "json_parse_exception",
            "Current token (VALUE_NUMBER_INT) not of boolean type",
        )),
        Scalar::Float(_) => Err(EsError::new(
            400,
            "json_parse_exception",
            "Current token (VALUE_NUMBER_FLOAT) not of boolean type",
        )),
    }
}

fn ip(text: &str) -> Result<Ipv6Addr, EsError> {
    match text.parse() {
        Ok(IpAddr::V4(address)) => Ok(address.to_ipv6_mapped()),
        Ok(IpAddr::V6(address)) => Ok(address),
        Err(_) => Err(EsError::illegal_argument(format!("'{text}' is not an IP string literal."))),
    }
}

/// Adds every point of `value` to the two slots of `field`.
pub(super) fn add_points(
    document: &mut TantivyDocument,
    field: &MappedField,
    value: &Value,
) -> Result<(), EsError> {
    if let Value::Array(list) = value
        && !list.first().is_some_and(Value::is_number)
    {
        return list.iter().try_for_each(|each| add_points(document, field, each));
    }
    if value.is_null() {
        return Ok(());
    }
    let (latitude, longitude) = point(value)?;
    for (name, degrees, most) in [("latitude", latitude, 90.0), ("longitude", longitude, 180.0)] {
        if !(-most..=most).contains(&degrees) {
            return Err(EsError::illegal_argument(format!(
                "illegal {name} value [{degrees:?}] for {}",
                field.path
            )));
        }
    }
    document.add_f64(field.slots[0].field, latitude);
    document.add_f64(field.slots[1].field, longitude);
    Ok(())
}

/// Latitude and longitude of a point in one of the shapes Elasticsearch takes, geohashes aside.
fn point(value: &Value) -> Result<(f64, f64), EsError> {
    let parse_error = |reason: &str| EsError::new(400, "parse_exception", reason);
    let degrees = |value: Option<&Value>| match value {
        Some(Value::Number(number)) => number.as_f64(),
        Some(Value::String(text)) => text.trim().parse().ok(),
        _ => None,
    };
    match value {
        Value::Object(members) => {
            if let Some(unknown) = members.keys().find(|name| *name != "lat" && *name != "lon") {
                return Err(parse_error(&format!(
                    "field must be either [lat], [lon] or [geohash], got [{unknown}]"
                )));
            }
            let latitude = degrees(members.get("lat")).ok_or_else(|| parse_error("field [lat] missing"))?;
            let longitude = degrees(members.get("lon")).ok_or_else(|| parse_error("field [lon] missing"))?;
            Ok((latitude, longitude))
        }
        Value::Array(pair) => match (degrees(pair.first()), degrees(pair.get(1)), pair.len()) {
            (Some(longitude), Some(latitude), 2 | 3) => Ok((latitude, longitude)),
            _ => Err(parse_error("[geo_point] field type expects an array of [lon, lat]")),
        },
        Value::String(text) => {
            let well_known =
                text.trim().strip_prefix("POINT").map(|rest| rest.trim().trim_matches(['(', ')']));
            let parts: Vec<&str> = match well_known {
                Some(inner) => inner.split_whitespace().rev().collect(),
                None => text.split(',').collect(),
            };
            match parts.as_slice() {
                [latitude, longitude] => match (latitude.trim().parse(), longitude.trim().parse()) {
                    (Ok(latitude), Ok(longitude)) => Ok((latitude, longitude)),
                    _ => Err(parse_error("latitude and longitude must be numbers")),
                },
                _ => Err(parse_error(
                    "unsupported geo_point text: \"lat,lon\" or \"POINT (lon lat)\" expected; the embedded node reads no geohashes",
                )),
            }
        }
        _ => Err(parse_error("geo_point expected")),
    }
}
