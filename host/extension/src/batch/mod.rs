//! Turns what a source returned into requests. Nothing of it is believed: positions, ends and slots come from the guest.

mod lines;
mod parsed;
#[cfg(test)]
mod tests;

use std::num::NonZeroU32;
use std::sync::Arc;

use bytes::Bytes;
use rally_race::{BodyKind, More, Params};
use serde_json::{Map, Value};

use self::parsed::Parsed;

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

/// Why a batch cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// It makes no sense: what is wrong with it.
    #[error("{0}")]
    Nonsense(String),
    /// Its parameters would take more memory than there is room for.
    #[error("there is no room for its parameters")]
    Memory,
}

impl From<String> for BatchError {
    fn from(problem: String) -> BatchError {
        BatchError::Nonsense(problem)
    }
}

/// Parameters as the race knows them.
type Values = Arc<Map<String, Value>>;

/// Reads the batches of one source, in order.
#[derive(Debug, Default)]
pub struct BatchReader {
    slots: Vec<Option<Values>>,
    exhausted: bool,
    /// Whether guest and runner share an instance, so that objects may stay with the guest.
    may_hold: bool,
    /// The parameters of the line before without its body, as text, and what they are.
    last_line: Option<(String, Values)>,
    /// All parameters that are still in use.
    parsed: Parsed,
}

impl BatchReader {
    /// A reader that has seen nothing. `may_hold`: source and runner share an instance.
    pub fn new(may_hold: bool) -> BatchReader {
        BatchReader { may_hold, ..BatchReader::default() }
    }

    /// Bytes that the parameters read so far take, as long as they are in a slot or part of a request.
    pub fn memory(&self) -> usize {
        self.parsed.memory()
    }

    /// Appends the requests of a batch that was to have at most `limit`. All parameters together may take `memory` bytes.
    ///
    /// # Errors
    /// What is wrong with the batch; then nothing of it is used.
    pub fn read(
        &mut self,
        batch: RawBatch,
        limit: usize,
        memory: usize,
        out: &mut Vec<Params>,
    ) -> Result<More, BatchError> {
        self.check(batch.items.len(), batch.exhausted, limit)?;
        self.parsed.forget_dropped();
        let shapes = self.shapes(batch.new_shapes, memory)?;
        // What a batch that is wrong has put into the slots is taken out again.
        let slots_before = (!shapes.is_empty()).then(|| self.slots.clone());
        for (slot, values) in shapes {
            if self.slots.len() <= slot {
                self.slots.resize(slot + 1, None);
            }
            self.slots[slot] = Some(values);
        }
        let before = out.len();
        if let Err(problem) = self.items(&batch.items, Bytes::from(batch.arena), batch.bodies, out) {
            out.truncate(before);
            if let Some(slots) = slots_before {
                self.slots = slots;
            }
            return Err(problem.into());
        }
        self.exhausted = batch.exhausted;
        Ok(if batch.exhausted { More::Exhausted } else { More::Yes })
    }

    /// Whether a source may hand over so many requests now.
    fn check(&self, requests: usize, exhausted: bool, limit: usize) -> Result<(), String> {
        if self.exhausted && !(requests == 0 && exhausted) {
            return Err("more requests after it had said that it is exhausted".to_owned());
        }
        if requests > limit {
            return Err(format!("{requests} requests when asked for at most {limit}"));
        }
        if requests == 0 && !exhausted {
            return Err("no request, but did not say that it is exhausted".to_owned());
        }
        Ok(())
    }

    /// The parameters that a batch announces, by slot.
    fn shapes(
        &mut self,
        announced: Vec<(u32, String)>,
        memory: usize,
    ) -> Result<Vec<(usize, Values)>, BatchError> {
        let mut shapes = Vec::with_capacity(announced.len());
        for (slot, text) in announced {
            if slot >= SLOTS {
                let last = SLOTS - 1;
                let problem = format!("a shape for slot {slot}, but there are {SLOTS} slots (0 to {last})");
                return Err(problem.into());
            }
            let values = self.parsed.parse(&text, memory, |problem| {
                format!("parameters that are not a JSON object ({problem}): {}", excerpt(&text))
            })?;
            shapes.push((slot as usize, values));
        }
        Ok(shapes)
    }

    /// Appends the requests of a batch; in part where one of them is wrong.
    fn items(
        &self,
        items: &[RawItem],
        arena: Bytes,
        bodies: Vec<(u32, BodyKind, Bytes)>,
        out: &mut Vec<Params>,
    ) -> Result<(), String> {
        let mut bodies = bodies.into_iter().peekable();
        let mut begin = 0;
        for (position, item) in items.iter().enumerate() {
            let mut params = self.item(position, item, begin, &arena)?;
            begin = item.arena_end as usize;
            if let Some((_, kind, body)) = bodies.next_if(|(at, ..)| *at as usize == position) {
                if !params.body.is_empty() {
                    return Err(format!("two bodies for request {position}"));
                }
                (params.body, params.body_kind) = (body, kind);
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
    }

    /// One request, whose body in the arena begins at `begin`.
    fn item(&self, position: usize, item: &RawItem, begin: usize, arena: &Bytes) -> Result<Params, String> {
        let end = item.arena_end as usize;
        if end < begin || end > arena.len() {
            return Err(format!(
                "a body of request {position} from {begin} to {end}, but its arena has {} bytes",
                arena.len()
            ));
        }
        let values = self.slots.get(item.shape as usize).and_then(Option::as_ref).ok_or_else(|| {
            format!("request {position} with the parameters of slot {}, which is empty", item.shape)
        })?;
        let mut params = Params { documents: item.documents, ..Params::of(Arc::clone(values)) };
        if end > begin {
            params.body = arena.slice(begin..end);
            params.body_kind = item.body_kind;
        }
        params.held = NonZeroU32::new(item.held);
        if params.held.is_some() && !self.may_hold {
            return Err(format!(
                "request {position} by reference, but its source and its runner do not share an instance"
            ));
        }
        Ok(params)
    }
}

fn excerpt(text: &str) -> String {
    match text.char_indices().nth(120) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
