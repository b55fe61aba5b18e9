//! Errors of the preparation: what is wrong with which file, and what to do.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use rally_support::printable;

/// Why a data set could not be prepared. Nothing half-written is left under a final name.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrepareError {
    /// The name in the track cannot be used as a file name below a data directory.
    #[error("'{name}' cannot be used as a documents file: {reason}{}", invisible(name))]
    InvalidName {
        /// The name as the track has it.
        name: String,
        /// The problem with it.
        reason: &'static str,
    },
    /// The declared checksum is malformed.
    #[error("the sha256 of '{name}' must be 64 hexadecimal digits but is {sha256}. Correct the track.")]
    InvalidSha256 {
        /// The file as the track names it.
        name: String,
        /// What the track declares.
        sha256: String,
    },
    /// A file of a track's folder is linked from elsewhere.
    #[error(
        "'{}' leads out of '{}', to '{}': a track may use only files in its own folder. Copy the file there.",
        path.display(), folder.display(), target.display()
    )]
    OutsideFolder {
        /// The link, or a file below it.
        path: PathBuf,
        /// Where it leads.
        target: PathBuf,
        /// The folder that it must not leave.
        folder: PathBuf,
    },
    /// The name ends like an archive of a kind that rally does not read.
    #[error(
        "'{name}' is not supported: rally reads .zip, .bz2, .gz, .zst, .tar, .tar.gz, .tgz, .tar.bz2 and plain JSON, \
         but not {extension}. Pack the documents in one of these formats."
    )]
    UnsupportedFormat {
        /// The name as the track has it.
        name: String,
        /// Its extension, with the dot.
        extension: String,
    },
    /// Neither the document nor its archive is there, and it may or can not be downloaded.
    #[error(
        "cannot find {}.{}{}\n{}",
        shown_names(names), names.first().map_or_else(String::new, |name| invisible(name)),
        looked_at(looked_in, rejected), remedy(*offline)
    )]
    NotFound {
        /// The file names that would do.
        names: Vec<String>,
        /// Directories that were searched, in order.
        looked_in: Vec<PathBuf>,
        /// Files that have the name but were not usable, each with the reason.
        rejected: Vec<String>,
        /// Whether a download was forbidden (else the track names no base-url).
        offline: bool,
    },
    /// Test mode needs a small data set of its own, which this track lacks.
    #[error(
        "the track does not support test mode: it has no '{name}'. Ask the track author to add it or disable test \
         mode and retry."
    )]
    TestModeNotSupported {
        /// The file that test mode needs.
        name: String,
        /// The error that showed it, when the file was asked for on a server.
        #[source]
        source: Option<Box<DownloadError>>,
    },
    /// The archive has not the size that the track declares.
    #[error(
        "'{}' is corrupt: it has {actual} bytes but {expected} bytes are expected (compressed-bytes). Delete it \
         to have it downloaded again, or correct the track.",
        path.display()
    )]
    WrongArchiveSize {
        /// The archive.
        path: PathBuf,
        /// Bytes that the track declares.
        expected: u64,
        /// Bytes that the file has.
        actual: u64,
    },
    /// The file does not have the checksum that the track declares.
    #[error(
        "'{}' is corrupt: its sha256 is {actual} but {expected} is expected. Delete it to have it downloaded again, or \
         correct the track.",
        path.display()
    )]
    WrongSha256 {
        /// The archive, or the document if the track has no archive.
        path: PathBuf,
        /// The checksum that the track declares.
        expected: String,
        /// The checksum that the file has.
        actual: String,
    },
    /// The documents are there, but not the archive whose checksum is declared.
    #[error(
        "'{}' cannot be verified: the track declares the sha256 of '{archive}' that it was unpacked from, but that archive is missing. {}",
        path.display(), if *offline { OFFLINE } else { "Put it there." }
    )]
    Unverified {
        /// The document.
        path: PathBuf,
        /// Name of the archive.
        archive: String,
        /// Whether a download was forbidden (else the track names no base-url).
        offline: bool,
    },
    /// The document has not the size that the track declares.
    #[error(
        "the documents of '{}' have {actual} bytes, but the track declares {expected} (uncompressed-bytes). Correct the \
         track if the file is the right one, else replace the file.",
        path.display()
    )]
    WrongDocumentSize {
        /// The document, or the archive it comes from.
        path: PathBuf,
        /// Bytes that the track declares.
        expected: u64,
        /// Bytes that there are.
        actual: u64,
    },
    /// The document file has not as many lines as the declared number of documents needs.
    #[error(
        "data in '{}' are invalid: expected {expected} lines but got {actual}{}.",
        path.display(), per_document(*lines_per_document)
    )]
    WrongDocumentCount {
        /// The document file.
        path: PathBuf,
        /// Lines that document-count asks for.
        expected: u64,
        /// Lines that the file has.
        actual: u64,
        /// Lines of one document: 2 where each has an action-and-meta-data line of its own.
        lines_per_document: u64,
    },
    /// A file of pairs of lines has an odd number of them.
    #[error(
        "data in '{}' are invalid: {lines} lines cannot be cut into documents of {lines_per_document} lines each.",
        path.display()
    )]
    IncompleteDocument {
        /// The document file.
        path: PathBuf,
        /// Lines that the file has.
        lines: u64,
        /// Lines of one document.
        lines_per_document: u64,
    },
    /// The archive could not be unpacked.
    #[error("cannot unpack '{}': {source}", path.display())]
    Unpack {
        /// The archive.
        path: PathBuf,
        /// The problem with it.
        source: UnpackError,
    },
    /// The file could not be downloaded.
    #[error("cannot download '{url}' to '{}': {source}", path.display())]
    Download {
        /// Where it was to come from.
        url: String,
        /// Where it was to go.
        path: PathBuf,
        /// What went wrong.
        source: Box<DownloadError>,
    },
    /// The disk has no room for the file.
    #[error("no space for '{}'{}. Free some disk space, or set RALLY_HOME to a folder on another disk.", path.display(), room(*needed, *available))]
    DiskFull {
        /// The file that was being written; it is removed.
        path: PathBuf,
        /// Bytes that it needs, as far as known.
        needed: Option<u64>,
        /// Bytes that were free, if that was found out before writing.
        available: Option<u64>,
        /// The failed write, if it came to that.
        #[source]
        source: Option<io::Error>,
    },
    /// Reading or writing a local file failed.
    #[error("cannot {action} '{}': {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// [`Progress::is_cancelled`](super::Progress::is_cancelled) said so.
    #[error("the preparation of the data was cancelled")]
    Cancelled,
}

