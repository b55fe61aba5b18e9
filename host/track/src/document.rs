//! A JSON file of a track, rendered or plain, and how its problems are shown.

use std::path::PathBuf;

use serde_json::Value;

use crate::error::{Clean, Location, Problem};
use crate::excerpt::{Excerpt, line_and_column};
use crate::files::TrackFiles;
use crate::json::{self, Part};
use crate::template::{At, Failure, Place, Rendered, Renderer};

/// The number of duplicate keys that are named.
const MAX_DUPLICATES: usize = 20;

/// What a template sees, and how its parts come together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rules {
    /// A track of the current dialect.
    Current,
    /// A track of 2017.
    Rally2017,
    /// Body of an index or a template.
    Body,
}

/// A parsed file.
pub(crate) struct Document {
    text: Text,
    path: PathBuf,
    files: TrackFiles,
    pub(crate) value: Value,
    /// Pointers of keys that are there twice.
    duplicates: Vec<String>,
    /// Keys at the top that have another name in the text: the name there, and the one in the value.
    renamed: Vec<(&'static str, &'static str)>,
}

enum Text {
    Rendered(Rendered),
    Plain(String),
}

impl Text {
    fn as_str(&self) -> &str {
        match self {
            Text::Rendered(rendered) => &rendered.text,
            Text::Plain(text) => text,
        }
    }
}

impl Document {
    /// Renders a file as a template and parses it.
    pub(crate) fn render(
        renderer: &Renderer,
        files: &TrackFiles,
        name: &str,
        rules: Rules,
    ) -> Result<Self, Box<Problem>> {
        let rendered = match rules {
            Rules::Current => renderer.render(name),
            Rules::Rally2017 => renderer.render_of_2017(name),
            Rules::Body => renderer.render_body(name),
        };
        let rendered = rendered.map_err(|failure| Box::new(template_problem(files, failure)))?;
        Self::parse(files, name, Text::Rendered(rendered))
    }

    /// Reads a file that is not a template. A missing one is the caller's problem: it knows who named it.
    pub(crate) fn read(files: &TrackFiles, name: &str, text: String) -> Result<Self, Box<Problem>> {
        Self::parse(files, name, Text::Plain(text))
    }

    fn parse(files: &TrackFiles, name: &str, text: Text) -> Result<Self, Box<Problem>> {
        let path = files.path(name);
        match json::parse(text.as_str()) {
            Ok(json::Document { value, duplicates }) => {
                Ok(Self { text, path, files: files.clone(), value, duplicates, renamed: Vec::new() })
            }
            Err(error) => {
                let document = Self {
                    text,
                    path,
                    files: files.clone(),
                    value: Value::Null,
                    duplicates: Vec::new(),
                    renamed: Vec::new(),
                };
                Err(Box::new(document.syntax_problem(&error)))
            }
        }
    }

    fn syntax_problem(&self, error: &json::SyntaxError) -> Problem {
        let printed_nothing = match &self.text {
            Text::Rendered(rendered) => rendered.empty_expression_before(error.offset),
            Text::Plain(_) => None,
        };
        if let Some(origin) = printed_nothing {
            let expression = origin.text.get(origin.range.clone()).unwrap_or_default().to_owned();
            let empty = self.empty_collections().into_iter().next();
            return Problem {
                message: format!("invalid JSON: {expression} printed nothing where a value must be"),
                help: empty.or_else(|| Some(
                    "a part that rally.collect takes in sees the variables of the track only if they are set before \
                     {% import \"rally.helpers\" as rally with context %}; default() replaces undefined values"
                        .to_owned(),
                )),
                location: located(self.files.path(&origin.file), &origin.text, origin.range),
            };
        }
        if let Some(problem) = self.printed_no_json(error) {
            return problem;
        }
        let literal = python_constant(self.text.as_str(), error.offset);
        Problem {
            message: match literal {
                Some((python, json)) => format!("invalid JSON: {python} is Python; JSON has {json}"),
                None => format!("invalid JSON: {}", error.message),
            },
            help: self.empty_collections().into_iter().next(),
            location: self
                .location(error.offset..error.offset + literal.map_or(1, |(python, _)| python.len())),
        }
    }

    /// What is wrong where a `{{ … }}` printed a value as Python writes it.
    fn printed_no_json(&self, error: &json::SyntaxError) -> Option<Problem> {
        let Text::Rendered(rendered) = &self.text else { return None };
        let (origin, printed) = rendered.expression_at(error.offset)?;
        let printed = printed.trim();
        let expression = origin.text.get(origin.range.clone())?.to_owned();
        let shown: String = printed.chars().take(40).collect();
        let at_error = rendered.text.get(error.offset..)?;
        let is_word = !printed.contains(['{', '}', '[', ']', '"', ',', ':', '\n'])
            && serde_json::from_str::<Value>(printed).is_err();
        let why = match python_constant(&rendered.text, error.offset) {
            Some((python, json)) => format!("Python's {python}, where JSON has {json}"),
            None if at_error.starts_with('\'') || is_word => format!("{shown}, which is no JSON value"),
            None => return None,
        };
        Some(Problem {
            message: format!("invalid JSON: {expression} prints {why}"),
            help: Some(format!("print the value as JSON: {}", with_tojson(&expression))),
            location: located(self.files.path(&origin.file), &origin.text, origin.range),
        })
    }

