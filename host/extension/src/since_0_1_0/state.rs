//! What an instance has in the host.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use wasmtime::component::ResourceTable;
use wasmtime::{ResourceLimiter, StoreContextMut, UpdateDeadline};

use crate::environment::HostEnvironment;
use crate::error::ComponentName;
use crate::limits::{LimitExceeded, LimitKind, Limits};
use crate::since_0_1_0::client::Client;
use crate::since_0_1_0::files::WrittenFiles;

/// What an instance has in the host: what it may take, what it took, and what its handles stand for.
pub struct HostState {
    pub(crate) component: ComponentName,
    pub(crate) limits: Arc<Limits>,
    pub(crate) environment: Arc<HostEnvironment>,
    pub(crate) table: ResourceTable,
    pub(crate) client: Client,
    pub(crate) written: WrittenFiles,
    pub(crate) born: Instant,
    memory: MemoryAccount,
    lines_left: u32,
    lines_lost: u64,
    /// The last error that the guest logged: why it trapped, often.
    last_words: Option<String>,
    pub(crate) computing: Arc<Computing>,
}

impl HostState {
    pub(crate) fn new(
        component: ComponentName,
        limits: Arc<Limits>,
        environment: Arc<HostEnvironment>,
    ) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits.handles);
        HostState {
            component,
            table,
            client: Client::default(),
            written: WrittenFiles::default(),
            born: Instant::now(),
            memory: MemoryAccount { limits: Arc::clone(&limits), guest: 0, host: 0, table_elements: 0 },
            lines_left: limits.log_lines,
            lines_lost: 0,
            last_words: None,
            computing: Arc::new(Computing::default()),
            limits,
            environment,
        }
    }

    /// Bytes that the host keeps for this instance from now on.
    pub(crate) fn charge(&mut self, bytes: usize) -> wasmtime::Result<()> {
        self.memory.host = self.memory.host.saturating_add(bytes);
        self.memory.check()
    }

    /// Bytes that it may still take, in the guest and in the host.
    pub(crate) fn room(&self) -> usize {
        self.limits.memory.saturating_sub(self.memory.guest.saturating_add(self.memory.host))
    }

    /// What the host keeps for one thing is `now` bytes, and was `before`.
    pub(crate) fn recharge(&mut self, before: usize, now: usize) {
        self.memory.host = self.memory.host.saturating_sub(before).saturating_add(now);
    }

    /// Bytes that the host keeps for it no longer.
    pub(crate) fn discharge(&mut self, bytes: usize) {
        self.memory.host = self.memory.host.saturating_sub(bytes);
    }

    pub(crate) fn limiter(&mut self) -> &mut dyn ResourceLimiter {
        &mut self.memory
    }

    /// Whether one more line may be logged.
    pub(crate) fn may_log(&mut self) -> bool {
        match self.lines_left.checked_sub(1) {
            Some(left) => {
                self.lines_left = left;
                if left == 0 {
                    tracing::warn!(
                        track = self.environment.track_name,
                        extension = %self.component,
                        "this was line {} of an instance; further ones are only counted (--extension-log-lines raises the limit)",
                        self.limits.log_lines
                    );
                }
                true
            }
            None => {
                self.lines_lost += 1;
                false
            }
        }
    }

    pub(crate) fn remember_words(&mut self, message: &str) {
        self.last_words = Some(message.chars().take(1000).collect());
    }

    pub(crate) fn take_last_words(&mut self) -> Option<String> {
        self.last_words.take()
    }
}

impl Drop for HostState {
    fn drop(&mut self) {
        if self.lines_lost > 0 {
            tracing::warn!(
                track = self.environment.track_name,
                extension = %self.component,
                lines = self.lines_lost,
                "an instance logged more lines than it may"
            );
        }
    }
}

/// Memory of an instance, in the guest and in the host, under one limit.
struct MemoryAccount {
    limits: Arc<Limits>,
    guest: usize,
    host: usize,
    table_elements: usize,
}

impl MemoryAccount {
    fn check(&self) -> wasmtime::Result<()> {
        if self.guest.saturating_add(self.host) > self.limits.memory {
            return Err(exceeded(&self.limits, LimitKind::Memory));
        }
        Ok(())
    }
}

impl ResourceLimiter for MemoryAccount {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let guest = self.guest.saturating_sub(current).saturating_add(desired);
        if guest.saturating_add(self.host) > self.limits.memory {
            return Err(exceeded(&self.limits, LimitKind::Memory));
        }
        self.guest = guest;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let elements = self.table_elements.saturating_sub(current).saturating_add(desired);
        if elements > self.limits.table_elements {
            return Err(exceeded(&self.limits, LimitKind::TableElements));
        }
        self.table_elements = elements;
        Ok(true)
    }

    fn instances(&self) -> usize {
        // Adapters and shims that a component brings along count as well.
        32
    }

    fn tables(&self) -> usize {
        16
    }

    fn memories(&self) -> usize {
        8
    }
}

pub(crate) fn exceeded(limits: &Limits, kind: LimitKind) -> wasmtime::Error {
    let exceeded: LimitExceeded = limits.exceeded(kind);
    wasmtime::Error::from(exceeded)
}

/// Computing time of the call at work, for guests that may wait: time that others had does not count.
#[derive(Debug, Default)]
pub(crate) struct Computing {
    /// When the guest went on last, nanoseconds since the state was made.
    since: AtomicU64,
    /// What it used before, nanoseconds.
    used: AtomicU64,
    /// What it may use in this call, nanoseconds.
    allowed: AtomicU64,
    /// Whether the call is one that prepares.
    opens: AtomicBool,
}

impl Computing {
    pub(crate) fn begin(&self, now: Duration, allowed: Duration, kind: LimitKind) {
        self.allowed.store(allowed.as_nanos() as u64, Ordering::Relaxed);
        self.opens.store(kind == LimitKind::TimeToOpen, Ordering::Relaxed);
        self.used.store(0, Ordering::Relaxed);
        self.since.store(now.as_nanos() as u64, Ordering::Relaxed);
    }

    /// The guest stops computing; returns what it has used so far.
    pub(crate) fn pause(&self, now: Duration) -> Duration {
        let now = now.as_nanos() as u64;
        let since = self.since.swap(now, Ordering::Relaxed);
        let used = self.used.load(Ordering::Relaxed) + now.saturating_sub(since);
        self.used.store(used, Ordering::Relaxed);
        Duration::from_nanos(used)
    }

    pub(crate) fn resume(&self, now: Duration) {
        self.since.store(now.as_nanos() as u64, Ordering::Relaxed);
    }
}

/// What happens to a guest that may wait, at each tick that it computes through: it gives way to others, and ends once it
/// has computed for longer than it may.
pub(crate) fn at_tick(mut context: StoreContextMut<'_, HostState>) -> wasmtime::Result<UpdateDeadline> {
    let state = context.data_mut();
    let born = state.born;
    let used = state.computing.pause(born.elapsed());
    let computing = Arc::clone(&state.computing);
    if used.as_nanos() as u64 > computing.allowed.load(Ordering::Relaxed) {
        let opens = computing.opens.load(Ordering::Relaxed);
        let kind = if opens { LimitKind::TimeToOpen } else { LimitKind::TimePerCall };
        return Err(exceeded(&state.limits, kind));
    }
    let give_way = async move {
        yield_once().await;
        computing.resume(born.elapsed());
    };
    Ok(UpdateDeadline::YieldCustom(1, Box::pin(give_way)))
}

/// Lets others go first, once.
async fn yield_once() {
    let mut yielded = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return std::task::Poll::Ready(());
        }
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}
