//! Files that are there as a whole or not at all.

use std::fs::{self, OpenOptions};
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
/// Where the path is a link, the file behind it is written. What is no file (`/dev/stdout`, a pipe) is written to as it is, and
/// never replaced.
///
/// # Errors
/// Where the folder or the file cannot be written.
pub fn write<Written>(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<Written>,
) -> Result<Written, WriteFileError> {
    let failed = |cause| WriteFileError { path: path.to_owned(), cause };
    let target = match fs::canonicalize(path) {
        Ok(there) if fs::metadata(&there).is_ok_and(|metadata| is_stream(&metadata)) => {
            return write_through(path, write).map_err(failed);
        }
        Ok(there) => there,
        // A pipe or a deleted file behind /dev/stdout has no path.
        Err(_) if fs::metadata(path).is_ok() => return write_through(path, write).map_err(failed),
        Err(_) if fs::symlink_metadata(path).is_ok() => {
            return Err(failed(io::Error::other("it is a link that leads nowhere; remove it")));
        }
        Err(_) => path.to_owned(),
    };
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
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
        file.persist(&target)?;
        Ok(written)
    };
    attempt().map_err(failed)
}

fn write_through<Written>(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<Written>,
) -> io::Result<Written> {
    let mut buffered = BufWriter::new(OpenOptions::new().write(true).open(path)?);
    let written = write(&mut buffered)?;
    buffered.flush()?;
    Ok(written)
}

/// Whether it takes bytes without being a file.
fn is_stream(metadata: &fs::Metadata) -> bool {
    !metadata.is_file() && !metadata.is_dir()
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

    #[test]
    fn the_file_behind_a_link_is_written_and_the_link_stays() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        fs::write(&real, b"before").expect("written");
        std::os::unix::fs::symlink(&real, &link).expect("linked");
        write(&link, |out| out.write_all(b"after")).expect("written");
        assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
        assert_eq!(fs::read(&real).expect("read"), b"after");
    }

    #[test]
    fn a_link_that_leads_nowhere_is_not_replaced() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(folder.path().join("nowhere"), &link).expect("linked");
        let error = write(&link, |out| out.write_all(b"text")).expect_err("refused");
        assert!(error.cause.to_string().contains("leads nowhere"), "{error:?}");
        assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
    }

    #[test]
    fn what_is_no_file_is_written_to_and_not_replaced() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("started").success());
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::read(pipe).expect("read")
        });
        write(&pipe, |out| out.write_all(b"text")).expect("written");
        assert_eq!(reader.join().expect("read"), b"text");
        assert!(!fs::symlink_metadata(&pipe).expect("there").is_file());
    }
}
