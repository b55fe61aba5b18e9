//! Reading a component.

use rally_support::printable;
use semver::Version;
use wasmparser::names::{ComponentName, ComponentNameKind};
use wasmparser::{
    ComponentExternalKind, ComponentTypeRef, CustomSectionReader, Encoding, KnownCustom, Parser, Payload,
    ProducersSectionReader, ValidPayload, Validator, WasmFeatures,
};

use crate::bounds::Bounds;
use crate::digest::Digest;
use crate::error::{Bound, InspectError};
use crate::facts::{CoreCounts, Facts, Import, Producer, Role};
use crate::joins::{Signature, Signatures};
use crate::version::{PACKAGE, Verdict, is_importable, judge};

/// What WebAssembly a track's code may consist of: what compilers for wasm32-unknown-unknown make, and what components need.
/// Instructions are not validated here: compiling does that.
const FEATURES: WasmFeatures = WasmFeatures::WASM2
    .union(WasmFeatures::EXTENDED_CONST)
    .union(WasmFeatures::MULTI_MEMORY)
    .union(WasmFeatures::COMPONENT_MODEL);

/// Most producers that are kept.
const PRODUCERS: usize = 32;
/// Bytes of a memory's page.
const PAGE: u64 = 65_536;

/// Reads a component's whole file and returns its facts. Everything is validated but the instructions in
/// functions, which whoever compiles it validates. Takes time in proportion to the size of the file, and memory in proportion
/// to its declarations.
///
/// # Errors
/// Where rally cannot run it, and why; the first reason that is found.
pub fn inspect(bytes: &[u8], bounds: &Bounds) -> Result<Facts, InspectError> {
    let size = bytes.len() as u64;
    is_wasm(bytes)?;
    within(Bound::Size, size, bounds.size)?;
    let mut reader = Reader::new(bounds);
    reader.read(bytes).map_err(|error| match error {
        Stop::Inspect(error) => error,
        Stop::Wasm(error) => broken(&error, size),
    })?;
    reader.judge(Digest::of(bytes), size)
}

/// Refuses what does not begin as WebAssembly does, saying what it may be instead.
fn is_wasm(bytes: &[u8]) -> Result<(), InspectError> {
    if bytes.starts_with(b"\0asm") {
        return Ok(());
    }
    let text = bytes.trim_ascii_start();
    let what = if bytes.is_empty() {
        "the file is empty".to_owned()
    } else if text.starts_with(b"(component") || text.starts_with(b"(module") || text.starts_with(b";;") {
        "this is the text form; convert it to binary first".to_owned()
    } else if bytes.starts_with(b"\x7fELF") {
        "this is machine code; ship the .wasm file, rally compiles it by itself".to_owned()
    } else {
        let begin = &bytes[..bytes.len().min(8)];
        format!("it begins with '{}' instead of '\\0asm'", begin.escape_ascii())
    };
    Err(InspectError::NotWasm(what))
}

/// The reader's own errors, and the parser's.
enum Stop {
    Inspect(InspectError),
    Wasm(wasmparser::Error),
}

impl From<InspectError> for Stop {
    fn from(error: InspectError) -> Stop {
        Stop::Inspect(error)
    }
}

impl From<wasmparser::Error> for Stop {
    fn from(error: wasmparser::Error) -> Stop {
        Stop::Wasm(error)
    }
}

fn broken(error: &wasmparser::Error, size: u64) -> InspectError {
    let offset = error.offset() as u64;
    let message = printable::name(error.message());
    if error.missing_wasm_feature().is_some() {
        InspectError::Feature { offset, message }
    } else if message.starts_with("unexpected end") {
        InspectError::Truncated { offset, size }
    } else {
        InspectError::Malformed { offset, message }
    }
}

fn within(bound: Bound, count: u64, limit: u64) -> Result<(), InspectError> {
    if count <= limit { Ok(()) } else { Err(InspectError::TooLarge { bound, count, limit }) }
}

/// What has been seen so far.
struct Reader<'a> {
    bounds: &'a Bounds,
    /// What each enclosing module or component is, the outermost first.
    inside: Vec<Encoding>,
    /// Types of functions of each enclosing module, the outermost first.
    signatures: Vec<Signatures>,
    declarations: u64,
    joins: u64,
    counts: CoreCounts,
    imports: Vec<Name>,
    exports: Vec<Name>,
    producers: Vec<Producer>,
}

/// An import or export of the outermost component.
struct Name {
    /// The whole name, printable.
    text: String,
    /// Interface and version, where it is one of `rally:track`.
    interface: Option<(String, Option<Version>)>,
    is_instance: bool,
}

