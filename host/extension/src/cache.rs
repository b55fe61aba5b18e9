//! Keeps compiled code, so that a second start compiles nothing.
//!
//! Compiled code is executed as it is: whoever can change it can do anything. So it lies in a folder that only its owner can
//! enter, and each file carries a MAC over its content, its component and the engine, with a key that lies in the same folder.
//! A file that does not match is thrown away and compiled anew. Writers make a file of their own and rename it: readers see
//! whole files only, whoever writes at the same time.

use std::fs::{self, DirBuilder, File};
use std::hash::{Hash, Hasher};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use hmac::digest::common::Key as KeyBlock;
use hmac::{Hmac, KeyInit, Mac};
use rally_component::Digest;
use rally_support::hex::Hex;
use rally_support::whole_file;
use sha2::{Digest as _, Sha256};
use wasmtime::component::Component;

use crate::engine::Engine;

/// Length of key and MAC, bytes.
const LENGTH: usize = 32;

/// Largest file that is read, bytes. Compiled code is about three times the size of its component.
const LARGEST: u64 = 1 << 30;

/// Compiled code on disk.
#[derive(Clone)]
pub struct CompiledCache {
    folder: PathBuf,
    key: [u8; LENGTH],
}

/// The cache cannot be used; components are compiled at each start then.
#[derive(Debug, thiserror::Error)]
#[error("cannot keep compiled components in '{}': {problem}", folder.display())]
pub struct CacheError {
    folder: PathBuf,
    problem: String,
}

impl CompiledCache {
    /// Opens the cache, making its folder and key if they are not there.
    ///
    /// # Errors
    /// Where the folder cannot be made, or others can enter it.
    pub fn open(folder: impl Into<PathBuf>) -> Result<CompiledCache, CacheError> {
        let folder = folder.into();
        let open = || -> io::Result<[u8; LENGTH]> {
            DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
            private(&folder)?;
            key(&folder)
        };
        match open() {
            Ok(key) => Ok(CompiledCache { folder, key }),
            Err(problem) => Err(CacheError { problem: problem.to_string(), folder }),
        }
    }

    /// The compiled component, if it is there and nobody has changed it.
    pub(crate) fn get(&self, engine: &Engine, digest: &Digest) -> Option<Component> {
        let path = self.path(engine, digest);
        let mut content = Vec::new();
        match File::open(&path).and_then(|file| file.take(LARGEST).read_to_end(&mut content)) {
            Ok(_) => {}
            Err(problem) if problem.kind() == io::ErrorKind::NotFound => return None,
            Err(problem) => {
                tracing::warn!(path = %path.display(), %problem, "cannot read a compiled component");
                return None;
            }
        }
        let verified = content
            .split_at_checked(LENGTH)
            .filter(|(mac, code)| self.mac(engine, digest, code).verify_slice(mac).is_ok());
        let Some((_, code)) = verified else {
            tracing::warn!(path = %path.display(), "a compiled component was damaged or tampered with; rally compiles it again");
            let _ = fs::remove_file(&path);
            return None;
        };
        match deserialize(engine, code) {
            Ok(component) => Some(component),
            Err(problem) => {
                tracing::warn!(path = %path.display(), %problem, "a compiled component does not suit this engine");
                let _ = fs::remove_file(&path);
                None
            }
        }
    }

    /// Keeps a compiled component. That it cannot be kept costs time, not correctness: it is only logged.
    pub(crate) fn put(&self, engine: &Engine, digest: &Digest, component: &Component) {
        let path = self.path(engine, digest);
        let write = || -> io::Result<()> {
            let code = component.serialize().map_err(|error| io::Error::other(error.to_string()))?;
            let mac = self.mac(engine, digest, &code).finalize().into_bytes();
            whole_file::replace(&path, &[mac.as_slice(), &code].concat())
        };
        if let Err(problem) = write() {
            tracing::warn!(path = %path.display(), %problem, "cannot keep a compiled component");
        }
    }

    fn path(&self, engine: &Engine, digest: &Digest) -> PathBuf {
        let engine = Hex(&compatibility(engine)[..8]);
        self.folder.join(format!("{digest}-{engine}.cwasm"))
    }

    fn mac(&self, engine: &Engine, digest: &Digest, code: &[u8]) -> Hmac<Sha256> {
        let mut block = KeyBlock::<Hmac<Sha256>>::default();
        block[..LENGTH].copy_from_slice(&self.key);
        let mut mac = Hmac::<Sha256>::new(&block);
        mac.update(b"rally-compiled-component-1\0");
        mac.update(&compatibility(engine));
        mac.update(digest.to_string().as_bytes());
        mac.update(code);
        mac
    }
}

#[allow(unsafe_code)]
fn deserialize(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: the bytes are what `Component::serialize` gave, in this or an earlier process of this user: their MAC was
    // verified just now, over these very bytes in memory, with a key that only this user can read. wasmtime itself refuses
    // code of another version or configuration.
    unsafe { Component::deserialize(&engine.wasmtime, code) }
}

/// Engines with the same value can use each other's code.
fn compatibility(engine: &Engine) -> [u8; LENGTH] {
    struct Feed(Sha256);
    impl Hasher for Feed {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }

        fn finish(&self) -> u64 {
            0
        }
    }
    let mut feed = Feed(Sha256::new());
    engine.wasmtime.precompile_compatibility_hash().hash(&mut feed);
    feed.0.finalize().into()
}

/// Whether only its owner, who is this user, can enter the folder.
fn private(folder: &Path) -> io::Result<()> {
    let metadata = fs::symlink_metadata(folder)?;
    let ours = metadata.uid() == rustix::process::geteuid().as_raw();
    if !metadata.is_dir() || !ours || metadata.mode() & 0o077 != 0 {
        return Err(io::Error::other("others can change what lies there; make it private with chmod 700"));
    }
    Ok(())
}

/// The key of this user's cache; made when there is none.
fn key(folder: &Path) -> io::Result<[u8; LENGTH]> {
    let path = folder.join("key");
    loop {
        match fs::read(&path) {
            Ok(bytes) => {
                let key: Result<[u8; LENGTH], _> = bytes.try_into();
                match key {
                    Ok(key) => return Ok(key),
                    // Whoever wrote that, what it authenticates is worth nothing.
                    Err(_) => fs::remove_file(&path)?,
                }
            }
            Err(problem) if problem.kind() == io::ErrorKind::NotFound => {
                let mut file = tempfile::Builder::new().prefix(".key-").tempfile_in(folder)?;
                file.write_all(&rand::random::<[u8; LENGTH]>())?;
                // Who comes second takes the key of who came first.
                match file.persist_noclobber(&path) {
                    Ok(_) => {}
                    Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {}
                    Err(error) => return Err(error.error),
                }
            }
            Err(problem) => return Err(problem),
        }
    }
}
