//! Ending a race from outside.

use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, TryRecvError, bounded};
use std::sync::{Mutex, PoisonError};

/// Ends a race from outside (Ctrl-C). Clones mean the same race.
#[derive(Debug, Clone)]
pub struct Cancel {
    /// Dropping the sender is the signal: every receiver sees it, at once and forever.
    sender: Arc<Mutex<Option<Sender<()>>>>,
    receiver: Receiver<()>,
}

impl Cancel {
    /// Not cancelled yet.
    pub fn new() -> Cancel {
        let (sender, receiver) = bounded(0);
        Cancel { sender: Arc::new(Mutex::new(Some(sender))), receiver }
    }

    /// Ends the race. Requests in flight are given a short time.
    pub fn cancel(&self) {
        self.sender.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Whether the race is to end.
    pub fn is_cancelled(&self) -> bool {
        self.receiver.try_recv() == Err(TryRecvError::Disconnected)
    }

    /// Disconnected once the race is to end; nothing is ever sent.
    pub(crate) fn signal(&self) -> &Receiver<()> {
        &self.receiver
    }
}

impl Default for Cancel {
    fn default() -> Self {
        Cancel::new()
    }
}
