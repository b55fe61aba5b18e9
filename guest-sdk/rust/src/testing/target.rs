//! The target of a test.

use serde_json::Value;

use crate::bindings::host::rally::track::client as wire;
use crate::bindings::host::rally::track::types;
use crate::client::{Call, Method, Want};
use crate::{ErrorClass, Result};

/// A request that a runner has sent.
#[derive(Debug, Clone, PartialEq)]
pub struct SentRequest {
    /// Name of the cluster, where one was named.
    pub cluster: Option<String>,
    /// Its method; `POST` for built-in operations.
    pub method: Method,
    /// Path and query; `builtin:` and the type for built-in operations.
    pub target: String,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// Its body; empty where there is none.
    pub body: Vec<u8>,
    /// Parameters of a built-in operation.
    pub params: Value,
    /// Timeout in milliseconds, where one was named.
    pub timeout_milliseconds: Option<u32>,
}

impl SentRequest {
    pub(crate) fn of(call: Call) -> SentRequest {
        SentRequest {
            cluster: call.cluster,
            method: call.method,
            target: call.target,
            headers: call.headers,
            body: call.body.map(|body| body.to_vec()).unwrap_or_default(),
            params: Value::Null,
            timeout_milliseconds: call.timeout_milliseconds,
        }
    }

    pub(crate) fn of_builtin(operation_type: &str, params: &str, body: Vec<u8>) -> SentRequest {
        SentRequest {
            cluster: None,
            method: Method::Post,
            target: format!("builtin:{operation_type}"),
            headers: Vec::new(),
            body,
            params: serde_json::from_str(params).unwrap_or_default(),
            timeout_milliseconds: None,
        }
    }

    /// The body as a JSON value.
    ///
    /// # Panics
    /// Where it is not JSON.
    pub fn body_json(&self) -> Value {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(error) => panic!("the body is no JSON ({error}): {}", String::from_utf8_lossy(&self.body)),
        }
    }
}

/// What a test answers to a request.
#[derive(Debug, Clone)]
pub struct Reply {
    outcome: Result<(u16, Vec<u8>), (ErrorClass, String)>,
}

impl Reply {
    /// An answer with a JSON body.
    pub fn json(status: u16, body: Value) -> Reply {
        Reply { outcome: Ok((status, body.to_string().into_bytes())) }
    }

    /// An answer with any body.
    pub fn bytes(status: u16, body: impl Into<Vec<u8>>) -> Reply {
        Reply { outcome: Ok((status, body.into())) }
    }

    /// No answer.
    pub fn error(class: ErrorClass, message: &str) -> Reply {
        Reply { outcome: Err((class, message.to_owned())) }
    }

    pub(crate) fn into_wire(self, want: &Want) -> Result<wire::Response, types::Error> {
        let (status, body) = self.outcome.map_err(|(class, message)| types::Error {
            class,
            message,
            status: None,
            kind: None,
            traceback: None,
        })?;
        let picked = match want {
            Want::Pick(pointers) => {
                let value: Value = serde_json::from_slice(&body).unwrap_or_default();
                pointers.iter().map(|pointer| value.pointer(pointer).map(Value::to_string)).collect()
            }
            Want::Nothing | Want::Whole => Vec::new(),
        };
        let size = body.len() as u64;
        let keep = status >= 400 || matches!(want, Want::Whole);
        let body = if keep { body } else { Vec::new() };
        Ok(wire::Response { status, headers: Vec::new(), size, service_nanoseconds: 0, picked, body })
    }
}
