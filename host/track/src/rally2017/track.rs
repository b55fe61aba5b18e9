//! Puts the parts of a track together.

use std::collections::HashSet;

use super::schema::SCHEMA;
use crate::document::Document;
use crate::error::Problem;
use crate::files::TrackFiles;
use crate::reading::{
    Declared, DraftChallenge, FilterRules, Pointers, Reader, Schema, TEST_DOCUMENTS, object, shorten_tasks,
    small_file, text,
};
use crate::template::Renderer;
use crate::{Corpus, Dialect, Documents, LoadOptions, Meta, Track, TrackError};

/// Reads a whole track.
///
/// # Errors
///
/// [`TrackError::Invalid`] with all problems of the first step that finds any, and [`TrackError::Filter`].
pub(crate) fn read(
    name: &str,
    document: &Document,
    files: &TrackFiles,
    renderer: &Renderer,
    options: &LoadOptions,
) -> Result<(Track, Pointers), TrackError> {
    let invalid = |problems: Vec<Problem>| match problems.is_empty() {
        true => Ok(()),
        false => Err(TrackError::Invalid { track: name.to_owned(), problems }),
    };
    invalid(SCHEMA.check(document, "", Schema::TRACK))?;

    let mut reader = Reader::new(document, files, renderer, options, &SCHEMA);
    reader.warn_of_keys_of_later_versions();
    reader.warn_of_python_code();
    let data_url = document.value["data-url"].as_str();
    if let Some(url) = data_url {
        reader.check_scheme("/data-url", url);
    }
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

    reader.filter(&mut challenges, FilterRules::Strict)?;
    reader.check_endless_tasks(&challenges);
    invalid(std::mem::take(&mut reader.problems))?;
    if options.test_mode {
        shrink(&mut documents);
        shorten_tasks(&mut challenges);
    }
    let pointers = Pointers::of(&challenges, reader.type_pointers());
    let track = Track {
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
    };
    Ok((track, pointers))
}

impl Reader<'_> {
    /// Where the data files stand: those of types that have documents.
    fn type_pointers(&self) -> Vec<String> {
        let indices = self.elements("", "indices");
        let types = indices.iter().flat_map(|(pointer, _)| self.elements(pointer, "types"));
        let with_documents = types.filter(|(_, value)| value["documents"].is_string());
        with_documents.map(|(pointer, _)| format!("{pointer}/documents")).collect()
    }

    /// For some months tracks said everything twice, for Rally as it was and for Rally to come.
    fn warn_of_keys_of_later_versions(&mut self) {
        if self.document.value.get("corpora").is_some() {
            self.warn_of_key(
                "/corpora",
                "rally does not read 'corpora' of 2017 tracks: the types contain the documents",
            );
        }
        for (pointer, value) in self.elements("", "indices") {
            if value.get("body").is_some() {
                let message = "rally does not read 'body' of 2017 tracks: the types contain the mappings, the challenges the settings";
                self.warn_of_key(&format!("{pointer}/body"), message);
            }
        }
    }
}

/// Takes the small data file of each type, whose sizes are not declared.
fn shrink(all: &mut [Documents]) {
    for documents in all {
        *documents = Documents {
            file_name: small_file(&documents.file_name, 2),
            document_count: TEST_DOCUMENTS,
            compressed_bytes: None,
            uncompressed_bytes: None,
            ..documents.clone()
        };
    }
}
