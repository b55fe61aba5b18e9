//! From what a compiler has built to a component.

use std::collections::BTreeSet;

use rally_support::printable;
use wasmparser::{Encoding, Parser, Payload, TypeRef};
use wit_component::ComponentEncoder;

use crate::version::PACKAGE;

/// Why a core module cannot become a component.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// It is not a core module.
    #[error("the compiler's output is not a WebAssembly module: {message} (at byte {offset})")]
    Malformed {
        /// Where.
        offset: u64,
        /// The problem there.
        message: String,
    },
    /// It is a component already.
    #[error("the compiler's output already is a component; build for wasm32-unknown-unknown")]
    Component,
    /// It does not say which interface it is for.
    #[error(
        "the module does not use the SDK: it has no interface of {PACKAGE} in it; depend on the SDK and register the extension's \
         sources, runners and schedulers with its macro"
    )]
    NoInterface,
    /// It needs what an extension does not get.
    #[error("the module imports {}, which rally does not offer; {}", names.join(", "), remedy(names))]
    Imports {
        /// Names of the modules that it imports from.
        names: Vec<String>,
    },
    /// What it has does not fit what it says.
    #[error("the module does not match its interface")]
    Encoding(#[source] Box<dyn std::error::Error + Send + Sync>),
}

fn remedy(names: &[String]) -> &'static str {
    if names.iter().any(|name| name.starts_with("wasi")) {
        "it was built for WASI; build it for wasm32-unknown-unknown, which has no files, sockets, environment and entropy"
    } else if names.iter().any(|name| name.starts_with("__wbindgen")) {
        "a library in it is built for browsers (wasm-bindgen); turn off that feature of the library"
    } else {
        "a library in it expects functions of another host; remove it"
    }
}

/// Makes a component of a core module that was built for wasm32-unknown-unknown with an SDK of rally. The same module gives
/// the same bytes.
///
/// For what an own compiler has just built: the reader of the interface inside is not made for modules from strangers, and
/// nothing bounds what a forged one makes it do. [`inspect`](crate::inspect) is what reads those.
///
/// # Errors
/// Where the module was built otherwise, or does not do what the interface in it says.
pub fn encode(core_module: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let survey = survey(core_module)?;
    if !survey.has_interface {
        return Err(EncodeError::NoInterface);
    }
    if !survey.foreign.is_empty() {
        return Err(EncodeError::Imports { names: survey.foreign.into_iter().collect() });
    }
    ComponentEncoder::default()
        .module(core_module)
        .and_then(|encoder| encoder.validate(true).encode())
        .map_err(|error| EncodeError::Encoding(error.into()))
}

/// What has to hold before a module can be encoded.
#[derive(Default)]
struct Survey {
    has_interface: bool,
    foreign: BTreeSet<String>,
}

fn survey(core_module: &[u8]) -> Result<Survey, EncodeError> {
    let malformed = |error: wasmparser::Error| EncodeError::Malformed {
        offset: error.offset() as u64,
        message: error.message().to_owned(),
    };
    let mut survey = Survey::default();
    for payload in Parser::new(0).parse_all(core_module) {
        match payload.map_err(malformed)? {
            Payload::Version { encoding: Encoding::Component, .. } => return Err(EncodeError::Component),
            // Written by wit-bindgen, whichever language it is for.
            Payload::CustomSection(section) => {
                survey.has_interface |= section.name().starts_with("component-type");
            }
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    let import = import.map_err(malformed)?;
                    if !is_of_interface(import.module) || !matches!(import.ty, TypeRef::Func(_)) {
                        survey.foreign.insert(printable::name(import.module));
                    }
                }
            }
            _ => {}
        }
    }
    Ok(survey)
}

/// Whether a core import is how the interface's functions and resources appear in a module: by the names of the standard
/// (`cm32p2|…`), or by those that wit-bindgen has used since before there was one.
fn is_of_interface(module: &str) -> bool {
    let name = match module.strip_prefix("cm32p2|") {
        Some(name) => name.strip_prefix("_ex_").unwrap_or(name),
        None => module.strip_prefix("[export]").unwrap_or(module),
    };
    name.strip_prefix(PACKAGE).is_some_and(|rest| rest.starts_with('/')) || name == "$root"
}
