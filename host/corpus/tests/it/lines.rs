//! Lines of a document file are looked at before they are sent.

use std::fs::{self, File};

use rally_corpus::{
    LINES_PER_OFFSET, LineError, LineOffsets, LineProblem, NoProgress, validate_action_lines,
    validate_document_lines,
};

fn check(content: &str, pairs: bool) -> Result<(), LineError> {
    check_bytes(content.as_bytes(), pairs)
}

fn check_bytes(content: &[u8], pairs: bool) -> Result<(), LineError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("documents.json");
    fs::write(&path, content).unwrap();
    let offsets = LineOffsets::scan(&File::open(&path).unwrap(), LINES_PER_OFFSET, &NoProgress).unwrap();
    if pairs { validate_action_lines(&path, &offsets) } else { validate_document_lines(&path, &offsets) }
}

/// Line number and text of the problem.
fn problem(content: &str, pairs: bool) -> (u64, String) {
    match check(content, pairs).unwrap_err() {
        LineError::Invalid { line, problem, .. } => (line, problem.to_string()),
        error => panic!("{error}"),
    }
}

#[test]
fn pairs_of_action_and_document_are_accepted() {
    let content =
        "{\"index\":{\"_id\":\"1\"}}\n{\"name\":\"a\"}\n{\"create\":{}}\n{}\n{\"update\":{}}\n{\"doc\":{}}";
    check(content, true).unwrap();
}

#[test]
fn a_byte_order_mark_is_accepted_at_the_head_of_the_file_only() {
    check("\u{feff}{\"name\":\"a\"}\n{}\n", false).unwrap();
    assert_eq!(problem("{}\n\u{feff}{}\n", false).0, 2);
}

#[test]
fn an_unknown_action_is_named_with_its_line() {
    assert_eq!(
        problem("{\"index\":{}}\n{}\n{\"indx\":{}}\n{}\n", true),
        (3, "it must be an action-and-meta-data line with one of 'index', 'create' or 'update', but has 'indx'".into())
    );
}

#[test]
fn two_actions_in_one_line_are_refused() {
    let (line, text) = problem("{\"index\":{},\"create\":{}}\n{}\n", true);
    assert_eq!(line, 1);
    assert!(text.contains("'index' and 1 more"), "{text}");
}

#[test]
fn no_action_is_refused() {
    assert!(problem("{}\n{}\n", true).1.contains("no action"));
    assert!(problem("{\"index\":7}\n{}\n", true).1.contains("not an object"));
}

#[test]
fn a_document_where_an_action_should_be_is_refused() {
    assert!(problem("{\"name\":\"a\"}\n{\"name\":\"b\"}\n", true).1.contains("'name'"));
}

#[test]
fn delete_is_refused_because_it_has_no_document() {
    let error =
        check("{\"index\":{}}\n{}\n{\"delete\":{\"_id\":\"1\"}}\n{\"index\":{}}\n", true).unwrap_err();
    assert!(matches!(error, LineError::Invalid { line: 3, problem: LineProblem::Delete, .. }));
}

#[test]
fn a_document_that_is_no_json_object_is_refused() {
    for wrong in ["[1]", "1", "\"text\"", "null", "{\"a\":1", "{\"a\":1}}", "{'a':1}", "{\"a\" 1}"] {
        let error = check(&format!("{{\"index\":{{}}}}\n{wrong}\n"), true).unwrap_err();
        assert!(
            matches!(error, LineError::Invalid { line: 2, problem: LineProblem::NotAnObject { .. }, .. }),
            "{wrong}: {error}"
        );
        assert!(check(&format!("{wrong}\n"), false).is_err(), "{wrong}");
    }
}

#[test]
fn the_message_names_file_line_and_column() {
    let message = check("{\"a\":1}\n{\"a\":tru}\n", false).unwrap_err().to_string();
    assert!(message.contains("documents.json', line 2: it is not a valid JSON object: "), "{message}");
    assert!(message.ends_with("at column 9"), "{message}");
}

#[test]
fn an_empty_line_is_refused() {
    assert_eq!(problem("{}\n\n{}\n", false).0, 2);
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let error = check_bytes(b"{\"a\":\"b\"}\n{\"a\":\"\xff\"}\n", false).unwrap_err();
    assert!(matches!(error, LineError::Invalid { line: 2, problem: LineProblem::NotUtf8, .. }));
}

#[test]
fn a_missing_last_document_is_reported_at_its_action() {
    let error = check("{\"index\":{}}\n{}\n{\"index\":{}}\n", true).unwrap_err();
    assert!(matches!(error, LineError::Invalid { line: 3, problem: LineProblem::MissingDocument, .. }));
}

#[test]
fn the_first_of_many_wrong_lines_is_reported() {
    let mut lines = vec!["{\"a\":1}"; 95_000];
    for wrong in [41_234, 41_235, 70_001, 94_999] {
        lines[wrong] = "oops";
    }
    assert_eq!(problem(&lines.join("\n"), false).0, 41_235);
}

#[test]
fn windows_line_ends_are_accepted() {
    check("{\"index\":{}}\r\n{\"a\":1}\r\n", true).unwrap();
}

#[test]
fn an_empty_file_has_no_wrong_line() {
    check("", true).unwrap();
}
