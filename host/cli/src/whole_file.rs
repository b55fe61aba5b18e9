//! Files that are there as a whole or not at all.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// A file could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {path}")]
pub struct WriteFileError {
    path: PathBuf,
    #[source]
    cause: io::Error,
}

/// Writes a file as a whole: until that is done, what was there before is still there. Returns what `write` returns.
///
/// # Errors
/// Where the folder or the file cannot be written.
pub fn write<Written>(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<Written>,
) -> Result<Written, WriteFileError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let attempt = || {
        let mut builder = tempfile::Builder::new();
        // What others may do with it is for the user's umask to say, as with any other file.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let file: NamedTempFile = builder.prefix(".rally-").tempfile_in(folder)?;
        let mut buffered = BufWriter::new(file);
        let written = write(&mut buffered)?;
        let file = buffered.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(written)
    };
    attempt().map_err(|cause| WriteFileError { path: path.to_owned(), cause })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_what_was_there() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("file");
        write(&path, |out| out.write_all(b"before")).expect("written");
        let failed = write(&path, |out| {
            out.write_all(b"half")?;
            Err::<(), _>(io::Error::other("full"))
        });
        assert!(failed.is_err());
        assert_eq!(std::fs::read(&path).expect("read"), b"before");
        assert_eq!(std::fs::read_dir(folder.path()).expect("listing").count(), 1, "nothing is left over");
    }
}
