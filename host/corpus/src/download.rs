//! Downloads a file over HTTP: whole, or not under its name.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rally_support::disk;
use rally_support::loopback::is_loopback;
use ureq::Agent;
use ureq::http::{HeaderMap, Response, StatusCode, header};

use super::checksum::sha256_of;
use super::document_file::{check_space, with_suffix};
use super::download_exchange::{Exchange, ExchangeError};
use super::download_part::{Origin, PartFile};
use super::error::{DownloadError, PrepareError};
use super::mirrors::{Mirror, addresses};
use super::progress::{Phase, Progress};

const MAX_REDIRECTS: u32 = 10;

/// A download that got this much further made progress, so attempts are counted again from zero.
const PROGRESS_BYTES: u64 = 1 << 20;

/// Slower is as good as not at all.
const MIN_BYTES_PER_SECOND: u64 = 1024;

/// Attempts at an address that another one stands in for.
const MIRROR_ATTEMPTS: u32 = 2;

const MAX_DELAY: Duration = Duration::from_secs(30);

/// How patient a download is, and where else the files are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DownloadOptions {
    /// Attempts without progress before it gives up (at least 1).
    pub attempts: u32,
    /// Pause before the second attempt; doubled each time, at most 30 s.
    pub first_delay: Duration,
    /// How long a server may be silent, or slower than 1 KiB/s.
    pub idle_timeout: Duration,
    /// How long making a connection may take.
    pub connect_timeout: Duration,
    /// Servers that are asked before that of the track. What they lack comes from there.
    pub mirrors: Vec<Mirror>,
}

impl Default for DownloadOptions {
    fn default() -> DownloadOptions {
        DownloadOptions {
            attempts: 5,
            first_delay: Duration::from_secs(1),
            idle_timeout: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(30),
            mirrors: Vec::new(),
        }
    }
}

/// A file to download.
#[derive(Clone, Copy)]
pub(super) struct Download<'a> {
    /// Where the track says that it is.
    pub(super) url: &'a str,
    pub(super) target: &'a Path,
    /// Declared size in bytes.
    pub(super) expected: Option<u64>,
    /// Declared checksum.
    pub(super) sha256: Option<&'a str>,
    /// Whether the file is an archive, which a server may call encoded.
    pub(super) is_archive: bool,
    pub(super) options: &'a DownloadOptions,
    pub(super) progress: &'a dyn Progress,
}

/// Why an attempt failed.
enum Failure {
    /// Another attempt would end the same way.
    Final(PrepareError),
    /// Another attempt may succeed; what is there is good.
    Passing { reason: String, source: Option<Box<dyn std::error::Error + Send + Sync>> },
}

