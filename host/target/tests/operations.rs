//! Operations of the current dialect: what they send for Rally's parameters, and what comes of the answers.
#![allow(clippy::unwrap_used)] // helpers of tests are tests

mod support;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use rally_race::{FailureKind, Outcome};
use rally_target::runners::OPERATIONS;
use rally_track::Dialect;
use serde_json::{Value, json};
use support::{Received, Target, block_on, description, params, runner_of};

const ACKNOWLEDGED: &str = r#"{"acknowledged": true}"#;

/// Performs an operation once against a target of this version that answers by `answer` (status line and body).
fn perform_on(
    version: &'static str,
    operation: &str,
    values: Value,
    answer: impl Fn(&Received) -> (&'static str, String) + Send + Sync + 'static,
) -> (Outcome, Vec<(String, String)>) {
    let target = Target::version(version, move |peer, request| {
        let (status, body) = answer(&request);
        let body = if request.line.starts_with("HEAD") { String::new() } else { body };
        peer.answer(status, &body)
    });
    let outcome = block_on(async {
        let cluster = target.cluster().await;
        let mut runner = runner_of(Dialect::Current, operation, &cluster).await;
        runner.run(&params(values)).await.unwrap()
    });
    let sent = target.requests().iter().map(|request| (request.call().to_owned(), request.text())).collect();
    (outcome, sent)
}

fn perform(
    operation: &str,
    values: Value,
    answer: impl Fn(&Received) -> (&'static str, String) + Send + Sync + 'static,
) -> (Outcome, Vec<(String, String)>) {
    perform_on("8.19.0", operation, values, answer)
}

fn acknowledging(_: &Received) -> (&'static str, String) {
    ("200 OK", ACKNOWLEDGED.to_owned())
}

/// What an operation sends to a target that agrees to everything.
fn sent(operation: &str, values: Value) -> Vec<(String, Value)> {
    let (outcome, sent) = perform(operation, values, acknowledging);
    assert_eq!(description(&outcome), "");
    let body = |text: &str| if text.is_empty() { Value::Null } else { serde_json::from_str(text).unwrap() };
    sent.into_iter().map(|(call, text)| (call, body(&text))).collect()
}

fn calls(operation: &str, values: Value) -> Vec<String> {
    sent(operation, values).into_iter().map(|(call, _)| call).collect()
}

/// The error of parameters that no request can be made of; nothing is sent.
fn refused(operation: &str, values: Value) -> String {
    let target = Target::version("8.19.0", |peer, _| peer.answer("200 OK", ACKNOWLEDGED));
    let error = block_on(async {
        let cluster = target.cluster().await;
        runner_of(Dialect::Current, operation, &cluster).await.run(&params(values)).await.unwrap_err()
    });
    assert_eq!(target.requests().len(), 0, "{operation}");
    error.to_string()
}

#[test]
fn operations_of_one_request_send_it_as_rally_does() {
    let cases: [(&str, Value, &str, Value); 37] = [
        ("refresh", json!({}), "POST /_refresh", Value::Null),
        ("refresh", json!({"index": "logs-*"}), "POST /logs-*/_refresh", Value::Null),
        (
            "force-merge",
            json!({"index": "_all", "max-num-segments": null, "mode": "blocking"}),
            "POST /_forcemerge",
            Value::Null,
        ),
        (
            "force-merge",
            json!({"index": "a,b", "max-num-segments": 1}),
            "POST /a,b/_forcemerge?max_num_segments=1",
            Value::Null,
        ),
        ("index-stats", json!({"index": "a"}), "GET /a/_stats/_all", Value::Null),
        ("node-stats", json!({}), "GET /_nodes/stats/_all", Value::Null),
        (
            "put-pipeline",
            json!({"id": "p", "body": {"processors": []}, "master-timeout": "1m"}),
            "PUT /_ingest/pipeline/p?master_timeout=1m",
            json!({"processors": []}),
        ),
        (
            "put-settings",
            json!({"body": {"transient": {}}}),
            "PUT /_cluster/settings",
            json!({"transient": {}}),
        ),
        ("raw-request", json!({"path": "/_cat/indices?v&h=a,b"}), "GET /_cat/indices?v=&h=a,b", Value::Null),
        (
            "raw-request",
            json!({"method": "post", "path": "/a/_close", "request-params": {"timeout": "1s"}, "body": {"x": 1}}),
            "POST /a/_close?timeout=1s",
            json!({"x": 1}),
        ),
        ("raw-request", json!({"path": "/<a b>"}), "GET /%3Ca%20b%3E", Value::Null),
        (
            "create-ilm-policy",
            json!({"policy-name": "p", "body": {"policy": {"phases": {}}}}),
            "PUT /_ilm/policy/p",
            json!({"policy": {"phases": {}}}),
        ),
        ("delete-ilm-policy", json!({"policy-name": "p"}), "DELETE /_ilm/policy/p", Value::Null),
        (
            "esql",
            json!({"query": "FROM a", "filter": {"term": {}}, "body": {"columnar": true}}),
            "POST /_query",
            json!({"columnar": true, "query": "FROM a", "filter": {"term": {}}}),
        ),
        (
            "field-caps",
            json!({"index": "a", "index_filter": {"range": {}}}),
            "POST /a/_field_caps?fields=*",
            json!({"index_filter": {"range": {}}}),
        ),
        ("field-caps", json!({"fields": ["a", "b"]}), "POST /_all/_field_caps?fields=a,b", Value::Null),
        (
            "create-snapshot-repository",
            json!({"repository": "r", "body": {"type": "fs"}}),
            "PUT /_snapshot/r",
            json!({"type": "fs"}),
        ),
        ("delete-snapshot-repository", json!({"repository": "r"}), "DELETE /_snapshot/r", Value::Null),
        (
            "create-snapshot",
            json!({"repository": "r", "snapshot": "s", "body": {}}),
            "PUT /_snapshot/r/s?wait_for_completion=false",
            json!({}),
        ),
        (
            "restore-snapshot",
            json!({"repository": "r", "snapshot": "s", "wait-for-completion": true}),
            "POST /_snapshot/r/s/_restore?wait_for_completion=true",
            json!({}),
        ),
        (
            "create-transform",
            json!({"transform-id": "t", "body": {"a": 1}}),
            "PUT /_transform/t?defer_validation=false",
            json!({"a": 1}),
        ),
        (
            "start-transform",
            json!({"transform-id": "t", "timeout": "5s"}),
            "POST /_transform/t/_start?timeout=5s",
            Value::Null,
        ),
        ("delete-transform", json!({"transform-id": "t"}), "DELETE /_transform/t?force=false", Value::Null),
        ("transform-stats", json!({"transform-id": "t"}), "GET /_transform/t/_stats", Value::Null),
        (
            "downsample",
            json!({"source-index": "a", "target-index": "b", "fixed-interval": "1h"}),
            "POST /a/_downsample/b",
            json!({"fixed_interval": "1h"}),
        ),
        ("create-ml-datafeed", json!({"datafeed-id": "d", "body": {}}), "PUT /_ml/datafeeds/d", json!({})),
        (
            "delete-ml-datafeed",
            json!({"datafeed-id": "d"}),
            "DELETE /_ml/datafeeds/d?force=false",
            Value::Null,
        ),
        (
            "start-ml-datafeed",
            json!({"datafeed-id": "d", "start": "0", "end": "1"}),
            "POST /_ml/datafeeds/d/_start",
            json!({"start": "0", "end": "1"}),
        ),
        (
            "stop-ml-datafeed",
            json!({"datafeed-id": "d", "force": true}),
            "POST /_ml/datafeeds/d/_stop?force=true",
            Value::Null,
        ),
        ("create-ml-job", json!({"job-id": "j", "body": {}}), "PUT /_ml/anomaly_detectors/j", json!({})),
        ("delete-ml-job", json!({"job-id": "j"}), "DELETE /_ml/anomaly_detectors/j?force=false", Value::Null),
        ("open-ml-job", json!({"job-id": "j"}), "POST /_ml/anomaly_detectors/j/_open", Value::Null),
        (
            "close-ml-job",
            json!({"job-id": "j", "timeout": "1m"}),
            "POST /_ml/anomaly_detectors/j/_close?force=false&timeout=1m",
            Value::Null,
        ),
        (
            "search",
            json!({"index": "a", "body": {"query": {}}, "cache": null, "type": null}),
            "POST /a/_search",
            json!({"query": {}}),
        ),
        (
            "search",
            json!({"index": "a", "body": null, "results-per-page": 3}),
            "POST /a/_search",
            json!({"size": 3}),
        ),
        (
            "search",
            json!({"index": "a", "body": {}, "cache": true}),
            "POST /a/_search?request_cache=true",
            json!({}),
        ),
        ("sql", json!({"body": {"query": "SELECT 1"}}), "POST /_sql", json!({"query": "SELECT 1"})),
    ];
    for (operation, values, call, body) in cases {
        let context = format!("{operation} {values}");
        assert_eq!(sent(operation, values), [(call.to_owned(), body)], "{context}");
    }
}

#[test]
fn what_is_mandatory_is_asked_for_before_anything_is_sent() {
    let cases = [
        ("put-pipeline", json!({"id": "p"}), "'body' is mandatory"),
        ("raw-request", json!({}), "'path' is mandatory"),
        ("raw-request", json!({"path": "_cat"}), "must begin with a '/'"),
        ("raw-request", json!({"path": "/", "method": "G T"}), "no method of HTTP"),
        ("create-ilm-policy", json!({"policy-name": "p", "body": {"phases": {}}}), "no 'policy'"),
        ("esql", json!({}), "'query' is mandatory"),
        ("sql", json!({"body": {}}), "no 'query'"),
        ("sleep", json!({}), "'duration' is mandatory"),
        ("sleep", json!({"duration": -1}), "must be a number of seconds"),
        ("scroll-search", json!({"index": "a", "body": {}}), "'pages' is mandatory"),
        ("paginated-search", json!({"index": "a", "body": {}}), "'pages' is mandatory"),
        ("composite-agg", json!({"index": "a", "body": {}}), "0 composite aggregations"),
        ("open-point-in-time", json!({"name": "p", "index": "a"}), "within a composite one"),
        ("composite", json!({"requests": [{"operation-type": "bulk"}]}), "cannot be a part"),
        ("refresh", json!({"request-timeout": "soon"}), "'request-timeout' is \"soon\""),
        ("refresh", json!({"retries": -1}), "'retries' is -1"),
        ("run-until", json!({"path": "/", "json-path": "a", "criterion": {"operator": "like"}}), "\"like\""),
    ];
    for (operation, values, problem) in cases {
        let error = refused(operation, values);
        assert!(error.contains(operation) || operation == "scroll-search", "{error}");
        assert!(error.contains(problem), "{error}");
    }
}

#[test]
fn every_operation_has_one_name_in_a_dialect() {
    for dialect in [Dialect::Rally2017, Dialect::Current] {
        let names: Vec<_> = OPERATIONS
            .iter()
            .filter(|declared| declared.dialect.is_none_or(|own| own == dialect))
            .map(|declared| declared.name)
            .collect();
        let mut unique = names.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), names.len());
    }
}

