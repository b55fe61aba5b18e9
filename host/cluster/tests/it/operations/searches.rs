//! Searches that go from page to page.

use serde_json::{Value, json};

use super::performing::perform;
use crate::support::{Received, description};

/// The page of a search with hits that are sorted by their numbers.
pub fn page(from: u64, count: u64, total: u64, relation: &str) -> Value {
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
    assert_eq!((outcome.weight, outcome.unit.as_str()), (3.0, "pages"));
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
    assert_eq!((outcome.weight, outcome.unit.as_str(), sent.len()), (3.0, "pages", 3));
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
        assert_eq!((outcome.weight, outcome.unit.as_str()), (1.0, "pages"), "{operation}");
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
