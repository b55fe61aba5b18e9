//! Mappings that grow with the documents, beyond the spare slots too.

use crate::support::TestNode;
use serde_json::{Value, json};

fn field_type<'v>(mapping: &'v Value, index: &str, field: &str) -> &'v str {
    mapping[index]["mappings"]["properties"][field]["type"].as_str().unwrap_or_default()
}

#[test]
fn fields_that_documents_bring_are_mapped_and_searchable() {
    let node = TestNode::start();
    let mut client = node.client();
    client.bulk("/a/_bulk?refresh=true", &[
        r#"{"index":{}}"#, r#"{"title":"Hello World","count":7,"ratio":1.5,"flag":true,"day":"2020-01-02","in":{"ner":"x"}}"#,
        r#"{"index":{}}"#, r#"{"other":"thing"}"#,
    ]);
    let mapping = client.ok("GET", "/a/_mapping", "");
    for (field, kind) in [
        ("title", "text"),
        ("count", "long"),
        ("ratio", "float"),
        ("flag", "boolean"),
        ("day", "date"),
        ("other", "text"),
    ] {
        assert_eq!(field_type(&mapping, "a", field), kind);
    }
    assert_eq!(
        mapping["a"]["mappings"]["properties"]["in"]["properties"]["ner"]["fields"]["keyword"],
        json!({"type": "keyword", "ignore_above": 256})
    );
    for query in [
        json!({"match": {"title": "hello"}}),
        json!({"term": {"count": 7}}),
        json!({"range": {"ratio": {"gt": 1}}}),
        json!({"term": {"flag": true}}),
        json!({"range": {"day": {"gte": "2020-01-02", "lt": "2020-01-03"}}}),
        json!({"term": {"in.ner.keyword": "x"}}),
        json!({"exists": {"field": "title"}}),
        json!({"match_phrase": {"title": "hello world"}}),
    ] {
        let answer = client.ok("POST", "/a/_search", &json!({"query": query}).to_string());
        assert_eq!(answer["hits"]["total"]["value"], 1, "{query}");
    }
}

