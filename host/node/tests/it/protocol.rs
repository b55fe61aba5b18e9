//! HTTP, errors of the protocol, starting and stopping, statistics.

use crate::support::{Client, TestNode};
use rally_node::{Node, NodeConfig, StartError};
use serde_json::{Value, json};

#[test]
fn the_root_says_what_it_is() {
    let node = TestNode::start();
    let mut client = node.client();
    let root = client.ok("GET", "/", "");
    assert_eq!(
        (&root["version"]["number"], &root["version"]["build_flavor"]),
        (&json!("7.10.2"), &json!("rally-embedded"))
    );
    assert!(root["tagline"].as_str().unwrap().contains("not Elasticsearch"));
    assert_eq!(client.call("HEAD", "/", "").status, 200);
}

#[test]
fn unknown_paths_methods_and_parameters_are_refused() {
    let node = TestNode::start();
    let mut client = node.client();
    let unknown = client.call("GET", "/_foo/bar?x=1", "");
    assert_eq!(
        (unknown.status, unknown.json),
        (400, json!({"error": "no handler found for uri [/_foo/bar?x=1] and method [GET]"}))
    );
    let method = client.call("DELETE", "/_bulk", "");
    assert_eq!(
        (method.status, method.json),
        (
            405,
            json!({"error": "Incorrect HTTP method for uri [/_bulk] and method [DELETE], allowed: [PUT, POST]", "status": 405})
        )
    );
    let parameter = client.call("GET", "/_stats?foo=1&bar=2", "");
    assert_eq!(
        parameter.error(),
        (
            400,
            "illegal_argument_exception",
            "request [/_stats] contains unrecognized parameters: [bar], [foo]"
        )
    );
    assert_eq!(client.call("GET", "/_search?foo=1", "").status, 400);
    assert_eq!(client.call("POST", "/_bulk?routing=x", "{}\n").status, 400);
    // The connection outlives a request whose body nobody wanted.
    assert_eq!(client.call("POST", "/_bulk?foo=x", &"x".repeat(1 << 20)).status, 400);
    assert_eq!(client.call("GET", "/?pretty=%zz", "").status, 400);
    assert_eq!(
        client.call("GET", "/missing/_search", "").error(),
        (404, "index_not_found_exception", "no such index [missing]")
    );
}

