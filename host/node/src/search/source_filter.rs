//! Which members of the source a hit shows.

use super::query::patterns::wildcard_fits;
use serde_json::{Map, Value};

/// `_source` of a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum SourceFilter {
    /// The source as it came.
    #[default]
    All,
    /// No source.
    None,
    /// The members whose paths fit.
    Some {
        /// Patterns of paths to show; none means all. A pattern that names an object shows all of it.
        includes: Vec<String>,
        /// Patterns of paths to leave out of these.
        excludes: Vec<String>,
    },
}

impl SourceFilter {
    /// The filter of two lists of patterns.
    pub fn of(includes: Vec<String>, excludes: Vec<String>) -> Self {
        if includes.is_empty() && excludes.is_empty() {
            return SourceFilter::All;
        }
        SourceFilter::Some { includes, excludes }
    }

    /// What is left of `source`, a whole document.
    pub fn apply(&self, source: Map<String, Value>) -> Map<String, Value> {
        match self {
            SourceFilter::All => source,
            SourceFilter::None => Map::new(),
            SourceFilter::Some { includes, excludes } => {
                let mut kept = Map::new();
                let mut path = String::new();
                for (name, value) in source {
                    filter_member(name, value, &mut path, includes, excludes, &mut kept);
                }
                kept
            }
        }
    }
}

fn filter_member(
    name: String,
    value: Value,
    path: &mut String,
    includes: &[String],
    excludes: &[String],
    kept: &mut Map<String, Value>,
) {
    let length = path.len();
    if length > 0 {
        path.push('.');
    }
    path.push_str(&name);
    if let Some(value) = filter_value(value, path, includes, excludes) {
        kept.insert(name, value);
    }
    path.truncate(length);
}

/// What is left of the value at `path`; None for nothing.
fn filter_value(value: Value, path: &mut String, includes: &[String], excludes: &[String]) -> Option<Value> {
    if excludes.iter().any(|pattern| covers(pattern, path)) {
        return None;
    }
    let included = includes.is_empty() || includes.iter().any(|pattern| covers(pattern, path));
    match value {
        Value::Object(members) => {
            let mut kept = Map::new();
            for (name, value) in members {
                filter_member(name, value, path, includes, excludes, &mut kept);
            }
            (included || !kept.is_empty()).then_some(Value::Object(kept))
        }
        Value::Array(values) if values.iter().any(|each| each.is_object() || each.is_array()) => {
            let count = values.len();
            let kept: Vec<Value> =
                values.into_iter().filter_map(|each| filter_value(each, path, includes, excludes)).collect();
            (included || (count > 0 && !kept.is_empty())).then_some(Value::Array(kept))
        }
        other => included.then_some(other),
    }
}

/// Whether `pattern` fits `path` itself or an object that it lies in.
fn covers(pattern: &str, path: &str) -> bool {
    if !pattern.contains('*') {
        return path.strip_prefix(pattern).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    }
    wildcard_fits(pattern, path)
        || path.match_indices('.').any(|(end, _)| wildcard_fits(pattern, &path[..end]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn filtered(includes: &[&str], excludes: &[&str]) -> Value {
        let source = json!({
            "name": "x", "title": "y", "place": {"city": "a", "geo": {"lat": 1, "lon": 2}},
            "tags": ["p", "q"], "parts": [{"n": 1, "m": 2}, {"m": 3}], "empty": {}
        });
        let strings = |list: &[&str]| list.iter().map(ToString::to_string).collect();
        let Value::Object(source) = source else { unreachable!() };
        Value::Object(SourceFilter::of(strings(includes), strings(excludes)).apply(source))
    }

    #[test]
    fn includes_name_members_objects_and_patterns() {
        assert_eq!(filtered(&["name"], &[]), json!({"name": "x"}));
        assert_eq!(filtered(&["place"], &[]), json!({"place": {"city": "a", "geo": {"lat": 1, "lon": 2}}}));
        assert_eq!(filtered(&["place.geo.*"], &[]), json!({"place": {"geo": {"lat": 1, "lon": 2}}}));
        assert_eq!(filtered(&["*.lat"], &[]), json!({"place": {"geo": {"lat": 1}}}));
        assert_eq!(filtered(&["tags", "parts.n"], &[]), json!({"tags": ["p", "q"], "parts": [{"n": 1}]}));
        assert_eq!(filtered(&["nothing"], &[]), json!({}));
    }

    #[test]
    fn excludes_win() {
        assert_eq!(
            filtered(&["place", "name"], &["place.geo"]),
            json!({"name": "x", "place": {"city": "a"}})
        );
        assert_eq!(
            filtered(&[], &["t*", "parts", "place.*"]),
            json!({"name": "x", "place": {}, "empty": {}})
        );
    }
}