#[test]
fn headers_and_the_id_of_a_request_go_along() {
    let target = Target::version("8.19.0", |peer, _| peer.answer("200 OK", ACKNOWLEDGED));
    block_on(async {
        let cluster = target.cluster().await;
        let mut runner = runner_of(Dialect::Current, "create-index", &cluster).await;
        let values = json!({"indices": [["a", null]], "headers": {"x-own": "1"}, "opaque-id": "me"});
        runner.run(&params(values)).await.unwrap();
    });
    let request = &target.requests()[0];
    assert_eq!((request.header("x-own"), request.header("x-opaque-id")), (Some("1"), Some("me")));
}

#[test]
fn ignored_statuses_are_no_failures() {
    let missing = |_: &Received| ("404 Not Found", r#"{"error": "no"}"#.to_owned());
    let (outcome, _) =
        perform("raw-request", json!({"path": "/a", "request-params": {"ignore": [400, 404]}}), missing);
    assert_eq!((description(&outcome).as_str(), outcome.weight), ("", 1.0));
    let (outcome, _) = perform("delete-ilm-policy", json!({"policy-name": "p"}), missing);
    assert_eq!(description(&outcome), "");
    let (outcome, _) = perform("search", json!({"index": "a", "body": {}, "ignore": "404"}), missing);
    assert_eq!(description(&outcome), "");
    let (outcome, _) = perform("raw-request", json!({"path": "/a"}), missing);
    assert_eq!((outcome.failure.unwrap().status, outcome.weight), (Some(404), 0.0));
}

#[test]
fn a_request_may_take_as_long_as_its_operation_says() {
    let (outcome, _) = perform("refresh", json!({"request-timeout": 0.2}), |_| {
        std::thread::sleep(std::time::Duration::from_millis(600));
        ("200 OK", ACKNOWLEDGED.to_owned())
    });
    assert!(description(&outcome).contains("within 0.2 s"), "{}", description(&outcome));
}

#[test]
fn cluster_health_is_a_success_when_it_is_as_wanted() {
    let health = |status: &'static str, relocating: u64| {
        move |_: &Received| ("200 OK", json!({"status": status, "relocating_shards": relocating}).to_string())
    };
    let wanted = json!({"index": "a", "request-params": {"wait_for_status": "green", "wait_for_no_relocating_shards": "true"}});
    let (outcome, sent) = perform("cluster-health", wanted.clone(), health("green", 0));
    assert_eq!(description(&outcome), "");
    assert_eq!(sent[0].0, "GET /_cluster/health/a?wait_for_status=green&wait_for_no_relocating_shards=true");
    assert_eq!(outcome.meta.unwrap()["cluster-status"], "green");
    let (outcome, _) = perform("cluster-health", wanted.clone(), health("yellow", 0));
    assert_eq!((description(&outcome).as_str(), outcome.weight), ("the cluster is yellow, not green", 1.0));
    let (outcome, _) = perform("cluster-health", wanted, health("green", 2));
    assert_eq!(description(&outcome), "shards are relocating");
    let (outcome, _) = perform("cluster-health", json!({}), health("red", 5));
    assert_eq!(description(&outcome), "");
}

