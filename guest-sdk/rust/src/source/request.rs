//! One request, as a parameter source makes it.

use std::any::Any;
use std::fmt;

use serde::Serialize;

use super::shapes::Shapes;
use crate::bodies::{Body, BodyKind};
use crate::parameter::Parameter;
use crate::{Error, Result, held};

/// One request in the making: its parameters (what Rally's `params()` returns as a dict), and its body apart from them.
///
/// Nothing is kept from the request before: set everything each time. Parameters that did not change cost next to nothing.
pub struct Request {
    pub(super) shapes: Shapes,
    /// Bodies of the batch, one after the other.
    pub(super) arena: Vec<u8>,
    /// Where the body of this request begins in `arena`.
    pub(super) begin: usize,
    pub(super) kind: BodyKind,
    pub(super) host_body: Option<Body>,
    pub(super) documents: u32,
    pub(super) held: u32,
    pub(super) exhausted: bool,
    pub(super) failure: Option<Error>,
}

impl Request {
    pub(super) fn new() -> Request {
        Request {
            shapes: Shapes::new(),
            arena: Vec::new(),
            begin: 0,
            kind: BodyKind::Json,
            host_body: None,
            documents: 0,
            held: 0,
            exhausted: false,
            failure: None,
        }
    }

    pub(super) fn begin(&mut self, compare: bool) {
        self.shapes.begin_request(compare);
        self.begin = self.arena.len();
        self.kind = BodyKind::Json;
        self.host_body = None;
        self.documents = 0;
        self.held = 0;
    }

    /// Takes back what the request has set.
    pub(super) fn abandon(&mut self) {
        self.arena.truncate(self.begin);
        self.host_body = None;
        if self.held != 0 {
            held::take(self.held);
            self.held = 0;
        }
    }

    /// Sets a parameter: the runner finds it under this name.
    pub fn set(&mut self, name: &str, parameter: impl Parameter) -> &mut Request {
        self.shapes.set(name, &parameter);
        self
    }

    /// Sets `index`: the index that the request goes to.
    pub fn index(&mut self, name: &str) -> &mut Request {
        self.set("index", name)
    }

    /// Sets `type`: the mapping type that the request goes to, on targets that have types.
    pub fn mapping_type(&mut self, name: &str) -> &mut Request {
        self.set("type", name)
    }

    /// Sets the body: anything that serde can write as JSON. `json!` is comfortable, a type with `derive(Serialize)` is fast.
    /// A value that cannot be JSON becomes the error of this request.
    pub fn body<T: Serialize + ?Sized>(&mut self, value: &T) -> &mut Request {
        let out = self.begin_body(BodyKind::Json);
        if let Err(error) = serde_json::to_writer(&mut *out, value) {
            self.failure = Some(Error::from(error).at("the body"));
        }
        self
    }

    /// Sets the body to JSON text as it is, written with a format: the fastest way.
    ///
    /// ```
    /// # fn example(request: &mut rally_sdk::Request, id: u64) {
    /// request.body_json(format_args!(r#"{{"query":{{"term":{{"id":{id}}}}}}}"#));
    /// # }
    /// ```
    pub fn body_json(&mut self, text: impl fmt::Display) -> &mut Request {
        self.format(BodyKind::Json, &text)
    }

    /// Sets the body to text, such as the lines of a bulk.
    pub fn body_text(&mut self, text: impl fmt::Display) -> &mut Request {
        self.format(BodyKind::Text, &text)
    }

    /// Sets the body to bytes.
    pub fn body_bytes(&mut self, bytes: &[u8]) -> &mut Request {
        self.begin_body(BodyKind::Bytes).extend_from_slice(bytes);
        self
    }

    /// Sets the body to one that lies in rally already, such as documents of the track.
    pub fn body_of(&mut self, body: Body) -> &mut Request {
        self.arena.truncate(self.begin);
        self.host_body = Some(body);
        self
    }

    /// The buffer of the body, for whoever writes it piece by piece; what was in it is gone.
    pub fn body_buffer(&mut self, kind: BodyKind) -> BodyBuffer<'_> {
        BodyBuffer { out: self.begin_body(kind) }
    }

    /// Says how many documents the body has, where that has a meaning.
    pub fn documents(&mut self, count: u32) -> &mut Request {
        self.documents = count;
        self
    }

    /// Hands an object to the runner of the same client instead of parameters: it gets it with
    /// [`Params::take_held`](crate::Params::take_held). Only where source and runner share an instance
    /// (`sharing: PerClient` or `PerWorker` in [`track!`](crate::track)).
    pub fn hold<T: Any>(&mut self, object: T) -> &mut Request {
        if self.held != 0 {
            held::take(self.held);
        }
        self.held = held::keep(Box::new(object));
        self
    }

    /// Says that there is no such request: the source has come to its end (Rally's `StopIteration`). What was set is dropped.
    ///
    /// ```
    /// # use rally_sdk::{Request, Result};
    /// # fn params(left: &mut Vec<u64>, request: &mut Request) -> Result<()> {
    /// let Some(id) = left.pop() else { return request.exhausted() };
    /// request.set("id", id);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// None: it returns what `params` returns.
    pub fn exhausted(&mut self) -> Result<()> {
        self.exhausted = true;
        Ok(())
    }

    fn begin_body(&mut self, kind: BodyKind) -> &mut Vec<u8> {
        self.arena.truncate(self.begin);
        self.host_body = None;
        self.kind = kind;
        &mut self.arena
    }

    fn format(&mut self, kind: BodyKind, text: &dyn fmt::Display) -> &mut Request {
        use fmt::Write as _;
        let mut buffer = BodyBuffer { out: self.begin_body(kind) };
        if write!(buffer, "{text}").is_err() {
            self.failure = Some(Error::other("the body could not be formatted"));
        }
        self
    }
}

/// Where the body of a request is written.
pub struct BodyBuffer<'request> {
    out: &'request mut Vec<u8>,
}

impl BodyBuffer<'_> {
    /// Appends bytes.
    pub fn extend(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// Appends a value as JSON.
    ///
    /// # Errors
    /// Where it cannot be JSON.
    pub fn json<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        Ok(serde_json::to_writer(&mut *self.out, value)?)
    }
}

impl fmt::Write for BodyBuffer<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.out.extend_from_slice(text.as_bytes());
        Ok(())
    }
}
