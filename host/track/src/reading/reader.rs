//! A track on its way to the model.

use indexmap::IndexMap;
use rally_support::suggest::closest;
use serde_json::Value;

use super::Schema;
use crate::document::Document;
use crate::error::{Clean, Problem};
use crate::files::{FileError, TrackFiles};
use crate::json::Part;
use crate::template::Renderer;
use crate::{Challenge, LoadOptions};

/// More problems than this do not help, and finding the place of each takes time.
pub(crate) const MAX_PROBLEMS: usize = 20;

/// Bytes of all mappings, index bodies and templates: a track may name the same large file any number of times.
const MAX_BYTES_READ: usize = 64 * 1024 * 1024;

/// A file that bodies of indices or templates come from.
#[derive(Debug, Default)]
pub(crate) struct Body {
    /// What it holds; null if there is something wrong with it.
    pub(crate) content: Value,
    /// Length of its text once rendered.
    pub(crate) bytes: usize,
}

/// A track on its way to the model, with everything that was found to be wrong.
pub(crate) struct Reader<'a> {
    pub(crate) document: &'a Document,
    pub(crate) files: &'a TrackFiles,
    pub(crate) renderer: &'a Renderer,
    pub(crate) options: &'a LoadOptions,
    schema: &'static Schema,
    pub(crate) problems: Vec<Problem>,
    pub(crate) warnings: Vec<String>,
    /// Content of the files that bodies of indices and templates come from, by name. Many may come from one.
    pub(crate) bodies: IndexMap<String, Body>,
    /// Bytes of the files that the track names.
    bytes_read: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(
        document: &'a Document,
        files: &'a TrackFiles,
        renderer: &'a Renderer,
        options: &'a LoadOptions,
        schema: &'static Schema,
    ) -> Self {
        Self {
            document,
            files,
            renderer,
            options,
            schema,
            problems: Vec::new(),
            warnings: document.warnings(),
            bodies: IndexMap::new(),
            bytes_read: 0,
        }
    }

    /// The elements of a list with their pointers; nothing if there is no list.
    pub(crate) fn elements(&self, pointer: &str, key: &str) -> Vec<(String, &'a Value)> {
        let list = self.document.value.pointer(&format!("{pointer}/{key}"));
        let elements = list.and_then(Value::as_array).into_iter().flatten();
        elements.enumerate().map(|(index, value)| (format!("{pointer}/{key}/{index}"), value)).collect()
    }

    /// Checks a part of the track with a definition of the schema.
    pub(crate) fn check(&mut self, pointer: &str, definition: &str) {
        if self.problems.len() < MAX_PROBLEMS {
            let found = self.schema.check(self.document, pointer, definition);
            self.problems.extend(found);
        }
    }

    /// Notes a problem with the value at a pointer.
    pub(crate) fn problem(&mut self, pointer: &str, message: String, help: Option<String>) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(self.document.problem(pointer, Part::Value, message, help));
        }
    }

    /// Notes a problem with the key at a pointer.
    pub(crate) fn problem_of_key(&mut self, pointer: &str, message: String, help: Option<String>) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(self.document.problem(pointer, Part::Key, message, help));
        }
    }

    /// Notes what the user should know.
    pub(crate) fn warn(&mut self, message: &str) {
        if self.warnings.len() < MAX_PROBLEMS {
            self.warnings.push(Clean(message).to_string());
        }
    }

    /// Notes what the user should know of a key.
    pub(crate) fn warn_of_key(&mut self, pointer: &str, message: &str) {
        if self.warnings.len() < MAX_PROBLEMS {
            let place = self.document.problem(pointer, Part::Key, String::new(), None).location;
            self.warn(&format!("{place}: {message}"));
        }
    }

    pub(crate) fn warn_of_python_code(&mut self) {
        let code = self.files.path("track.py");
        if code.is_file() {
            self.warn(&format!(
                "{}: rally does not run Python code; components have to register what it registers",
                code.display()
            ));
        }
    }

    /// Documents are downloaded over HTTP only.
    pub(crate) fn check_scheme(&mut self, pointer: &str, url: &str) {
        let known = ["http://", "https://"];
        if known
            .iter()
            .any(|scheme| url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
        {
            return;
        }
        let Some((scheme, _)) = url.split_once("://") else {
            self.warn_of_key(
                pointer,
                &format!("'{url}' is not a URL; documents that are not here cannot be downloaded"),
            );
            return;
        };
        let message = format!("documents cannot be downloaded by '{scheme}'");
        let help = "give the URL of a folder that begins with http:// or https://".to_owned();
        self.problem(pointer, message, Some(help));
    }

    /// Whether this is the challenge that will be raced.
    pub(crate) fn is_wanted(&self, challenge: &Challenge) -> bool {
        match self.options.challenge.as_deref().filter(|name| !name.is_empty()) {
            Some(name) => challenge.name == name,
            None => challenge.default,
        }
    }

    /// Text of a file that the value at `pointer` names.
    pub(crate) fn file_text(&mut self, pointer: &str, name: &str) -> Option<String> {
        match self.files.read(name) {
            Ok(text) => self.may_read(pointer, text.len()).then_some(text),
            Err(error) => {
                let help = matches!(error, FileError::NotFound(_)).then(|| self.similar_files(name));
                self.problem(pointer, error.to_string(), help);
                None
            }
        }
    }

    /// Takes the content of a file that the track names, with the problems that there are in it.
    pub(crate) fn content(&mut self, outcome: Result<Document, Box<Problem>>) -> Option<Value> {
        match outcome {
            Ok(document) if document.value.is_object() => {
                self.warnings.extend(document.warnings());
                self.warnings.truncate(MAX_PROBLEMS);
                Some(document.into_value())
            }
            Ok(document) => {
                let message = "this file must contain a JSON object".to_owned();
                if self.problems.len() < MAX_PROBLEMS {
                    self.problems.push(document.problem("", Part::Value, message, None));
                }
                None
            }
            Err(problem) => {
                if self.problems.len() < MAX_PROBLEMS {
                    self.problems.push(*problem);
                }
                None
            }
        }
    }

    /// Whether this number of further bytes may be read for the track.
    pub(crate) fn may_read(&mut self, pointer: &str, bytes: usize) -> bool {
        self.bytes_read = self.bytes_read.saturating_add(bytes);
        if self.bytes_read > MAX_BYTES_READ {
            let message = format!(
                "the files of the track are larger than {} MiB together",
                MAX_BYTES_READ / 1024 / 1024
            );
            self.problem(pointer, message, None);
            return false;
        }
        true
    }

    /// What to do about a file that is not there.
    pub(crate) fn similar_files(&self, name: &str) -> String {
        let directory = name.rsplit_once('/').map_or("", |(directory, _)| directory);
        let pattern = if directory.is_empty() { "*".to_owned() } else { format!("{directory}/*") };
        let names = self.files.glob("", &pattern).unwrap_or_default();
        match closest(name, names.iter().map(String::as_str)) {
            Some(similar) => format!("did you mean '{similar}'?"),
            None => format!("file names are relative to '{}'", self.files.root().display()),
        }
    }
}
