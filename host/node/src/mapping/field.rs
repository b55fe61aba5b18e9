//! Field types, and the definition of one field.

use super::date::DateFormat;
use super::slot::{Slot, SlotKind};
use crate::error::EsError;
use serde_json::{Map, Value};
use std::sync::Arc;

/// The field types the node knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FieldType {
    /// Analysed with the standard analyzer.
    Text,
    /// Whole strings.
    Keyword,
    /// 64 bits, signed.
    Long,
    /// 32 bits, signed.
    Integer,
    /// 16 bits, signed.
    Short,
    /// 8 bits, signed.
    Byte,
    /// 64 bit floating point.
    Double,
    /// 32 bit floating point, kept as `f64` after rounding.
    Float,
    /// 16 bit floating point, kept as `f64` after rounding.
    HalfFloat,
    /// Floating point rounded to multiples of 1 / `scaling_factor`.
    ScaledFloat,
    /// Milliseconds since the epoch.
    Date,
    /// true or false.
    Boolean,
    /// IPv4 or IPv6 address.
    Ip,
    /// Latitude and longitude, a column each.
    GeoPoint,
    /// A query, to be found by documents.
    Percolator,
}

impl FieldType {
    /// The type called `name` in a mapping.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "text" => FieldType::Text,
            "keyword" => FieldType::Keyword,
            "long" => FieldType::Long,
            "integer" => FieldType::Integer,
            "short" => FieldType::Short,
            "byte" => FieldType::Byte,
            "double" => FieldType::Double,
            "float" => FieldType::Float,
            "half_float" => FieldType::HalfFloat,
            "scaled_float" => FieldType::ScaledFloat,
            "date" => FieldType::Date,
            "boolean" => FieldType::Boolean,
            "ip" => FieldType::Ip,
            "geo_point" => FieldType::GeoPoint,
            "percolator" => FieldType::Percolator,
            _ => return None,
        })
    }

    /// Its name in a mapping.
    pub fn name(self) -> &'static str {
        match self {
            FieldType::Text => "text",
            FieldType::Keyword => "keyword",
            FieldType::Long => "long",
            FieldType::Integer => "integer",
            FieldType::Short => "short",
            FieldType::Byte => "byte",
            FieldType::Double => "double",
            FieldType::Float => "float",
            FieldType::HalfFloat => "half_float",
            FieldType::ScaledFloat => "scaled_float",
            FieldType::Date => "date",
            FieldType::Boolean => "boolean",
            FieldType::Ip => "ip",
            FieldType::GeoPoint => "geo_point",
            FieldType::Percolator => "percolator",
        }
    }

    /// The slots a field of this type takes; two for a point, latitude first.
    pub fn slot_kinds(self) -> &'static [SlotKind] {
        match self {
            FieldType::Text => &[SlotKind::Text],
            FieldType::Keyword => &[SlotKind::Keyword],
            FieldType::Long | FieldType::Integer | FieldType::Short | FieldType::Byte | FieldType::Date => {
                &[SlotKind::Integer]
            }
            FieldType::Double | FieldType::Float | FieldType::HalfFloat | FieldType::ScaledFloat => {
                &[SlotKind::Float]
            }
            FieldType::Boolean => &[SlotKind::Boolean],
            FieldType::Ip => &[SlotKind::Ip],
            FieldType::GeoPoint => &[SlotKind::Float, SlotKind::Float],
            FieldType::Percolator => &[SlotKind::Query],
        }
    }

    /// Least and greatest value of a whole-number type.
    pub fn integer_range(self) -> Option<(i64, i64)> {
        Some(match self {
            FieldType::Long => (i64::MIN, i64::MAX),
            FieldType::Integer => (i64::from(i32::MIN), i64::from(i32::MAX)),
            FieldType::Short => (i64::from(i16::MIN), i64::from(i16::MAX)),
            FieldType::Byte => (i64::from(i8::MIN), i64::from(i8::MAX)),
            _ => return None,
        })
    }

    /// Whether it is one of the number types (dates are not).
    pub fn is_numeric(self) -> bool {
        self.integer_range().is_some() || self.slot_kinds() == [SlotKind::Float]
    }
}

