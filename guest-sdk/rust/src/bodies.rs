//! Bodies of requests. Their bytes stay in rally; they cross only where an extension reads or makes them.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::bindings::host::rally::track::bodies as wire;
use crate::handle;
use crate::{Error, Result};

pub use wire::Kind as BodyKind;

/// A finished body that lies in rally: handing it on copies nothing.
#[derive(Debug)]
pub struct Body {
    pub(crate) kind: BodyKind,
    pub(crate) handle: handle::Body,
}

impl Body {
    /// The value as JSON text.
    ///
    /// # Errors
    /// Where it cannot be JSON, such as a map whose keys are no texts.
    pub fn json<T: Serialize + ?Sized>(value: &T) -> Result<Body> {
        Ok(Body { kind: BodyKind::Json, handle: handle::of_bytes(&serde_json::to_vec(value)?) })
    }

    /// JSON text as it is.
    pub fn raw_json(text: &str) -> Body {
        Body { kind: BodyKind::Json, handle: handle::of_bytes(text.as_bytes()) }
    }

    /// Text, such as the lines of a bulk.
    pub fn text(text: &str) -> Body {
        Body { kind: BodyKind::Text, handle: handle::of_bytes(text.as_bytes()) }
    }

    /// Anything.
    pub fn bytes(bytes: &[u8]) -> Body {
        Body { kind: BodyKind::Bytes, handle: handle::of_bytes(bytes) }
    }

    /// What it is.
    pub fn kind(&self) -> BodyKind {
        self.kind
    }

    /// Its size in bytes.
    pub fn size(&self) -> u64 {
        self.handle.size()
    }

    /// At most `length` bytes from `offset` on; fewer only at the end.
    pub fn read(&self, offset: u64, length: u32) -> Vec<u8> {
        self.handle.read(offset, length)
    }

    /// All of its bytes.
    pub fn to_vec(&self) -> Vec<u8> {
        read_all(self.size(), |offset, length| self.read(offset, length))
    }

    /// All of it as text.
    ///
    /// # Errors
    /// Where it is not UTF-8.
    pub fn to_text(&self) -> Result<String> {
        Ok(String::from_utf8(self.to_vec())?)
    }

    /// All of it as a JSON value.
    ///
    /// # Errors
    /// Where it is not JSON, or does not fit the type.
    pub fn to_json<T: DeserializeOwned>(&self) -> Result<T> {
        Ok(serde_json::from_slice(&self.to_vec())?)
    }
}

/// Reads in pieces: the limits of a race may allow less than a large body in one call.
fn read_all(size: u64, read: impl Fn(u64, u32) -> Vec<u8>) -> Vec<u8> {
    const PIECE: u32 = 1 << 20;
    let mut all = Vec::new();
    while (all.len() as u64) < size {
        let piece = read(all.len() as u64, PIECE);
        if piece.is_empty() {
            break;
        }
        all.extend_from_slice(&piece);
    }
    all
}

/// What can be sent as a body.
pub trait IntoBody {
    /// The body.
    ///
    /// # Errors
    /// Where a value cannot be JSON.
    fn into_body(self) -> Result<Body>;
}

impl IntoBody for Body {
    fn into_body(self) -> Result<Body> {
        Ok(self)
    }
}

impl IntoBody for Value {
    fn into_body(self) -> Result<Body> {
        Body::json(&self)
    }
}

impl IntoBody for &Value {
    fn into_body(self) -> Result<Body> {
        Body::json(self)
    }
}

impl IntoBody for &str {
    fn into_body(self) -> Result<Body> {
        Ok(Body::text(self))
    }
}

impl IntoBody for String {
    fn into_body(self) -> Result<Body> {
        Ok(Body::text(&self))
    }
}

impl IntoBody for &[u8] {
    fn into_body(self) -> Result<Body> {
        Ok(Body::bytes(self))
    }
}

impl IntoBody for Vec<u8> {
    fn into_body(self) -> Result<Body> {
        Ok(Body::bytes(&self))
    }
}

/// An unchanging run of documents of one corpus file, one per line.
#[derive(Debug)]
pub struct Slice {
    pub(crate) handle: handle::Slice,
}

impl Slice {
    /// Number of documents (not lines).
    pub fn documents(&self) -> u32 {
        self.handle.documents()
    }

    /// Size in bytes.
    pub fn size(&self) -> u64 {
        self.handle.size()
    }

    /// Index that the documents belong to.
    pub fn index(&self) -> String {
        self.handle.index()
    }

    /// Mapping type that they belong to, where the target knows types.
    pub fn mapping_type(&self) -> Option<String> {
        self.handle.mapping_type()
    }

    /// Whether each document is preceded by a line with action and meta-data.
    pub fn has_action_lines(&self) -> bool {
        self.handle.has_action_lines()
    }

    /// At most `length` bytes from `offset` on; fewer only at the end.
    pub fn read(&self, offset: u64, length: u32) -> Vec<u8> {
        self.handle.read(offset, length)
    }

    /// All of its bytes.
    pub fn to_vec(&self) -> Vec<u8> {
        read_all(self.size(), |offset, length| self.read(offset, length))
    }

    /// The documents as a body, as they lie in the file.
    pub fn into_body(self) -> Body {
        Body { kind: BodyKind::Text, handle: handle::of_slice(self.handle) }
    }

    /// A bulk of the documents: `line`, which ends with a newline, stands before each.
    pub fn interleaved(&self, line: &[u8]) -> Body {
        let mut builder = Builder::new();
        builder.append_interleaved(line, self);
        builder.finish(BodyKind::Text)
    }
}

/// Makes a body of bytes and slices, in any order.
#[derive(Debug)]
pub struct Builder {
    handle: handle::Builder,
}

impl Builder {
    /// An empty one.
    pub fn new() -> Builder {
        Builder { handle: handle::Builder::new() }
    }

    /// Appends bytes.
    pub fn append(&mut self, bytes: &[u8]) {
        self.handle.append(bytes);
    }

    /// Appends a part of a slice. Where the slice has no such bytes, the extension is stopped.
    pub fn append_slice(&mut self, slice: &Slice, offset: u64, length: u64) {
        self.handle.append_slice(&slice.handle, offset, length);
    }

    /// Appends all lines of a slice, each with `line`, which ends with a newline, before it.
    pub fn append_interleaved(&mut self, line: &[u8], slice: &Slice) {
        self.handle.append_interleaved(line, &slice.handle);
    }

    /// Overwrites bytes in place, such as a timestamp. Where the body has no such bytes, the extension is stopped.
    pub fn patch(&mut self, offset: u64, bytes: &[u8]) {
        self.handle.patch(offset, bytes);
    }

    /// Size so far in bytes.
    pub fn size(&self) -> u64 {
        self.handle.size()
    }

    /// The body.
    pub fn finish(self, kind: BodyKind) -> Body {
        Body { kind, handle: handle::Builder::finish(self.handle) }
    }
}

impl Default for Builder {
    fn default() -> Builder {
        Builder::new()
    }
}

/// The body among parameters that came as JSON: text stays text, anything else is a JSON value.
pub(crate) fn of_value(value: &Value) -> Result<Body> {
    match value {
        Value::String(text) => Ok(Body::text(text)),
        value => Body::json(value),
    }
}

/// The error of a body that is not there.
pub(crate) fn missing() -> Error {
    Error::config("parameter 'body' is missing: it must be the body of the request")
}
