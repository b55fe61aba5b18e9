//! Performs operations against scripted targets.

use rally_race::Outcome;
use rally_track::Dialect;
use serde_json::Value;

use crate::support::{Received, Target, block_on, description, params, runner_of};

pub const ACKNOWLEDGED: &str = r#"{"acknowledged": true}"#;

/// Performs an operation once against a target of this version that answers by `answer` (status line and body).
pub fn perform_on(
    version: &'static str,
    operation: &str,
    values: Value,
    answer: impl Fn(&Received) -> (&'static str, String) + Send + Sync + 'static,
) -> (Outcome, Vec<(String, String)>) {
    let target = Target::version(version, move |peer, request| {
        let (status, body) = answer(&request);
        let body = if request.line.starts_with("HEAD") { String::new() } else { body };
        peer.answer(status, &body)
    });
    let outcome = block_on(async {
        let cluster = target.cluster().await;
        let mut runner = runner_of(Dialect::Current, operation, &cluster).await;
        runner.run(&params(values)).await.unwrap()
    });
    let sent = target.requests().iter().map(|request| (request.call().to_owned(), request.text())).collect();
    (outcome, sent)
}

pub fn perform(
    operation: &str,
    values: Value,
    answer: impl Fn(&Received) -> (&'static str, String) + Send + Sync + 'static,
) -> (Outcome, Vec<(String, String)>) {
    perform_on("8.19.0", operation, values, answer)
}

pub fn acknowledging(_: &Received) -> (&'static str, String) {
    ("200 OK", ACKNOWLEDGED.to_owned())
}

/// What an operation sends to a target that agrees to everything.
pub fn sent(operation: &str, values: Value) -> Vec<(String, Value)> {
    let (outcome, sent) = perform(operation, values, acknowledging);
    assert_eq!(description(&outcome), "");
    let body = |text: &str| if text.is_empty() { Value::Null } else { serde_json::from_str(text).unwrap() };
    sent.into_iter().map(|(call, text)| (call, body(&text))).collect()
}

pub fn calls(operation: &str, values: Value) -> Vec<String> {
    sent(operation, values).into_iter().map(|(call, _)| call).collect()
}

/// The error of parameters that no request can be made of; nothing is sent.
pub fn refused(operation: &str, values: Value) -> String {
    let target = Target::version("8.19.0", |peer, _| peer.answer("200 OK", ACKNOWLEDGED));
    let error = block_on(async {
        let cluster = target.cluster().await;
        runner_of(Dialect::Current, operation, &cluster).await.run(&params(values)).await.unwrap_err()
    });
    assert_eq!(target.requests().len(), 0, "{operation}");
    error.to_string()
}
