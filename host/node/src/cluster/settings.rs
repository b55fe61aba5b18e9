//! Settings of an index: which there are, what they may be, and their JSON.

use crate::error::EsError;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::time::Duration;

/// What a setting does to the node.
#[derive(Clone, Copy, PartialEq)]
enum Effect {
    /// Read by the node, or answered with.
    Read,
    /// Concerns how Elasticsearch stores or merges or distributes; answers are the same whatever it says.
    Neutral,
    /// Only this value is supported.
    Only(&'static str),
    /// Set by the node alone.
    Private,
}

/// The settings, without `index.`; a `*` ends a group. Dynamic ones may be changed while the index is there.
const KNOWN: &[(&str, bool, Effect)] = &[
    ("number_of_shards", false, Effect::Read),
    ("number_of_replicas", true, Effect::Read),
    ("refresh_interval", true, Effect::Read),
    ("mapping.total_fields.limit", true, Effect::Read),
    ("max_result_window", true, Effect::Only("10000")),
    ("auto_expand_replicas", true, Effect::Only("false")),
    ("hidden", true, Effect::Only("false")),
    ("default_pipeline", true, Effect::Only("_none")),
    ("final_pipeline", true, Effect::Only("_none")),
    ("blocks.read", true, Effect::Only("false")),
    ("blocks.write", true, Effect::Only("false")),
    ("blocks.read_only", true, Effect::Only("false")),
    ("blocks.read_only_allow_delete", true, Effect::Only("false")),
    ("blocks.metadata", true, Effect::Only("false")),
    ("mapping.coerce", false, Effect::Only("true")),
    ("mapping.ignore_malformed", false, Effect::Only("false")),
    ("mapping.depth.limit", true, Effect::Neutral),
    ("mapping.nested_fields.limit", true, Effect::Neutral),
    ("mapping.nested_objects.limit", true, Effect::Neutral),
    ("mapping.field_name_length.limit", true, Effect::Neutral),
    ("codec", false, Effect::Neutral),
    ("translog.*", true, Effect::Neutral),
    ("merge.*", true, Effect::Neutral),
    ("store.*", false, Effect::Neutral),
    ("soft_deletes.*", false, Effect::Neutral),
    ("requests.cache.enable", true, Effect::Neutral),
    ("queries.cache.enabled", false, Effect::Neutral),
    ("query.default_field", true, Effect::Neutral),
    ("routing.allocation.*", true, Effect::Neutral),
    ("routing.rebalance.enable", true, Effect::Neutral),
    ("routing_partition_size", false, Effect::Only("1")),
    ("number_of_routing_shards", false, Effect::Neutral),
    ("unassigned.node_left.delayed_timeout", true, Effect::Neutral),
    ("indexing.slowlog.*", true, Effect::Neutral),
    ("search.slowlog.*", true, Effect::Neutral),
    ("priority", true, Effect::Neutral),
    ("write.wait_for_active_shards", true, Effect::Only("1")),
    ("warmer.enabled", true, Effect::Neutral),
    ("creation_date", false, Effect::Private),
    ("uuid", false, Effect::Private),
    ("provided_name", false, Effect::Private),
    ("version.created", false, Effect::Private),
];

/// Groups that Elasticsearch has and the node has not.
const UNSUPPORTED: &[&str] = &[
    "analysis.",
    "similarity.",
    "sort.",
    "lifecycle.",
    "search.idle.",
    "max_",
    "highlight.",
    "blocks.",
    "gc_deletes",
];

/// Settings of one index, by their full names.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Settings(BTreeMap<String, String>);

impl Settings {
    /// Reads settings as they stand in a request: nested or with dots, with `index` or without.
    ///
    /// # Errors
    /// 400 for a setting that is unknown, not supported or has a wrong value.
    pub fn parse(body: &Value) -> Result<Self, EsError> {
        let Value::Object(members) = body else {
            return Err(EsError::new(400, "parse_exception", "key [settings] must be an object"));
        };
        let mut flat = Vec::new();
        flatten("", members, &mut flat)?;
        let mut settings = Settings::default();
        for (name, value) in flat {
            let name = name.strip_prefix("index.").unwrap_or(&name).to_string();
            check(&name, &value)?;
            settings.0.insert(format!("index.{name}"), value);
        }
        Ok(settings)
    }

