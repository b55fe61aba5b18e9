//! Buffers of bulk bodies, used again once they are sent.

use std::sync::Arc;

use bytes::Bytes;
use crossbeam_queue::ArrayQueue;

/// Buffers that wait to be used again. As many as one client can have under way and prepared; more are freed.
const WAITING: usize = 64;

/// Gives out buffers and takes them back when the last reference to a body is dropped, on whichever thread.
#[derive(Debug, Clone)]
pub struct BodyPool {
    waiting: Arc<ArrayQueue<Vec<u8>>>,
}

impl Default for BodyPool {
    fn default() -> Self {
        BodyPool { waiting: Arc::new(ArrayQueue::new(WAITING)) }
    }
}

impl BodyPool {
    /// An empty buffer, used before if there is one.
    pub fn take(&self) -> Vec<u8> {
        self.waiting.pop().unwrap_or_default()
    }

    /// Makes a body of a filled buffer.
    pub fn body(&self, buffer: Vec<u8>) -> Bytes {
        Bytes::from_owner(PooledBody { buffer, waiting: Arc::clone(&self.waiting) })
    }
}

struct PooledBody {
    buffer: Vec<u8>,
    waiting: Arc<ArrayQueue<Vec<u8>>>,
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
        // A full pool frees the buffer.
        let _ = self.waiting.push(buffer);
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
}
