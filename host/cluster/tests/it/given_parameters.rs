//! Parameters as param sources of a track's own give them to built-in runners: under Rally's names of any time, with the
//! body among them or beside them.

use std::sync::Arc;

use crate::support::{Target, block_on, object, params, runner};
use bytes::Bytes;
use rally_race::{BodyKind, Outcome, Params};
use serde_json::{Value, json};

const FOUND: &str = r#"{"took": 1, "hits": {"total": 0, "hits": []}}"#;
const INDEXED: &str = r#"{"took": 1, "errors": false, "items": []}"#;

/// Performs these requests one after the other. What was sent, as `METHOD /path?query` and body.
fn sent(kind: &'static str, version: &'static str, all: &[Params]) -> Vec<(String, String)> {
    let target = answering(kind, version);
    perform(kind, &target, all);
    target.requests().iter().map(|request| (request.call().to_owned(), request.text())).collect()
}

fn answering(kind: &'static str, version: &'static str) -> Target {
    Target::version(version, move |peer, _| {
        peer.answer("200 OK", if kind == "index" { INDEXED } else { FOUND })
    })
}

fn perform(kind: &'static str, target: &Target, all: &[Params]) -> Vec<Outcome> {
    block_on(async {
        let cluster = target.cluster().await;
        let mut runner = runner(kind, &cluster).await;
        let mut outcomes = Vec::new();
        for params in all {
            outcomes.push(runner.run(params).await.unwrap());
        }
        outcomes
    })
}

/// The error of parameters that no request can be made of; nothing is sent.
fn refused(kind: &'static str, values: Value) -> String {
    let target = answering(kind, "7.10.2");
    let refused = block_on(async {
        let cluster = target.cluster().await;
        runner(kind, &cluster).await.run(&params(values)).await.unwrap_err()
    });
    assert_eq!(target.requests().len(), 0);
    refused.to_string()
}

fn call(kind: &'static str, values: Value) -> String {
    sent(kind, "7.10.2", &[params(values)]).remove(0).0
}

fn with_body(values: Value, body: &'static str, documents: u32) -> Params {
    Params {
        body: Bytes::from_static(body.as_bytes()),
        body_kind: BodyKind::Text,
        documents,
        ..params(values)
    }
}

#[test]
fn the_documented_answer_of_a_custom_search_source_is_understood() {
    let body = json!({"query": {"term": {"body": "mechanic"}}});
    let values = json!({"body": body, "index": null, "type": null, "use_request_cache": false});
    let wanted = ("POST /_search?request_cache=false".to_owned(), body.to_string());
    assert_eq!(sent("search", "7.10.2", &[params(values)]), [wanted]);
}

#[test]
fn a_search_takes_the_names_of_then_and_now() {
    for (cache, request_params) in [("cache", "request-params"), ("use_request_cache", "request_params")] {
        let values = json!({
            "index": "logs", "body": {}, cache: true, request_params: {"_source": false},
            "name": "a", "operation-type": "search", "param-source": "mine", "something": "else",
        });
        assert_eq!(call("search", values), "POST /logs/_search?request_cache=true&_source=false");
    }
    assert_eq!(call("search", json!({"body": {}, "cache": null})), "POST /_search");
    assert_eq!(
        call("search", json!({"index": ["a", "b"], "body": {}, "request-cache": "true"})),
        "POST /a,b/_search?request_cache=true"
    );
    for results in ["results-per-page", "items_per_page"] {
        assert_eq!(
            call("search", json!({"index": "a", "body": {}, "pages": 1, results: 10})),
            "POST /a/_search?sort=_doc&scroll=10s&size=10"
        );
    }
    let typed = sent("search", "2.4.6", &[params(json!({"index": "a", "type": "t", "body": {}}))]);
    assert_eq!(typed[0].0, "POST /a/t/_search");
}

