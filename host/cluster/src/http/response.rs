//! What an answer says before its body: status, how its body ends, and whether the connection lives on.

use std::mem::MaybeUninit;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};

/// Most headers of an answer.
const MAX_HEADERS: usize = 100;

/// Longest head of an answer. Elasticsearch itself limits heads to 8 to 16 KiB; warnings about deprecated parts of a
/// request add up in answers.
pub const MAX_HEAD: usize = 128 * 1024;

/// How the body of an answer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyEnd {
    /// After this many bytes.
    Length(u64),
    /// With the last chunk.
    Chunks,
    /// With the connection.
    Close,
}

/// The head of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResponseHead {
    /// Status.
    pub status: StatusCode,
    /// How the body ends.
    pub end: BodyEnd,
    /// Whether another request may follow on the connection.
    pub keep_alive: bool,
    /// Length of the head in bytes.
    pub length: usize,
}

/// A head that breaks the rules of HTTP/1.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeadError {
    /// Too many headers or bytes.
    #[error("the head is too large")]
    TooLarge,
    /// Not a status line and headers.
    #[error("{0}")]
    Syntax(httparse::Error),
    /// A status outside 100 to 999.
    #[error("invalid status {0}")]
    Status(u16),
    /// A length that is no number, or two lengths that differ.
    #[error("invalid content-length")]
    ContentLength,
    /// HTTP/1.0 has no transfer encodings.
    #[error("transfer-encoding in an answer of HTTP/1.0")]
    TransferEncoding,
    /// The target leaves HTTP although the request does not ask for it.
    #[error("the target switches protocols without being asked")]
    SwitchesProtocols,
}

/// Reads the head at the beginning of `bytes`; `None` until it is complete.
///
/// # Errors
/// Where the bytes cannot become a head, or where it is too large.
pub fn parse_head(bytes: &[u8], method: &Method) -> Result<Option<ResponseHead>, HeadError> {
    let mut headers = [const { MaybeUninit::uninit() }; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut []);
    let parsed = httparse::ParserConfig::default().parse_response_with_uninit_headers(
        &mut response,
        bytes,
        &mut headers,
    );
    let length = match parsed {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) if bytes.len() >= MAX_HEAD => return Err(HeadError::TooLarge),
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(HeadError::TooLarge),
        Err(error) => return Err(HeadError::Syntax(error)),
    };
    if length > MAX_HEAD {
        return Err(HeadError::TooLarge);
    }
    let code = response.code.unwrap_or_default();
    let status = StatusCode::from_u16(code).map_err(|_| HeadError::Status(code))?;
    let modern = response.version == Some(1);

    // A length that is not asked for may be wrong.
    let mut content_length: Option<Result<u64, HeadError>> = None;
    let mut encoded = None;
    let mut keep_alive = modern;
    for header in response.headers.iter() {
        // Four lengths among the names that matter: most headers cost one comparison.
        match header.name.len() {
            14 if header.name.eq_ignore_ascii_case("content-length") => {
                content_length = Some(merge_length(content_length, header.value));
            }
            17 if header.name.eq_ignore_ascii_case("transfer-encoding") => {
                encoded = Some(ends_with_chunked(header.value));
            }
            10 if header.name.eq_ignore_ascii_case("connection") => {
                keep_alive = keeps_alive(header.value, keep_alive);
            }
            _ => {}
        }
    }
    let end = match (status.as_u16(), encoded, content_length) {
        (101, _, _) => return Err(HeadError::SwitchesProtocols),
        // Interim answers, no content and not modified have no body, whatever their headers say.
        (100..200 | 204 | 304, _, _) => BodyEnd::Length(0),
        _ if method == Method::HEAD => BodyEnd::Length(0),
        (_, Some(_), _) if !modern => return Err(HeadError::TransferEncoding),
        (_, Some(true), _) => BodyEnd::Chunks,
        (_, None, Some(length)) => BodyEnd::Length(length?),
        _ => BodyEnd::Close,
    };
    Ok(Some(ResponseHead { status, end, keep_alive: keep_alive && end != BodyEnd::Close, length }))
}

/// The headers of a head that [`parse_head`] has accepted. Headers whose names `http` does not know how to hold are left out.
pub fn headers_of(head: &[u8]) -> HeaderMap {
    let mut parsed = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut parsed);
    let mut headers = HeaderMap::new();
    if response.parse(head).is_err() {
        return headers;
    }
    for header in response.headers.iter() {
        let name = HeaderName::from_bytes(header.name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(header.value)) {
            headers.append(name, value);
        }
    }
    headers
}

