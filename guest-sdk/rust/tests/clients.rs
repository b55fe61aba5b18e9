//! What a client sends, and how it judges answers.

#![allow(clippy::unwrap_used)] // tests fail by panicking

use std::time::Duration;

use rally_sdk::testing::Reply;
use rally_sdk::{Body, Client, ErrorClass, Want, json};

#[test]
fn a_search_is_read_in_both_forms_of_its_total() {
    for (total, hits, relation) in
        [(json!(7), 7, None), (json!({"value": 10_000, "relation": "gte"}), 10_000, Some("gte".to_owned()))]
    {
        let client = Client::for_test(move |request| {
            assert_eq!(request.target, "/logs-%C3%A4,other*/_search");
            assert_eq!(request.body_json(), json!({"size": 0}));
            Reply::json(200, json!({"took": 5, "timed_out": false, "hits": {"total": total}}))
        });
        let answer = client.search("logs-ä,other*", json!({"size": 0})).unwrap();
        assert_eq!((answer.took, answer.hits, answer.hits_relation), (Some(5), Some(hits), relation));
        assert!(answer.response.body().is_empty(), "only the picked values cross");
    }
}

#[test]
fn a_bulk_is_sent_as_lines() {
    let (client, sent) = Client::recording(|_| Reply::json(200, json!({"took": 1, "errors": true})));
    assert!(client.bulk("", Body::text("{\"index\":{}}\n{}\n")).unwrap().errors);
    let request = sent.borrow_mut().remove(0);
    assert_eq!((request.target.as_str(), request.body.len()), ("/_bulk", 16));
    assert_eq!(request.headers, [("content-type".to_owned(), "application/x-ndjson".to_owned())]);
}

#[test]
fn a_request_is_sent_as_it_was_built() {
    let (client, sent) = Client::recording(|_| Reply::json(200, json!({"status": "green"})));
    let health = client
        .get("/_cluster/health")
        .query("wait_for_status", "green or yellow")
        .query("timeout", 5)
        .cluster("other")
        .header("x-opaque-id", "1")
        .timeout(Duration::from_millis(1_500))
        .whole()
        .unwrap();
    assert_eq!(health.json::<rally_sdk::serde_json::Value>().unwrap()["status"], "green");
    let request = sent.borrow_mut().remove(0);
    assert_eq!(request.target, "/_cluster/health?wait_for_status=green%20or%20yellow&timeout=5");
    assert_eq!((request.cluster.as_deref(), request.timeout_milliseconds), (Some("other"), Some(1_500)));
}

#[test]
fn a_failed_answer_is_an_error_unless_it_is_asked_for() {
    let client = Client::for_test(|_| Reply::json(404, json!({"error": "no such thing", "status": 404})));
    let error = client.get("/thing").send().unwrap_err();
    assert_eq!((error.class(), error.status()), (ErrorClass::Api, Some(404)));
    assert_eq!(error.message(), "GET /thing was answered with 404: no such thing");
    assert_eq!(client.get("/thing").ignore_status([404]).send().unwrap().status(), 404);
    assert!(client.get("/thing").ignore_status([409]).send().is_err());
    assert_eq!(client.get("/thing").any_status().send().unwrap().status(), 404);
}

#[test]
fn no_answer_keeps_its_class_and_says_what_was_asked() {
    let client = Client::for_test(|_| Reply::error(ErrorClass::Timeout, "no answer in 10 s"));
    let error = client.post("/logs/_search").send().unwrap_err();
    assert_eq!(error.class(), ErrorClass::Timeout);
    assert_eq!(error.message(), "POST /logs/_search: no answer in 10 s");
}

#[test]
fn a_target_that_is_no_path_is_refused_before_it_is_sent() {
    let (client, sent) = Client::recording(|_| Reply::json(200, json!({})));
    let error = client.get("http://elsewhere/").send().unwrap_err();
    assert!(error.message().contains("begins with a slash"), "{error}");
    assert!(sent.borrow().is_empty());
}

#[test]
fn several_requests_are_judged_one_by_one() {
    let client =
        Client::for_test(|request| Reply::json(if request.target == "/b" { 500 } else { 200 }, json!({})));
    let requests = vec![client.get("/a"), client.get("/b"), client.get("/b").any_status()];
    let answers = client.send_all(requests, &Want::Nothing, 2).unwrap();
    let statuses: Vec<_> = answers
        .into_iter()
        .map(|answer| answer.map(|answer| answer.status()).map_err(|error| error.status()))
        .collect();
    assert_eq!(statuses, [Ok(200), Err(Some(500)), Ok(500)]);
}

#[test]
fn submitted_requests_are_judged_when_they_end() {
    let client = Client::for_test(|_| Reply::json(500, json!({})));
    let strict = client.submit(client.get("/a"), &Want::Nothing).unwrap();
    let lenient = client.submit(client.get("/b").any_status(), &Want::Nothing).unwrap();
    let completions = client.wait(None);
    assert_eq!(completions.iter().map(|completion| completion.id).collect::<Vec<_>>(), [strict, lenient]);
    assert!(completions[0].outcome.is_err() && completions[1].outcome.is_ok());
    assert!(client.wait(Some(Duration::ZERO)).is_empty());
}

#[test]
fn a_built_in_operation_tells_its_outcome() {
    let (client, sent) = Client::recording(|_| {
        Reply::json(200, json!({"weight": 5, "unit": "docs", "success": true, "took": 3}))
    });
    let params = json!({"index": "logs", "bulk-size": 5});
    let outcome = client.builtin("bulk", params.as_object().unwrap(), Some(Body::text("{}\n"))).unwrap();
    assert_eq!((outcome.weight(), outcome.unit(), &outcome.meta_data()["took"]), (5.0, "docs", &json!(3)));
    let request = sent.borrow_mut().remove(0);
    assert_eq!(
        (request.target.as_str(), request.params, request.body),
        ("builtin:bulk", params, b"{}\n".to_vec())
    );
}