#[test]
fn searches_that_differ_in_their_body_only_share_everything_else() {
    let values = Arc::new(object(json!({"index": "a", "cache": false})));
    let all: Vec<Params> = ["{\"size\":1}", "{\"size\":2}", "{\"size\":3}"]
        .into_iter()
        .map(|body| Params {
            body: Bytes::from_static(body.as_bytes()),
            body_kind: BodyKind::Json,
            ..Params::of(Arc::clone(&values))
        })
        .collect();
    let sent = sent("search", "7.10.2", &all);
    for (number, (call, body)) in sent.iter().enumerate() {
        assert_eq!(call, "POST /a/_search?request_cache=false");
        assert_eq!(*body, format!("{{\"size\":{}}}", number + 1));
    }
}

#[test]
fn a_body_beside_the_parameters_comes_before_one_among_them_and_is_none_of_the_next_request() {
    let values = Arc::new(object(json!({"index": "a", "body": {"size": 0}})));
    let beside = Params { body: Bytes::from_static(b"{}"), ..Params::of(Arc::clone(&values)) };
    let bodies: Vec<String> = sent("search", "7.10.2", &[beside.clone(), Params::of(values), beside])
        .into_iter()
        .map(|(_, body)| body)
        .collect();
    assert_eq!(bodies, ["{}", "{\"size\":0}", "{}"]);
}

#[test]
fn a_scroll_begins_with_the_body_beside_its_parameters() {
    let values = json!({"index": "a", "pages": "all", "results-per-page": 5});
    let sent = sent("search", "7.10.2", &[with_body(values, "{\"query\":{}}", 0)]);
    assert_eq!(sent[0].1, "{\"query\":{}}");
}

#[test]
fn headers_of_a_request_are_sent_with_it() {
    let target = answering("search", "7.10.2");
    let values = json!({"index": "a", "body": {}, "headers": {"X-Tenant": "blue"}, "opaque-id": "42"});
    perform("search", &target, &[params(values), params(json!({"index": "a", "body": {}}))]);
    let [with, without] = &target.requests()[..] else { panic!("two requests") };
    assert_eq!((with.header("x-tenant"), with.header("x-opaque-id")), (Some("blue"), Some("42")));
    assert_eq!((without.header("x-tenant"), without.header("x-opaque-id")), (None, None));
}

#[test]
fn headers_that_belong_to_the_connection_or_are_none_are_refused() {
    for (headers, problem) in [
        (json!({"Content-Length": "3"}), "\"Content-Length\" is made by the connection itself"),
        (json!({"Host": "elsewhere"}), "\"Host\" is made by the connection itself"),
        (json!({"a b": "c"}), "\"a b\" is not a valid header name"),
        (json!({"a": "b\r\nc: d"}), "the header \"a\" has characters that cannot be sent"),
        (json!({"a": 3}), "'a' is 3 but must be a text"),
        (json!("a"), "'headers' is \"a\" but must be an object"),
    ] {
        let error = refused("search", json!({"body": {}, "headers": headers}));
        assert!(error.contains(problem), "{error}");
    }
}

#[test]
fn a_bulk_takes_the_names_of_then_and_now() {
    for present in ["action-metadata-present", "action_metadata_present"] {
        let values = |given: bool| json!({"body": "{}\n", "bulk-size": 1, present: given, "index": "a", "type": "t", "unit": "docs"});
        assert_eq!(call("index", values(true)), "POST /_bulk");
        assert_eq!(call("index", values(false)), "POST /a/_bulk");
        assert_eq!(sent("index", "2.4.6", &[params(values(false))])[0].0, "POST /a/t/_bulk");
    }
    let values = json!({
        "body": ["{\"index\":{}}", {"a": 1}], "bulk-size": 1,
        "pipeline": "p", "refresh": "wait_for", "timeout": "3s", "request-params": {"require_alias": true},
    });
    assert_eq!(
        sent("index", "7.10.2", &[params(values)]),
        [(
            "POST /_bulk?pipeline=p&refresh=wait_for&timeout=3s&require_alias=true".to_owned(),
            "{\"index\":{}}\n{\"a\":1}\n".to_owned()
        )]
    );
}

