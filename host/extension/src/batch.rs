//! Turns what a source returned into requests. Nothing of it is believed: positions, ends and slots come from the guest.

use std::sync::Arc;

use bytes::Bytes;
use rally_race::{BodyKind, More, Params};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// Number of slots for shapes.
pub const SLOTS: u32 = 256;

/// Requests as a source gave them, before anything of it was looked at.
#[derive(Debug, Clone, Default)]
pub struct RawBatch {
    /// Slots with the JSON objects to put into them.
    pub new_shapes: Vec<(u32, String)>,
    /// The requests.
    pub items: Vec<RawItem>,
    /// Bodies, one after the other.
    pub arena: Vec<u8>,
    /// Bodies that the host has, by position.
    pub bodies: Vec<(u32, BodyKind, Bytes)>,
    /// Nothing more will come.
    pub exhausted: bool,
}

/// One request as a source gave it.
#[derive(Debug, Clone, Copy, Default)]
pub struct RawItem {
    /// Slot of its parameters.
    pub shape: u32,
    /// End of its body in the arena.
    pub arena_end: u32,
    /// What that body is.
    pub body_kind: BodyKind,
    /// Documents in it.
    pub documents: u32,
    /// Number of an object that the guest keeps, or 0.
    pub held: u32,
}

/// Reads the batches of one source, in order.
#[derive(Debug, Default)]
pub struct BatchReader {
    slots: Vec<Option<Arc<Map<String, Value>>>>,
    exhausted: bool,
    /// Whether guest and runner share an instance, so that objects may stay with the guest.
    may_hold: bool,
    /// The parameters of the line before without its body, as text, and what they are.
    last_line: Option<(String, Arc<Map<String, Value>>)>,
}

impl BatchReader {
    /// A reader that has seen nothing. `may_hold`: source and runner share an instance.
    pub fn new(may_hold: bool) -> BatchReader {
        BatchReader { may_hold, ..BatchReader::default() }
    }

    /// Appends the requests of a batch that was to have at most `limit`.
    ///
    /// # Errors
    /// What is wrong with the batch; then nothing of it is used.
    pub fn read(&mut self, batch: RawBatch, limit: usize, out: &mut Vec<Params>) -> Result<More, String> {
        if self.exhausted && !(batch.items.is_empty() && batch.exhausted) {
            return Err("more requests after it had said that it is exhausted".to_owned());
        }
        if batch.items.len() > limit {
            return Err(format!("{} requests when asked for at most {limit}", batch.items.len()));
        }
        if batch.items.is_empty() && !batch.exhausted {
            return Err("no request, but did not say that it is exhausted".to_owned());
        }
        for (slot, text) in batch.new_shapes {
            if slot >= SLOTS {
                return Err(format!(
                    "a shape for slot {slot}, but there are {SLOTS} slots (0 to {})",
                    SLOTS - 1
                ));
            }
            let values: Map<String, Value> = serde_json::from_str(&text).map_err(|problem| {
                format!("parameters that are no JSON object ({problem}): {}", excerpt(&text))
            })?;
            let slot = slot as usize;
            if self.slots.len() <= slot {
                self.slots.resize(slot + 1, None);
            }
            self.slots[slot] = Some(Arc::new(values));
        }
        let arena = Bytes::from(batch.arena);
        let mut bodies = batch.bodies.into_iter().peekable();
        let mut begin = 0;
        let before = out.len();
        let mut read = || {
            for (position, item) in batch.items.iter().enumerate() {
                let end = item.arena_end as usize;
                if end < begin || end > arena.len() {
                    return Err(format!(
                        "a body of request {position} from {begin} to {end}, but its arena has {} bytes",
                        arena.len()
                    ));
                }
                let values =
                    self.slots.get(item.shape as usize).and_then(Option::as_ref).ok_or_else(|| {
                        format!(
                            "request {position} with the parameters of slot {}, which is empty",
                            item.shape
                        )
                    })?;
                let mut params = Params { documents: item.documents, ..Params::of(Arc::clone(values)) };
                if end > begin {
                    params.body = arena.slice(begin..end);
                    params.body_kind = item.body_kind;
                }
                begin = end;
                if let Some((_, kind, body)) = bodies.next_if(|(at, ..)| *at as usize == position) {
                    if !params.body.is_empty() {
                        return Err(format!("two bodies for request {position}"));
                    }
                    (params.body, params.body_kind) = (body, kind);
                }
                params.held = std::num::NonZeroU32::new(item.held);
                if params.held.is_some() && !self.may_hold {
                    return Err(format!(
                        "request {position} by reference, but its source and its runner do not share an instance"
                    ));
                }
                out.push(params);
            }
            if let Some((at, ..)) = bodies.next() {
                return Err(format!("a body for request {at}, out of order or out of range"));
            }
            if begin != arena.len() {
                return Err(format!("{} bytes of bodies that belong to no request", arena.len() - begin));
            }
            Ok(())
        };
        if let Err(problem) = read() {
            out.truncate(before);
            return Err(problem);
        }
        self.exhausted = batch.exhausted;
        Ok(if batch.exhausted { More::Exhausted } else { More::Yes })
    }

