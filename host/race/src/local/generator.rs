//! Generator threads: param sources live here, and make requests before they are due.
//!
//! Each client has a ring of prepared requests. When a ring is half empty its client asks for more; a generator that
//! nobody asks sleeps.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;

use crossbeam_channel::{Receiver, Sender, TryRecvError, unbounded};
use rtrb::RingBuffer;
use tokio::sync::oneshot;

use crate::local::job::{BATCH, FEWEST_REQUESTS, Job, RingState, panicked};
use crate::local::observe::thread_cpu_time;
use crate::local::supply::{Ring, Supply};
use crate::local::thread::STACK;
use crate::seams::{Cause, ParamSourceFactory, Params, Partition};

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
    /// How many of them are made at once.
    pub(crate) stock: Stock,
    pub(crate) reply: oneshot::Sender<Result<Supply, Cause>>,
}

/// How many requests are made for a client that has not asked for any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stock {
    /// It starts soon: half a ring, as far as memory and a short time allow.
    Ample,
    /// Its turn comes later: as few as possible.
    Scant,
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
            thread::Builder::new()
                .name(format!("rally-params-{index}"))
                .stack_size(STACK)
                .spawn(move || generator.serve())?;
            senders.push(sender);
        }
        Ok(Generators { threads: senders, cpu_time })
    }

    /// Opens a source for the client with this number and makes its first requests. The answer comes once they are made.
    pub(crate) fn open(&self, client: usize, opening: Opening) {
        // If the thread is gone so is the sender of the answer, and its receiver says so.
        let _ = self.threads[client % self.threads.len()].send(Message::Open(opening));
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
                Message::Refill(id) => self.asked(id),
                Message::Close(id) => self.close(id),
                Message::Shutdown => return,
            }
        }
    }

    fn open(&mut self, opening: Opening) {
        let Opening { source, partition, capacity, stock, reply } = opening;
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
        let (producer, consumer) = RingBuffer::new(capacity.max(FEWEST_REQUESTS));
        let state = Arc::new(RingState::default());
        let id = self.next_id;
        self.next_id += 1;
        let ring = Ring::new(consumer, Arc::clone(&state), Arc::clone(&self.buffered), self.own.clone(), id);
        self.jobs.insert(id, Job::new(source, producer, state, stock, reply, Supply::ring(ring, size)));
        self.refill(id);
    }

    fn close(&mut self, id: u64) {
        if let Some(job) = self.jobs.remove(&id) {
            // Its client is gone, and these requests with it.
            self.buffered.fetch_sub(job.bytes(), Ordering::AcqRel);
        }
    }

    /// A client has asked for more.
    fn asked(&mut self, id: u64) {
        if let Some(job) = self.jobs.get_mut(&id) {
            job.asked();
            self.refill(id);
        }
    }

    /// Makes one batch for a ring, and comes back to it later if it takes more.
    fn refill(&mut self, id: u64) {
        if let Some(job) = self.jobs.get_mut(&id) {
            let room = self.most_bytes.saturating_sub(self.buffered.load(Ordering::Acquire));
            if job.refill(room, &mut self.made, &self.buffered) {
                self.due.push_back(id);
            }
            self.cpu_time[self.index].store(thread_cpu_time(), Ordering::Relaxed);
        }
    }
}
