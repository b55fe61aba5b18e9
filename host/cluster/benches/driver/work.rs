//! What is sent: searches, or bulks of a corpus made up for the purpose.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// Action line as a bulk has it before each document.
pub const ACTION: &[u8] = b"{\"index\": {\"_index\": \"bench\"}}\n";
/// Number of documents in the corpus: the largest bulks of the most clients, so that each client's part is whole bulks.
pub const DOCUMENTS: u64 = 64 * 5_000;
/// The search that is sent.
pub const SEARCH: &str = r#"{"query":{"match_all":{}}}"#;

/// What a run of any driver came to.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Figures {
    /// Requests answered.
    pub requests: u64,
    /// Documents in them; for searches the requests themselves.
    pub documents: u64,
    /// Time from the first request to the last answer.
    pub seconds: f64,
    /// CPU time of the driver's process.
    pub cpu_seconds: f64,
    /// Most memory of its own that was seen, bytes, mapped files aside.
    pub resident_anonymous: u64,
}

/// What is sent.
#[derive(Debug, Clone)]
pub enum Work {
    /// A search with a small body.
    Search,
    /// Bulks of so many documents.
    Bulk {
        /// Documents per request.
        size: usize,
        /// The corpus, mapped.
        corpus: Arc<memmap2::Mmap>,
    },
}

impl Work {
    /// Bulks over the corpus in this file.
    #[allow(unsafe_code)]
    pub fn bulk(size: usize, file: &Path) -> Work {
        let file = std::fs::File::open(file).expect("corpus");
        // SAFETY: the corpus was written by this benchmark, and nobody changes it while it runs.
        let corpus = Arc::new(unsafe { memmap2::Mmap::map(&file) }.expect("mapped"));
        Work::Bulk { size, corpus }
    }

    /// Documents per request; 1 for searches.
    pub fn documents(&self) -> u64 {
        match self {
            Work::Search => 1,
            Work::Bulk { size, .. } => *size as u64,
        }
    }

    /// Whether a request fits one packet.
    pub fn small(&self) -> bool {
        matches!(self, Work::Search)
    }

    /// Path of the request.
    pub fn path(&self) -> &'static str {
        match self {
            Work::Search => "/bench/_search",
            Work::Bulk { .. } => "/_bulk",
        }
    }

    /// Content type of the request.
    pub fn content_type(&self) -> &'static str {
        match self {
            Work::Search => "application/json",
            Work::Bulk { .. } => "application/x-ndjson",
        }
    }

    /// Body of the request with this number; there are as many different ones as the corpus has bulks.
    pub fn body(&self, number: usize) -> Bytes {
        match self {
            Work::Search => Bytes::from_static(SEARCH.as_bytes()),
            Work::Bulk { size, corpus } => {
                let line = corpus.len() / DOCUMENTS as usize;
                let bulks = DOCUMENTS as usize / size;
                let from = (number % bulks) * size * line;
                let mut rest = &corpus[from..from + size * line];
                let mut body = Vec::with_capacity(size * (line + ACTION.len()));
                while let Some(end) = memchr::memchr(b'\n', rest) {
                    body.extend_from_slice(ACTION);
                    body.extend_from_slice(&rest[..=end]);
                    rest = &rest[end + 1..];
                }
                Bytes::from(body)
            }
        }
    }
}

/// Writes the corpus: documents of 319 bytes each, their newline included.
pub fn write_corpus(folder: &Path) -> PathBuf {
    let path = folder.join("documents.json");
    let mut content = Vec::with_capacity(DOCUMENTS as usize * 319);
    for number in 0..DOCUMENTS {
        let start = content.len();
        content.extend_from_slice(format!("{{\"id\":{number:010},\"name\":\"place\",\"text\":\"").as_bytes());
        content.resize(start + 316, b'x');
        content.extend_from_slice(b"\"}\n");
    }
    std::fs::write(&path, content).expect("corpus written");
    path
}

/// Watches how much memory of its own this process has.
#[derive(Default)]
pub struct MemoryWatch {
    most: Arc<AtomicU64>,
}

impl MemoryWatch {
    /// Looks every 20 ms, for as long as the process lives.
    pub fn start() -> MemoryWatch {
        let most = Arc::new(AtomicU64::new(0));
        let seen = Arc::clone(&most);
        std::thread::spawn(move || {
            loop {
                seen.fetch_max(resident_anonymous(), Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        MemoryWatch { most }
    }

    /// The most that was seen so far, in bytes.
    pub fn most(&self) -> u64 {
        self.most.load(Ordering::Relaxed)
    }
}

/// Memory of this process that is its own, in bytes.
fn resident_anonymous() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"))
        .and_then(|value| value.trim().trim_end_matches(" kB").trim().parse::<u64>().ok())
        .map_or(0, |kilobytes| kilobytes * 1024)
}
