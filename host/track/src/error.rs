//! What can be wrong with a track, where, and what to do about it.

use std::fmt::{self, Write as _};
use std::io;
use std::path::PathBuf;

use rally_support::printable;
use rally_support::suggest::listed;

use crate::ParameterError;
use crate::excerpt::Excerpt;
use crate::invisible;

/// Why a track could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum TrackError {
    /// No track is at this place.
    #[error(
        "no track at '{}': expected a directory with a track.json (or a workload.json), or a .json file",
        .path.display()
    )]
    NotFound {
        /// The directory or file that was asked for.
        path: PathBuf,
    },
    /// The file system refused.
    #[error("cannot read '{}': {source}", .path.display())]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// The text of the track, or of a file that it names, is wrong.
    #[error("{}", ProblemList { track, problems })]
    Invalid {
        /// Name of the track.
        track: String,
        /// Everything that was found, at least one.
        problems: Vec<Problem>,
    },
    /// The parameters that the track is given are not those that it reads.
    #[error("track '{track}': {source}")]
    Parameters {
        /// Name of the track.
        track: String,
        /// Which, and what it reads.
        source: ParameterError,
    },
    /// `--challenge` names a challenge that the track does not have.
    #[error("unknown challenge '{challenge}' for track '{track}'{}; it has: {}",
        did_you_mean(suggestion.as_deref()), listed(known.iter().map(String::as_str)))]
    UnknownChallenge {
        /// Name of the track.
        track: String,
        /// The name that was asked for.
        challenge: String,
        /// Names of all challenges.
        known: Vec<String>,
        /// The name that was probably meant.
        suggestion: Option<String>,
    },
    /// `--include-tasks` or `--exclude-tasks` cannot be read, or selects nothing.
    #[error("--{option}: {}", Clean(message))]
    Filter {
        /// `include-tasks` or `exclude-tasks`.
        option: &'static str,
        /// The problem and its remedy.
        message: String,
    },
}

/// `, did you mean …?` where there is something to suggest.
pub(crate) fn did_you_mean(suggestion: Option<&str>) -> String {
    suggestion.map(|name| format!(", did you mean '{name}'?")).unwrap_or_default()
}

/// Text from a track in a message: nothing in it can control the terminal, and it is of a bearable length.
pub(crate) struct Clean<'a>(pub(crate) &'a str);

/// Longest message, in characters.
const MAX_MESSAGE: usize = 1000;

impl fmt::Display for Clean<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars().take(MAX_MESSAGE) {
            match invisible::name(character) {
                Some(_) if !character.is_control() => write!(f, "{}", character.escape_unicode())?,
                _ => f.write_char(printable::character(character))?,
            }
        }
        if self.0.chars().nth(MAX_MESSAGE).is_some() { f.write_char('…') } else { Ok(()) }
    }
}

/// One thing that is wrong in the text of a track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The problem.
    pub message: String,
    /// What to do about it, where that is not obvious.
    pub help: Option<String>,
    /// Where it is.
    pub location: Location,
}

/// Where something is wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Location {
    /// The source file: the template that the text comes from, not the rendered text.
    pub file: PathBuf,
    /// JSON pointer into the rendered document, e.g. `/challenges/0/schedule/2`.
    pub pointer: Option<String>,
    /// Line in the file, from 1 on. Where a position could not be traced back through the template it is the line of
    /// the rendered text, and [`Location::rendered`] is true.
    pub line: Option<usize>,
    /// Column in characters, from 1 on.
    pub column: Option<usize>,
    /// Whether line, column and excerpt are those of the rendered text.
    pub rendered: bool,
    /// The lines around, with a mark at the place.
    pub excerpt: Option<Excerpt>,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Clean(&self.file.to_string_lossy()))?;
        if let (Some(line), false) = (self.line, self.rendered) {
            write!(f, ":{line}")?;
            if let Some(column) = self.column {
                write!(f, ":{column}")?;
            }
        }
        if let Some(pointer) = &self.pointer {
            write!(f, " at {}", Clean(if pointer.is_empty() { "the top level" } else { pointer }))?;
        }
        if let (Some(line), true) = (self.line, self.rendered) {
            write!(f, " (line {line} of the rendered text)")?;
        }
        Ok(())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n  --> {}", Clean(&self.message), self.location)?;
        if let Some(excerpt) = &self.location.excerpt {
            write!(f, "\n{excerpt}")?;
        }
        if let Some(help) = &self.help {
            write!(f, "\n  help: {}", Clean(help))?;
        }
        Ok(())
    }
}

/// The number of problems that are printed in full; the others are counted.
const SHOWN_PROBLEMS: usize = 5;

struct ProblemList<'a> {
    track: &'a str,
    problems: &'a [Problem],
}

impl fmt::Display for ProblemList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "track '{}' is invalid", self.track)?;
        for problem in self.problems.iter().take(SHOWN_PROBLEMS) {
            f.write_str(if self.problems.len() > 1 { "\n\n" } else { ": " })?;
            problem.fmt(f)?;
        }
        if self.problems.len() > SHOWN_PROBLEMS {
            write!(f, "\n\nand {} more", self.problems.len() - SHOWN_PROBLEMS)?;
        }
        Ok(())
    }
}
