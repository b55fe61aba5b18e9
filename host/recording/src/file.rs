//! The file of a recording: JSON, a value on each line.
//!
//! ```text
//! {"rally-recording": 1, "seed": 1}
//! {"challenge": "short"}
//! {"method": "GET", "target": "/", "status": 200, "headers": [["content-type", "application/json"]], "answer": "{…}"}
//! {"method": "POST", "target": "/_bulk", "body-sha256": "…", "status": 200, "headers": [], "answer": "{…}"}
//! ```
//!
//! After the line of a challenge come the requests of its race with their answers. A request without body has neither `body`
//! nor `body-sha256`; a body that is long or no text is known by its SHA-256.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use rally_component::Digest;
use serde::{Deserialize, Serialize};

const VERSION: u64 = 1;
/// Longest body that is written out, in bytes: people read recordings.
const LONGEST_BODY: usize = 4096;

/// A recording cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// Its file cannot be read.
    #[error("cannot read the recording '{path}'")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// A line is not one of a recording.
    #[error("'{path}', line {line}: {reason}; `rally extension test --record` makes recordings")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The problem with it.
        reason: String,
    },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Header {
    rally_recording: u64,
    seed: u64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Begin {
    challenge: String,
}

/// What makes two requests the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Asked {
    /// HTTP method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// SHA-256 of the body.
    pub body: Digest,
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Names and values of the headers that another server can give as well.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub content: String,
}

/// A request and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// The request.
    pub asked: Asked,
    /// The body of the request where it is short enough to be read.
    pub body: Option<String>,
    /// The answer.
    pub answer: Answer,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Line {
    method: String,
    target: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body_sha256: Option<String>,
    status: u16,
    #[serde(default)]
    headers: Vec<(String, String)>,
    answer: String,
}

/// What a target has answered in the race of each challenge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    seed: u64,
    challenges: Vec<(String, Vec<Exchange>)>,
}

impl Recording {
    /// An empty one of races with this seed.
    pub fn new(seed: u64) -> Recording {
        Recording { seed, challenges: Vec::new() }
    }

    /// Reads a recording.
    ///
    /// # Errors
    /// Where the file cannot be read, or is not a recording.
    pub fn read(path: &Path) -> Result<Recording, RecordingError> {
        let text = fs::read_to_string(path)
            .map_err(|cause| RecordingError::Read { path: path.to_owned(), cause })?;
        text.parse().map_err(|(line, reason)| RecordingError::Malformed {
            path: path.to_owned(),
            line,
            reason,
        })
    }

    /// Writes it as a file.
    ///
    /// # Errors
    /// Where `out` cannot be written.
    pub fn write_to(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut line = |value: serde_json::Result<String>| writeln!(out, "{}", value?);
        line(serde_json::to_string(&Header { rally_recording: VERSION, seed: self.seed }))?;
        for (challenge, exchanges) in &self.challenges {
            line(serde_json::to_string(&Begin { challenge: challenge.clone() }))?;
            for exchange in exchanges {
                line(serde_json::to_string(&Line::from(exchange)))?;
            }
        }
        Ok(())
    }

    /// Takes in the race of one more challenge.
    pub fn add(&mut self, challenge: &str, exchanges: Vec<Exchange>) {
        self.challenges.push((challenge.to_owned(), exchanges));
    }

    /// The seed of its races.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The race of a challenge.
    pub fn exchanges(&self, challenge: &str) -> Option<&[Exchange]> {
        let mut challenges = self.challenges.iter();
        challenges.find(|(name, _)| name == challenge).map(|(_, exchanges)| exchanges.as_slice())
    }
}

impl FromStr for Recording {
    type Err = (usize, String);

    /// The number of the line, from 1, and what is wrong there.
    fn from_str(text: &str) -> Result<Recording, (usize, String)> {
        let mut lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
        let mut lines = lines.by_ref().filter(|(_, line)| !line.trim().is_empty());
        let (number, first) = lines.next().ok_or((1, "the recording is empty".to_owned()))?;
        let header: Header = serde_json::from_str(first).map_err(|error| (number, error.to_string()))?;
        if header.rally_recording != VERSION {
            let version = header.rally_recording;
            return Err((number, format!("this rally does not read recordings of version {version}")));
        }
        let mut recording = Recording::new(header.seed);
        for (number, line) in lines {
            let wrong = |reason: String| (number, reason);
            if let Ok(Begin { challenge }) = serde_json::from_str(line) {
                if recording.exchanges(&challenge).is_some() {
                    return Err(wrong(format!("duplicate challenge '{challenge}'")));
                }
                recording.add(&challenge, Vec::new());
                continue;
            }
            let exchange = serde_json::from_str(line)
                .map_err(|error| error.to_string())
                .and_then(Line::exchange)
                .map_err(wrong)?;
            let (_, exchanges) = recording
                .challenges
                .last_mut()
                .ok_or_else(|| wrong("a request before the line of a challenge".to_owned()))?;
            exchanges.push(exchange);
        }
        Ok(recording)
    }
}

