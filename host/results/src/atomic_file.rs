//! Files that are there as a whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

static TEMPORARY_FILES: AtomicU64 = AtomicU64::new(0);

/// Puts `content` in the place of whatever is at `path`. On an error what was there before is still there.
pub(crate) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    // A link stays a link: it is its file that changes.
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let before = fs::metadata(path).ok();
    if before.as_ref().is_some_and(|before| before.is_dir()) {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    }
    if before.as_ref().is_some_and(|before| !before.is_file()) {
        // A device or a pipe cannot be replaced, and holds nothing that could be lost.
        return OpenOptions::new().write(true).open(path)?.write_all(content);
    }
    let name = path.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidFilename))?;
    let number = TEMPORARY_FILES.fetch_add(1, Ordering::Relaxed);
    let temporary =
        path.with_file_name(format!(".{}.{}-{number}.tmp", name.to_string_lossy(), std::process::id()));
    let written = write_new(&temporary, content, before.map(|before| before.permissions()))
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // Nothing more can be done about a temporary file that cannot be removed either.
        let _ = fs::remove_file(&temporary);
    }
    written
}

fn write_new(path: &Path, content: &[u8], permissions: Option<fs::Permissions>) -> io::Result<()> {
    let mut file: File = OpenOptions::new().write(true).create_new(true).open(path)?;
    if let Some(permissions) = permissions {
        file.set_permissions(permissions)?;
    }
    file.write_all(content)?;
    file.sync_all()
}
