//! What is sent: everything that does not change from request to request is made once.

use std::fmt::Write as _;

use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Method, Uri};
use serde_json::Value;

use super::endpoint::Endpoint;

/// A request apart from its body.
#[derive(Debug, Clone)]
pub struct Request {
    /// Method.
    pub method: Method,
    /// Path and query, with the host's own path before it.
    pub uri: Uri,
    /// Headers, `host` among them; the content length is added when it is sent.
    pub headers: HeaderMap,
}

impl Request {
    /// A request to `endpoint`. `path` begins with a slash and is encoded already; `query` too, without the question mark.
    ///
    /// # Errors
    /// Where path and query make no address.
    pub fn new(
        endpoint: &Endpoint,
        method: Method,
        path: &str,
        query: &str,
        content_type: Option<&'static str>,
    ) -> Result<Request, http::uri::InvalidUri> {
        let mut address = String::with_capacity(endpoint.host.path.len() + path.len() + query.len() + 1);
        address.push_str(&endpoint.host.path);
        address.push_str(path);
        if !query.is_empty() {
            address.push('?');
            address.push_str(query);
        }
        let mut headers = endpoint.headers.clone();
        if let Some(content_type) = content_type {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        Ok(Request { method, uri: address.parse()?, headers })
    }
}

/// A part of a path: an index name, a list or a pattern. `,` and `*` keep their meaning, a slash is part of the name.
pub fn encode_path(part: &str) -> String {
    encode(part, b"-_.~,*:@!$'()+=")
}

/// Parameters as a query string, in their order. `true` and `false` as words, lists joined by commas, nulls left out.
pub fn encode_query<'a>(parameters: impl IntoIterator<Item = (&'a str, &'a Value)>) -> String {
    let mut query = String::new();
    for (name, value) in parameters {
        let text = match value {
            Value::Null => continue,
            Value::String(text) => text.clone(),
            Value::Array(items) => items
                .iter()
                .map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned))
                .collect::<Vec<_>>()
                .join(","),
            other => other.to_string(),
        };
        if !query.is_empty() {
            query.push('&');
        }
        query.push_str(&encode(name, b"-_.~"));
        query.push('=');
        query.push_str(&encode(&text, b"-_.~,*:"));
    }
    query
}

fn encode(text: &str, kept: &[u8]) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || kept.contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing into a string does not fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_keep_patterns_and_lose_nothing() {
        assert_eq!(encode_path("logs-*,<x/{now}>"), "logs-*,%3Cx%2F%7Bnow%7D%3E");
        assert_eq!(encode_path("größe"), "gr%C3%B6%C3%9Fe");
    }

    #[test]
    fn parameters_become_a_query() {
        let parameters = json!({"request_cache": false, "size": 10, "q": "a b&c", "filter_path": ["took", "hits.*"], "x": null});
        let query =
            encode_query(parameters.as_object().unwrap().iter().map(|(name, value)| (name.as_str(), value)));
        assert_eq!(query, "request_cache=false&size=10&q=a%20b%26c&filter_path=took,hits.*");
    }
}
