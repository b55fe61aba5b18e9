//! In an author's own tests: stand-ins for what lies in rally. [`crate::testing`] fills them.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Instant;

use crate::bindings::host::rally::track as rally;
use crate::client::{Call, Want};
use crate::log::Level;
use crate::testing::{Reply, SentRequest};

use rally::client as wire;
use rally::types;
use types::ErrorClass;

fn error(class: ErrorClass, message: String) -> types::Error {
    types::Error { class, message, status: None, kind: None, traceback: None }
}

/// The part of a list of bytes that a ranged read returns.
fn range(bytes: &[u8], offset: u64, length: u32) -> Vec<u8> {
    let begin = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
    let end = begin.saturating_add(length as usize).min(bytes.len());
    bytes[begin..end].to_vec()
}

/// Writes the line to standard error, where `cargo test` keeps it for tests that fail.
pub(crate) fn log(level: Level, message: &str) {
    eprintln!("{level:?}: {message}");
}

/// Documents of a type, as a test declares them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Documents {
    pub(crate) index: String,
    pub(crate) mapping_type: Option<String>,
    pub(crate) lines: Vec<String>,
}

/// The race as a test describes it.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    pub(crate) track_name: String,
    pub(crate) track: String,
    pub(crate) challenge: String,
    pub(crate) task: String,
    pub(crate) params: String,
    pub(crate) task_params: String,
    pub(crate) target_throughput: Option<f64>,
    pub(crate) partition: types::Partition,
    pub(crate) seed: u64,
    pub(crate) clusters: Vec<String>,
    pub(crate) documents: Vec<Documents>,
}

impl Context {
    pub(crate) fn track_name(&self) -> String {
        self.track_name.clone()
    }

    pub(crate) fn track(&self) -> String {
        self.track.clone()
    }

    pub(crate) fn challenge(&self) -> String {
        self.challenge.clone()
    }

    pub(crate) fn task(&self) -> String {
        self.task.clone()
    }

    pub(crate) fn params(&self) -> String {
        self.params.clone()
    }

    pub(crate) fn task_params(&self) -> String {
        self.task_params.clone()
    }

    pub(crate) fn target_throughput(&self) -> Option<f64> {
        self.target_throughput
    }

