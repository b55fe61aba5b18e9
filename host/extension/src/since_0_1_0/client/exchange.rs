//! One request and its answer, with what the host holds for them.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rally_cluster::http::{Answer, Connection, ExchangeError, ExchangeErrorKind, Request, Sink};

use crate::json_pointers::JsonPointers;

/// A submitted request that has got its answer.
pub(super) struct Finished {
    pub(super) id: u32,
    pub(super) exchange: Exchange,
}

/// A request and all that it needs.
pub(super) struct Exchange {
    pub(super) connection: Connection,
    pub(super) request: Rc<Request>,
    pub(super) body: Bytes,
    pub(super) timeout: Option<Duration>,
    pub(super) keep: AnswerKeeper,
    /// For the body.
    pub(super) charge: Charge,
    pub(super) outcome: Option<Result<Answer, ExchangeError>>,
}

/// Bytes that count as held until this is dropped.
pub(super) struct Charge {
    pub(super) held: Rc<Cell<usize>>,
    bytes: usize,
}

impl Charge {
    pub(super) fn new(held: &Rc<Cell<usize>>, bytes: usize) -> Charge {
        let mut charge = Charge { held: Rc::clone(held), bytes: 0 };
        charge.grow(bytes);
        charge
    }

    pub(super) fn grow(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes);
        self.held.set(self.held.get().saturating_add(bytes));
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.held.set(self.held.get().saturating_sub(self.bytes));
    }
}

/// What is kept of an answer.
pub(super) struct AnswerKeeper {
    pub(super) wanted: Wanted,
    /// Bytes of one answer.
    pub(super) most: usize,
    /// Bytes of all that is held.
    pub(super) most_held: usize,
    pub(super) charge: Charge,
    pub(super) body: Vec<u8>,
}

pub(super) enum Wanted {
    Nothing,
    JsonPointers(JsonPointers),
    Whole,
}

impl Sink for AnswerKeeper {
    fn begin(&mut self) {
        self.body.clear();
    }

    fn data(&mut self, piece: &[u8]) {
        let room = self.body.len() <= self.most && self.charge.held.get() <= self.most_held;
        if !matches!(self.wanted, Wanted::Nothing) && room {
            self.body.extend_from_slice(piece);
            self.charge.grow(piece.len());
        }
    }
}

impl Exchange {
    pub(super) async fn perform(&mut self) {
        let body = std::mem::take(&mut self.body);
        let exchange = self.connection.exchange(&self.request, body, &mut self.keep);
        self.outcome = Some(match self.timeout {
            None => exchange.await,
            Some(timeout) => {
                match tokio::time::timeout(timeout, exchange).await {
                    Ok(outcome) => outcome,
                    // The exchange was dropped half-way, and its connection with it.
                    Err(_) => Err(ExchangeError {
                        kind: ExchangeErrorKind::Timeout { seconds: timeout.as_secs_f64() },
                        sent: self.connection.first_write(),
                        ended: Instant::now(),
                    }),
                }
            }
        });
    }
}
