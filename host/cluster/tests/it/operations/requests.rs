//! What operations of one request send, and what all operations have in common.

use rally_track::Dialect;
use serde_json::{Value, json};

use super::performing::{ACKNOWLEDGED, perform, refused, sent};
use crate::support::{Received, Target, block_on, description, params, runner_of};

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
        ("composite", json!({"requests": [{"operation-type": "bulk"}]}), "cannot be part"),
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
