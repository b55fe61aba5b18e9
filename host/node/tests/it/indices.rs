//! Indices, settings, templates, names.

use crate::support::TestNode;
use serde_json::json;

#[test]
fn an_index_is_created_shown_and_deleted() {
    let node = TestNode::start();
    let mut client = node.client();
    let body = r#"{"settings":{"number_of_shards":3,"number_of_replicas":0},"mappings":{"properties":{"x":{"type":"long"}}}}"#;
    assert_eq!(
        client.ok("PUT", "/a", body),
        json!({"acknowledged": true, "shards_acknowledged": true, "index": "a"})
    );
    assert_eq!(client.call("HEAD", "/a", "").status, 200);
    let shown = client.ok("GET", "/a", "");
    assert_eq!(shown["a"]["mappings"], json!({"properties": {"x": {"type": "long"}}}));
    assert_eq!(shown["a"]["settings"]["index"]["number_of_shards"], "3");
    let twice = client.call("PUT", "/a", "");
    assert_eq!((twice.status, twice.error().1), (400, "resource_already_exists_exception"));
    assert_eq!(client.ok("DELETE", "/a", ""), json!({"acknowledged": true}));
    assert_eq!(client.call("HEAD", "/a", "").status, 404);
    let missing = client.call("DELETE", "/a", "");
    assert_eq!(missing.error(), (404, "index_not_found_exception", "no such index [a]"));
    assert_eq!(missing.json["error"]["root_cause"][0]["index"], "a");
}