/// What a mapping says about one field.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldDefinition {
    /// The type.
    pub field_type: FieldType,
    /// Whether it may be searched.
    pub index: bool,
    /// Whether it may be sorted by and aggregated; never for text.
    pub doc_values: bool,
    /// Whether the length of the text counts in scores; text only.
    pub norms: bool,
    /// Whether numbers may come as strings, and whole numbers lose a fraction.
    pub coerce: bool,
    /// Whether a value that does not fit is left out instead of refusing the document.
    pub ignore_malformed: bool,
    /// Strings with more characters (UTF-16 units, as in Java) are not indexed; keyword only.
    pub ignore_above: Option<usize>,
    /// Stands in for null.
    pub null_value: Option<Value>,
    /// How dates are read and written.
    pub format: Arc<DateFormat>,
    /// What values are multiplied by before rounding; scaled_float only.
    pub scaling_factor: f64,
    /// The parameters as given, `type` and `fields` left out: what `GET _mapping` answers.
    pub parameters: Map<String, Value>,
    /// Its multi-fields by name, filled from the same value.
    pub fields: Vec<(String, FieldDefinition)>,
}

impl FieldDefinition {
    /// The definition in a mapping as JSON.
    pub fn to_json(&self) -> Value {
        let mut object = Map::new();
        object.insert("type".to_string(), self.field_type.name().into());
        object.extend(self.parameters.clone());
        if !self.fields.is_empty() {
            let fields: Map<String, Value> =
                self.fields.iter().map(|(name, field)| (name.clone(), field.to_json())).collect();
            object.insert("fields".to_string(), Value::Object(fields));
        }
        Value::Object(object)
    }

    /// `value` rounded to what a floating-point type can hold.
    ///
    /// # Errors
    /// The reason, where the value is not finite in that type.
    pub fn round(&self, value: f64) -> Result<f64, EsError> {
        let rounded = match self.field_type {
            FieldType::Float => f64::from(value as f32),
            FieldType::HalfFloat => half(value),
            FieldType::ScaledFloat => (value * self.scaling_factor).round() / self.scaling_factor,
            _ => value,
        };
        if rounded.is_finite() {
            return Ok(rounded);
        }
        let shown = if rounded < 0.0 { "-Infinity" } else { "Infinity" };
        Err(EsError::illegal_argument(format!(
            "[{}] supports only finite values, but got [{shown}]",
            self.field_type.name()
        )))
    }
}

/// The nearest 16 bit float, ties to even; infinite above 65504.
fn half(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let exponent = value.abs().log2().floor().max(-14.0);
    let unit = (exponent - 10.0).exp2();
    let rounded = (value / unit).round_ties_even() * unit;
    if rounded.abs() > 65504.0 { f64::INFINITY.copysign(value) } else { rounded }
}

/// A field of an index: its definition and where the search engine keeps it.
#[derive(Debug, Clone, PartialEq)]
pub struct MappedField {
    /// Full path, for example `address.city` or, for a multi-field, `name.raw`.
    pub path: String,
    /// What the mapping says.
    pub definition: FieldDefinition,
    /// One slot, or latitude and longitude for a point.
    pub slots: Vec<Slot>,
    /// Indexes of its multi-fields in the mapping's field list.
    pub multi_fields: Vec<usize>,
}

impl MappedField {
    /// The type.
    pub fn field_type(&self) -> FieldType {
        self.definition.field_type
    }

    /// Whether it holds queries.
    pub fn is_percolator(&self) -> bool {
        self.field_type() == FieldType::Percolator
    }

    /// The slot; of a point, that of the latitude.
    pub fn slot(&self) -> &Slot {
        &self.slots[0]
    }

    /// The field in the tantivy schema; of a point, that of the latitude.
    pub fn field(&self) -> tantivy::schema::Field {
        self.slot().field
    }

    /// Name of the column in the search engine; of a point, that of the latitude.
    pub fn column(&self) -> &str {
        &self.slot().name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_floats_round_to_eleven_bits() {
        for (value, rounded) in
            [(0.1, 0.0999755859375), (2049.0, 2048.0), (2051.0, 2052.0), (65504.0, 65504.0)]
        {
            assert_eq!(half(value), rounded);
        }
        assert!(half(65600.0).is_infinite());
    }
}
