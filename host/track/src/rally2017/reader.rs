//! Puts the parts of a track together.

use std::collections::HashSet;

use serde_json::Value;

use super::draft::DraftChallenge;
use super::indices::{object, text};
use super::operations::Declared;
use super::schema;
use super::test_mode;
use crate::document::Document;
use crate::error::{Clean, Problem};
use crate::files::TrackFiles;
use crate::json::Part;
use crate::{Corpus, Dialect, LoadOptions, Meta, Track, TrackError};

/// More problems than this help nobody, and finding the place of each takes time.
pub(super) const MAX_PROBLEMS: usize = 20;

/// A track on its way to the model, with everything that was found to be wrong.
pub(super) struct Reader<'a> {
    pub(super) document: &'a Document,
    pub(super) files: &'a TrackFiles,
    pub(super) options: &'a LoadOptions,
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<String>,
    /// Bytes of the files that the track names.
    pub(super) bytes_read: usize,
}

/// Reads a whole track.
///
/// # Errors
///
/// [`TrackError::Invalid`] with all problems of the first step that finds any, and [`TrackError::Filter`].
pub(crate) fn read(
    name: &str,
    document: &Document,
    files: &TrackFiles,
    options: &LoadOptions,
) -> Result<Track, TrackError> {
    let invalid = |problems: Vec<Problem>| match problems.is_empty() {
        true => Ok(()),
        false => Err(TrackError::Invalid { track: name.to_owned(), problems }),
    };
    invalid(schema::check(document, "", schema::TRACK))?;

    let mut reader = Reader {
        document,
        files,
        options,
        problems: Vec::new(),
        warnings: document.warnings(),
        bytes_read: 0,
    };
    let data_url = document.value["data-url"].as_str();
    let (indices, mut documents) = reader.indices(data_url);
    let templates = reader.templates();
    let operations = reader.operations();
    let mut challenges = reader.challenges(&operations);
    let scheduled: HashSet<String> = challenges
        .iter()
        .flat_map(DraftChallenge::tasks)
        .map(|draft| draft.declared.pointer.clone())
        .collect();
    let used: Vec<&Declared> =
        operations.iter().filter(|declared| scheduled.contains(&declared.pointer)).collect();
    reader.check_operations(&used, &indices, &mut documents);
    invalid(std::mem::take(&mut reader.problems))?;

    reader.filter(&mut challenges)?;
    reader.check_endless_tasks(&challenges);
    invalid(std::mem::take(&mut reader.problems))?;
    if options.test_mode {
        test_mode::shrink_documents(&mut documents);
        test_mode::shorten_tasks(&mut challenges);
    }
    Ok(Track {
        short_description: Some(text(&document.value, "short-description")),
        description: text(&document.value, "description"),
        data_url: data_url.map(str::to_owned),
        meta: object(&document.value["meta"]),
        indices,
        templates,
        corpora: match documents.is_empty() {
            true => Vec::new(),
            false => vec![Corpus { name: name.to_owned(), meta: Meta::new(), documents }],
        },
        challenges: challenges.into_iter().map(DraftChallenge::into_challenge).collect(),
        warnings: reader.warnings,
        ..Track::new(name, Dialect::Rally2017, files.root())
    })
}

impl Reader<'_> {
    /// The elements of a list with their pointers.
    pub(super) fn elements(&self, pointer: &str, key: &str) -> Vec<(String, Value)> {
        let list = self.document.value.pointer(&format!("{pointer}/{key}"));
        let elements = list.and_then(Value::as_array).into_iter().flatten();
        elements
            .enumerate()
            .map(|(index, value)| (format!("{pointer}/{key}/{index}"), value.clone()))
            .collect()
    }

    /// Checks a part of the track with a definition of the schema.
    pub(super) fn check(&mut self, pointer: &str, definition: &str) {
        if self.problems.len() < MAX_PROBLEMS {
            let found = schema::check(self.document, pointer, definition);
            self.problems.extend(found);
        }
    }

    /// Notes a problem with the value at a pointer.
    pub(super) fn problem(&mut self, pointer: &str, message: String, help: Option<String>) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(self.document.problem(pointer, Part::Value, message, help));
        }
    }

    /// Notes what the user should know.
    pub(super) fn warn(&mut self, message: &str) {
        if self.warnings.len() < MAX_PROBLEMS {
            self.warnings.push(Clean(message).to_string());
        }
    }

    /// Notes what the user should know of a key.
    pub(super) fn warn_of_key(&mut self, pointer: &str, message: &str) {
        if self.warnings.len() < MAX_PROBLEMS {
            let place = self.document.problem(pointer, Part::Key, String::new(), None).location;
            self.warn(&format!("{place}: {message}"));
        }
    }
}
