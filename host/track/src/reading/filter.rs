//! `--include-tasks` and `--exclude-tasks`.

use rally_support::suggest::{closest, listed};

use super::draft::{DraftChallenge, DraftTask};
use super::reader::Reader;
use crate::error::did_you_mean;
use crate::{CompletedBy, LoadOptions, TrackError};

/// How filters are applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FilterRules {
    /// As in Rally: one set of filters is used with many tracks, so a filter that selects nothing is worth a warning, and
    /// so is a challenge without tasks. A parallel element whose tasks are all excluded stays, empty.
    AsRally,
    /// What selects nothing, or leaves nothing to race, is an error. Elements without tasks go.
    Strict,
}

/// What a task must be to be selected.
#[derive(Debug)]
enum Filter<'a> {
    Name(&'a str),
    OperationType(&'a str),
    Tag(&'a str),
}

impl Filter<'_> {
    fn selects(&self, draft: &DraftTask) -> bool {
        match self {
            Filter::Name(name) => draft.is_called(name),
            Filter::OperationType(kind) => draft.task.operation.operation_type == *kind,
            Filter::Tag(tag) => draft.task.tags.iter().any(|own| own == tag),
        }
    }
}

impl Reader<'_> {
    /// Removes the tasks that the user does not want, in all challenges.
    ///
    /// # Errors
    ///
    /// [`TrackError::Filter`] for a filter that cannot be read. With [`FilterRules::Strict`] also for one that selects
    /// nothing in any challenge, and if the challenge that is to be raced has no tasks left.
    pub(crate) fn filter(
        &mut self,
        challenges: &mut [DraftChallenge],
        rules: FilterRules,
    ) -> Result<(), TrackError> {
        let LoadOptions { include_tasks, exclude_tasks, .. } = self.options;
        let (option, written, include) = match (include_tasks.is_empty(), exclude_tasks.is_empty()) {
            (true, true) => return Ok(()),
            (false, true) => ("include-tasks", include_tasks, true),
            (true, false) => ("exclude-tasks", exclude_tasks, false),
            (false, false) => {
                let message = "cannot be used together with --exclude-tasks; give one of them".to_owned();
                return Err(TrackError::Filter { option: "include-tasks", message });
            }
        };
        let complain = |reader: &mut Self, message: String| match rules {
            FilterRules::Strict => Err(TrackError::Filter { option, message }),
            FilterRules::AsRally => {
                reader.warn(&format!("--{option}: {message}"));
                Ok(())
            }
        };
        let mut filters = Vec::new();
        for text in written {
            let filter = parse(text, challenges).map_err(|message| TrackError::Filter { option, message })?;
            if let Some(message) = selects_nothing(&filter, text, challenges) {
                complain(self, message)?;
            }
            filters.push(filter);
        }
        for challenge in challenges.iter_mut() {
            let before = challenge.tasks().count();
            for element in &mut challenge.elements {
                element.tasks.retain(|draft| filters.iter().any(|filter| filter.selects(draft)) == include);
                let Some(parallel) = &mut element.parallel else { continue };
                let Some(CompletedBy::Task(name)) = &parallel.completed_by else { continue };
                if element.tasks.iter().any(|draft| draft.is_called(name)) {
                    continue;
                }
                if !element.tasks.is_empty() {
                    self.warn(&format!(
                        "--{option} leaves out the task '{name}' that completes an element of challenge '{}'; the element \
                         now ends when all its tasks are done",
                        challenge.challenge.name
                    ));
                }
                parallel.completed_by = None;
            }
            let keeps_empty = rules == FilterRules::AsRally && !include;
            challenge
                .elements
                .retain(|element| !element.tasks.is_empty() || (keeps_empty && element.parallel.is_some()));
            if self.is_wanted(&challenge.challenge) && before > 0 && challenge.tasks().next().is_none() {
                complain(self, format!("no task of challenge '{}' remains", challenge.challenge.name))?;
            }
        }
        Ok(())
    }
}

fn parse<'a>(text: &'a str, challenges: &[DraftChallenge]) -> Result<Filter<'a>, String> {
    if challenges.iter().flat_map(DraftChallenge::tasks).any(|draft| draft.is_called(text)) {
        return Ok(Filter::Name(text));
    }
    match text.split_once(':') {
        None => Ok(Filter::Name(text)),
        Some(("type", kind)) if !kind.contains(':') => Ok(Filter::OperationType(kind)),
        Some(("tag", tag)) if !tag.contains(':') => Ok(Filter::Tag(tag)),
        Some(_) => Err(format!(
            "'{text}' is not a filter; write the name of a task, type:<operation type> or tag:<tag>"
        )),
    }
}

/// What to say of a filter that selects no task.
fn selects_nothing(filter: &Filter<'_>, text: &str, challenges: &[DraftChallenge]) -> Option<String> {
    let tasks = || challenges.iter().flat_map(DraftChallenge::tasks);
    if tasks().any(|draft| filter.selects(draft)) {
        return None;
    }
    let (value, mut candidates): (&str, Vec<&str>) = match filter {
        Filter::Name(name) => (name, tasks().map(|draft| draft.task.name.as_str()).collect()),
        Filter::OperationType(kind) => {
            (kind, tasks().map(|draft| draft.task.operation.operation_type.as_str()).collect())
        }
        Filter::Tag(tag) => (tag, tasks().flat_map(|draft| &draft.task.tags).map(String::as_str).collect()),
    };
    candidates.sort_unstable();
    candidates.dedup();
    let suggestion = closest(value, candidates.iter().copied());
    let known = match candidates.is_empty() {
        true => String::new(),
        false => format!("; candidates: {}", listed(candidates.iter().copied())),
    };
    Some(format!("'{text}' matches no task{}{known}", did_you_mean(suggestion)))
}
