//! Generator threads: param sources live here, and make requests before they are due.
//!
//! Each client has a ring of prepared requests. When a ring is half empty its client asks for more; a generator that
//! nobody asks sleeps.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TryRecvError, unbounded};
use futures_util::task::AtomicWaker;
use rtrb::{Producer, RingBuffer};
use serde_json::Value;
use tokio::sync::oneshot;

use crate::error::panic_message;
use crate::local::observe::thread_cpu_time;
use crate::local::supply::{Ring, Supply};
use crate::seams::{Cause, More, ParamSource, ParamSourceFactory, Params, Partition};

/// A ring holds at least so many requests, whatever the bytes: one in hand and one to come.
const FEWEST_REQUESTS: usize = 2;

/// At most so many requests are made in one go, so that other clients get their turn.
const BATCH: usize = 64;

/// A batch takes about so long at most: who makes requests slowly hands them over one by one, a client may be waiting.
const LONGEST_BATCH: Duration = Duration::from_millis(1);

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

pub(crate) enum Message {
    Open(Opening),
    Refill(u64),
    Close(u64),
    Shutdown,
}

/// What is to be opened, and who wants it.
pub(crate) struct Opening {
    pub(crate) source: Arc<dyn ParamSourceFactory>,
    pub(crate) partition: Partition,
    /// Number of requests that the ring holds.
    pub(crate) capacity: usize,
    pub(crate) reply: oneshot::Sender<Result<Supply, Cause>>,
}

/// The generator threads. Dropping this ends them once they have done what they are at.
pub(crate) struct Generators {
    threads: Vec<Sender<Message>>,
    cpu_time: Arc<Vec<AtomicU64>>,
}

impl Generators {
    /// Starts `threads` threads that share `most_bytes` of prepared requests.
    pub(crate) fn start(threads: usize, most_bytes: usize) -> io::Result<Generators> {
        let buffered = Arc::new(AtomicUsize::new(0));
        let cpu_time: Arc<Vec<_>> = Arc::new((0..threads).map(|_| AtomicU64::new(0)).collect());
        let mut senders = Vec::with_capacity(threads);
        for index in 0..threads {
            let (sender, messages) = unbounded();
            let generator = Generator {
                messages,
                own: sender.clone(),
                jobs: HashMap::new(),
                next_id: 0,
                due: VecDeque::new(),
                buffered: Arc::clone(&buffered),
                most_bytes,
                made: Vec::with_capacity(BATCH),
                index,
                cpu_time: Arc::clone(&cpu_time),
            };
            thread::Builder::new().name(format!("rally-params-{index}")).spawn(move || generator.serve())?;
            senders.push(sender);
        }
        Ok(Generators { threads: senders, cpu_time })
    }

    /// Opens the source of the client with this number and makes its first requests. The answer is ready once they are.
    pub(crate) fn open(
        &self,
        client: usize,
        source: Arc<dyn ParamSourceFactory>,
        partition: Partition,
        capacity: usize,
    ) -> oneshot::Receiver<Result<Supply, Cause>> {
        let (reply, answer) = oneshot::channel();
        let message = Message::Open(Opening { source, partition, capacity, reply });
        // If the thread is gone so is `reply`, and the answer says so.
        let _ = self.threads[client % self.threads.len()].send(message);
        answer
    }

    /// CPU time that the threads have used so far, nanoseconds.
    pub(crate) fn cpu_time(&self) -> u64 {
        self.cpu_time.iter().map(|time| time.load(Ordering::Relaxed)).sum()
    }
}

impl Drop for Generators {
    fn drop(&mut self) {
        for thread in &self.threads {
            let _ = thread.send(Message::Shutdown);
        }
    }
}

/// A source and the ring that it fills.
struct Job {
    source: Box<dyn ParamSource>,
    producer: Producer<Prepared>,
    state: Arc<RingState>,
    capacity: usize,
    /// Mean size of the requests made lately, bytes.
    mean_bytes: usize,
    /// Mean time that the latest batch took per request.
    mean_time: Duration,
}

/// One thread.
struct Generator {
    messages: Receiver<Message>,
    own: Sender<Message>,
    jobs: HashMap<u64, Job>,
    next_id: u64,
    /// Rings that want more, in turn.
    due: VecDeque<u64>,
    /// Bytes in the rings of all threads.
    buffered: Arc<AtomicUsize>,
    most_bytes: usize,
    made: Vec<Params>,
    index: usize,
    cpu_time: Arc<Vec<AtomicU64>>,
}

