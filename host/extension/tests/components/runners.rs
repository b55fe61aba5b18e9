//! What runners send, and what becomes of what they return.

use std::sync::Arc;

use rally_race::FailureKind;
use serde_json::{Value, json};

use crate::course::{Builder, Course};
use crate::recorder::{Recorder, Reply, Seen};

fn course(operation_type: &str, params: Value) -> Course {
    on(&Recorder::start(), operation_type, params)
}

fn on(recorder: &Arc<Recorder>, operation_type: &str, mut params: Value) -> Course {
    params["operation-type"] = operation_type.into();
    Builder::with_guest("conformance").target(recorder).task("task", params, json!({})).build()
}

/// A target that tells what it was asked for.
fn telling() -> Arc<Recorder> {
    Recorder::scripted("7.10.2", |seen, _| {
        (seen.target != "/").then(|| Reply::json(json!({"target": seen.target, "number": 7}).to_string()))
    })
}

/// A target whose requests below `/pair/` are answered two by two, the second one first.
fn in_pairs() -> Arc<Recorder> {
    Recorder::scripted("7.10.2", |seen, recorder| {
        let number: u32 = seen.target.strip_prefix("/pair/")?.parse().ok()?;
        let met = match number % 2 {
            0 => recorder.until_answered(&format!("/pair/{}", number + 1)),
            _ => recorder.until_seen(&format!("/pair/{}", number - 1)),
        };
        let told = Reply::json(json!({"target": seen.target}).to_string());
        Some(if met { told } else { Reply::error(500, "alone", "the other one of the pair does not come") })
    })
}

fn requests(course: &Course) -> Vec<Seen> {
    course.recorder.take()
}

#[test]
fn methods_headers_and_bodies_arrive_as_they_were_sent() {
    for method in ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        let params = json!({
            "method": method, "target": "/a%20b/_c?d=%C3%A4", "headers": {"x-mine": "1, 2"}, "body": {"n": 1},
        });
        let course = course("send", params);
        course.client("task", 0).run().unwrap();
        let seen = requests(&course);
        assert_eq!(seen.len(), 1);
        assert_eq!(seen[0].line(), format!("{method} /a%20b/_c?d=%C3%A4"));
        assert_eq!((seen[0].header("x-mine"), seen[0].json()), (Some("1, 2"), json!({"n": 1})));
        assert_eq!(seen[0].header("content-type"), Some("application/json"));
    }
}

#[test]
fn head_has_no_body() {
    let course =
        course("send", json!({"method": "HEAD", "target": "/there", "ignore": [404], "want": "whole"}));
    let response = course.client("task", 0).meta()["response"].clone();
    assert_eq!((&response["status"], &response["body"]), (&json!(404), &json!("")));
    assert_eq!(requests(&course)[0].line(), "HEAD /there");
}

#[test]
fn a_content_type_of_its_own_replaces_the_usual_one() {
    let headers = json!({"content-type": "application/x-ndjson"});
    let course =
        course("send", json!({"method": "POST", "target": "/_bulk", "headers": headers, "body": {}}));
    course.client("task", 0).run().unwrap();
    assert_eq!(requests(&course)[0].header("content-type"), Some("application/x-ndjson"));
}

#[test]
fn only_what_is_wanted_of_an_answer_crosses() {
    let answer = json!({"target": "/x", "number": 7}).to_string();
    let of = |want: Value| {
        let mut params = json!({"target": "/x"});
        if !want.is_null() {
            params["want"] = want;
        }
        on(&telling(), "send", params).client("task", 0).meta()["response"].clone()
    };
    let nothing = of(Value::Null);
    assert_eq!((&nothing["status"], &nothing["size"]), (&json!(200), &json!(answer.len())));
    assert_eq!(
        (&nothing["body"], &nothing["content-type"], &nothing["timed"]),
        (&json!(""), &Value::Null, &json!(true))
    );
    let picked = of(json!(["/number", "/no/such", "/target"]));
    assert_eq!(picked["picked"], json!([7, null, "/x", null, null, null, null, null]));
    assert_eq!(picked["body"], "");
    let whole = of(json!("whole"));
    assert_eq!((&whole["body"], &whole["content-type"]), (&json!(answer), &json!("application/json")));
}

