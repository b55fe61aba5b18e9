//! Buffers of bulk bodies, used again once they are sent.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bytes::Bytes;

/// Bytes of buffers that wait to be used again at most: what a race prepares ahead is far less, and whoever fills a huge body
/// once must not leave it behind for good.
const MOST_KEPT: usize = 64 << 20;

/// Gives out buffers and takes them back when the last reference to a body is dropped, on whichever thread. All clients of
/// an operation share it: there are never more buffers than were filled at the same time. The buffer that came back last
/// is given out first: it is the likeliest to be in a cache.
#[derive(Debug, Clone, Default)]
pub struct BodyPool {
    waiting: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl BodyPool {
    /// An empty buffer, used before if there is one.
    pub fn take(&self) -> Vec<u8> {
        lock(&self.waiting).pop().unwrap_or_default()
    }

    /// Makes a body of a filled buffer.
    pub fn body(&self, buffer: Vec<u8>) -> Bytes {
        Bytes::from_owner(PooledBody { buffer, waiting: Arc::clone(&self.waiting) })
    }
}

/// Finds the pool that others use, for as long as somebody does: buffers go when the last of them has ended.
#[derive(Debug, Default)]
pub struct SharedPool {
    pool: Mutex<Weak<Mutex<Vec<Vec<u8>>>>>,
}

impl SharedPool {
    /// The pool that is in use, or a new one.
    pub fn get(&self) -> BodyPool {
        let mut known = lock(&self.pool);
        if let Some(waiting) = known.upgrade() {
            return BodyPool { waiting };
        }
        let pool = BodyPool::default();
        *known = Arc::downgrade(&pool.waiting);
        pool
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct PooledBody {
    buffer: Vec<u8>,
    waiting: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl AsRef<[u8]> for PooledBody {
    fn as_ref(&self) -> &[u8] {
        &self.buffer
    }
}

impl Drop for PooledBody {
    fn drop(&mut self) {
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        let mut waiting = lock(&self.waiting);
        let kept: usize = waiting.iter().map(Vec::capacity).sum();
        if kept.saturating_add(buffer.capacity()) <= MOST_KEPT {
            waiting.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_that_was_sent_gives_its_buffer_back() {
        let pool = BodyPool::default();
        let mut buffer = pool.take();
        buffer.extend_from_slice(&[7; 1000]);
        let address = buffer.as_ptr();
        let body = pool.body(buffer);
        let copy = body.clone();
        drop(body);
        assert_eq!(pool.take().capacity(), 0, "somebody still reads it");
        drop(copy);
        let again = pool.take();
        assert_eq!((again.as_ptr(), again.len()), (address, 0));
    }

    #[test]
    fn a_huge_buffer_is_not_kept() {
        let pool = BodyPool::default();
        drop(pool.body(Vec::with_capacity(MOST_KEPT + 1)));
        assert_eq!(pool.take().capacity(), 0);
    }

    #[test]
    fn a_shared_pool_keeps_its_buffers_while_somebody_uses_it() {
        let shared = SharedPool::default();
        let (first, second) = (shared.get(), shared.get());
        drop(first.body(vec![7; 1000]));
        drop(first);
        assert!(second.take().capacity() >= 1000, "both clients use the same buffers");
        drop(second.body(vec![7; 1000]));
        drop(second);
        assert_eq!(shared.get().take().capacity(), 0, "nobody used them any more");
    }
}
