//! Sort keys at work: reading them from a segment, and comparing them between segments.
//!
//! Within a segment every key is a `u64` that is smaller the earlier its document comes: directions are turned and missing
//! values put in their place when it is read. Numbers compare so between segments too. Texts are numbers of the segment's
//! dictionary: an entry `n` is `2 n + 2`, so that there is room for texts between entries, and for missing ones around.

use super::json;
use super::query::date_math;
use super::sort::{Missing, SortBy, SortKey, SortMode};
use crate::error::EsError;
use crate::mapping::date::DateFormat;
use crate::mapping::{FieldType, MappedField};
use crate::shard::ShardView;
use serde_json::Value;
use std::cmp::Ordering;
use std::sync::Arc;
use tantivy::columnar::{Column, ColumnIndex, StrColumn};
use tantivy::{DocId, SegmentReader, f64_to_u64, i64_to_u64, u64_to_f64, u64_to_i64};

/// A key that can be compared with those of other segments.
#[derive(Debug, Clone, PartialEq)]
pub enum KeyValue {
    /// As read from the segment.
    Number(u64),
    /// A text, or none.
    Text(Option<Box<str>>),
}

/// One level of the order over one index.
#[derive(Debug, Clone)]
pub struct Level {
    kind: LevelKind,
    descending: bool,
    missing: Missing,
    greatest: bool,
}

#[derive(Debug, Clone)]
enum LevelKind {
    Score,
    Document,
    /// Whole numbers of a column; none where the index does not have the field.
    Integer(Option<Arc<str>>, Option<Arc<DateFormat>>),
    Boolean(Option<Arc<str>>),
    /// The flag tells 32 bit numbers.
    Float(Option<Arc<str>>, bool),
    Text(Option<Arc<str>>),
}

impl Level {
    /// The level that `key` means in `shard`.
    ///
    /// # Errors
    /// 400 where the index does not have the field or it cannot be sorted by.
    pub fn new(key: &SortKey, shard: &ShardView) -> Result<Self, EsError> {
        let kind = match &key.by {
            SortBy::Score => LevelKind::Score,
            SortBy::Document => LevelKind::Document,
            SortBy::Field(path) => match (shard.mapping.get(path), &key.unmapped_type) {
                (Some(field), _) => mapped(field)?,
                (None, Some(name)) => unmapped(name)?,
                (None, None) => {
                    let reason = format!("No mapping found for [{path}] in order to sort on");
                    return Err(EsError::new(400, "query_shard_exception", reason));
                }
            },
        };
        let greatest = key.mode.map_or(key.descending, |mode| mode == SortMode::Greatest);
        Ok(Level { kind, descending: key.descending, missing: key.missing.clone(), greatest })
    }

    /// Whether the score is compared.
    pub fn is_score(&self) -> bool {
        matches!(self.kind, LevelKind::Score)
    }

    /// Opens the level for a segment whose first document is number `base` of the index.
    ///
    /// # Errors
    /// Where the index cannot be read, or 400 where `missing` is no value of the field.
    pub fn reader(&self, segment: &SegmentReader, base: u64) -> Result<KeyReader, EsError> {
        let columns = segment.fast_fields();
        let documents = segment.max_doc();
        let source = match &self.kind {
            LevelKind::Score => Source::Score,
            LevelKind::Document => Source::Document(base),
            LevelKind::Integer(name, _) => {
                Source::Integer(open(name, documents, |name| columns.column_opt(name))?)
            }
            LevelKind::Boolean(name) => {
                Source::Boolean(open(name, documents, |name| columns.column_opt(name))?)
            }
            LevelKind::Float(name, _) => {
                Source::Float(open(name, documents, |name| columns.column_opt(name))?)
            }
            LevelKind::Text(name) => Source::Text(match name {
                Some(name) => columns.str(name)?,
                None => None,
            }),
        };
        let mut reader = KeyReader {
            source,
            flip: self.descending,
            greatest: self.greatest,
            missing: 0,
            missing_text: None,
        };
        reader.missing = match (&self.missing, &reader.source) {
            (Missing::Value(value), Source::Text(_)) => {
                let text = json::text(value).unwrap_or_default();
                let key = reader.text_key(&text)?;
                reader.missing_text = Some(text.into());
                key
            }
            (Missing::Value(value), _) => self.number_key(value, "missing")?,
            (Missing::First, Source::Text(_)) => 0,
            (Missing::Last, Source::Text(_)) => u64::MAX,
            (place, _) => {
                let last = *place == Missing::Last;
                self.turned(self.extreme(last != self.descending))
            }
        };
        Ok(reader)
    }