#[test]
fn wrong_bodies_create_nothing() {
    let node = TestNode::start();
    let mut client = node.client();
    for (body, kind, reason) in [
        (r#"{"setings":{}}"#, "parse_exception", "unknown key [setings] for create index"),
        (
            r#"{"settings":{"foo":1}}"#,
            "illegal_argument_exception",
            "unknown setting [index.foo] please check that any required plugins are installed, or check the breaking changes documentation for removed settings",
        ),
        (
            r#"{"mappings":{"properties":{"x":{"type":"foo"}}}}"#,
            "mapper_parsing_exception",
            "Failed to parse mapping [_doc]: No handler for type [foo] declared on field [x]",
        ),
        (
            r#"{"mappings":{"_doc":{"properties":{}}}}"#,
            "illegal_argument_exception",
            "The mapping definition cannot be nested under a type [_doc] unless include_type_name is set to true.",
        ),
        (
            r#"{"mappings":{"place":{"properties":{}}}}"#,
            "mapper_parsing_exception",
            "Failed to parse mapping [_doc]: Root mapping definition has unsupported parameters:  [place : {properties={}}]",
        ),
        (
            r#"{"aliases":{"b":{}}}"#,
            "illegal_argument_exception",
            "[aliases] is not supported by the embedded node",
        ),
        ("{", "parse_exception", "Failed to parse content to map"),
    ] {
        let answer = client.call("PUT", "/a", body);
        assert_eq!(answer.error(), (400, kind, reason));
        assert_eq!(client.call("HEAD", "/a", "").status, 404);
    }
    assert_eq!(client.call("PUT", "/Upper", "").error().1, "invalid_index_name_exception");
}

#[test]
fn typed_mappings_are_taken_when_announced() {
    let node = TestNode::start();
    let mut client = node.client();
    client.ok(
        "PUT",
        "/a?include_type_name=true",
        r#"{"mappings":{"place":{"properties":{"x":{"type":"long"}}}}}"#,
    );
    assert_eq!(
        client.ok("GET", "/a/_mapping", "")["a"]["mappings"],
        json!({"properties": {"x": {"type": "long"}}})
    );
    assert_eq!(
        client.ok("GET", "/a/_mapping?include_type_name=true", "")["a"]["mappings"]["place"]["properties"]["x"]
            ["type"],
        "long"
    );
    let answer = client.bulk(
        "/_bulk",
        &[
            r#"{"index":{"_index":"a","_type":"place"}}"#,
            "{}",
            r#"{"index":{"_index":"a","_type":"other"}}"#,
            "{}",
        ],
    );
    let statuses: Vec<u64> = crate::support::items(&answer).into_iter().map(|(status, _)| status).collect();
    assert_eq!(statuses, [201, 400]);
}

#[test]
fn templates_apply_to_new_indices_by_order() {
    let node = TestNode::start();
    let mut client = node.client();
    client.ok("PUT", "/_template/low", r#"{"index_patterns":["log*"],"order":1,"settings":{"number_of_replicas":0,"refresh_interval":"5s"},"mappings":{"properties":{"a":{"type":"keyword"}}}}"#);
    client.ok("PUT", "/_template/high", r#"{"index_patterns":"logs-*","order":2,"settings":{"refresh_interval":"7s"},"mappings":{"properties":{"b":{"type":"ip"}}}}"#);
    client.bulk("/logs-1/_bulk", &[r#"{"index":{}}"#, r#"{"a":"x","b":"127.0.0.1"}"#]);
    let shown = client.ok("GET", "/logs-1", "");
    assert_eq!(
        shown["logs-1"]["mappings"],
        json!({"properties": {"a": {"type": "keyword"}, "b": {"type": "ip"}}})
    );
    let settings = &shown["logs-1"]["settings"]["index"];
    assert_eq!((&settings["number_of_replicas"], &settings["refresh_interval"]), (&json!("0"), &json!("7s")));
    client.ok("PUT", "/other", "");
    assert_eq!(client.ok("GET", "/other/_mapping", ""), json!({"other": {"mappings": {}}}));
    assert_eq!(client.call("HEAD", "/_template/low", "").status, 200);
    assert_eq!(client.ok("GET", "/_template", "").as_object().unwrap().len(), 2);
    assert_eq!(client.call("PUT", "/_template/low?create=true", r#"{"index_patterns":"a"}"#).status, 400);
    client.ok("DELETE", "/_template/low", "");
    assert_eq!(client.call("HEAD", "/_template/low", "").status, 404);
    assert_eq!(client.call("GET", "/_template/low", "").status, 404);
    assert_eq!(
        client.call("DELETE", "/_template/low", "").error(),
        (404, "index_template_missing_exception", "index_template [low] missing")
    );
}

#[test]
fn settings_can_change_where_they_are_dynamic() {
    let node = TestNode::start();
    let mut client = node.client();
    client.ok("PUT", "/a", "");
    client.ok("PUT", "/a/_settings", r#"{"index":{"number_of_replicas":0,"refresh_interval":"-1"}}"#);
    let settings = client.ok("GET", "/a/_settings?flat_settings=true", "");
    assert_eq!(settings["a"]["settings"]["index.number_of_replicas"], "0");
    assert_eq!(client.call("PUT", "/a/_settings", r#"{"number_of_shards":2}"#).status, 400);
    assert_eq!(client.call("PUT", "/missing/_settings", r#"{"number_of_replicas":0}"#).status, 404);
    client.ok("PUT", "/_cluster/settings", r#"{"transient":{"indices.recovery.max_bytes_per_sec":"50mb"}}"#);
    assert_eq!(
        client.ok("GET", "/_cluster/settings", "")["transient"]["indices"]["recovery"]["max_bytes_per_sec"],
        "50mb"
    );
    assert_eq!(client.call("PUT", "/_cluster/settings", r#"{"transient":{"foo":1}}"#).status, 400);
}

#[test]
fn patterns_lists_and_all_name_several_indices() {
    let node = TestNode::start();
    let mut client = node.client();
    for (index, documents) in [("a1", 1), ("a2", 2), ("b", 4)] {
        for _ in 0..documents {
            client.ok("POST", &format!("/{index}/_doc?refresh=true"), "{}");
        }
    }
    for (expression, count) in [("a*", 3), ("a1,b", 5), ("_all", 7), ("*,-b", 3), ("c*", 0)] {
        assert_eq!(client.count(expression), count, "{expression}");
    }
    assert_eq!(client.ok("GET", "/_count", "")["count"], 7);
    assert_eq!(client.call("GET", "/a1,c/_count", "").status, 404);
    assert_eq!(client.ok("GET", "/a1,c/_count?ignore_unavailable=true", "")["count"], 1);
    client.ok("DELETE", "/a*", "");
    assert_eq!(client.ok("GET", "/_count", "")["count"], 4);
}

#[test]
fn health_tells_of_replicas_that_are_not_there() {
    let node = TestNode::start();
    let mut client = node.client();
    assert_eq!(client.ok("GET", "/_cluster/health", "")["status"], "green");
    client.ok("PUT", "/a", "");
    let health =
        client.ok("GET", "/_cluster/health?wait_for_status=yellow&wait_for_no_relocating_shards=true", "");
    assert_eq!(
        (&health["status"], &health["unassigned_shards"], &health["timed_out"]),
        (&json!("yellow"), &json!(1), &json!(false))
    );
    let late = client.call("GET", "/_cluster/health?wait_for_status=green&timeout=50ms", "");
    assert_eq!((late.status, &late.json["timed_out"]), (408, &json!(true)));
    // The worst of all counts.
    client.ok("PUT", "/0", r#"{"settings":{"number_of_replicas":0}}"#);
    assert_eq!(client.ok("GET", "/_cluster/health", "")["status"], "yellow");
    assert_eq!(client.ok("GET", "/_cluster/health/0", "")["status"], "green");
    client.ok("PUT", "/a/_settings", r#"{"number_of_replicas":0}"#);
    assert_eq!(client.ok("GET", "/_cluster/health/a?wait_for_status=green", "")["status"], "green");
}

#[test]
fn the_list_of_indices_is_text_or_json() {
    let node = TestNode::start();
    let mut client = node.client();
    client.ok("PUT", "/a", r#"{"settings":{"number_of_replicas":0}}"#);
    client.ok("POST", "/a/_doc?refresh=true", "{}");
    assert_eq!(client.call("GET", "/_cat/indices?h=health,index,docs.count", "").text, "green a 1\n");
    assert_eq!(
        client.call("GET", "/_cat/indices?v&h=index,docs.count", "").text,
        "index docs.count\na              1\n"
    );
    assert_eq!(
        client.ok("GET", "/_cat/indices/a?format=json&h=index,pri,rep", ""),
        json!([{"index": "a", "pri": "1", "rep": "0"}])
    );
    assert_eq!(client.call("GET", "/_cat/indices/missing", "").status, 404);
}

#[test]
fn data_outlive_the_node_where_it_is_given_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let node = TestNode::with_data(Some(folder.path().to_path_buf()));
    let mut client = node.client();
    client.ok("PUT", "/_template/t", r#"{"index_patterns":"x"}"#);
    client.ok("PUT", "/a", r#"{"settings":{"refresh_interval":"-1"}}"#);
    client.ok("PUT", "/a/_doc/1", r#"{"title":"kept words"}"#);
    client.ok("PUT", "/a/_doc/1", r#"{"title":"kept words","n":1}"#);
    drop(client);
    node.shutdown();
    let node = TestNode::with_data(Some(folder.path().to_path_buf()));
    let mut client = node.client();
    assert_eq!(client.call("HEAD", "/_template/t", "").status, 200);
    let answer = client.ok("POST", "/a/_search", r#"{"query":{"match":{"title":"words"}}}"#);
    assert_eq!(answer["hits"]["hits"][0]["_source"], json!({"title": "kept words", "n": 1}));
    let written = client.ok("PUT", "/a/_doc/1", "{}");
    assert_eq!((&written["_version"], &written["_seq_no"]), (&json!(3), &json!(2)));
    assert_eq!(client.ok("GET", "/a/_settings", "")["a"]["settings"]["index"]["refresh_interval"], "-1");
}
