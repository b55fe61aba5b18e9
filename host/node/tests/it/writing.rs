//! Writing: bulks, single documents, versions, refreshes.

use crate::support::{TestNode, items};
use serde_json::{Value, json};

fn done(list: &[(u64, &str)]) -> Vec<(u64, String)> {
    list.iter().map(|(status, result)| (*status, (*result).to_string())).collect()
}

#[test]
fn a_bulk_answers_each_item_with_its_status() {
    let node = TestNode::start();
    let mut client = node.client();
    let answer = client.bulk(
        "/_bulk",
        &[
            r#"{"index":{"_index":"a","_id":"1"}}"#,
            r#"{"x":1}"#,
            r#"{"create":{"_index":"a","_id":"1"}}"#,
            r#"{"x":2}"#,
            r#"{"index":{"_index":"a","_id":"1"}}"#,
            r#"{"x":3}"#,
            r#"{"update":{"_index":"a","_id":"1"}}"#,
            r#"{"doc":{"y":1}}"#,
            r#"{"update":{"_index":"a","_id":"1"}}"#,
            r#"{"doc":{"y":1}}"#,
            r#"{"update":{"_index":"a","_id":"2"}}"#,
            r#"{"doc":{"y":1}}"#,
            r#"{"update":{"_index":"a","_id":"3"}}"#,
            r#"{"doc":{"y":1},"doc_as_upsert":true}"#,
            r#"{"delete":{"_index":"a","_id":"3"}}"#,
            r#"{"delete":{"_index":"a","_id":"9"}}"#,
            r#"{"index":{"_index":"a","_id":"4"}}"#,
            r#"{"x":"word"}"#,
            r#"{"index":{"_index":"a","_id":"5"}}"#,
            r#"{"x":"#,
            r#"{"delete":{"_index":"missing","_id":"9"}}"#,
            r#"{"index":{"_index":"Upper"}}"#,
            "{}",
            r#"{"index":{"_index":"a"}}"#,
            r#"{"x":7}"#,
        ],
    );
    assert_eq!(
        items(&answer),
        done(&[
            (201, "created"),
            (409, "version_conflict_engine_exception"),
            (200, "updated"),
            (200, "updated"),
            (200, "noop"),
            (404, "document_missing_exception"),
            (201, "created"),
            (200, "deleted"),
            (404, "not_found"),
            (400, "mapper_parsing_exception"),
            (400, "mapper_parsing_exception"),
            (404, "index_not_found_exception"),
            (400, "invalid_index_name_exception"),
            (201, "created"),
        ])
    );
    assert_eq!(answer["errors"], true);
    let versions: Vec<&Value> = answer["items"]
        .as_array()
        .unwrap()
        .iter()
        .take(4)
        .map(|item| &item.as_object().unwrap().values().next().unwrap()["_version"])
        .collect();
    assert_eq!(versions, [&json!(1), &Value::Null, &json!(2), &json!(3)]);
    client.ok("POST", "/a/_refresh", "");
    assert_eq!(client.count("a"), 2);
    assert_eq!(client.ok("GET", "/a/_doc/1", "")["_source"], json!({"x": 3, "y": 1}));
}

