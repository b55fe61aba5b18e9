//! What a `bulk` operation of the current dialect says.

use rally_corpus::ArchiveFormat;
use rally_track::{Corpus, Dialect, Documents, Operation, Source, Track};
use serde_json::Value;

use super::options_2017::Conflicts;
use crate::error::ParamError;
use crate::python::{self, NotANumber};

/// Whether the requests of an operation are cut from the track's documents by a built-in source.
pub fn reads_documents(dialect: Dialect, operation: &Operation) -> bool {
    dialect.built_in_source(operation).is_some_and(Source::reads_documents)
}

/// How ids conflict.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ConflictRules {
    /// In which order new ids come.
    pub kind: Conflicts,
    /// How likely it is that an id comes again, from 0 to 1.
    pub probability: f64,
    /// Whether a document whose id comes again updates the one before instead of replacing it.
    pub updates: bool,
    /// How much ids used lately are preferred, from 0 (not at all) to 1.
    pub recency: f64,
}

/// What a `bulk` operation says.
#[derive(Debug, Clone)]
pub struct BulkOperation<'a> {
    /// Documents per request, above 0.
    pub bulk_size: u64,
    /// Documents read at once; a multiple of `bulk_size`.
    pub batch_size: u64,
    /// Whether ids are generated, and how.
    pub conflicts: Option<ConflictRules>,
    /// How much of the documents is sent, above 0 and at most 100.
    pub ingest_percentage: f64,
    /// How many documents all clients send together, if it is said.
    pub ingest_doc_count: Option<u64>,
    /// Whether a client starts again once it has sent all of its documents.
    pub looped: Value,
    /// What is read: corpora in the order of the track, none without documents.
    pub corpora: Vec<(&'a Corpus, Vec<&'a Documents>)>,
}

impl<'a> BulkOperation<'a> {
    /// Reads the parameters of a `bulk` operation.
    ///
    /// # Errors
    /// Where one is missing, of the wrong kind, out of its range, or contradicts another or the track.
    pub fn read(track: &'a Track, operation: &'a Operation) -> Result<BulkOperation<'a>, ParamError> {
        let given = Given { operation };
        let conflicts = given.conflicts()?;
        let corpora = given.corpora(track)?;
        if conflicts.is_some() {
            given.check_ids(&corpora)?;
        }
        let bulk_size = match given.param("bulk-size") {
            None => {
                return Err(given.explained(
                    "'bulk-size' is missing: say how many documents a bulk request holds",
                    "Mandatory parameter 'bulk-size' is missing",
                ));
            }
            Some(value) => given.positive("bulk-size", value)?,
        };
        let batch_size = match given.param("batch-size") {
            None => bulk_size,
            Some(value) => given.positive("batch-size", value)?,
        };
        if batch_size < bulk_size {
            return Err(given.explained(
                format!(
                    "'batch-size' ({batch_size}) must be greater than or equal to 'bulk-size' ({bulk_size})"
                ),
                "'batch-size' must be greater than or equal to 'bulk-size'",
            ));
        }
        if batch_size % bulk_size != 0 {
            return Err(given.explained(
                format!("'batch-size' ({batch_size}) must be a multiple of 'bulk-size' ({bulk_size})"),
                "'batch-size' must be a multiple of 'bulk-size'",
            ));
        }
        let ingest_percentage = given.number("ingest-percentage", 100.0, Above::Zero, 100.0)?;
        let ingest_doc_count = match given.param("ingest-doc-count") {
            None => None,
            Some(value) => Some(given.ingest_doc_count(value, bulk_size, &corpora)?),
        };
        let looped = given.param("looped").cloned().unwrap_or(Value::Bool(false));
        Ok(BulkOperation {
            bulk_size,
            batch_size,
            conflicts,
            ingest_percentage,
            ingest_doc_count,
            looped,
            corpora,
        })
    }
}

/// Whether a range begins at zero or above it.
#[derive(Clone, Copy, PartialEq)]
enum Above {
    Zero,
    OrAtZero,
}

/// The parameters of an operation.
struct Given<'a> {
    operation: &'a Operation,
}

