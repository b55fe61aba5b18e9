//! A request of an operation as it is declared: apart from the target, and from what all operations have in common.

use bytes::Bytes;
use http::Method;
use serde_json::{Map, Value};

use super::common::{add_headers, add_request_params, named};
use crate::http::{Endpoint, Request, encode_query};

const JSON: &str = "application/json";

/// A request to be made.
#[derive(Debug, Clone)]
pub struct Call {
    method: Method,
    /// Encoded, with a slash at its beginning, without parameters.
    path: String,
    query: Map<String, Value>,
    body: Option<Bytes>,
    /// Statuses that are no failures although they are no successes.
    ignored: Vec<u16>,
}

/// A call that was made for a target.
#[derive(Debug, Clone)]
pub struct Ready {
    /// The request.
    pub request: Request,
    /// Its body.
    pub body: Bytes,
    /// Statuses that are no failures although they are no successes.
    pub ignored: Vec<u16>,
}

impl Call {
    /// A request without parameters and body. `path` is encoded already.
    pub fn new(method: Method, path: impl Into<String>) -> Call {
        Call { method, path: path.into(), query: Map::new(), body: None, ignored: Vec::new() }
    }

    /// `GET`.
    pub fn get(path: impl Into<String>) -> Call {
        Call::new(Method::GET, path)
    }

    /// `PUT`.
    pub fn put(path: impl Into<String>) -> Call {
        Call::new(Method::PUT, path)
    }

    /// `POST`.
    pub fn post(path: impl Into<String>) -> Call {
        Call::new(Method::POST, path)
    }

    /// `DELETE`.
    pub fn delete(path: impl Into<String>) -> Call {
        Call::new(Method::DELETE, path)
    }

    /// With this body. A text is sent as it is.
    pub fn body(mut self, body: &Value) -> Call {
        self.body = match body {
            Value::Null => None,
            Value::String(text) => Some(Bytes::from(text.clone())),
            body => Some(Bytes::from(body.to_string())),
        };
        self
    }

    /// With these bytes as its body.
    pub fn bytes(mut self, body: Bytes) -> Call {
        self.body = Some(body);
        self
    }

    /// With a parameter of the address; null is none.
    pub fn parameter(mut self, name: &str, value: impl Into<Value>) -> Call {
        match value.into() {
            Value::Null => {}
            value => drop(self.query.insert(name.to_owned(), value)),
        }
        self
    }

    /// With the first of these parameters of the operation as a parameter of the address, if it is there.
    pub fn taken(self, name: &str, values: &Map<String, Value>, names: &[&'static str]) -> Call {
        match named(values, names) {
            Some((_, value)) => self.parameter(name, value.clone()),
            None => self,
        }
    }

    /// With the operation's `request-params` as parameters of the address, and with the statuses that it ignores.
    ///
    /// # Errors
    /// Where these are of the wrong kind.
    pub fn given(mut self, values: &Map<String, Value>) -> Result<Call, String> {
        add_request_params(values, &mut self.query)?;
        let of_request = self.query.remove("ignore");
        let ignored = of_request.as_ref().or(named(values, &["ignore"]).map(|(_, ignored)| ignored));
        for status in statuses(ignored)? {
            self.ignored.push(status);
        }
        Ok(self)
    }

    /// This status is no failure.
    pub fn ignoring(mut self, status: u16) -> Call {
        self.ignored.push(status);
        self
    }

    /// The request to this endpoint, with the headers that `values` ask for.
    ///
    /// # Errors
    /// Where path and parameters make no address, or headers are not what they must be.
    pub fn ready(&self, endpoint: &Endpoint, values: &Map<String, Value>) -> Result<Ready, String> {
        let query = encode_query(self.query.iter().map(|(name, value)| (name.as_str(), value)));
        let content_type = self.body.as_ref().map(|_| JSON);
        let request = Request::new(endpoint, self.method.clone(), &self.path, &query, content_type);
        let mut request = request.map_err(|error| format!("{}: {error}", self.path))?;
        add_headers(values, &mut request)?;
        Ok(Ready { request, body: self.body.clone().unwrap_or_default(), ignored: self.ignored.clone() })
    }
}

/// One status or a list of them.
fn statuses(ignored: Option<&Value>) -> Result<Vec<u16>, String> {
    let status = |value: &Value| {
        let number = match value {
            Value::String(text) => text.trim().parse().ok(),
            value => value.as_u64(),
        };
        number
            .and_then(|number| u16::try_from(number).ok())
            .ok_or_else(|| format!("'ignore' holds {value}, which is no HTTP status"))
    };
    match ignored {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(list)) => list.iter().map(status).collect(),
        Some(one) => Ok(vec![status(one)?]),
    }
}