/// The one length that all values name.
fn merge_length(known: Option<Result<u64, HeadError>>, value: &[u8]) -> Result<u64, HeadError> {
    let mut length = known.transpose()?;
    for part in value.split(|&byte| byte == b',') {
        let part = part.trim_ascii();
        if part.is_empty() || !part.iter().all(u8::is_ascii_digit) {
            return Err(HeadError::ContentLength);
        }
        let number = std::str::from_utf8(part).ok().and_then(|digits| digits.parse().ok());
        match (number, length) {
            (Some(number), None) => length = Some(number),
            (Some(number), Some(before)) if number == before => {}
            _ => return Err(HeadError::ContentLength),
        }
    }
    length.ok_or(HeadError::ContentLength)
}

/// Whether the last transfer encoding is `chunked`.
fn ends_with_chunked(value: &[u8]) -> bool {
    value
        .rsplit(|&byte| byte == b',')
        .next()
        .is_some_and(|last| last.trim_ascii().eq_ignore_ascii_case(b"chunked"))
}

fn keeps_alive(value: &[u8], before: bool) -> bool {
    let mut keep = before;
    for token in value.split(|&byte| byte == b',') {
        let token = token.trim_ascii();
        if token.eq_ignore_ascii_case(b"close") {
            return false;
        }
        keep |= token.eq_ignore_ascii_case(b"keep-alive");
    }
    keep
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &str) -> Result<Option<ResponseHead>, HeadError> {
        parse_head(text.as_bytes(), &Method::POST)
    }

    fn end(text: &str) -> BodyEnd {
        head(text).unwrap().unwrap().end
    }

    #[test]
    fn a_head_is_awaited_until_it_is_complete() {
        let text = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n";
        for cut in 0..text.len() {
            assert_eq!(head(&text[..cut]), Ok(None), "{cut}");
        }
        let whole = head(&format!("{text}hello")).unwrap().unwrap();
        assert_eq!((whole.length, whole.end, whole.keep_alive), (text.len(), BodyEnd::Length(5), true));
    }

    #[test]
    fn lengths_that_agree_are_one_length_and_others_an_error() {
        assert_eq!(
            end("HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\ncontent-length: 5\r\n\r\n"),
            BodyEnd::Length(5)
        );
        for lengths in ["5, 6", "", "-1", "+5", "0x5", "99999999999999999999999"] {
            let text = format!("HTTP/1.1 200 OK\r\ncontent-length: {lengths}\r\n\r\n");
            assert_eq!(head(&text), Err(HeadError::ContentLength), "{lengths}");
        }
    }

    #[test]
    fn chunks_win_over_a_length_and_other_encodings_end_with_the_connection() {
        assert_eq!(
            end("HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, Chunked\r\ncontent-length: 5\r\n\r\n"),
            BodyEnd::Chunks
        );
        assert_eq!(
            end("HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\ncontent-length: 5\r\n\r\n"),
            BodyEnd::Close
        );
        assert_eq!(
            head("HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"),
            Err(HeadError::TransferEncoding)
        );
    }

    #[test]
    fn answers_without_a_body_have_none_whatever_they_say() {
        for status in ["100 Continue", "204 No Content", "304 Not Modified"] {
            assert_eq!(end(&format!("HTTP/1.1 {status}\r\ncontent-length: 5\r\n\r\n")), BodyEnd::Length(0));
        }
        let text = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n";
        assert_eq!(parse_head(text, &Method::HEAD).unwrap().unwrap().end, BodyEnd::Length(0));
        assert_eq!(head("HTTP/1.1 101 Switching\r\n\r\n"), Err(HeadError::SwitchesProtocols));
    }

    #[test]
    fn a_connection_lives_on_as_its_version_and_header_say() {
        let lives = |version: &str, header: &str| {
            let text = format!("HTTP/{version} 200 OK\r\n{header}content-length: 0\r\n\r\n");
            head(&text).unwrap().unwrap().keep_alive
        };
        assert!(lives("1.1", "") && lives("1.0", "Connection: Keep-Alive\r\n"));
        assert!(!lives("1.0", "") && !lives("1.1", "connection: foo, Close\r\n"));
    }

    #[test]
    fn heads_that_are_too_large_are_refused() {
        let many: String = (0..101).map(|number| format!("x{number}: y\r\n")).collect();
        assert_eq!(head(&format!("HTTP/1.1 200 OK\r\n{many}\r\n")), Err(HeadError::TooLarge));
        let long = format!("HTTP/1.1 200 OK\r\nx: {}", "y".repeat(MAX_HEAD));
        assert_eq!(head(&long), Err(HeadError::TooLarge));
    }

    #[test]
    fn headers_are_read_when_they_are_asked_for() {
        let headers = headers_of(b"HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a: 2\r\n\r\n");
        let values: Vec<_> = headers.get_all("x-a").iter().collect();
        assert_eq!(values, ["1", "2"]);
    }
}
