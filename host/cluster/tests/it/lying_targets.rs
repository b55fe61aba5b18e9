//! What a target does wrong, and what comes of it: a failure that says so, and a client that goes on.

use std::net::TcpListener;
use std::time::Duration;

use crate::support::{ONLY, Target, block_on, description, once, params, response, root, runner};
use rally_cluster::http::{Connection, Endpoint, WriteMode};
use rally_cluster::runners::BuiltinRunnerFactory;
use rally_cluster::{ClientOptions, Cluster, parse_target_hosts};
use rally_race::{Failure, FailureKind, RunnerFactory};
use serde_json::{Value, json};

const OPTIONS: &str = "timeout:10";

fn search() -> Value {
    json!({"index": "idx", "body": {"query": {"match_all": {}}}})
}

fn bulk() -> Value {
    json!({"body": "{\"index\": {\"_index\": \"i\"}}\n{\"a\":1}\n", "bulk-size": 1})
}

fn failure(outcome: rally_race::Outcome) -> Failure {
    assert_eq!(outcome.weight, 0.0);
    assert!(outcome.received >= outcome.sent);
    outcome.failure.expect("this must be a failure")
}

fn after(answer: &'static str, options: &str) -> Failure {
    failure(once("search", search(), options, move |peer, _| {
        peer.write(answer);
        false
    }))
}

#[test]
fn a_connection_closed_without_an_answer_is_a_transport_failure() {
    let failure = after("", OPTIONS);
    assert_eq!(failure.kind, FailureKind::Transport);
    assert_eq!(failure.description, "the target closed the connection without an answer");
}

#[test]
fn a_connection_closed_within_the_answer_is_a_transport_failure() {
    let failure = after("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"took\":", OPTIONS);
    assert_eq!(failure.kind, FailureKind::Transport);
    assert_eq!(failure.description, "the target closed the connection in the middle of its answer");
}

#[test]
fn a_connection_closed_within_the_head_is_a_transport_failure() {
    let failure = after("HTTP/1.1 200 OK\r\ncontent-le", OPTIONS);
    assert_eq!(failure.kind, FailureKind::Transport);
}

#[test]
fn chunks_that_end_too_early_are_a_transport_failure() {
    let failure = after("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n8\r\n{\"took\":\r\n", OPTIONS);
    assert_eq!(failure.kind, FailureKind::Transport);
    assert_eq!(failure.description, "the target closed the connection in the middle of its answer");
}

#[test]
fn a_content_length_that_is_too_short_cuts_the_json_off() {
    let failure = after("HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n{\"took\":1,\"hits\":{}}", OPTIONS);
    assert_eq!((failure.kind, failure.status), (FailureKind::Transport, Some(200)));
    assert!(failure.description.contains("cut off"), "{}", failure.description);
}

#[test]
fn bytes_after_an_answer_do_not_end_up_in_the_next_one() {
    let target = Target::version("7.10.2", |peer, _| {
        peer.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{\"took\":1}HTTP/1.1 500 Oops\r\n\r\n")
    });
    block_on(async {
        let cluster = target.cluster().await;
        let mut runner = runner("search", &cluster).await;
        for _ in 0..3 {
            let outcome = runner.run(&params(search())).await.unwrap();
            assert_eq!(description(&outcome), "");
        }
    });
    assert_eq!(target.requests().len(), 3, "no request is lost, none sent twice");
}

#[test]
fn too_many_requests_and_server_errors_are_answered_failures() {
    for (status, code) in
        [("429 Too Many Requests", 429), ("500 Internal Server Error", 500), ("503 Service Unavailable", 503)]
    {
        let failure = failure(once("index", bulk(), OPTIONS, move |peer, _| {
            peer.answer(
                status,
                r#"{"error":{"type":"es_rejected_execution_exception","reason":"full"},"status":429}"#,
            )
        }));
        assert_eq!((failure.kind, failure.status), (FailureKind::Answered, Some(code)));
        assert_eq!(failure.description, "es_rejected_execution_exception: full");
    }
}

#[test]
fn html_with_a_bad_status_is_an_answered_failure() {
    let failure = after("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 15\r\n\r\n<html>no</html>", OPTIONS);
    assert_eq!((failure.kind, failure.status), (FailureKind::Answered, Some(502)));
    assert!(failure.description.contains("HTML"), "{}", failure.description);
}

