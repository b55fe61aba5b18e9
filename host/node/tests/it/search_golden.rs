//! The node answers as Elasticsearch 7.10.2 does: `golden/es7-answers.json` holds documents, searches, and what the
//! genuine server answered.
//!
//! With `RALLY_ELASTICSEARCH_7=127.0.0.1:9200` the records themselves are held to a genuine server.

use crate::search_support::compare::{compare_answers, compare_errors};
use crate::search_support::{TestIndex, search};
use crate::support::{Client, TestNode};
use rally_node::shard::ShardView;
use serde_json::{Value, json};
use std::collections::HashMap;

const GOLDEN: &str = include_str!("../golden/es7-answers.json");

/// Where the node differs on purpose: what is searched, and why.
const DIFFERENCES: [(&str, &str); 1] = [(
    r#"{"sort":[{"extra":"asc"}],"size":3}"#,
    "one of two indices lacks the field: Elasticsearch answers with the hits of the other and a note in `_shards`, which a \
     benchmark would take for success; the node refuses",
)];

/// Goes through all cases; `answer` gives status and body for indices, parameters and body of a search.
fn compare_all(mut answer: impl FnMut(&str, &str, &Value) -> (u64, Value), differences: &[(&str, &str)]) {
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    let cases = golden["cases"].as_array().unwrap();
    let mut wrong = Vec::new();
    for case in cases {
        let parameters = case["parameters"].as_str().unwrap();
        let name = format!("{parameters} {}", case["body"]);
        if differences.iter().any(|(searched, _)| name.contains(searched)) {
            continue;
        }
        let (status, body) = answer(case["indices"].as_str().unwrap(), parameters, &case["body"]);
        let difference = match (status, case["status"].as_u64().unwrap()) {
            (200, 200) => compare_answers(body, &case["answer"]),
            (200, _) => Some(format!("answered where Elasticsearch refuses with {}", case["answer"])),
            _ => compare_errors(&body, case),
        };
        if let Some(difference) = difference {
            wrong.push(format!("{name}\n    {difference}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// Calls `add` with name, mapping and batches of each index.
fn each_index(mut add: impl FnMut(&str, &Value, &[Value])) {
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    for (name, index) in golden["indices"].as_object().unwrap() {
        add(name, &index["mapping"], index["batches"].as_array().unwrap());
    }
}

/// Makes the recorded indices on a server, one refresh for each batch.
fn fill(client: &mut Client) {
    each_index(|name, mapping, batches| {
        let settings = json!({"number_of_shards": 1, "number_of_replicas": 0, "refresh_interval": "-1"});
        let body = json!({"settings": settings, "mappings": mapping}).to_string();
        client.ok("PUT", &format!("/{name}"), &body);
        for batch in batches {
            let lines: Vec<String> = batch
                .as_array()
                .unwrap()
                .iter()
                .flat_map(|document| {
                    [json!({"index": {"_id": document["id"].to_string()}}).to_string(), document.to_string()]
                })
                .collect();
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            let answer = client.bulk(&format!("/{name}/_bulk"), &lines);
            assert_eq!(answer["errors"], false, "{answer}");
            client.ok("POST", &format!("/{name}/_refresh"), "");
        }
    });
}

fn ask(client: &mut Client, indices: &str, parameters: &str, body: &Value) -> (u64, Value) {
    let answer = client.call("POST", &format!("/{indices}/_search?{parameters}"), &body.to_string());
    (u64::from(answer.status), answer.json)
}

#[test]
fn answers_are_those_of_elasticsearch() {
    let mut indices = HashMap::new();
    each_index(|name, mapping, batches| {
        let index = TestIndex::new(name, mapping);
        for batch in batches {
            index.add(batch.as_array().unwrap(), |document| document["id"].to_string());
        }
        indices.insert(name.to_string(), index);
    });
    compare_all(
        |names, parameters, body| {
            let views: Vec<ShardView> = names.split(',').map(|name| indices[name].view()).collect();
            match search(&views, body, parameters) {
                Ok(answer) => (200, answer),
                Err(error) => (u64::from(error.status), error.to_body()),
            }
        },
        &DIFFERENCES,
    );
}

#[test]
fn answers_over_http_are_those_of_elasticsearch() {
    let node = TestNode::start();
    let mut client = node.client();
    fill(&mut client);
    compare_all(|indices, parameters, body| ask(&mut client, indices, parameters, body), &DIFFERENCES);
    drop(client);
    node.shutdown();
}

#[test]
#[ignore = "needs RALLY_ELASTICSEARCH_7"]
fn records_are_those_of_a_genuine_server() {
    let address = std::env::var("RALLY_ELASTICSEARCH_7").expect("RALLY_ELASTICSEARCH_7 names a server");
    let mut client = Client::connect(address.parse().unwrap());
    client.call("DELETE", "/places,more?ignore_unavailable=true", "");
    fill(&mut client);
    compare_all(|indices, parameters, body| ask(&mut client, indices, parameters, body), &[]);
    client.ok("DELETE", "/places,more", "");
}
