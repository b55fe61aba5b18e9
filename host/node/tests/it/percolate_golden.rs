//! The node percolates as Elasticsearch 7.10.2 does: `golden/es7-percolate.json` holds stored queries, searches that
//! percolate, documents with queries good and bad, and what the genuine server answered.
//!
//! With `RALLY_ELASTICSEARCH_7=127.0.0.1:9200` the records themselves are held to a genuine server.

use crate::search_support::compare::{compare_answers, compare_errors};
use crate::support::{Client, TestNode};
use serde_json::{Value, json};

const GOLDEN: &str = include_str!("../golden/es7-percolate.json");

/// Where the node differs on purpose: what is asked, and why.
const DIFFERENCES: [(&str, &str); 4] = [
    (
        r#""tag":["red","red","blue"]"#,
        "a value that a document repeats scores higher there than one that it has once; the node keeps each once",
    ),
    (
        r#"{"exists":{"field":"query"}}"#,
        "Elasticsearch finds but those queries whose terms it could take out; the node finds all",
    ),
    (r#"{"query":{"match_all":{},"term":{}}}"#, "the node names the second query too"),
    (
        r#"{"query":{"match":{"message":"x"}},"query.x":1}"#,
        "the node has other words for a field below a field",
    ),
];

fn golden() -> Value {
    serde_json::from_str(GOLDEN).unwrap()
}

/// Makes the recorded index on a server, one refresh for each batch.
fn fill(client: &mut Client) {
    let golden = golden();
    let settings = json!({"number_of_shards": 1, "number_of_replicas": 0, "refresh_interval": "-1"});
    let body = json!({"settings": settings, "mappings": golden["mapping"]}).to_string();
    client.ok("PUT", "/alerts", &body);
    for batch in golden["batches"].as_array().unwrap() {
        let lines: Vec<String> = batch
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|each| [json!({"index": {"_id": each["id"]}}).to_string(), each["source"].to_string()])
            .collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let answer = client.bulk("/alerts/_bulk", &lines);
        assert_eq!(answer["errors"], false, "{answer}");
        client.ok("POST", "/alerts/_refresh", "");
    }
}

/// Holds a server to the records, but for what contains one of `differences`.
fn compare_all(client: &mut Client, differences: &[(&str, &str)]) {
    let golden = golden();
    let mut wrong = Vec::new();
    let differs = |name: &str| differences.iter().any(|(asked, _)| name.contains(asked));
    let (cases, documents) = (golden["cases"].as_array().unwrap(), golden["documents"].as_array().unwrap());
    for case in cases {
        let name = case["body"].to_string();
        if differs(&name) {
            continue;
        }
        let call = case["call"].as_str().unwrap();
        let answer = client.call("POST", &format!("/alerts/{call}"), &name);
        let difference = match (answer.status, case["status"].as_u64().unwrap()) {
            (200, 200) if call == "_count" => (answer.json["count"] != case["answer"]["count"])
                .then(|| format!("{} instead of {}", answer.json["count"], case["answer"]["count"])),
            (200, 200) => compare_answers(answer.json, &case["answer"]),
            (200, _) => Some(format!("answered where Elasticsearch refuses with {}", case["answer"])),
            _ => compare_errors(&answer.json, case),
        };
        wrong.extend(difference.map(|difference| format!("{call} {name}\n    {difference}")));
    }
    for case in documents {
        let source = case["source"].to_string();
        if differs(&source) {
            continue;
        }
        let answer = client.call("PUT", "/alerts/_doc/tried", &source);
        let difference = match (answer.status < 300, case["status"].as_u64().unwrap() < 300) {
            (true, true) => None,
            (true, false) => Some(format!("taken where Elasticsearch refuses with {}", case["answer"])),
            _ => compare_errors(&answer.json, case),
        };
        wrong.extend(difference.map(|difference| format!("{source}\n    {difference}")));
    }
    let all = cases.len() + documents.len();
    assert!(wrong.is_empty(), "{} of {all} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn answers_are_those_of_elasticsearch() {
    let node = TestNode::start();
    let mut client = node.client();
    fill(&mut client);
    compare_all(&mut client, &DIFFERENCES);
    drop(client);
    node.shutdown();
}

#[test]
#[ignore = "needs RALLY_ELASTICSEARCH_7"]
fn records_are_those_of_a_genuine_server() {
    let address = std::env::var("RALLY_ELASTICSEARCH_7").expect("RALLY_ELASTICSEARCH_7 names a server");
    let mut client = Client::connect(address.parse().unwrap());
    client.call("DELETE", "/alerts?ignore_unavailable=true", "");
    fill(&mut client);
    compare_all(&mut client, &[]);
    client.ok("DELETE", "/alerts", "");
}
