//! What is sent: everything that does not change from request to request is made once.

use std::fmt::Write as _;

use http::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, HOST, HeaderMap, HeaderName, HeaderValue, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE,
};
use http::{Method, Uri};
use serde_json::Value;

use super::endpoint::Endpoint;

/// Headers that the connection makes itself.
const RESERVED_HEADERS: [HeaderName; 8] =
    [HOST, CONTENT_LENGTH, TRANSFER_ENCODING, CONNECTION, UPGRADE, TE, TRAILER, EXPECT];

/// Most headers of a request. Arbitrary: servers take a hundred or fewer, and a map of headers holds at most 24,576.
pub const MOST_HEADERS: usize = 256;

/// Bytes of all names and values of a request's headers at most. Arbitrary: Elasticsearch takes 16 KiB.
pub const LONGEST_HEADERS: usize = 64 * 1024;

/// A header that cannot be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// Its name is not one.
    #[error("{0:?} is not a valid header name")]
    Name(String),
    /// Its value has characters that cannot be sent.
    #[error("the value of the header {0:?} has characters that cannot be sent")]
    Value(String),
    /// It belongs to the connection.
    #[error("the header {0:?} is made by the connection itself")]
    Reserved(String),
    /// There are too many of them, or they are too long.
    #[error("a request has at most {MOST_HEADERS} headers of at most {LONGEST_HEADERS} bytes together")]
    TooMany,
}

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

    /// Adds a header beside those of the same name; a content type takes the place of the one before.
    ///
    /// # Errors
    /// Where it cannot be sent, or there are too many.
    pub fn add_header(&mut self, name: &str, value: &str) -> Result<(), HeaderError> {
        self.header(name, value, name.eq_ignore_ascii_case(CONTENT_TYPE.as_str()))
    }

    /// Puts a header in the place of those of the same name.
    ///
    /// # Errors
    /// Where it cannot be sent, or there are too many.
    pub fn set_header(&mut self, name: &str, value: &str) -> Result<(), HeaderError> {
        self.header(name, value, true)
    }

    fn header(&mut self, name: &str, value: &str, replace: bool) -> Result<(), HeaderError> {
        let shown = || name.chars().take(100).collect::<String>();
        let parsed = HeaderName::try_from(name).map_err(|_| HeaderError::Name(shown()))?;
        if RESERVED_HEADERS.contains(&parsed) {
            return Err(HeaderError::Reserved(shown()));
        }
        let value = HeaderValue::from_str(value).map_err(|_| HeaderError::Value(shown()))?;
        if self.headers.len() >= MOST_HEADERS || name.len() + value.len() > LONGEST_HEADERS {
            return Err(HeaderError::TooMany);
        }
        let added = if replace {
            self.headers.try_insert(parsed, value).map(drop)
        } else {
            self.headers.try_append(parsed, value).map(drop)
        };
        added.map_err(|_| HeaderError::TooMany)?;
        let size: usize = self.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        if size > LONGEST_HEADERS { Err(HeaderError::TooMany) } else { Ok(()) }
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

    fn request() -> Request {
        Request { method: Method::GET, uri: Uri::from_static("/"), headers: HeaderMap::new() }
    }

    #[test]
    fn headers_are_added_or_take_the_place_of_others() {
        let mut request = request();
        request.add_header("x-one", "1").unwrap();
        request.add_header("X-One", "2").unwrap();
        request.add_header("content-type", "text/plain").unwrap();
        request.add_header("Content-Type", "application/json").unwrap();
        assert_eq!(request.headers.len(), 3);
        assert_eq!(request.headers[CONTENT_TYPE], "application/json");
        request.set_header("x-one", "3").unwrap();
        assert_eq!(request.headers.get_all("x-one").iter().collect::<Vec<_>>(), ["3"]);
    }

    #[test]
    fn headers_that_the_connection_makes_or_cannot_send_are_refused() {
        let mut request = request();
        for (name, value, expected) in [
            ("Host", "other.example", HeaderError::Reserved("Host".to_owned())),
            ("transfer-encoding", "chunked", HeaderError::Reserved("transfer-encoding".to_owned())),
            ("a b", "c", HeaderError::Name("a b".to_owned())),
            ("", "c", HeaderError::Name(String::new())),
            ("a", "b\r\nc: d", HeaderError::Value("a".to_owned())),
        ] {
            assert_eq!(request.add_header(name, value), Err(expected));
        }
        assert!(request.headers.is_empty());
    }

    #[test]
    fn headers_are_bounded_in_number_and_size() {
        let mut many = request();
        let added = (0..40_000).take_while(|number| many.add_header(&format!("x{number}"), "v").is_ok());
        assert_eq!(added.count(), MOST_HEADERS);
        let mut same = request();
        let added = (0..40_000).take_while(|_| same.add_header("x", "v").is_ok());
        assert_eq!(added.count(), MOST_HEADERS);
        let mut long = request();
        assert_eq!(long.add_header("x", &"v".repeat(LONGEST_HEADERS)), Err(HeaderError::TooMany));
        long.add_header("x", &"v".repeat(LONGEST_HEADERS / 2)).unwrap();
        assert_eq!(long.add_header("y", &"v".repeat(LONGEST_HEADERS / 2)), Err(HeaderError::TooMany));
    }

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