#[test]
fn operations_on_one_document_keep_their_order() {
    let node = TestNode::start();
    let mut client = node.client();
    let mut lines = vec![r#"{"index":{"_id":"1"}}"#.to_string(), r#"{"n":0}"#.to_string()];
    for number in 1..=50 {
        lines.push(r#"{"update":{"_id":"1"}}"#.to_string());
        lines.push(format!(r#"{{"doc":{{"n":{number}}}}}"#));
    }
    lines.push(r#"{"delete":{"_id":"1"}}"#.to_string());
    lines.push(r#"{"index":{"_id":"1"}}"#.to_string());
    lines.push(r#"{"last":true}"#.to_string());
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let answer = client.bulk("/a/_bulk?refresh=true", &lines);
    assert_eq!(answer["errors"], false);
    let document = client.ok("GET", "/a/_doc/1", "");
    assert_eq!((&document["_version"], &document["_source"]), (&json!(53), &json!({"last": true})));
    assert_eq!(client.count("a"), 1);
}

#[test]
fn a_body_that_is_no_bulk_changes_nothing() {
    let node = TestNode::start();
    let mut client = node.client();
    for (body, reason) in [
        ("", "request body is required"),
        ("{\"index\":{\"_index\":\"a\"}}\n{}", "The bulk request must be terminated by a newline [\\n]"),
        (
            "{\"index\":{\"_index\":\"a\"}}\n{}\n{\"foo\":{}}\n{}\n",
            "Malformed action/metadata line [3], expected field [create], [delete], [index] or [update] but found [foo]",
        ),
    ] {
        let answer = client.call("POST", "/_bulk", body);
        assert_eq!((answer.status, answer.error().2), (400, reason));
    }
    assert_eq!(client.call("HEAD", "/a", "").status, 404);
}

#[test]
fn reads_by_id_see_what_no_refresh_has_shown_yet() {
    let node = TestNode::start();
    let mut client = node.client();
    client.ok("PUT", "/a", r#"{"settings":{"refresh_interval":"-1"}}"#);
    let source = r#"{ "b" : 1.10,"a":"x" }"#;
    let created = client.call("PUT", "/a/_doc/1", source);
    assert_eq!(
        (created.status, &created.json["result"], &created.json["_seq_no"]),
        (201, &json!("created"), &json!(0))
    );
    assert_eq!(client.count("a"), 0);
    let found = client.call("GET", "/a/_doc/1", "");
    assert!(found.text.ends_with(&format!("\"_source\":{source}}}")), "{}", found.text);
    assert_eq!(client.call("PUT", "/a/_doc/1", "{\"c\":1}").json["_version"], 2);
    assert_eq!(client.ok("GET", "/a/_doc/1", "")["_source"], json!({"c": 1}));
    assert_eq!(client.call("DELETE", "/a/_doc/1", "").json["result"], "deleted");
    let missing = client.call("GET", "/a/_doc/1", "");
    assert_eq!(
        (missing.status, missing.json),
        (404, json!({"_index": "a", "_type": "_doc", "_id": "1", "found": false}))
    );
    assert_eq!(client.call("HEAD", "/a/_doc/1", "").status, 404);
    // An id of the node's own is found as well.
    let own = client.call("POST", "/a/_doc", "{\"own\":1}");
    let id = own.json["_id"].as_str().unwrap();
    assert_eq!((own.status, id.len()), (201, 20));
    assert_eq!(client.ok("GET", &format!("/a/_source/{id}"), ""), json!({"own": 1}));
    assert_eq!(client.ok("GET", &format!("/a/_doc/{id}?_source=none"), "")["_source"], json!({}));
}

#[test]
fn documents_show_after_a_refresh_and_not_before() {
    let node = TestNode::start();
    let mut client = node.client();
    client.ok("PUT", "/a", r#"{"settings":{"index":{"refresh_interval":"-1"}}}"#);
    client.ok("PUT", "/a/_doc/1", "{}");
    assert_eq!(client.count("a"), 0);
    client.ok("POST", "/a/_refresh", "");
    assert_eq!(client.count("a"), 1);
    client.ok("DELETE", "/a/_doc/1", "");
    assert_eq!(client.count("a"), 1);
    client.ok("PUT", "/a/_doc/2?refresh=wait_for", "{}");
    assert_eq!(client.count("a"), 1);
    client.ok("PUT", "/a/_settings", r#"{"index":{"refresh_interval":"10ms"}}"#);
    client.ok("PUT", "/a/_doc/3", "{}");
    while client.count("a") != 2 {
        std::thread::yield_now();
    }
}

#[test]
fn a_write_can_ask_for_the_state_it_expects() {
    let node = TestNode::start();
    let mut client = node.client();
    client.ok("PUT", "/a/_doc/1", "{}");
    assert_eq!(client.call("PUT", "/a/_doc/1?if_seq_no=0&if_primary_term=1", "{}").status, 200);
    let conflict = client.call("PUT", "/a/_doc/1?if_seq_no=0&if_primary_term=1", "{}");
    assert_eq!(
        conflict.error(),
        (
            409,
            "version_conflict_engine_exception",
            "[1]: version conflict, required seqNo [0], primary term [1]. current document has seqNo [1] and primary term [1]"
        )
    );
    assert_eq!(client.call("PUT", "/a/_create/1", "{}").status, 409);
    assert_eq!(
        client.call("PUT", "/a/_doc/1?op_type=create", "{}").error().2,
        "[1]: version conflict, document already exists (current version [2])"
    );
    assert_eq!(client.call("POST", "/a/_update/7", r#"{"doc":{}}"#).error().1, "document_missing_exception");
}

#[test]
fn versions_go_on_over_refreshes_and_deletions() {
    let node = TestNode::start();
    let mut client = node.client();
    for version in 1..=3 {
        assert_eq!(client.ok("PUT", "/a/_doc/1?refresh", "{}")["_version"], version);
    }
    assert_eq!(client.ok("DELETE", "/a/_doc/1?refresh", "")["_version"], 4);
    let again = client.ok("PUT", "/a/_doc/1?refresh", "{}");
    assert_eq!((&again["_version"], &again["result"]), (&json!(5), &json!("created")));
    assert_eq!(client.count("a"), 1);
}

#[test]
fn every_document_counts_once_whatever_the_number_of_clients() {
    let node = TestNode::start();
    let (clients, bulks, size) = (8, 12, 100);
    std::thread::scope(|scope| {
        for number in 0..clients {
            let mut client = node.client();
            scope.spawn(move || {
                for bulk in 0..bulks {
                    let mut body = String::new();
                    for document in 0..size {
                        // Every other client writes ids of its own, the rest leaves them to the node.
                        if number % 2 == 0 {
                            body.push_str(&format!(
                                "{{\"index\":{{\"_id\":\"{number}-{bulk}-{document}\"}}}}\n"
                            ));
                        } else {
                            body.push_str("{\"index\":{}}\n");
                        }
                        body.push_str(&format!(
                            "{{\"n\":{document},\"client\":\"c{number}\",\"f{bulk}\":true}}\n"
                        ));
                    }
                    let answer = client.ok("POST", "/a/_bulk", &body);
                    assert_eq!(answer["errors"], false);
                    if bulk % 4 == number % 4 {
                        client.ok("POST", "/a/_refresh", "");
                    }
                }
            });
        }
    });
    let mut client = node.client();
    client.ok("POST", "/a/_refresh", "");
    assert_eq!(client.count("a"), clients * bulks * size);
    let stats = client.ok("GET", "/a/_stats/docs,indexing", "");
    assert_eq!(stats["_all"]["primaries"]["docs"]["count"], clients * bulks * size);
    assert_eq!(stats["_all"]["primaries"]["indexing"]["index_total"], clients * bulks * size);
    let search = r#"{"size":0,"aggs":{"by":{"terms":{"field":"client.keyword"}}}}"#;
    let answer = client.ok("POST", "/a/_search", search);
    let buckets = answer["aggregations"]["by"]["buckets"].as_array().unwrap();
    assert_eq!(buckets.len() as u64, clients);
    assert!(buckets.iter().all(|bucket| bucket["doc_count"] == bulks * size));
}

#[test]
fn clients_that_update_the_same_document_lose_no_update() {
    let node = TestNode::start();
    node.client().ok("PUT", "/a/_doc/1", "{}");
    std::thread::scope(|scope| {
        for number in 0..4 {
            let mut client = node.client();
            scope.spawn(move || {
                for round in 0..25 {
                    let body = format!("{{\"doc\":{{\"f\":{{\"c{number}\":{round}}}}}}}");
                    client.ok("POST", "/a/_update/1?retry_on_conflict=3", &body);
                }
            });
        }
    });
    let document = node.client().ok("GET", "/a/_doc/1", "");
    assert_eq!(document["_version"], 101);
    assert_eq!(document["_source"], json!({"f": {"c0": 24, "c1": 24, "c2": 24, "c3": 24}}).clone());
}

#[test]
fn an_index_whose_disk_fails_says_so_and_takes_nothing_more() {
    let folder = tempfile::tempdir().unwrap();
    let node = TestNode::with_data(Some(folder.path().to_path_buf()));
    let mut client = node.client();
    client.ok("PUT", "/a", r#"{"settings":{"refresh_interval":"-1"}}"#);
    client.ok("PUT", "/a/_doc/1?refresh=true", "{}");
    let index = std::fs::read_dir(folder.path().join("indices")).unwrap().next().unwrap().unwrap();
    std::fs::remove_dir_all(index.path().join("generation-0")).unwrap();
    client.ok("PUT", "/a/_doc/2", "{}");
    assert_eq!(client.call("POST", "/a/_refresh", "").status, 500);
    let refused = client.call("PUT", "/a/_doc/3", "{}");
    assert_eq!(refused.error().0, 500);
    assert!(refused.error().2.contains("takes no more documents"), "{}", refused.text);
    // Other indices are not concerned, and the broken one can be deleted.
    client.ok("PUT", "/b/_doc/1", "{}");
    client.ok("DELETE", "/a", "");
    client.ok("PUT", "/a/_doc/1", "{}");
}

#[test]
fn a_typed_mapping_is_not_taken_for_a_document() {
    let node = TestNode::start();
    let mut client = node.client();
    let answer = client.call("PUT", "/a/_doc/_mapping", r#"{"properties":{}}"#);
    assert_eq!(
        answer.error().2,
        "Types cannot be provided in put mapping requests, unless the include_type_name parameter is set to true."
    );
}