    /// Reads a change to an index that is there: only dynamic settings.
    ///
    /// # Errors
    /// 400 for a setting that is final, and as [`Settings::parse`].
    pub fn parse_update(body: &Value, index: &str) -> Result<Self, EsError> {
        let body = body.get("settings").unwrap_or(body);
        let settings = Settings::parse(body)?;
        for name in settings.0.keys() {
            let dynamic =
                known(name.strip_prefix("index.").unwrap_or(name)).is_some_and(|(_, dynamic, _)| *dynamic);
            if !dynamic {
                return Err(EsError::illegal_argument(format!(
                    "Can't update non dynamic settings [[{name}]] for open indices [[{index}]]"
                )));
            }
        }
        Ok(settings)
    }

    /// The value of the setting with this full name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Sets one the node itself gives.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(name.to_string(), value.into());
    }

    /// Takes over the settings of `other`; what was null there goes back to its default.
    pub fn overlay(&mut self, other: &Settings) {
        for (name, value) in &other.0 {
            if value == NULL {
                self.0.remove(name);
            } else {
                self.0.insert(name.clone(), value.clone());
            }
        }
    }

    /// Replicas the index asks for; the node holds none.
    pub fn replicas(&self) -> u64 {
        self.get("index.number_of_replicas").and_then(|value| value.parse().ok()).unwrap_or(1)
    }

    /// `index.mapping.total_fields.limit`.
    pub fn total_fields_limit(&self) -> usize {
        self.get("index.mapping.total_fields.limit").and_then(|value| value.parse().ok()).unwrap_or(1000)
    }

    /// `index.refresh_interval`: None for the default, `Duration::MAX` for never.
    pub fn refresh_interval(&self) -> Option<Duration> {
        let value = self.get("index.refresh_interval")?;
        Some(interval(value).unwrap_or(Duration::MAX))
    }

    /// The settings as JSON, nested or with dots, all values as strings.
    pub fn to_json(&self, flat: bool) -> Value {
        let mut object = Map::new();
        for (name, value) in &self.0 {
            if flat {
                object.insert(name.clone(), value.clone().into());
                continue;
            }
            nest(&mut object, name, value);
        }
        Value::Object(object)
    }
}

fn nest(object: &mut Map<String, Value>, name: &str, value: &str) {
    let Some((first, rest)) = name.split_once('.') else {
        object.insert(name.to_string(), value.into());
        return;
    };
    if let Value::Object(inner) = object.entry(first).or_insert_with(|| Value::Object(Map::new())) {
        nest(inner, rest, value);
    }
}

/// Stands for null among the values of an update; no setting has it as its value.
const NULL: &str = "\0";

fn flatten(
    prefix: &str,
    members: &Map<String, Value>,
    into: &mut Vec<(String, String)>,
) -> Result<(), EsError> {
    for (name, value) in members {
        let name = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match value {
            Value::Object(members) => flatten(&name, members, into)?,
            Value::Null => into.push((name, NULL.to_string())),
            Value::String(text) => into.push((name, text.clone())),
            Value::Array(list) => {
                let texts: Vec<String> = list
                    .iter()
                    .map(|each| each.as_str().map_or_else(|| each.to_string(), str::to_string))
                    .collect();
                into.push((name, texts.join(",")));
            }
            other => into.push((name, other.to_string())),
        }
    }
    Ok(())
}

fn known(name: &str) -> Option<&'static (&'static str, bool, Effect)> {
    KNOWN.iter().find(|(known, ..)| match known.strip_suffix('*') {
        Some(group) => name.starts_with(group),
        None => *known == name,
    })
}

