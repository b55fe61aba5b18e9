//! The longest time for a request, at next to no cost per request.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// One timer of a connection. It is not moved for each request: when it rings too early, it is set to the deadline that
/// holds by then. A timer per request would cost an entry in the runtime's wheel and its removal each time.
pub struct Deadline {
    timeout: Duration,
    at: Instant,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Deadline {
    /// A deadline that is `timeout` after each start.
    pub fn new(timeout: Duration) -> Self {
        Deadline { timeout, at: Instant::now(), timer: None }
    }

    /// How long it is from each start on.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Sets how long it is from the next start on.
    pub fn set_timeout(&mut self, timeout: Duration) {
        if timeout < self.timeout {
            // The timer may be set to a later time.
            self.timer = None;
        }
        self.timeout = timeout;
    }

    /// Starts again.
    pub fn start(&mut self) {
        self.at = Instant::now() + self.timeout;
    }

    /// The moment of the deadline.
    pub fn moment(&self) -> std::time::Instant {
        self.at.into_std()
    }

    /// Whether `moment` lies past the deadline.
    pub fn is_past(&self, moment: std::time::Instant) -> bool {
        Instant::from_std(moment) > self.at
    }

    /// Ready once the deadline has passed; otherwise the task is woken when it does.
    pub fn poll_passed(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let at = self.at;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(at)));
        loop {
            std::task::ready!(timer.as_mut().poll(context));
            if Instant::now() >= at {
                return Poll::Ready(());
            }
            timer.as_mut().reset(at);
        }
    }
}