#[test]
fn the_documents_of_a_bulk_are_counted_by_its_body_or_else_by_bulk_size() {
    let lines = "{\"index\":{}}\n{}\n";
    let target = answering("index", "7.10.2");
    let outcomes = perform(
        "index",
        &target,
        &[
            with_body(json!({}), lines, 7),
            with_body(json!({"bulk-size": 5}), lines, 0),
            with_body(json!({"bulk-size": 5}), lines, 7),
            params(json!({"body": lines, "bulk-size": 5, "unit": "pages"})),
        ],
    );
    let work: Vec<(f64, &str)> =
        outcomes.iter().map(|outcome| (outcome.weight, outcome.unit.as_str())).collect();
    assert_eq!(work, [(7.0, "docs"), (5.0, "docs"), (7.0, "docs"), (5.0, "pages")]);
}

#[test]
fn a_mandatory_parameter_that_is_missing_ends_the_task_with_its_name_and_those_that_were_given() {
    for (kind, values, error) in [
        (
            "search",
            json!({"index": "a", "cache": true}),
            "cannot execute 'search': 'body' is mandatory and missing: give the search request; \
             the provided parameters are index, cache",
        ),
        (
            "index",
            json!({"bulk-size": 3}),
            "cannot execute 'index': 'body' is mandatory and missing; the provided parameters are bulk-size",
        ),
        (
            "index",
            json!({"body": "{}\n", "action-metadata-present": false, "bulk-size": 1}),
            "cannot execute 'index': 'index' is mandatory where the body has no action lines, and missing; \
             the provided parameters are body, action-metadata-present, bulk-size",
        ),
        (
            "index",
            json!({"body": "{}\n"}),
            "cannot execute 'index': the param source gives no 'bulk-size', which is mandatory: add the number of \
             documents in the body; the provided parameters are body",
        ),
    ] {
        assert_eq!(refused(kind, values), error);
    }
}

#[test]
fn parameters_of_the_wrong_kind_are_named() {
    for (kind, values, problem) in [
        ("search", json!({"body": {}, "index": 3}), "'index' is 3 but must be a name"),
        ("search", json!({"body": {}, "cache": 3}), "'cache' is 3 but must be true or false"),
        ("search", json!({"body": {}, "request-params": 3}), "'request-params' is 3 but must be an object"),
        ("search", json!({"body": {}, "pages": "x", "results-per-page": 1}), "'pages' is \"x\""),
        ("search", json!({"body": {}, "pages": 1, "results-per-page": 0}), "'results-per-page' is 0"),
        ("index", json!({"body": 3, "bulk-size": 1}), "'body' must be a text or a list of lines"),
        ("index", json!({"body": "x\n", "bulk-size": -1}), "'bulk-size' is -1"),
        ("index", json!({"body": "x\n", "bulk-size": 1, "unit": ""}), "'unit': \"\" is not a unit"),
        (
            "index",
            json!({"body": "x\n", "bulk-size": 1, "action-metadata-present": 1}),
            "'action-metadata-present' is 1",
        ),
    ] {
        let error = refused(kind, values);
        assert!(error.contains(problem), "{error}");
    }
}

#[test]
fn a_request_that_could_not_be_made_leaves_nothing_for_the_next_one() {
    let target = answering("search", "7.10.2");
    block_on(async {
        let cluster = target.cluster().await;
        let mut runner = runner("search", &cluster).await;
        let good = params(json!({"index": "a", "body": {}}));
        runner.run(&good).await.unwrap();
        runner.run(&params(json!({"index": 3, "body": {}}))).await.unwrap_err();
        runner.run(&good).await.unwrap();
    });
    assert_eq!(target.requests().len(), 2);
}
