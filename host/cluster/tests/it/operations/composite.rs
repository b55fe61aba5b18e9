//! Operations of operations.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::performing::{ACKNOWLEDGED, perform};
use super::searches::page;
use crate::support::{Received, description};

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
    assert_eq!((description(&outcome).as_str(), outcome.weight, outcome.unit.as_str()), ("", 1.0, "ops"));
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
