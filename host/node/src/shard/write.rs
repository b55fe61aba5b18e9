//! Writing: operations in batches.

use super::Shard;
use super::core::WriteState;
use super::gate::{GatedDocument, Permit};
use super::recent::Recent;
use super::update::Update;
use crate::document::{self, ParsedDocument};
use crate::error::EsError;
use crate::mapping::{DynamicValue, System};
use bytes::Bytes;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;
use tantivy::indexer::UserOperation;
use tantivy::schema::Term;

/// How often an update is tried again when other requests change its document in between.
const UPDATE_ATTEMPTS: usize = 100;

/// What to do with one document.
#[derive(Debug, Clone)]
pub enum Action {
    /// Index it, whatever there is.
    Index(Bytes),
    /// Index it only if there is none with this id.
    Create(Bytes),
    /// Delete it.
    Delete,
    /// Change it.
    Update(Update),
}

/// One operation.
#[derive(Debug, Clone)]
pub struct Operation {
    /// What to do.
    pub action: Action,
    /// The document; None for an id of the node's own.
    pub id: Option<String>,
    /// Only if the document's last change has this sequence number (`if_seq_no`).
    pub if_sequence: Option<u64>,
}

/// What became of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// `created`, `updated`, `deleted`, `not_found` or `noop`.
    pub result: &'static str,
    /// Version of the document after it.
    pub version: u64,
    /// Its sequence number.
    pub sequence: u64,
}

impl Written {
    /// How many copies the operation should have gone to and went to: `total` and `successful` of `_shards`.
    pub fn shards(&self, copies: u64) -> (u64, u64) {
        if self.result == "noop" { (0, 0) } else { (copies, 1) }
    }

    /// The HTTP status that goes with the result.
    pub fn status(&self) -> u16 {
        match self.result {
            "created" => 201,
            "not_found" => 404,
            _ => 200,
        }
    }
}

/// Id and outcome of an operation.
pub type Outcome = (String, Result<Written, EsError>);

/// An operation whose document has been read.
struct Prepared {
    position: usize,
    id: String,
    own_id: bool,
    kind: Kind,
    if_sequence: Option<u64>,
    source: Bytes,
    document: Option<ParsedDocument>,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Index,
    Create,
    Delete,
    /// An update's new source, for the document with the sequence number given beside it; None for an insertion.
    Replace(Option<u64>),
}

/// The state of a document before an operation.
#[derive(Clone, Copy)]
struct Current {
    version: u64,
    sequence: u64,
    /// Whether tantivy holds it, so that it must be deleted there.
    exists: bool,
    /// Whether `version` counts on although the document is deleted.
    known: bool,
}

impl Shard {
    /// Performs `operations` in order and tells what became of each.
    pub fn write(&self, operations: Vec<Operation>) -> Vec<Outcome> {
        let mut outcomes: Vec<Option<Outcome>> = operations.iter().map(|_| None).collect();
        let bytes: usize = operations.iter().map(|operation| operation.size()).sum();
        let permit = self.shared.gate.acquire(bytes);
        let mut pending: Vec<(usize, Operation)> = operations.into_iter().enumerate().collect();
        for attempt in 0.. {
            let mut again = Vec::new();
            for group in groups(pending) {
                self.write_group(group, &permit, attempt, &mut outcomes, &mut again);
            }
            if again.is_empty() {
                break;
            }
            pending = again;
        }
        drop(permit);
        if let Err(error) = self.flush_if_full() {
            tracing::error!(index = %self.name, %error, "flushing failed");
        }
        outcomes
            .into_iter()
            .map(|outcome| {
                outcome.unwrap_or_else(|| {
                    (String::new(), Err(EsError::internal("the operation was not performed")))
                })
            })
            .collect()
    }

    /// Writes operations in which no update shares its document with another operation.
    fn write_group(
        &self,
        group: Vec<(usize, Operation)>,
        permit: &Arc<Permit>,
        attempt: usize,
        outcomes: &mut [Option<Outcome>],
        again: &mut Vec<(usize, Operation)>,
    ) {
        let start = Instant::now();
        let mut updates: HashMap<usize, Operation> = HashMap::new();
        let mut prepared = Vec::with_capacity(group.len());
        for (position, operation) in group {
            if matches!(operation.action, Action::Update(_)) && attempt < UPDATE_ATTEMPTS {
                updates.insert(position, operation.clone());
            }
            match self.prepare(position, operation) {
                Ok(Ok(each)) => prepared.push(each),
                Ok(Err(done)) => outcomes[position] = Some(done),
                Err((id, error)) => outcomes[position] = Some((id, Err(error))),
            }
        }
        let prepared = self.read_documents(prepared, outcomes);
        let (mut indexed, mut deleted, mut failed) = (0, 0, 0);
        for (position, id, result, kind) in self.apply(prepared, permit) {
            if let (Err(error), Some(operation)) = (&result, updates.remove(&position))
                && error.kind == "version_conflict_engine_exception"
                && operation.if_sequence.is_none()
            {
                again.push((position, operation));
                continue;
            }
            match (&result, kind) {
                (Err(_), _) => failed += 1,
                (Ok(_), Kind::Delete) => deleted += 1,
                (Ok(_), _) => indexed += 1,
            }
            outcomes[position] = Some((id, result));
        }
        if deleted > 0 && indexed == 0 {
            self.counters.delete.add(deleted, start);
        } else {
            self.counters.delete.add(deleted, Instant::now());
            self.counters.indexing.add(indexed, start);
        }
        self.counters.index_failed.add(failed);
    }

