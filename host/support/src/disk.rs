//! The room on a disk.

use std::io;
use std::path::Path;

/// Bytes that this user may still write to the file system of `folder`.
///
/// # Errors
/// Where there is no such folder.
pub fn free_space(folder: &Path) -> io::Result<u64> {
    let disk = rustix::fs::statvfs(folder)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_not_there_has_no_disk() {
        let folder = tempfile::tempdir().expect("temporary folder");
        assert!(free_space(folder.path()).is_ok());
        assert_eq!(
            free_space(&folder.path().join("missing")).expect_err("missing").kind(),
            io::ErrorKind::NotFound
        );
    }
}