/// What is wrong with an archive.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnpackError {
    /// The archive ends too early.
    #[error(
        "it is truncated: it ends at byte {offset}, before its data do. Delete it to have it downloaded again."
    )]
    Truncated {
        /// Byte offset in the archive.
        offset: u64,
    },
    /// The archive's content is damaged.
    #[error("it is corrupt at byte {offset}: {reason}. Delete it to have it downloaded again.")]
    Corrupt {
        /// Byte offset in the archive at or after which the damage is.
        offset: u64,
        /// What the decoder found.
        reason: String,
    },
    /// A frame of a zstd archive asks for more memory than it may have.
    #[error(
        "the zstd frame at byte {offset} needs a window of {needed} bytes of memory, and {limit} bytes are all that is \
         allowed. Pack the documents again with a smaller window (zstd without --long, or with --long=27)."
    )]
    WindowTooLarge {
        /// Byte offset in the archive.
        offset: u64,
        /// Bytes of memory that unpacking it would take.
        needed: u64,
        /// Bytes that it may take.
        limit: u64,
    },
    /// The archive uses something that rally does not read, such as encryption.
    #[error("{reason} is not supported")]
    Unsupported {
        /// What it uses.
        reason: String,
    },
    /// A file other than the expected one is in the archive.
    #[error("it contains '{member}', but it must contain exactly one file, '{expected}'")]
    UnexpectedMember {
        /// Name of the member.
        member: String,
        /// Name of the only member that there may be.
        expected: String,
    },
    /// The expected file is in the archive more than once.
    #[error("it contains '{member}' more than once")]
    DuplicateMember {
        /// Name of the member.
        member: String,
    },
    /// The expected file is not in the archive.
    #[error(
        "it does not contain '{expected}'. Ask the track author whether the archive has been created correctly."
    )]
    MissingMember {
        /// Name of the member that there must be.
        expected: String,
    },
    /// A member would be written outside of the data directory.
    #[error("it contains '{member}', which leads out of the data directory; nothing was unpacked")]
    EscapingMember {
        /// Name of the member.
        member: String,
    },
    /// A member is a link, a device or another special file.
    #[error("it contains '{member}', which is {kind} and not a file; nothing was unpacked")]
    SpecialMember {
        /// Name of the member.
        member: String,
        /// What it is, with its article.
        kind: &'static str,
    },
    /// More comes out than the track declares.
    #[error("it contains more than the {declared} bytes that the track declares (uncompressed-bytes)")]
    LargerThanDeclared {
        /// Declared bytes.
        declared: u64,
    },
    /// More comes out than rally unpacks without a declaration.
    #[error(
        "it contains more than {limit} bytes, the limit when a track does not declare \
         uncompressed-bytes ({reason}). Declare uncompressed-bytes if the data are right."
    )]
    LargerThanLimit {
        /// Bytes that were allowed.
        limit: u64,
        /// Where the limit comes from.
        reason: &'static str,
    },
}

