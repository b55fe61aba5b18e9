//! What the data tests share: archives, a web server with a will of its own, and a witness of progress.

pub mod crafted_bzip2;
pub mod server;

use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use rally_corpus::{DataSet, DownloadOptions, Phase, PrepareOptions, Progress};
use rally_support::hex::Hex;

/// `count` documents, one per line.
pub fn documents(count: usize) -> Vec<u8> {
    (0..count).map(|id| format!("{{\"id\":{id},\"name\":\"doc {}\"}}\n", id % 97)).collect::<String>().into()
}

pub fn bzip2(content: &[u8]) -> Vec<u8> {
    bzip2_at(content, 9)
}

pub fn bzip2_at(content: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::new(level));
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

pub fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// One frame with a checksum, as of `zstd`.
pub fn zstd(content: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// The SHA-256 as a track declares it.
pub fn sha256(content: &[u8]) -> String {
    use sha2::Digest;
    Hex(sha2::Sha256::digest(content)).to_string()
}

/// A member of a tar archive; `link` for symbolic and hard links.
pub struct Member<'a> {
    pub name: &'a str,
    pub kind: tar::EntryType,
    pub content: &'a [u8],
    pub link: &'a str,
}

pub fn file<'a>(name: &'a str, content: &'a [u8]) -> Member<'a> {
    Member { name, kind: tar::EntryType::Regular, content, link: "" }
}

pub fn tar(members: &[Member]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for member in members {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(member.kind);
        header.set_size(member.content.len() as u64);
        header.set_mode(0o644);
        // Written as it is: the library refuses names such as `..`.
        header.as_mut_bytes()[..member.name.len()].copy_from_slice(member.name.as_bytes());
        header.as_mut_bytes()[157..157 + member.link.len()].copy_from_slice(member.link.as_bytes());
        header.set_cksum();
        tar.append(&header, member.content).unwrap();
    }
    tar.into_inner().unwrap()
}

pub fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        let options = zip::write::SimpleFileOptions::default();
        if name.ends_with('/') {
            zip.add_directory(*name, options).unwrap();
        } else {
            zip.start_file(*name, options).unwrap();
            zip.write_all(content).unwrap();
        }
    }
    zip.finish().unwrap().into_inner()
}

/// Packs documents in every format, under the right name.
pub fn every_format(content: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let plain_tar = tar(&[file("documents.json", content)]);
    vec![
        ("documents.json.bz2", bzip2(content)),
        ("documents.json.gz", gzip(content)),
        ("documents.json.zst", zstd(content)),
        ("documents.json.zip", zip(&[("documents.json", content)])),
        ("documents.json.tar", plain_tar.clone()),
        ("documents.json.tar.gz", gzip(&plain_tar)),
        ("documents.json.tgz", gzip(&plain_tar)),
        ("documents.json.tar.bz2", bzip2(&plain_tar)),
    ]
}

/// A cache directory with a file in it.
pub fn cache_with(name: &str, content: &[u8]) -> tempfile::TempDir {
    let cache = tempfile::tempdir().unwrap();
    fs::write(cache.path().join(name), content).unwrap();
    cache
}

pub fn data_set(name: &str) -> DataSet {
    DataSet::from_documents(name).unwrap()
}

/// Options that do not wait.
pub fn hasty() -> PrepareOptions {
    PrepareOptions {
        download: DownloadOptions {
            attempts: 3,
            first_delay: Duration::from_millis(1),
            idle_timeout: Duration::from_millis(300),
            connect_timeout: Duration::from_secs(5),
            mirrors: Vec::new(),
        },
        ..PrepareOptions::default()
    }
}

/// Names and sizes of the files in a directory, but for locks, offsets and seals.
pub fn files(directory: &Path) -> Vec<(String, u64)> {
    let mut files = Vec::new();
    let mut folders: Vec<PathBuf> = vec![directory.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(directory).unwrap().to_str().unwrap().to_owned();
            if ![".lock", ".offset", ".source"].iter().any(|suffix| name.ends_with(suffix)) {
                files.push((name, fs::metadata(&path).unwrap().len()));
            }
        }
    }
    files.sort();
    files
}

pub fn names(directory: &Path) -> Vec<String> {
    files(directory).into_iter().map(|(name, _)| name).collect()
}

/// Remembers what was reported.
#[derive(Default)]
pub struct Witness {
    reports: Mutex<Vec<(Phase, u64, Option<u64>)>>,
}

impl Witness {
    pub fn reports(&self) -> Vec<(Phase, u64, Option<u64>)> {
        self.reports.lock().unwrap().clone()
    }

    /// The phases in the order in which they began.
    pub fn phases(&self) -> Vec<Phase> {
        let mut phases: Vec<Phase> = self.reports().iter().map(|report| report.0).collect();
        phases.dedup();
        phases
    }
}

impl Progress for Witness {
    fn report(&self, phase: Phase, done: u64, total: Option<u64>) {
        self.reports.lock().unwrap().push((phase, done, total));
    }
}

/// Gives up in one phase, once something was done.
pub struct CancelIn(pub Phase, pub std::sync::atomic::AtomicBool);

impl CancelIn {
    pub fn new(phase: Phase) -> CancelIn {
        CancelIn(phase, std::sync::atomic::AtomicBool::new(false))
    }
}

impl Progress for CancelIn {
    fn report(&self, phase: Phase, done: u64, _total: Option<u64>) {
        if phase == self.0 && (done > 0 || phase == Phase::Waiting) {
            self.1.store(true, std::sync::atomic::Ordering::SeqCst);
        }
    }

    fn is_cancelled(&self) -> bool {
        self.1.load(std::sync::atomic::Ordering::SeqCst)
    }
}
