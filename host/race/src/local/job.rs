//! A param source at work: fills the ring of its client.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::task::AtomicWaker;
use rtrb::Producer;
use serde_json::Value;
use tokio::sync::oneshot;

use crate::error::panic_message;
use crate::local::generator::Stock;
use crate::local::supply::Supply;
use crate::seams::{Cause, More, ParamSource, Params};

/// A ring holds at least this number of requests, whatever the bytes: one in hand and one to come.
pub(crate) const FEWEST_REQUESTS: usize = 2;

/// At most this number of requests are made in one go, so that other clients get their turn.
pub(crate) const BATCH: usize = 64;

/// A batch takes about so long at most: who makes requests slowly hands them over one by one, a client may be waiting.
const LONGEST_BATCH: Duration = Duration::from_millis(1);

/// A client's start waits so long for half a ring: stock that is quickly made is worth it, slow sources must not delay the
/// start. It gets [`FEWEST_REQUESTS`] in any case.
const LONGEST_STOCKING: Duration = Duration::from_millis(100);

/// A request in a ring, with the memory that it holds.
pub(crate) struct Prepared {
    pub(crate) params: Params,
    pub(crate) bytes: usize,
}

/// What a client and its generator share beside the ring.
#[derive(Default)]
pub(crate) struct RingState {
    /// The client, when it waits for the next request.
    pub(crate) waker: AtomicWaker,
    /// Nothing more will come.
    pub(crate) ended: AtomicBool,
    /// Why, if not because the source is exhausted.
    pub(crate) failure: Mutex<Option<Cause>>,
    /// A request for more is on its way.
    pub(crate) asked: AtomicBool,
    /// Bytes in this ring.
    pub(crate) bytes: AtomicUsize,
}

/// A source and the ring that it fills.
pub(crate) struct Job {
    source: Box<dyn ParamSource>,
    producer: Producer<Prepared>,
    state: Arc<RingState>,
    /// What the client gets once it has enough to start with.
    handover: Option<Handover>,
    /// Nobody has asked yet, and who will has time.
    scant: bool,
    /// Mean size of the requests made lately, bytes.
    mean_bytes: usize,
    /// Mean time that the latest batch took per request.
    mean_time: Duration,
}

struct Handover {
    reply: oneshot::Sender<Result<Supply, Cause>>,
    supply: Supply,
    since: Instant,
}

impl Job {
    pub(crate) fn new(
        source: Box<dyn ParamSource>,
        producer: Producer<Prepared>,
        state: Arc<RingState>,
        stock: Stock,
        reply: oneshot::Sender<Result<Supply, Cause>>,
        supply: Supply,
    ) -> Job {
        let handover = Some(Handover { reply, supply, since: Instant::now() });
        let scant = stock == Stock::Scant;
        Job { source, producer, state, handover, scant, mean_bytes: 0, mean_time: Duration::ZERO }
    }

    /// Bytes in the ring.
    pub(crate) fn bytes(&self) -> usize {
        self.state.bytes.load(Ordering::Acquire)
    }

    /// The client has asked for more.
    pub(crate) fn asked(&mut self) {
        // Before looking at the ring, so that a client that finds it empty afterwards asks again.
        self.state.asked.store(false, Ordering::SeqCst);
        self.scant = false;
    }

    /// Makes a batch, with `room` bytes left for all rings. Returns whether the ring takes more.
    pub(crate) fn refill(&mut self, room: usize, made: &mut Vec<Params>, buffered: &AtomicUsize) -> bool {
        let limit = if self.ended() { 0 } else { self.limit(room) };
        if limit > 0 {
            made.clear();
            self.make(limit, made, buffered);
        }
        self.hand_over(limit == 0);
        limit > 0 && !self.ended() && self.producer.slots() > 0
    }

    fn ended(&self) -> bool {
        self.state.ended.load(Ordering::Relaxed)
    }

    fn held(&self) -> usize {
        self.producer.buffer().capacity() - self.producer.slots()
    }

