//! The values of a field in one segment.

use super::request::Values;
use crate::error::EsError;
use crate::mapping::{FieldType, MappedField};
use crate::search::json;
use crate::search::order::sortable;
use crate::search::query::{date_math, values};
use crate::shard::ShardView;
use serde_json::Value;
use std::fmt::Debug;
use std::net::Ipv6Addr;
use tantivy::columnar::column_index::Set;
use tantivy::columnar::{Column, ColumnIndex, StrColumn};
use tantivy::{DocId, SegmentReader};

/// A column, opened.
#[derive(Debug, Clone)]
pub enum Source {
    /// Whole numbers and dates.
    Integer(Column<i64>),
    /// Booleans.
    Boolean(Column<bool>),
    /// Numbers.
    Float(Column<f64>),
    /// Texts, by their number in the segment's dictionary.
    Text(StrColumn),
    /// Addresses.
    Ip(Column<Ipv6Addr>),
    /// The segment has no value.
    Nothing,
}

/// The value that stands in for none.
#[derive(Debug, Clone, PartialEq)]
pub enum Stand {
    /// For whole numbers, dates and Booleans.
    Integer(i64),
    /// For numbers.
    Float(f64),
    /// For texts.
    Text(String),
    /// For addresses.
    Ip(Ipv6Addr),
}

/// The field that an aggregation takes its values from, in one index.
#[derive(Debug, Clone)]
pub struct ValuesOf<'s> {
    field: Option<&'s MappedField>,
    /// What stands in for none.
    pub missing: Option<Stand>,
}

impl<'s> ValuesOf<'s> {
    /// Finds the field of `values` in `shard` for an aggregation called `kind`.
    ///
    /// # Errors
    /// 400 where the field cannot be aggregated, or `missing` is no value of it.
    pub fn new(values: &Values, shard: &'s ShardView, kind: &str) -> Result<Self, EsError> {
        let Some(field) = shard.mapping.get(&values.field) else {
            if values.field.starts_with('_') {
                return Err(EsError::unsupported(format_args!("an aggregation of [{}]", values.field)));
            }
            let missing = values.missing.as_ref().map(unmapped_stand);
            return Ok(ValuesOf { field: None, missing });
        };
        sortable(field)?;
        let takes = match field.field_type() {
            FieldType::Keyword | FieldType::Ip => {
                ["terms", "value_count", "cardinality", "missing"].contains(&kind)
            }
            FieldType::GeoPoint => ["value_count", "missing"].contains(&kind),
            FieldType::Date => kind != "range",
            FieldType::Boolean => kind != "date_range",
            FieldType::Text => false,
            _ => true,
        };
        if !takes {
            let of_type = field.field_type().name();
            return Err(EsError::illegal_argument(format!(
                "Field [{}] of type [{of_type}] is not supported for aggregation [{kind}]",
                values.field
            )));
        }
        let missing = values.missing.as_ref().map(|value| stand(field, value)).transpose()?;
        Ok(ValuesOf { field: Some(field), missing })
    }

    /// The field, if the index has it.
    pub fn field(&self) -> Option<&'s MappedField> {
        self.field
    }

    /// Opens the column in a segment.
    ///
    /// # Errors
    /// Where the index cannot be read.
    pub fn open(&self, segment: &SegmentReader) -> Result<Source, EsError> {
        let Some(field) = self.field else {
            return Ok(Source::Nothing);
        };
        let (columns, name) = (segment.fast_fields(), field.column());
        let source = match field.field_type() {
            FieldType::Keyword => columns.str(name)?.map(Source::Text),
            FieldType::Boolean => columns.column_opt(name)?.map(Source::Boolean),
            FieldType::Ip => columns.column_opt(name)?.map(Source::Ip),
            FieldType::Long | FieldType::Integer | FieldType::Short | FieldType::Byte | FieldType::Date => {
                columns.column_opt(name)?.map(Source::Integer)
            }
            _ => columns.column_opt(name)?.map(Source::Float),
        };
        Ok(source.unwrap_or(Source::Nothing))
    }
}

fn unmapped_stand(value: &Value) -> Stand {
    match value {
        Value::Number(number) => match number.as_i64() {
            Some(number) => Stand::Integer(number),
            None => Stand::Float(number.as_f64().unwrap_or(0.0)),
        },
        Value::Bool(flag) => Stand::Integer(i64::from(*flag)),
        other => Stand::Text(json::text(other).unwrap_or_default()),
    }
}