    /// Finds out what an operation writes; an update that writes nothing is done with that.
    #[allow(clippy::type_complexity)]
    fn prepare(
        &self,
        position: usize,
        operation: Operation,
    ) -> Result<Result<Prepared, Outcome>, (String, EsError)> {
        let own_id = operation.id.is_none();
        let id = operation.id.unwrap_or_else(new_id);
        let if_sequence = operation.if_sequence;
        let (kind, source) = match operation.action {
            Action::Index(source) => (Kind::Index, source),
            Action::Create(source) => (Kind::Create, source),
            Action::Delete => (Kind::Delete, Bytes::new()),
            Action::Update(update) => match self.prepare_update(&id, &update, if_sequence) {
                Ok(Ok((kind, source))) => (kind, source),
                Ok(Err(noop)) => return Ok(Err((id, Ok(noop)))),
                Err(error) => {
                    self.counters.index_failed.add(1);
                    return Err((id, error));
                }
            },
        };
        Ok(Ok(Prepared { position, id, own_id, kind, if_sequence, source, document: None }))
    }

    fn prepare_update(
        &self,
        id: &str,
        update: &Update,
        if_sequence: Option<u64>,
    ) -> Result<Result<(Kind, Bytes), Written>, EsError> {
        let Some(current) = self.get(id)? else {
            return match update.insertion()? {
                Some(source) if if_sequence.is_none() => Ok(Ok((Kind::Replace(None), source))),
                _ => Err(EsError::new(
                    404,
                    "document_missing_exception",
                    format!("[_doc][{id}]: document missing"),
                )
                .detail("index", &*self.name)
                .detail("shard", "0")),
            };
        };
        if if_sequence.is_some_and(|wanted| wanted != current.sequence) {
            return Err(self.conflict_on_sequence(id, if_sequence.unwrap_or(0), current.sequence));
        }
        let source = current.source.ok_or_else(|| {
            EsError::new(
                400,
                "document_source_missing_exception",
                format!("[_doc][{id}]: document source missing"),
            )
        })?;
        match update.apply(&source)? {
            Some(source) => Ok(Ok((Kind::Replace(Some(current.sequence)), source))),
            None => {
                self.counters.noop_updates.add(1);
                Ok(Err(Written { result: "noop", version: current.version, sequence: current.sequence }))
            }
        }
    }

    /// Reads the sources; fields they bring are added to the mapping, all at once.
    fn read_documents(&self, prepared: Vec<Prepared>, outcomes: &mut [Option<Outcome>]) -> Vec<Prepared> {
        let mut ready = prepared;
        let mut new: Vec<(String, DynamicValue)> = Vec::new();
        let mapping = self.mapping();
        let failed = |each: &Prepared, error: EsError, outcomes: &mut [Option<Outcome>]| {
            outcomes[each.position] = Some((each.id.clone(), Err(error)));
            self.counters.index_failed.add(1);
        };
        ready.retain_mut(|each| {
            if each.kind == Kind::Delete {
                return true;
            }
            match document::parse(&mapping, &each.id, &each.source) {
                Ok(mut parsed) => {
                    if parsed.new_fields.is_empty() {
                        each.document = Some(parsed);
                    } else {
                        new.append(&mut parsed.new_fields);
                    }
                    true
                }
                Err(error) => {
                    failed(each, error, outcomes);
                    false
                }
            }
        });
        if new.is_empty() {
            return ready;
        }
        // Where the fields do not go together, each document is asked alone, and only those at fault fail.
        let together = self.add_fields(&new).is_ok();
        let mapping = self.mapping();
        ready.retain_mut(|each| {
            if each.document.is_some() || each.kind == Kind::Delete {
                return true;
            }
            let read = if together {
                document::parse(&mapping, &each.id, &each.source).and_then(|parsed| {
                    match parsed.new_fields.is_empty() {
                        true => Ok(parsed),
                        false => self.read_alone(each),
                    }
                })
            } else {
                self.read_alone(each)
            };
            match read {
                Ok(parsed) => {
                    each.document = Some(parsed);
                    true
                }
                Err(error) => {
                    failed(each, error, outcomes);
                    false
                }
            }
        });
        ready
    }

