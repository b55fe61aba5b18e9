//! Track parameters: what `--track-params` says, and whether a track reads them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rally_support::option_value;
use rally_support::suggest::listed;
use serde_json::{Map, Number, Value};

use crate::template::RESERVED_PARAMETERS;

/// Track parameters as Rally reads them.
#[derive(Debug, Clone, Copy)]
pub struct TrackParameters;

/// Why track parameters cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ParameterError {
    /// The file cannot be read.
    #[error("--track-params: cannot read '{}': {source}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the file system said.
        source: std::io::Error,
    },
    /// Malformed JSON.
    #[error("--track-params: {place} is not valid JSON: {source}")]
    Json {
        /// The file, or `the text`.
        place: String,
        /// What is wrong and where.
        source: serde_json::Error,
    },
    /// JSON, but no object.
    #[error(
        "--track-params: {place} must be a JSON object of parameters, such as {{\"bulk_size\": 500}}, not {found}"
    )]
    NotAnObject {
        /// The file, or `the text`.
        place: String,
        /// What it is.
        found: &'static str,
    },
    /// A part of a list that is no `key:value`.
    #[error(
        "--track-params: part {number}{} is not of the form key:value; put quotes around a value with colons or commas, or \
         give a JSON object or a file",
        .name.as_ref().map(|name| format!(" ('{name}')")).unwrap_or_default()
    )]
    Part {
        /// Which part it is, from 1 on. What stands there may be secret.
        number: usize,
        /// The key in it, where it has too many colons.
        name: Option<String>,
    },
    /// A number that JSON cannot hold.
    #[error(
        "--track-params: the value of '{key}' does not fit into a number of 64 bits; put it in single quotes to pass it as text"
    )]
    Number {
        /// The parameter.
        key: String,
    },
    /// Names that Rally gives to templates itself.
    #[error("the track parameters {} are defined by rally and cannot be set", listed(names.iter().map(String::as_str)))]
    Reserved {
        /// The names.
        names: Vec<String>,
    },
    /// Parameters that no template of the track reads.
    #[error("{}", unused_message(unused, defined))]
    Unused {
        /// The names, each with the name that was probably meant.
        unused: BTreeMap<String, Option<String>>,
        /// All names that the track reads.
        defined: BTreeSet<String>,
    },
}

fn unused_message(unused: &BTreeMap<String, Option<String>>, defined: &BTreeSet<String>) -> String {
    let names = unused.iter().map(|(name, suggestion)| match suggestion {
        Some(suggestion) => format!("'{name}' (did you mean '{suggestion}'?)"),
        None => format!("'{name}'"),
    });
    let names: Vec<String> = names.collect();
    let read = match defined.is_empty() {
        true => "it has no parameters".to_owned(),
        false => format!("its parameters are {}", listed(defined.iter().map(String::as_str))),
    };
    format!(
        "the track does not use the track parameters {}; {read}",
        listed(names.iter().map(String::as_str))
    )
}

impl TrackParameters {
    /// Reads the text of `--track-params`: a file whose name ends in `.json`, a JSON object, or `key:value,key:value`
    /// (quotes keep commas and colons), where a value that looks like a number, `true`, `false` or `none` is one, unless it is in single quotes.
    ///
    /// # Errors
    ///
    /// What is wrong with it, and what to write instead.
    pub fn parse(text: &str) -> Result<Map<String, Value>, ParameterError> {
        if let Some(path) = option_value::file(text) {
            return Self::read(&path);
        }
        let place = || "the text".to_owned();
        match serde_json::from_str(text) {
            Ok(Value::Object(parameters)) => Ok(parameters),
            Ok(other) => Err(ParameterError::NotAnObject { place: place(), found: kind(&other) }),
            Err(source) if text.trim_start().starts_with(['{', '[']) => {
                Err(ParameterError::Json { place: place(), source })
            }
            Err(_) => Self::parse_list(text),
        }
    }

