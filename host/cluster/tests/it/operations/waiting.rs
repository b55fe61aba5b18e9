//! Operations that wait for something.

use std::sync::atomic::{AtomicUsize, Ordering};

use rally_track::Dialect;
use serde_json::{Value, json};

use super::performing::{ACKNOWLEDGED, acknowledging, perform, perform_on};
use crate::support::{Target, block_on, description, params, runner_of};

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

#[test]
fn sleeping_takes_its_time_and_sends_nothing() {
    let (outcome, sent) = perform("sleep", json!({"duration": 0.05}), acknowledging);
    assert_eq!((sent.len(), outcome.weight, outcome.unit.as_str()), (0, 1.0, "ops"));
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
    assert_eq!((outcome.weight, outcome.unit.as_str(), outcome.throughput), (1000.0, "byte", Some(2000.0)));
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
    assert_eq!((outcome.weight, outcome.unit.as_str(), outcome.throughput), (1000.0, "byte", Some(500.0)));
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
        assert_eq!((first.weight, first.unit.as_str(), first.throughput), (6000.0, "docs", Some(6000.0)));
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
fn a_transform_that_is_not_there_is_not_waited_for() {
    let target = Target::version("8.19.0", |peer, _| peer.answer("404 Not Found", r#"{"error": "no"}"#));
    block_on(async {
        let cluster = target.cluster().await;
        let mut runner = runner_of(Dialect::Current, "wait-for-transform", &cluster).await;
        let outcome = runner.run(&params(json!({"transform-id": "t"}))).await.unwrap();
        assert_eq!(outcome.failure.unwrap().status, Some(404));
        assert!(runner.progress().unwrap().completed);
    });
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