#[test]
fn a_failure_of_the_target_is_a_failed_request_unless_its_status_is_ignored() {
    let failing = || {
        Recorder::scripted("7.10.2", |seen, _| {
            (seen.target != "/").then(|| Reply::error(404, "index_not_found_exception", "no such index [x]"))
        })
    };
    let outcome = on(&failing(), "send", json!({"target": "/x"})).client("task", 0).run().unwrap();
    let failure = outcome.failure.unwrap();
    assert_eq!((failure.kind, failure.status), (FailureKind::Answered, Some(404)));
    assert!(failure.description.contains("no such index [x]"), "{}", failure.description);
    assert_eq!((outcome.weight, outcome.unit.as_str()), (0.0, "ops"));

    let meta = on(&failing(), "send", json!({"target": "/x", "ignore": [404]})).client("task", 0).meta();
    assert_eq!(meta["response"]["status"], 404);
    assert!(meta["response"]["body"].as_str().unwrap().contains("index_not_found_exception"));
}

#[test]
fn a_redirect_is_not_followed() {
    let elsewhere = Recorder::start();
    let address = elsewhere.address;
    let course = on(
        &Recorder::scripted("7.10.2", move |seen, _| {
            let headers = format!("location: http://{address}/secret\r\n");
            (seen.target != "/").then(|| Reply { status: 302, headers, body: String::new() })
        }),
        "send",
        json!({"target": "/x"}),
    );
    let outcome = course.client("task", 0).run().unwrap();
    assert_eq!(outcome.failure.unwrap().status, Some(302));
    assert!(elsewhere.take().is_empty());
}

#[test]
fn a_request_without_an_answer_in_time_is_a_failed_request() {
    let silent = Recorder::scripted("7.10.2", |seen, recorder| {
        (seen.target == "/silent").then(|| {
            recorder.until_seen("/never");
            Reply::json("{}")
        })
    });
    let course = on(&silent, "send", json!({"target": "/silent", "timeout": 50}));
    let failure = course.client("task", 0).run().unwrap().failure.unwrap();
    assert_eq!((failure.kind, failure.status), (FailureKind::Transport, None));
}

#[test]
fn where_a_request_goes_is_decided_by_the_race() {
    for target in ["http://127.0.0.1:1/", "//127.0.0.1/", "x", "/a b", "/a\r\nx: y", "/\u{e4}", "/#a"] {
        let course = course("send", json!({"target": target}));
        let error = course.client("task", 0).run().unwrap_err();
        assert!(error.contains("runner.run") && error.contains("conformance 0.1.0"), "{target}: {error}");
        assert!(requests(&course).is_empty(), "{target}");
    }
    for header in ["host", "Content-Length", "transfer-encoding", "connection", "a b", "a:b", ""] {
        let course = course("send", json!({"target": "/", "headers": {header: "1"}}));
        assert!(course.client("task", 0).run().is_err(), "{header}");
        assert!(requests(&course).is_empty(), "{header}");
    }
    let course = course("send", json!({"target": "/", "headers": {"x": "a\r\nhost: b"}}));
    assert!(course.client("task", 0).run().is_err());
    assert!(requests(&course).is_empty());
}

#[test]
fn requests_sent_together_are_answered_in_their_order() {
    let targets: Vec<String> = (0..8).map(|number| format!("/pair/{number}")).collect();
    let course = on(&in_pairs(), "send-all", json!({"targets": targets, "width": 2, "want": ["/target"]}));
    let outcome = course.client("task", 0).run().unwrap();
    assert_eq!((outcome.weight, outcome.unit.as_str()), (8.0, "requests"));
    let meta = outcome.meta.unwrap();
    let answered: Vec<&Value> =
        meta["responses"].as_array().unwrap().iter().map(|response| &response["picked"][0]).collect();
    assert_eq!(
        answered,
        targets.iter().map(|target| json!(target)).collect::<Vec<_>>().iter().collect::<Vec<_>>()
    );
    assert_eq!(course.recorder.most_in_flight(), 2, "the width that was asked for");
}

#[test]
fn one_failed_request_of_many_leaves_the_others() {
    let recorder = Recorder::scripted("7.10.2", |seen, _| {
        (seen.target == "/bad").then(|| Reply::error(503, "busy", "come again"))
    });
    let course = on(&recorder, "send-all", json!({"targets": ["/a", "/bad", "/b"], "width": 3}));
    let meta = course.client("task", 0).meta();
    let told = meta["responses"].as_array().unwrap();
    let shown: Vec<_> = told.iter().map(|one| (one["status"].clone(), one["class"].clone())).collect();
    assert_eq!(shown[0], (json!(200), Value::Null));
    assert_eq!(shown[2], (json!(200), Value::Null));
    assert_eq!(shown[1], (Value::Null, json!("ErrorClass::Api")));
}

