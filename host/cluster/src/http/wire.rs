//! A stream with what has come of it, and a request on its way out.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::io::Stream;
use super::request::Request;

/// Room for what comes in at first; most answers of a search fit.
const FIRST_ROOM: usize = 8 * 1024;

/// Most room. Larger reads save few system calls and cost memory per client.
const MOST_ROOM: usize = 256 * 1024;

/// What has been read and not been taken yet.
pub struct Input {
    bytes: Box<[u8]>,
    begin: usize,
    end: usize,
}

impl Input {
    /// Nothing yet.
    pub fn new() -> Input {
        Input { bytes: vec![0; FIRST_ROOM].into_boxed_slice(), begin: 0, end: 0 }
    }

    /// What is there.
    pub fn filled(&self) -> &[u8] {
        &self.bytes[self.begin..self.end]
    }

    /// Drops the first bytes of what is there.
    pub fn take(&mut self, count: usize) {
        self.begin = (self.begin + count).min(self.end);
        if self.begin == self.end {
            (self.begin, self.end) = (0, 0);
        }
    }

    /// Reads more; 0 at the end of the stream.
    pub fn poll_fill(&mut self, stream: &mut Stream, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.make_room();
        let mut room = ReadBuf::new(&mut self.bytes[self.end..]);
        ready!(Pin::new(stream).poll_read(context, &mut room))?;
        let (count, full) = (room.filled().len(), room.remaining() == 0);
        self.end += count;
        if full {
            self.grow();
        }
        Poll::Ready(Ok(count))
    }

    fn make_room(&mut self) {
        if self.end == self.bytes.len() {
            if self.begin > 0 {
                self.bytes.copy_within(self.begin..self.end, 0);
                (self.begin, self.end) = (0, self.end - self.begin);
            } else {
                self.grow();
            }
        }
    }

    /// More room for a stream that fills what there is. A head never comes to its limit here: it is refused before.
    fn grow(&mut self) {
        let length = self.bytes.len();
        if length < MOST_ROOM {
            let mut larger = vec![0; length * 2].into_boxed_slice();
            larger[..length].copy_from_slice(&self.bytes);
            self.bytes = larger;
        }
    }
}

/// Writes the head of a request as HTTP/1.1 sends it. `length`: of the body; a request without one names none.
pub fn write_head(request: &Request, length: usize, head: &mut Vec<u8>) {
    head.clear();
    head.extend_from_slice(request.method.as_str().as_bytes());
    head.push(b' ');
    let target = request.uri.path_and_query().map_or("/", |target| target.as_str());
    head.extend_from_slice(target.as_bytes());
    head.extend_from_slice(b" HTTP/1.1\r\n");
    for (name, value) in &request.headers {
        head.extend_from_slice(name.as_str().as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    if length > 0 {
        head.extend_from_slice(b"content-length: ");
        head.extend_from_slice(length.to_string().as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
}

/// A request on its way out.
pub struct Output<'a> {
    head: &'a [u8],
    body: &'a [u8],
    sent: usize,
    flushed: bool,
    failed: Option<io::Error>,
}

impl<'a> Output<'a> {
    /// Nothing is sent yet.
    pub fn new(head: &'a [u8], body: &'a [u8]) -> Output<'a> {
        Output { head, body, sent: 0, flushed: false, failed: None }
    }

    /// Whether all of it was sent.
    pub fn is_sent(&self) -> bool {
        self.flushed
    }

    /// Whether the first write failed: the target has seen nothing of the request.
    pub fn is_unsent(&self) -> bool {
        self.sent == 0 && self.failed.is_some()
    }

    /// Sends as much as the stream takes. An error ends it; an answer may still come.
    pub fn poll_send(&mut self, stream: &mut Stream, context: &mut Context<'_>) {
        if !self.flushed
            && self.failed.is_none()
            && let Poll::Ready(Err(error)) = self.poll_to_end(stream, context)
        {
            self.failed = Some(error);
        }
    }

    fn poll_to_end(&mut self, stream: &mut Stream, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.sent < self.head.len() + self.body.len() {
            let mut stream = Pin::new(&mut *stream);
            let written = match self.head.get(self.sent..) {
                Some(head) if !head.is_empty() && !self.body.is_empty() => {
                    let pieces = [IoSlice::new(head), IoSlice::new(self.body)];
                    ready!(stream.as_mut().poll_write_vectored(context, &pieces))?
                }
                Some(head) if !head.is_empty() => ready!(stream.as_mut().poll_write(context, head))?,
                _ => ready!(stream.as_mut().poll_write(context, &self.body[self.sent - self.head.len()..]))?,
            };
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.sent += written;
        }
        ready!(Pin::new(stream).poll_flush(context))?;
        self.flushed = true;
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, Method};

    use super::*;

    #[test]
    fn a_head_names_the_length_of_a_body_that_is_there() {
        let mut headers = HeaderMap::new();
        headers.insert("host", HeaderValue::from_static("127.0.0.1:9200"));
        let request = Request { method: Method::POST, uri: "/a%20b/_search?q=1".parse().unwrap(), headers };
        let mut head = vec![1, 2, 3];
        write_head(&request, 12, &mut head);
        assert_eq!(
            head,
            b"POST /a%20b/_search?q=1 HTTP/1.1\r\nhost: 127.0.0.1:9200\r\ncontent-length: 12\r\n\r\n"
        );
        write_head(&request, 0, &mut head);
        assert_eq!(head, b"POST /a%20b/_search?q=1 HTTP/1.1\r\nhost: 127.0.0.1:9200\r\n\r\n");
    }
}
