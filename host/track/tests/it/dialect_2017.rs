//! Meanings of the dialect that the golden cases do not cover.

use crate::support::after;
use rally_track::{LoadOptions, Target};
use serde_json::json;

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
fn a_target_of_zero_is_no_target() {
    for (key, value, target) in [
        ("target-throughput", json!(0), None),
        ("target-throughput", json!(0.0), None),
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