#[test]
fn an_operation_is_tried_again_as_its_parameters_say() {
    // The third answer is the first one that is as wanted.
    let third = || {
        let asked = AtomicUsize::new(0);
        move |_: &Received| {
            let status = if asked.fetch_add(1, Ordering::SeqCst) < 2 { "red" } else { "green" };
            ("200 OK", json!({"status": status, "relocating_shards": 0}).to_string())
        }
    };
    let values = |more: Value| {
        let mut values = json!({"request-params": {"wait_for_status": "green"}, "retry-wait-period": 0.001});
        values.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        values
    };
    for (more, requests, success) in [
        (json!({}), 1, false),
        (json!({"retries": 5}), 1, false),
        (json!({"retries": 1, "retry-on-error": true}), 2, false),
        (json!({"retries": 5, "retry-on-error": true}), 3, true),
        (json!({"retry-until-success": true}), 3, true),
    ] {
        let (outcome, sent) = perform("cluster-health", values(more.clone()), third());
        assert_eq!((sent.len(), outcome.failure.is_none()), (requests, success), "{more}");
        assert!(outcome.received >= outcome.sent);
    }
}

#[test]
fn a_target_that_gives_up_is_asked_again_unless_the_parameters_say_otherwise() {
    let second = || {
        let asked = AtomicUsize::new(0);
        move |_: &Received| match asked.fetch_add(1, Ordering::SeqCst) {
            0 => ("408 Request Timeout", r#"{"error": "timeout"}"#.to_owned()),
            _ => ("200 OK", ACKNOWLEDGED.to_owned()),
        }
    };
    let retries = |more: bool| json!({"retries": 3, "retry-wait-period": 0, "retry-on-timeout": more});
    assert_eq!(perform("refresh", retries(true), second()).1.len(), 2);
    let (outcome, sent) = perform("refresh", retries(false), second());
    assert_eq!((sent.len(), outcome.failure.unwrap().status), (1, Some(408)));
    // A request that is wrong is as wrong another time.
    let wrong = |_: &Received| ("400 Bad Request", r#"{"error": "no"}"#.to_owned());
    assert_eq!(perform("refresh", retries(true), wrong).1.len(), 1);
}

#[test]
fn a_condition_on_statistics_is_a_success_when_it_holds() {
    let stats = |_: &Received| ("200 OK", r#"{"_all": {"total": {"merges": {"current": 0}}}}"#.to_owned());
    let condition = |expected: Value| json!({"index": "a", "condition": {"path": "_all.total.merges.current", "expected-value": expected}});
    assert_eq!(description(&perform("index-stats", condition(json!(0)), stats).0), "");
    assert_eq!(description(&perform("index-stats", condition(json!(0.0)), stats).0), "");
    let (outcome, _) = perform("index-stats", condition(json!(1)), stats);
    assert_eq!(description(&outcome), "the value at '_all.total.merges.current' is not 1");
    let transforms = |_: &Received| ("200 OK", r#"{"transforms": [{"state": "stopped"}]}"#.to_owned());
    let values = json!({"transform-id": "t", "condition": {"path": "state", "expected-value": "stopped"}});
    assert_eq!(description(&perform("transform-stats", values, transforms).0), "");
}

#[test]
fn indices_are_created_one_after_the_other_and_count_as_one_operation_each() {
    let body = json!({"settings": {"index.number_of_shards": 1}});
    let values =
        json!({"indices": [["a", body], ["b", {}], ["c", null]], "request-params": {"timeout": "1m"}});
    let (outcome, sent) = perform("create-index", values, acknowledging);
    assert_eq!((outcome.weight, outcome.unit), (3.0, "ops"));
    assert_eq!(
        sent,
        [
            ("PUT /a?timeout=1m".to_owned(), body.to_string()),
            ("PUT /b?timeout=1m".to_owned(), String::new()),
            ("PUT /c?timeout=1m".to_owned(), String::new())
        ]
    );
}

#[test]
fn an_index_that_cannot_be_created_fails_the_operation() {
    let (outcome, sent) =
        perform("create-index", json!({"indices": [["a", null], ["b", null]]}), |request| {
            match request.call() {
                "PUT /a" => (
                    "400 Bad Request",
                    r#"{"error": {"type": "resource_already_exists_exception", "reason": "a"}}"#.to_owned(),
                ),
                _ => ("200 OK", ACKNOWLEDGED.to_owned()),
            }
        });
    assert_eq!((sent.len(), outcome.weight), (1, 0.0));
    let failure = outcome.failure.unwrap();
    assert_eq!((failure.kind, failure.status), (FailureKind::Answered, Some(400)));
}

#[test]
fn indices_are_deleted_if_they_exist() {
    let only_b = |request: &Received| match request.call() {
        "HEAD /a" => ("404 Not Found", String::new()),
        _ => ("200 OK", ACKNOWLEDGED.to_owned()),
    };
    let (outcome, sent) =
        perform("delete-index", json!({"indices": ["a", "b"], "only-if-exists": true}), only_b);
    let calls: Vec<_> = sent.iter().map(|(call, _)| call.as_str()).collect();
    assert_eq!((outcome.weight, calls), (1.0, vec!["HEAD /a", "HEAD /b", "DELETE /b"]));
    // Otherwise one that is missing is none to complain about.
    let (outcome, sent) = perform("delete-index", json!({"indices": ["a"], "only-if-exists": false}), |_| {
        ("404 Not Found", r#"{"error": "no"}"#.to_owned())
    });
    assert_eq!((description(&outcome).as_str(), outcome.weight, sent.len()), ("", 1.0, 1));
}

#[test]
fn indices_are_deleted_by_pattern_with_the_leave_to_do_so_for_as_long_as_it_takes() {
    let settings = |request: &Received| match request.call() {
        "GET /_cluster/settings?flat_settings=true" => (
            "200 OK",
            r#"{"persistent": {}, "transient": {"action.destructive_requires_name": "true"}}"#.to_owned(),
        ),
        "DELETE /logs-*" => ("500 Internal Server Error", r#"{"error": "no"}"#.to_owned()),
        _ => ("200 OK", ACKNOWLEDGED.to_owned()),
    };
    let (outcome, sent) =
        perform("delete-index", json!({"indices": ["logs-*"], "only-if-exists": false}), settings);
    assert!(outcome.failure.is_some());
    let bodies: Vec<_> = sent.iter().map(|(call, body)| format!("{call} {body}")).collect();
    assert_eq!(
        bodies,
        [
            "GET /_cluster/settings?flat_settings=true ",
            r#"PUT /_cluster/settings {"transient":{"action.destructive_requires_name":false}}"#,
            "DELETE /logs-* ",
            r#"PUT /_cluster/settings {"transient":{"action.destructive_requires_name":"true"}}"#,
        ]
    );
}

#[test]
fn data_streams_and_templates_are_created_and_deleted() {
    let body = json!({"index_patterns": ["logs-*"]});
    assert_eq!(
        calls("create-data-stream", json!({"data-streams": ["a", "b"], "request-params": {}})),
        ["PUT /_data_stream/a", "PUT /_data_stream/b"]
    );
    assert_eq!(
        calls(
            "delete-data-stream",
            json!({"data-streams": ["a"], "only-if-exists": true, "request-params": {}})
        ),
        ["HEAD /a", "DELETE /_data_stream/a"]
    );
    for (kind, path) in [("index-template", "_template"), ("composable-template", "_index_template")] {
        let values = json!({"templates": [["t", body]], "request-params": {"create": "true"}});
        assert_eq!(
            sent(&format!("create-{kind}"), values),
            [(format!("PUT /{path}/t?create=true"), body.clone())]
        );
        let values =
            json!({"templates": [["t", false, "logs-*"]], "only-if-exists": true, "request-params": {}});
        assert_eq!(
            calls(&format!("delete-{kind}"), values),
            [format!("HEAD /{path}/t"), format!("DELETE /{path}/t")]
        );
    }
    let template = json!({"template": {"settings": {}}, "version": 3});
    assert_eq!(
        sent("create-component-template", json!({"templates": [["t", template]], "request-params": {}})),
        [("PUT /_component_template/t".to_owned(), json!({"template": {"settings": {}}}))]
    );
    assert_eq!(
        calls(
            "delete-component-template",
            json!({"templates": ["t"], "only-if-exists": false, "request-params": {}})
        ),
        ["DELETE /_component_template/t"]
    );
}

#[test]
fn templates_are_deleted_with_the_indices_that_they_apply_to() {
    let values = json!({"templates": [["t", true, "logs-*"], ["u", true, ""]], "only-if-exists": false, "request-params": {}});
    let (outcome, sent) =
        perform("delete-index-template", values, |request| match request.line.starts_with("GET") {
            true => ("200 OK", r#"{"persistent": {}, "transient": {}}"#.to_owned()),
            false => ("200 OK", ACKNOWLEDGED.to_owned()),
        });
    let calls: Vec<_> = sent.iter().map(|(call, _)| call.as_str()).collect();
    assert_eq!(
        calls,
        [
            "DELETE /_template/t",
            "GET /_cluster/settings?flat_settings=true",
            "PUT /_cluster/settings",
            "DELETE /logs-*",
            "DELETE /_template/u",
            "PUT /_cluster/settings"
        ]
    );
    // As Rally counts: both templates, the indices, and both changes of the setting.
    assert_eq!(outcome.weight, 5.0);
    assert_eq!(sent[5].1, r#"{"transient":{"action.destructive_requires_name":null}}"#);
}

#[test]
fn a_merge_that_is_polled_is_asked_for_until_it_is_complete() {
    let values = || json!({"index": "a", "max-num-segments": 1, "mode": "polling", "poll-period": 0.001});
    let asked = AtomicUsize::new(0);
    let (outcome, sent) = perform("force-merge", values(), move |request| {
        (
            "200 OK",
            match request.call() {
                "GET /_tasks/n:1" => {
                    json!({"completed": asked.fetch_add(1, Ordering::SeqCst) == 1}).to_string()
                }
                _ => json!({"task": "n:1"}).to_string(),
            },
        )
    });
    assert_eq!(description(&outcome), "");
    let calls: Vec<_> = sent.iter().map(|(call, _)| call.as_str()).collect();
    assert_eq!(
        calls,
        [
            "POST /a/_forcemerge?max_num_segments=1&wait_for_completion=false",
            "GET /_tasks/n:1",
            "GET /_tasks/n:1"
        ]
    );
    let (_, sent) = perform_on("7.10.2", "force-merge", values(), acknowledging);
    assert_eq!(sent.len(), 1);
}

/// The page of a search with hits that are sorted by their numbers.
fn page(from: u64, count: u64, total: u64, relation: &str) -> Value {
    let hits: Vec<Value> =
        (from..from + count).map(|number| json!({"_id": "x", "sort": [number, "k"]})).collect();
    json!({"took": 2, "timed_out": false, "hits": {"total": {"value": total, "relation": relation}, "hits": hits}})
}

#[test]
fn pages_begin_after_the_last_hit_of_the_page_before() {
    let values =
        json!({"index": "a", "body": {"sort": ["n"]}, "pages": "all", "results-per-page": 2, "cache": false});
    let (outcome, sent) = perform("paginated-search", values, |request| {
        let body: Value = serde_json::from_str(&request.text()).unwrap();
        let from = body["search_after"][0].as_u64().map_or(0, |last| last + 1);
        ("200 OK", page(from, 2.min(5 - from), 5, "eq").to_string())
    });
    assert_eq!((outcome.weight, outcome.unit), (3.0, "pages"));
    let bodies: Vec<Value> = sent.iter().map(|(_, body)| serde_json::from_str(body).unwrap()).collect();
    assert_eq!(sent[0].0, "POST /a/_search?request_cache=false");
    assert_eq!(bodies[0], json!({"sort": ["n"], "size": 2}));
    assert_eq!(bodies[2], json!({"sort": ["n"], "size": 2, "search_after": [3, "k"]}));
    let meta = outcome.meta.unwrap();
    assert_eq!(
        (&meta["hits"], &meta["hits_relation"], &meta["took"], &meta["pages"]),
        (&json!(5), &json!("eq"), &json!(6), &json!(3))
    );
}

#[test]
fn pages_go_on_beyond_the_number_that_the_target_counts_up_to() {
    let values = json!({"index": "a", "body": {}, "pages": 4, "results-per-page": 2});
    let (outcome, _) = perform("paginated-search", values, |_| ("200 OK", page(0, 2, 3, "gte").to_string()));
    assert_eq!(outcome.weight, 4.0);
}

#[test]
fn a_composite_aggregation_is_read_page_by_page() {
    let values = json!({
        "index": "a", "results-per-page": 7,
        "body": {"size": 0, "aggs": {"outer": {"filter": {}, "aggs": {"inner": {"composite": {"sources": []}}}}}}
    });
    let (outcome, sent) = perform("composite-agg", values, |request| {
        let body: Value = serde_json::from_str(&request.text()).unwrap();
        let after =
            body.pointer("/aggs/outer/aggs/inner/composite/after/n").and_then(Value::as_u64).unwrap_or(0);
        let key = if after < 2 { json!({"n": after + 1}) } else { Value::Null };
        let inner = json!({"inner": {"after_key": key, "buckets": []}});
        ("200 OK", json!({"took": 1, "hits": {"total": 3}, "aggregations": {"outer": inner}}).to_string())
    });
    assert_eq!((outcome.weight, outcome.unit, sent.len()), (3.0, "pages", 3));
    let last: Value = serde_json::from_str(&sent[2].1).unwrap();
    assert_eq!(
        last["aggs"]["outer"]["aggs"]["inner"]["composite"],
        json!({"sources": [], "size": 7, "after": {"n": 2}})
    );
}

#[test]
fn a_scroll_counts_pages_and_ends_with_a_page_that_cannot_be_full() {
    for operation in ["scroll-search", "search"] {
        let values = json!({"index": "a", "body": {}, "pages": "all", "results-per-page": 10});
        let (outcome, sent) = perform(operation, values, |_| {
            ("200 OK", json!({"_scroll_id": "s", "took": 3, "hits": {"total": {"value": 4, "relation": "eq"}, "hits": [{}]}}).to_string())
        });
        assert_eq!((outcome.weight, outcome.unit), (1.0, "pages"), "{operation}");
        let calls: Vec<_> = sent.iter().map(|(call, _)| call.as_str()).collect();
        assert_eq!(calls, ["POST /a/_search?sort=_doc&scroll=10s&size=10", "DELETE /_search/scroll"]);
        assert_eq!(outcome.meta.unwrap()["hits"], 4);
    }
}

#[test]
fn details_of_a_search_are_told_if_they_are_asked_for() {
    let answer = |_: &Received| {
        let shards = json!({"total": 5, "successful": 4, "skipped": 1, "failed": 1});
        ("200 OK", json!({"took": 7, "timed_out": true, "_shards": shards, "hits": {"total": {"value": 3, "relation": "gte"}, "hits": []}}).to_string())
    };
    let (outcome, _) = perform("search", json!({"index": "a", "body": {}, "detailed-results": true}), answer);
    let meta = Value::Object(*outcome.meta.unwrap());
    assert_eq!(
        meta,
        json!({"hits": 3, "hits_relation": "gte", "timed_out": true, "took": 7,
               "shards": {"total": 5, "successful": 4, "skipped": 1, "failed": 1}})
    );
    assert!(perform("search", json!({"index": "a", "body": {}}), answer).0.meta.is_none());
}

#[test]
fn partial_results_of_esql_are_failures() {
    let (outcome, _) =
        perform("esql", json!({"query": "FROM a"}), |_| ("200 OK", r#"{"is_partial": true}"#.to_owned()));
    assert_eq!(
        (description(&outcome).as_str(), outcome.weight),
        ("the ES|QL query returned partial results", 1.0)
    );
}

#[test]
fn a_profile_of_esql_sums_up_drivers_and_operators() {
    let driver = |took: u64, slices: u64| {
        json!({"description": "data", "took_nanos": took, "cpu_nanos": 1_000_000,
               "operators": [{"operator": "Scan[x]", "status": {"process_nanos": 500_000, "processed_slices": slices}}]})
    };
    let profile = json!({"query": {"took_nanos": 3_000_000}, "drivers": [driver(2_000_000, 1), driver(4_000_000, 2)],
                         "plans": [{"description": "coordinator", "reduction_nanos": 250_000}]});
    let (outcome, _) = perform("esql-profile", json!({"query": "FROM a"}), move |_| {
        ("200 OK", json!({"profile": profile}).to_string())
    });
    let meta = Value::Object(*outcome.meta.unwrap());
    assert_eq!(
        meta,
        json!({"query.took_ms": 3.0, "data.number": 2.0, "data.took_ms": 4.0, "data.cpu_ms": 1.0,
               "data.took_total_ms": 6.0, "data.cpu_total_ms": 2.0, "data.Scan.process_ms": 1.0,
               "data.Scan.processed_slices": 3.0, "coordinator.reduction.took_ms": 0.25})
    );
}

#[test]
fn pages_of_sql_follow_the_cursor() {
    let answer = |last: bool| {
        move |request: &Received| {
            let first = request.text().contains("query");
            let cursor = if first || !last { json!("c") } else { Value::Null };
            ("200 OK", json!({"rows": [], "cursor": cursor}).to_string())
        }
    };
    let values = || json!({"body": {"query": "SELECT 1"}, "pages": 3});
    let (outcome, sent) = perform("sql", values(), answer(false));
    assert_eq!((outcome.weight, sent[2].1.as_str()), (3.0, r#"{"cursor":"c"}"#));
    let (outcome, _) = perform("sql", values(), answer(true));
    assert_eq!(description(&outcome), "the result has only 2 of the 3 pages that were asked for");
}

#[test]
fn sleeping_takes_its_time_and_sends_nothing() {
    let (outcome, sent) = perform("sleep", json!({"duration": 0.05}), acknowledging);
    assert_eq!((sent.len(), outcome.weight, outcome.unit), (0, 1.0, "ops"));
    assert!(outcome.received - outcome.sent >= std::time::Duration::from_millis(50));
}

#[test]
fn a_snapshot_is_waited_for_and_tells_its_own_throughput() {
    let asked = AtomicUsize::new(0);
    let values = json!({"repository": "r", "snapshot": "s", "completion-recheck-wait-period": 0.001});
    let (outcome, sent) = perform("wait-for-snapshot-create", values, move |request| {
        let number = asked.fetch_add(1, Ordering::SeqCst);
        let total = json!({"size_in_bytes": 1000, "file_count": 3});
        let stats = json!({"total": total, "start_time_in_millis": 10, "time_in_millis": 500});
        (
            "200 OK",
            match (request.call(), number) {
                ("GET /_snapshot/r/_current?verbose=false", 0) => {
                    json!({"snapshots": [{"snapshot": "s"}]}).to_string()
                }
                ("GET /_snapshot/r/_current?verbose=false", _) => json!({"snapshots": []}).to_string(),
                _ => json!({"snapshots": [{"state": "SUCCESS", "stats": stats}]}).to_string(),
            },
        )
    });
    assert_eq!((outcome.weight, outcome.unit, outcome.throughput), (1000.0, "byte", Some(2000.0)));
    assert_eq!(sent[2].0, "GET /_snapshot/r/s/_status?ignore_unavailable=true");
    assert_eq!(outcome.meta.unwrap()["stop_time_millis"], 510);
}

#[test]
fn a_snapshot_that_failed_is_a_failure() {
    let (outcome, _) =
        perform("wait-for-snapshot-create", json!({"repository": "r", "snapshot": "s"}), |request| {
            (
                "200 OK",
                match request.call().contains("_current") {
                    true => json!({"snapshots": []}).to_string(),
                    false => json!({"snapshots": [{"state": "FAILED"}]}).to_string(),
                },
            )
        });
    assert_eq!(description(&outcome), "the snapshot failed");
}

#[test]
fn snapshots_under_way_are_waited_for() {
    let left = AtomicUsize::new(2);
    let values = json!({"repository": "r", "completion-recheck-wait-period": 0.001});
    let (_, sent) = perform("wait-for-current-snapshots-create", values, move |_| {
        ("200 OK", json!({"total": left.fetch_sub(1, Ordering::SeqCst)}).to_string())
    });
    assert_eq!(sent.len(), 3);
    assert_eq!(sent[0].0, "GET /_snapshot/r/_current?verbose=false&index_names=false");
}

#[test]
fn a_recovery_is_waited_for_and_tells_its_own_throughput() {
    let asked = AtomicUsize::new(0);
    let shard = |stage: &str, start: u64, stop: u64| json!({"stage": stage, "start_time_in_millis": start, "stop_time_in_millis": stop, "index": {"size": {"recovered_in_bytes": 500}}});
    let answers = [
        json!({}),
        json!({"a": {"shards": [shard("DONE", 0, 1000), shard("INDEX", 0, 0)]}}),
        json!({"a": {"shards": [shard("DONE", 0, 1000), shard("DONE", 500, 2000)]}}),
    ];
    let values = json!({"index": "a", "completion-recheck-wait-period": 0.001});
    let (outcome, sent) = perform("wait-for-recovery", values, move |_| {
        ("200 OK", answers[asked.fetch_add(1, Ordering::SeqCst)].to_string())
    });
    assert_eq!((sent.len(), sent[0].0.as_str()), (3, "GET /a/_recovery"));
    assert_eq!((outcome.weight, outcome.unit, outcome.throughput), (1000.0, "byte", Some(500.0)));
}

#[test]
fn a_request_is_repeated_until_a_value_is_as_wanted() {
    let asked = AtomicUsize::new(0);
    let values = json!({"path": "/_cat/x", "method": "POST", "json-path": "a.b", "retry-wait-interval": 0.001,
                        "criterion": {"operator": "gte", "value": 2}});
    let (outcome, sent) = perform("run-until", values, move |_| {
        ("200 OK", json!({"a": {"b": asked.fetch_add(1, Ordering::SeqCst)}}).to_string())
    });
    assert_eq!((description(&outcome).as_str(), sent.len()), ("", 3));
}

#[test]
fn a_transform_says_itself_when_it_is_complete() {
    let asked = AtomicUsize::new(0);
    let target = Target::version("8.19.0", move |peer, request| {
        if request.call().contains("_stop") {
            return peer.answer("200 OK", ACKNOWLEDGED);
        }
        let number = asked.fetch_add(1, Ordering::SeqCst) as u64;
        let state = if number == 2 { "stopped" } else { "stopping" };
        let stats =
            json!({"documents_processed": 6000 * (number + 1), "search_time_in_ms": 1000 * (number + 1)});
        let next = json!({"next": {"checkpoint_progress": {"percent_complete": 50.0}}});
        peer.answer(
            "200 OK",
            &json!({"transforms": [{"state": state, "stats": stats, "checkpointing": next}]}).to_string(),
        )
    });
    block_on(async {
        let cluster = target.cluster().await;
        let mut runner = runner_of(Dialect::Current, "wait-for-transform", &cluster).await;
        let values = params(json!({"transform-id": "t", "poll-interval": 0.001}));
        let first = runner.run(&values).await.unwrap();
        assert_eq!((first.weight, first.unit, first.throughput), (6000.0, "docs", Some(6000.0)));
        let progress = runner.progress().unwrap();
        assert_eq!((progress.completed, progress.fraction), (false, Some(0.5)));
        runner.run(&values).await.unwrap();
        runner.run(&values).await.unwrap();
        assert!(runner.progress().unwrap().completed);
    });
    let stops = target.calls().iter().filter(|call| call.contains("_stop")).count();
    assert_eq!(stops, 1);
}

#[test]
fn an_index_is_shrunk_on_one_node() {
    let body = json!({"settings": {"index.number_of_shards": 1}});
    let values = json!({"source-index": "logs-*", "target-index": "small", "target-body": body});
    let (outcome, sent) = perform("shrink-index", values, |request| {
        ("200 OK", match request.call() {
            "GET /logs-*" => json!({"logs-1": {}}).to_string(),
            "GET /_nodes" => json!({"nodes": {"x": {"name": "master", "roles": ["master"]}, "y": {"name": "data-1", "roles": ["data"]}}}).to_string(),
            call if call.contains("_cluster/health") => json!({"status": "green", "relocating_shards": 0}).to_string(),
            _ => ACKNOWLEDGED.to_owned(),
        })
    });
    assert_eq!((description(&outcome).as_str(), outcome.weight), ("", 1.0));
    let calls: Vec<_> = sent.iter().map(|(call, _)| call.as_str()).collect();
    assert_eq!(
        calls,
        [
            "GET /logs-*",
            "GET /_nodes",
            "PUT /logs-1/_settings?preserve_existing=true",
            "GET /_cluster/health/logs-1?wait_for_no_relocating_shards=true",
            "PUT /logs-1/_shrink/small",
            "GET /_cluster/health/small?wait_for_no_relocating_shards=true"
        ]
    );
    assert_eq!(
        sent[2].1,
        r#"{"settings":{"index.routing.allocation.require._name":"data-1","index.blocks.write":"true"}}"#
    );
    let shrunk: Value = serde_json::from_str(&sent[4].1).unwrap();
    assert_eq!(
        shrunk["settings"],
        json!({"index.number_of_shards": 1, "index.routing.allocation.require._name": null, "index.blocks.write": null})
    );
}

#[test]
fn a_composite_operation_hands_ids_from_one_part_to_the_next() {
    let values = json!({"requests": [
        {"operation-type": "open-point-in-time", "name": "open", "index": "a"},
        {"operation-type": "paginated-search", "name": "pages", "index": "a", "body": {"index": "a"}, "pages": 1, "results-per-page": 2, "with-point-in-time-from": "open"},
        {"operation-type": "close-point-in-time", "name": "close", "with-point-in-time-from": "open"}
    ]});
    let answer = |request: &Received| {
        (
            "200 OK",
            match request.call() {
                "POST /a/_pit?keep_alive=1m" => json!({"id": "first"}).to_string(),
                "POST /_search" => {
                    let mut page = page(0, 2, 9, "eq");
                    page["pit_id"] = json!("second");
                    page.to_string()
                }
                _ => ACKNOWLEDGED.to_owned(),
            },
        )
    };
    let (outcome, sent) = perform("composite", values.clone(), answer);
    assert_eq!((description(&outcome).as_str(), outcome.weight, outcome.unit), ("", 1.0, "ops"));
    assert_eq!(
        serde_json::from_str::<Value>(&sent[1].1).unwrap(),
        json!({"size": 2, "pit": {"id": "first", "keep_alive": "1m"}})
    );
    assert_eq!(sent[2], ("DELETE /_pit".to_owned(), r#"{"id":"second"}"#.to_owned()));
    let meta = outcome.meta.unwrap();
    for part in ["open", "pages", "close"] {
        assert!(meta[&format!("{part}.service_time")].as_f64().unwrap() >= 0.0);
    }
    // A part that fails fails all, and what comes after it is not sent.
    let (outcome, sent) =
        perform("composite", values, |_| ("404 Not Found", r#"{"error": "no"}"#.to_owned()));
    assert_eq!((outcome.failure.unwrap().status, sent.len()), (Some(404), 1));
}

#[test]
fn streams_of_a_composite_operation_run_at_the_same_time() {
    // Each of both requests is answered once the other one has come.
    let come = std::sync::Arc::new((Mutex::new(0), std::sync::Condvar::new()));
    let stream = |path: &str| json!({"stream": [{"operation-type": "raw-request", "path": path}]});
    let values =
        json!({"requests": [stream("/a"), stream("/b"), {"operation-type": "raw-request", "path": "/c"}]});
    let (outcome, sent) = perform("composite", values, move |request| {
        let (count, changed) = &*come;
        let mut count = count.lock().unwrap();
        *count += 1;
        changed.notify_all();
        if request.call() != "GET /c" {
            drop(changed.wait_while(count, |count| *count < 2).unwrap());
        } else {
            assert_eq!(*count, 3);
        }
        ("200 OK", ACKNOWLEDGED.to_owned())
    });
    assert_eq!((description(&outcome).as_str(), sent.len()), ("", 3));
    assert_eq!(sent[2].0, "GET /c");
}

#[test]
fn connections_of_a_composite_operation_can_be_limited() {
    let at_once = std::sync::Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
    let seen = std::sync::Arc::clone(&at_once);
    let stream = json!({"stream": [{"operation-type": "raw-request", "path": "/a"}]});
    let values = json!({"max-connections": 1, "requests": [stream, stream, stream]});
    let (outcome, sent) = perform("composite", values, move |_| {
        let now = seen.0.fetch_add(1, Ordering::SeqCst) + 1;
        seen.1.fetch_max(now, Ordering::SeqCst);
        std::thread::sleep(std::time::Duration::from_millis(5));
        seen.0.fetch_sub(1, Ordering::SeqCst);
        ("200 OK", ACKNOWLEDGED.to_owned())
    });
    assert_eq!((description(&outcome).as_str(), sent.len()), ("", 3));
    assert_eq!(at_once.1.load(Ordering::SeqCst), 1);
}

#[test]
fn asynchronous_searches_are_waited_for_and_deleted() {
    let asked = AtomicUsize::new(0);
    let values = json!({"requests": [
        {"operation-type": "submit-async-search", "name": "s", "index": "a", "body": {}},
        {"operation-type": "get-async-search", "retrieve-results-for": ["s"], "retry-wait-period": 0.001},
        {"operation-type": "delete-async-search", "delete-results-for": "s"}
    ]});
    let (outcome, sent) = perform("composite", values, move |request| {
        (
            "200 OK",
            match request.call() {
                "GET /_async_search/x" => {
                    let hits = json!({"total": {"value": 1, "relation": "eq"}});
                    let running = asked.fetch_add(1, Ordering::SeqCst) == 0;
                    json!({"is_running": running, "response": {"took": 1, "timed_out": false, "hits": hits}})
                        .to_string()
                }
                _ => json!({"id": "x"}).to_string(),
            },
        )
    });
    assert_eq!(description(&outcome), "");
    let calls: Vec<_> = sent.iter().map(|(call, _)| call.as_str()).collect();
    assert_eq!(
        calls,
        [
            "POST /a/_async_search?wait_for_completion_timeout=0",
            "GET /_async_search/x",
            "GET /_async_search/x",
            "DELETE /_async_search/x"
        ]
    );
}

/// A bulk request of three documents.
fn bulk(more: Value) -> Value {
    let body = "{\"index\":{}}\n{\"n\":0}\n{\"index\":{}}\n{\"n\":1}\n{\"index\":{}}\n{\"n\":2}\n";
    let mut values =
        json!({"body": body, "bulk-size": 3, "unit": "docs", "action-metadata-present": true, "index": "a"});
    values.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    values
}

fn items(statuses: &[u16]) -> String {
    let items: Vec<Value> = statuses
        .iter()
        .map(|status| match status {
            200..=299 => json!({"index": {"status": status, "result": "created"}}),
            _ => json!({"index": {"status": status, "error": {"type": "no", "reason": "no"}}}),
        })
        .collect();
    json!({"took": 1, "errors": statuses.iter().any(|status| *status > 299), "items": items}).to_string()
}

#[test]
fn documents_that_the_target_had_no_room_for_are_sent_again_as_often_as_asked_for() {
    let scripted = |answers: &'static [&'static [u16]]| {
        let asked = AtomicUsize::new(0);
        move |_: &Received| ("200 OK", items(answers[asked.fetch_add(1, Ordering::SeqCst)]))
    };
    let (outcome, sent) = perform(
        "bulk",
        bulk(json!({"retries_on_429": 2})),
        scripted(&[&[429, 201, 429], &[201, 429], &[201]]),
    );
    assert_eq!((description(&outcome).as_str(), outcome.weight, outcome.unit), ("", 3.0, "docs"));
    assert_eq!(sent[1].1, "{\"index\":{}}\n{\"n\":0}\n{\"index\":{}}\n{\"n\":2}\n");
    assert_eq!(sent[2].1, "{\"index\":{}}\n{\"n\":2}\n");
    assert_eq!(outcome.meta.unwrap()["retry-count"], 2);
    // What failed for another reason has failed, whatever becomes of the others.
    let (outcome, sent) =
        perform("bulk", bulk(json!({"retries_on_429": 1})), scripted(&[&[429, 400, 429], &[201, 429]]));
    assert_eq!((outcome.failure.unwrap().count, sent.len()), (2, 2));
    let (outcome, sent) = perform("bulk", bulk(json!({})), scripted(&[&[429, 201, 201]]));
    assert_eq!((outcome.failure.unwrap().count, sent.len()), (1, 1));
}

#[test]
fn details_of_a_bulk_request_are_told_if_they_are_asked_for() {
    let (outcome, _) =
        perform("bulk", bulk(json!({"detailed-results": true})), |_| ("200 OK", items(&[201, 201, 201])));
    let meta = outcome.meta.unwrap();
    assert_eq!(
        (&meta["success-count"], &meta["ops"]),
        (&json!(3), &json!({"index": {"item-count": 3, "created": 3}}))
    );
    assert!(perform("bulk", bulk(json!({})), |_| ("200 OK", items(&[201, 201, 201]))).0.meta.is_none());
}
