//! Meanings of the dialect that the golden cases do not cover.

use crate::support::{after, directory_of, error_after, valid};
use rally_track::{LoadOptions, Target};
use serde_json::{Value, json};

#[test]
fn older_spellings_of_operation_types_are_known() {
    for (written, today) in [
        ("Index", "index"),
        ("Search", "search"),
        ("ForceMerge", "force-merge"),
        ("indices-stats", "index-stats"),
        ("IndicesStats", "index-stats"),
        ("nodes-stats", "node-stats"),
        ("NodesStats", "node-stats"),
    ] {
        let track = after(
            |track| {
                let mut operation = json!({"name": "old", "operation-type": written});
                if today == "index" {
                    operation["bulk-size"] = json!(1);
                }
                track["operations"].as_array_mut().unwrap().push(operation);
                track["challenges"][0]["schedule"] = json!([{"operation": "old"}]);
            },
            &LoadOptions::default(),
        );
        let task = &track.challenges[0].schedule[0].tasks()[0];
        assert_eq!(task.operation.operation_type, today);
        assert_eq!(task.operation.params["operation-type"], written, "params are as written");
    }
}

#[test]
fn an_interval_of_zero_is_no_target() {
    for (key, value, target) in [
        ("target-interval", json!(0), None),
        ("target-throughput", json!(0.5), Some(Target::Throughput(0.5))),
        ("target-interval", json!(5), Some(Target::Interval(5.0))),
    ] {
        let track = after(
            |track| track["challenges"][0]["schedule"] = json!([{"operation": "search", key: value}]),
            &LoadOptions::default(),
        );
        assert_eq!(track.challenges[0].schedule[0].tasks()[0].target, target);
    }
}

#[test]
fn a_throughput_of_zero_is_refused() {
    for zero in [json!(0), json!(0.0), json!(-1)] {
        let error = error_after(|track| {
            track["challenges"][0]["schedule"] = json!([{"operation": "search", "target-throughput": zero}]);
        });
        assert!(error.contains("'target-throughput' must be greater than 0"), "{error}");
    }
}

#[test]
fn an_index_without_types_is_created_without_mappings() {
    for auto_managed in [true, false] {
        let track = after(
            |track| {
                let index = json!({"name": "other", "auto-managed": auto_managed});
                track["indices"].as_array_mut().unwrap().push(index);
                track["operations"][1]["index"] = json!("places");
            },
            &LoadOptions::default(),
        );
        let index = track.indices.iter().find(|index| index.name == "other").unwrap();
        assert!(index.types.is_empty() && index.auto_managed == auto_managed);
    }
}

#[test]
fn a_challenge_without_a_description_is_refused() {
    let error = error_after(|track| {
        track["challenges"][0].as_object_mut().unwrap().remove("description");
    });
    assert!(error.contains("this challenge lacks 'description'"), "{error}");
}

#[test]
fn what_has_no_effect_or_another_one_is_warned_of() {
    let warning = |change: &dyn Fn(&mut Value), files: &[(&str, &str)], words: &str| {
        let mut track = valid();
        change(&mut track);
        let directory = directory_of(&track);
        for (name, text) in files {
            directory.write(name, text.as_bytes());
        }
        let warnings = directory.load(&LoadOptions::default()).unwrap().warnings;
        assert!(warnings.iter().any(|warning| warning.contains(words)), "{words} is not in {warnings:?}");
    };
    warning(
        &|track| track["challenges"][0]["schedule"][0]["schedule"] = json!("poisson"),
        &[],
        "'poisson' has no effect without",
    );
    warning(&|_| {}, &[("track.py", "")], "track.py: rally does not run Python code");
    for file in [
        "{\"template\": \"logs-*\"}",
        "{\"index_patterns\": [\"logs-*\"]}",
        "{\"index_patterns\": \"logs-*\"}",
    ] {
        warning(
            &|track| {
                track["templates"] =
                    json!([{"name": "t", "index-pattern": "other-*", "template": "template.json"}]);
            },
            &[("template.json", file)],
            "'index-pattern' is 'other-*', but the template file applies to logs-*",
        );
    }
}

#[test]
fn documents_of_an_unknown_scheme_are_refused() {
    for url in ["ftp://example.org/data", "s3://bucket/data", "file:///data"] {
        let error = error_after(|track| track["data-url"] = json!(url));
        assert!(
            error.contains("documents cannot be downloaded by") && error.contains("/data-url"),
            "{error}"
        );
    }
    for url in ["http://example.org/data", "HTTPS://example.org/data"] {
        after(|track| track["data-url"] = json!(url), &LoadOptions::default());
    }
}

#[test]
fn an_index_operation_on_all_indices_takes_all_documents() {
    for all in ["_all", "*"] {
        let track = after(|track| track["operations"][0]["index"] = json!(all), &LoadOptions::default());
        let operation = &track.challenges[0].schedule[0].tasks()[0].operation;
        assert!(!operation.params.contains_key("index"), "{all}");
    }
}

#[test]
fn sourcefile_says_that_the_data_includes_action_lines() {
    for (action, includes) in [("sourcefile", true), ("generate", false), ("none", false)] {
        let track = after(
            |track| track["operations"][0]["action-and-meta-data"] = json!(action),
            &LoadOptions::default(),
        );
        let (_, documents) = track.document_sets().next().unwrap();
        assert_eq!(documents.includes_action_and_meta_data, includes, "{action}");
    }
}

#[test]
fn an_operation_that_no_schedule_uses_does_no_harm() {
    after(
        |track| {
            track.as_object_mut().unwrap().remove("indices");
            track["operations"][1]["index"] = json!("elsewhere");
            track["challenges"][0]["schedule"] = json!([{"operation": "search"}]);
        },
        &LoadOptions::default(),
    );
}

#[test]
fn whole_numbers_may_be_written_with_a_fraction_of_zero() {
    let track = after(
        |track| {
            track["operations"][0]["bulk-size"] = json!(500.0);
            track["challenges"][0]["schedule"][1]["iterations"] = json!(1e3);
        },
        &LoadOptions::default(),
    );
    let [first, second] = track.challenges[0].schedule.as_slice() else { panic!() };
    assert_eq!(first.tasks()[0].operation.params["bulk-size"].as_u64(), Some(500));
    assert_eq!(second.tasks()[0].iterations, Some(1000));
}

#[test]
fn all_indices_are_indexed_unless_one_is_named() {
    after(
        |track| {
            let mut second = track["indices"][0].clone();
            second["name"] = json!("others");
            track["indices"].as_array_mut().unwrap().push(second);
            track["operations"][1]["index"] = json!("places");
        },
        &LoadOptions::default(),
    );
}