    pub(crate) fn partition(&self) -> types::Partition {
        self.partition
    }

    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    pub(crate) fn clusters(&self) -> Vec<String> {
        self.clusters.clone()
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Slice {
    documents: u32,
    index: String,
    mapping_type: Option<String>,
    bytes: Vec<u8>,
}

impl Slice {
    pub(crate) fn documents(&self) -> u32 {
        self.documents
    }

    pub(crate) fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    pub(crate) fn index(&self) -> String {
        self.index.clone()
    }

    pub(crate) fn mapping_type(&self) -> Option<String> {
        self.mapping_type.clone()
    }

    pub(crate) fn has_action_lines(&self) -> bool {
        false
    }

    pub(crate) fn read(&self, offset: u64, length: u32) -> Vec<u8> {
        range(&self.bytes, offset, length)
    }
}

#[derive(Debug)]
pub(crate) struct Body {
    bytes: Vec<u8>,
}

impl Body {
    pub(crate) fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    pub(crate) fn read(&self, offset: u64, length: u32) -> Vec<u8> {
        range(&self.bytes, offset, length)
    }
}

pub(crate) fn of_bytes(bytes: &[u8]) -> Body {
    Body { bytes: bytes.to_vec() }
}

pub(crate) fn of_slice(slice: Slice) -> Body {
    Body { bytes: slice.bytes }
}

#[derive(Debug)]
pub(crate) struct Builder {
    bytes: RefCell<Vec<u8>>,
}

impl Builder {
    pub(crate) fn new() -> Builder {
        Builder { bytes: RefCell::default() }
    }

    pub(crate) fn append(&self, bytes: &[u8]) {
        self.bytes.borrow_mut().extend_from_slice(bytes);
    }

    pub(crate) fn append_slice(&self, source: &Slice, offset: u64, length: u64) {
        assert!(offset + length <= source.size(), "the slice has no bytes {offset} to {}", offset + length);
        self.append(&source.bytes[offset as usize..(offset + length) as usize]);
    }

    pub(crate) fn append_interleaved(&self, line: &[u8], source: &Slice) {
        for document in source.bytes.split_inclusive(|byte| *byte == b'\n') {
            self.append(line);
            self.append(document);
        }
    }

    pub(crate) fn patch(&self, offset: u64, bytes: &[u8]) {
        let mut all = self.bytes.borrow_mut();
        let end = offset as usize + bytes.len();
        assert!(end <= all.len(), "the body has no bytes {offset} to {end}");
        all[offset as usize..end].copy_from_slice(bytes);
    }

    pub(crate) fn size(&self) -> u64 {
        self.bytes.borrow().len() as u64
    }

    pub(crate) fn finish(this: Builder) -> Body {
        Body { bytes: this.bytes.into_inner() }
    }
}

#[derive(Debug)]
pub(crate) struct Reader {
    /// The slices, the next one last.
    slices: RefCell<Vec<Slice>>,
    size: u64,
}

impl Reader {
    pub(crate) fn open(context: &Context, options: &rally::corpora::Options) -> Result<Reader, types::Error> {
        let mut slices = Vec::new();
        let types::Partition { index, total } = context.partition;
        for set in &context.documents {
            if !options.indices.is_empty() && !options.indices.contains(&set.index) {
                continue;
            }
            let border = |client: u32| {
                let per_client = set.lines.len() as f64 / f64::from(total);
                (per_client * f64::from(client)).round_ties_even() as usize
            };
            for lines in set.lines[border(index)..border(index + 1)].chunks(options.bulk_size as usize) {
                let bytes = lines.iter().flat_map(|line| [line.as_bytes(), b"\n"].concat()).collect();
                let (index, mapping_type) = (set.index.clone(), set.mapping_type.clone());
                slices.push(Slice { documents: lines.len() as u32, index, mapping_type, bytes });
            }
        }
        slices.reverse();
        let size = slices.len() as u64;
        Ok(Reader { slices: RefCell::new(slices), size })
    }

    pub(crate) fn next(&self) -> Result<Option<Slice>, types::Error> {
        Ok(self.slices.borrow_mut().pop())
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }
}

/// Time as a test sets it.
pub(crate) mod clock {
    use super::{Cell, Instant};

    thread_local! {
        pub(crate) static WALL: Cell<u64> = const { Cell::new(0) };
        static START: Instant = Instant::now();
    }

    pub(crate) fn wall() -> u64 {
        WALL.get()
    }

    pub(crate) fn monotonic() -> u64 {
        START.with(|start| start.elapsed().as_nanos() as u64)
    }
}

/// A folder of a test: files in memory, and those of a folder on disk behind them.
#[derive(Debug, Default)]
pub(crate) struct Folder {
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    pub(crate) root: Option<PathBuf>,
}

impl Folder {
    fn read(&self, name: &str) -> Result<Vec<u8>, types::Error> {
        if let Some(bytes) = self.files.get(name) {
            return Ok(bytes.clone());
        }
        let root = self.root.as_ref().filter(|_| name.split('/').all(|part| part != ".."));
        root.and_then(|root| std::fs::read(root.join(name)).ok())
            .ok_or_else(|| error(ErrorClass::NotFound, format!("there is no file '{name}'")))
    }

    fn entries(&self, name: &str) -> Result<Vec<rally::files::Entry>, types::Error> {
        let prefix = if name.is_empty() { String::new() } else { format!("{name}/") };
        let mut found: BTreeMap<String, rally::files::Kind> = BTreeMap::new();
        for rest in self.files.keys().filter_map(|file| file.strip_prefix(&prefix)) {
            match rest.split_once('/') {
                Some((folder, _)) => found.insert(folder.to_owned(), rally::files::Kind::Folder),
                None => found.insert(rest.to_owned(), rally::files::Kind::File),
            };
        }
        if let Some(folder) = self.root.as_ref().and_then(|root| std::fs::read_dir(root.join(name)).ok()) {
            for entry in folder.flatten() {
                let is_folder = entry.path().is_dir();
                let kind = if is_folder { rally::files::Kind::Folder } else { rally::files::Kind::File };
                found.entry(entry.file_name().to_string_lossy().into_owned()).or_insert(kind);
            }
        }
        if found.is_empty() && !name.is_empty() {
            return Err(error(ErrorClass::NotFound, format!("there is no folder '{name}'")));
        }
        Ok(found.into_iter().map(|(name, kind)| rally::files::Entry { name, kind }).collect())
    }
}

/// The functions that both folders have.
macro_rules! folder {
    () => {
        use crate::handle::memory::{Folder, rally, range, types};
        use std::cell::RefCell;

        thread_local! {
            pub(crate) static FOLDER: RefCell<Folder> = RefCell::default();
        }

        pub(crate) fn stat(name: &str) -> Result<rally::files::Status, types::Error> {
            match read(name) {
                Ok(bytes) => {
                    Ok(rally::files::Status { kind: rally::files::Kind::File, size: bytes.len() as u64 })
                }
                Err(error) => match entries(name) {
                    Ok(_) => Ok(rally::files::Status { kind: rally::files::Kind::Folder, size: 0 }),
                    Err(_) => Err(error),
                },
            }
        }

        pub(crate) fn entries(name: &str) -> Result<Vec<rally::files::Entry>, types::Error> {
            FOLDER.with_borrow(|folder| folder.entries(name))
        }

        pub(crate) fn read(name: &str) -> Result<Vec<u8>, types::Error> {
            FOLDER.with_borrow(|folder| folder.read(name))
        }

        pub(crate) fn read_range(name: &str, offset: u64, length: u32) -> Result<Vec<u8>, types::Error> {
            Ok(range(&read(name)?, offset, length))
        }

        pub(crate) fn read_unpacked(
            name: &str,
            _packing: rally::files::Packing,
        ) -> Result<Vec<u8>, types::Error> {
            // Unpacking is rally's work: a test gives the unpacked bytes under the name of the packed file.
            read(name)
        }
    };
}

/// The track folder of a test.
pub(crate) mod assets {
    folder!();
}

/// The data folder of a test.
pub(crate) mod data {
    folder!();

    pub(crate) fn create(name: &str) -> Result<(), types::Error> {
        FOLDER.with_borrow_mut(|folder| folder.files.insert(name.to_owned(), Vec::new()));
        Ok(())
    }

    pub(crate) fn append(name: &str, bytes: &[u8]) -> Result<(), types::Error> {
        FOLDER.with_borrow_mut(|folder| match folder.files.get_mut(name) {
            Some(file) => {
                file.extend_from_slice(bytes);
                Ok(())
            }
            None => Err(super::error(
                super::ErrorClass::Denied,
                format!("'{name}' was not made by this instance"),
            )),
        })
    }
}

/// What answers the requests of a test.
pub(crate) type Answer = dyn Fn(&SentRequest) -> Reply;

/// The target of a test.
#[derive(Clone)]
pub(crate) struct Target {
    answer: Rc<Answer>,
    waiting: Rc<RefCell<Vec<wire::Completion>>>,
    next_id: Rc<Cell<u32>>,
}

impl Target {
    pub(crate) fn new(answer: Rc<Answer>) -> Target {
        Target { answer, waiting: Rc::default(), next_id: Rc::default() }
    }

    pub(crate) fn send(&self, call: Call, want: &Want) -> Result<wire::Response, types::Error> {
        let request = SentRequest::of(call);
        (self.answer)(&request).into_wire(want)
    }

    pub(crate) fn send_all(
        &self,
        calls: Vec<Call>,
        want: &Want,
        _width: u32,
    ) -> Vec<Result<wire::Response, types::Error>> {
        calls.into_iter().map(|call| self.send(call, want)).collect()
    }

    pub(crate) fn submit(&self, call: Call, want: &Want) -> Result<u32, types::Error> {
        let outcome = self.send(call, want);
        self.next_id.set(self.next_id.get() + 1);
        let id = self.next_id.get();
        self.waiting.borrow_mut().push(wire::Completion { id, outcome });
        Ok(id)
    }

    pub(crate) fn wait(&self, _timeout_nanoseconds: Option<u64>) -> Vec<wire::Completion> {
        std::mem::take(&mut self.waiting.borrow_mut())
    }

    /// A test does not wait.
    pub(crate) fn sleep(&self, _nanoseconds: u64) {}

    pub(crate) fn builtin(
        &self,
        _cluster: Option<&str>,
        operation_type: &str,
        params: &str,
        body: Option<Body>,
    ) -> Result<String, types::Error> {
        let body = body.map(|body| body.bytes).unwrap_or_default();
        let request = SentRequest::of_builtin(operation_type, params, body);
        let answer = (self.answer)(&request).into_wire(&Want::Whole)?;
        String::from_utf8(answer.body).map_err(|problem| error(ErrorClass::Other, problem.to_string()))
    }
}