impl Download<'_> {
    /// Downloads the file from the first server that has it right: a mirror, or that of the track.
    pub(super) fn run(&self) -> Result<(), PrepareError> {
        let addresses = addresses(self.url, &self.options.mirrors);
        let (last, mirrors) = addresses.split_last().map_or((self.url, &[][..]), |(url, rest)| (url, rest));
        for url in mirrors {
            let mirror = Download { url, ..*self };
            match mirror.run_at_its_address(self.options.attempts.min(MIRROR_ATTEMPTS)) {
                // Reasons of this machine are no better elsewhere.
                Err(PrepareError::Download { source, .. }) => {
                    let url = mirror.shown_url();
                    tracing::warn!(url, error = %source, "mirror not used");
                    self.progress.retrying(&format!("cannot use the mirror '{url}': {source}"));
                }
                result => return result,
            }
        }
        Download { url: last, ..*self }.run_at_its_address(self.options.attempts)
    }

    /// Downloads the file from its address, going on where an earlier attempt ended if the server's file is still the same.
    fn run_at_its_address(&self, attempts: u32) -> Result<(), PrepareError> {
        if let Some(scheme) = ["s3", "gs"]
            .iter()
            .find(|scheme| self.url.strip_prefix(**scheme).is_some_and(|rest| rest.starts_with("://")))
        {
            return Err(self.error(DownloadError::UnsupportedScheme { scheme: (*scheme).to_owned() }));
        }
        if !["http://", "https://"].iter().any(|scheme| self.url.starts_with(scheme)) {
            let reason = "it must begin with http:// or https://".to_owned();
            return Err(self.error(DownloadError::InvalidUrl { reason }));
        }
        self.progress.report(Phase::Downloading, 0, self.expected);
        let agent = self.agent();
        let mut part = PartFile::open(self.target, self.url)
            .map_err(|e| PrepareError::io("open", &with_suffix(self.target, ".part"), e))?;
        let other_size =
            part.origin().is_some_and(|o| self.expected.is_some_and(|expected| expected != o.total));
        if other_size {
            part.restart(None).map_err(|e| PrepareError::io("write", self.target, e))?;
        }
        let mut failures = 0;
        let mut furthest = part.length();
        loop {
            match self.attempt(&agent, &mut part) {
                Ok(()) => {
                    if let Err(error) = self.check_sha256(part.path()) {
                        part.give_up(matches!(error, PrepareError::Cancelled));
                        return Err(error);
                    }
                    return part.finish().map_err(|e| PrepareError::io("write", self.target, e));
                }
                Err(Failure::Final(error)) => {
                    part.give_up(keeps_part(&error));
                    return Err(error);
                }
                Err(Failure::Passing { reason, source }) => {
                    if part.length() >= furthest + PROGRESS_BYTES {
                        failures = 0;
                    }
                    furthest = furthest.max(part.length());
                    failures += 1;
                    if failures >= attempts {
                        part.give_up(true);
                        let attempts = failures;
                        return Err(self.error(DownloadError::Unreachable { reason, attempts, source }));
                    }
                    tracing::warn!(url = self.shown_url(), %reason, "download failed, trying again");
                    self.progress.retrying(&reason);
                    if !self.pause(failures) {
                        part.give_up(true);
                        return Err(PrepareError::Cancelled);
                    }
                }
            }
        }
    }

    fn check_sha256(&self, part: &Path) -> Result<(), PrepareError> {
        let Some(expected) = self.sha256 else { return Ok(()) };
        let actual = sha256_of(part, self.progress)?;
        if actual.eq_ignore_ascii_case(expected) {
            return Ok(());
        }
        let expected = expected.to_ascii_lowercase();
        Err(self.error(DownloadError::WrongSha256 { expected, actual }))
    }

    fn agent(&self) -> Agent {
        let mut config = Agent::config_builder();
        let host = self.url.parse::<ureq::http::Uri>().ok();
        if host.as_ref().and_then(|url| url.host()).is_some_and(is_loopback) {
            // A proxy (HTTP_PROXY and the like) would look for the data on its own machine.
            config = config.proxy(None);
        }
        config
            .http_status_as_error(false)
            .max_redirects(MAX_REDIRECTS)
            .timeout_connect(Some(self.options.connect_timeout))
            .timeout_resolve(Some(self.options.connect_timeout))
            .timeout_per_read(Some(self.options.idle_timeout))
            .timeout_per_write(Some(self.options.idle_timeout))
            .timeout_recv_response(Some(self.options.idle_timeout))
            .accept_encoding("identity")
            .user_agent(concat!("rally/", env!("CARGO_PKG_VERSION")))
            .max_idle_connections(0)
            .build()
            .new_agent()
    }

    fn attempt(&self, agent: &Agent, part: &mut PartFile) -> Result<(), Failure> {
        if part.origin().is_some_and(|origin| origin.total == part.length()) {
            return self.check_size(part.length(), true);
        }
        let mut request = agent.get(self.url);
        let resumed = part.origin().cloned();
        if let Some(origin) = &resumed {
            request = request
                .header(header::RANGE, format!("bytes={}-", part.length()))
                .header(header::IF_RANGE, &origin.validator);
        }
        let mut exchange = Exchange::start(request)
            .map_err(|error| Failure::Final(PrepareError::io("download", self.target, error)))?;
        let response = exchange.head(self.progress).map_err(|error| self.exchange_failed(error, part))?;
        let status = response.status();
        let total = match (status, &resumed) {
            (StatusCode::OK, _) => {
                self.check_content(&response)?;
                let total = content_length(&response);
                self.check_total(total)?;
                let origin = origin(self.url, response.headers(), total);
                part.restart(origin).map_err(|e| self.write_failed(part, e))?;
                total
            }
            (StatusCode::PARTIAL_CONTENT, Some(origin)) => {
                if !continues(&response, origin, part.length()) {
                    part.restart(None).map_err(|e| self.write_failed(part, e))?;
                    return Err(passing("the server sent another part than was asked for"));
                }
                self.check_content(&response)?;
                Some(origin.total)
            }
            (StatusCode::RANGE_NOT_SATISFIABLE, Some(_)) => {
                part.restart(None).map_err(|e| self.write_failed(part, e))?;
                return Err(passing("the server's file has changed"));
            }
            (StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS, _) => {
                return Err(passing(format!("the server answered {status}")));
            }
            _ if status.is_server_error() => {
                return Err(passing(format!("the server answered {status}")));
            }
            _ => return Err(self.failure(DownloadError::Status { status: status.as_u16() })),
        };
        self.receive(exchange, part, total)
    }

    /// Appends the body to the part until the file is whole.
    fn receive(
        &self,
        mut exchange: Exchange,
        part: &mut PartFile,
        total: Option<u64>,
    ) -> Result<(), Failure> {
        let folder = self.target.parent().unwrap_or(Path::new("."));
        let available = disk::free_space(folder)
            .map_err(|e| Failure::Final(PrepareError::io("find out the free space of", folder, e)))?;
        let expected = self.expected.or(total);
        if let Some(expected) = expected {
            let needed = expected.saturating_sub(part.length());
            check_space(self.target, needed, available).map_err(Failure::Final)?;
        }
        // Nobody says how much will come: leave something of the disk.
        let limit = expected.unwrap_or(part.length() + (available - available / 20));

        let mut window = (Instant::now(), 0);
        while let Some(piece) =
            exchange.piece(self.progress).map_err(|error| self.exchange_failed(error, part))?
        {
            if part.length() + piece.len() as u64 > limit {
                return Err(self.failure(DownloadError::Endless { limit }));
            }
            part.append(&piece).map_err(|e| self.write_failed(part, e))?;
            self.progress.report(Phase::Downloading, part.length(), expected);
            window.1 += piece.len() as u64;
            let elapsed = window.0.elapsed();
            if elapsed >= self.options.idle_timeout {
                if window.1 < MIN_BYTES_PER_SECOND * elapsed.as_secs() {
                    return Err(passing(format!("the server sent only {} bytes in {elapsed:.0?}", window.1)));
                }
                window = (Instant::now(), 0);
            }
        }
        match total {
            Some(total) if part.length() < total => {
                Err(passing(format!("the connection was closed after {} of {total} bytes", part.length())))
            }
            _ => self.check_size(part.length(), total.is_some()),
        }
    }

    /// A page of a proxy or a login instead of data, or data that would have to be decoded.
    fn check_content(&self, response: &Response<()>) -> Result<(), Failure> {
        let content_type = text(response.headers(), header::CONTENT_TYPE).unwrap_or_default();
        let kind = content_type.to_ascii_lowercase();
        if kind.starts_with("text/html") || kind.starts_with("application/xhtml") {
            return Err(self.failure(DownloadError::WebPage { content_type: content_type.to_owned() }));
        }
        // Object stores call a stored .gz file an encoded one; its bytes are the file all the same.
        let encoding = text(response.headers(), header::CONTENT_ENCODING).unwrap_or("identity");
        if !self.is_archive && !encoding.eq_ignore_ascii_case("identity") {
            return Err(self.failure(DownloadError::ContentEncoding { encoding: encoding.to_owned() }));
        }
        Ok(())
    }

    /// Refuses a file of another size before its first byte.
    fn check_total(&self, total: Option<u64>) -> Result<(), Failure> {
        match (self.expected, total) {
            (Some(expected), Some(actual)) if expected != actual => {
                Err(self.failure(DownloadError::WrongSize { expected, actual }))
            }
            _ => Ok(()),
        }
    }

    /// `announced`: the server announced the size, so a shorter file does not come from missing bytes.
    fn check_size(&self, actual: u64, announced: bool) -> Result<(), Failure> {
        match self.expected {
            Some(expected) if expected > actual && !announced => {
                Err(passing(format!("the server sent {actual} bytes but {expected} bytes are expected")))
            }
            Some(expected) if expected != actual => {
                Err(self.failure(DownloadError::WrongSize { expected, actual }))
            }
            _ => Ok(()),
        }
    }

    fn exchange_failed(&self, error: ExchangeError, part: &PartFile) -> Failure {
        match error {
            ExchangeError::Cancelled => Failure::Final(PrepareError::Cancelled),
            ExchangeError::Request(error) => self.request_failed(*error),
            ExchangeError::Body(error) => Failure::Passing {
                reason: format!("the connection broke off after {} bytes: {error}", part.length()),
                source: Some(Box::new(error)),
            },
        }
    }

    fn request_failed(&self, error: ureq::Error) -> Failure {
        use ureq::Error;
        match error {
            Error::TooManyRedirects => self.failure(DownloadError::TooManyRedirects { limit: MAX_REDIRECTS }),
            Error::BadUri(reason) => self.failure(DownloadError::InvalidUrl { reason }),
            Error::Http(error) => self.failure(DownloadError::InvalidUrl { reason: error.to_string() }),
            // Neither a name nor a certificate appears by asking again.
            Error::HostNotFound | Error::Tls(_) | Error::Rustls(_) => {
                self.failure(DownloadError::Unreachable {
                    reason: error.to_string(),
                    attempts: 1,
                    source: Some(Box::new(error)),
                })
            }
            error => Failure::Passing {
                reason: format!("the request failed: {error}"),
                source: Some(Box::new(error)),
            },
        }
    }

    fn write_failed(&self, part: &PartFile, error: std::io::Error) -> Failure {
        Failure::Final(PrepareError::io("write", part.path(), error))
    }

    fn failure(&self, error: DownloadError) -> Failure {
        Failure::Final(self.error(error))
    }

    fn error(&self, source: DownloadError) -> PrepareError {
        PrepareError::Download {
            url: self.shown_url(),
            path: self.target.to_owned(),
            source: Box::new(source),
        }
    }

    fn shown_url(&self) -> String {
        without_password(self.url)
    }

    /// Waits before the next attempt; false if the user gave up meanwhile.
    fn pause(&self, failures: u32) -> bool {
        let doublings = (failures - 1).min(10);
        let delay = self.options.first_delay.saturating_mul(1 << doublings).min(MAX_DELAY);
        let until = Instant::now() + delay;
        loop {
            if self.progress.is_cancelled() {
                return false;
            }
            match until.checked_duration_since(Instant::now()) {
                Some(left) if !left.is_zero() => thread::sleep(left.min(Duration::from_millis(50))),
                _ => return true,
            }
        }
    }
}

