//! A download in parts: what is there already, and of which file on the server it is a part.

use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::confine::{create_anew, open_or_create};
use super::document_file::{publish, with_suffix};

/// What identifies the server's file, kept beside the part in `<name>.part.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Origin {
    pub(super) url: String,
    /// A strong entity tag, or the time of the last change: fit for `If-Range`.
    pub(super) validator: String,
    /// Size of the whole file in bytes.
    pub(super) total: u64,
}

/// `<name>.part`. It stays when a download fails, if it can be resumed.
#[derive(Debug)]
pub(super) struct PartFile {
    target: PathBuf,
    path: PathBuf,
    origin_path: PathBuf,
    file: File,
    length: u64,
    origin: Option<Origin>,
}

impl PartFile {
    /// Opens the part of an earlier attempt if it came from the same address, else an empty one.
    pub(super) fn open(target: &Path, url: &str) -> io::Result<PartFile> {
        let path = with_suffix(target, ".part");
        let origin_path = with_suffix(target, ".part.json");
        let file = open_or_create(&path)?;
        let mut part = PartFile {
            target: target.to_owned(),
            path,
            origin_path,
            length: file.metadata()?.len(),
            file,
            origin: None,
        };
        part.origin = fs::read(&part.origin_path)
            .ok()
            .and_then(|text| serde_json::from_slice::<Origin>(&text).ok())
            .filter(|origin| origin.url == url && part.length > 0 && part.length <= origin.total);
        if part.origin.is_none() {
            part.restart(None)?;
        }
        part.file.seek(SeekFrom::End(0))?;
        Ok(part)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes that are there.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    pub(super) fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }

    /// Forgets all bytes and begins with another file, which can be resumed if its origin is known.
    pub(super) fn restart(&mut self, origin: Option<Origin>) -> io::Result<()> {
        // In this order a crash leaves either no bytes or no origin, never bytes of another origin.
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.length = 0;
        match &origin {
            Some(origin) => create_anew(&self.origin_path)?.write_all(&serde_json::to_vec(origin)?)?,
            None => remove(&self.origin_path)?,
        }
        self.origin = origin;
        Ok(())
    }

    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Err(error) = self.file.write_all(bytes) {
            // Unknown how much was written: the end of the part is where it was.
            let _ = self.file.set_len(self.length);
            let _ = self.file.seek(SeekFrom::End(0));
            return Err(error);
        }
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Makes the part the whole file.
    pub(super) fn finish(self) -> io::Result<()> {
        publish(&self.file, &self.path, &self.target)?;
        remove(&self.origin_path)
    }

    /// Ends a failed download; a part that cannot be resumed is removed.
    pub(super) fn give_up(self, resumable: bool) {
        if !resumable || self.origin.is_none() || self.length == 0 {
            let _ = remove(&self.path);
            let _ = remove(&self.origin_path);
        }
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
