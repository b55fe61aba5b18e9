//! Git over HTTP with the client that rally downloads data with: one TLS stack, one rule for proxies.

use std::any::Any;
use std::io::{self, BufRead, BufReader, Cursor, Read, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gix::error::{ErrorExt, Result};
use gix_transport::client::AuthenticationRequired;
use gix_transport::client::blocking_io::http::{GetResponse, Http, PostBodyDataKind, PostResponse};
use rally_support::loopback::is_loopback;
use ureq::http::{Response, StatusCode, header};
use ureq::tls::{PemItem, RootCerts, TlsConfig};
use ureq::{Agent, Body, ResponseExt};

const MAX_REDIRECTS: u32 = 5;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// A server that puts a large pack together sends a sign of life every few seconds.
const SILENCE: Duration = Duration::from_secs(120);

/// Sends the requests of a git conversation.
pub(crate) struct HttpClient {
    agent: Agent,
    /// Where the first request was redirected to; all others go there at once.
    redirected: Option<String>,
}

impl HttpClient {
    /// For a repository at `url`. `authorities`: a PEM file with the certificates to believe instead of the usual ones
    /// (git's `http.sslCAInfo`); `proxy`: git's `http.proxy`.
    pub(crate) fn new(
        url: &gix::Url,
        authorities: Option<&Path>,
        proxy: Option<&str>,
    ) -> io::Result<HttpClient> {
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(MAX_REDIRECTS)
            // A redirection must not lead out of TLS.
            .https_only(url.scheme == gix::url::Scheme::Https)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_resolve(Some(CONNECT_TIMEOUT))
            .timeout_per_read(Some(SILENCE))
            .timeout_per_write(Some(SILENCE))
            .timeout_recv_response(Some(SILENCE))
            .accept_encoding("identity");
        if url.host().is_some_and(is_loopback) {
            // A proxy would look for the repository on its own machine.
            config = config.proxy(None);
        } else if let Some(proxy) = proxy.filter(|proxy| !proxy.is_empty()) {
            let proxy = ureq::Proxy::new(proxy).map_err(io::Error::other)?;
            config = config.proxy(Some(proxy));
        }
        if let Some(path) = authorities {
            let pem = std::fs::read(path)?;
            let mut certificates = Vec::new();
            for item in ureq::tls::parse_pem(&pem) {
                if let PemItem::Certificate(certificate) = item.map_err(io::Error::other)? {
                    certificates.push(certificate);
                }
            }
            let roots = RootCerts::new_with_certs(&certificates);
            config = config.tls_config(TlsConfig::builder().root_certs(roots).build());
        }
        Ok(HttpClient { agent: config.build().new_agent(), redirected: None })
    }

    /// The address to ask instead of `url`, which begins with `base`.
    fn effective(&self, url: &str, base: &str) -> String {
        match (&self.redirected, url.strip_prefix(base)) {
            (Some(redirected), Some(tail)) => format!("{redirected}{tail}"),
            _ => url.to_owned(),
        }
    }
}

impl Http for HttpClient {
    type Headers = Headers;
    type ResponseBody = BufReader<ResponseBody>;
    type PostBody = PostBody;

    fn get(
        &mut self,
        url: &str,
        base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<GetResponse<Self::Headers, Self::ResponseBody>> {
        let asked = self.effective(url, base_url);
        let mut request = self.agent.get(&asked);
        for (name, value) in split(headers) {
            request = request.header(name, value);
        }
        let response = request.call().map_err(|error| error.raise())?;
        let answered = response.get_uri().to_string();
        if answered != asked {
            let tail = url.strip_prefix(base_url).unwrap_or_default();
            let base = answered.strip_suffix(tail).ok_or_else(|| {
                io::Error::other(format!("the server redirects to '{answered}', which is not a repository"))
                    .raise()
            })?;
            self.redirected = Some(base.to_owned());
        }
        let (headers, body): (_, Box<dyn Read + Send>) = match accepted(response) {
            Ok(response) => (Ok(lines(&response)), Box::new(response.into_body().into_reader())),
            Err(error) => (Err(error), Box::new(io::empty())),
        };
        let (headers, body) = (Headers::new(headers), ResponseBody::Received(body));
        Ok(GetResponse { headers, body: BufReader::new(body) })
    }

    fn post(
        &mut self,
        url: &str,
        base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
        _body: PostBodyDataKind,
    ) -> Result<PostResponse<Self::Headers, Self::ResponseBody, Self::PostBody>> {
        let sent = Arc::new(Mutex::new(Vec::new()));
        let body = ResponseBody::Pending(Some(Box::new(Pending {
            agent: self.agent.clone(),
            url: self.effective(url, base_url),
            headers: split(headers).collect(),
            body: Arc::clone(&sent),
        })));
        // What the answer is, is checked when it comes: nothing is sent before the body is complete.
        let content_type = url.rsplit('/').next().unwrap_or_default();
        let headers = format!("content-type: application/x-{content_type}-result\n");
        Ok(PostResponse {
            post_body: PostBody { sent },
            headers: Headers::new(Ok(headers.into_bytes())),
            body: BufReader::new(body),
        })
    }

    fn configure(&mut self, _config: &dyn Any) -> Result {
        Ok(())
    }

    fn redirected_base_url(&self) -> Option<String> {
        self.redirected.clone()
    }
}

/// The headers of an answer, line by line, or why there are none: only from an error of reading gix learns that it should
/// ask for credentials.
pub(crate) struct Headers {
    error: Option<io::Error>,
    text: Cursor<Vec<u8>>,
}

impl Headers {
    fn new(text: io::Result<Vec<u8>>) -> Headers {
        match text {
            Ok(text) => Headers { error: None, text: Cursor::new(text) },
            Err(error) => Headers { error: Some(error), text: Cursor::default() },
        }
    }
}

impl Read for Headers {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.error.take().map_or_else(|| self.text.read(buffer), Err)
    }
}

impl BufRead for Headers {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match self.error.take() {
            Some(error) => Err(error),
            None => self.text.fill_buf(),
        }
    }

    fn consume(&mut self, amount: usize) {
        self.text.consume(amount);
    }
}

