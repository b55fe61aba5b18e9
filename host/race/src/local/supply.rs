//! A client's end of its prepared requests.

use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};
use std::task::Poll;

use crossbeam_channel::Sender;
use rtrb::Consumer;

use crate::local::generator::Message;
use crate::local::job::{Prepared, RingState};
use crate::local::timer::{Slot, Timer};
use crate::seams::{Cause, InTurnSource, Params};

/// The requests of a client.
pub(crate) enum Requests {
    /// Prepared ahead of their due times.
    Ahead(Supply),
    /// Made when their turn comes.
    InTurn(Box<dyn InTurnSource>),
}

impl Requests {
    /// Takes the next request if it is there, or has it made now.
    pub(crate) async fn next(&mut self) -> Result<Taken, Cause> {
        match self {
            Requests::Ahead(supply) => supply.take(),
            Requests::InTurn(source) => Ok(source.next().await?.map_or(Taken::Ended, Taken::Next)),
        }
    }

    /// How many there are, if that is known.
    pub(crate) fn size(&self) -> Option<u64> {
        match self {
            Requests::Ahead(supply) => supply.size,
            Requests::InTurn(source) => source.size(),
        }
    }

    /// How many documents the first one has, if that is known before its turn.
    pub(crate) fn documents(&self) -> Option<f64> {
        let documents = match self {
            Requests::Ahead(Supply { origin: Origin::Constant(params), .. }) => params.documents,
            Requests::Ahead(Supply { origin: Origin::Ring(ring), .. }) => {
                ring.consumer.peek().map_or(0, |prepared| prepared.params.documents)
            }
            Requests::InTurn(_) => 0,
        };
        (documents > 0).then(|| f64::from(documents))
    }

    /// The end of those that are prepared ahead.
    pub(crate) fn ahead(&mut self) -> Option<&mut Supply> {
        match self {
            Requests::Ahead(supply) => Some(supply),
            Requests::InTurn(_) => None,
        }
    }

    /// The request that is always the same: see [`Supply::same`].
    pub(crate) fn same(&self) -> Option<&Params> {
        match self {
            Requests::Ahead(supply) => supply.same(),
            Requests::InTurn(_) => None,
        }
    }
}

/// Where a client gets the requests from that are prepared ahead.
pub(crate) struct Supply {
    origin: Origin,
    /// Number of requests, if known.
    pub(crate) size: Option<u64>,
}

enum Origin {
    /// All requests are the same.
    Constant(Params),
    Ring(Ring),
}

/// What a client gets.
pub(crate) enum Taken {
    /// The next request.
    Next(Params),
    /// The one that is always the same: see [`Supply::same`].
    Same,
    /// There will be one, but it is not made yet.
    NotYet,
    /// There are no more.
    Ended,
}

impl Supply {
    pub(crate) fn constant(params: Params, size: Option<u64>) -> Supply {
        Supply { origin: Origin::Constant(params), size }
    }

    pub(crate) fn ring(ring: Ring, size: Option<u64>) -> Supply {
        Supply { origin: Origin::Ring(ring), size }
    }

    /// The request that is always the same. Handed out by reference: counting references to what all clients share would
    /// have their threads fight for a cache line.
    pub(crate) fn same(&self) -> Option<&Params> {
        match &self.origin {
            Origin::Constant(params) => Some(params),
            Origin::Ring(_) => None,
        }
    }

    /// Says that requests will soon be taken.
    pub(crate) fn stock_up(&self) {
        if let Origin::Ring(ring) = &self.origin {
            ring.ask();
        }
    }

    /// Takes the next request if it is there.
    pub(crate) fn take(&mut self) -> Result<Taken, Cause> {
        match &mut self.origin {
            Origin::Constant(_) => Ok(Taken::Same),
            Origin::Ring(ring) => ring.take(),
        }
    }

    /// Waits for the next request; [`Taken::NotYet`] only when `stopped` says so after [`Timer::wake_all`].
    pub(crate) async fn wait(
        &mut self,
        timer: &Timer,
        slot: Slot,
        stopped: impl Fn() -> bool,
    ) -> Result<Taken, Cause> {
        poll_fn(|context| {
            if stopped() {
                return Poll::Ready(Ok(Taken::NotYet));
            }
            if let Origin::Ring(ring) = &self.origin {
                ring.state.waker.register(context.waker());
                timer.register(slot, context);
            }
            match self.take() {
                Ok(Taken::NotYet) => Poll::Pending,
                taken => Poll::Ready(taken),
            }
        })
        .await
    }
}

/// The reading end of a ring.
pub(crate) struct Ring {
    consumer: Consumer<Prepared>,
    state: Arc<RingState>,
    /// Bytes in all rings.
    buffered: Arc<AtomicUsize>,
    generator: Sender<Message>,
    id: u64,
    /// At this number of requests left it is time for more.
    low: usize,
}

impl Ring {
    pub(crate) fn new(
        consumer: Consumer<Prepared>,
        state: Arc<RingState>,
        buffered: Arc<AtomicUsize>,
        generator: Sender<Message>,
        id: u64,
    ) -> Ring {
        let low = consumer.buffer().capacity() / 2;
        Ring { consumer, state, buffered, generator, id, low }
    }

    fn take(&mut self) -> Result<Taken, Cause> {
        // Read before the ring: what was pushed before the end is seen after it.
        let ended = self.state.ended.load(Ordering::Acquire);
        let Ok(Prepared { params, bytes }) = self.consumer.pop() else {
            if !ended {
                self.ask();
                return Ok(Taken::NotYet);
            }
            let failure = self.state.failure.lock().unwrap_or_else(PoisonError::into_inner).take();
            return failure.map_or(Ok(Taken::Ended), Err);
        };
        self.state.bytes.fetch_sub(bytes, Ordering::AcqRel);
        self.buffered.fetch_sub(bytes, Ordering::AcqRel);
        if !ended && self.consumer.cached_slots() <= self.low && self.consumer.slots() <= self.low {
            self.ask();
        }
        Ok(Taken::Next(params))
    }

    /// Asks for more, once.
    fn ask(&self) {
        if !self.state.asked.swap(true, Ordering::SeqCst) {
            // If the generator is gone, so is the race.
            let _ = self.generator.send(Message::Refill(self.id));
        }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        let _ = self.generator.send(Message::Close(self.id));
    }
}