fn check(name: &str, value: &str) -> Result<(), EsError> {
    let Some((_, _, effect)) = known(name) else {
        if UNSUPPORTED.iter().any(|group| name.starts_with(group)) {
            return Err(EsError::unsupported(format!("setting [index.{name}]")));
        }
        return Err(unknown(name));
    };
    if value == NULL {
        return Ok(());
    }
    let failed = |why: String| EsError::illegal_argument(why);
    match effect {
        Effect::Neutral => Ok(()),
        Effect::Only(only) if value == *only => Ok(()),
        Effect::Only(only) => {
            Err(EsError::unsupported(format!("[index.{name}: {value}] (only [{only}] is; it)")))
        }
        Effect::Private => Err(unknown(name)),
        Effect::Read if name == "refresh_interval" => {
            if value == "-1" || interval(value).is_some() {
                return Ok(());
            }
            Err(failed(format!(
                "failed to parse setting [index.refresh_interval] with value [{value}] as a time value: unit is missing or unrecognized"
            )))
        }
        Effect::Read => {
            let (least, most) = match name {
                "number_of_shards" => (1, 1024),
                "number_of_replicas" => (0, i64::from(i32::MAX)),
                _ => (0, i64::MAX),
            };
            let Ok(number) = value.parse::<i64>() else {
                return Err(failed(format!("Failed to parse value [{value}] for setting [index.{name}]"))
                    .caused_by(EsError::not_a_number(value)));
            };
            if number < least {
                return Err(failed(format!(
                    "Failed to parse value [{value}] for setting [index.{name}] must be >= {least}"
                )));
            }
            if number > most {
                return Err(failed(format!(
                    "Failed to parse value [{value}] for setting [index.{name}] must be <= {most}"
                )));
            }
            Ok(())
        }
    }
}

fn unknown(name: &str) -> EsError {
    EsError::illegal_argument(format!(
        "unknown setting [index.{name}] please check that any required plugins are installed, or check the breaking changes documentation for removed settings"
    ))
}

/// A time value such as `5s`; None where it is none, or negative.
pub fn interval(text: &str) -> Option<Duration> {
    let text = text.trim();
    let split = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let number: f64 = text[..split].trim().parse().ok()?;
    let seconds = match &text[split..] {
        "nanos" => 1e-9,
        "micros" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        "" if number == 0.0 => 1.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(number * seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn settings_come_nested_or_with_dots_and_leave_nested() {
        let expected = json!({"index": {"number_of_replicas": "0", "number_of_shards": "1", "translog": {"durability": "async"}}});
        for body in [
            json!({"index": {"number_of_shards": 1, "number_of_replicas": "0", "translog": {"durability": "async"}}}),
            json!({"number_of_shards": 1, "index.number_of_replicas": 0, "index": {"translog.durability": "async"}}),
        ] {
            assert_eq!(Settings::parse(&body).unwrap().to_json(false), expected);
        }
    }

    #[test]
    fn unknown_wrong_and_unsupported_settings_are_refused() {
        for (body, reason) in [
            (
                json!({"foo": 1}),
                "unknown setting [index.foo] please check that any required plugins are installed, or check the breaking changes documentation for removed settings",
            ),
            (
                json!({"number_of_shards": 0}),
                "Failed to parse value [0] for setting [index.number_of_shards] must be >= 1",
            ),
            (
                json!({"number_of_shards": "x"}),
                "Failed to parse value [x] for setting [index.number_of_shards]",
            ),
            (
                json!({"refresh_interval": "soon"}),
                "failed to parse setting [index.refresh_interval] with value [soon] as a time value: unit is missing or unrecognized",
            ),
            (
                json!({"analysis": {"analyzer": {"x": {"type": "standard"}}}}),
                "setting [index.analysis.analyzer.x.type] is not supported by the embedded node",
            ),
            (
                json!({"uuid": "x"}),
                "unknown setting [index.uuid] please check that any required plugins are installed, or check the breaking changes documentation for removed settings",
            ),
        ] {
            assert_eq!(Settings::parse(&body).unwrap_err().reason, reason);
        }
    }

    #[test]
    fn only_dynamic_settings_may_change() {
        assert!(Settings::parse_update(&json!({"index": {"refresh_interval": "-1"}}), "a").is_ok());
        let error = Settings::parse_update(&json!({"number_of_shards": 2}), "a").unwrap_err();
        assert_eq!(
            error.reason,
            "Can't update non dynamic settings [[index.number_of_shards]] for open indices [[a]]"
        );
    }

    #[test]
    fn null_brings_the_default_back() {
        let mut settings = Settings::parse(&json!({"refresh_interval": "5s"})).unwrap();
        assert_eq!(settings.refresh_interval(), Some(Duration::from_secs(5)));
        settings.overlay(&Settings::parse_update(&json!({"refresh_interval": null}), "a").unwrap());
        assert_eq!(settings.refresh_interval(), None);
        settings.overlay(&Settings::parse(&json!({"refresh_interval": -1})).unwrap());
        assert_eq!(settings.refresh_interval(), Some(Duration::MAX));
    }
}
