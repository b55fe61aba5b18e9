//! The walk through a document's bytes, guided by the mapping.

use super::ParsedDocument;
use super::convert::{self, Scalar};
use crate::error::EsError;
use crate::mapping::{Dynamic, DynamicValue, FieldType, MappedField, Mapping, Node, ObjectNode, System};
use crate::search::percolate;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use tantivy::TantivyDocument;

/// The names that the metadata of documents has.
const METADATA: [&str; 9] =
    ["_id", "_index", "_type", "_source", "_routing", "_field_names", "_seq_no", "_version", "_ignored"];

pub(super) struct Walk<'m> {
    mapping: &'m Arc<Mapping>,
    id: &'m str,
    document: TantivyDocument,
    new_fields: Vec<(String, DynamicValue)>,
    /// Where the walk is, for errors and new fields.
    path: String,
    /// Text fields seen, each once.
    texts: Vec<usize>,
    /// Keywords added while inside an array: a document has each value of a field once, as in Lucene.
    keywords: Vec<(usize, String)>,
    arrays: usize,
    /// What went wrong, for serde's own error cannot carry it.
    error: Option<EsError>,
}

impl<'m> Walk<'m> {
    pub fn new(mapping: &'m Arc<Mapping>, id: &'m str, bytes: usize) -> Self {
        Walk {
            mapping,
            id,
            document: TantivyDocument::with_capacity(2 * bytes + 128),
            new_fields: Vec::new(),
            path: String::new(),
            texts: Vec::new(),
            keywords: Vec::new(),
            arrays: 0,
            error: None,
        }
    }

    pub fn read(mut self, source: &[u8]) -> Result<ParsedDocument, EsError> {
        let mut deserializer = serde_json::Deserializer::from_slice(source);
        let dynamic = self.mapping.root().dynamic.unwrap_or(Dynamic::True);
        let seed = ObjectSeed { object: self.mapping.root(), dynamic, walk: &mut self };
        let read = seed.deserialize(&mut deserializer).and_then(|()| deserializer.end());
        if let Some(error) = self.error {
            return Err(error);
        }
        if let Err(error) = read {
            let cause = if source.trim_ascii_start().starts_with(b"{") {
                EsError::json(&error)
            } else {
                EsError::new(
                    400,
                    "not_x_content_exception",
                    "Compressor detection can only be called on some xcontent bytes or compressed xcontent bytes",
                )
            };
            return Err(EsError::mapper_parsing("failed to parse").caused_by(cause));
        }
        Ok(ParsedDocument { document: self.document, new_fields: self.new_fields })
    }

    /// Keeps `error` and gives serde one to stop with.
    fn stop<E: serde::de::Error>(&mut self, error: EsError) -> E {
        self.error = Some(error);
        E::custom("stopped")
    }

    /// Adds `value` to the field and its multi-fields.
    fn add(&mut self, index: usize, value: Scalar<'_>) -> Result<(), EsError> {
        let mapping = self.mapping;
        let field = mapping.field(index);
        self.add_one(index, field, value)?;
        field.multi_fields.iter().try_for_each(|sub| self.add_one(*sub, mapping.field(*sub), value))
    }

    fn add_one(&mut self, index: usize, field: &MappedField, value: Scalar<'_>) -> Result<(), EsError> {
        match field.field_type() {
            FieldType::Text if !self.texts.contains(&index) => {
                self.texts.push(index);
                self.document.add_text(System::NAMES, &field.path);
            }
            FieldType::Keyword if self.arrays > 0 => {
                let text = value.text();
                if self.keywords.iter().any(|(other, seen)| *other == index && *seen == text) {
                    return Ok(());
                }
                self.keywords.push((index, text.into_owned()));
            }
            kind if kind.is_numeric() && value == Scalar::Text("") && field.definition.coerce => {
                // An empty string is no number, and no error: it counts as null.
                return match field.definition.null_value.as_ref().and_then(Scalar::of) {
                    Some(stand_in) => self.add_one(index, field, stand_in),
                    None => Ok(()),
                };
            }
            FieldType::GeoPoint => {
                let point = Value::String(value.text().into_owned());
                return self.add_points(field, &point);
            }
            _ => {}
        }
        match convert::add(&mut self.document, field, value) {
            Err(_) if field.definition.ignore_malformed => Ok(()),
            Err(cause) => Err(self.malformed(field, &value.text(), cause)),
            Ok(()) => Ok(()),
        }
    }

    fn add_points(&mut self, field: &MappedField, value: &Value) -> Result<(), EsError> {
        match convert::add_points(&mut self.document, field, value) {
            Err(_) if field.definition.ignore_malformed => Ok(()),
            Err(cause) => Err(EsError::mapper_parsing(format!(
                "failed to parse field [{}] of type [geo_point]",
                field.path
            ))
            .caused_by(cause)),
            Ok(()) => Ok(()),
        }
    }

