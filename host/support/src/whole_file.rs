//! Files that are there as a whole or not at all: written under another name in the same folder, then renamed.
//!
//! [`write`] is for files that the user named, [`replace`] for files that rally keeps for itself.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// A file could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {path}")]
pub struct WriteFileError {
    /// Its path.
    pub path: PathBuf,
    /// Why.
    #[source]
    pub cause: io::Error,
}

/// Writes a file that the user named, as a whole: until `content` has returned, what was there before is still there. Returns what
/// `content` returns.
///
/// - A link stays a link: the file behind it is written. A link that leads nowhere is an error.
/// - A device, a pipe or a socket (`/dev/stdout`) is written to directly, and never replaced.
/// - A file that is there keeps its permissions; a new one gets those that the umask leaves.
/// - The content is on the disk (`fsync`) before it takes the place of the old one.
///
/// # Errors
/// Where the folder or the file cannot be written, or `content` fails.
pub fn write<Written>(
    path: &Path,
    content: impl FnOnce(&mut dyn Write) -> io::Result<Written>,
) -> Result<Written, WriteFileError> {
    let attempt = || match fs::canonicalize(path) {
        Ok(target) => match fs::metadata(&target)? {
            metadata if metadata.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
            metadata if metadata.is_file() => {
                persist(&target, Some(metadata.permissions()), Sync::BeforeRename, content)
            }
            _ => write_through(path, content),
        },
        // A pipe or a deleted file behind /dev/stdout has no path.
        Err(_) if fs::metadata(path).is_ok() => write_through(path, content),
        Err(_) if fs::symlink_metadata(path).is_ok() => {
            Err(io::Error::other("it is a link that leads nowhere; remove it"))
        }
        Err(_) => persist(path, None, Sync::BeforeRename, content),
    };
    attempt().map_err(|cause| WriteFileError { path: path.to_owned(), cause })
}

/// Writes a file that rally keeps for itself (a cache, an index's settings), as a whole. Whatever has the path is replaced, a link too:
/// it cannot lead the writer elsewhere.
///
/// There is no `fsync`: after a power failure the file may be empty or missing, so its reader has to check it.
///
/// # Errors
/// Where the folder or the file cannot be written.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    persist(path, None, Sync::Never, |file| file.write_all(bytes))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sync {
    BeforeRename,
    Never,
}

fn persist<Written>(
    path: &Path,
    permissions: Option<Permissions>,
    sync: Sync,
    content: impl FnOnce(&mut dyn Write) -> io::Result<Written>,
) -> io::Result<Written> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    // The user's umask takes away what others may not do, as with any other file.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let file: NamedTempFile =
        builder.prefix(".rally-").tempfile_in(folder).map_err(|error| without_path(&error, folder))?;
    if let Some(permissions) = permissions {
        file.as_file().set_permissions(permissions)?;
    }
    let mut buffered = BufWriter::new(file);
    let written = content(&mut buffered)?;
    let file = buffered.into_inner().map_err(io::IntoInnerError::into_error)?;
    if sync == Sync::BeforeRename {
        file.as_file().sync_all()?;
    }
    file.persist(path)?;
    Ok(written)
}

/// The error without the temporary file's path, which says nothing to whoever reads the message.
fn without_path(error: &io::Error, folder: &Path) -> io::Error {
    fs::metadata(folder).err().unwrap_or_else(|| error.kind().into())
}

fn write_through<Written>(
    path: &Path,
    content: impl FnOnce(&mut dyn Write) -> io::Result<Written>,
) -> io::Result<Written> {
    let mut buffered = BufWriter::new(OpenOptions::new().write(true).open(path)?);
    let written = content(&mut buffered)?;
    buffered.flush()?;
    Ok(written)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().expect("temporary folder")
    }

    fn put(path: &Path, text: &str) -> Result<(), WriteFileError> {
        write(path, |file| file.write_all(text.as_bytes()))
    }

    #[test]
    fn a_failed_write_leaves_what_was_there() {
        let folder = folder();
        let path = folder.path().join("file");
        put(&path, "before").expect("written");
        let failed = write(&path, |file| {
            file.write_all(b"half")?;
            Err::<(), _>(io::Error::other("full"))
        });
        assert!(failed.is_err());
        assert_eq!(fs::read(&path).expect("read"), b"before");
        assert_eq!(fs::read_dir(folder.path()).expect("listing").count(), 1, "nothing is left over");
    }

    #[test]
    fn the_file_behind_a_link_is_written_and_the_link_stays() {
        let folder = folder();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        fs::write(&real, b"before").expect("written");
        symlink(&real, &link).expect("linked");
        put(&link, "after").expect("written");
        assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
        assert_eq!(fs::read(&real).expect("read"), b"after");
    }

    #[test]
    fn an_error_does_not_name_the_temporary_file() {
        let folder = folder();
        let error = put(&folder.path().join("none/file"), "text").expect_err("refused");
        assert_eq!(error.cause.to_string(), "No such file or directory (os error 2)");
    }

    #[test]
    fn a_link_that_leads_nowhere_is_an_error_and_stays() {
        let folder = folder();
        let link = folder.path().join("link");
        symlink(folder.path().join("nowhere"), &link).expect("linked");
        let error = put(&link, "text").expect_err("refused");
        assert!(error.cause.to_string().contains("leads nowhere"), "{error:?}");
        assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
    }

    #[test]
    fn a_pipe_is_written_to_and_not_replaced() {
        let folder = folder();
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("started").success());
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::read(pipe).expect("read")
        });
        put(&pipe, "text").expect("written");
        assert_eq!(reader.join().expect("read"), b"text");
        assert!(!fs::symlink_metadata(&pipe).expect("there").is_file());
    }

    #[test]
    fn a_folder_is_not_replaced() {
        let folder = folder();
        let error = put(folder.path(), "text").expect_err("refused");
        assert_eq!(error.cause.kind(), io::ErrorKind::IsADirectory);
    }

    #[test]
    fn a_file_keeps_its_permissions() {
        let folder = folder();
        let path = folder.path().join("file");
        fs::write(&path, b"before").expect("written");
        fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("set");
        put(&path, "after").expect("written");
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_new_file_gets_the_permissions_of_any_other_new_file() {
        let folder = folder();
        let (ours, other) = (folder.path().join("ours"), folder.path().join("other"));
        put(&ours, "text").expect("written");
        fs::write(&other, b"text").expect("written");
        let mode = |path| fs::metadata(path).expect("there").permissions().mode();
        assert_eq!(mode(ours), mode(other));
    }

    #[test]
    fn replacing_does_not_follow_links() {
        let folder = folder();
        let (precious, link) = (folder.path().join("precious"), folder.path().join("link"));
        fs::write(&precious, b"before").expect("written");
        symlink(&precious, &link).expect("linked");
        replace(&link, b"after").expect("replaced");
        assert_eq!(fs::read(&precious).expect("read"), b"before");
        assert!(fs::symlink_metadata(&link).expect("there").is_file());
    }
}
