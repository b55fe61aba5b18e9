//! Indices, data streams and templates.

use rally_race::FailureKind;
use serde_json::json;

use super::performing::{ACKNOWLEDGED, acknowledging, calls, perform, sent};
use crate::support::{Received, description};

#[test]
fn indices_are_created_one_after_the_other_and_count_as_one_operation_each() {
    let body = json!({"settings": {"index.number_of_shards": 1}});
    let values =
        json!({"indices": [["a", body], ["b", {}], ["c", null]], "request-params": {"timeout": "1m"}});
    let (outcome, sent) = perform("create-index", values, acknowledging);
    assert_eq!((outcome.weight, outcome.unit.as_str()), (3.0, "ops"));
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