    /// Adds the query or, of a list, the only one.
    fn add_query(&mut self, field: &MappedField, value: &Value) -> Result<(), EsError> {
        if let Value::Array(list) = value {
            return list.iter().try_for_each(|each| self.add_query(field, each));
        }
        let failed = |cause: EsError| {
            let own = ["parsing_exception", "query_shard_exception"].contains(&cause.kind);
            let mut error = EsError::mapper_parsing("failed to parse").caused_by(cause);
            error.root_is_cause = own;
            error
        };
        if self.document.get_first(field.field()).is_some() {
            let reason = "a document can only contain one percolator query";
            return Err(failed(EsError::illegal_argument(reason)));
        }
        percolate::check(self.mapping, value).map_err(failed)?;
        self.document.add_text(System::NAMES, &field.path);
        self.document.add_bytes(field.field(), value.to_string().as_bytes());
        Ok(())
    }

    fn malformed(&self, field: &MappedField, preview: &str, cause: EsError) -> EsError {
        EsError::mapper_parsing(format!(
            "failed to parse field [{}] of type [{}] in document with id '{}'. Preview of field's value: '{preview}'",
            field.path,
            field.field_type().name(),
            self.id
        ))
        .caused_by(cause)
    }

    /// Notes the fields that `value` at the current path would add.
    fn note(&mut self, value: &Value) {
        let noted = match value {
            Value::Null => return,
            Value::Array(list) => {
                list.iter().for_each(|each| self.note(each));
                return;
            }
            Value::Object(members) if !members.is_empty() => {
                for (name, value) in members {
                    let before = self.enter(name);
                    self.note(value);
                    self.path.truncate(before);
                }
                return;
            }
            Value::Object(_) => DynamicValue::Object,
            Value::Bool(_) => DynamicValue::Boolean,
            Value::String(text) => DynamicValue::String(text.clone()),
            Value::Number(number) if number.is_f64() => DynamicValue::Double,
            Value::Number(_) => DynamicValue::Long,
        };
        if !self.new_fields.iter().any(|(path, _)| *path == self.path) {
            self.new_fields.push((self.path.clone(), noted));
        }
    }

    /// Goes to the member `name`; gives the length of the path to go back to.
    fn enter(&mut self, name: &str) -> usize {
        let before = self.path.len();
        if before > 0 {
            self.path.push('.');
        }
        self.path.push_str(name);
        before
    }
}

/// Reads one object whose mapping is `object`.
struct ObjectSeed<'w, 'm> {
    walk: &'w mut Walk<'m>,
    object: &'m ObjectNode,
    dynamic: Dynamic,
}

impl<'de> DeserializeSeed<'de> for ObjectSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'m> ObjectSeed<'_, 'm> {
    /// Where `name` leads from this object, names with dots included; None for an unknown member.
    fn find(&self, name: &str) -> (Option<&'m Node>, Dynamic) {
        let (mut object, mut dynamic) = (self.object, self.dynamic);
        let mut node = None;
        for part in name.split('.') {
            node = object.members.get(part);
            match node {
                Some(Node::Object(inner)) => {
                    dynamic = inner.dynamic.unwrap_or(dynamic);
                    object = inner;
                }
                Some(Node::Field(_)) => object = &EMPTY,
                None => return (None, dynamic),
            }
        }
        (node, dynamic)
    }

    fn concrete<E: serde::de::Error>(self) -> E {
        if self.walk.path.is_empty() {
            return E::custom("expected a JSON object");
        }
        let path = &self.walk.path;
        let name = path.rsplit('.').next().unwrap_or(path);
        let error = EsError::mapper_parsing(format!(
            "object mapping for [{path}] tried to parse field [{name}] as object, but found a concrete value"
        ));
        self.walk.stop(error)
    }
}

static EMPTY: ObjectNode =
    ObjectNode { dynamic: None, enabled: None, members: std::collections::BTreeMap::new() };