    fn read(path: &Path) -> Result<Map<String, Value>, ParameterError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ParameterError::Read { path: path.to_owned(), source })?;
        let place = || format!("'{}'", path.display());
        match serde_json::from_str(text.strip_prefix('\u{FEFF}').unwrap_or(&text)) {
            Ok(Value::Object(parameters)) => Ok(parameters),
            Ok(other) => Err(ParameterError::NotAnObject { place: place(), found: kind(&other) }),
            Err(source) => Err(ParameterError::Json { place: place(), source }),
        }
    }

    fn parse_list(text: &str) -> Result<Map<String, Value>, ParameterError> {
        let mut parameters = Map::new();
        if text.trim().is_empty() {
            return Ok(parameters);
        }
        for (index, part) in option_value::parts(text).into_iter().enumerate() {
            let number = index + 1;
            let (key, value) = part.split_once(':').ok_or(ParameterError::Part { number, name: None })?;
            let (key, value) = (key.trim(), value.trim());
            let quoted = option_value::unquoted(value);
            if quoted == value && value.contains(':') {
                return Err(ParameterError::Part { number, name: Some(key.to_owned()) });
            }
            // Double quotes are Rally's letters; they go where they keep a comma or a colon.
            let value = if quoted.contains([',', ':']) { format!("'{quoted}'") } else { value.to_owned() };
            let converted =
                converted(&value).ok_or_else(|| ParameterError::Number { key: key.to_owned() })?;
            parameters.insert(key.to_owned(), converted);
        }
        Ok(parameters)
    }

    /// Whether each parameter is read by the track, given the names that its templates read.
    ///
    /// # Errors
    ///
    /// If a parameter has a reserved name, or is not read.
    pub fn check(given: &Map<String, Value>, defined: &BTreeSet<String>) -> Result<(), ParameterError> {
        let mut names: Vec<String> =
            given.keys().filter(|name| RESERVED_PARAMETERS.contains(&name.as_str())).cloned().collect();
        if !names.is_empty() {
            names.sort();
            return Err(ParameterError::Reserved { names });
        }
        let unused: BTreeMap<_, _> = given
            .keys()
            .filter(|name| !defined.contains(*name))
            .map(|name| (name.clone(), close_match(name, defined)))
            .collect();
        if unused.is_empty() {
            return Ok(());
        }
        Err(ParameterError::Unused { unused, defined: defined.clone() })
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// A value of a list; nothing if it is a number that is too large.
fn converted(text: &str) -> Option<Value> {
    if let Some(rest) = text.strip_prefix('\'') {
        let mut quoted = rest.chars();
        quoted.next_back();
        return Some(Value::from(quoted.as_str()));
    }
    if let Some(digits) = without_underscores(text) {
        let unsigned = digits.strip_prefix(['+', '-']).unwrap_or(&digits);
        if !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
            return digits
                .parse::<i64>()
                .map(Value::from)
                .or_else(|_| digits.strip_prefix('+').unwrap_or(&digits).parse::<u64>().map(Value::from))
                .ok();
        }
        // Rust reads the same floats as Python, infinities and NaN among them.
        if let Ok(number) = digits.parse::<f64>() {
            return Number::from_f64(number).map(Value::Number);
        }
    }
    Some(match text.to_lowercase().as_str() {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        "none" => Value::Null,
        _ => Value::from(text),
    })
}

/// Python's numbers can have single underscores between digits.
fn without_underscores(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let is_digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    for (at, _) in text.match_indices('_') {
        if !is_digit(at.checked_sub(1)) || !is_digit(Some(at + 1)) {
            return None;
        }
    }
    Some(text.replace('_', ""))
}

/// The most similar name, as Rally suggests it (Python's `difflib`): at least 0.6 alike; of two, the later one.
fn close_match(name: &str, candidates: &BTreeSet<String>) -> Option<String> {
    let wanted: Vec<char> = name.chars().collect();
    let mut best: Option<(f64, &String)> = None;
    for candidate in candidates {
        let letters: Vec<char> = candidate.chars().collect();
        let total = wanted.len() + letters.len();
        let ratio = if total == 0 { 1.0 } else { 2.0 * matching(&letters, &wanted) as f64 / total as f64 };
        if ratio >= 0.6 && best.is_none_or(|(least, _)| ratio >= least) {
            best = Some((ratio, candidate));
        }
    }
    best.map(|(_, candidate)| candidate.clone())
}