    fn read_alone(&self, each: &Prepared) -> Result<ParsedDocument, EsError> {
        let parsed = document::parse(&self.mapping(), &each.id, &each.source)?;
        if parsed.new_fields.is_empty() {
            return Ok(parsed);
        }
        self.add_fields(&parsed.new_fields)?;
        let parsed = document::parse(&self.mapping(), &each.id, &each.source)?;
        match parsed.new_fields.first() {
            None => Ok(parsed),
            Some((path, _)) => {
                Err(EsError::mapper_parsing(format!("field [{path}] could not be added to the mapping")))
            }
        }
    }

    /// Takes the writer lock, gives versions and hands over to tantivy.
    fn apply(
        &self,
        prepared: Vec<Prepared>,
        permit: &Arc<Permit>,
    ) -> Vec<(usize, String, Result<Written, EsError>, Kind)> {
        let mut state = self.writer.lock();
        let mut results = Vec::with_capacity(prepared.len());
        let mut batch = Vec::with_capacity(prepared.len());
        if let Err(error) = self.open_writer(&mut state) {
            let refused = |each: Prepared| (each.position, each.id, Err(error.clone()), each.kind);
            return prepared.into_iter().map(refused).collect();
        }
        for each in prepared {
            let result =
                self.apply_one(&mut state, &each.id, each.own_id, each.kind, each.if_sequence, &each.source);
            if let Ok(done) = &result {
                if let Some(delete) = done.delete.then(|| Term::from_field_text(System::ID, &each.id)) {
                    batch.push(UserOperation::Delete(delete));
                    state.deletions += 1;
                }
                if let Some(parsed) = each.document {
                    let mut document = parsed.document;
                    document.add_u64(System::SEQUENCE, done.written.sequence);
                    document.add_u64(System::VERSION, done.written.version);
                    batch.push(UserOperation::Add(GatedDocument::new(document, permit)));
                }
            }
            results.push((each.position, each.id, result.map(|done| done.written), each.kind));
        }
        if batch.is_empty() {
            return results;
        }
        state.dirty = true;
        state.last_write = Instant::now();
        let run = self.open_writer(&mut state).and_then(|writer| writer.run(batch).map_err(EsError::from));
        if let Err(error) = run {
            self.fail(&mut state, &error);
            for (_, _, result, _) in &mut results {
                if result.is_ok() {
                    *result = Err(error.clone());
                }
            }
        }
        results
    }

    fn apply_one(
        &self,
        state: &mut WriteState,
        id: &str,
        own_id: bool,
        kind: Kind,
        if_sequence: Option<u64>,
        source: &Bytes,
    ) -> Result<Applied, EsError> {
        let current = if own_id { None } else { self.current(id)? };
        let exists = current.is_some_and(|current| current.exists);
        let conflict = |reason: String| Err(self.conflict(id, &reason));
        match (kind, current) {
            (Kind::Create, Some(current)) if exists => {
                return conflict(format!("document already exists (current version [{}])", current.version));
            }
            (Kind::Replace(expected), current) => {
                let found = current.filter(|_| exists).map(|current| current.sequence);
                if expected != found {
                    return conflict("document was changed while it was being updated".to_string());
                }
            }
            _ => {}
        }
        if let Some(wanted) = if_sequence {
            match current.filter(|_| exists) {
                Some(current) if current.sequence == wanted => {}
                Some(current) => return Err(self.conflict_on_sequence(id, wanted, current.sequence)),
                None => {
                    return conflict(format!(
                        "required seqNo [{wanted}], primary term [1]. but no document was found"
                    ));
                }
            }
        }
        let sequence = state.next_sequence;
        state.next_sequence += 1;
        let version = match current {
            Some(current) if current.known || exists => current.version + 1,
            _ => 1,
        };
        let deleting = kind == Kind::Delete;
        let mut recent = self.recent.lock();
        if own_id {
            recent.unknown_ids = true;
        } else {
            let deleted = deleting.then(Instant::now);
            let source = (!deleting).then(|| source.clone());
            recent.insert(id, Recent { version, sequence, deleted, source, refreshed: false });
        }
        let result = match (deleting, exists) {
            (true, true) => "deleted",
            (true, false) => "not_found",
            (false, true) => "updated",
            (false, false) => "created",
        };
        Ok(Applied { written: Written { result, version, sequence }, delete: exists })
    }