#[test]
fn html_with_a_good_status_is_no_success() {
    for (operation, values) in [("search", search()), ("index", bulk()), ("index-stats", json!({}))] {
        let failure =
            failure(once(operation, values, OPTIONS, |peer, _| peer.answer("200 OK", "<html>login</html>")));
        assert_eq!((failure.kind, failure.status), (FailureKind::Transport, Some(200)));
        assert!(failure.description.contains("HTML"), "{}", failure.description);
    }
}

#[test]
fn an_endless_body_is_given_up_at_the_limit_and_its_connection_dropped() {
    let target = Target::version("7.10.2", |peer, request| {
        if request.call().starts_with("POST /endless") {
            peer.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
            while peer.write(format!("1000\r\n{}\r\n", "{".repeat(4096))) {}
            return false;
        }
        peer.answer("200 OK", "{}")
    });
    block_on(async {
        let cluster = target.cluster_with("timeout:30,max_response_size:1000000").await;
        let mut runner = runner("search", &cluster).await;
        let failure = failure(runner.run(&params(json!({"index": "endless", "body": {}}))).await.unwrap());
        assert_eq!(failure.kind, FailureKind::Transport);
        assert!(failure.description.contains("longer than 1000000 bytes"), "{}", failure.description);
        let outcome = runner.run(&params(search())).await.unwrap();
        assert_eq!(description(&outcome), "");
    });
}

#[test]
fn an_endless_head_is_given_up() {
    let failure = failure(once("search", search(), OPTIONS, |peer, _| {
        peer.write("HTTP/1.1 200 OK\r\n");
        let mut number = 0;
        while peer.write(format!("x-{number}: {}\r\n", "y".repeat(4000))) {
            number += 1;
        }
        false
    }));
    assert_eq!(failure.kind, FailureKind::Transport);
    assert_eq!(failure.description, "the head of the answer is too large");
}

#[test]
fn a_target_that_does_not_answer_in_time_is_a_transport_failure() {
    let failure = failure(once("search", search(), "timeout:0.2", |peer, _| {
        peer.read();
        false
    }));
    assert_eq!(failure.kind, FailureKind::Transport);
    assert!(failure.description.contains("within 0.2 s"), "{}", failure.description);
}

#[test]
fn a_body_that_drips_is_given_up_in_time() {
    let failure = failure(once("search", search(), "timeout:0.3", |peer, _| {
        peer.write("HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n{");
        while peer.write(" ") {
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }));
    assert!(failure.description.contains("no whole answer"), "{}", failure.description);
}

#[test]
fn the_limit_counts_from_each_request_anew() {
    let target = Target::version("7.10.2", |peer, _| {
        std::thread::sleep(Duration::from_millis(250));
        peer.answer("200 OK", "{}")
    });
    block_on(async {
        let cluster = target.cluster_with("timeout:0.8").await;
        let mut runner = runner("search", &cluster).await;
        // Together longer than the limit, and with a pause that is longer than it.
        for pause in [0, 0, 0, 0, 900, 0] {
            tokio::time::sleep(Duration::from_millis(pause)).await;
            let outcome = runner.run(&params(search())).await.unwrap();
            assert_eq!(description(&outcome), "");
        }
    });
    assert_eq!(target.connections(), 2);
}

#[test]
fn a_request_that_is_given_up_takes_its_connection_along() {
    let target = Target::version("7.10.2", |peer, request| {
        if request.call().starts_with("POST /slow") {
            std::thread::sleep(Duration::from_millis(200));
            return peer.answer("200 OK", "{\"this\": \"belongs to the request that was given up\"");
        }
        peer.answer("200 OK", "{}")
    });
    block_on(async {
        let cluster = target.cluster().await;
        let mut runner = runner("search", &cluster).await;
        let slow = params(json!({"index": "slow", "body": {}}));
        let cancelled = tokio::time::timeout(Duration::from_millis(50), runner.run(&slow)).await;
        assert!(cancelled.is_err());
        let outcome = runner.run(&params(search())).await.unwrap();
        assert_eq!(description(&outcome), "");
    });
    assert_eq!(target.connections(), 3);
}

/// A bulk of 3 documents of which 1 is rejected did 3 by Rally's count, 2 of them with success; one that is refused as a whole
/// did none. Both are measured in documents.
#[test]
fn a_bulk_says_how_many_of_its_documents_failed_and_why() {
    let three = || json!({"index": "test", "body": "{\"index\":{}}\n{}\n".repeat(3), "bulk-size": 3});
    let rejected = r#"{"took":1,"errors":true,"items":[{"index":{"status":201}},
        {"index":{"status":400,"error":{"type":"mapper_parsing_exception","reason":"failed to parse field [a]",
        "caused_by":{"type":"illegal_argument_exception","reason":"no number"}}}},{"index":{"status":201}}]}"#;
    let outcome = once("index", three(), OPTIONS, move |peer, _| peer.answer("200 OK", rejected));
    assert_eq!((outcome.weight, outcome.failed_work, outcome.unit.as_str()), (3.0, Some(1.0), "docs"));
    assert_eq!(
        outcome.example.unwrap(),
        "mapper_parsing_exception: failed to parse field [a]; caused by illegal_argument_exception: no number"
    );

    let refused = r#"{"error":{"type":"parse_exception","reason":"request body is required"},"status":400}"#;
    let outcome = once("index", three(), OPTIONS, move |peer, _| peer.answer("400 Bad Request", refused));
    assert_eq!((outcome.weight, outcome.failed_work, outcome.unit.as_str()), (0.0, Some(3.0), "docs"));
    assert_eq!(outcome.example.unwrap(), "parse_exception: request body is required");
}

