//! What the target answered.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::bindings::host::rally::track::client as wire;
use crate::{Error, Result};

/// An answer of the target.
#[derive(Debug)]
pub struct Response {
    answer: wire::Response,
}

impl Response {
    pub(super) fn new(answer: wire::Response) -> Response {
        Response { answer }
    }

    /// HTTP status.
    pub fn status(&self) -> u16 {
        self.answer.status
    }

    /// Size of the answer's body in bytes.
    pub fn size(&self) -> u64 {
        self.answer.size
    }

    /// From the first byte sent to the last byte received.
    pub fn service_time(&self) -> Duration {
        Duration::from_nanos(self.answer.service_nanoseconds)
    }

    /// A header by its name in lower case; only where the whole answer was wanted.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.answer.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// The value of the pointer with this number, in the order in which they were given; none where the answer has no such
    /// value.
    ///
    /// # Errors
    /// Where it is not of this type.
    pub fn picked<T: DeserializeOwned>(&self, number: usize) -> Result<Option<T>> {
        match self.answer.picked.get(number).and_then(Option::as_ref) {
            Some(text) => Ok(Some(serde_json::from_str(text)?)),
            None => Ok(None),
        }
    }

    /// The body, where the whole answer was wanted, or where the status says that the request failed.
    pub fn body(&self) -> &[u8] {
        &self.answer.body
    }

    /// The body as text.
    ///
    /// # Errors
    /// Where it is not UTF-8.
    pub fn text(&self) -> Result<&str> {
        Ok(std::str::from_utf8(&self.answer.body)?)
    }

    /// The body as a JSON value.
    ///
    /// # Errors
    /// Where it is not JSON, or does not fit the type.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.answer.body).map_err(|error| Error::from(error).at("the answer"))
    }
}

/// What a search came to.
#[derive(Debug)]
pub struct SearchAnswer {
    /// Milliseconds that it took the target.
    pub took: Option<u64>,
    /// Whether the target gave up before the end.
    pub timed_out: bool,
    /// Number of hits.
    pub hits: Option<u64>,
    /// Whether `hits` is exact (`eq`) or a lower bound (`gte`), where the target says it.
    pub hits_relation: Option<String>,
    /// Size, time and status.
    pub response: Response,
}

impl SearchAnswer {
    pub(super) const POINTERS: [&'static str; 3] = ["/took", "/timed_out", "/hits/total"];

    pub(super) fn of(response: Response) -> Result<SearchAnswer> {
        // A number up to Elasticsearch 6, an object from 7 on, nothing where it is not tracked.
        let total: Option<Value> = response.picked(2)?;
        let (hits, hits_relation) = match &total {
            Some(Value::Object(total)) => (
                total.get("value").and_then(Value::as_u64),
                total.get("relation").and_then(Value::as_str).map(str::to_owned),
            ),
            Some(number) => (number.as_u64(), None),
            None => (None, None),
        };
        Ok(SearchAnswer {
            took: response.picked(0)?,
            timed_out: response.picked(1)?.unwrap_or(false),
            hits,
            hits_relation,
            response,
        })
    }
}

/// What a bulk came to.
#[derive(Debug)]
pub struct BulkAnswer {
    /// Milliseconds that it took the target.
    pub took: Option<u64>,
    /// Whether some of its items failed.
    pub errors: bool,
    /// Size, time and status.
    pub response: Response,
}

impl BulkAnswer {
    pub(super) const POINTERS: [&'static str; 2] = ["/took", "/errors"];

    pub(super) fn of(response: Response) -> Result<BulkAnswer> {
        Ok(BulkAnswer { took: response.picked(0)?, errors: response.picked(1)?.unwrap_or(false), response })
    }
}