impl<'de> Visitor<'de> for ObjectSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(name) = members.next_key_seed(Name)? {
            if name.is_empty() {
                let error = EsError::illegal_argument("field name cannot be an empty string");
                return Err(self.walk.stop(EsError::mapper_parsing("failed to parse").caused_by(error)));
            }
            if name.starts_with('_') && self.walk.path.is_empty() && METADATA.contains(&&*name) {
                let value: Value = members.next_value()?;
                let preview = value.as_str().map_or_else(|| value.to_string(), str::to_string);
                let cause = EsError::mapper_parsing(format!(
                    "Field [{name}] is a metadata field and cannot be added inside a document. Use the index API request parameters."
                ));
                let error = EsError::mapper_parsing(format!(
                    "failed to parse field [{name}] of type [{name}] in document with id '{}'. Preview of field's value: '{preview}'",
                    self.walk.id
                ));
                return Err(self.walk.stop(error.caused_by(cause)));
            }
            let (node, dynamic) = self.find(&name);
            match node {
                Some(Node::Object(inner)) if inner.enabled == Some(false) => {
                    _ = members.next_value::<IgnoredAny>()?
                }
                Some(Node::Object(inner)) => {
                    let before = self.walk.enter(&name);
                    members.next_value_seed(ObjectSeed { walk: &mut *self.walk, object: inner, dynamic })?;
                    self.walk.path.truncate(before);
                }
                Some(Node::Field(index)) => {
                    members.next_value_seed(FieldSeed { walk: &mut *self.walk, index: *index })?;
                }
                None => match dynamic {
                    Dynamic::False => _ = members.next_value::<IgnoredAny>()?,
                    Dynamic::Strict => {
                        let within = if self.walk.path.is_empty() { "_doc" } else { &self.walk.path };
                        let error = EsError::new(
                            400,
                            "strict_dynamic_mapping_exception",
                            format!(
                                "mapping set to strict, dynamic introduction of [{name}] within [{within}] is not allowed"
                            ),
                        );
                        return Err(self.walk.stop(error));
                    }
                    Dynamic::True => {
                        let value: Value = members.next_value()?;
                        let before = self.walk.enter(&name);
                        self.walk.note(&value);
                        self.walk.path.truncate(before);
                    }
                },
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        if self.walk.path.is_empty() {
            return Err(A::Error::custom("expected a JSON object"));
        }
        self.walk.arrays += 1;
        while list
            .next_element_seed(ObjectSeed {
                walk: &mut *self.walk,
                object: self.object,
                dynamic: self.dynamic,
            })?
            .is_some()
        {}
        self.walk.arrays -= 1;
        Ok(())
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        if self.walk.path.is_empty() { Err(self.concrete()) } else { Ok(()) }
    }

    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<(), E> {
        Err(self.concrete())
    }

    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<(), E> {
        Err(self.concrete())
    }

    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<(), E> {
        Err(self.concrete())
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<(), E> {
        Err(self.concrete())
    }

    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<(), E> {
        Err(self.concrete())
    }
}

/// A member's name, borrowed from the source where it has no escapes.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a member name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(name.to_string()))
    }
}

/// Reads the value or values of one field.
struct FieldSeed<'w, 'm> {
    walk: &'w mut Walk<'m>,
    index: usize,
}

impl FieldSeed<'_, '_> {
    fn add<E: serde::de::Error>(self, value: Scalar<'_>) -> Result<(), E> {
        self.walk.add(self.index, value).map_err(|error| self.walk.stop(error))
    }
}

impl<'de> DeserializeSeed<'de> for FieldSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let field = self.walk.mapping.field(self.index);
        if !matches!(field.field_type(), FieldType::GeoPoint | FieldType::Percolator) {
            return deserializer.deserialize_any(self);
        }
        let value: Value = serde::Deserialize::deserialize(deserializer)?;
        if field.is_percolator() {
            return self.walk.add_query(field, &value).map_err(|error| self.walk.stop(error));
        }
        let value = match (&value, &field.definition.null_value) {
            (Value::Null, Some(stand_in)) => stand_in,
            _ => &value,
        };
        self.walk.add_points(field, value).map_err(|error| self.walk.stop(error))
    }
}

impl<'de> Visitor<'de> for FieldSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<(), E> {
        self.add(Scalar::Boolean(value))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<(), E> {
        self.add(Scalar::Integer(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<(), E> {
        match i64::try_from(value) {
            Ok(value) => self.add(Scalar::Integer(value)),
            Err(_) => self.add(Scalar::Unsigned(value)),
        }
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<(), E> {
        self.add(Scalar::Float(value))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<(), E> {
        self.add(Scalar::Text(value))
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        let mapping = self.walk.mapping;
        match mapping.field(self.index).definition.null_value.as_ref().and_then(Scalar::of) {
            Some(stand_in) => self.add(stand_in),
            None => Ok(()),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        self.walk.arrays += 1;
        while list.next_element_seed(FieldSeed { walk: &mut *self.walk, index: self.index })?.is_some() {}
        self.walk.arrays -= 1;
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut preview = Vec::new();
        while let Some((name, value)) = members.next_entry::<String, Value>()? {
            let shown = value.as_str().map_or_else(|| value.to_string(), str::to_string);
            preview.push(format!("{name}={shown}"));
        }
        let field = self.walk.mapping.field(self.index);
        if field.definition.ignore_malformed {
            return Ok(());
        }
        let cause = if field.field_type().is_numeric() {
            convert::not_numeric("START_OBJECT")
        } else {
            EsError::new(400, "illegal_state_exception", "Can't get text on a START_OBJECT")
        };
        let error = self.walk.malformed(field, &format!("{{{}}}", preview.join(", ")), cause);
        Err(self.walk.stop(error))
    }
}
