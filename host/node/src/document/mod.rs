//! A document's source to what the search engine indexes.
//!
//! The source is walked once, straight from its bytes: each value goes to the slots of its field as it is read
//! (`walk`), converted as its type asks (`convert`). Fields that the mapping does not have are noted with their first
//! value; the mapping grows by them and the document is read again.

mod convert;
mod walk;

use crate::error::EsError;
use crate::mapping::{DynamicValue, Mapping, System};
use std::sync::Arc;
use tantivy::TantivyDocument;

/// A document read with one mapping.
pub struct ParsedDocument {
    /// Everything but `_seq` and `_version`, which it gets when it is written.
    pub document: TantivyDocument,
    /// Fields to add to the mapping before it may be written, each with the first value seen.
    pub new_fields: Vec<(String, DynamicValue)>,
}

/// Reads `source` as a document of `mapping` with this id.
///
/// # Errors
/// 400 where it is no JSON object or a value does not fit its field.
pub fn parse(mapping: &Arc<Mapping>, id: &str, source: &[u8]) -> Result<ParsedDocument, EsError> {
    let mut parsed = walk::Walk::new(mapping, id, source.len()).read(source)?;
    parsed.document.add_text(System::ID, id);
    if mapping.source_enabled() {
        parsed.document.add_bytes(System::SOURCE, source);
    }
    Ok(parsed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use tantivy::schema::{Field, Value};

    fn mapping() -> Arc<Mapping> {
        let mapping = Mapping::new(&json!({"properties": {
            "title": {"type": "text", "fields": {"raw": {"type": "keyword", "ignore_above": 5}}},
            "tags": {"type": "keyword", "null_value": "none"},
            "count": {"type": "integer"},
            "exact": {"type": "long", "coerce": false},
            "lenient": {"type": "long", "ignore_malformed": true},
            "price": {"type": "scaled_float", "scaling_factor": 100},
            "ratio": {"type": "float"},
            "day": {"type": "date"},
            "flag": {"type": "boolean"},
            "address": {"type": "ip"},
            "where": {"type": "geo_point"},
            "inner": {"properties": {"a": {"type": "keyword"}}},
            "blob": {"type": "object", "enabled": false},
            "closed": {"type": "object", "dynamic": "strict"},
        }}));
        Arc::new(mapping.unwrap())
    }

    fn values(document: &TantivyDocument, field: Field) -> Vec<String> {
        document
            .get_all(field)
            .map(|value| {
                let leaf = value.as_leaf().unwrap();
                leaf.as_str()
                    .map(str::to_string)
                    .or(leaf.as_i64().map(|v| v.to_string()))
                    .or(leaf.as_f64().map(|v| v.to_string()))
                    .or(leaf.as_bool().map(|v| v.to_string()))
                    .or(leaf.as_ip_addr().map(|v| v.to_string()))
                    .unwrap()
            })
            .collect()
    }

    fn read(source: &str, path: &str) -> Vec<String> {
        let mapping = mapping();
        let parsed = parse(&mapping, "1", source.as_bytes()).unwrap();
        values(&parsed.document, mapping.get(path).unwrap().field())
    }

    #[test]
    fn values_go_to_the_slots_of_their_field_converted() {
        for (source, path, expected) in [
            (r#"{"title": "Hello there"}"#, "title", vec!["Hello there"]),
            (r#"{"title": ["one", 2, true]}"#, "title.raw", vec!["one", "2", "true"]),
            (r#"{"title": "too long"}"#, "title.raw", vec![]),
            (r#"{"tags": ["a", "b", "a", null]}"#, "tags", vec!["a", "b", "none"]),
            (r#"{"count": "12"}"#, "count", vec!["12"]),
            (r#"{"count": -1.9}"#, "count", vec!["-1"]),
            (r#"{"count": null}"#, "count", vec![]),
            (r#"{"lenient": "x"}"#, "lenient", vec![]),
            (r#"{"price": 1.239}"#, "price", vec!["1.24"]),
            (r#"{"ratio": 0.1}"#, "ratio", vec!["0.10000000149011612"]),
            (r#"{"day": "1970-01-01T00:00:01Z"}"#, "day", vec!["1000"]),
            (r#"{"day": 5}"#, "day", vec!["5"]),
            (r#"{"flag": "false"}"#, "flag", vec!["false"]),
            (r#"{"address": "127.0.0.1"}"#, "address", vec!["::ffff:127.0.0.1"]),
            (r#"{"where": {"lat": 1.5, "lon": 2}}"#, "where", vec!["1.5"]),
            (r#"{"where": "1.5,2"}"#, "where", vec!["1.5"]),
            (r#"{"where": [2, 1.5]}"#, "where", vec!["1.5"]),
            (r#"{"where": [[2, 1.5], [3, 4]]}"#, "where", vec!["1.5", "4"]),
            (r#"{"inner": {"a": "x"}}"#, "inner.a", vec!["x"]),
            (r#"{"inner.a": "x"}"#, "inner.a", vec!["x"]),
            (r#"{"inner": [{"a": "x"}, {"a": "y"}]}"#, "inner.a", vec!["x", "y"]),
        ] {
            assert_eq!(read(source, path), expected, "{source}");
        }
    }

    #[test]
    fn values_that_do_not_fit_are_refused_with_field_and_reason() {
        for (source, reason, cause) in [
            (
                r#"{"count": "many"}"#,
                "failed to parse field [count] of type [integer] in document with id '1'. Preview of field's value: 'many'",
                Some("For input string: \"many\""),
            ),
            (
                r#"{"count": 3000000000}"#,
                "failed to parse field [count] of type [integer] in document with id '1'. Preview of field's value: '3000000000'",
                Some("Numeric value (3000000000) out of range of int (-2147483648 - 2147483647)"),
            ),
            (
                r#"{"exact": 1.5}"#,
                "failed to parse field [exact] of type [long] in document with id '1'. Preview of field's value: '1.5'",
                Some("1.5 cannot be converted to Long without data loss"),
            ),
            (
                r#"{"day": "yesterday"}"#,
                "failed to parse field [day] of type [date] in document with id '1'. Preview of field's value: 'yesterday'",
                Some(
                    "failed to parse date field [yesterday] with format [strict_date_optional_time||epoch_millis]",
                ),
            ),
            (
                r#"{"title": {"x": 1}}"#,
                "failed to parse field [title] of type [text] in document with id '1'. Preview of field's value: '{x=1}'",
                Some("Can't get text on a START_OBJECT"),
            ),
            (
                r#"{"inner": 5}"#,
                "object mapping for [inner] tried to parse field [inner] as object, but found a concrete value",
                None,
            ),
            (
                r#"{"closed": {"x": 5}}"#,
                "mapping set to strict, dynamic introduction of [x] within [closed] is not allowed",
                None,
            ),
            (
                r#"{"_id": 5}"#,
                "failed to parse field [_id] of type [_id] in document with id '1'. Preview of field's value: '5'",
                Some(
                    "Field [_id] is a metadata field and cannot be added inside a document. Use the index API request parameters.",
                ),
            ),
            (r#"{"title": "#, "failed to parse", Some("EOF while parsing a value at line 1 column 10")),
            (
                "[]",
                "failed to parse",
                Some(
                    "Compressor detection can only be called on some xcontent bytes or compressed xcontent bytes",
                ),
            ),
        ] {
            let Err(error) = parse(&mapping(), "1", source.as_bytes()) else { panic!("{source} was taken") };
            assert_eq!((error.status, error.reason.as_str()), (400, reason), "{source}");
            assert_eq!(error.cause.map(|cause| cause.reason).as_deref(), cause, "{source}");
        }
    }

    #[test]
    fn unknown_fields_are_noted_with_their_first_value() {
        let source = r#"{"a": 1, "b": {"c": "x", "d": [1.5, null]}, "blob": {"y": 1}, "n": null, "inner": {"z": true}, "e": {}}"#;
        let parsed = parse(&mapping(), "1", source.as_bytes()).unwrap();
        assert_eq!(
            parsed.new_fields,
            [
                ("a".to_string(), DynamicValue::Long),
                ("b.c".to_string(), DynamicValue::String("x".to_string())),
                ("b.d".to_string(), DynamicValue::Double),
                ("inner.z".to_string(), DynamicValue::Boolean),
                ("e".to_string(), DynamicValue::Object),
            ]
        );
    }

    #[test]
    fn the_source_is_kept_as_it_came_unless_the_mapping_says_not_to() {
        let source = br#"{ "title" : "x" }"#;
        let parsed = parse(&mapping(), "7", source).unwrap();
        let kept = parsed.document.get_first(System::SOURCE).unwrap();
        assert_eq!(kept.as_leaf().unwrap().as_bytes(), Some(&source[..]));
        let without = Arc::new(Mapping::new(&json!({"_source": {"enabled": false}})).unwrap());
        assert!(parse(&without, "7", b"{}").unwrap().document.get_first(System::SOURCE).is_none());
    }
}