#[test]
fn strict_and_false_mappings_do_not_grow() {
    let node = TestNode::start();
    let mut client = node.client();
    client.ok("PUT", "/strict", r#"{"mappings":{"dynamic":"strict","properties":{"a":{"type":"long"}}}}"#);
    let refused = client.call("PUT", "/strict/_doc/1", r#"{"b":1}"#);
    assert_eq!(
        refused.error(),
        (
            400,
            "strict_dynamic_mapping_exception",
            "mapping set to strict, dynamic introduction of [b] within [_doc] is not allowed"
        )
    );
    client.ok("PUT", "/off", r#"{"mappings":{"dynamic":false,"properties":{"a":{"type":"long"}}}}"#);
    client.ok("PUT", "/off/_doc/1", r#"{"b":1}"#);
    assert_eq!(
        client.ok("GET", "/off/_mapping", "")["off"]["mappings"],
        json!({"dynamic": "false", "properties": {"a": {"type": "long"}}})
    );
    assert_eq!(client.ok("GET", "/off/_doc/1", "")["_source"], json!({"b": 1}));
}

#[test]
fn more_fields_than_slots_rebuild_the_index_and_lose_nothing() {
    let node = TestNode::start();
    let mut client = node.client();
    // 8 text slots are spare; each document here brings a text field of its own, with and without refreshes between.
    for number in 0..30 {
        let refresh = if number % 3 == 0 { "?refresh=true" } else { "" };
        let body = format!("{{\"text{number}\":\"common word{number}\",\"n\":{number}}}");
        client.ok("PUT", &format!("/a/_doc/{number}{refresh}"), &body);
    }
    client.ok("PUT", "/a/_doc/3", r#"{"text3":"changed","n":3}"#);
    client.ok("DELETE", "/a/_doc/4", "");
    let mut lines = vec![r#"{"index":{"_id":"many"}}"#.to_string()];
    let fields: Vec<String> = (0..150).map(|number| format!("\"k{number}\":{number}")).collect();
    lines.push(format!("{{{}}}", fields.join(",")));
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    assert_eq!(client.bulk("/a/_bulk?refresh=true", &lines)["errors"], false);
    assert_eq!(client.count("a"), 30);
    for number in [0, 7, 8, 15, 29] {
        let query = json!({"query": {"match": {format!("text{number}"): format!("word{number}")}}});
        let answer = client.ok("POST", "/a/_search", &query.to_string());
        assert_eq!(answer["hits"]["total"]["value"], 1);
        assert_eq!(answer["hits"]["hits"][0]["_id"], number.to_string());
    }
    let answer = client.ok("POST", "/a/_search", r#"{"query":{"term":{"k149":149}}}"#);
    assert_eq!(answer["hits"]["hits"][0]["_id"], "many");
    let document = client.ok("GET", "/a/_doc/3", "");
    assert_eq!((&document["_version"], &document["_seq_no"]), (&json!(2), &json!(30)));
    client.ok("POST", "/a/_forcemerge?max_num_segments=1", "");
    assert_eq!(client.ok("GET", "/a/_stats/segments", "")["_all"]["total"]["segments"]["count"], 1);
    assert_eq!(client.count("a"), 30);
}

#[test]
fn documents_at_fault_fail_alone() {
    let node = TestNode::start();
    let mut client = node.client();
    let answer = client.bulk(
        "/a/_bulk?refresh=true",
        &[
            r#"{"index":{}}"#,
            r#"{"x":{"y":1}}"#,
            r#"{"index":{}}"#,
            r#"{"x":5}"#,
            r#"{"index":{}}"#,
            r#"{"z":5}"#,
        ],
    );
    let statuses: Vec<u64> = crate::support::items(&answer).into_iter().map(|(status, _)| status).collect();
    assert_eq!(statuses, [201, 400, 201]);
    assert_eq!(client.count("a"), 2);
}

#[test]
fn the_number_of_fields_is_limited() {
    let node = TestNode::start();
    let mut client = node.client();
    client.ok("PUT", "/a", r#"{"settings":{"index.mapping.total_fields.limit":3}}"#);
    client.ok("PUT", "/a/_doc/1", r#"{"a":1,"b":1,"c":1}"#);
    let refused = client.call("PUT", "/a/_doc/2", r#"{"d":1}"#);
    assert_eq!(
        refused.error(),
        (400, "illegal_argument_exception", "Limit of total fields [3] has been exceeded")
    );
}

#[test]
fn mappings_can_be_added_to_and_not_contradicted() {
    let node = TestNode::start();
    let mut client = node.client();
    client.ok("PUT", "/a", r#"{"mappings":{"properties":{"x":{"type":"long"}}}}"#);
    client.ok("PUT", "/a/_mapping", r#"{"properties":{"y":{"type":"keyword"}}}"#);
    let refused = client.call("PUT", "/a/_mapping", r#"{"properties":{"x":{"type":"keyword"}}}"#);
    assert_eq!(
        refused.error(),
        (400, "illegal_argument_exception", "mapper [x] cannot be changed from type [long] to [keyword]")
    );
    let mapping = client.ok("GET", "/a/_mapping", "");
    assert_eq!((field_type(&mapping, "a", "x"), field_type(&mapping, "a", "y")), ("long", "keyword"));
}

#[test]
fn a_bulk_larger_than_the_gate_can_outgrow_the_slots() {
    let node = TestNode::start();
    let mut client = node.client();
    client.ok("PUT", "/a/_doc/first?refresh=true", r#"{"text":"first"}"#);
    let filling = "word ".repeat(1000);
    let mut body = String::new();
    for number in 0..1000 {
        body.push_str("{\"index\":{}}\n");
        body.push_str(&format!("{{\"t{}\":\"{filling}\"}}\n", number % 20));
    }
    assert!(body.len() > 4 << 20);
    assert_eq!(client.ok("POST", "/a/_bulk?refresh=true", &body)["errors"], false);
    assert_eq!(client.count("a"), 1001);
    assert_eq!(
        client.ok("GET", "/a/_search", r#"{"query":{"match":{"text":"first"}}}"#)["hits"]["total"]["value"],
        1
    );
}

#[test]
fn objects_without_type_and_wrong_stand_ins_are_refused() {
    let node = TestNode::start();
    let mut client = node.client();
    for (field, reason) in [
        (json!({}), "No type specified for field [x]"),
        (json!({"dynamic": true}), "No type specified for field [x]"),
        (json!({"type": "long", "null_value": "x"}), "For input string: \"x\""),
        (
            json!({"type": "boolean", "null_value": "x"}),
            "Failed to parse value [x] as only [true] or [false] are allowed.",
        ),
        (
            json!({"type": "text", "analyzer": "english"}),
            "analyzer [english] has not been configured in mappings: the embedded node has the standard analyzer only",
        ),
    ] {
        let body = json!({"mappings": {"properties": {"x": field}}}).to_string();
        let answer = client.call("PUT", "/a", &body);
        assert_eq!(
            answer.error(),
            (400, "mapper_parsing_exception", format!("Failed to parse mapping [_doc]: {reason}").as_str())
        );
    }
}

#[test]
fn an_empty_string_is_no_number_and_no_error() {
    let node = TestNode::start();
    let mut client = node.client();
    client.ok("PUT", "/a", r#"{"mappings":{"properties":{"n":{"type":"long"},"d":{"type":"double","null_value":7},"i":{"type":"integer"}}}}"#);
    client.ok("PUT", "/a/_doc/1?refresh=true", r#"{"n":"","d":"","i":" 5 "}"#);
    for (query, count) in [
        (json!({"exists": {"field": "n"}}), 0),
        (json!({"term": {"d": 7}}), 1),
        (json!({"term": {"i": 5}}), 1),
    ] {
        let answer = client.ok("POST", "/a/_count", &json!({"query": query}).to_string());
        assert_eq!(answer["count"], count, "{query}");
    }
    assert_eq!(client.call("PUT", "/a/_doc/2", r#"{"n":" 5 "}"#).status, 400);
}
