//! Bounded pools of threads: indexing and searching never run on the threads that read and write sockets.

use crate::error::EsError;
use crossbeam_channel::{Sender, TrySendError, bounded};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

type Job = Box<dyn FnOnce() + Send>;

/// A number of threads and a queue before them.
pub struct Pool {
    /// Its name, as in the statistics.
    pub name: &'static str,
    /// Its threads.
    pub threads: usize,
    sender: Sender<Job>,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    active: AtomicU64,
    completed: AtomicU64,
    rejected: AtomicU64,
}

/// Counts a job as running, and as done when dropped.
struct Running(Arc<Counts>);

impl Running {
    fn new(counts: Arc<Counts>) -> Self {
        counts.active.fetch_add(1, Ordering::Relaxed);
        Running(counts)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.active.fetch_sub(1, Ordering::Relaxed);
        self.0.completed.fetch_add(1, Ordering::Relaxed);
    }
}

impl Pool {
    /// A pool of `threads`, before which `queue` jobs may wait. The threads end with the pool.
    ///
    /// # Errors
    /// Where the operating system gives no more threads.
    pub fn new(name: &'static str, threads: usize, queue: usize) -> std::io::Result<Self> {
        let (sender, receiver) = bounded::<Job>(queue);
        let counts = Arc::new(Counts::default());
        for number in 0..threads {
            let receiver = receiver.clone();
            std::thread::Builder::new().name(format!("node-{name}-{number}")).spawn(move || {
                for job in receiver {
                    // A panic fails its request alone; the sender of the answer is dropped with the job.
                    _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(job));
                }
            })?;
        }
        Ok(Pool { name, threads, sender, counts })
    }

    /// Runs `job` on one of the threads.
    ///
    /// # Errors
    /// 429 where the queue is full, 500 where the job panics.
    pub async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> Result<T, EsError> + Send + 'static,
    ) -> Result<T, EsError> {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let counts = Arc::clone(&self.counts);
        let job: Job = Box::new(move || {
            let running = Running::new(counts);
            let result = job();
            // Counted before it is answered: who asks next finds it done.
            drop(running);
            _ = sender.send(result);
        });
        match self.sender.try_send(job) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => {
                self.counts.rejected.fetch_add(1, Ordering::Relaxed);
                return Err(EsError::new(
                    429,
                    "es_rejected_execution_exception",
                    format!("rejected execution: the queue of thread pool [{}] is full", self.name),
                ));
            }
            Err(TrySendError::Disconnected(_)) => {
                return Err(EsError::new(503, "node_closed_exception", "the node is shutting down"));
            }
        }
        receiver
            .await
            .unwrap_or_else(|_| Err(EsError::internal("the request failed; the node's log says where")))
    }

    /// Jobs waiting, running, done and refused.
    pub fn counts(&self) -> (u64, u64, u64, u64) {
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        (
            u64::try_from(self.sender.len()).unwrap_or(u64::MAX),
            load(&self.counts.active),
            load(&self.counts.completed),
            load(&self.counts.rejected),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_fails_its_job_alone() {
        let pool = Pool::new("test", 1, 4).unwrap();
        let failed = pool.run(|| if true { panic!("on purpose") } else { Ok(()) }).await;
        assert_eq!(failed.unwrap_err().status, 500);
        assert_eq!(pool.run(|| Ok(7)).await, Ok(7));
    }

    #[tokio::test]
    async fn a_full_queue_refuses() {
        let pool = Arc::new(Pool::new("test", 1, 1).unwrap());
        let (release, wait) = bounded::<()>(0);
        let blocking = tokio::spawn({
            let pool = Arc::clone(&pool);
            async move {
                pool.run(move || {
                    _ = wait.recv();
                    Ok(())
                })
                .await
            }
        });
        while pool.counts().1 == 0 {
            tokio::task::yield_now().await;
        }
        let waiting = tokio::spawn({
            let pool = Arc::clone(&pool);
            async move { pool.run(|| Ok(())).await }
        });
        while pool.counts().0 == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(pool.run(|| Ok(())).await.unwrap_err().status, 429);
        release.send(()).unwrap();
        assert!(blocking.await.unwrap().is_ok() && waiting.await.unwrap().is_ok());
        assert_eq!(pool.counts().3, 1);
    }
}
