//! A row of the table.

use crate::parameter::{COMMON, RETRY};
use crate::{FAMILIES, Parameter, Source, Work};

/// What a serverless service does with an operation. A later one is offered to more users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ServerlessStatus {
    /// Refused for all users.
    Blocked,
    /// Only for operators of the service.
    Internal,
    /// For all users.
    Public,
}

impl ServerlessStatus {
    /// As Rally writes it: `Blocked`, `Internal`, `Public`.
    pub fn name(self) -> &'static str {
        match self {
            ServerlessStatus::Blocked => "Blocked",
            ServerlessStatus::Internal => "Internal",
            ServerlessStatus::Public => "Public",
        }
    }
}

/// Whether an operation is tried again when it fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retries {
    /// No parameter asks for it.
    Never,
    /// If its parameters ask for it.
    AsAsked,
    /// Until it succeeds, unless its parameters say otherwise.
    UntilSuccess,
}

/// In which dialects tracks may name an operation type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialects {
    Only2017,
    OnlyCurrent,
    Both,
}

/// A built-in operation type.
#[derive(Debug)]
pub struct OperationType {
    name: &'static str,
    /// Other spellings that tracks of 2017 use.
    older_names: &'static [&'static str],
    dialects: Dialects,
    administrative: bool,
    serverless: ServerlessStatus,
    retries: Retries,
    composable: bool,
    needs_composite: bool,
    source: Source,
    work: Work,
    parameters: &'static [Parameter],
}

/// A type whose requests are measured.
pub(crate) const fn measured(
    name: &'static str,
    work: Work,
    parameters: &'static [Parameter],
) -> OperationType {
    OperationType {
        name,
        older_names: &[],
        dialects: Dialects::OnlyCurrent,
        administrative: false,
        serverless: ServerlessStatus::Public,
        retries: Retries::Never,
        composable: false,
        needs_composite: false,
        source: Source::Generic,
        work,
        parameters,
    }
}

/// A type that prepares what is measured.
pub(crate) const fn administrative(
    name: &'static str,
    work: Work,
    parameters: &'static [Parameter],
) -> OperationType {
    OperationType { administrative: true, ..measured(name, work, parameters) }
}

impl OperationType {
    /// Only tracks of 2017 have it, under these names too.
    pub(crate) const fn only_2017(self, older_names: &'static [&'static str]) -> Self {
        OperationType { dialects: Dialects::Only2017, older_names, ..self }
    }

    /// Tracks of 2017 have it as well, under these names too.
    pub(crate) const fn also_2017(self, older_names: &'static [&'static str]) -> Self {
        OperationType { dialects: Dialects::Both, older_names, ..self }
    }

    pub(crate) const fn internal(self) -> Self {
        OperationType { serverless: ServerlessStatus::Internal, ..self }
    }

    pub(crate) const fn blocked(self) -> Self {
        OperationType { serverless: ServerlessStatus::Blocked, ..self }
    }

    pub(crate) const fn retried(self) -> Self {
        OperationType { retries: Retries::AsAsked, ..self }
    }

    pub(crate) const fn retried_until_success(self) -> Self {
        OperationType { retries: Retries::UntilSuccess, ..self }
    }

    pub(crate) const fn composable(self) -> Self {
        OperationType { composable: true, ..self }
    }

    /// It shares ids with other operations, which only a composite operation keeps.
    pub(crate) const fn only_in_composite(self) -> Self {
        OperationType { composable: true, needs_composite: true, ..self }
    }

    pub(crate) const fn source(self, source: Source) -> Self {
        OperationType { source, ..self }
    }
}