/// Letters in common: those of the longest common part, and of what stands before and behind it.
fn matching(a: &[char], b: &[char]) -> usize {
    let (mut start_a, mut start_b, mut length) = (0, 0, 0);
    let mut previous = vec![0; b.len() + 1];
    for (at_a, letter) in a.iter().enumerate() {
        let mut current = vec![0; b.len() + 1];
        for (at_b, other) in b.iter().enumerate() {
            if letter == other {
                current[at_b + 1] = previous[at_b] + 1;
                if current[at_b + 1] > length {
                    length = current[at_b + 1];
                    (start_a, start_b) = (at_a + 1 - length, at_b + 1 - length);
                }
            }
        }
        previous = current;
    }
    if length == 0 {
        return 0;
    }
    length + matching(&a[..start_a], &b[..start_b]) + matching(&a[start_a + length..], &b[start_b + length..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::TrackFiles;
    use crate::template::{RenderOptions, Renderer};

    fn golden() -> Value {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/track_params.json");
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    }

    fn defined_in(template: &str) -> BTreeSet<String> {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("track.json"), template).unwrap();
        let files = TrackFiles::new(directory.path()).unwrap();
        Renderer::new(files, &RenderOptions::default()).defined_parameters("track.json").unwrap()
    }

    fn names(json: &Value) -> Vec<&str> {
        json.as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect()
    }

    #[test]
    fn parameters_are_read_and_checked_as_rally_2_13_does() {
        let mut compared = 0;
        for case in golden()["cases"].as_array().unwrap() {
            let (id, input, expected) = (&case["id"], &case["input"], &case["expected"]);
            match input["fn"].as_str().unwrap() {
                "to_dict" => {
                    let outcome = TrackParameters::parse(input["arg"].as_str().unwrap());
                    match expected.is_null() {
                        true => assert!(outcome.is_err(), "{id}: {outcome:?}"),
                        false => assert_eq!(&Value::Object(outcome.unwrap()), expected, "{id}"),
                    }
                }
                "find_undeclared_variables" => {
                    let defined = defined_in(input["template"].as_str().unwrap());
                    assert_eq!(defined.iter().collect::<Vec<_>>(), names(expected), "{id}");
                }
                "CompleteTrackParams" => {
                    let defined = defined_in(input["template"].as_str().unwrap());
                    assert_eq!(defined.iter().collect::<Vec<_>>(), names(&expected["defined"]), "{id}");
                    let given = input["user_params"].as_object().unwrap();
                    match TrackParameters::check(given, &defined) {
                        Ok(()) => assert!(names(&expected["unused"]).is_empty(), "{id}"),
                        Err(ParameterError::Reserved { names: reserved }) => {
                            assert_eq!(reserved, names(&expected["reserved"]), "{id}");
                        }
                        Err(ParameterError::Unused { unused, .. }) => {
                            assert_eq!(unused.keys().collect::<Vec<_>>(), names(&expected["unused"]), "{id}");
                            let suggested: Vec<&String> = unused.values().flatten().collect();
                            assert_eq!(suggested, names(&expected["close_matches"]), "{id}");
                        }
                        Err(error) => panic!("{id}: {error}"),
                    }
                }
                // Lists of task names and the like, not parameters.
                "csv_to_list" => continue,
                other => panic!("nothing is known of {other}"),
            }
            compared += 1;
        }
        assert!(compared > 20);
    }

    #[test]
    fn numbers_are_pythons() {
        let value = |text: &str| TrackParameters::parse(&format!("a:{text}")).unwrap()["a"].clone();
        for (text, expected) in [
            ("-5", Value::from(-5)),
            ("+5", Value::from(5)),
            ("18446744073709551615", Value::from(u64::MAX)),
            ("1e3", Value::from(1000.0)),
            ("1_0.5", Value::from(10.5)),
            ("1__0", Value::from("1__0")),
            ("_1", Value::from("_1")),
            ("0x10", Value::from("0x10")),
            ("'5'", Value::from("5")),
            ("'", Value::from("")),
            ("False", Value::from(false)),
            ("", Value::from("")),
        ] {
            assert_eq!(value(text), expected, "{text}");
        }
        for text in ["a:nan", "a:-Infinity", "a:99999999999999999999999"] {
            let error = TrackParameters::parse(text).unwrap_err();
            assert!(matches!(error, ParameterError::Number { .. }), "{text}: {error}");
        }
    }

    #[test]
    fn a_list_may_end_like_the_name_of_a_file() {
        let parameters = TrackParameters::parse("bulk_size:50,index_body:mine.json").unwrap();
        assert_eq!(
            Value::Object(parameters),
            serde_json::json!({"bulk_size": 50, "index_body": "mine.json"})
        );
        let parameters = TrackParameters::parse("index_body:mine.json").unwrap();
        assert_eq!(parameters["index_body"], "mine.json");
        let parameters = TrackParameters::parse("a:'x,y',b:\"p:q,r\",c:'7'").unwrap();
        assert_eq!(Value::Object(parameters), serde_json::json!({"a": "x,y", "b": "p:q,r", "c": "7"}));
    }

    #[test]
    fn a_malformed_list_repeats_no_value() {
        for text in [
            "key:open,sesame",
            "key:sesame:x",
            "a:1,sesame",
            "{\"a\": sesame}",
            "key:99999999999999999999999",
        ] {
            let error = TrackParameters::parse(text).unwrap_err().to_string();
            assert!(!error.contains("sesame") && !error.contains("999"), "{text}: {error}");
        }
        assert!(TrackParameters::parse("a:1,key:x:y").unwrap_err().to_string().contains("part 2 ('key')"));
    }

    #[test]
    fn json_that_is_no_object_is_refused() {
        for text in ["[1]", "5", "true", "\"a\"", "{\"a\": 1", "[\"a\"", "null", "missing.json"] {
            let error = TrackParameters::parse(text).unwrap_err().to_string();
            assert!(error.starts_with("--track-params: "), "{error}");
        }
    }

    #[test]
    fn a_file_holds_an_object() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("params.json");
        std::fs::write(&path, "\u{FEFF}{\"a\": [1, {\"b\": null}]}").unwrap();
        let parameters = TrackParameters::parse(path.to_str().unwrap()).unwrap();
        assert_eq!(Value::Object(parameters), serde_json::json!({"a": [1, {"b": null}]}));
    }
}
