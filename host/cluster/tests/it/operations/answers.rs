//! Operations whose answer decides whether they succeeded.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::performing::{ACKNOWLEDGED, perform};
use crate::support::{Received, description};

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
