//! What there is to know of a component, for people and for programs.

use std::fmt::{self, Write};

use rally_component::{Facts, Role};
use rally_extension::{Description, LimitKind, Limits, Sharing};
use rally_support::numbers::grouped;
use serde_json::{Value, json};

/// Width of the labels.
const LABEL: usize = 12;

/// All limits, in the order in which they are shown.
const LIMITS: [LimitKind; 11] = [
    LimitKind::TimePerCall,
    LimitKind::TimeToOpen,
    LimitKind::TimeToRun,
    LimitKind::Memory,
    LimitKind::TableElements,
    LimitKind::Handles,
    LimitKind::HostCallBytes,
    LimitKind::ResponseBytes,
    LimitKind::InFlight,
    LimitKind::DataBytes,
    LimitKind::Stack,
];

/// A component with what it says of itself, or why it could not be asked.
pub struct Report<'a> {
    /// Its file, as it is to be shown.
    pub file: &'a str,
    /// What its file tells.
    pub facts: &'a Facts,
    /// What it says.
    pub said: Result<&'a Description, &'a str>,
}

impl Report<'_> {
    /// JSON.
    pub fn json(&self) -> Value {
        let facts = self.facts;
        let counts = &facts.counts;
        json!({
            "file": self.file,
            "name": self.said.ok().map(|said| &said.name),
            "version": self.said.ok().map(|said| &said.version),
            "size": facts.size,
            "sha256": facts.digest.to_string(),
            "wit-version": facts.wit_version.to_string(),
            "roles": facts.roles.iter().map(|role| role.interface()).collect::<Vec<_>>(),
            "names": self.said.ok().map(|said| {
                facts
                    .roles
                    .iter()
                    .map(|role| (role.interface().to_owned(), json!(names(said, *role))))
                    .collect::<serde_json::Map<_, _>>()
            }),
            "sharing": self.said.ok().map(|said| sharing(said.sharing)),
            "error": self.said.err(),
            "imports": facts
                .imports
                .iter()
                .map(|import| json!({
                    "interface": import.interface,
                    "allows": import.capability().map(|capability| capability.to_string()),
                }))
                .collect::<Vec<_>>(),
            "ignored-exports": facts.ignored_exports,
            "functions": counts.functions,
            "code-bytes": counts.code,
            "data-bytes": counts.data,
            "initial-memory-bytes": counts.initial_memory,
            "producers": facts
                .producers
                .iter()
                .map(|producer| json!({
                    "field": producer.field,
                    "name": producer.name,
                    "version": producer.version,
                }))
                .collect::<Vec<_>>(),
        })
    }
}

impl fmt::Display for Report<'_> {
    /// Text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = self.facts;
        let counts = &facts.counts;
        match self.said {
            Ok(said) => writeln!(f, "{}: {} {}", self.file, said.name, said.version)?,
            Err(_) => writeln!(f, "{}", self.file)?,
        }
        let roles = facts.roles.iter().map(|role| match self.said {
            Ok(said) => format!("{role}: {}", list(&names(said, *role), "none")),
            Err(_) => role.to_string(),
        });
        lines(f, "registers", roles)?;
        if let Err(error) = self.said {
            lines(f, "names", [format!("cannot ask the component: {error}")])?;
        }
        lines(f, "it", facts.capabilities().map(|capability| capability.to_string()))?;
        let imports: Vec<&str> = facts.imports.iter().map(|import| import.interface.as_str()).collect();
        lines(
            f,
            "imports",
            [format!("of rally:track {}: {}", facts.wit_version, list(&imports, "nothing"))],
        )?;
        if let Ok(said) = self.said {
            lines(f, "instances", [sharing(said.sharing).to_owned()])?;
        }
        if !facts.ignored_exports.is_empty() {
            lines(f, "ignored", [format!("its exports {}", facts.ignored_exports.join(", "))])?;
        }
        let size = format!(
            "{} bytes: {} functions in {}, data in {}; memory from {}",
            grouped(facts.size),
            grouped(counts.functions),
            grouped(counts.code),
            grouped(counts.data),
            grouped(counts.initial_memory)
        );
        lines(f, "size", [size])?;
        let producers: Vec<String> = facts.producers.iter().map(ToString::to_string).collect();
        if !producers.is_empty() {
            lines(f, "made with", [producers.join(", ")])?;
        }
        lines(f, "SHA-256", [facts.digest.to_string()])
    }
}

/// What each instance may take, and which flags raise it, as lines.
pub fn limits_text(limits: &Limits) -> String {
    let mut text = String::new();
    let shown = LIMITS.map(|kind| {
        let allowed = limits.exceeded(kind).allowed;
        kind.flag().map_or_else(|| allowed.clone(), |flag| format!("{allowed} ({flag})"))
    });
    // Writing to a string cannot fail.
    let _ = lines(&mut text, "limits", shown);
    text
}

/// The same for programs, by flag.
pub fn limits_json(limits: &Limits) -> Value {
    let pairs = LIMITS.iter().filter_map(|kind| {
        let flag = kind.flag()?.trim_start_matches("--");
        Some((flag.to_owned(), Value::from(limits.exceeded(*kind).allowed)))
    });
    Value::Object(pairs.collect())
}

/// A label and one or more lines beside it.
fn lines(out: &mut dyn Write, label: &str, texts: impl IntoIterator<Item = String>) -> fmt::Result {
    let mut label = label;
    for text in texts {
        writeln!(out, "  {label:LABEL$}{text}")?;
        label = "";
    }
    Ok(())
}

fn list(names: &[impl AsRef<str>], none: &str) -> String {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    if names.is_empty() { none.to_owned() } else { names.join(", ") }
}

/// The names that a component registers for a role.
pub fn names(said: &Description, role: Role) -> Vec<&str> {
    match role {
        Role::ParamSources => said.sources.iter().map(|info| info.name.as_str()).collect(),
        Role::Runners => said.runners.iter().map(|info| info.name.as_str()).collect(),
        Role::Schedulers => said.schedulers.iter().map(|info| info.name.as_str()).collect(),
        Role::Processors => said.processors.iter().map(String::as_str).collect(),
        Role::Validators => said.validators.iter().map(String::as_str).collect(),
    }
}

fn sharing(sharing: Sharing) -> &'static str {
    match sharing {
        Sharing::Isolated => "one for each source, runner and scheduler of a client",
        Sharing::PerClient => "one for each client, shared by its source, runner and scheduler",
        Sharing::PerWorker => "one for all clients of a task on a thread; its calls come one after the other",
    }
}
