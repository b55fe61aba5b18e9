//! Whatever a track holds, loading it ends with a track or an error.

use crate::support::{TrackDirectory, directory_of, valid};
use proptest::prelude::*;
use rally_track::LoadOptions;
use serde_json::{Value, json};

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-z./%{}#~\\u{0}-\\u{1f}é\"-]{0,12}".prop_map(Value::from),
        prop_oneof![
            Just("index"),
            Just("search"),
            Just("deterministic"),
            Just("random"),
            Just("sourcefile"),
            Just("places"),
            Just("mappings.json"),
            Just(".."),
            Just("{{ 1 }}"),
            Just("{% raw %}"),
        ]
        .prop_map(Value::from),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key(), inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "name",
            "operation",
            "operation-type",
            "parallel",
            "tasks",
            "clients",
            "completed-by",
            "schedule",
            "iterations",
            "time-period",
            "warmup-time-period",
            "warmup-iterations",
            "target-throughput",
            "documents",
            "document-count",
            "types",
            "mapping",
            "meta",
            "default",
            "bulk-size",
            "batch-size",
            "conflicts",
            "action-and-meta-data",
            "tags",
        ])
        .prop_map(str::to_owned),
        "[a-z~/#-]{0,6}",
    ]
}

/// All pointers into a value.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                pointers(member, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                pointers(element, &format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}

#[derive(Debug, Clone)]
enum Change {
    Replace(Value),
    Insert(String, Value),
    Remove(prop::sample::Index),
}

fn change() -> impl Strategy<Value = (prop::sample::Index, Change)> {
    let change = prop_oneof![
        value().prop_map(Change::Replace),
        (key(), value()).prop_map(|(key, value)| Change::Insert(key, value)),
        any::<prop::sample::Index>().prop_map(Change::Remove),
    ];
    (any::<prop::sample::Index>(), change)
}

fn apply(track: &mut Value, place: prop::sample::Index, change: Change) {
    let mut found = Vec::new();
    pointers(track, "", &mut found);
    let Some(target) = track.pointer_mut(&found[place.index(found.len())]) else { return };
    match change {
        Change::Replace(value) => *target = value,
        Change::Insert(key, value) => match target {
            Value::Object(members) => drop(members.insert(key, value)),
            Value::Array(elements) => elements.push(value),
            _ => {}
        },
        Change::Remove(which) => match target {
            Value::Object(members) if !members.is_empty() => {
                let key = members.keys().nth(which.index(members.len())).unwrap().clone();
                members.remove(&key);
            }
            Value::Array(elements) if !elements.is_empty() => {
                drop(elements.remove(which.index(elements.len())))
            }
            _ => {}
        },
    }
}

fn richer() -> Value {
    let mut track = valid();
    track["challenges"][0]["schedule"].as_array_mut().unwrap().push(json!({"parallel": {
        "completed-by": "merge", "clients": 2, "iterations": 5,
        "tasks": [{"operation": "search", "tags": ["a"]}, {"operation": "merge", "iterations": 1}]
    }}));
    track["templates"] = json!([{"name": "t", "index-pattern": "t-*", "template": "mappings.json"}]);
    track
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_tracks_never_panic(changes in prop::collection::vec(change(), 1..4), test_mode: bool, filter in "[a-z:]{0,8}") {
        let mut track = richer();
        for (place, change) in changes {
            apply(&mut track, place, change);
        }
        let include_tasks = if filter.is_empty() { Vec::new() } else { vec![filter] };
        let options = LoadOptions { now: 1.5, test_mode, include_tasks, ..LoadOptions::default() };
        match directory_of(&track).load(&options) {
            Ok(track) => {
                prop_assert_eq!(track.challenges.iter().filter(|challenge| challenge.default).count(), 1);
                for task in track.challenges.iter().flat_map(|challenge| &challenge.schedule).flat_map(|element| element.tasks()) {
                    prop_assert!(task.clients >= 1);
                    prop_assert!(task.target.as_ref().is_none_or(|target| target.per_second() > 0.0));
                }
            }
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }

    #[test]
    fn any_text_is_a_track_or_an_error(text in "([{}%#a-z\"'|() =,.\\[\\]\n-]|\\{\\{ |\\}\\}|\\{% (set|for|if|macro|raw|include|import) | %\\}|\\{% end(for|if|macro|raw) %\\}|é|\r\n){0,40}") {
        let directory = TrackDirectory::new(&json!({"track.json": text, "a": "{{ b }}"}));
        let outcome = directory.load(&LoadOptions::default());
        prop_assert!(outcome.is_err_and(|error| !error.to_string().is_empty()));
    }

    #[test]
    fn any_bytes_are_a_track_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let directory = TrackDirectory::new(&json!({}));
        directory.write("track.json", &bytes);
        prop_assert!(directory.load(&LoadOptions::default()).is_err());
    }
}
