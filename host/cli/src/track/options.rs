//! From options of the command line to those of the track's reader.

use std::time::{SystemTime, UNIX_EPOCH};

use rally_repository::Step;
use rally_session::{FoundTrack, Home, TrackFinder, TrackSpec};
use rally_support::option_value;
use rally_track::{BuildFlavor, LoadOptions, TrackParameters};
use serde_json::{Map, Value};

use super::args::{FlavorArgs, RepositoryArgs, StrictArgs, TaskFilterArgs, TrackArgs, TrackParamArgs};
use crate::ending::CommandError;
use crate::terminal;

/// How a track is read, as the user asks for it.
#[derive(Debug, Clone)]
pub struct Reading(LoadOptions);

impl Reading {
    /// With the parameters that the user gives. Names of an extension are taken as they are: nothing of it is run.
    ///
    /// # Errors
    /// Where the parameters cannot be read.
    pub fn with(arguments: &TrackParamArgs) -> Result<Reading, CommandError> {
        let track_params = track_params(arguments)?;
        Ok(Reading(LoadOptions {
            now: now(),
            any_names: true,
            track_params,
            ignore_unused_track_params: arguments.ignore_unused_track_params,
            ..LoadOptions::default()
        }))
    }

    /// Only these tasks.
    ///
    /// # Errors
    /// Where a list of JSON, or its file, cannot be read.
    pub fn filtered(mut self, filters: &TaskFilterArgs) -> Result<Reading, CommandError> {
        self.0.include_tasks =
            listed("include-tasks", filters.include_tasks.as_deref()).map_err(CommandError::user)?;
        self.0.exclude_tasks =
            listed("exclude-tasks", filters.exclude_tasks.as_deref()).map_err(CommandError::user)?;
        Ok(self)
    }

    /// With unknown keys as errors or not.
    pub fn strict(mut self, strict: StrictArgs) -> Reading {
        self.0.strict = strict.strict;
        self
    }

    /// For a challenge, or for all.
    pub fn challenge(mut self, challenge: Option<&str>) -> Reading {
        self.0.challenge = challenge.map(str::to_owned);
        self
    }

    /// For a kind of target.
    pub fn flavor(self, flavor: &FlavorArgs) -> Reading {
        self.for_target(flavor.build_flavor.into(), flavor.serverless_operator)
    }

    fn for_target(mut self, build_flavor: BuildFlavor, serverless_operator: bool) -> Reading {
        self.0.build_flavor = build_flavor;
        self.0.serverless_operator = serverless_operator;
        self
    }

    /// In test mode or not.
    pub fn test_mode(mut self, test_mode: bool) -> Reading {
        self.0.test_mode = test_mode;
        self
    }

    /// For the reader.
    pub fn options(self) -> LoadOptions {
        self.0
    }
}

/// Seconds since the epoch, for templates.
pub fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}

/// The parameters that the user gives.
pub fn track_params(arguments: &TrackParamArgs) -> Result<Map<String, Value>, CommandError> {
    match arguments.track_params.as_deref() {
        Some(text) => TrackParameters::parse(text).map_err(CommandError::user),
        None => Ok(Map::new()),
    }
}

/// Finds the track that the user asks for: at its path, or by its name.
pub fn find(track: &TrackArgs, repository: &RepositoryArgs, home: &Home) -> Result<FoundTrack, CommandError> {
    Ok(match track.spec(repository) {
        TrackSpec::Folder(path) => FoundTrack::at(&path)?,
        TrackSpec::Named(named) => finder(repository, home).find(&named, None)?,
        TrackSpec::Bundle(bundle) => FoundTrack::at(&bundle.file)?,
    })
}

/// Finds tracks as the user says.
pub fn finder<'a>(repository: &RepositoryArgs, home: &'a Home) -> TrackFinder<'a> {
    TrackFinder { home, offline: repository.offline, on_step: announce }
}

/// Says what takes long.
pub fn announce(step: &Step) {
    match step {
        Step::Clone { url, .. } => terminal::say(format_args!("Cloning tracks from {url}")),
        other => tracing::info!(step = ?other, "track repository"),
    }
}

/// As in Elastic Rally: names between commas, a JSON list of them, or a `.json` file with such a list. Without any text there
/// is no filter.
pub fn listed(option: &'static str, text: Option<&str>) -> Result<Vec<String>, String> {
    let text = text.unwrap_or_default().trim();
    let list = |json: &str, origin: &str| {
        serde_json::from_str::<Vec<String>>(json).map_err(|_| {
            format!(
                "--{option}: {origin} is not a JSON list of filters, such as [\"index\", \"type:search\"]"
            )
        })
    };
    match option_value::file(text) {
        _ if text.is_empty() => Ok(Vec::new()),
        Some(path) => {
            let content = std::fs::read_to_string(path)
                .map_err(|source| format!("--{option}: cannot read {text}: {source}"))?;
            list(content.strip_prefix('\u{FEFF}').unwrap_or(&content), text)
        }
        None if text.starts_with('[') => list(text, "the text"),
        None => Ok(text.split(',').map(|filter| filter.trim().to_owned()).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_names_a_json_list_or_a_file() {
        let filters = |text: &str| listed("include-tasks", Some(text));
        let both = Ok(vec!["a".to_owned(), "type:b".to_owned()]);
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("filters.json");
        std::fs::write(&file, "[\"a\", \"type:b\"]").unwrap();
        for text in ["a, type:b", "[\"a\", \"type:b\"]", " [ \"a\",\"type:b\" ] ", file.to_str().unwrap()] {
            assert_eq!(filters(text), both, "{text}");
        }
        assert_eq!(filters("type:b.json").unwrap(), ["type:b.json"]);
        assert_eq!(filters(" ").unwrap(), Vec::<String>::new());
        for text in ["[1]", "[\"a\""] {
            assert!(filters(text).unwrap_err().contains("is not a JSON list"), "{text}");
        }
        assert!(filters("missing.json").unwrap_err().contains("cannot read missing.json"));
    }
}
