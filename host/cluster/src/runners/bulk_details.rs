//! Details of a bulk request beyond its success, and the documents of it that are sent again.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// The answer to a bulk request as a whole.
#[derive(Deserialize)]
struct Answer {
    took: Option<u64>,
    ingest_took: Option<u64>,
    #[serde(default)]
    items: Vec<BTreeMap<String, Item>>,
}

#[derive(Deserialize)]
struct Item {
    #[serde(default)]
    status: u16,
    result: Option<String>,
    #[serde(rename = "_shards")]
    shards: Option<Shards>,
}

#[derive(Deserialize, Clone, Copy, PartialEq)]
struct Shards {
    #[serde(default)]
    total: u64,
    #[serde(default)]
    successful: u64,
    #[serde(default)]
    failed: u64,
}

/// Rally's `detailed-results` of a bulk request: numbers of actions and their results, of shards, and bytes. Nothing where
/// the answer cannot be read.
pub fn of(answer: &[u8], body: &Bytes, lines_per_document: usize) -> Map<String, Value> {
    let Ok(answer) = serde_json::from_slice::<Answer>(answer) else { return Map::new() };
    let mut actions: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
    let mut shards: Vec<(Shards, u64)> = Vec::new();
    let (mut failed, mut succeeded, mut highest_status) = (0u64, 0u64, 0);
    for (action, item) in answer.items.iter().filter_map(|item| item.iter().next()) {
        let counts = actions.entry(action).or_default();
        *counts.entry("item-count").or_default() += 1;
        if let Some(result) = &item.result {
            *counts.entry(result).or_default() += 1;
        }
        if let Some(of_item) = item.shards {
            match shards.iter_mut().find(|(known, _)| *known == of_item) {
                Some((_, count)) => *count += 1,
                None => shards.push((of_item, 1)),
            }
        }
        if item.status > 299 || item.shards.is_some_and(|shards| shards.failed > 0) {
            failed += 1;
            highest_status = highest_status.max(item.status);
        } else {
            succeeded += 1;
        }
    }
    let histogram: Vec<Value> = shards
        .iter()
        .map(|(shards, count)| {
            let Shards { total, successful, failed } = shards;
            json!({"item-count": count, "shards": {"total": total, "successful": successful, "failed": failed}})
        })
        .collect();
    let (request_bytes, document_bytes) = sizes(body, lines_per_document);
    let mut meta = Map::new();
    let mut put = |name: &str, value: Value| drop(meta.insert(name.to_owned(), value));
    put("took", json!(answer.took));
    if let Some(took) = answer.ingest_took {
        put("ingest_took", json!(took));
    }
    put("success-count", json!(succeeded));
    put("error-count", json!(failed));
    if failed > 0 {
        put("max-doc-status", json!(highest_status));
    }
    put("ops", json!(actions));
    put("shards_histogram", json!(histogram));
    put("bulk-request-size-bytes", json!(request_bytes));
    put("total-document-size-bytes", json!(document_bytes));
    meta
}

/// Lines of a body without their ends; what comes after the last end is none where nothing does.
fn lines(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let body = body.strip_suffix(b"\n").unwrap_or(body);
    body.split(|byte| *byte == b'\n')
}

/// Bytes of all lines, and of those that are documents.
fn sizes(body: &[u8], lines_per_document: usize) -> (usize, usize) {
    let (mut all, mut documents) = (0, 0);
    for (number, line) in lines(body).enumerate() {
        all += line.len();
        if number % lines_per_document == lines_per_document - 1 {
            documents += line.len();
        }
    }
    (all, documents)
}

/// The documents at these positions, with their actions.
pub fn documents_at(body: &Bytes, lines_per_document: usize, positions: &[usize]) -> Bytes {
    let mut wanted = positions.iter().copied().peekable();
    let mut chosen = Vec::new();
    for (number, line) in lines(body).enumerate() {
        while wanted.next_if(|position| *position < number / lines_per_document).is_some() {}
        if wanted.peek() == Some(&(number / lines_per_document)) {
            chosen.extend_from_slice(line);
            chosen.push(b'\n');
        }
    }
    chosen.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_found_with_their_actions() {
        let body = Bytes::from_static(b"a0\nd0\na1\nd1\na2\nd2\n");
        assert_eq!(documents_at(&body, 2, &[0, 2]), "a0\nd0\na2\nd2\n");
        assert_eq!(documents_at(&body, 1, &[1, 5]), "d0\nd2\n");
        assert_eq!(documents_at(&body, 2, &[]), "");
    }

    #[test]
    fn bytes_of_documents_are_those_without_actions() {
        assert_eq!(sizes(b"a\ndoc\nb\ndocument\n", 2), (13, 11));
        assert_eq!(sizes(b"doc\ndocument", 1), (11, 11));
    }

    #[test]
    fn actions_and_shards_are_counted() {
        let answer = json!({"took": 5, "ingest_took": 2, "errors": true, "items": [
            {"index": {"status": 201, "result": "created", "_shards": {"total": 2, "successful": 1, "failed": 0}}},
            {"index": {"status": 200, "result": "updated", "_shards": {"total": 2, "successful": 1, "failed": 0}}},
            {"create": {"status": 409}}
        ]});
        let meta = of(answer.to_string().as_bytes(), &Bytes::from_static(b"a\nb\n"), 2);
        assert_eq!(
            Value::Object(meta),
            json!({
                "took": 5, "ingest_took": 2, "success-count": 2, "error-count": 1, "max-doc-status": 409,
                "ops": {"index": {"item-count": 2, "created": 1, "updated": 1}, "create": {"item-count": 1}},
                "shards_histogram": [{"item-count": 2, "shards": {"total": 2, "successful": 1, "failed": 0}}],
                "bulk-request-size-bytes": 2, "total-document-size-bytes": 1
            })
        );
    }
}
