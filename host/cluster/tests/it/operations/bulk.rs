//! Bulk requests.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::performing::perform;
use crate::support::{Received, description};

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
    assert_eq!((description(&outcome).as_str(), outcome.weight, outcome.unit.as_str()), ("", 3.0, "docs"));
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
