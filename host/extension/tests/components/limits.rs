//! What becomes of a runner that takes more than it may, beyond what hostile components do.

use std::time::Duration;

use serde_json::{Value, json};

use crate::course::{Builder, Course};
use crate::recorder::{Recorder, Reply};

fn limited(operation: Value, change: impl FnOnce(&mut rally_extension::Limits)) -> Course {
    let large = Recorder::scripted("7.10.2", |seen, recorder| match seen.target.as_str() {
        "/large" => Some(Reply::json(format!("\"{}\"", "x".repeat(100_000)))),
        "/silent" => {
            recorder.until_seen("/never");
            None
        }
        _ => None,
    });
    Builder::with_guest("conformance")
        .target(&large)
        .limits(change)
        .task("task", operation, json!({}))
        .build()
}

#[test]
fn a_run_that_waits_for_too_long_is_ended() {
    for operation in [
        json!({"operation-type": "sleep", "millis": 600_000}),
        json!({"operation-type": "send", "target": "/silent"}),
        json!({"operation-type": "submit", "targets": ["/silent"]}),
        json!({"operation-type": "send-all", "targets": ["/a", "/silent"], "width": 2}),
    ] {
        let shown = operation.to_string();
        let course = limited(operation, |limits| limits.time_to_run = Duration::from_millis(100));
        let error = course.client("task", 0).run().unwrap_err();
        for part in ["conformance 0.1.0", "runner.run", "0.1 s per run", "--extension-time-to-run"] {
            assert!(error.contains(part), "{shown}: no {part} in {error}");
        }
    }
}

#[test]
fn an_answer_that_is_too_large_to_keep_ends_the_run_only_where_it_is_kept() {
    let of = |want: Value| {
        let mut operation = json!({"operation-type": "send", "target": "/large"});
        if !want.is_null() {
            operation["want"] = want;
        }
        limited(operation, |limits| limits.response_bytes = 1000).client("task", 0).run()
    };
    for want in [json!("whole"), json!(["/a"])] {
        let error = of(want).unwrap_err();
        assert!(error.contains("1000 bytes kept of an answer"), "{error}");
        assert!(error.contains("--extension-response-bytes"), "{error}");
    }
    let outcome = of(Value::Null).unwrap();
    assert_eq!(outcome.meta.unwrap()["response"]["size"], 100_002, "counted, not kept");
}

#[test]
fn an_instance_that_was_ended_says_so() {
    let operation = json!({"operation-type": "send-all", "targets": ["/a", "/b"], "width": 2});
    let course = limited(operation, |limits| limits.in_flight = 1);
    let mut client = course.client("task", 0);
    assert!(client.run().unwrap_err().contains("--extension-requests-in-flight"));
    let error = client.run().unwrap_err();
    assert!(error.contains("ended with an earlier failure"), "{error}");
}

#[test]
fn a_client_whose_instance_was_ended_leaves_the_others() {
    let operation = json!({"operation-type": "sleep", "millis": 600_000});
    let course = Builder::with_guest("conformance")
        .limits(|limits| limits.time_to_run = Duration::from_millis(100))
        .task("stuck", operation, json!({}))
        .task("fine", json!({"operation-type": "outcome"}), json!({}))
        .build();
    let (mut stuck, mut fine) = (course.client("stuck", 0), course.client("fine", 0));
    let ran = course.runtime.block_on(async {
        let (ended, ran) = futures_util::future::join(stuck.step(), fine.step()).await;
        assert!(ended.unwrap().is_err());
        ran
    });
    assert!(ran.unwrap().is_ok());
    assert!(fine.run().is_ok());
}
