//! How an exchange can fail without a whole answer.

use std::io;
use std::time::Instant;

use rally_race::{Failure, FailureKind};

use super::body::ChunkError;
use super::response::HeadError;

/// A request that got no whole answer.
#[derive(Debug, thiserror::Error)]
#[error("{kind}")]
pub struct ExchangeError {
    /// What happened.
    #[source]
    pub kind: ExchangeErrorKind,
    /// When its first byte went out; `None` where nothing was sent.
    pub sent: Option<Instant>,
    /// When it was given up.
    pub ended: Instant,
}

/// What happened. The texts hold nothing that differs between equal failures: they are counted by it.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeErrorKind {
    /// Nobody listens.
    #[error("connection refused by {authority}")]
    Refused {
        /// Host and port.
        authority: String,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The connection cannot be made for another reason.
    #[error("cannot connect to {authority}: {}", plain(source))]
    Unreachable {
        /// Host and port.
        authority: String,
        /// What the system or the TLS library says.
        #[source]
        source: io::Error,
    },
    /// No whole answer in time.
    #[error(
        "no whole answer within {seconds} s (--client-options=timeout:… or the operation's request-timeout sets the limit)"
    )]
    Timeout {
        /// The limit.
        seconds: f64,
    },
    /// The connection ended before an answer began.
    #[error("the target closed the connection without an answer")]
    ClosedWithoutAnswer,
    /// The connection ended within an answer.
    #[error("the target closed the connection in the middle of its answer")]
    ClosedWithinAnswer,
    /// The connection broke.
    #[error("the connection broke: {}", plain(.0))]
    Broken(#[source] io::Error),
    /// What came is not HTTP.
    #[error("the target does not answer in HTTP: {0}")]
    Malformed(#[source] MalformedAnswer),
    /// The answer's head is too long.
    #[error("the head of the answer is too large")]
    HeadTooLarge,
    /// The answer's body is too long.
    #[error("the answer is longer than {limit} bytes (--client-options=max_response_size:… sets the limit)")]
    BodyTooLarge {
        /// The limit.
        limit: u64,
    },
    /// The target took the request back by closing again and again before it was sent.
    #[error("the target closes each connection before a request can be sent")]
    NeverReady,
}

/// An answer that breaks the rules of HTTP/1.1.
#[derive(Debug, Clone, Copy, thiserror::Error)]
pub enum MalformedAnswer {
    /// In its head.
    #[error(transparent)]
    Head(HeadError),
    /// In the chunks of its body.
    #[error(transparent)]
    Chunks(ChunkError),
}

impl ExchangeError {
    /// As a race counts it.
    pub fn failure(&self) -> Failure {
        let kind = match self.kind {
            ExchangeErrorKind::Refused { .. } => FailureKind::Refused,
            _ => FailureKind::Transport,
        };
        Failure { kind, status: None, description: self.kind.to_string(), count: 1 }
    }
}

/// The innermost cause in words, without the system's number.
fn plain(error: &io::Error) -> String {
    match error.get_ref() {
        Some(inner) => inner.to_string(),
        None => error.kind().to_string(),
    }
}
