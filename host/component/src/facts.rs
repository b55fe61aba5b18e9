//! Facts about a component, read from its file.

use std::fmt;

use semver::Version;

use crate::digest::Digest;

/// What is known of a component without running it. Every name in it is printable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Size of the file in bytes.
    pub size: u64,
    /// SHA-256 of the file.
    pub digest: Digest,
    /// Version of `rally:track` that it was built for.
    pub wit_version: Version,
    /// What it imports, in alphabetical order: all that it can ever do.
    pub imports: Vec<Import>,
    /// What it can be, in the order of [`Role`]. At least one.
    pub roles: Vec<Role>,
    /// Exports that rally has no use for, in the order of the file.
    pub ignored_exports: Vec<String>,
    /// What its code consists of.
    pub counts: CoreCounts,
    /// What it was made with, each entry once, in the order of the file; at most 32 entries.
    pub producers: Vec<Producer>,
}

impl Facts {
    /// What it can do that someone who runs it may want to know, without interfaces that only hold types.
    pub fn capabilities(&self) -> impl Iterator<Item = Capability> {
        self.imports.iter().filter_map(Import::capability)
    }
}

/// An interface of `rally:track` that a component imports.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Import {
    /// Name of the interface, e.g. `client`.
    pub interface: String,
    /// Its version.
    pub version: Version,
}

impl Import {
    /// What it allows; nothing for interfaces that only hold types.
    pub fn capability(&self) -> Option<Capability> {
        Some(match self.interface.as_str() {
            "client" => Capability::Client,
            "clock" => Capability::Clock,
            "data" => Capability::Data,
            "assets" => Capability::Assets,
            "corpora" => Capability::Corpora,
            "race" => Capability::Race,
            "bodies" => Capability::Bodies,
            "log" => Capability::Log,
            _ => return None,
        })
    }
}

impl fmt::Display for Import {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}@{}", crate::PACKAGE, self.interface, self.version)
    }
}

/// What an import allows. Displayed in words that follow on "it".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Capability {
    /// Requests to the target.
    Client,
    /// Time.
    Clock,
    /// The data folder.
    Data,
    /// The track folder.
    Assets,
    /// The documents.
    Corpora,
    /// Track, task, parameters, seed.
    Race,
    /// Bodies of requests.
    Bodies,
    /// rally's log.
    Log,
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Capability::Client => "sends requests to the target",
            Capability::Clock => "reads the clock",
            Capability::Data => "reads the data folder of the track, and writes to it where that is granted",
            Capability::Assets => "reads files of the track folder",
            Capability::Corpora => "reads the documents of the track",
            Capability::Race => "sees the track, its parameters and the seed",
            Capability::Bodies => "makes bodies of requests",
            Capability::Log => "writes lines to rally's log",
        })
    }
}

/// What a component can be to a track.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// It has parameter sources.
    ParamSources,
    /// It has runners.
    Runners,
    /// It has schedulers.
    Schedulers,
    /// It has track processors.
    Processors,
    /// It checks track parameters.
    Validators,
}

impl Role {
    /// All roles.
    pub const ALL: [Role; 5] =
        [Role::ParamSources, Role::Runners, Role::Schedulers, Role::Processors, Role::Validators];

    /// Name of the interface that is exported for it, e.g. `param-sources`.
    pub fn interface(self) -> &'static str {
        match self {
            Role::ParamSources => "param-sources",
            Role::Runners => "runners",
            Role::Schedulers => "schedulers",
            Role::Processors => "processors",
            Role::Validators => "validators",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Role::ParamSources => "parameter sources",
            Role::Runners => "runners",
            Role::Schedulers => "schedulers",
            Role::Processors => "track processors",
            Role::Validators => "validators",
        })
    }
}

/// What the code of a component consists of, all its core modules together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CoreCounts {
    /// Core modules.
    pub modules: u64,
    /// Functions that they define.
    pub functions: u64,
    /// Size of the largest function in bytes.
    pub largest_function: u64,
    /// Size of all functions in bytes.
    pub code: u64,
    /// Memories that they define.
    pub memories: u64,
    /// What those memories have at least, in bytes, when an instance begins.
    pub initial_memory: u64,
    /// Tables that they define.
    pub tables: u64,
    /// Data segments.
    pub data_segments: u64,
    /// Size of all data segments in bytes, with their headers.
    pub data: u64,
}

/// A tool, language or library that a component was made with, as it says itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Producer {
    /// What it is: `language`, `processed-by` or `sdk`.
    pub field: String,
    /// Its name.
    pub name: String,
    /// Its version; may be empty.
    pub version: String,
}

impl fmt::Display for Producer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if self.version.is_empty() { Ok(()) } else { write!(f, " {}", self.version) }
    }
}
