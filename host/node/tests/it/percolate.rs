//! Stored queries through the REST API: what the recorded answers do not show.

use crate::support::{Client, TestNode, items};
use serde_json::{Value, json};

const MAPPING: &str =
    r#"{"mappings": {"properties": {"query": {"type": "percolator"}, "text": {"type": "text"}}}}"#;

fn with_index(test: impl FnOnce(&mut Client)) {
    let node = TestNode::start();
    let mut client = node.client();
    client.ok("PUT", "/alerts", MAPPING);
    test(&mut client);
    drop(client);
    node.shutdown();
}

fn store(client: &mut Client, id: &str, query: Value) {
    let body = json!({ "query": query }).to_string();
    client.ok("PUT", &format!("/alerts/_doc/{id}?refresh=true"), &body);
}

fn found(client: &mut Client, text: &str) -> Vec<String> {
    let query =
        json!({"query": {"percolate": {"field": "query", "document": {"text": text}}}, "sort": "_doc"});
    let answer = client.ok("POST", "/alerts/_search", &query.to_string());
    let hits = answer["hits"]["hits"].as_array().unwrap();
    hits.iter().map(|hit| hit["_id"].as_str().unwrap().to_string()).collect()
}

#[test]
fn queries_that_were_deleted_or_replaced_are_not_found() {
    with_index(|client| {
        for id in ["a", "b", "c"] {
            store(client, id, json!({"match": {"text": "red"}}));
        }
        assert_eq!(found(client, "red"), ["a", "b", "c"]);
        client.ok("DELETE", "/alerts/_doc/a?refresh=true", "");
        store(client, "b", json!({"match": {"text": "blue"}}));
        assert_eq!(found(client, "red"), ["c"]);
        assert_eq!(found(client, "blue"), ["b"]);
    });
}

#[test]
fn a_bulk_takes_good_queries_and_tells_the_bad_ones() {
    with_index(|client| {
        let answer = client.bulk(
            "/alerts/_bulk",
            &[
                r#"{"index": {"_id": "1"}}"#,
                r#"{"query": {"term": {"text": "red"}}}"#,
                r#"{"index": {"_id": "2"}}"#,
                r#"{"query": {"term": {"colour": "red"}}}"#,
                r#"{"index": {"_id": "3"}}"#,
                r#"{"query": {"span_term": {"text": "red"}}}"#,
            ],
        );
        let refused = (400, "mapper_parsing_exception".to_string());
        assert_eq!(items(&answer), [(201, "created".to_string()), refused.clone(), refused]);
        let cause = &answer["items"][1]["index"]["error"]["caused_by"];
        assert_eq!(cause["reason"], "No field mapping can be found for the field with name [colour]");
        let cause = &answer["items"][2]["index"]["error"]["caused_by"];
        assert_eq!(cause["reason"], "query [span_term] is not supported by the embedded node");
    });
}

#[test]
fn a_query_about_queries_cannot_be_stored() {
    with_index(|client| {
        let source = r#"{"query": {"bool": {"must": {"percolate": {"field": "query", "document": {}}}}}}"#;
        let answer = client.call("PUT", "/alerts/_doc/1", source);
        assert_eq!(answer.error(), (400, "mapper_parsing_exception", "failed to parse"));
        let cause = &answer.json["error"]["caused_by"]["reason"];
        assert_eq!(cause, "[percolate] inside a percolator query is not supported by the embedded node");
    });
}

#[test]
fn a_document_of_an_index_cannot_be_percolated() {
    with_index(|client| {
        let query = r#"{"query": {"percolate": {"field": "query", "index": "alerts", "id": "1"}}}"#;
        let answer = client.call("POST", "/alerts/_search", query);
        let reason = "[percolate] query with a document of an index is not supported by the embedded node";
        assert_eq!(answer.error(), (400, "illegal_argument_exception", reason));
    });
}

#[test]
fn stored_queries_survive_an_index_that_outgrows_its_slots() {
    with_index(|client| {
        store(client, "1", json!({"match": {"text": "red"}}));
        let fields: Value = (0..40).map(|number| (format!("t{number}"), json!("word"))).collect();
        client.ok("PUT", "/alerts/_doc/wide?refresh=true", &fields.to_string());
        assert_eq!(found(client, "red"), ["1"]);
    });
}

#[test]
fn stored_queries_are_kept_where_sources_are_not() {
    let node = TestNode::start();
    let mut client = node.client();
    let mapping = MAPPING.replacen(r#""properties""#, r#""_source": {"enabled": false}, "properties""#, 1);
    client.ok("PUT", "/alerts", &mapping);
    store(&mut client, "1", json!({"match": {"text": "red"}}));
    assert_eq!(found(&mut client, "red"), ["1"]);
    drop(client);
    node.shutdown();
}

#[test]
fn several_indices_are_percolated_each_with_its_own_mapping() {
    with_index(|client| {
        store(client, "1", json!({"match": {"text": "red"}}));
        let other =
            r#"{"mappings": {"properties": {"query": {"type": "percolator"}, "text": {"type": "keyword"}}}}"#;
        client.ok("PUT", "/more", other);
        let whole = json!({"query": {"match": {"text": "red house"}}}).to_string();
        client.ok("PUT", "/more/_doc/2?refresh=true", &whole);
        let query = r#"{"query": {"percolate": {"field": "query", "document": {"text": "red house"}}}, "sort": "_doc"}"#;
        let answer = client.ok("POST", "/alerts,more/_search", query);
        assert_eq!(answer["hits"]["total"]["value"], 2);
        let query = query.replace("red house", "house red");
        let answer = client.ok("POST", "/alerts,more/_search", &query);
        assert_eq!(answer["hits"]["hits"][0]["_index"], "alerts");
        assert_eq!(answer["hits"]["total"]["value"], 1);
    });
}

#[test]
fn pages_of_a_scroll_hold_each_match_once() {
    with_index(|client| {
        for number in 0..7 {
            store(client, &number.to_string(), json!({"match": {"text": "red"}}));
        }
        let query = r#"{"size": 3, "query": {"percolate": {"field": "query", "document": {"text": "red"}}}}"#;
        let mut answer = client.ok("POST", "/alerts/_search?scroll=1m", query);
        let mut ids = Vec::new();
        while let Some(hits) = answer["hits"]["hits"].as_array().filter(|hits| !hits.is_empty()) {
            ids.extend(hits.iter().map(|hit| hit["_id"].as_str().unwrap().to_string()));
            let next = json!({"scroll": "1m", "scroll_id": answer["_scroll_id"]}).to_string();
            answer = client.ok("POST", "/_search/scroll", &next);
        }
        assert_eq!(ids, ["0", "1", "2", "3", "4", "5", "6"]);
    });
}
