//! SHA-256 of files.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use rally_support::hex::Hex;
use sha2::{Digest, Sha256};

use super::error::PrepareError;
use super::progress::{Phase, Progress};
use super::stream::PIECE_BYTES;

/// The checksum of a file as 64 lower-case hexadecimal digits.
pub(super) fn sha256_of(path: &Path, progress: &dyn Progress) -> Result<String, PrepareError> {
    let failed = |error| PrepareError::io("compute the sha256 of", path, error);
    let mut file = File::open(path).map_err(failed)?;
    let total = file.metadata().map_err(failed)?.len();
    let mut hasher = Sha256::new();
    let mut piece = vec![0; PIECE_BYTES];
    let mut done = 0;
    loop {
        if progress.is_cancelled() {
            return Err(PrepareError::Cancelled);
        }
        progress.report(Phase::Verifying, done, Some(total));
        let count = match file.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(failed(error)),
        };
        hasher.update(&piece[..count]);
        done += count as u64;
    }
    Ok(Hex(hasher.finalize()).to_string())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;

    use super::*;
    use crate::progress::NoProgress;

    #[test]
    fn the_checksum_is_that_of_the_standard() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, b"abc").unwrap();
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256_of(&path, &NoProgress).unwrap(), expected);
    }
}
