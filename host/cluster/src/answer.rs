//! What an unsuccessful answer says, in one line that is equal for equal causes.

use http::StatusCode;
use rally_race::{Failure, FailureKind};
use serde_json::Value;

use crate::http::Answer;

/// Longest description in characters: a line of a report.
const LONGEST: usize = 200;

/// An unsuccessful answer as a race counts it; `None` where the answer is a success.
pub fn failure_of(answer: &Answer) -> Option<Failure> {
    if answer.status.is_success() {
        return None;
    }
    Some(Failure {
        kind: FailureKind::Answered,
        status: Some(answer.status.as_u16()),
        description: describe(answer),
        count: 1,
    })
}

/// What an unsuccessful answer says.
pub fn describe(answer: &Answer) -> String {
    if answer.status.is_redirection() {
        let to = answer.location.as_deref().unwrap_or("somewhere that it does not name");
        return shorten(&format!("redirected to {to}, which is not followed"));
    }
    match serde_json::from_slice::<Value>(&answer.problem) {
        Ok(body) => shorten(&describe_error(&body).unwrap_or_else(|| reason(answer.status))),
        Err(_) if looks_like_html(&answer.problem) => {
            format!("{} (the answer is HTML, not JSON: is there a proxy in between?)", reason(answer.status))
        }
        Err(_) => reason(answer.status),
    }
}

/// The `error` of an answer or of a bulk item: type and reason, or the text that old versions have instead.
pub fn describe_error(body: &Value) -> Option<String> {
    match body.get("error")? {
        Value::String(text) => Some(text.clone()),
        Value::Object(error) => {
            let text = |name: &str| error.get(name).and_then(Value::as_str);
            match (text("type"), text("reason")) {
                (Some(kind), Some(reason)) => Some(format!("{kind}: {reason}")),
                (Some(one), None) | (None, Some(one)) => Some(one.to_owned()),
                (None, None) => None,
            }
        }
        _ => None,
    }
}

/// An error of the target in full, with all that caused it: `type: reason; caused by type: reason`. Old versions have one text.
pub fn whole_reason(error: &Value) -> Option<String> {
    if let Value::String(text) = error {
        return Some(text.clone());
    }
    let mut whole = one_reason(error)?;
    let mut cause = &error["caused_by"];
    // Targets nest a handful; the limit is for those that lie.
    for _ in 0..10 {
        let Some(reason) = one_reason(cause) else { break };
        whole.push_str("; caused by ");
        whole.push_str(&reason);
        cause = &cause["caused_by"];
    }
    Some(whole)
}

/// The `error` of a failed answer in full ([`whole_reason`]), where its body is JSON that has one.
pub fn whole_reason_of(answer: &Answer) -> Option<String> {
    let body = serde_json::from_slice::<Value>(&answer.problem).ok()?;
    whole_reason(body.get("error")?)
}

fn one_reason(error: &Value) -> Option<String> {
    match (error["type"].as_str(), error["reason"].as_str()) {
        (Some(kind), Some(reason)) => Some(format!("{kind}: {reason}")),
        (one, other) => one.or(other).map(str::to_owned),
    }
}

fn reason(status: StatusCode) -> String {
    status.canonical_reason().unwrap_or("the target reports a failure").to_owned()
}

fn looks_like_html(body: &[u8]) -> bool {
    body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'<')
}

/// Cuts a text to one short line and takes out what differs between equal causes: object identities (`@5f1b2c`) and
/// counters of four and more digits.
pub fn shorten(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(LONGEST));
    let mut rest = text.chars().peekable();
    let mut length = 0;
    while let Some(character) = rest.next() {
        if length >= LONGEST {
            out.push('…');
            break;
        }
        match character {
            '@' => {
                while rest.next_if(char::is_ascii_alphanumeric).is_some() {}
                out.push_str("@…");
            }
            '0'..='9' => {
                let mut digits = String::from(character);
                while let Some(digit) = rest.next_if(char::is_ascii_digit) {
                    digits.push(digit);
                }
                out.push_str(if digits.len() >= 4 { "…" } else { &digits });
            }
            character if rally_support::printable::is_unsafe(character) => out.push(' '),
            character => out.push(character),
        }
        length += 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        let now = Instant::now();
        Answer {
            status: StatusCode::from_u16(status).unwrap(),
            sent: now,
            received: now,
            problem: body.as_bytes().to_vec(),
            location: None,
            head: Box::default(),
            length: 0,
        }
    }

    #[test]
    fn errors_of_all_versions_are_read() {
        let new = r#"{"error":{"root_cause":[],"type":"index_not_found_exception","reason":"no such index [x]"},"status":404}"#;
        assert_eq!(describe(&answer(404, new)), "index_not_found_exception: no such index [x]");
        let old = r#"{"error":"IndexMissingException[[x] missing]","status":404}"#;
        assert_eq!(describe(&answer(404, old)), "IndexMissingException[[x] missing]");
    }

    #[test]
    fn a_whole_reason_names_every_cause() {
        let error = serde_json::json!({
            "type": "mapper_parsing_exception",
            "reason": "failed to parse field [rank] of type [long] in document with id '7'",
            "caused_by": {"type": "illegal_argument_exception", "reason": "For input string: \"x\""},
        });
        assert_eq!(
            whole_reason(&error).unwrap(),
            "mapper_parsing_exception: failed to parse field [rank] of type [long] in document with id '7'; caused by \
             illegal_argument_exception: For input string: \"x\""
        );
        assert_eq!(whole_reason(&Value::from("Old[text]")).unwrap(), "Old[text]");
        assert_eq!(whole_reason(&Value::Null), None);
    }

    #[test]
    fn html_and_nothing_are_named() {
        assert!(describe(&answer(502, "<html>Bad Gateway</html>")).contains("HTML, not JSON"));
        assert_eq!(describe(&answer(503, "")), "Service Unavailable");
    }

    #[test]
    fn equal_causes_have_equal_descriptions() {
        let one = shorten(
            "rejected execution of org.Foo$7@5f1b2c on Pool[queue capacity = 200, completed = 123456]",
        );
        let two = shorten(
            "rejected execution of org.Foo$7@77aa01 on Pool[queue capacity = 200, completed = 9123456]",
        );
        assert_eq!(one, two);
        assert!(one.contains("capacity = 200"));
    }

    #[test]
    fn a_long_text_is_cut() {
        assert_eq!(shorten(&"x".repeat(1000)).chars().count(), LONGEST + 1);
    }
}