fn stand(field: &MappedField, value: &Value) -> Result<Stand, EsError> {
    Ok(match field.field_type() {
        FieldType::Keyword | FieldType::Text => Stand::Text(json::text(value).unwrap_or_default()),
        FieldType::Ip => Stand::Ip(values::address(value)?),
        FieldType::Boolean => Stand::Integer(i64::from(values::boolean(value)?)),
        FieldType::Date => {
            let text = json::text(value).unwrap_or_default();
            Stand::Integer(date_math::milliseconds(&text, &field.definition.format, false, 0)?)
        }
        kind if kind.integer_range().is_some() => Stand::Integer(json::integer(value)?),
        _ => Stand::Float(json::float(value)?),
    })
}

impl Stand {
    /// It as number; none for texts and addresses.
    pub fn number(&self) -> Option<f64> {
        match self {
            Stand::Integer(number) => Some(*number as f64),
            Stand::Float(number) => Some(*number),
            Stand::Text(_) | Stand::Ip(_) => None,
        }
    }
}

/// Calls `sink` with the bucket, document and value of each value of `documents`, whose buckets are `owners`; in order of
/// the documents.
pub fn each<T, U>(
    column: &Column<T>,
    documents: &[DocId],
    owners: &[u32],
    missing: Option<U>,
    map: impl Fn(T) -> U,
    mut sink: impl FnMut(u32, DocId, U),
) where
    T: PartialOrd + Copy + Debug + Send + Sync + 'static,
    U: Copy,
{
    const BLOCK: usize = 64;
    match &column.index {
        ColumnIndex::Full => {
            // Whatever the values are before they are read.
            let mut values = [column.values.min_value(); BLOCK];
            for (documents, owners) in documents.chunks(BLOCK).zip(owners.chunks(BLOCK)) {
                let values = &mut values[..documents.len()];
                column.values.get_vals(documents, values);
                for ((document, owner), value) in documents.iter().zip(owners).zip(values) {
                    sink(*owner, *document, map(*value));
                }
            }
        }
        ColumnIndex::Optional(index) => {
            for (document, owner) in documents.iter().zip(owners) {
                let value = index.rank_if_exists(*document).map(|row| map(column.values.get_val(row)));
                if let Some(value) = value.or(missing) {
                    sink(*owner, *document, value);
                }
            }
        }
        _ => {
            for (document, owner) in documents.iter().zip(owners) {
                let mut any = false;
                for value in column.values_for_doc(*document) {
                    any = true;
                    sink(*owner, *document, map(value));
                }
                if let (false, Some(value)) = (any, missing) {
                    sink(*owner, *document, value);
                }
            }
        }
    }
}

/// Whether documents may have several values.
pub fn is_multivalued<T>(column: &Column<T>) -> bool {
    matches!(column.index, ColumnIndex::Multivalued(_))
}

impl Source {
    /// Calls `sink` with the bucket and number of each value; texts and addresses have none.
    pub fn numbers(
        &self,
        documents: &[DocId],
        owners: &[u32],
        missing: Option<f64>,
        mut sink: impl FnMut(u32, DocId, f64),
    ) {
        match self {
            Source::Integer(column) => each(column, documents, owners, missing, |value| value as f64, sink),
            Source::Float(column) => each(column, documents, owners, missing, |value| value, sink),
            Source::Boolean(column) => {
                each(column, documents, owners, missing, |flag| f64::from(u8::from(flag)), sink);
            }
            Source::Nothing => {
                if let Some(missing) = missing {
                    for (document, owner) in documents.iter().zip(owners) {
                        sink(*owner, *document, missing);
                    }
                }
            }
            Source::Text(_) | Source::Ip(_) => {}
        }
    }

    /// How many different values `document` has, if they are texts or addresses, else how many values.
    pub fn value_count(&self, document: DocId) -> u64 {
        fn different<T: PartialEq>(values: impl Iterator<Item = T>) -> u64 {
            let mut seen: Vec<T> = Vec::new();
            for value in values {
                if !seen.contains(&value) {
                    seen.push(value);
                }
            }
            seen.len() as u64
        }
        match self {
            Source::Integer(column) => column.values_for_doc(document).count() as u64,
            Source::Boolean(column) => column.values_for_doc(document).count() as u64,
            Source::Float(column) => column.values_for_doc(document).count() as u64,
            Source::Text(column) => different(column.ords().values_for_doc(document)),
            Source::Ip(column) => different(column.values_for_doc(document)),
            Source::Nothing => 0,
        }
    }

    /// Whether `document` has a value.
    pub fn has_value(&self, document: DocId) -> bool {
        match self {
            Source::Integer(column) => column.index.has_value(document),
            Source::Boolean(column) => column.index.has_value(document),
            Source::Float(column) => column.index.has_value(document),
            Source::Text(column) => column.ords().index.has_value(document),
            Source::Ip(column) => column.index.has_value(document),
            Source::Nothing => false,
        }
    }
}
