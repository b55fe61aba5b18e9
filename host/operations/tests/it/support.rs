//! Data files for tests.

use std::path::Path;
use std::sync::Arc;

use rally_operations::{ByteRange, DocumentSet};
use serde_json::{Map, Value};

pub fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("{other}"),
    }
}

/// Where the lines of a text lie.
pub fn byte_range(text: &[u8]) -> ByteRange {
    let mut starts = vec![0u64];
    starts.extend(text.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at as u64 + 1));
    if starts.last() != Some(&(text.len() as u64)) {
        starts.push(text.len() as u64);
    }
    Box::new(move |first: u64, count: u64| {
        let at = |line: u64| starts.get(line as usize).copied().ok_or(format!("there is no line {line}"));
        Ok(at(first)?..at(first + count)?)
    })
}

/// A data file with a line index made by reading it.
pub fn document_set(
    path: &Path,
    index: &str,
    mapping_type: &str,
    document_count: u64,
    includes_action_and_meta_data: bool,
) -> Arc<DocumentSet> {
    let byte_range = byte_range(&std::fs::read(path).unwrap());
    Arc::new(DocumentSet::new(
        index,
        mapping_type,
        path,
        document_count,
        includes_action_and_meta_data,
        byte_range,
    ))
}