/// What went wrong with a download.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DownloadError {
    /// Not a URL, or one of a scheme other than http and https.
    #[error("the address is not valid: {reason}. Check base-url (in tracks of 2017 data-url) in the track.")]
    InvalidUrl {
        /// The problem with it.
        reason: String,
    },
    /// Storage that has a protocol of its own.
    #[error(
        "{scheme}:// is not supported, only http:// and https:// are. Give the address at which the bucket answers to HTTPS \
         as base-url in the track, or as a mirror, or fetch the file with the tools of the storage and put it there."
    )]
    UnsupportedScheme {
        /// `s3` or `gs`.
        scheme: String,
    },
    /// The server's file does not have the checksum that the track declares.
    #[error(
        "the sha256 of the server's file is {actual}, expected {expected}; rally deleted the file. The track or the \
         server's file is wrong."
    )]
    WrongSha256 {
        /// The checksum that the track declares.
        expected: String,
        /// The checksum of what came.
        actual: String,
    },
    /// The server answered with an error that repeating does not cure.
    #[error("the server answered {status}. Verify that the data are available at this address{}", status_hint(*status))]
    Status {
        /// HTTP status code.
        status: u16,
    },
    /// A web page came instead of data.
    #[error(
        "the server sent a web page ('{content_type}') instead of data. A proxy or a login may be in the way."
    )]
    WebPage {
        /// The content type.
        content_type: String,
    },
    /// The server encodes the file in a way that was not asked for.
    #[error("the server sent the file with content-encoding '{encoding}', which rally did not request")]
    ContentEncoding {
        /// The content encoding.
        encoding: String,
    },
    /// The server offers or sent another number of bytes than the track declares.
    #[error(
        "the server sends {actual} bytes but {expected} bytes are expected. The track or the server's file is wrong."
    )]
    WrongSize {
        /// Bytes that the track declares.
        expected: u64,
        /// Bytes that the server announced or sent.
        actual: u64,
    },
    /// The server sends more than it may.
    #[error("the server sends more than the expected {limit} bytes; rally stopped the download")]
    Endless {
        /// Bytes that were expected at most.
        limit: u64,
    },
    /// The server sends from one address to the next.
    #[error("the server redirects more than {limit} times")]
    TooManyRedirects {
        /// Redirects that are followed.
        limit: u32,
    },
    /// The connection failed again and again.
    #[error(
        "{reason} (after {attempts} attempts). Check your internet connection and whether the server works."
    )]
    Unreachable {
        /// The last failure.
        reason: String,
        /// Attempts that were made.
        attempts: u32,
        /// The last failure, if the client library reported it.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
}

impl PrepareError {
    /// Wraps a failed file operation; a lack of space becomes [`PrepareError::DiskFull`].
    pub(super) fn io(action: &'static str, path: &Path, source: io::Error) -> PrepareError {
        if is_disk_full(&source) {
            PrepareError::DiskFull {
                path: path.to_owned(),
                needed: None,
                available: None,
                source: Some(source),
            }
        } else {
            PrepareError::Io { action, path: path.to_owned(), source }
        }
    }
}

/// Whether a write failed for lack of room: disk, quota or file size limit.
fn is_disk_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}

fn shown_names(names: &[String]) -> String {
    let shown: Vec<_> = names.iter().map(|name| printable::line(name)).collect();
    shown.join(" or ")
}

/// The characters of a file name that a reader cannot see, by code point: blanks around it, and invisible ones anywhere.
fn invisible(name: &str) -> String {
    let is_edge = |at: usize, character: char| at == 0 || at + character.len_utf8() == name.len();
    let mut named: Vec<String> = Vec::new();
    for (at, character) in name.char_indices() {
        let is_visible = !character.is_whitespace() && printable::is_safe(character.encode_utf8(&mut [0; 4]));
        if is_visible || (character == ' ' && !is_edge(at, character)) {
            continue;
        }
        let text = format!("U+{:04X}", u32::from(character));
        if !named.contains(&text) {
            named.push(text);
        }
    }
    if named.is_empty() {
        return String::new();
    }
    format!(
        " The name {name:?} has blank or invisible characters ({}); correct it in the track.",
        named.join(", ")
    )
}

fn looked_at(looked_in: &[PathBuf], rejected: &[String]) -> String {
    let mut text = String::new();
    for directory in looked_in {
        let _ = write!(text, "\n  looked in {}", directory.display());
    }
    for reason in rejected {
        let _ = write!(text, "\n  {reason}");
    }
    text
}

const OFFLINE: &str =
    "Nothing is downloaded in offline mode. Disable offline mode and retry, or put the file there.";

fn remedy(offline: bool) -> &'static str {
    if offline {
        OFFLINE
    } else {
        "The track has no base-url (in tracks of 2017 data-url) to download it from. Put the file there."
    }
}

fn per_document(lines: u64) -> String {
    if lines == 1 { String::new() } else { format!(" ({lines} lines for each document)") }
}

fn room(needed: Option<u64>, available: Option<u64>) -> String {
    match (needed, available) {
        (Some(needed), Some(available)) => {
            format!(": it needs {needed} bytes, {available} bytes are free")
        }
        (Some(needed), None) => format!(": it needs {needed} bytes"),
        _ => String::new(),
    }
}

fn status_hint(status: u16) -> &'static str {
    match status {
        401 | 403 | 407 => " and that you may read them.",
        _ => " and check base-url (in tracks of 2017 data-url) in the track.",
    }
}