    /// What there is with this id now; the caller holds the writer lock.
    fn current(&self, id: &str) -> Result<Option<Current>, EsError> {
        if let Some(entry) = self.recent.lock().get(id) {
            return Ok(Some(Current {
                version: entry.version,
                sequence: entry.sequence,
                exists: entry.deleted.is_none(),
                known: true,
            }));
        }
        let found = self.read_view().find(id)?;
        Ok(found.map(|found| Current {
            version: found.version,
            sequence: found.sequence,
            exists: true,
            known: true,
        }))
    }

    fn conflict(&self, id: &str, reason: &str) -> EsError {
        EsError::new(409, "version_conflict_engine_exception", format!("[{id}]: version conflict, {reason}"))
            .detail("shard", "0")
            .detail("index", &*self.name)
    }

    fn conflict_on_sequence(&self, id: &str, wanted: u64, found: u64) -> EsError {
        self.conflict(
            id,
            &format!("required seqNo [{wanted}], primary term [1]. current document has seqNo [{found}] and primary term [1]"),
        )
    }
}

/// An operation that was given its version, and whether tantivy must delete the document there was.
struct Applied {
    written: Written,
    delete: bool,
}

impl Operation {
    fn size(&self) -> usize {
        match &self.action {
            Action::Index(source) | Action::Create(source) => source.len(),
            Action::Delete => 16,
            // Its size is known only once it was applied; what came with the request is the best guess.
            Action::Update(_) => 512,
        }
    }
}

/// Cuts operations into groups in which an update's document appears but once: an update reads its document before the
/// group is written.
fn groups(operations: Vec<(usize, Operation)>) -> Vec<Vec<(usize, Operation)>> {
    if !operations.iter().any(|(_, operation)| matches!(operation.action, Action::Update(_))) {
        return vec![operations];
    }
    let mut groups = Vec::new();
    let mut group: Vec<(usize, Operation)> = Vec::new();
    // Documents of the group, and whether an update is among their operations.
    let mut seen: HashMap<String, bool> = HashMap::new();
    for (position, operation) in operations {
        let is_update = matches!(operation.action, Action::Update(_));
        if let Some(id) = &operation.id {
            if seen.get(id).is_some_and(|updated| *updated || is_update) {
                groups.push(std::mem::take(&mut group));
                seen.clear();
            }
            *seen.entry(id.clone()).or_default() |= is_update;
        }
        group.push((position, operation));
    }
    groups.push(group);
    groups
}

/// A new document id: 20 characters as Elasticsearch's, ordered by time, unique to this process by 48 random bits.
fn new_id() -> String {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    static PROCESS: std::sync::LazyLock<[u8; 6]> = std::sync::LazyLock::new(|| {
        let random = *uuid::Uuid::new_v4().as_bytes();
        [random[0], random[1], random[2], random[3], random[4], random[5]]
    });
    let counter = COUNTER.fetch_add(1, Ordering::Relaxed);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let milliseconds = u64::try_from(now.as_millis()).unwrap_or_default();
    let mut bytes = [0; 15];
    bytes[..6].copy_from_slice(&milliseconds.to_be_bytes()[2..]);
    bytes[6..12].copy_from_slice(&*PROCESS);
    bytes[12..].copy_from_slice(&counter.to_be_bytes()[1..]);
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut id = String::with_capacity(20);
    for three in bytes.chunks_exact(3) {
        let bits = u32::from(three[0]) << 16 | u32::from(three[1]) << 8 | u32::from(three[2]);
        for shift in [18, 12, 6, 0] {
            id.push(char::from(ALPHABET[(bits >> shift & 63) as usize]));
        }
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_ids_differ_and_have_twenty_characters() {
        let ids: std::collections::HashSet<String> = (0..10_000).map(|_| new_id()).collect();
        assert_eq!(ids.len(), 10_000);
        assert!(ids.iter().all(|id| id.len() == 20));
    }

    #[test]
    fn an_update_shares_its_group_with_no_operation_on_its_document() {
        let operation = |id: &str, update: bool| Operation {
            action: if update { Action::Update(Update::default()) } else { Action::Delete },
            id: Some(id.to_string()),
            if_sequence: None,
        };
        let lengths = |list: &[(&str, bool)]| -> Vec<usize> {
            let operations = list.iter().map(|(id, update)| operation(id, *update)).enumerate().collect();
            groups(operations).iter().map(Vec::len).collect()
        };
        assert_eq!(lengths(&[("a", false), ("a", false), ("b", true), ("c", true)]), [4]);
        assert_eq!(lengths(&[("a", true), ("a", false), ("a", true)]), [1, 1, 1]);
        assert_eq!(lengths(&[("a", false), ("b", true), ("b", true), ("a", false)]), [2, 2]);
    }
}