    fn turned(&self, raw: u64) -> u64 {
        if self.descending { !raw } else { raw }
    }

    /// The greatest or least key before turning: what Elasticsearch shows for documents without a value.
    fn extreme(&self, greatest: bool) -> u64 {
        match (&self.kind, greatest) {
            (LevelKind::Float(..), true) => f64_to_u64(f64::INFINITY),
            (LevelKind::Float(..), false) => f64_to_u64(f64::NEG_INFINITY),
            (_, true) => u64::MAX,
            (_, false) => 0,
        }
    }

    /// The key of `value` where keys are numbers.
    fn number_key(&self, value: &Value, what: &str) -> Result<u64, EsError> {
        let raw = match &self.kind {
            LevelKind::Document => json::integer(value)?.max(0).unsigned_abs(),
            LevelKind::Integer(_, Some(format)) if value.is_string() => {
                let text = json::text(value).unwrap_or_default();
                i64_to_u64(date_math::milliseconds(&text, format, false, 0)?)
            }
            LevelKind::Integer(..) => i64_to_u64(json::integer(value)?),
            LevelKind::Boolean(_) => i64_to_u64(match value {
                Value::Bool(flag) => i64::from(*flag),
                other => json::integer(other)?,
            }),
            LevelKind::Score | LevelKind::Float(..) => match value.as_str() {
                Some("Infinity") => f64_to_u64(f64::INFINITY),
                Some("-Infinity") => f64_to_u64(f64::NEG_INFINITY),
                _ => f64_to_u64(json::float(value)?),
            },
            LevelKind::Text(_) => {
                return Err(EsError::internal(format!("[{what}] of a text is not a number")));
            }
        };
        Ok(self.turned(raw))
    }

    /// The key that `value`, given in `search_after`, stands for.
    ///
    /// # Errors
    /// 400 where it is no value of the field.
    pub fn after(&self, value: &Value, key: &SortKey) -> Result<KeyValue, EsError> {
        if let LevelKind::Text(_) = self.kind {
            return match value {
                Value::Null => Ok(KeyValue::Text(None)),
                other => Ok(KeyValue::Text(json::text(other).map(String::into_boxed_str))),
            };
        }
        if value.is_null() {
            let last = self.missing != Missing::First;
            return Ok(KeyValue::Number(self.turned(self.extreme(last != self.descending))));
        }
        self.number_key(value, "search_after").map(KeyValue::Number).map_err(|cause| {
            let name = match &key.by {
                SortBy::Field(path) => path,
                SortBy::Score => "_score",
                SortBy::Document => "_doc",
            };
            let reason = format!("Failed to parse search_after value for field [{name}].");
            EsError::illegal_argument(reason).caused_by(cause)
        })
    }

    /// Compares two keys of this level.
    pub fn compare(&self, left: &KeyValue, right: &KeyValue) -> Ordering {
        match (left, right) {
            (KeyValue::Number(left), KeyValue::Number(right)) => left.cmp(right),
            (KeyValue::Text(Some(left)), KeyValue::Text(Some(right))) => {
                let order = left.as_bytes().cmp(right.as_bytes());
                if self.descending { order.reverse() } else { order }
            }
            (KeyValue::Text(left), KeyValue::Text(right)) => {
                let order = left.is_none().cmp(&right.is_none());
                if self.missing == Missing::First { order.reverse() } else { order }
            }
            // Indices whose mappings disagree on the field: numbers before texts.
            (KeyValue::Number(_), KeyValue::Text(_)) => Ordering::Less,
            (KeyValue::Text(_), KeyValue::Number(_)) => Ordering::Greater,
        }
    }

