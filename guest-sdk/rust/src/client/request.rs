//! A request in the making.

use std::time::Duration;

use serde_json::Value;

use super::{Client, Method, Response, Want};
use crate::bindings::host::rally::track::client as wire;
use crate::bindings::host::rally::track::types;
use crate::bodies::{Body, IntoBody};
use crate::{Error, Result};

/// A request to the target. What ends it ([`send`](ClientRequest::send), [`pick`](ClientRequest::pick),
/// [`whole`](ClientRequest::whole)) says what of the answer is worth having.
#[must_use = "nothing is sent before `send`, `pick` or `whole`"]
pub struct ClientRequest<'client> {
    client: &'client Client,
    call: Call,
    accepts: Accepts,
}

/// A request as the host takes it.
pub(crate) struct Call {
    pub(crate) cluster: Option<String>,
    pub(crate) method: Method,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<Body>,
    pub(crate) timeout_milliseconds: Option<u32>,
}

/// Which answers are no errors beside those below 400.
#[derive(Default)]
enum Accepts {
    #[default]
    Success,
    These(Vec<u16>),
    Any,
}

impl<'client> ClientRequest<'client> {
    pub(super) fn new(client: &'client Client, method: Method, target: String) -> ClientRequest<'client> {
        let call = Call {
            cluster: None,
            method,
            target,
            headers: Vec::new(),
            body: None,
            timeout_milliseconds: None,
        };
        ClientRequest { client, call, accepts: Accepts::Success }
    }

    /// Sends it to another cluster than the default one.
    pub fn cluster(mut self, name: impl Into<String>) -> Self {
        self.call.cluster = Some(name.into());
        self
    }

    /// Adds a parameter to the query; name and value are encoded.
    pub fn query(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        let target = &mut self.call.target;
        target.push(if target.contains('?') { '&' } else { '?' });
        encode(name, "", target);
        target.push('=');
        encode(&value.to_string(), ",*", target);
        self
    }

    /// Adds a header.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.call.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the body.
    ///
    /// # Errors
    /// Where a value cannot be JSON.
    pub fn body(mut self, body: impl IntoBody) -> Result<Self> {
        self.call.body = Some(body.into_body()?);
        Ok(self)
    }

    /// Gives up earlier than `--client-options` says.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.call.timeout_milliseconds = Some(u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX));
        self
    }

    /// Takes answers with these statuses for answers, e.g. `[404]` where something may be missing.
    pub fn ignore_status(mut self, statuses: impl Into<Vec<u16>>) -> Self {
        self.accepts = Accepts::These(statuses.into());
        self
    }

    /// Takes answers with any status for answers.
    pub fn any_status(mut self) -> Self {
        self.accepts = Accepts::Any;
        self
    }

    /// Sends it and reads the answer to its end, but keeps only its status, size and time.
    ///
    /// # Errors
    /// Where there is no answer (class `transport` or `timeout`), or it says that the request failed (class `api`).
    pub fn send(self) -> Result<Response> {
        self.perform(&Want::Nothing)
    }

    /// Sends it and keeps these values of the answer, by JSON pointers such as `/hits/total/value`: the whole answer stays
    /// outside. [`Response::picked`] has them.
    ///
    /// # Errors
    /// As [`send`](ClientRequest::send).
    pub fn pick(self, pointers: &[&str]) -> Result<Response> {
        self.perform(&Want::Pick(pointers.iter().map(|&pointer| pointer.to_owned()).collect()))
    }

    /// Sends it and keeps the whole answer.
    ///
    /// # Errors
    /// As [`send`](ClientRequest::send).
    pub fn whole(self) -> Result<Response> {
        self.perform(&Want::Whole)
    }

    fn perform(self, want: &Want) -> Result<Response> {
        let client = self.client;
        let (call, check) = self.into_call()?;
        check.judge(client.target.send(call, want))
    }

    pub(super) fn into_call(self) -> Result<(Call, Check)> {
        let method = match self.call.method {
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Delete => "DELETE",
            Method::Patch => "PATCH",
            Method::Options => "OPTIONS",
        };
        if !self.call.target.starts_with('/') {
            return Err(Error::other(format!(
                "{method} {}: a target is path and query and begins with a slash",
                self.call.target
            )));
        }
        let check = Check { method, target: self.call.target.clone(), accepts: self.accepts };
        Ok((self.call, check))
    }
}

/// Decides whether an answer is an error, and what that error says.
#[derive(Default)]
pub(super) struct Check {
    method: &'static str,
    target: String,
    accepts: Accepts,
}

impl Check {
    pub(super) fn judge(
        &self,
        answer: std::result::Result<wire::Response, types::Error>,
    ) -> Result<Response> {
        let answer = answer
            .map_err(|error| Error::from_wire(error).at(format_args!("{} {}", self.method, self.target)))?;
        let fine = match &self.accepts {
            Accepts::Success => answer.status < 400,
            Accepts::These(statuses) => answer.status < 400 || statuses.contains(&answer.status),
            Accepts::Any => true,
        };
        if fine {
            return Ok(Response::new(answer));
        }
        let reason = reason(&answer.body).map(|reason| format!(": {reason}")).unwrap_or_default();
        let message = format!("{} {} was answered with {}{reason}", self.method, self.target, answer.status);
        Err(Error::api(message).with_status(answer.status))
    }
}

/// What Elasticsearch and OpenSearch say about a failure, in any version.
fn reason(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    match body.get("error")? {
        Value::String(text) => Some(text.clone()),
        error => {
            let text = |key| error.get(key).and_then(Value::as_str);
            Some(match (text("type"), text("reason")) {
                (Some(kind), Some(reason)) => format!("{kind}: {reason}"),
                (kind, reason) => kind.or(reason)?.to_owned(),
            })
        }
    }
}

/// Appends names of a path as one segment; commas and wildcards keep their meaning.
pub(super) fn path_segments(text: &str, out: &mut String) {
    encode(text, ",*", out);
}

/// Appends text with everything encoded but unreserved characters and `also`.
fn encode(text: &str, also: &str, out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        let plain =
            byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || also.as_bytes().contains(&byte);
        if plain {
            out.push(byte as char);
        } else {
            out.push('%');
            out.push(DIGITS[usize::from(byte >> 4)] as char);
            out.push(DIGITS[usize::from(byte & 15)] as char);
        }
    }
}