/// An address without the password that it may hold.
pub(super) fn without_password(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let authority = rest.find('/').unwrap_or(rest.len());
            match rest[..authority].rfind('@') {
                Some(end) => format!("{scheme}://…{}", &rest[end..]),
                None => url.to_owned(),
            }
        }
        None => url.to_owned(),
    }
}

/// What was received stays where going on with it can help: not if the server's file is the wrong one, and not if
/// the disk is full.
fn keeps_part(error: &PrepareError) -> bool {
    match error {
        PrepareError::Cancelled => true,
        PrepareError::Download { source, .. } => matches!(**source, DownloadError::Unreachable { .. }),
        _ => false,
    }
}

fn passing(reason: impl Into<String>) -> Failure {
    Failure::Passing { reason: reason.into(), source: None }
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn content_length(response: &Response<()>) -> Option<u64> {
    text(response.headers(), header::CONTENT_LENGTH)?.trim().parse().ok()
}

/// What identifies the file, if it can be resumed: a weak entity tag says nothing about single bytes.
fn origin(url: &str, headers: &HeaderMap, total: Option<u64>) -> Option<Origin> {
    let tag = text(headers, header::ETAG).filter(|tag| tag.starts_with('"'));
    let validator = tag.or_else(|| text(headers, header::LAST_MODIFIED))?;
    Some(Origin { url: url.to_owned(), validator: validator.to_owned(), total: total? })
}

/// Whether a partial answer continues the part: the right place of the right file.
fn continues(response: &Response<()>, origin: &Origin, length: u64) -> bool {
    let headers = response.headers();
    let validator = if origin.validator.starts_with('"') { header::ETAG } else { header::LAST_MODIFIED };
    if text(headers, validator).is_some_and(|validator| validator != origin.validator) {
        return false;
    }
    let range = text(headers, header::CONTENT_RANGE).and_then(|range| range.strip_prefix("bytes "));
    let Some((range, total)) = range.and_then(|range| range.split_once('/')) else { return false };
    let Some((first, last)) = range.split_once('-') else { return false };
    let same = first.parse() == Ok(length) && last.parse() == Ok(origin.total - 1);
    same && total.parse() == Ok(origin.total)
}