    /// What a hit shows of `key`.
    pub fn show(&self, key: &KeyValue) -> Value {
        let raw = match key {
            KeyValue::Text(text) => return text.as_deref().map_or(Value::Null, Value::from),
            KeyValue::Number(key) => self.turned(*key),
        };
        match self.kind {
            LevelKind::Document => raw.into(),
            LevelKind::Score => score_value(u64_to_f64(raw) as f32),
            LevelKind::Float(_, single) => match u64_to_f64(raw) {
                f64::INFINITY => "Infinity".into(),
                f64::NEG_INFINITY => "-Infinity".into(),
                number if single => score_value(number as f32),
                number => number.into(),
            },
            _ => u64_to_i64(raw).into(),
        }
    }
}

/// A score as JSON: the shortest decimal that is this 32 bit number.
pub fn score_value(score: f32) -> Value {
    if score.fract() == 0.0 && score.abs() < 1e16 {
        return f64::from(score).into();
    }
    score.to_string().parse::<f64>().map_or(Value::Null, Value::from)
}

fn open<T: PartialOrd + Default>(
    name: &Option<Arc<str>>,
    documents: DocId,
    column: impl FnOnce(&str) -> tantivy::Result<Option<Column<T>>>,
) -> tantivy::Result<Column<T>> {
    let column = match name {
        Some(name) => column(name)?,
        None => None,
    };
    Ok(column.unwrap_or_else(|| Column::build_empty_column(documents)))
}

fn mapped(field: &MappedField) -> Result<LevelKind, EsError> {
    sortable(field)?;
    let name = Some(Arc::clone(&field.slot().name));
    Ok(match field.field_type() {
        FieldType::Keyword => LevelKind::Text(name),
        FieldType::Boolean => LevelKind::Boolean(name),
        FieldType::Date => LevelKind::Integer(name, Some(Arc::clone(&field.definition.format))),
        FieldType::Long | FieldType::Integer | FieldType::Short | FieldType::Byte => {
            LevelKind::Integer(name, None)
        }
        FieldType::Double | FieldType::ScaledFloat => LevelKind::Float(name, false),
        FieldType::Float | FieldType::HalfFloat => LevelKind::Float(name, true),
        kind @ (FieldType::Ip | FieldType::GeoPoint | FieldType::Text | FieldType::Percolator) => {
            return Err(EsError::unsupported(format_args!("sorting by a field of type [{}]", kind.name())));
        }
    })
}

/// Refuses fields whose values are not kept in columns.
///
/// # Errors
/// 400 `illegal_argument_exception` in the words of Elasticsearch.
pub fn sortable(field: &MappedField) -> Result<(), EsError> {
    let path = &field.path;
    if field.field_type() == FieldType::Text {
        return Err(EsError::illegal_argument(format!(
            "Text fields are not optimised for operations that require per-document field data like aggregations and \
             sorting, so these operations are disabled by default. Please use a keyword field instead. Alternatively, set \
             fielddata=true on [{path}] in order to load field data by uninverting the inverted index. Note that this can \
             use significant memory."
        )));
    }
    if field.is_percolator() {
        return Err(EsError::illegal_argument(format!(
            "Fielddata is not supported on field [{path}] of type [percolator]"
        )));
    }
    if !field.definition.doc_values {
        let kind = field.field_type().name();
        return Err(EsError::illegal_argument(format!(
            "Can't load fielddata on [{path}] because fielddata is unsupported on fields of type [{kind}]. Use doc values \
             instead."
        )));
    }
    Ok(())
}

