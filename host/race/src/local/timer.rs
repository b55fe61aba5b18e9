//! Wakes clients at their due times: one timerfd per loop thread, and a heap of who is next.
//!
//! Tokio's own timers tick in milliseconds: requests would go out a millisecond late at the median. A timerfd wakes the
//! thread's epoll at the nanosecond that the kernel manages.

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::future::poll_fn;
use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use rustix::time::{
    ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, clock_gettime,
    timerfd_create, timerfd_settime,
};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A client's place in the timer of its thread: where it leaves word how to be woken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Slot(u32);

/// No due time is set.
const UNARMED: u64 = u64::MAX;

pub(crate) struct Timer {
    fd: AsyncFd<OwnedFd>,
    /// The same moment on both clocks: `Instant` does not show its value.
    anchor: Instant,
    anchor_monotonic: u64,
    /// Due times in nanoseconds of the monotonic clock. Entries of clients that were woken otherwise stay until they are
    /// due; such a client is woken for nothing and waits on.
    heap: RefCell<BinaryHeap<Reverse<(u64, Slot)>>>,
    /// What the timerfd is set to.
    armed: Cell<u64>,
    wakers: RefCell<Vec<Option<Waker>>>,
}

impl Timer {
    /// Creates the timer of this thread. To be called within its runtime, which has to drive it with [`Timer::drive`].
    pub(crate) fn new() -> io::Result<Rc<Timer>> {
        let fd = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        let anchor = Instant::now();
        let now = clock_gettime(ClockId::Monotonic);
        // SAFETY: an `OwnedFd` is open, names the same descriptor all its life, and is dropped by the `AsyncFd` only.
        #[allow(unsafe_code)]
        let fd = unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) }?;
        Ok(Rc::new(Timer {
            fd,
            anchor,
            anchor_monotonic: now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64,
            heap: RefCell::default(),
            armed: Cell::new(UNARMED),
            wakers: RefCell::default(),
        }))
    }

    /// Makes place for `slots` clients; whatever was there before is forgotten.
    pub(crate) fn reset(&self, slots: usize) {
        self.heap.borrow_mut().clear();
        let mut wakers = self.wakers.borrow_mut();
        wakers.clear();
        wakers.resize(slots, None);
    }

    /// The place of the client with this number on this thread.
    pub(crate) fn slot(&self, index: usize) -> Slot {
        Slot(index as u32)
    }

    /// Sleeps until `due`, or until `stopped` says so after [`Timer::wake_all`].
    pub(crate) async fn sleep_until(&self, slot: Slot, due: Instant, stopped: impl Fn() -> bool) {
        let mut registered = false;
        poll_fn(|context| {
            if stopped() || Instant::now() >= due {
                return Poll::Ready(());
            }
            self.register(slot, context);
            if !registered {
                registered = true;
                self.wake_at(slot, due);
            }
            Poll::Pending
        })
        .await;
    }

    /// Leaves word that this client is to be woken by [`Timer::wake_all`], or when its time comes.
    pub(crate) fn register(&self, slot: Slot, context: &Context<'_>) {
        if let Some(waker) = self.wakers.borrow_mut().get_mut(slot.0 as usize) {
            match waker {
                Some(waker) => waker.clone_from(context.waker()),
                None => *waker = Some(context.waker().clone()),
            }
        }
    }

    /// Wakes all clients, whatever they wait for.
    pub(crate) fn wake_all(&self) {
        for waker in self.wakers.borrow().iter().flatten() {
            waker.wake_by_ref();
        }
    }

    /// Wakes the clients that are due. A busy loop calls this after each request, because it looks at its events, the
    /// timerfd among them, only now and then.
    pub(crate) fn wake_due(&self, now: Instant) {
        let mut heap = self.heap.borrow_mut();
        if heap.is_empty() {
            return;
        }
        let now = self.monotonic(now);
        while let Some(Reverse((due, slot))) = heap.peek().copied() {
            if due > now {
                break;
            }
            heap.pop();
            if let Some(Some(waker)) = self.wakers.borrow().get(slot.0 as usize) {
                waker.wake_by_ref();
            }
        }
    }

    /// Wakes clients at their due times, forever.
    pub(crate) async fn drive(&self) -> io::Result<()> {
        loop {
            // The timer is set again after each expiry, which makes the descriptor unreadable again: no need to read it.
            self.fd.readable().await?.clear_ready();
            self.armed.set(UNARMED);
            self.wake_due(Instant::now());
            let next = self.heap.borrow().peek().map(|Reverse((due, _))| *due);
            if let Some(due) = next {
                self.arm(due);
            }
        }
    }

    fn wake_at(&self, slot: Slot, due: Instant) {
        let due = self.monotonic(due);
        self.heap.borrow_mut().push(Reverse((due, slot)));
        if due < self.armed.get() {
            self.arm(due);
        }
    }

    fn arm(&self, due: u64) {
        self.armed.set(due);
        // 0 would disarm it.
        let due = due.max(1);
        let at = Itimerspec {
            it_interval: Timespec { tv_sec: 0, tv_nsec: 0 },
            it_value: Timespec { tv_sec: (due / 1_000_000_000) as _, tv_nsec: (due % 1_000_000_000) as _ },
        };
        if let Err(error) = timerfd_settime(&self.fd, TimerfdTimerFlags::ABSTIME, &at) {
            // Only wrong arguments can fail: late requests are better than none, and they are measured as late.
            tracing::error!(%error, "cannot set the timer");
            self.wake_all();
        }
    }

    fn monotonic(&self, at: Instant) -> u64 {
        let since = |duration: Duration| duration.as_nanos().min(u128::from(u64::MAX / 4)) as u64;
        match at.checked_duration_since(self.anchor) {
            Some(after) => self.anchor_monotonic + since(after),
            None => self.anchor_monotonic.saturating_sub(since(self.anchor - at)),
        }
    }
}
