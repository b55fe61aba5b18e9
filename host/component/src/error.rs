//! Why rally cannot run a file.

use std::fmt;

use rally_support::suggest::listed;
use semver::Version;

use crate::facts::Role;
use crate::version::{PACKAGE, offered_text};

/// Why rally cannot run a file. The messages do not name the file; the caller does.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InspectError {
    /// It is something else.
    #[error("this is not WebAssembly: {0}")]
    NotWasm(String),
    /// It ends too early.
    #[error(
        "the component is cut short: it ends at byte {size}, within the part that begins at byte {offset}; copy or download it again"
    )]
    Truncated {
        /// Where the reader was.
        offset: u64,
        /// Size of the file.
        size: u64,
    },
    /// Its bytes make no sense.
    #[error(
        "the component is damaged at byte {offset}: {message}; copy it again, or build it again with `rally extension build`"
    )]
    Malformed {
        /// Where.
        offset: u64,
        /// The problem there.
        message: String,
    },
    /// It needs a part of WebAssembly that rally leaves out.
    #[error(
        "the component uses a part of WebAssembly that rally does not offer, at byte {offset}: {message}; build it for plain \
         wasm32-unknown-unknown, without threads, garbage collection, 64-bit memories or async functions"
    )]
    Feature {
        /// Where.
        offset: u64,
        /// Which part.
        message: String,
    },
    /// It was never made into a component.
    #[error(
        "this is a core module, not a component; run `rally extension build` to build the extension as a component"
    )]
    CoreModule,
    /// There is too much of something.
    #[error("the component is too large: {bound} {count}, the limit is {limit}; {}", bound.remedy())]
    TooLarge {
        /// Of what.
        bound: Bound,
        /// How much there is, as far as it was counted.
        count: u64,
        /// How much is allowed.
        limit: u64,
    },
    /// Components lie in it too deeply.
    #[error(
        "the component nests components {depth} deep, the limit is {limit}; build the extension as one component"
    )]
    Nested {
        /// How deep, as far as it was looked.
        depth: u64,
        /// How deep is allowed.
        limit: u64,
    },
    /// There is code in a component inside of it.
    #[error(
        "the component contains another component with code, at byte {offset}; build the extension as one component"
    )]
    Composed {
        /// Where the code begins.
        offset: u64,
    },
    /// It imports what no rally offers.
    #[error(
        "the component imports {}, which rally does not offer: extensions reach files, network, environment and entropy only \
         through {PACKAGE}; {}",
        listed(names),
        imports_remedy(names)
    )]
    Imports {
        /// All such names, in the order of the file.
        names: Vec<String>,
    },
    /// It is not an extension.
    #[error(
        "the component does not export {PACKAGE}/extension{}; write it with rally's SDK and build it with \
         `rally extension build`",
        found(exports)
    )]
    NoExtension {
        /// What it exports instead.
        exports: Vec<String>,
    },
    /// It does nothing.
    #[error(
        "the extension has no role: it exports none of {}; register a source, runner, scheduler, processor or validator",
        roles()
    )]
    NoRole,
    /// It was built for a rally that comes later.
    #[error(
        "the extension was built for a newer rally: this one offers {PACKAGE} up to {}, the component needs {needed}; use a newer \
         rally or build the extension with an older SDK",
        offered_text()
    )]
    Newer {
        /// Version that it needs.
        needed: Version,
    },
    /// It was built for a version that there is not.
    #[error(
        "the extension was built for {PACKAGE} {needed}, which this rally does not offer (it offers {}); build it with the SDK of \
         an offered version",
        offered_text()
    )]
    UnknownVersion {
        /// Version that it needs.
        needed: Version,
    },
    /// Its names of the interface have no version.
    #[error(
        "the component names {name} without a version; build it with rally's SDK, which adds versions (this rally offers {})",
        offered_text()
    )]
    Unversioned {
        /// The name.
        name: String,
    },
    /// It was built for two versions at once.
    #[error(
        "the component mixes versions of {PACKAGE}: {one_name} and {other_name}; build all of its parts with one version of the SDK"
    )]
    MixedVersions {
        /// A name with one version.
        one_name: String,
        /// A name with another version.
        other_name: String,
    },
}

/// What a component can have too much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// Bytes of the file.
    Size,
    /// Functions.
    Functions,
    /// Bytes of one function.
    FunctionSize,
    /// Locals of one function times its branches and blocks, and the values that its blocks pass on.
    FunctionJoins,
    /// The same of all functions.
    Joins,
    /// Bytes of types, imports, exports, aliases and instances.
    Declarations,
    /// Core modules.
    Modules,
    /// Memories.
    Memories,
    /// Tables.
    Tables,
}

impl Bound {
    fn remedy(self) -> &'static str {
        match self {
            Bound::Size
            | Bound::Functions
            | Bound::FunctionSize
            | Bound::FunctionJoins
            | Bound::Joins
            | Bound::Declarations => {
                "raise the limit with --extension-max-size (the other limits on its content grow with it), or build a smaller component"
            }
            Bound::Modules | Bound::Memories | Bound::Tables => {
                "no flag raises this limit: build the extension as one module"
            }
        }
    }
}

impl fmt::Display for Bound {
    /// Words that a number follows on.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Bound::Size => "size in bytes:",
            Bound::Functions => "functions:",
            Bound::FunctionSize => "bytes of one function:",
            Bound::FunctionJoins => "locals and block values of one function times its branches and blocks:",
            Bound::Joins => "locals and block values times branches and blocks, of all functions:",
            Bound::Declarations => "bytes of types, imports, exports and instances:",
            Bound::Modules => "core modules:",
            Bound::Memories => "memories:",
            Bound::Tables => "tables:",
        })
    }
}

fn imports_remedy(names: &[String]) -> &'static str {
    if names.iter().any(|name| name.starts_with("wasi:")) {
        "build it for wasm32-unknown-unknown (Rust), or with the stubs for WASI of your language's tools"
    } else if names.iter().any(|name| name.starts_with(PACKAGE)) {
        "its SDK and this rally differ: build it with the SDK of this rally"
    } else {
        "leave out the libraries that need them"
    }
}

fn found(exports: &[String]) -> String {
    if exports.is_empty() {
        " (it exports nothing)".to_owned()
    } else {
        format!(" (it exports {})", listed(exports))
    }
}

fn roles() -> String {
    Role::ALL.map(Role::interface).join(", ")
}