impl<'a> Reader<'a> {
    fn new(bounds: &'a Bounds) -> Reader<'a> {
        Reader {
            bounds,
            inside: Vec::new(),
            signatures: Vec::new(),
            declarations: 0,
            joins: 0,
            counts: CoreCounts::default(),
            imports: Vec::new(),
            exports: Vec::new(),
            producers: Vec::new(),
        }
    }

    fn read(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        let mut validator = Validator::new_with_features(FEATURES);
        let mut parser = Parser::new(0);
        parser.set_features(FEATURES);
        for payload in parser.parse_all(bytes) {
            let payload = payload?;
            // Counted before it is validated: validating is what takes memory.
            self.count(&payload)?;
            if let ValidPayload::End(_) = validator.payload(&payload)?
                && let Some(Encoding::Module) = self.inside.pop()
            {
                self.signatures.pop();
            }
            self.note(&payload)?;
        }
        Ok(())
    }

    fn count(&mut self, payload: &Payload<'_>) -> Result<(), Stop> {
        let bounds = self.bounds;
        match payload {
            Payload::Version { encoding, range, .. } => self.enter(*encoding, range.start as u64)?,
            Payload::TypeSection(types) => {
                // Bounded by what a section may take: they are kept while it is read anyway.
                within(Bound::Declarations, types.range().len() as u64, bounds.declarations)?;
                if let Some(signatures) = self.signatures.last_mut() {
                    for function in types.clone().into_iter_err_on_gc_types() {
                        // What is wrong with it is for the validator to say.
                        let Ok(function) = function else { break };
                        let (params, results) = (function.params().len(), function.results().len());
                        let signature = Signature { params: params as u64, results: results as u64 };
                        signatures.types.push(signature);
                    }
                }
            }
            Payload::FunctionSection(functions) => {
                self.counts.functions += u64::from(functions.count());
                within(Bound::Functions, self.counts.functions, bounds.functions)?;
                if let Some(signatures) = self.signatures.last_mut() {
                    signatures.functions = functions.clone().into_iter().collect::<Result<_, _>>()?;
                }
            }
            Payload::CodeSectionEntry(body) => {
                let size = body.range().len() as u64;
                self.counts.code += size;
                self.counts.largest_function = self.counts.largest_function.max(size);
                within(Bound::FunctionSize, size, bounds.function_size)?;
                let joins = match self.signatures.last_mut() {
                    Some(signatures) => signatures.joins(body)?,
                    None => 0,
                };
                within(Bound::FunctionJoins, joins, bounds.function_joins)?;
                self.joins = self.joins.saturating_add(joins);
                within(Bound::Joins, self.joins, bounds.joins)?;
            }
            Payload::MemorySection(memories) => {
                self.counts.memories += u64::from(memories.count());
                within(Bound::Memories, self.counts.memories, bounds.memories)?;
                for memory in memories.clone() {
                    let pages = memory?.initial;
                    self.counts.initial_memory =
                        self.counts.initial_memory.saturating_add(pages.saturating_mul(PAGE));
                }
            }
            Payload::TableSection(tables) => {
                self.counts.tables += u64::from(tables.count());
                within(Bound::Tables, self.counts.tables, bounds.tables)?;
            }
            Payload::DataSection(data) => {
                self.counts.data_segments += u64::from(data.count());
                self.counts.data += data.range().len() as u64;
            }
            _ => {}
        }
        if let Some(range) = declaration(payload) {
            self.declarations += range.len() as u64;
            within(Bound::Declarations, self.declarations, bounds.declarations)?;
        }
        Ok(())
    }

    /// Begins a module or component.
    fn enter(&mut self, encoding: Encoding, offset: u64) -> Result<(), InspectError> {
        let depth = self.inside.len() as u64;
        match encoding {
            Encoding::Module if depth == 0 => return Err(InspectError::CoreModule),
            Encoding::Module => {
                self.counts.modules += 1;
                within(Bound::Modules, self.counts.modules, self.bounds.modules)?;
                if depth > 1 && !self.bounds.composed {
                    return Err(InspectError::Composed { offset });
                }
            }
            Encoding::Component if depth > self.bounds.depth => {
                return Err(InspectError::Nested { depth, limit: self.bounds.depth });
            }
            Encoding::Component => {}
        }
        if encoding == Encoding::Module {
            self.signatures.push(Signatures::default());
        }
        self.inside.push(encoding);
        Ok(())
    }

    /// Keeps the facts about the outermost component.
    fn note(&mut self, payload: &Payload<'_>) -> Result<(), Stop> {
        if let Payload::CustomSection(section) = payload {
            self.note_producers(section);
        }
        if self.inside.len() != 1 {
            return Ok(());
        }
        match payload {
            Payload::ComponentImportSection(imports) => {
                for import in imports.clone() {
                    let import = import?;
                    let is_instance = matches!(import.ty, ComponentTypeRef::Instance(_));
                    self.imports.push(Name::new(import.name.name, is_instance));
                }
            }
            Payload::ComponentExportSection(exports) => {
                for export in exports.clone() {
                    let export = export?;
                    let is_instance = export.kind == ComponentExternalKind::Instance;
                    self.exports.push(Name::new(export.name.name, is_instance));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// A damaged section of this kind is ignored, as the standard says.
    fn note_producers(&mut self, section: &CustomSectionReader<'_>) {
        if let KnownCustom::Producers(reader) = section.as_known() {
            self.add_producers(reader);
        }
    }

    fn add_producers(&mut self, reader: ProducersSectionReader<'_>) {
        for field in reader.into_iter().map_while(Result::ok) {
            for value in field.values.into_iter().map_while(Result::ok) {
                if self.producers.len() == PRODUCERS {
                    return;
                }
                let producer = Producer {
                    field: printable::name(field.name),
                    name: printable::name(value.name),
                    version: printable::name(value.version),
                };
                if !self.producers.contains(&producer) {
                    self.producers.push(producer);
                }
            }
        }
    }

    /// Whether rally can run what was read.
    fn judge(self, digest: Digest, size: u64) -> Result<Facts, InspectError> {
        let version = self.version()?;
        let foreign: Vec<String> =
            self.imports.iter().filter(|name| !name.is_offered()).map(|name| name.text.clone()).collect();
        if !foreign.is_empty() {
            return Err(InspectError::Imports { names: foreign });
        }
        let exported = |interface: &str| self.exports.iter().any(|name| name.is(interface));
        let (Some(wit_version), true) = (version, exported("extension")) else {
            let exports = self.exports.into_iter().map(|name| name.text).collect();
            return Err(InspectError::NoExtension { exports });
        };
        let roles: Vec<Role> = Role::ALL.into_iter().filter(|role| exported(role.interface())).collect();
        if roles.is_empty() {
            return Err(InspectError::NoRole);
        }
        let known =
            |name: &Name| name.is("extension") || Role::ALL.iter().any(|role| name.is(role.interface()));
        let ignored_exports =
            self.exports.iter().filter(|name| !known(name)).map(|name| name.text.clone()).collect();
        let mut imports: Vec<Import> = self
            .imports
            .into_iter()
            .filter_map(|name| name.interface)
            .filter_map(|(interface, version)| Some(Import { interface, version: version? }))
            .collect();
        imports.sort();
        Ok(Facts {
            size,
            digest,
            wit_version,
            imports,
            roles,
            ignored_exports,
            counts: self.counts,
            producers: self.producers,
        })
    }

    /// The one version of `rally:track` that all imports and exports name; none where nothing does.
    fn version(&self) -> Result<Option<Version>, InspectError> {
        let mut first: Option<(&Version, &str)> = None;
        for name in self.imports.iter().chain(&self.exports) {
            let Some((_, version)) = &name.interface else { continue };
            let Some(version) = version else {
                return Err(InspectError::Unversioned { name: name.text.clone() });
            };
            match first {
                Some((one, text)) if one != version => {
                    return Err(InspectError::MixedVersions {
                        one_name: text.to_owned(),
                        other_name: name.text.clone(),
                    });
                }
                Some(_) => {}
                None => first = Some((version, &name.text)),
            }
        }
        let Some((version, _)) = first else { return Ok(None) };
        match judge(version) {
            Verdict::Offered => Ok(Some(version.clone())),
            Verdict::Newer => Err(InspectError::Newer { needed: version.clone() }),
            Verdict::Unknown => Err(InspectError::UnknownVersion { needed: version.clone() }),
        }
    }
}

impl Name {
    fn new(text: &str, is_instance: bool) -> Name {
        Name { text: printable::name(text), interface: interface(text), is_instance }
    }

    fn is(&self, interface: &str) -> bool {
        self.is_instance && self.interface.as_ref().is_some_and(|(name, _)| name == interface)
    }

    fn is_offered(&self) -> bool {
        self.is_instance && self.interface.as_ref().is_some_and(|(name, _)| is_importable(name))
    }
}

/// Interface and version of a name such as `rally:track/log@0.1.0`; none where it is of another package.
fn interface(text: &str) -> Option<(String, Option<Version>)> {
    let name = ComponentName::new(text, 0).ok()?;
    let ComponentNameKind::Interface(interface) = name.kind() else { return None };
    let package = format!("{}:{}", interface.namespace().as_str(), interface.package().as_str());
    let named = interface.interface();
    let named = named.as_str();
    let plain = format!("{package}/{named}");
    if package != PACKAGE || (text != plain && !text.starts_with(&format!("{plain}@"))) {
        return None;
    }
    Some((named.to_owned(), interface.version(None).ok()?))
}

/// The bytes of a section that is kept in memory while reading.
fn declaration(payload: &Payload<'_>) -> Option<std::ops::Range<usize>> {
    match payload {
        Payload::CustomSection(_)
        | Payload::CodeSectionStart { .. }
        | Payload::DataSection(_)
        | Payload::ElementSection(_)
        | Payload::FunctionSection(_)
        | Payload::ModuleSection { .. }
        | Payload::ComponentSection { .. } => None,
        section => section.as_section().map(|(_, range)| range),
    }
}