#[test]
fn more_width_than_is_allowed_ends_the_task() {
    let params = json!({"operation-type": "send-all", "targets": ["/a", "/b"], "width": 3});
    let course = Builder::with_guest("conformance")
        .limits(|limits| limits.in_flight = 2)
        .task("task", params, json!({}))
        .build();
    let error = course.client("task", 0).run().unwrap_err();
    assert!(
        error.contains("2 requests under way") && error.contains("--extension-requests-in-flight"),
        "{error}"
    );
}

#[test]
fn submitted_requests_go_on_by_themselves_and_are_waited_for() {
    let targets = ["/pair/0", "/pair/1", "/pair/2", "/pair/3"];
    let course = on(&in_pairs(), "submit", json!({"targets": targets, "want": ["/target"]}));
    let meta = course.client("task", 0).meta();
    assert_eq!(meta["idle"], true, "nothing is left to wait for");
    for (place, target) in targets.iter().enumerate() {
        assert_eq!(meta["responses"][format!("{place} {target}")]["picked"][0], *target);
    }
}

#[test]
fn a_pause_is_part_of_the_operation() {
    let course = course("sleep", json!({"millis": 30}));
    let begun = std::time::Instant::now();
    course.client("task", 0).run().unwrap();
    assert!(begun.elapsed() >= std::time::Duration::from_millis(30), "it has waited");
    assert_eq!(requests(&course).len(), 1);
}

#[test]
fn a_built_in_operation_can_be_performed_with_other_parameters() {
    let params = json!({"builtin": "search", "index": "places", "body": {"query": {"match_all": {}}}});
    let course = course("builtin", params);
    let outcome = course.client("task", 0).run().unwrap();
    assert_eq!((outcome.weight, outcome.unit.as_str()), (1.0, "ops"));
    assert!(outcome.meta.unwrap()["told"].is_object());
    let seen = requests(&course);
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].target.split('?').next(), Some("/places/_search"));
    assert_eq!(seen[0].json(), json!({"query": {"match_all": {}}}));
}

#[test]
fn a_built_in_operation_takes_a_body() {
    let body = "{\"index\":{\"_index\":\"places\"}}\n{\"n\":1}\n";
    let params = json!({"builtin": "index", "bulk-size": 1, "action_metadata_present": true, "body": body});
    let course = course("builtin", params);
    let outcome = course.client("task", 0).run().unwrap();
    assert_eq!((outcome.weight, outcome.unit.as_str()), (1.0, "docs"));
    let seen = requests(&course);
    assert_eq!(seen.iter().map(Seen::line).collect::<Vec<_>>(), ["POST /_bulk"]);
    assert_eq!(String::from_utf8_lossy(&seen[0].body), body);
}

#[test]
fn a_built_in_operation_that_there_is_not_is_named() {
    let course = course("builtin", json!({"builtin": "teleport"}));
    let error = course.client("task", 0).run().unwrap_err();
    assert!(error.contains("teleport") && error.contains("force-merge"), "{error}");
}

#[test]
fn there_is_one_cluster() {
    let course = course("clusters", json!({}));
    assert_eq!(course.client("task", 0).meta(), json!({"clusters": ["default"]}));
    assert_eq!(requests(&course).len(), 1);
}

#[test]
fn an_outcome_tells_weight_unit_throughput_and_more() {
    let params =
        json!({"weight": 2.5, "unit": "pages", "throughput": 12.5, "meta": {"took": 3, "a": [null]}});
    let outcome = course("outcome", params).client("task", 0).run().unwrap();
    assert_eq!((outcome.weight, outcome.unit.as_str(), outcome.throughput), (2.5, "pages", Some(12.5)));
    assert_eq!(Value::Object(*outcome.meta.unwrap()), json!({"took": 3, "a": [null]}));
    assert!(outcome.failure.is_none());
    assert!(outcome.sent < outcome.received, "measured around the socket");
}

#[test]
fn an_outcome_may_say_that_the_operation_did_not_succeed() {
    let params = json!({"weight": 3, "unit": "docs", "failure": "half of it is missing", "status": 429});
    let outcome = course("outcome", params).client("task", 0).run().unwrap();
    let failure = outcome.failure.unwrap();
    assert_eq!((failure.kind, failure.status), (FailureKind::Answered, Some(429)));
    assert_eq!((failure.description.as_str(), outcome.weight), ("half of it is missing", 3.0));
}

