//! Comparing answers with recorded ones.

use serde_json::{Value, json};

/// How an error differs from a recorded one, if it does.
pub fn compare_errors(body: &Value, case: &Value) -> Option<String> {
    let expected = &case["answer"];
    let error = &body["error"];
    // Failures while merging have no root cause there.
    let root = error["root_cause"].get(0).unwrap_or(&error["caused_by"]);
    let found = json!({
        "status": body["status"],
        "type": body["error"]["type"],
        "root": root["type"],
        "reason": root["reason"],
    });
    for key in ["status", "type", "root", "reason"] {
        let expected = if key == "status" { &case["status"] } else { &expected[key] };
        if key == "root" && expected.is_null() {
            continue; // failures while merging have no root cause there, and here themselves
        }
        if without_position(&found[key]) != without_position(expected) {
            return Some(format!("{key}: {}, expected {expected}", found[key]));
        }
    }
    None
}

/// How an answer differs from a recorded one, if it does.
pub fn compare_answers(mut answer: Value, expected: &Value) -> Option<String> {
    let object = answer.as_object_mut().unwrap();
    for key in ["took", "timed_out", "_shards"] {
        object.remove(key).unwrap();
    }
    // Sources were recorded only where the search says something about them.
    let recorded = expected["hits"]["hits"]
        .as_array()
        .is_some_and(|hits| hits.iter().any(|hit| hit.get("_source").is_some()));
    if !recorded {
        for hit in answer["hits"]["hits"].as_array_mut().unwrap() {
            hit.as_object_mut().unwrap().remove("_source");
        }
    }
    difference(&answer, expected, "")
}

/// The first place in which two values differ; numbers may differ in the sixth digit, keys in their order.
fn difference(found: &Value, expected: &Value, path: &str) -> Option<String> {
    match (found, expected) {
        (Value::Object(left), Value::Object(right)) => {
            for (key, expected) in right {
                let path = format!("{path}/{key}");
                match left.get(key) {
                    None => return Some(format!("{path} is missing, expected {expected}")),
                    Some(found) => {
                        if let Some(difference) = difference(found, expected, &path) {
                            return Some(difference);
                        }
                    }
                }
            }
            left.keys().find(|key| !right.contains_key(*key)).map(|key| format!("{path}/{key} is too much"))
        }
        (Value::Array(left), Value::Array(right)) => {
            for (place, (found, expected)) in left.iter().zip(right).enumerate() {
                if let Some(difference) = difference(found, expected, &format!("{path}/{place}")) {
                    return Some(difference);
                }
            }
            (left.len() != right.len())
                .then(|| format!("{path} has {} entries, expected {}", left.len(), right.len()))
        }
        (Value::Number(left), Value::Number(right)) => {
            let (left, right) = (left.as_f64().unwrap(), right.as_f64().unwrap());
            let near = (left - right).abs() <= 1e-6 * right.abs().max(1e-3);
            (!near).then(|| format!("{path}: {left}, expected {right}"))
        }
        _ if found == expected => None,
        _ => Some(format!("{path}: {found}, expected {expected}")),
    }
}

/// Some reasons of Elasticsearch begin with where in the body the error is, `[1:24] `; the node does not know.
fn without_position(reason: &Value) -> Value {
    match reason.as_str().and_then(|text| text.strip_prefix('[')?.split_once("] ")) {
        Some((place, rest)) if place.bytes().all(|byte| byte.is_ascii_digit() || byte == b':') => rest.into(),
        _ => reason.clone(),
    }
}
