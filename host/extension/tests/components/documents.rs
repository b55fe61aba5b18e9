//! The documents of a track: handed on without a copy, read, and made into other bodies.

use std::fs;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use rally_operations::DocumentSet;
use rally_race::Params;
use serde_json::{Value, json};

use crate::course::{Builder, Course};
use crate::recorder::Recorder;

/// Where lines of a text lie.
fn byte_range(text: Vec<u8>) -> rally_operations::ByteRange {
    Box::new(move |first: u64, count: u64| {
        let mut ends: Vec<u64> = vec![0];
        ends.extend(text.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at as u64 + 1));
        if ends.last() != Some(&(text.len() as u64)) {
            ends.push(text.len() as u64);
        }
        let end = ends.get((first + count) as usize).ok_or("no such line")?;
        Ok(Range { start: ends[first as usize], end: *end })
    })
}

/// A data file of so many documents, which differ in length.
pub fn documents(
    folder: &Path,
    index: &str,
    count: u64,
    action_lines: bool,
    last_newline: bool,
) -> Arc<DocumentSet> {
    let mut text = String::new();
    for number in 0..count {
        if action_lines {
            text.push_str(&format!(
                "{{\"index\": {{\"_index\": \"{index}\", \"_type\": \"place\", \"_id\": \"{number}\"}}}}\n"
            ));
        }
        text.push_str(&format!("{{\"number\":{number},\"text\":\"{}\"}}\n", "ä".repeat(number as usize % 5)));
    }
    if !last_newline {
        text.pop();
    }
    let path = folder.join(format!("{index}-{action_lines}.json"));
    fs::write(&path, &text).unwrap();
    Arc::new(DocumentSet::new(index, "place", path, count, action_lines, byte_range(text.into_bytes())))
}

/// The indices of a track with these files.
pub fn indices(sets: &[Arc<DocumentSet>]) -> Value {
    let types = sets.iter().map(|set| {
        json!({"name": set.index, "types": [{
            "name": set.mapping_type,
            "mapping": "mapping.json",
            "documents": set.path.file_name().unwrap().to_str(),
            "document-count": set.document_count,
            "includes-action-and-meta-data": set.includes_action_and_meta_data,
        }]})
    });
    types.collect()
}

fn course(version: &str, sets: &[Arc<DocumentSet>], operation: Value, clients: u32) -> Course {
    Builder::with_guest("conformance")
        .target(&Recorder::scripted(version, |_, _| None))
        .indices(indices(sets))
        .documents(sets.to_vec())
        .task("task", operation, json!({"clients": clients}))
        .build()
}

fn bulks(bulk_size: u32) -> Value {
    json!({"operation-type": "echo", "param-source": "documents", "bulk-size": bulk_size})
}

fn text(params: &Params) -> String {
    String::from_utf8(params.body.to_vec()).unwrap()
}

#[test]
fn documents_are_handed_on_interleaved_and_copied() {
    let folder = tempfile::tempdir().unwrap();
    let set = documents(folder.path(), "places", 25, false, true);
    let lines: Vec<String> = fs::read_to_string(&set.path).unwrap().lines().map(str::to_owned).collect();
    let made = course("6.8.23", &[set], bulks(10), 1).requests("task", 0, 10);
    let plain = |lines: &[String]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    assert_eq!(text(&made[0]), plain(&lines[..10]), "as they lie in the file");
    let interleaved: String =
        lines[10..20].iter().map(|line| format!("{{\"index\":{{}}}}\n{line}\n")).collect();
    assert_eq!(text(&made[1]), interleaved);
    assert_eq!(text(&made[2]), plain(&lines[20..]), "in two parts");
    assert_eq!(made.iter().map(|params| params.documents).collect::<Vec<_>>(), [10, 10, 5]);
    let values = json!({"index": "places", "type": "place", "has_action_lines": false, "way": 1});
    assert_eq!(Value::Object((*made[0].values).clone()), values);
}

#[test]
fn bodies_of_documents_are_not_copied() {
    let folder = tempfile::tempdir().unwrap();
    let set = documents(folder.path(), "places", 10, false, true);
    let file = set.bytes().unwrap().as_ptr_range();
    let made = course("7.10.2", &[set], bulks(10), 1).requests("task", 0, 1);
    let body = made[0].body.as_ptr_range();
    assert!(file.start <= body.start && body.end <= file.end, "it lies in the mapped file");
}

#[test]
fn a_part_for_each_client_covers_every_document() {
    let folder = tempfile::tempdir().unwrap();
    let sets = [
        documents(folder.path(), "places", 23, false, true),
        documents(folder.path(), "people", 7, true, true),
    ];
    let course = course("7.10.2", &sets, bulks(4), 5);
    let (mut documents, mut bodies) = (0, String::new());
    for index in 0..5 {
        let size = course.client("task", index).source.size().unwrap();
        let made = course.requests("task", index, 1000);
        assert_eq!(made.len() as u64, size, "client {index} knows how much it has");
        documents += made.iter().map(|params| params.documents).sum::<u32>();
        made.iter().for_each(|params| bodies.push_str(&text(params)));
    }
    assert_eq!(documents, 30);
    for number in 0..23 {
        assert!(bodies.contains(&format!("{{\"number\":{number},")), "document {number}");
    }
}

#[test]
fn action_lines_suit_the_target() {
    let folder = tempfile::tempdir().unwrap();
    let set = documents(folder.path(), "places", 2, true, true);
    let of = |version| {
        let made = course(version, &[Arc::clone(&set)], bulks(2), 1).requests("task", 0, 1);
        (made[0].values["type"].clone(), made[0].values["has_action_lines"].clone(), text(&made[0]))
    };
    let (mapping_type, has_action_lines, body) = of("6.8.23");
    assert_eq!((mapping_type, has_action_lines), (json!("place"), json!(true)));
    assert!(body.contains("_type"), "{body}");
    let (mapping_type, _, body) = of("8.17.0");
    assert_eq!(mapping_type, Value::Null);
    assert!(!body.contains("_type") && body.contains("\"_id\""), "{body}");
}

#[test]
fn a_bulk_size_of_nothing_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let set = documents(folder.path(), "places", 2, false, true);
    let error = course("7.10.2", &[set], bulks(0), 1).bind("task").err().unwrap();
    assert!(error.contains("'bulk-size' is 0") && error.contains("source.open"), "{error}");
}