#[test]
fn the_class_of_an_error_decides_what_it_ends() {
    let of = |class: &str| {
        course("error", json!({"class": class, "message": "it did not work", "status": 507}))
            .client("task", 0)
            .run()
    };
    for (class, kind) in [
        ("api", FailureKind::Answered),
        ("transport", FailureKind::Transport),
        ("timeout", FailureKind::Transport),
    ] {
        let failure = of(class).unwrap().failure.unwrap();
        assert_eq!((failure.kind, failure.status), (kind, Some(507)), "{class}");
        assert_eq!(failure.description, "it did not work");
    }
    for class in ["config", "not-found", "denied", "other"] {
        let error = of(class).unwrap_err();
        assert!(error.contains("it did not work") && error.contains("conformance 0.1.0"), "{class}: {error}");
    }
}

#[test]
fn an_error_shows_kind_and_traceback_of_its_language() {
    let traceback = "File \"track.py\", line 3, in run\nKeyError: 'x'";
    let params =
        json!({"class": "other", "message": "no 'x'", "kind": "builtins.KeyError", "traceback": traceback});
    let error = course("error", params).client("task", 0).run().unwrap_err();
    assert!(error.contains("builtins.KeyError: no 'x'") && error.contains(traceback), "{error}");
}

#[test]
fn a_runner_may_say_when_its_task_is_complete() {
    let course = course("completing", json!({"runs": 4}));
    assert!(course.bind("task").unwrap().runner.completes_task());
    let mut client = course.client("task", 0);
    let mut said = Vec::new();
    for _ in 0..4 {
        client.run().unwrap();
        let progress = client.runner.progress().unwrap();
        said.push((progress.completed, progress.fraction.unwrap()));
    }
    assert_eq!(said, [(false, 0.25), (false, 0.5), (false, 0.75), (true, 1.0)]);
}

#[test]
fn parameters_and_bodies_of_each_kind_reach_a_runner() {
    let course = course("echo", json!({"param-source": "bodies"}));
    let mut client = course.client("task", 0);
    let mut echoed = Vec::new();
    for _ in 0..6 {
        client.run().unwrap();
        echoed.push(requests(&course)[0].json());
    }
    let shown: Vec<_> =
        echoed.iter().map(|echo| (echo["params"]["number"].clone(), echo["kind"].clone())).collect();
    let kinds = [json!(null), json!("json"), json!("text"), json!("bytes"), json!("json"), json!("json")];
    assert_eq!(shown, (1..7).map(|number| json!(number)).zip(kinds).collect::<Vec<_>>());
    assert_eq!(echoed[2]["body"], "{\"index\":{}}\n{\"kind\":\"text\"}\n");
    assert_eq!(
        (&echoed[3]["size"], &echoed[4]["body"]),
        (&json!(3), &json!("{\"kind\":\"body of the host\"}"))
    );
    assert_eq!(echoed[5]["body"], "{\"kind\":\"built\",\"time\":\"1234\"}");
}

#[test]
fn the_same_parameters_again_are_the_same() {
    let params = json!({"method": "POST", "target": "/x", "body": {"n": 1}});
    let course = course("send", params);
    let mut client = course.client("task", 0);
    for _ in 0..3 {
        client.run().unwrap();
    }
    let seen = requests(&course);
    assert_eq!(seen.len(), 3);
    assert!(seen.iter().all(|seen| seen.json() == json!({"n": 1})), "{seen:?}");
    assert!(seen.iter().all(|other| other == &seen[0]), "on the same connection, too");
}

#[test]
fn what_a_guest_says_of_refused_connections_is_not_believed() {
    let recorder = Recorder::scripted("7.10.2", |_, _| None);
    let operation = json!({
        "operation-type": "error", "class": "transport", "kind": "connection-refused", "message": "gone",
    });
    let course =
        Builder::with_guest("conformance").target(&recorder).task("claims", operation, json!({})).build();
    let failure = course.client("claims", 0).run().unwrap().failure.unwrap();
    assert!(matches!(failure.kind, FailureKind::Transport), "{failure:?}");
}

#[test]
fn meta_that_no_figure_is_made_of_is_counted() {
    let operation = json!({
        "operation-type": "outcome",
        "meta": {"took": 7, "text": "a", "list": [1], "object": {}, "flag": true, "nothing": null},
    });
    let course = Builder::with_guest("conformance").task("tells", operation, json!({})).build();
    let outcome = course.client("tells", 0).run().unwrap();
    assert_eq!(outcome.dropped_meta, 4);
    assert_eq!(outcome.meta.unwrap()["took"], 7);
}