impl Exchange {
    /// A request with its answer; the answer has to be text.
    pub fn new(
        method: &str,
        target: &str,
        body: &[u8],
        status: u16,
        headers: Vec<(String, String)>,
        content: String,
    ) -> Exchange {
        let text = std::str::from_utf8(body).ok().filter(|text| text.len() <= LONGEST_BODY);
        Exchange {
            asked: Asked { method: method.to_owned(), target: target.to_owned(), body: Digest::of(body) },
            body: text.map(str::to_owned),
            answer: Answer { status, headers, content },
        }
    }
}

impl From<&Exchange> for Line {
    fn from(exchange: &Exchange) -> Line {
        let Exchange { asked, body, answer } = exchange;
        Line {
            method: asked.method.clone(),
            target: asked.target.clone(),
            body: body.clone().filter(|body| !body.is_empty()),
            body_sha256: if body.is_none() { Some(asked.body.to_string()) } else { None },
            status: answer.status,
            headers: answer.headers.clone(),
            answer: answer.content.clone(),
        }
    }
}

impl Line {
    fn exchange(self) -> Result<Exchange, String> {
        let (digest, body) = match (self.body, self.body_sha256) {
            (None, None) => (Digest::of(b""), Some(String::new())),
            (Some(body), None) => (Digest::of(body.as_bytes()), Some(body)),
            (None, Some(digest)) => (digest.parse().map_err(|error| format!("body-sha256: {error}"))?, None),
            (Some(_), Some(_)) => return Err("both body and body-sha256 are set".to_owned()),
        };
        if !(100..=599).contains(&self.status) {
            return Err(format!("{} is not an HTTP status", self.status));
        }
        let answer = Answer { status: self.status, headers: self.headers, content: self.answer };
        Ok(Exchange { asked: Asked { method: self.method, target: self.target, body: digest }, body, answer })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recording() -> Recording {
        let mut recording = Recording::new(7);
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        recording.add(
            "short",
            vec![
                Exchange::new("GET", "/", b"", 200, headers, "{}".to_owned()),
                Exchange::new("POST", "/_bulk", &[b'x'; LONGEST_BODY + 1], 200, Vec::new(), String::new()),
                Exchange::new("POST", "/a/_search", b"{\"query\": 1}", 404, Vec::new(), "[]".to_owned()),
            ],
        );
        recording.add("long", Vec::new());
        recording
    }

    fn text(recording: &Recording) -> String {
        let mut bytes = Vec::new();
        recording.write_to(&mut bytes).expect("written");
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn a_recording_is_read_as_it_is_written() {
        let recording = recording();
        let text = text(&recording);
        assert_eq!(text.parse(), Ok(recording));
        assert!(text.contains("\"body\":\"{\\\"query\\\": 1}\"") && text.contains("body-sha256"), "{text}");
    }

    #[test]
    fn what_is_no_recording_says_where() {
        let parse = |text: &str| text.parse::<Recording>().expect_err("no recording");
        assert_eq!(parse("").0, 1);
        assert_eq!(parse("{}").0, 1);
        assert!(parse("{\"rally-recording\": 2, \"seed\": 1}").1.contains("version 2"));
        let good = text(&recording());
        let (line, reason) = parse(&good.replacen("404", "9", 1));
        assert_eq!((line, reason.contains("9 is not an HTTP status")), (5, true), "{reason}");
        assert_eq!(parse(&good.replacen("\"long\"", "\"short\"", 1)).0, 6);
        let (header, rest) = good.split_once('\n').expect("lines");
        let (_, rest) = rest.split_once('\n').expect("lines");
        assert!(parse(&format!("{header}\n{rest}")).1.contains("before the line of a challenge"));
        assert!(parse(&good.replacen("\"method\"", "\"verb\"", 1)).1.contains("verb"));
    }
}