impl OperationType {
    /// All types that tracks of the current dialect may name.
    pub fn all() -> impl Iterator<Item = &'static OperationType> {
        every().filter(|kind| kind.dialects != Dialects::Only2017)
    }

    /// All types that tracks of 2017 may name.
    pub fn all_2017() -> impl Iterator<Item = &'static OperationType> {
        every().filter(|kind| kind.dialects != Dialects::OnlyCurrent)
    }

    /// The type that a track of the current dialect calls by this name. `None` for types that only an extension can have.
    pub fn named(name: &str) -> Option<&'static OperationType> {
        OperationType::all().find(|kind| kind.name == name)
    }

    /// The type that a track of 2017 calls by this name, today's or an older one.
    pub fn named_2017(name: &str) -> Option<&'static OperationType> {
        OperationType::all_2017().find(|kind| kind.name == name || kind.older_names.contains(&name))
    }

    /// The type that code beside a track of the current dialect calls by this name: one of that dialect, otherwise one of
    /// 2017.
    pub fn performed(name: &str) -> Option<&'static OperationType> {
        OperationType::named(name).or_else(|| every().find(|kind| kind.name == name))
    }

    /// The type that code beside a track of 2017 calls by this name: one of that dialect, otherwise a current one.
    pub fn performed_2017(name: &str) -> Option<&'static OperationType> {
        OperationType::all_2017()
            .find(|kind| kind.name == name)
            .or_else(|| every().find(|kind| kind.name == name))
    }

    /// Names of all types of both dialects, sorted, each once.
    pub fn names() -> Vec<&'static str> {
        let mut names: Vec<&str> = every().map(|kind| kind.name).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Name as in a track, e.g. `force-merge`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Whether it only prepares what is measured. Then reports leave it out unless the operation says
    /// `include-in-reporting`.
    pub fn is_administrative(&self) -> bool {
        self.administrative
    }

    /// Who may use it on a serverless service.
    pub fn serverless_status(&self) -> ServerlessStatus {
        self.serverless
    }

    /// Whether it is tried again when it fails.
    pub fn retries(&self) -> Retries {
        self.retries
    }

    /// Whether it can be a part of a composite operation.
    pub fn is_composable(&self) -> bool {
        self.composable
    }

    /// Whether it can only be a part of a composite operation.
    pub fn needs_composite(&self) -> bool {
        self.needs_composite
    }

    /// Where the parameters of its requests come from, unless the operation names a source of its own.
    pub fn default_source(&self) -> Source {
        self.source
    }

    /// What it does.
    pub fn work(&self) -> Work {
        self.work
    }

    /// A parameter that it reads, its own or one that all operations have.
    pub fn parameter(&self, name: &str) -> Option<&'static Parameter> {
        self.parameters().find(|parameter| parameter.name == name)
    }

    /// Its own parameters and those that all operations have.
    pub fn parameters(&self) -> impl Iterator<Item = &'static Parameter> {
        self.parameters.iter().chain(RETRY).chain(COMMON)
    }
}

fn every() -> impl Iterator<Item = &'static OperationType> {
    FAMILIES.iter().copied().flatten()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_dialect_has_a_name_once() {
        for kinds in [OperationType::all().collect::<Vec<_>>(), OperationType::all_2017().collect()] {
            let names: HashSet<&str> = kinds.iter().map(|kind| kind.name).collect();
            assert_eq!(names.len(), kinds.len());
        }
    }

    #[test]
    fn a_type_has_each_parameter_once() {
        for kind in every() {
            let mut seen = HashSet::new();
            for parameter in kind.parameters() {
                assert!(seen.insert(parameter.name), "{}: {}", kind.name, parameter.name);
            }
        }
    }

    #[test]
    fn older_names_are_those_of_2017_only() {
        assert_eq!(OperationType::named_2017("indices-stats").map(OperationType::name), Some("index-stats"));
        assert!(OperationType::named("indices-stats").is_none());
        assert!(OperationType::named("index").is_none());
        assert!(OperationType::named_2017("bulk").is_none());
        assert_eq!(OperationType::performed("index").map(OperationType::name), Some("index"));
    }

    #[test]
    fn the_composable_types_are_those_of_rally() {
        let composable: HashSet<&str> =
            every().filter(|kind| kind.composable).map(|kind| kind.name).collect();
        let rally = HashSet::from([
            "open-point-in-time",
            "close-point-in-time",
            "search",
            "paginated-search",
            "composite-agg",
            "raw-request",
            "sleep",
            "submit-async-search",
            "get-async-search",
            "delete-async-search",
            "field-caps",
        ]);
        assert_eq!(composable, rally);
    }
}
