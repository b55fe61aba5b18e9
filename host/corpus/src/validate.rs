//! Looks at every line of a document file before it is sent.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use super::offsets::LineOffsets;

/// The actions of a bulk request.
const ACTIONS: [&str; 4] = ["index", "create", "update", "delete"];

/// Lines that a thread takes at a time, as even number: pairs stay together.
const LINES_PER_TURN: u64 = 10_000;

/// The first line of a document file that cannot be sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LineError {
    /// A line is wrong.
    #[error("'{}', line {line}: {problem}", path.display())]
    Invalid {
        /// The document file.
        path: PathBuf,
        /// Number of the line, counted from 1.
        line: u64,
        /// The problem with it.
        problem: LineProblem,
    },
    /// The file cannot be read.
    #[error("cannot read '{}': {source}", path.display())]
    Io {
        /// The document file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// What is wrong with a line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LineProblem {
    /// The line is empty.
    #[error("it is empty, but must be a JSON object")]
    Empty,
    /// The line is not text.
    #[error("it is not valid UTF-8")]
    NotUtf8,
    /// The line is not a JSON object.
    #[error("it is not a valid JSON object: {reason} at column {column}")]
    NotAnObject {
        /// What the parser says.
        reason: String,
        /// Where, counted from 1.
        column: usize,
    },
    /// An action-and-meta-data line names no action, or an unknown one, or several.
    #[error(
        "it must be an action-and-meta-data line with one of 'index', 'create' or 'update', but has {found}"
    )]
    NotAnAction {
        /// What it has instead.
        found: String,
    },
    /// A `delete` action, which has no document line.
    #[error(
        "[delete] has no document line, but rally gives each client whole pairs of an action-and-meta-data line and a \
         document line. Remove it from the data."
    )]
    Delete,
    /// The last action-and-meta-data line is not followed by a document.
    #[error("the document line after this action-and-meta-data line is missing")]
    MissingDocument,
}

/// Checks a file of pairs of an action-and-meta-data line and a document line (`sourcefile` in a 2017 track): each
/// action line is an object with exactly one known action, whose value is an object, and each document an object.
///
/// # Errors
/// [`LineError`] for the first wrong line.
pub fn validate_action_lines(path: &Path, offsets: &LineOffsets) -> Result<(), LineError> {
    validate(path, offsets, true)
}

/// Checks a file of documents only: each line is a JSON object.
///
/// # Errors
/// [`LineError`] for the first wrong line.
pub fn validate_document_lines(path: &Path, offsets: &LineOffsets) -> Result<(), LineError> {
    validate(path, offsets, false)
}

fn validate(path: &Path, offsets: &LineOffsets, pairs: bool) -> Result<(), LineError> {
    let failed = |source| LineError::Io { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    let lines = offsets.line_count();
    let next = AtomicU64::new(0);
    let stop = AtomicBool::new(false);
    let worst: Mutex<Option<(u64, io::Result<LineProblem>)>> = Mutex::new(None);
    let check = || {
        while !stop.load(Ordering::Relaxed) {
            // Turns are taken in order, so all lines before a wrong one are looked at too.
            let first = next.fetch_add(LINES_PER_TURN, Ordering::Relaxed);
            if first >= lines {
                return;
            }
            let wrong = match read_lines(&file, offsets, first) {
                Ok(bytes) => {
                    first_wrong_line(&bytes, first, pairs).map(|(line, problem)| (line, Ok(problem)))
                }
                Err(error) => Some((first, Err(error))),
            };
            if let Some(wrong) = wrong {
                stop.store(true, Ordering::Relaxed);
                let mut worst = worst.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                if worst.as_ref().is_none_or(|(line, _)| wrong.0 < *line) {
                    *worst = Some(wrong);
                }
            }
        }
    };
    let turns = usize::try_from(lines.div_ceil(LINES_PER_TURN)).unwrap_or(usize::MAX);
    let threads = thread::available_parallelism().map_or(1, usize::from).min(turns);
    thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(check);
        }
        check();
    });
    let worst = worst.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    match worst {
        Some((_, Err(source))) => Err(failed(source)),
        Some((line, Ok(problem))) => {
            Err(LineError::Invalid { path: path.to_owned(), line: line + 1, problem })
        }
        None if pairs && !lines.is_multiple_of(2) => {
            let problem = LineProblem::MissingDocument;
            Err(LineError::Invalid { path: path.to_owned(), line: lines, problem })
        }
        None => Ok(()),
    }
}

fn read_lines(file: &File, offsets: &LineOffsets, first: u64) -> io::Result<Vec<u8>> {
    let range = offsets.byte_range(file, first, LINES_PER_TURN)?;
    let mut bytes = vec![0; (range.end - range.start) as usize];
    file.read_exact_at(&mut bytes, range.start)?;
    Ok(bytes)
}

/// Some editors write it at the head of a file in UTF-8.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The first wrong line, counted from 0 in the whole file.
fn first_wrong_line(bytes: &[u8], first: u64, pairs: bool) -> Option<(u64, LineProblem)> {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    bytes.split(|&byte| byte == b'\n').enumerate().find_map(|(index, line)| {
        let is_action = pairs && index % 2 == 0;
        // Elastic Rally sends the mark as it is, and Elasticsearch's JSON parser goes past it.
        let is_first = first == 0 && index == 0;
        let marked = if is_first { line.strip_prefix(BYTE_ORDER_MARK) } else { None };
        check_line(marked.unwrap_or(line), is_action).err().map(|problem| (first + index as u64, problem))
    })
}

fn check_line(line: &[u8], is_action: bool) -> Result<(), LineProblem> {
    let text = std::str::from_utf8(line).map_err(|_| LineProblem::NotUtf8)?;
    if text.trim().is_empty() {
        return Err(LineProblem::Empty);
    }
    let visitor = ObjectVisitor { is_action };
    let mut parser = serde_json::Deserializer::from_str(text);
    let found =
        parser.deserialize_map(visitor).and_then(|found| parser.end().map(|()| found)).map_err(|error| {
            let text = error.to_string();
            let reason = text.split(" at line ").next().unwrap_or(&text).to_owned();
            LineProblem::NotAnObject { reason, column: error.column() }
        })?;
    match found {
        Found::Fine => Ok(()),
        Found::Delete => Err(LineProblem::Delete),
        Found::Other(found) => Err(LineProblem::NotAnAction { found }),
    }
}

enum Found {
    Fine,
    Delete,
    Other(String),
}

/// Reads an object without keeping it.
struct ObjectVisitor {
    is_action: bool,
}

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Found;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Found, A::Error> {
        if !self.is_action {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(Found::Fine);
        }
        let Some(action) = map.next_key::<String>()? else {
            return Ok(Found::Other("no action".to_owned()));
        };
        let is_object = map.next_value::<MetaData>()?.0;
        let mut others = 0;
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
            others += 1;
        }
        Ok(match action.as_str() {
            _ if others > 0 => Found::Other(format!("'{action}' and {others} more")),
            known if !ACTIONS.contains(&known) => Found::Other(format!("'{known}'")),
            known if !is_object => Found::Other(format!("'{known}' with meta-data that is not an object")),
            "delete" => Found::Delete,
            _ => Found::Fine,
        })
    }
}

/// Whether the value of an action is an object.
struct MetaData(bool);

impl<'de> serde::Deserialize<'de> for MetaData {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<MetaData, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        Ok(MetaData(value.is_object()))
    }
}