    /// How many requests to make now, with `room` bytes left for all rings.
    fn limit(&self, room: usize) -> usize {
        let (free, held) = (self.producer.slots(), self.held());
        if self.mean_bytes == 0 {
            // Nothing is known of their size and time yet: see one.
            return free.min(1);
        }
        let needed = FEWEST_REQUESTS.saturating_sub(held);
        let affordable = if self.scant { 0 } else { room / self.mean_bytes };
        let quick = LONGEST_BATCH.as_nanos() / self.mean_time.as_nanos().max(1);
        affordable.max(needed).min(free).min(quick.clamp(1, BATCH as u128) as usize)
    }

    fn make(&mut self, limit: usize, made: &mut Vec<Params>, buffered: &AtomicUsize) {
        let before = Instant::now();
        let result = catch_unwind(AssertUnwindSafe(|| self.source.next(limit, made)));
        self.mean_time = before.elapsed() / made.len().max(1) as u32;
        let end = match result {
            _ if made.len() > limit => {
                Some(Some(format!("it made {} requests when asked for at most {limit}", made.len()).into()))
            }
            Ok(Ok(More::Yes)) if made.is_empty() => {
                Some(Some("it neither made a request nor said that it is exhausted".into()))
            }
            Ok(Ok(More::Yes)) => None,
            Ok(Ok(More::Exhausted)) => Some(None),
            Ok(Err(cause)) => Some(Some(cause)),
            Err(payload) => Some(Some(panicked(payload))),
        };
        made.truncate(limit);
        self.push(made, buffered);
        if let Some(failure) = end {
            *self.state.failure.lock().unwrap_or_else(PoisonError::into_inner) = failure;
            self.state.ended.store(true, Ordering::Release);
        }
        self.state.waker.wake();
    }

    fn push(&mut self, made: &mut Vec<Params>, buffered: &AtomicUsize) {
        let mut previous = None;
        let mut total = 0;
        let count = made.len();
        for params in made.drain(..) {
            let shared = Some(Arc::as_ptr(&params.values));
            // A map that the request before has too is paid for.
            let values = if previous == shared { 0 } else { map_size(&params.values) };
            previous = shared;
            let bytes = size_of::<Prepared>() + params.body.len() + values;
            total += bytes;
            self.state.bytes.fetch_add(bytes, Ordering::AcqRel);
            buffered.fetch_add(bytes, Ordering::AcqRel);
            // There is room: no more than the free slots were asked for.
            let _ = self.producer.push(Prepared { params, bytes });
        }
        if let Some(mean) = total.checked_div(count) {
            self.mean_bytes = if self.mean_bytes == 0 { mean } else { (self.mean_bytes + mean) / 2 };
        }
    }

    /// Gives the client its end of the ring once it has enough to start with; `full`: there is no room for more.
    fn hand_over(&mut self, full: bool) {
        let held = self.held();
        let enough = |handover: &Handover| {
            let stocked = held >= self.producer.buffer().capacity() / 2;
            // A slow source gets nowhere in that time.
            let waited = self.mean_time > LONGEST_BATCH || handover.since.elapsed() >= LONGEST_STOCKING;
            self.ended() || held >= FEWEST_REQUESTS && (stocked || full || waited || self.scant)
        };
        if self.handover.as_ref().is_some_and(enough)
            && let Some(Handover { reply, supply, .. }) = self.handover.take()
        {
            // If the client is gone, the dropped supply closes its ring.
            drop(reply.send(Ok(supply)));
        }
    }
}

/// A panic as the cause of a source's end.
pub(crate) fn panicked(payload: Box<dyn std::any::Any + Send>) -> Cause {
    format!("it panicked: {}", panic_message(payload)).into()
}

/// About how much memory a map of parameters takes.
fn map_size(map: &serde_json::Map<String, Value>) -> usize {
    /// An entry's own share: key, value, hash and index.
    const ENTRY: usize = 112;
    map.iter().map(|(key, value)| ENTRY + key.len() + value_size(value)).sum()
}

fn value_size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(values) => values.iter().map(|value| size_of::<Value>() + value_size(value)).sum(),
        Value::Object(map) => map_size(map),
    }
}