/// What is written goes into the request that is sent when its answer is first read. Requests of a fetch are small: they
/// name commits.
pub(crate) struct PostBody {
    sent: Arc<Mutex<Vec<u8>>>,
}

impl Write for PostBody {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A request whose body is not complete yet.
pub(crate) struct Pending {
    agent: Agent,
    url: String,
    headers: Vec<(String, String)>,
    body: Arc<Mutex<Vec<u8>>>,
}

impl Pending {
    fn send(self) -> io::Result<Box<dyn Read + Send>> {
        let body = std::mem::take(&mut *self.body.lock().unwrap_or_else(PoisonError::into_inner));
        let mut request = self.agent.post(&self.url).config().max_redirects(0).build();
        let mut wanted = None;
        for (name, value) in self.headers {
            if name.eq_ignore_ascii_case("accept") {
                wanted = Some(value.clone());
            }
            request = request.header(name, value);
        }
        let response = accepted(request.send(&body[..]).map_err(io::Error::other)?)?;
        let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        if kind.map(str::trim) != wanted.as_deref() {
            let kind = kind.unwrap_or("nothing");
            return Err(io::Error::other(format!(
                "the server answered with the content type '{kind}', which git does not use"
            )));
        }
        Ok(Box::new(response.into_body().into_reader()))
    }
}

/// The body of an answer; asks for it when it is first read.
pub(crate) enum ResponseBody {
    Pending(Option<Box<Pending>>),
    Received(Box<dyn Read + Send>),
}

impl Read for ResponseBody {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let ResponseBody::Pending(pending) = self {
            let Some(pending) = pending.take() else { return Ok(0) };
            *self = ResponseBody::Received(pending.send()?);
        }
        match self {
            ResponseBody::Received(body) => body.read(buffer),
            ResponseBody::Pending(_) => Ok(0),
        }
    }
}

/// Turns failed answers into the errors that gix expects: a 401 makes it ask for credentials.
fn accepted(response: Response<Body>) -> io::Result<Response<Body>> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    if status == StatusCode::UNAUTHORIZED {
        let challenges = response.headers().get_all(header::WWW_AUTHENTICATE);
        let www_authenticate = challenges.iter().map(|value| value.as_bytes().into()).collect();
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            AuthenticationRequired { www_authenticate },
        ));
    }
    let kind = if status.is_server_error() { io::ErrorKind::ConnectionAborted } else { io::ErrorKind::Other };
    Err(io::Error::new(kind, format!("the server answered {status}")))
}

/// `Name: value` as gix has headers.
fn split(headers: impl IntoIterator<Item = impl AsRef<str>>) -> impl Iterator<Item = (String, String)> {
    headers.into_iter().filter_map(|header| {
        let (name, value) = header.as_ref().split_once(':')?;
        Some((name.trim().to_owned(), value.trim().to_owned()))
    })
}

/// The headers of an answer as gix reads them.
fn lines(response: &Response<Body>) -> Vec<u8> {
    let mut text = Vec::new();
    for (name, value) in response.headers() {
        text.extend_from_slice(name.as_str().as_bytes());
        text.extend_from_slice(b": ");
        text.extend_from_slice(value.as_bytes());
        text.push(b'\n');
    }
    text
}
