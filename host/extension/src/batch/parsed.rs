//! Parameters as JSON values, and what they take: a byte of a guest's text can become a hundred bytes of the host's memory.

use std::sync::{Arc, Weak};

use serde_json::{Map, Value};

use super::{BatchError, Values};
use crate::json_size::parsed_size;

/// Parameters that are alive: in a slot, or part of a request that has not been made yet.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    alive: Vec<(Weak<Map<String, Value>>, usize)>,
    memory: usize,
}

impl Parsed {
    /// Bytes that they take.
    pub(super) fn memory(&self) -> usize {
        self.memory
    }

    /// Forgets those that are in no slot and no request any more.
    pub(super) fn forget_dropped(&mut self) {
        let memory = &mut self.memory;
        self.alive.retain(|(values, size)| {
            let alive = values.strong_count() > 0;
            if !alive {
                *memory -= size;
            }
            alive
        });
    }

    /// Parses parameters, if all of them together take no more than `most` bytes then.
    pub(super) fn parse(
        &mut self,
        text: &str,
        most: usize,
        wrong: impl FnOnce(serde_json::Error) -> String,
    ) -> Result<Values, BatchError> {
        let size = parsed_size(text);
        if self.memory.saturating_add(size) > most {
            return Err(BatchError::Memory);
        }
        let values = Arc::new(serde_json::from_str(text).map_err(wrong)?);
        self.alive.push((Arc::downgrade(&values), size));
        self.memory += size;
        Ok(values)
    }
}
