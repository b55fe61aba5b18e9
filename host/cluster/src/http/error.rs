//! How an exchange can fail without a whole answer.

use std::io;
use std::time::Instant;

use rally_race::{Failure, FailureKind};

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
    ClosedWithoutAnswer(#[source] hyper::Error),
    /// The connection ended within an answer.
    #[error("the target closed the connection in the middle of its answer")]
    ClosedWithinAnswer(#[source] hyper::Error),
    /// The connection broke.
    #[error("the connection broke: {}", plain_hyper(.0))]
    Broken(#[source] hyper::Error),
    /// What came is not HTTP.
    #[error("the target does not answer in HTTP: {}", plain_hyper(.0))]
    Malformed(#[source] hyper::Error),
    /// The answer's head is too long.
    #[error("the head of the answer is too large")]
    HeadTooLarge(#[source] hyper::Error),
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

impl ExchangeErrorKind {
    /// Sorts what hyper reports while an answer is awaited (`started`: its head has come).
    pub fn from_hyper(error: hyper::Error, started: bool) -> Self {
        if error.is_parse_too_large() {
            ExchangeErrorKind::HeadTooLarge(error)
        } else if started
            && (error.is_incomplete_message() || io_kind(&error) == Some(io::ErrorKind::UnexpectedEof))
        {
            ExchangeErrorKind::ClosedWithinAnswer(error)
        } else if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
            ExchangeErrorKind::ClosedWithoutAnswer(error)
        } else if error.is_parse() {
            ExchangeErrorKind::Malformed(error)
        } else {
            ExchangeErrorKind::Broken(error)
        }
    }
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

fn plain_hyper(error: &hyper::Error) -> String {
    io_cause(error).map_or_else(|| error.to_string(), plain)
}

fn io_kind(error: &hyper::Error) -> Option<io::ErrorKind> {
    io_cause(error).map(io::Error::kind)
}

fn io_cause(error: &hyper::Error) -> Option<&io::Error> {
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        if let Some(io) = inner.downcast_ref::<io::Error>() {
            return Some(io);
        }
        cause = inner.source();
    }
    None
}
