//! Operations under today's names.

use rally_track::{Operation, Track};
use serde_json::{Map, Value, json};

/// An operation as the current dialect writes it.
pub(super) fn operation(
    operation: &Operation,
    track: &Track,
    warnings: &mut Vec<String>,
) -> Map<String, Value> {
    let mut params = operation.params.clone();
    params.insert("name".to_owned(), json!(operation.name));
    params.insert("operation-type".to_owned(), json!(operation.operation_type));
    if operation.param_source.is_some() {
        // What an extension's source makes of its parameters is its own affair.
        return params;
    }
    match operation.operation_type.as_str() {
        "index" => bulk(operation, &mut params, warnings),
        "search" => search(operation, track, &mut params, warnings),
        "force-merge" => {
            params.insert("index".to_owned(), json!("_all"));
            if let Some(segments) = params.shift_remove("max_num_segments") {
                params.insert("max-num-segments".to_owned(), segments);
            }
        }
        _ => {}
    }
    params
}

fn bulk(operation: &Operation, params: &mut Map<String, Value>, warnings: &mut Vec<String>) {
    params.insert("operation-type".to_owned(), json!("bulk"));
    if let Some(index) = params.shift_remove("index") {
        params.insert("indices".to_owned(), json!([index]));
    }
    // `sourcefile` is said of the documents; `generate` is what happens anyway.
    if params.shift_remove("action-and-meta-data") == Some(json!("none")) {
        warnings.push(format!(
            "operation [{}] sent documents without lines of action and meta-data, which the current dialect cannot; now each \
             has such a line",
            operation.name
        ));
    }
}

fn search(operation: &Operation, track: &Track, params: &mut Map<String, Value>, warnings: &mut Vec<String>) {
    let of_type = params.shift_remove("type");
    if let Some(of_type) = of_type.as_ref().and_then(Value::as_str)
        && track.indices.iter().any(|index| index.types.len() > 1)
    {
        warnings.push(format!(
            "operation '{}' searched only documents of type '{of_type}'; types no longer exist, so it now searches the whole index",
            operation.name
        ));
    }
    let cache = match params.get("cache") {
        // What nothing says was switched off.
        None => json!(false),
        Some(Value::String(text)) => json!(text == "true"),
        Some(cache) => cache.clone(),
    };
    if cache.is_boolean() {
        params.insert("cache".to_owned(), cache);
    } else {
        params.shift_remove("cache");
    }
    if params.contains_key("pages") {
        params.insert("operation-type".to_owned(), json!("scroll-search"));
    }
}
