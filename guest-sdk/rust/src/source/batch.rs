//! Many requests in one call.

use super::request::Request;
use super::{Extent, ParamSource};
use crate::bindings::sources::exports::rally::track::param_sources::{Item, Shape};
use crate::bodies::{Body, BodyKind};
use crate::{Context, Error, Result};

/// Rooms are made for at most so many requests before they are there.
const MOST_ROOMS: u32 = 1_024;

/// What crosses in one call of `next`.
pub(crate) struct Batch {
    pub(crate) new_shapes: Vec<Shape>,
    pub(crate) items: Vec<Item>,
    pub(crate) arena: Vec<u8>,
    pub(crate) bodies: Vec<(u32, Body)>,
    pub(crate) exhausted: bool,
}

/// What crosses in one call of `next-lines`.
pub(crate) struct Lines {
    pub(crate) text: String,
    pub(crate) exhausted: bool,
}

/// A source whose type is forgotten.
pub(crate) trait AnySource {
    fn extent(&self) -> Extent;
    fn next(&mut self, limit: u32, most_bytes: u32) -> Result<Batch>;
    fn next_lines(&mut self, limit: u32, most_bytes: u32) -> Result<Lines>;
    fn progress(&self) -> Option<f64>;
}

/// Asks a source for one request after the other.
pub(crate) struct Batcher<S> {
    source: S,
    request: Request,
    /// What went wrong in the middle of a batch: told by the next call, once the requests before it have crossed.
    failure: Option<Error>,
    /// The source is not asked again.
    done: bool,
    /// Size of the arena of the batch before: the next one is given as much room.
    room: usize,
}

impl<S: ParamSource> Batcher<S> {
    pub(crate) fn open(context: &Context) -> Result<Batcher<S>> {
        let source = S::open(context)?.partition(context.partition())?;
        Ok(Batcher::new(source))
    }
}

impl<S: ParamSource> Batcher<S> {
    pub(crate) fn new(source: S) -> Batcher<S> {
        Batcher { source, request: Request::new(), failure: None, done: false, room: 0 }
    }

    /// Makes the next request in `self.request`; `false` where there is none.
    fn advance(&mut self, compare: bool) -> Result<bool> {
        self.request.begin(compare);
        let made = match self.source.params(&mut self.request) {
            Ok(()) => self.request.failure.take().map_or(Ok(()), Err),
            Err(error) => {
                self.request.failure = None;
                Err(error)
            }
        };
        if made.is_err() || self.request.exhausted {
            self.request.abandon();
            self.done = true;
            return made.map(|()| false);
        }
        Ok(true)
    }

    /// The failure that waits to be told, and whether the source came to its end.
    fn resume(&mut self) -> Result<bool> {
        match self.failure.take() {
            Some(failure) => Err(failure),
            None => Ok(self.done),
        }
    }

    /// Keeps a failure for the next call, or tells it where there is nothing to hand over before it.
    fn fail(&mut self, failure: Error, first: bool) -> Result<()> {
        if first {
            return Err(failure);
        }
        self.failure = Some(failure);
        Ok(())
    }

    fn exhausted(&self) -> bool {
        self.failure.is_none() && self.done
    }
}

impl<S: ParamSource> AnySource for Batcher<S> {
    fn extent(&self) -> Extent {
        self.source.extent()
    }

    fn next(&mut self, limit: u32, most_bytes: u32) -> Result<Batch> {
        let mut batch = Batch {
            new_shapes: Vec::new(),
            items: Vec::new(),
            arena: Vec::new(),
            bodies: Vec::new(),
            exhausted: self.resume()?,
        };
        if batch.exhausted {
            return Ok(batch);
        }
        batch.items.reserve(limit.min(MOST_ROOMS) as usize);
        self.request.arena = Vec::with_capacity(self.room);
        self.request.shapes.begin_batch();
        let most_bytes = u64::from(most_bytes);
        let mut host_bytes = 0;
        let mut last_size = 0;
        while batch.items.len() < limit.max(1) as usize {
            let size = self.request.arena.len() as u64 + host_bytes;
            let full = size + last_size > most_bytes || self.request.shapes.batch_is_full();
            if full && !batch.items.is_empty() {
                break;
            }
            match self.advance(true) {
                Ok(true) => {}
                Ok(false) => break,
                Err(failure) => {
                    self.fail(failure, batch.items.is_empty())?;
                    break;
                }
            }
            let request = &mut self.request;
            if let Some(body) = request.host_body.take() {
                request.kind = body.kind();
                host_bytes += body.size();
                batch.bodies.push((batch.items.len() as u32, body));
            }
            batch.items.push(Item {
                shape: request.shapes.finish(),
                arena_end: request.arena.len() as u32,
                body_kind: request.kind,
                documents: request.documents,
                held: std::mem::take(&mut request.held),
            });
            last_size = request.arena.len() as u64 + host_bytes - size;
        }
        batch.arena = std::mem::take(&mut self.request.arena);
        self.room = batch.arena.len();
        batch.new_shapes = self.request.shapes.take_announced();
        batch.exhausted = self.exhausted();
        Ok(batch)
    }

    fn next_lines(&mut self, limit: u32, most_bytes: u32) -> Result<Lines> {
        if self.resume()? {
            return Ok(Lines { text: String::new(), exhausted: true });
        }
        let mut lines = Vec::with_capacity(self.room);
        let mut count = 0;
        let mut last_size = 0;
        while count < limit.max(1) && (count == 0 || lines.len() + last_size <= most_bytes as usize) {
            self.request.arena.clear();
            let before = lines.len();
            let made = match self.advance(false) {
                Ok(true) => write_line(&mut self.request, &mut lines).map(Some),
                Ok(false) => Ok(None),
                Err(failure) => Err(failure),
            };
            match made {
                Ok(Some(size)) => last_size = size,
                Ok(None) => break,
                Err(failure) => {
                    lines.truncate(before);
                    self.done = true;
                    self.fail(failure, count == 0)?;
                    break;
                }
            }
            count += 1;
        }
        self.room = lines.len();
        Ok(Lines { text: String::from_utf8(lines)?, exhausted: self.exhausted() })
    }

    fn progress(&self) -> Option<f64> {
        self.source.progress()
    }
}

/// Appends a request as one line; returns its size.
fn write_line(request: &mut Request, lines: &mut Vec<u8>) -> Result<usize> {
    let begin = lines.len();
    if request.host_body.is_some() || request.held != 0 {
        request.abandon();
        return Err(Error::other(
            "a body in rally or a held object cannot be written as a line: use `Form::Arena`",
        ));
    }
    lines.extend_from_slice(request.shapes.text());
    if !request.arena.is_empty() {
        if lines.len() > begin + 1 {
            lines.push(b',');
        }
        lines.extend_from_slice(b"\"body\":");
        match request.kind {
            // Between JSON values a newline is as good as a blank, and within them there is none.
            BodyKind::Json => {
                lines.extend(
                    request.arena.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }),
                );
            }
            BodyKind::Text => serde_json::to_writer(&mut *lines, std::str::from_utf8(&request.arena)?)?,
            BodyKind::Bytes => {
                return Err(Error::other("a body of bytes cannot be written as a line: use `Form::Arena`"));
            }
        }
    }
    lines.extend_from_slice(b"}\n");
    Ok(lines.len() - begin)
}
