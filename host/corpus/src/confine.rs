//! Keeps reading and writing inside of the folders that are meant, whatever links lie there.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::error::PrepareError;

/// Fails if a file, which is there, is not in the folder but linked from there.
pub(super) fn check_inside(folder: &Path, file: &Path) -> Result<(), PrepareError> {
    let real = |path: &Path| {
        fs::canonicalize(path).map_err(|error| PrepareError::io("find the true place of", path, error))
    };
    let target = real(file)?;
    if target.starts_with(real(folder)?) {
        return Ok(());
    }
    Err(PrepareError::OutsideFolder { path: file.to_owned(), target, folder: folder.to_owned() })
}

/// Creates the folder that `file` goes to, which is `root` or below it. A link on the way from `root` on may not lead out of
/// it; where `root` itself is, is the user's choice.
pub(super) fn create_folder_of(root: &Path, file: &Path) -> Result<(), PrepareError> {
    let create =
        |folder: &Path| fs::create_dir_all(folder).map_err(|error| PrepareError::io("create", folder, error));
    create(root)?;
    let below = file.parent().and_then(|folder| folder.strip_prefix(root).ok()).unwrap_or(Path::new(""));
    let mut folder = root.to_owned();
    for part in below.components() {
        folder.push(part);
        if fs::symlink_metadata(&folder).is_ok_and(|metadata| metadata.is_symlink()) {
            check_inside(root, &folder)?;
        }
        create(&folder)?;
    }
    Ok(())
}

/// Creates an empty file; what had its name before is removed, not written to.
pub(super) fn create_anew(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new().read(true).write(true).create_new(true).open(path)
}

/// Opens a file to read and write, empty if it was not there. A link is an error.
pub(super) fn open_or_create(path: &Path) -> io::Result<File> {
    let no_links = rustix::fs::OFlags::NOFOLLOW.bits() as i32;
    let opened = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .custom_flags(no_links)
        .open(path);
    opened.map_err(|error| match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_symlink() => {
            let reason = "it is a symbolic link, and nothing is written through links; remove it";
            io::Error::new(error.kind(), reason)
        }
        _ => error,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_never_created_through_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (elsewhere, link) = (folder.path().join("elsewhere"), folder.path().join("link"));
        fs::write(&elsewhere, b"precious").unwrap();
        std::os::unix::fs::symlink(&elsewhere, &link).unwrap();
        assert!(open_or_create(&link).is_err());
        create_anew(&link).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_file());
        assert_eq!(fs::read(&elsewhere).unwrap(), b"precious");
    }
}