impl<'a> Given<'a> {
    fn param(&self, name: &str) -> Option<&'a Value> {
        self.operation.params.get(name)
    }

    fn error(&self, problem: impl Into<String>) -> ParamError {
        ParamError::new(&self.operation.name, problem)
    }

    fn invalid(&self, message: impl Into<String>) -> ParamError {
        let message = message.into();
        self.explained(message.clone(), message)
    }

    fn explained(&self, problem: impl Into<String>, message: impl Into<String>) -> ParamError {
        self.error(problem).in_rally("InvalidSyntax", message)
    }

    fn conflicts(&self) -> Result<Option<ConflictRules>, ParamError> {
        let kind = match self.param("conflicts") {
            None => return Ok(None),
            Some(value) if !python::is_true(value) => return Ok(None),
            Some(Value::String(text)) if text == "sequential" => Conflicts::Sequential,
            Some(Value::String(text)) if text == "random" => Conflicts::Random,
            Some(other) => {
                return Err(self.explained(
                    format!("'conflicts' is {other} but must be \"sequential\" or \"random\""),
                    format!("Unknown 'conflicts' setting [{}]", python::text(other)),
                ));
            }
        };
        if self.param("data-streams").is_some() {
            return Err(self.invalid("'conflicts' cannot be used with 'data-streams'"));
        }
        let probability = self.number("conflict-probability", 25.0, Above::OrAtZero, 100.0)?;
        let updates = match self.param("on-conflict") {
            None => false,
            Some(Value::String(action)) if action == "index" => false,
            Some(Value::String(action)) if action == "update" => true,
            Some(other) => {
                return Err(self.explained(
                    format!("'on-conflict' is {other} but must be \"index\" or \"update\""),
                    format!("Unknown 'on-conflict' setting [{}]", python::text(other)),
                ));
            }
        };
        let recency = self.number("recency", 0.0, Above::OrAtZero, 1.0)?;
        Ok(Some(ConflictRules { kind, probability: probability / 100.0, updates, recency }))
    }

    /// The corpora that the operation does not leave out, each with the files that it does not leave out.
    fn corpora(&self, track: &'a Track) -> Result<Vec<(&'a Corpus, Vec<&'a Documents>)>, ParamError> {
        let mut corpora = Vec::new();
        for corpus in &track.corpora {
            if !self.names_corpus(&corpus.name)? {
                continue;
            }
            let mut files = Vec::new();
            for file in &corpus.documents {
                if self.names_target("indices", file.target_index.as_deref())?
                    && self.names_target("data-streams", file.target_data_stream.as_deref())?
                {
                    files.push(file);
                }
            }
            if files.iter().any(|file| file.document_count > 0) {
                corpora.push((corpus, files));
            }
        }
        if !corpora.is_empty() {
            return Ok(corpora);
        }
        if track.corpora.is_empty() {
            let message = format!(
                "There is no document corpus definition for track {}. You must add at least one before making bulk requests to \
                 Elasticsearch.",
                track.name
            );
            return Err(self.explained("the track has no documents: declare them under 'corpora'", message));
        }
        let all: Vec<Value> = track.corpora.iter().map(|corpus| Value::from(corpus.name.as_str())).collect();
        let all = python::repr(&Value::Array(all));
        let (problem, named) = match self.param("corpora") {
            None => (
                "none of the track's documents are left by 'indices' and 'data-streams'".to_owned(),
                all.clone(),
            ),
            Some(Value::String(name)) => (
                format!("'corpora' is \"{name}\", which leaves none of the track's documents"),
                python::repr(&Value::Array(vec![Value::from(name.as_str())])),
            ),
            Some(names) => (
                format!("'corpora' is {names}, which leaves none of the track's documents"),
                python::repr(names),
            ),
        };
        let problem = format!("{problem}; its corpora are {}", names(track));
        let message = format!("The provided corpus {named} does not match any of the corpora {all}.");
        Err(self.error(problem).in_rally("RallyAssertionError", message))
    }

    fn names_corpus(&self, name: &str) -> Result<bool, ParamError> {
        match self.param("corpora") {
            None => Ok(true),
            Some(Value::String(only)) => Ok(only == name),
            Some(several) => python::contains(several, Some(name))
                .map_err(|python| self.wrong_kind("corpora", several, "a name or a list of names", python)),
        }
    }

    fn names_target(&self, param: &str, target: Option<&str>) -> Result<bool, ParamError> {
        match self.param(param).filter(|value| python::is_true(value)) {
            None => Ok(true),
            Some(several) => python::contains(several, target)
                .map_err(|python| self.wrong_kind(param, several, "a list of names", python)),
        }
    }

    fn wrong_kind(&self, name: &str, value: &Value, wanted: &str, python: String) -> ParamError {
        self.error(format!("'{name}' is {value} but must be {wanted}")).in_rally("TypeError", python)
    }

    /// Ids can only be generated where action lines are, and data streams take none.
    fn check_ids(&self, corpora: &[(&Corpus, Vec<&Documents>)]) -> Result<(), ParamError> {
        let files =
            || corpora.iter().flat_map(|(corpus, files)| files.iter().map(move |file| (&corpus.name, *file)));
        if let Some((corpus, file)) = files().find(|(_, file)| file.includes_action_and_meta_data) {
            let conflicts = self.param("conflicts").map(python::text).unwrap_or_default();
            return Err(self.invalid(format!(
                "Cannot generate id conflicts [{conflicts}] as [{}] in document corpus [{corpus}] already contains an action and \
                 meta-data line.",
                file.file_name
            )));
        }
        Ok(())
    }

    fn ingest_doc_count(
        &self,
        value: &Value,
        bulk_size: u64,
        corpora: &[(&Corpus, Vec<&Documents>)],
    ) -> Result<u64, ParamError> {
        if self.param("ingest-percentage").is_some() {
            return Err(self.invalid("'ingest-doc-count' and 'ingest-percentage' are mutually exclusive"));
        }
        let count = self.positive("ingest-doc-count", value)?;
        if count % bulk_size != 0 {
            return Err(self.invalid(format!(
                "'ingest-doc-count' must be a multiple of 'bulk-size' ({bulk_size}) but was {count}"
            )));
        }
        let total: u64 = corpora.iter().flat_map(|(_, files)| files).map(|file| file.document_count).sum();
        if count > total {
            return Err(self.invalid(format!(
                "'ingest-doc-count' must be less than or equal to the total number of documents in the corpus ({total}) but was \
                 {count}"
            )));
        }
        Ok(count)
    }

    /// A whole number above 0.
    fn positive(&self, name: &str, value: &Value) -> Result<u64, ParamError> {
        match python::int(value) {
            Ok(number) => u64::try_from(number)
                .ok()
                .filter(|number| *number > 0)
                .ok_or_else(|| self.invalid(format!("'{name}' must be positive but was {number}"))),
            Err(NotANumber::TooLarge) => Err(self.error(format!("'{name}' is {value}, which is too large"))),
            Err(NotANumber::Text) => Err(self.explained(
                format!("'{name}' must be a whole number but was {value}"),
                format!("'{name}' must be numeric"),
            )),
            Err(NotANumber::Type(python)) => Err(self.wrong_kind(name, value, "a whole number", python)),
        }
    }

    /// A number of a range.
    fn number(&self, name: &str, default: f64, above: Above, most: f64) -> Result<f64, ParamError> {
        let Some(value) = self.param(name) else { return Ok(default) };
        let number = match python::float(value) {
            Ok(number) => number,
            Err(NotANumber::Type(python)) => return Err(self.wrong_kind(name, value, "a number", python)),
            Err(_) => {
                return Err(self.explained(
                    format!("'{name}' must be a number but was {value}"),
                    format!("'{name}' must be numeric"),
                ));
            }
        };
        if number < 0.0 || number > most || (above == Above::Zero && number == 0.0) {
            let bracket = if above == Above::Zero { '(' } else { '[' };
            let range = format!("'{name}' must be in the range {bracket}0.0, {most:.1}] but was");
            return Err(self.explained(format!("{range} {value}"), format!("{range} {number:.1}")));
        }
        Ok(number)
    }
}

fn names(track: &Track) -> String {
    let names: Vec<&str> = track.corpora.iter().map(|corpus| corpus.name.as_str()).collect();
    names.join(", ")
}

/// Name of the file that the documents are in once it is unpacked.
pub fn unpacked_name(file_name: &str) -> &str {
    ArchiveFormat::split(file_name).map_or(file_name, |(stem, _)| stem)
}
