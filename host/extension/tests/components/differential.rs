//! The built-in sources of `search` and `index` operations against the same ones written as an extension: the requests that
//! arrive at the target are the same, byte by byte.

use std::sync::Arc;

use rally_operations::DocumentSet;
use rally_race::{Binding, Partition};
use serde_json::{Value, json};

use crate::course::{Builder, Course, Source};
use crate::documents::{documents, indices};
use crate::recorder::{Recorder, Reply, Seen};

/// What arrives when a client performs all requests of its part, at most so many.
fn sent(course: &Course, binding: &Binding, task: &str, index: u32, most: usize) -> (Vec<Seen>, Option<u64>) {
    let partition = Partition::of(1, 1, &course.task(task), index);
    course.recorder.take();
    let size = course.runtime.block_on(async {
        let mut source = Source::open(binding, partition).await;
        let mut runner = binding.runner.open(partition).await.unwrap();
        let mut made = 0;
        while made < most
            && let Some(params) = source.next().await.unwrap()
        {
            let failure = runner.run(&params).await.unwrap().failure;
            assert!(failure.is_none(), "{failure:?}");
            made += 1;
        }
        source.size()
    });
    let mut seen = course.recorder.take();
    // Each client has a connection of its own.
    seen.iter_mut().for_each(|seen| seen.connection = 0);
    (seen, size)
}

/// The same task with the built-in source and with that of the guest, against a target of this version.
fn same(version: &str, operation: Value, clients: u32, sets: Vec<Arc<DocumentSet>>) -> Vec<Vec<Seen>> {
    let recorder = Recorder::scripted(version, |_, _| None);
    let source = if operation["operation-type"] == "index" { "bulk" } else { "search" };
    let mut own = operation.clone();
    own["param-source"] = source.into();
    let course = Builder::with_guest("differential")
        .indices(indices(&sets))
        .target(&recorder)
        .documents(sets)
        .task("built-in", operation, json!({"clients": clients}))
        .task("guest", own, json!({"clients": clients}))
        .build();
    let built_in = course.bind_built_in("built-in");
    let guest = course.bind("guest").unwrap();
    assert_eq!(built_in.params.finite(), guest.params.finite());
    (0..clients)
        .map(|index| {
            let (expected, size) = sent(&course, &built_in, "built-in", index, 1000);
            let (found, same_size) = sent(&course, &guest, "guest", index, 1000);
            assert_eq!(same_size, size, "client {index} of {clients}");
            assert_eq!(found.len(), expected.len(), "client {index} of {clients}");
            for (number, (found, expected)) in found.iter().zip(&expected).enumerate() {
                assert_eq!(
                    String::from_utf8_lossy(&found.body),
                    String::from_utf8_lossy(&expected.body),
                    "request {number} of client {index} of {clients}"
                );
                assert_eq!(found, expected, "request {number} of client {index} of {clients}");
            }
            expected
        })
        .collect()
}

#[test]
fn bulks_are_the_same_for_all_partitions_and_sizes() {
    let folder = tempfile::tempdir().unwrap();
    for version in ["2.4.6", "6.8.23", "7.10.2", "8.17.0"] {
        for action_lines in [false, true] {
            let set = documents(folder.path(), "places", 50, action_lines, true);
            for clients in [1, 3, 8] {
                // 10 divides 50 and 7 does not; 64 is more than there are.
                for (bulk_size, batch_size) in
                    [(10, None), (7, None), (7, Some(14)), (1, Some(3)), (64, None)]
                {
                    let mut operation = json!({"operation-type": "index", "bulk-size": bulk_size});
                    if let Some(batch_size) = batch_size {
                        operation["batch-size"] = batch_size.into();
                    }
                    let all = same(version, operation, clients, vec![Arc::clone(&set)]);
                    let lines: usize = all
                        .iter()
                        .flatten()
                        .map(|seen| seen.body.iter().filter(|byte| **byte == b'\n').count())
                        .sum();
                    assert_eq!(lines, 100, "every document with its action line");
                }
            }
        }
    }
}

#[test]
fn bulks_of_several_files_are_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let sets = vec![
        documents(folder.path(), "places", 11, false, true),
        documents(folder.path(), "people", 5, true, true),
        documents(folder.path(), "animals", 4, true, false),
    ];
    for clients in [1, 3, 8] {
        let operation = json!({"operation-type": "index", "bulk-size": 3});
        same("7.10.2", operation, clients, sets.clone());
        let operation = json!({"operation-type": "index", "bulk-size": 3, "index": "people"});
        same("7.10.2", operation, clients, sets.clone());
    }
}

#[test]
fn bulks_with_a_pipeline_are_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let sets = vec![documents(folder.path(), "places", 9, false, true)];
    let operation = json!({"operation-type": "index", "bulk-size": 4, "pipeline": "p"});
    let all = same("7.10.2", operation, 2, sets);
    assert!(all[0][0].target.contains("pipeline=p"), "{}", all[0][0].target);
}

#[test]
fn a_file_without_a_last_newline_gives_the_same_bulks() {
    let folder = tempfile::tempdir().unwrap();
    for action_lines in [false, true] {
        let sets = vec![documents(folder.path(), "places", 9, action_lines, false)];
        same("7.10.2", json!({"operation-type": "index", "bulk-size": 4}), 2, sets);
    }
}

#[test]
fn searches_are_the_same() {
    let body = json!({"query": {"term": {"name": "ä\"\n"}}, "size": 3});
    let operations = [
        json!({"operation-type": "search", "body": body}),
        json!({"operation-type": "search", "body": body, "index": "others", "type": "other"}),
        json!({"operation-type": "search", "body": body, "cache": true}),
        json!({"operation-type": "search", "body": body, "request-params": {"preference": "_local", "a": 1}}),
        json!({"operation-type": "search", "body": body, "pages": 2, "results-per-page": 5}),
    ];
    for version in ["2.4.6", "6.8.23", "7.10.2", "8.17.0"] {
        for operation in &operations {
            // A scroll has one page more than is asked for.
            let recorder = Recorder::scripted(version, |seen, _| {
                let page = r#"{"_scroll_id":"s","took":1,"timed_out":false,"hits":{"total":{"value":90,"relation":"eq"},"hits":[{"_id":"1"}]}}"#;
                seen.target.contains("scroll").then(|| Reply::json(page))
            });
            let mut own = operation.clone();
            own["param-source"] = "search".into();
            let course = Builder::with_guest("differential")
                .target(&recorder)
                .task("built-in", operation.clone(), json!({"clients": 3}))
                .task("guest", own, json!({"clients": 3}))
                .build();
            let (built_in, guest) = (course.bind_built_in("built-in"), course.bind("guest").unwrap());
            for index in 0..3 {
                let (expected, _) = sent(&course, &built_in, "built-in", index, 5);
                let (found, _) = sent(&course, &guest, "guest", index, 5);
                assert!(!expected.is_empty());
                assert_eq!(found, expected, "{operation} on {version}");
            }
        }
    }
}