    /// A sentence for each `rally.collect` that finds no file.
    fn empty_collections(&self) -> Vec<String> {
        let Text::Rendered(rendered) = &self.text else { return Vec::new() };
        let sentence = |(pattern, place): (String, Option<Place>)| {
            let found = format!("rally.collect found no file that matches '{}'", Clean(&pattern));
            match place {
                Some(Place { file, offset }) => {
                    let location = located(self.files.path(&file.name), &file.text, offset..offset);
                    format!("{location}: {found}")
                }
                None => found,
            }
        };
        rendered.empty_collections().into_iter().map(sentence).collect()
    }

    /// Gives keys at the top other names: each with its name in the text, and the new one.
    pub(crate) fn rename_keys(&mut self, keys: &[(&'static str, &'static str)]) {
        let Some(members) = self.value.as_object_mut() else { return };
        for (written, name) in keys {
            if let Some(value) = members.remove(*written) {
                members.insert((*name).to_owned(), value);
            }
        }
        self.renamed = keys.to_vec();
    }

    /// A pointer into the text for one into the value.
    fn as_written(&self, pointer: &str) -> String {
        let mut tokens = pointer.splitn(3, '/');
        let (start, first, rest) = (tokens.next(), tokens.next(), tokens.next());
        match self.renamed.iter().find(|(_, name)| start == Some("") && first == Some(name)) {
            Some((written, _)) => match rest {
                Some(rest) => format!("/{written}/{rest}"),
                None => format!("/{written}"),
            },
            None => pointer.to_owned(),
        }
    }

    /// A problem with the value, or the key, that a pointer points to.
    pub(crate) fn problem(
        &self,
        pointer: &str,
        part: Part,
        message: String,
        help: Option<String>,
    ) -> Problem {
        let pointer = self.as_written(pointer);
        let mut location = match json::locate(self.text.as_str(), &pointer, part) {
            Some(range) => self.location(range),
            None => Location { file: self.path.clone(), ..Location::default() },
        };
        location.pointer = Some(pointer);
        Problem { message, help, location }
    }

    fn location(&self, range: std::ops::Range<usize>) -> Location {
        if let Text::Rendered(rendered) = &self.text {
            if let Some(origin) = rendered.origin(range.clone()) {
                return located(self.files.path(&origin.file), &origin.text, origin.range);
            }
            return Location { rendered: true, ..located(self.path.clone(), &rendered.text, range) };
        }
        located(self.path.clone(), self.text.as_str(), range)
    }

    /// A sentence for each key that is there twice.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let warning = |pointer: &String| {
            let place = self.problem(pointer, Part::Key, String::new(), None).location;
            let key = pointer.rsplit('/').next().unwrap_or_default().replace("~1", "/").replace("~0", "~");
            format!("{place}: duplicate key '{}'; the last one counts", Clean(&key))
        };
        let duplicates = self.duplicates.iter().take(MAX_DUPLICATES).map(warning);
        duplicates.chain(self.empty_collections()).collect()
    }

    /// The file.
    pub(crate) fn path(&self) -> &std::path::Path {
        &self.path
    }

    /// Length of the text, rendered if it is a template.
    pub(crate) fn text_bytes(&self) -> usize {
        self.text.as_str().len()
    }

    pub(crate) fn into_value(self) -> Value {
        self.value
    }
}

/// The word at an offset that Python has for a value of JSON, and JSON's.
fn python_constant(text: &str, offset: usize) -> Option<(&'static str, &'static str)> {
    let rest = text.get(offset..)?;
    let is_letter = |letter: char| letter.is_alphanumeric() || letter == '_';
    let word = &rest[..rest.find(|letter| !is_letter(letter)).unwrap_or(rest.len())];
    let words = [("True", "true"), ("False", "false"), ("None", "null")];
    words.into_iter().find(|(python, _)| *python == word)
}

/// An expression that prints its value as JSON.
fn with_tojson(expression: &str) -> String {
    let inner = expression.trim_start_matches("{{").trim_end_matches("}}").trim_matches(['-', '+']).trim();
    // A filter binds more tightly than any operator.
    let words = [" if ", " and ", " or ", " in ", " is ", "not "];
    let is_operator = |letter: char| "+-*/%~<>!=,".contains(letter);
    let outside = inner.split(['(', '[', '\'', '"']).next().unwrap_or_default();
    match words.iter().any(|word| inner.contains(word)) || outside.contains(is_operator) {
        true => format!("{{{{ ({inner}) | tojson }}}}"),
        false => format!("{{{{ {inner} | tojson }}}}"),
    }
}

fn located(file: PathBuf, text: &str, range: std::ops::Range<usize>) -> Location {
    let (line, column) = line_and_column(text, range.start);
    Location {
        file,
        pointer: None,
        line: Some(line),
        column: Some(column),
        rendered: false,
        excerpt: Some(Excerpt::new(text, range)),
    }
}

/// A template that could not be rendered, as a problem.
pub(crate) fn template_problem(files: &TrackFiles, failure: Failure) -> Problem {
    let file = files.path(&failure.file);
    let location = match (failure.text, failure.at) {
        (Some(text), Some(At::Tag(range))) => located(file, &text, range),
        (Some(text), Some(At::Line(line))) => {
            let start = text
                .match_indices('\n')
                .nth(line.wrapping_sub(2))
                .filter(|_| line > 1)
                .map_or(0, |(at, _)| at + 1);
            let indent = text[start..].len() - text[start..].trim_start().len();
            let end = text[start..].find('\n').map_or(text.len(), |length| start + length);
            let first = (start + indent).min(end);
            Location { column: None, ..located(file, &text, first..end) }
        }
        _ => Location { file, ..Location::default() },
    };
    Problem { message: failure.message, help: failure.help, location }
}