fn unmapped(name: &str) -> Result<LevelKind, EsError> {
    Ok(match FieldType::from_name(name) {
        Some(FieldType::Keyword) => LevelKind::Text(None),
        Some(FieldType::Double | FieldType::Float | FieldType::HalfFloat | FieldType::ScaledFloat) => {
            LevelKind::Float(None, false)
        }
        Some(FieldType::Text | FieldType::Ip | FieldType::GeoPoint | FieldType::Percolator) => {
            return Err(EsError::unsupported(format_args!("sorting by a field of type [{name}]")));
        }
        Some(_) => LevelKind::Integer(None, None),
        None => {
            return Err(EsError::illegal_argument(format!("No mapper found for type [{name}]")));
        }
    })
}

/// Reads the keys of one level from one segment.
#[derive(Debug)]
pub struct KeyReader {
    source: Source,
    flip: bool,
    greatest: bool,
    missing: u64,
    missing_text: Option<Box<str>>,
}

#[derive(Debug)]
enum Source {
    Score,
    Document(u64),
    Integer(Column<i64>),
    Boolean(Column<bool>),
    Float(Column<f64>),
    Text(Option<StrColumn>),
}

impl KeyReader {
    /// The key of `document`, which scores `score`.
    pub fn key(&self, document: DocId, score: f32) -> u64 {
        let raw = match &self.source {
            Source::Score => Some(f64_to_u64(f64::from(score))),
            Source::Document(base) => Some(base + u64::from(document)),
            Source::Integer(column) => self.pick(column, document, i64_to_u64),
            Source::Boolean(column) => self.pick(column, document, |flag| i64_to_u64(i64::from(flag))),
            Source::Float(column) => self.pick(column, document, f64_to_u64),
            Source::Text(None) => None,
            Source::Text(Some(column)) => self.pick(column.ords(), document, |number| number * 2 + 2),
        };
        match raw {
            Some(raw) if self.flip => !raw,
            Some(raw) => raw,
            None => self.missing,
        }
    }

    fn pick<T>(&self, column: &Column<T>, document: DocId, key: impl Fn(T) -> u64) -> Option<u64>
    where
        T: PartialOrd + Copy + std::fmt::Debug + Send + Sync + 'static,
    {
        match &column.index {
            ColumnIndex::Full => Some(key(column.values.get_val(document))),
            ColumnIndex::Optional(index) => {
                use tantivy::columnar::column_index::Set;
                index.rank_if_exists(document).map(|row| key(column.values.get_val(row)))
            }
            _ => {
                let keys = column.values_for_doc(document).map(key);
                if self.greatest { keys.max() } else { keys.min() }
            }
        }
    }

    /// `key` as it compares with those of other segments.
    ///
    /// # Errors
    /// Where the index cannot be read.
    pub fn value(&self, key: u64) -> Result<KeyValue, EsError> {
        let Source::Text(column) = &self.source else {
            return Ok(KeyValue::Number(key));
        };
        if key == self.missing {
            return Ok(KeyValue::Text(self.missing_text.clone()));
        }
        let raw = if self.flip { !key } else { key };
        let mut text = String::new();
        if let Some(column) = column {
            column.ord_to_str((raw - 2) / 2, &mut text)?;
        }
        Ok(KeyValue::Text(Some(text.into())))
    }

    /// `value` as it compares with the keys of this segment.
    ///
    /// # Errors
    /// Where the index cannot be read.
    pub fn place(&self, value: &KeyValue) -> Result<u64, EsError> {
        match value {
            KeyValue::Number(key) => Ok(*key),
            KeyValue::Text(None) => Ok(self.missing),
            KeyValue::Text(Some(text)) => self.text_key(text),
        }
    }

    fn text_key(&self, text: &str) -> Result<u64, EsError> {
        let raw = match &self.source {
            Source::Text(Some(column)) => match column.dictionary().term_ord_or_next(text)? {
                tantivy::columnar::TermOrdHit::Exact(number) => number * 2 + 2,
                // Between two entries, or behind the last.
                tantivy::columnar::TermOrdHit::Next(number) => number.min(column.num_terms() as u64) * 2 + 1,
            },
            _ => 1,
        };
        Ok(if self.flip { !raw } else { raw })
    }
}
