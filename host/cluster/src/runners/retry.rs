//! When an operation is tried again.

use std::time::Duration;

use rally_race::{Failure, FailureKind};
use serde_json::{Map, Value};

use super::common::{flag, named, seconds};
use super::session::{Done, Stop};

/// HTTP status of a request that the target gave up.
const REQUEST_TIMEOUT: u16 = 408;

/// When an operation is tried again, as its parameters say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Retry {
    attempts: u64,
    on_error: bool,
    on_timeout: bool,
    wait: Duration,
}

impl Retry {
    /// Reads `retries`, `retry-until-success`, `retry-on-error`, `retry-on-timeout` and `retry-wait-period`.
    /// `until_success`: what holds where the parameters do not say it.
    ///
    /// # Errors
    /// Where one is of the wrong kind.
    pub fn of(values: &Map<String, Value>, until_success: bool) -> Result<Retry, String> {
        let until_success = flag(values, &["retry-until-success"])?.unwrap_or(until_success);
        let retries = match named(values, &["retries"]) {
            None => 0,
            Some((name, retries)) => retries
                .as_u64()
                .ok_or_else(|| format!("'{name}' is {retries} but must be a number of retries"))?,
        };
        Ok(Retry {
            attempts: if until_success { u64::MAX } else { retries.saturating_add(1) },
            on_error: until_success || flag(values, &["retry-on-error"])?.unwrap_or(false),
            on_timeout: flag(values, &["retry-on-timeout"])?.unwrap_or(true),
            wait: seconds(values, &["retry-wait-period"])?.unwrap_or(Duration::from_millis(500)),
        })
    }

    /// An operation that is tried once, whatever its parameters say.
    pub fn once() -> Retry {
        Retry { attempts: 1, on_error: false, on_timeout: false, wait: Duration::ZERO }
    }

    /// Tries until there is no reason to try again. The time of all attempts, and that between them, is the operation's.
    ///
    /// # Errors
    /// What the last attempt came to.
    pub async fn run(self, mut attempt: impl AsyncFnMut() -> Result<Done, Stop>) -> Result<Done, Stop> {
        let mut attempts = 0u64;
        loop {
            attempts += 1;
            let result = attempt().await;
            if attempts >= self.attempts || !self.again(&result) {
                return result;
            }
            tracing::debug!(attempts, ?result, wait = ?self.wait, "trying again");
            tokio::time::sleep(self.wait).await;
        }
    }

    fn again(self, result: &Result<Done, Stop>) -> bool {
        match result {
            Ok(done) => self.on_error && done.failure.is_some(),
            Err(Stop::Failed(failure)) => self.on_timeout && is_timeout(failure),
            Err(Stop::Unusable(_)) => false,
        }
    }
}

/// Whether the target may do better another time: it did not answer, or gave up itself.
fn is_timeout(failure: &Failure) -> bool {
    match failure.kind {
        FailureKind::Answered => failure.status == Some(REQUEST_TIMEOUT),
        // An answer that makes no sense would make none another time.
        FailureKind::Transport => failure.status.is_none(),
        FailureKind::Refused => true,
    }
}
