//! `target-throughput` and `target-interval`: how fast a task is to be.

use serde_json::{Map, Value};

use crate::Target;

/// What is wrong with the target of a task, and with which key.
#[derive(Debug, PartialEq)]
pub(super) struct TargetError {
    pub(super) key: &'static str,
    pub(super) message: String,
    pub(super) help: Option<&'static str>,
}

/// The target that the properties of a task ask for. As in Rally zero, and the empty text, ask for none.
pub(super) fn target(task: &Map<String, Value>) -> Result<Option<Target>, TargetError> {
    let throughput = task.get("target-throughput").filter(|value| !value.is_null());
    let interval = task.get("target-interval").filter(|value| !value.is_null());
    match (throughput, interval) {
        (Some(throughput), Some(interval)) => Err(TargetError {
            key: "target-interval",
            message: format!(
                "'target-throughput' ({throughput}) and 'target-interval' ({interval}) both set the rate"
            ),
            help: Some("give one of them"),
        }),
        (None, Some(interval)) if is_something(interval) => match interval.as_f64() {
            Some(seconds) => Ok(Some(Target::Interval(seconds))),
            None => Err(TargetError {
                key: "target-interval",
                message: format!("'target-interval' must be a number, not {interval}"),
                help: None,
            }),
        },
        (Some(throughput), None) if is_something(throughput) => {
            from_throughput(throughput).map_err(|message| TargetError {
                key: "target-throughput",
                message,
                help: Some(
                    "give a number, or text with a number, a space and a unit per second: \"5000 docs/s\"",
                ),
            })
        }
        _ => Ok(None),
    }
}

fn from_throughput(value: &Value) -> Result<Option<Target>, String> {
    let (rate, unit) = match value {
        Value::Number(number) => (number.as_f64().unwrap_or_default(), "ops/s"),
        Value::String(text) => with_unit(text)
            .ok_or_else(|| format!("'target-throughput' must be like \"5000 docs/s\", not {value}"))?,
        _ => {
            return Err(format!("'target-throughput' must be a number or text with a unit, not {value}"));
        }
    };
    Ok(match unit {
        _ if rate == 0.0 => None,
        "ops/s" => Some(Target::Throughput(rate)),
        unit => Some(Target::Work { rate, unit: unit.to_owned() }),
    })
}

/// A number, one blank, and a unit per second. What follows is ignored, as in Rally.
fn with_unit(text: &str) -> Option<(f64, &str)> {
    let number_end = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, rest) = text.split_at(number_end);
    let (whole, fraction) =
        number.split_once('.').map_or(("", number), |(whole, fraction)| (whole, fraction));
    if fraction.is_empty() || fraction.contains('.') || !whole.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut characters = rest.chars();
    characters.next().filter(|c| c.is_whitespace())?;
    let rest = characters.as_str();
    let name_end = rest.find(|c: char| !c.is_alphanumeric() && c != '_')?;
    if name_end == 0 || !rest[name_end..].starts_with("/s") {
        return None;
    }
    // A fraction alone, as in `.5`, is a number for the standard library as well.
    Some((number.parse().ok()?, &rest[..name_end + "/s".len()]))
}

/// What Python takes for true.
fn is_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(elements) => !elements.is_empty(),
        Value::Object(members) => !members.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn golden() -> Vec<Value> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/target_throughput.json");
        let golden: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        golden["cases"].as_array().unwrap().clone()
    }

    #[test]
    fn targets_are_read_as_rally_2_13_does() {
        let mut compared = 0;
        for case in golden() {
            let id = case["id"].as_str().unwrap();
            if id.starts_with("error-behavior/") {
                continue; // A race decides about errors.
            }
            compared += 1;
            let read = target(case["input"]["params"].as_object().unwrap());
            if case["error"] != Value::Null {
                assert!(read.is_err(), "{id}: {read:?}");
                continue;
            }
            let read = read.unwrap_or_else(|error| panic!("{id}: {error:?}"));
            let expected = &case["expected"];
            assert_eq!(json!(read.as_ref().map(Target::per_second)), expected["value"], "{id}");
            assert_eq!(json!(read.as_ref().map(Target::unit)), expected["unit"], "{id}");
        }
        assert_eq!(compared, 30);
    }

    #[test]
    fn text_has_a_number_a_blank_and_a_unit() {
        for (text, expected) in [
            ("5 docs/s", Some((5.0, "docs/s"))),
            ("12.50 pages/s", Some((12.5, "pages/s"))),
            ("5\tMB_x/s", Some((5.0, "MB_x/s"))),
            ("5 docs/seconds", Some((5.0, "docs/s"))),
            ("5. docs/s", None),
            ("5  docs/s", None),
            ("5docs/s", None),
            ("5 /s", None),
            ("5", None),
            (" 5 docs/s", None),
        ] {
            assert_eq!(with_unit(text), expected, "{text}");
        }
    }
}