    /// The same for requests as lines of JSON.
    ///
    /// # Errors
    /// What is wrong with the lines; then none of them is used.
    pub fn read_lines(
        &mut self,
        text: &str,
        exhausted: bool,
        limit: usize,
        out: &mut Vec<Params>,
    ) -> Result<More, String> {
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim_ascii().is_empty()).collect();
        if self.exhausted && !(lines.is_empty() && exhausted) {
            return Err("more requests after it had said that it is exhausted".to_owned());
        }
        if lines.len() > limit {
            return Err(format!("{} requests when asked for at most {limit}", lines.len()));
        }
        if lines.is_empty() && !exhausted {
            return Err("no request, but did not say that it is exhausted".to_owned());
        }
        let before = out.len();
        for line in lines {
            match self.line(line) {
                Ok(params) => out.push(params),
                Err(problem) => {
                    out.truncate(before);
                    return Err(problem);
                }
            }
        }
        self.exhausted = exhausted;
        Ok(if exhausted { More::Exhausted } else { More::Yes })
    }

    fn line(&mut self, line: &str) -> Result<Params, String> {
        let wrong = |problem: serde_json::Error| {
            format!("a line that is no JSON object ({problem}): {}", excerpt(line))
        };
        let fields: indexmap::IndexMap<&str, &RawValue> = match serde_json::from_str(line) {
            Ok(fields) => fields,
            // Keys with escapes cannot be borrowed.
            Err(_) => return self.escaped_line(line, wrong),
        };
        let (mut body, mut body_kind) = (Bytes::new(), BodyKind::default());
        let mut rest = String::with_capacity(64);
        for (name, value) in &fields {
            if *name == "body" {
                (body, body_kind) = line_body(value.get()).map_err(wrong)?;
                continue;
            }
            rest.push_str(if rest.is_empty() { "{\"" } else { ",\"" });
            rest.push_str(name);
            rest.push_str("\":");
            rest.push_str(value.get());
        }
        rest.push_str(if rest.is_empty() { "{}" } else { "}" });
        let values = match &self.last_line {
            Some((text, values)) if *text == rest => Arc::clone(values),
            _ => {
                let values: Arc<Map<String, Value>> = Arc::new(serde_json::from_str(&rest).map_err(wrong)?);
                self.last_line = Some((rest, Arc::clone(&values)));
                values
            }
        };
        Ok(with_body(values, body, body_kind))
    }

    fn escaped_line(
        &mut self,
        line: &str,
        wrong: impl Fn(serde_json::Error) -> String,
    ) -> Result<Params, String> {
        let mut values: Map<String, Value> = serde_json::from_str(line).map_err(&wrong)?;
        let (body, kind) = match values.shift_remove("body") {
            None => (Bytes::new(), BodyKind::default()),
            Some(body) => line_body(&body.to_string()).map_err(&wrong)?,
        };
        Ok(with_body(Arc::new(values), body, kind))
    }
}

fn with_body(values: Arc<Map<String, Value>>, body: Bytes, body_kind: BodyKind) -> Params {
    let documents = values.get("bulk-size").and_then(Value::as_u64).unwrap_or(0);
    let documents = u32::try_from(documents).unwrap_or(u32::MAX);
    Params { body, body_kind, documents, ..Params::of(values) }
}

/// A body as JSON has it: text stands for itself, `null` for none.
fn line_body(raw: &str) -> Result<(Bytes, BodyKind), serde_json::Error> {
    match raw.as_bytes().first() {
        Some(b'"') => {
            let text: String = serde_json::from_str(raw)?;
            Ok((Bytes::from(text), BodyKind::Text))
        }
        Some(b'n') => Ok((Bytes::new(), BodyKind::default())),
        _ => Ok((Bytes::copy_from_slice(raw.as_bytes()), BodyKind::Json)),
    }
}

fn excerpt(text: &str) -> String {
    match text.char_indices().nth(120) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