#[test]
fn a_slow_answer_is_still_an_answer() {
    let outcome = once("search", search(), OPTIONS, |peer, _| {
        for piece in ["HTTP/1.1 20", "0 OK\r\ncontent-len", "gth: 10\r\n", "\r\n{\"to", "ok\":1", "}"] {
            peer.write(piece);
            std::thread::sleep(Duration::from_millis(15));
        }
        true
    });
    assert_eq!(description(&outcome), "");
    assert!(
        outcome.received - outcome.sent >= Duration::from_millis(70),
        "all pauses are within the service time"
    );
}

#[test]
fn chunked_answers_are_read_to_the_end() {
    let outcome = once("index", bulk(), OPTIONS, |peer, _| {
        peer.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
        for piece in ["{\"took\":1,", "\"errors\":", "false,\"items\"", ":[]}"] {
            peer.write(format!("{:x}\r\n{piece}\r\n", piece.len()));
        }
        peer.write("0\r\n\r\n")
    });
    assert_eq!((description(&outcome).as_str(), outcome.weight, outcome.unit.as_str()), ("", 1.0, "docs"));
}

#[test]
fn an_answer_that_ends_with_its_connection_is_read_to_the_end() {
    let outcome = once("search", search(), OPTIONS, |peer, _| {
        peer.write("HTTP/1.1 200 OK\r\n\r\n{\"took\":1}");
        false
    });
    assert_eq!(description(&outcome), "");
}