impl Generator {
    fn serve(mut self) {
        loop {
            // Messages first: who asks for the first time has an emptier ring than who gets its next batch.
            let message = match (self.messages.try_recv(), self.due.pop_front()) {
                (Ok(message), due) => {
                    self.due.extend(due);
                    message
                }
                (Err(TryRecvError::Disconnected), _) => return,
                (Err(TryRecvError::Empty), Some(id)) => {
                    self.refill(id);
                    continue;
                }
                (Err(TryRecvError::Empty), None) => match self.messages.recv() {
                    Ok(message) => message,
                    Err(_) => return,
                },
            };
            match message {
                Message::Open(opening) => self.open(opening),
                Message::Refill(id) => self.refill(id),
                Message::Close(id) => self.close(id),
                Message::Shutdown => return,
            }
        }
    }

    fn open(&mut self, opening: Opening) {
        let Opening { source, partition, capacity, reply } = opening;
        if reply.is_closed() {
            return;
        }
        let opened = catch_unwind(AssertUnwindSafe(|| {
            let source = source.open(partition)?;
            Ok::<_, Cause>((source.constant(), source.size(), source))
        }));
        let (constant, size, source) = match opened {
            Ok(Ok(opened)) => opened,
            Ok(Err(cause)) => return drop(reply.send(Err(cause))),
            Err(payload) => return drop(reply.send(Err(panicked(payload)))),
        };
        if let Some(params) = constant {
            return drop(reply.send(Ok(Supply::constant(params, size))));
        }
        let capacity = capacity.max(FEWEST_REQUESTS);
        let (producer, consumer) = RingBuffer::new(capacity);
        let state = Arc::new(RingState::default());
        let id = self.next_id;
        self.next_id += 1;
        self.jobs.insert(
            id,
            Job {
                source,
                producer,
                state: Arc::clone(&state),
                capacity,
                mean_bytes: 0,
                mean_time: Duration::ZERO,
            },
        );
        self.refill(id);
        let ring = Ring::new(consumer, state, Arc::clone(&self.buffered), self.own.clone(), id);
        // Where nobody waits any more, the dropped ring closes itself.
        drop(reply.send(Ok(Supply::ring(ring, size))));
    }

    fn close(&mut self, id: u64) {
        if let Some(job) = self.jobs.remove(&id) {
            // Its client is gone: nobody takes these any more.
            self.buffered.fetch_sub(job.state.bytes.load(Ordering::Acquire), Ordering::AcqRel);
        }
    }

    /// Makes one batch for a ring, and comes back to it later if it wants more.
    fn refill(&mut self, id: u64) {
        self.cpu_time[self.index].store(thread_cpu_time(), Ordering::Relaxed);
        let Some(job) = self.jobs.get_mut(&id) else { return };
        // Before looking at the ring, so that a client that finds it empty afterwards asks again.
        job.state.asked.store(false, Ordering::SeqCst);
        if job.state.ended.load(Ordering::Relaxed) {
            return;
        }
        let limit = job.limit(self.most_bytes.saturating_sub(self.buffered.load(Ordering::Acquire)));
        if limit == 0 {
            return;
        }
        self.made.clear();
        let made = &mut self.made;
        let before = Instant::now();
        let result = catch_unwind(AssertUnwindSafe(|| job.source.next(limit, made)));
        job.mean_time = before.elapsed() / made.len().max(1) as u32;
        let failure = match result {
            _ if made.len() > limit => {
                Some(format!("it made {} requests when asked for at most {limit}", made.len()).into())
            }
            Ok(Ok(More::Yes)) if made.is_empty() => {
                Some("it neither made a request nor said that it is exhausted".into())
            }
            Ok(Ok(More::Yes)) => None,
            Ok(Ok(More::Exhausted)) => return job.finish(made, &self.buffered, None),
            Ok(Err(cause)) => Some(cause),
            Err(payload) => Some(panicked(payload)),
        };
        if failure.is_some() {
            return job.finish(made, &self.buffered, failure);
        }
        job.push(made, &self.buffered);
        if job.producer.slots() > 0 {
            self.due.push_back(id);
        }
    }
}

impl Job {
    /// How many requests to make now, with `room` bytes left for all rings.
    fn limit(&self, room: usize) -> usize {
        let free = self.producer.slots();
        let held = self.capacity - free;
        if self.mean_bytes == 0 {
            // Nothing is known of their size and time yet: see one.
            return free.min(1);
        }
        let needed = FEWEST_REQUESTS.saturating_sub(held);
        let affordable = room / self.mean_bytes;
        let quick = LONGEST_BATCH.as_nanos() / self.mean_time.as_nanos().max(1);
        affordable.max(needed).min(free).min(quick.clamp(1, BATCH as u128) as usize)
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
        self.state.waker.wake();
    }

    /// The last requests of this source.
    fn finish(&mut self, made: &mut Vec<Params>, buffered: &AtomicUsize, failure: Option<Cause>) {
        made.truncate(self.producer.slots());
        self.push(made, buffered);
        *self.state.failure.lock().unwrap_or_else(PoisonError::into_inner) = failure;
        self.state.ended.store(true, Ordering::Release);
        self.state.waker.wake();
    }
}

fn panicked(payload: Box<dyn std::any::Any + Send>) -> Cause {
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
