//! `rally bundle keygen`: a pair of keys.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rally_bundle::SecretKey;

use crate::ending::CommandError;
use crate::terminal;
use rally_session::bundle::keys::beside;

/// A key cannot be written.
#[derive(Debug, thiserror::Error)]
enum KeygenError {
    #[error("'{path}' already exists, and rally never overwrites keys; name another file")]
    Exists { path: PathBuf },
    #[error("cannot write '{path}'")]
    Write {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
}

/// Makes a pair of keys.
pub fn run(file: &Path) -> Result<(), CommandError> {
    let public_file = beside(file, ".pub");
    let secret = SecretKey::generate().map_err(CommandError::failure)?;
    write(&public_file, &secret.public().to_text(), 0o644)?;
    if let Err(error) = write(file, &secret.to_text(), 0o600) {
        // Without its secret key it is of no use to anyone.
        let _ = fs::remove_file(&public_file);
        return Err(error);
    }
    let text = format!(
        "Key {id}\n  {file}: sign with it (rally bundle --sign); keep it to yourself\n  {public}: for those who are to trust it: they name it \
         with --trusted-key,\n  or put it into the folder trusted-keys of rally's home\n",
        id = secret.public().id(),
        file = file.display(),
        public = public_file.display()
    );
    terminal::print(text).map_err(CommandError::failure)
}

fn write(path: &Path, text: &str, mode: u32) -> Result<(), CommandError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    let written = options.open(path).and_then(|mut file| {
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).inspect_err(|_| {
            // Half a key is worse than none.
            let _ = fs::remove_file(path);
        })
    });
    written.map_err(|cause| {
        let path = path.to_owned();
        if cause.kind() == io::ErrorKind::AlreadyExists {
            CommandError::user(KeygenError::Exists { path })
        } else {
            CommandError::user(KeygenError::Write { path, cause })
        }
    })
}
