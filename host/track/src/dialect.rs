//! Which language a track is written in, read from the track itself.

use serde_json::Value;

use crate::Dialect;

/// What OpenSearch Benchmark calls otherwise, and what Rally calls it.
const WORKLOAD_KEYS: [(&str, &str); 2] = [("test_procedures", "challenges"), ("test_procedure", "challenge")];

/// The dialect of a track. Tracks of 2017 have mappings in their types, and a `short-description`. Corpora came later, and
/// stood beside such types for some months: then they say the same, for a later Rally, as the track says for that of 2017.
pub(crate) fn of(track: &Value) -> Dialect {
    let has = |key: &str| track.get(key).is_some();
    match has_mappings(track.get("indices")) || (has("short-description") && !has("corpora")) {
        true => Dialect::Rally2017,
        false => Dialect::Current,
    }
}

fn has_mappings(indices: Option<&Value>) -> bool {
    let lists = indices.and_then(Value::as_array).into_iter().flatten();
    let mut types = lists.filter_map(|index| index["types"].as_array()).flatten();
    types.any(|kind| kind.get("mapping").is_some())
}

/// Keys at the top of a workload that have another name in Rally: the key there, and Rally's.
pub(crate) fn renamed_keys(track: &Value) -> Vec<(&'static str, &'static str)> {
    let is_there = |key: &str| track.get(key).is_some();
    WORKLOAD_KEYS.into_iter().filter(|(workload, rally)| is_there(workload) && !is_there(rally)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_dialect_is_read_from_the_keys() {
        for (track, dialect) in [
            (json!({"short-description": "s", "operations": []}), Dialect::Rally2017),
            (json!({"indices": [{"name": "i", "types": [{"mapping": "m"}]}]}), Dialect::Rally2017),
            (json!({"corpora": [], "indices": [{"types": [{"mapping": "m"}]}]}), Dialect::Rally2017),
            (json!({"indices": [{"name": "i", "types": ["doc"]}]}), Dialect::Current),
            (json!({"short-description": "s", "corpora": []}), Dialect::Current),
            (json!({"schedule": []}), Dialect::Current),
            (json!([]), Dialect::Current),
        ] {
            assert_eq!(of(&track), dialect, "{track}");
        }
    }

    #[test]
    fn a_workload_has_procedures_instead_of_challenges() {
        assert_eq!(renamed_keys(&json!({"test_procedures": []})), [("test_procedures", "challenges")]);
        assert!(renamed_keys(&json!({"test_procedures": [], "challenges": []})).is_empty());
    }
}