#[test]
fn a_target_that_closes_after_each_answer_costs_connections_but_no_request() {
    for announced in [true, false] {
        let target = Target::version("7.10.2", move |peer, _| {
            let head = if announced { "connection: close\r\n" } else { "" };
            peer.write(format!("HTTP/1.1 200 OK\r\n{head}content-length: 2\r\n\r\n{{}}"));
            false
        });
        block_on(async {
            let cluster = target.cluster().await;
            let mut runner = runner("search", &cluster).await;
            for _ in 0..5 {
                let outcome = runner.run(&params(search())).await.unwrap();
                assert_eq!(description(&outcome), "", "announced: {announced}");
                // Without an announcement the end of the connection needs a moment to arrive.
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        assert_eq!(target.requests().len(), 5);
        assert_eq!(target.connections(), 1 + 5);
    }
}

#[test]
fn a_bulk_that_was_written_is_never_sent_again() {
    let target = Target::version("7.10.2", |_, _| false);
    block_on(async {
        let cluster = target.cluster().await;
        let mut runner = runner("index", &cluster).await;
        for _ in 0..3 {
            assert_eq!(failure(runner.run(&params(bulk())).await.unwrap()).kind, FailureKind::Transport);
        }
    });
    assert_eq!(target.requests().len(), 3);
}

#[test]
fn a_reset_is_a_transport_failure() {
    let target = Target::scripted(|_, mut peer| {
        let request = peer.read();
        if request.is_some_and(|request| request.call() == "GET /") {
            peer.answer("200 OK", &crate::support::root("7.10.2"));
            peer.read();
        } else {
            peer.write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{");
            peer.reset();
        }
    });
    block_on(async {
        let cluster = target.cluster().await;
        let mut runner = runner("search", &cluster).await;
        let failure = failure(runner.run(&params(search())).await.unwrap());
        assert_eq!(failure.kind, FailureKind::Transport);
        assert!(failure.description.contains("connection"), "{}", failure.description);
    });
}

#[test]
fn what_is_not_http_is_named() {
    let failure = after("SSH-2.0-OpenSSH_9.6\r\n", OPTIONS);
    assert_eq!(failure.kind, FailureKind::Transport);
    assert!(failure.description.contains("does not answer in HTTP"), "{}", failure.description);
}

#[test]
fn a_redirect_is_not_followed() {
    let failure =
        after("HTTP/1.1 301 Moved\r\nlocation: https://elsewhere/\r\ncontent-length: 0\r\n\r\n", OPTIONS);
    assert_eq!((failure.kind, failure.status), (FailureKind::Answered, Some(301)));
    assert_eq!(failure.description, "redirected to https://elsewhere/, which is not followed");
}

#[test]
fn a_target_that_is_gone_refuses() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (leave, told_to_leave) = std::sync::mpsc::channel::<()>();
    let serving = std::thread::spawn(move || {
        // The identification, then the client's connection, then nobody listens any more.
        let mut connections = Vec::new();
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().unwrap();
            if connections.is_empty() {
                use std::io::{Read as _, Write as _};
                let _ = stream.read(&mut [0; 1024]).unwrap();
                stream.write_all(response("200 OK", &crate::support::root("7.10.2")).as_bytes()).unwrap();
            }
            connections.push(stream);
        }
        drop(listener);
        told_to_leave.recv().unwrap();
    });
    block_on(async {
        let hosts = parse_target_hosts(&address.to_string()).unwrap();
        let cluster = std::sync::Arc::new(Cluster::connect(&hosts, &ClientOptions::default()).await.unwrap());
        let mut runner = runner("search", &cluster).await;
        leave.send(()).unwrap();
        serving.join().unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
        let failure = failure(runner.run(&params(search())).await.unwrap());
        assert_eq!(failure.kind, FailureKind::Refused);
        assert_eq!(failure.description, format!("connection refused by {address}"));
        let search = rally_track::Dialect::Rally2017.performed_type("search").unwrap();
        let opened = BuiltinRunnerFactory::new(search, cluster).open(ONLY).await;
        assert!(opened.err().unwrap().to_string().contains("connection refused"));
    });
}

#[test]
fn an_unreachable_target_is_named_before_the_race() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let hosts = parse_target_hosts(&format!("127.0.0.1:{port}")).unwrap();
    let error = block_on(Cluster::connect(&hosts, &ClientOptions::default())).unwrap_err().to_string();
    assert_eq!(
        error,
        format!("cannot reach the target at 127.0.0.1:{port}: GET /: connection refused by 127.0.0.1:{port}")
    );
}

#[test]
fn what_is_no_cluster_is_named_before_the_race() {
    for (status, body, expected) in [
        ("200 OK", "<html></html>", "is not JSON"),
        ("200 OK", "{\"hello\":1}", "no version number"),
        ("404 Not Found", "<html></html>", "404"),
        ("401 Unauthorized", "{}", "basic_auth_user"),
    ] {
        let target = Target::answering(move |_| (status.to_owned(), body.to_owned()));
        let hosts = parse_target_hosts(&target.address.to_string()).unwrap();
        let error = block_on(Cluster::connect(&hosts, &ClientOptions::default())).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn a_host_that_is_down_is_named_also_where_others_answer() {
    let up = Target::answering(|_| ("200 OK".to_owned(), root("7.10.2")));
    let down = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for hosts in [format!("{},{down}", up.address), format!("{down},{}", up.address)] {
        let hosts = parse_target_hosts(&hosts).unwrap();
        let error = block_on(Cluster::connect(&hosts, &ClientOptions::default())).unwrap_err().to_string();
        assert!(error.contains(&format!("cannot reach the target at {down}")), "{error}");
    }
}

#[test]
fn a_client_waits_for_a_host_that_is_down_when_its_task_begins_where_the_user_asks_for_it() {
    let up = Target::answering(|_| ("200 OK".to_owned(), root("7.10.2")));
    let restarting = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    block_on(async {
        let hosts = parse_target_hosts(&up.address.to_string()).unwrap();
        let cluster =
            Cluster::connect(&hosts, &ClientOptions::default()).await.unwrap().waiting_for_hosts(true);
        let endpoint =
            Endpoint::all(&parse_target_hosts(&restarting.to_string()).unwrap(), &ClientOptions::default())
                .unwrap()
                .remove(0);
        let mut connection = Connection::new(endpoint, WriteMode::Flatten);
        let back = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(100));
            let listener = TcpListener::bind(restarting).unwrap();
            listener.accept().map(drop)
        });
        cluster.make_ready(&mut connection).await.unwrap();
        assert!(back.join().unwrap().is_ok(), "the client connected once its host was back");
    });
}