#[test]
fn answers_are_shaped_by_pretty_and_filter_path() {
    let node = TestNode::start();
    let mut client = node.client();
    assert_eq!(
        client.call("GET", "/?filter_path=version.number", "").text,
        r#"{"version":{"number":"7.10.2"}}"#
    );
    let pretty = client.call("GET", "/?pretty&filter_path=version.number", "").text;
    assert_eq!(pretty, "{\n  \"version\": {\n    \"number\": \"7.10.2\"\n  }\n}\n");
    let answer = client.bulk("/a/_bulk?filter_path=errors,items.*.status", &[r#"{"index":{}}"#, "{}"]);
    assert_eq!(answer, json!({"errors": false, "items": [{"index": {"status": 201}}]}));
}

#[test]
fn bodies_over_the_limit_are_refused_before_they_are_read() {
    let node = TestNode::start();
    let mut client = node.client();
    client.raw(b"POST /_bulk HTTP/1.1\r\nhost: node\r\ncontent-length: 104857601\r\n\r\n");
    assert_eq!(client.answer(false).status, 413);
}

#[test]
fn chunked_bodies_are_read() {
    let node = TestNode::start();
    let mut client = node.client();
    client.raw(b"PUT /a/_doc/1 HTTP/1.1\r\nhost: node\r\ntransfer-encoding: chunked\r\n\r\n3\r\n{\"a\r\n4\r\n\":1}\r\n0\r\n\r\n");
    assert_eq!(client.answer(false).status, 201);
    assert_eq!(client.ok("GET", "/a/_source/1", ""), json!({"a": 1}));
}

#[test]
fn compressed_bodies_are_refused() {
    let node = TestNode::start();
    let mut client = node.client();
    client.raw(
        b"PUT /a/_doc/1 HTTP/1.1\r\nhost: node\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n{}",
    );
    assert_eq!(client.answer(false).status, 415);
}

#[tokio::test]
async fn a_port_in_use_is_an_error_that_says_so() {
    let holder = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = holder.local_addr().unwrap();
    let Err(error) = Node::start(NodeConfig { listen, data_dir: None }).await else {
        panic!("the port was free")
    };
    assert!(matches!(error, StartError::PortInUse { address, .. } if address == listen));
    assert!(error.to_string().contains(&listen.port().to_string()));
}

#[tokio::test]
async fn a_data_folder_in_use_is_an_error_that_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let config = NodeConfig { data_dir: Some(folder.path().to_path_buf()), ..NodeConfig::default() };
    let node = Node::start(config.clone()).await.unwrap();
    assert!(matches!(Node::start(config.clone()).await, Err(StartError::DataInUse { .. })));
    node.shutdown().await.unwrap();
    Node::start(config).await.unwrap().shutdown().await.unwrap();
}

#[test]
fn statistics_are_what_was_sent() {
    let node = TestNode::start();
    let mut client = node.client();
    client.ok("PUT", "/a", r#"{"settings":{"refresh_interval":"-1","number_of_replicas":0},"mappings":{"properties":{"n":{"type":"long"}}}}"#);
    for bulk in 0..3 {
        let lines: Vec<String> = (0..10)
            .flat_map(|n| [format!("{{\"index\":{{\"_id\":\"{bulk}-{n}\"}}}}"), format!("{{\"n\":{n}}}")])
            .collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        client.bulk("/a/_bulk", &lines);
        client.ok("POST", "/a/_refresh", "");
    }
    client.bulk(
        "/a/_bulk",
        &[
            r#"{"delete":{"_id":"0-1"}}"#,
            r#"{"delete":{"_id":"nothing"}}"#,
            r#"{"index":{}}"#,
            r#"{"n":"x"}"#,
            r#"{"update":{"_id":"0-2"}}"#,
            r#"{"doc":{"n":2}}"#,
        ],
    );
    client.ok("POST", "/a/_flush", "");
    client.ok("GET", "/a/_doc/0-0", "");
    client.call("GET", "/a/_doc/none", "");
    for _ in 0..4 {
        client.ok("POST", "/a/_search", "{}");
    }
    client.ok("POST", "/a/_search", r#"{"query":{"match_none":{}}}"#);
    client.ok("GET", "/a/_count", "");
    let stats = client.ok("GET", "/a/_stats?level=shards", "");
    let primaries = &stats["indices"]["a"]["primaries"];
    for (pointer, expected) in [
        ("/docs/count", 29),
        ("/docs/deleted", 1),
        ("/indexing/index_total", 30),
        ("/indexing/delete_total", 2),
        ("/indexing/index_failed", 1),
        ("/indexing/noop_update_total", 1),
        ("/refresh/total", 3),
        ("/flush/total", 1),
        ("/get/exists_total", 2),
        ("/get/missing_total", 1),
        ("/get/total", 3),
        ("/search/query_total", 6),
        ("/search/fetch_total", 6),
        ("/search/open_contexts", 0),
        ("/merges/total", 0),
        ("/translog/operations", 0),
    ] {
        assert_eq!(primaries.pointer(pointer), Some(&json!(expected)), "{pointer}");
    }
    let segments = primaries["segments"]["count"].as_u64().unwrap();
    assert!(segments >= 3, "{segments}");
    assert!(primaries["store"]["size_in_bytes"].as_u64().unwrap() > 1000);
    assert_eq!(stats["_shards"], json!({"total": 1, "successful": 1, "failed": 0}));
    assert_eq!(stats["indices"]["a"]["shards"]["0"][0]["docs"]["count"], 29);
    assert_eq!(stats["_all"]["total"], stats["indices"]["a"]["total"]);

    client.ok("POST", "/a/_forcemerge?max_num_segments=1", "");
    let merged = client.ok("GET", "/_stats/segments,merge,docs", "");
    let total = &merged["_all"]["total"];
    assert_eq!(
        (&total["segments"]["count"], &total["docs"]),
        (&json!(1), &json!({"count": 29, "deleted": 0}))
    );
    assert_eq!((&total["merges"]["total"], &total["merges"]["total_docs"]), (&json!(1), &json!(29)));
    assert_eq!(total.as_object().unwrap().len(), 3);
    assert_eq!(client.call("GET", "/_stats/foo", "").status, 400);
}

/// The figures are those of Elasticsearch 7.10.2 after the same calls.
#[test]
fn each_page_of_a_scroll_is_a_query_and_a_fetch_and_a_closed_scroll_is_counted() {
    let node = TestNode::start();
    let mut client = node.client();
    let documents: Vec<String> =
        (0..30).flat_map(|n| [r#"{"index":{}}"#.to_owned(), format!("{{\"n\":{n}}}")]).collect();
    let documents: Vec<&str> = documents.iter().map(String::as_str).collect();
    client.bulk("/a/_bulk?refresh=true", &documents);
    let counted = |client: &mut Client| {
        let search = client.ok("GET", "/a/_stats/search", "")["_all"]["total"]["search"].clone();
        ["query_total", "fetch_total", "scroll_total", "scroll_current", "open_contexts"]
            .map(|key| search[key].as_u64().unwrap())
    };
    let first = client.ok("POST", "/a/_search?scroll=1m", r#"{"size":10}"#);
    assert_eq!(counted(&mut client), [1, 1, 0, 1, 1]);
    let id = first["_scroll_id"].as_str().unwrap();
    for page in 2..=4 {
        client.ok("POST", "/_search/scroll", &json!({ "scroll_id": id, "scroll": "1m" }).to_string());
        assert_eq!(counted(&mut client), [page, page, 0, 1, 1]);
    }
    client.ok("DELETE", "/_search/scroll", &json!({ "scroll_id": id }).to_string());
    assert_eq!(counted(&mut client), [4, 4, 1, 0, 0]);
}

#[test]
fn of_several_indices_only_those_with_hits_in_the_page_are_fetched_from() {
    let node = TestNode::start();
    let mut client = node.client();
    client.ok("PUT", "/a/_doc/1?refresh=true", r#"{"n":1}"#);
    client.ok("PUT", "/b/_doc/1?refresh=true", r#"{"n":2}"#);
    client.ok("POST", "/a,b/_search", r#"{"query":{"term":{"n":2}}}"#);
    let stats = client.ok("GET", "/a,b/_stats/search", "");
    let counted = |index: &str, key: &str| stats["indices"][index]["total"]["search"][key].as_u64().unwrap();
    assert_eq!((counted("a", "query_total"), counted("b", "query_total")), (1, 1));
    assert_eq!((counted("a", "fetch_total"), counted("b", "fetch_total")), (0, 1));
}

#[test]
fn node_statistics_are_those_of_the_process() {
    let node = TestNode::start();
    let mut client = node.client();
    client.ok("PUT", "/a/_doc/1?refresh=true", "{}");
    let body = client.ok("GET", "/_nodes/stats", "");
    assert_eq!(body["_nodes"], json!({"total": 1, "successful": 1, "failed": 0}));
    let stats = body["nodes"].as_object().unwrap().values().next().unwrap();
    assert!(stats["process"]["mem"]["resident_in_bytes"].as_u64().unwrap() > 1 << 20);
    assert_eq!(stats["jvm"]["gc"]["collectors"]["old"]["collection_count"], 0);
    assert_eq!(stats["indices"]["docs"]["count"], 1);
    assert!(stats["thread_pool"]["write"]["completed"].as_u64().unwrap() >= 1);
    assert!(stats["http"]["current_open"].as_u64().unwrap() >= 1);
    let some = client.ok("GET", "/_nodes/stats/process", "");
    let stats: &Value = some["nodes"].as_object().unwrap().values().next().unwrap();
    assert!(stats["process"].is_object() && stats["indices"].is_null());
    let info = client.ok("GET", "/_nodes", "");
    assert_eq!(info["nodes"].as_object().unwrap().values().next().unwrap()["version"], "7.10.2");
}

#[test]
fn scrolls_give_every_document_once_and_end() {
    let node = TestNode::start();
    let mut client = node.client();
    let lines: Vec<String> =
        (0..95).flat_map(|n| [format!("{{\"index\":{{\"_id\":\"{n}\"}}}}"), "{}".to_string()]).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    client.bulk("/a/_bulk?refresh=true", &lines);
    let mut page = client.ok("POST", "/a/_search?scroll=1m&size=10", r#"{"query":{"match_all":{}}}"#);
    let id = page["_scroll_id"].as_str().unwrap().to_string();
    // What is written meanwhile is not seen.
    client.ok("PUT", "/a/_doc/late?refresh=true", "{}");
    let mut seen = Vec::new();
    let mut pages = 0;
    while !page["hits"]["hits"].as_array().unwrap().is_empty() {
        pages += 1;
        assert_eq!(page["hits"]["total"]["value"], 95);
        seen.extend(
            page["hits"]["hits"]
                .as_array()
                .unwrap()
                .iter()
                .map(|hit| hit["_id"].as_str().unwrap().to_string()),
        );
        page = client.ok("POST", "/_search/scroll", &json!({"scroll": "1m", "scroll_id": id}).to_string());
    }
    assert_eq!(pages, 10);
    assert_eq!(client.ok("GET", "/a/_stats/search", "")["_all"]["total"]["search"]["open_contexts"], 1);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 95);
    let closed = client.ok("DELETE", "/_search/scroll", &json!({"scroll_id": [id]}).to_string());
    assert_eq!(closed, json!({"succeeded": true, "num_freed": 1}));
    let gone = client.call("POST", "/_search/scroll", &json!({"scroll_id": id}).to_string());
    assert_eq!(
        (gone.status, &gone.json["error"]["root_cause"][0]["type"]),
        (404, &json!("search_context_missing_exception"))
    );
    assert_eq!(client.call("DELETE", "/_search/scroll", &json!({"scroll_id": [id]}).to_string()).status, 404);
}

#[test]
fn force_merge_drops_deleted_documents_and_checks_its_parameters() {
    let node = TestNode::start();
    let mut client = node.client();
    client.ok("PUT", "/a", r#"{"settings":{"refresh_interval":"-1"}}"#);
    for number in 0..6 {
        client.ok("PUT", &format!("/a/_doc/{number}?refresh=true"), "{}");
    }
    client.ok("DELETE", "/a/_doc/3?refresh=true", "");
    client.ok("POST", "/a/_forcemerge?max_num_segments=2", "");
    let segments = |client: &mut crate::support::Client| {
        client.ok("GET", "/a/_stats/segments", "")["_all"]["total"]["segments"]["count"].as_u64()
    };
    assert!(segments(&mut client) <= Some(2));
    client.ok("POST", "/a/_forcemerge?max_num_segments=1", "");
    assert_eq!(segments(&mut client), Some(1));
    client.ok("DELETE", "/a/_doc/4?refresh=true", "");
    client.ok("POST", "/a/_forcemerge?only_expunge_deletes=true", "");
    let docs = client.ok("GET", "/a/_stats/docs", "");
    assert_eq!(docs["_all"]["total"]["docs"], json!({"count": 4, "deleted": 0}));
    for wrong in ["max_num_segments=0", "max_num_segments=x", "only_expunge_deletes=true&max_num_segments=1"]
    {
        assert_eq!(client.call("POST", &format!("/a/_forcemerge?{wrong}"), "").status, 400, "{wrong}");
    }
}
