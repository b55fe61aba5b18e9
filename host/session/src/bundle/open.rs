//! From a bundle to the folder of a track that can be raced.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rally_bundle::{
    Bundle, KeyId, Limits, OpenError, OpenOptions, TrackName, TrackNameError, Trust, UnpackError,
};
use rally_component::{Bounds, Digest};
use serde_json::{Value, json};

use crate::bundle::keys;
use crate::error::SessionError;
use crate::home::Home;
use crate::scratch::ScratchFolder;
use crate::spec::{BundleSpec, TrustLevel};

/// A bundle cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// Its file cannot be read.
    #[error("cannot read '{path}'")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// It is not trusted, or not a bundle.
    #[error("rally refuses '{path}'")]
    Refused {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: Box<OpenError>,
    },
    /// Keys are named, but no signature is asked for.
    #[error("--trusted-key needs --trust signed: it names the keys that may have signed the bundle")]
    KeyWithoutSignature,
    /// Its file's name is not that of a track.
    #[error("the track in '{path}' has no track.lock and is named after the file")]
    Name {
        /// The file.
        path: PathBuf,
        /// What is wrong with the name.
        #[source]
        cause: TrackNameError,
    },
}

/// A verified bundle, unpacked. The folder goes when this is dropped.
#[derive(Debug)]
pub struct UnpackedBundle {
    folder: PathBuf,
    file: PathBuf,
    digest: Digest,
    trust: TrustLevel,
    signed_by: Option<KeyId>,
    _scratch: ScratchFolder,
}

impl UnpackedBundle {
    /// The SHA-256 of the file.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The folder of the track.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Name of its data folder: its own, so that a stranger's bundle leaves nothing where a track of the same name looks.
    pub fn data_name(&self, track: &str) -> String {
        let digest: String = self.digest.to_string().chars().take(16).collect();
        format!("{track}-{digest}")
    }

    /// What is kept with the race.
    pub fn record(&self) -> Value {
        json!({
            "file": self.file,
            "sha256": self.digest.to_string(),
            "trust": match self.trust {
                TrustLevel::Signed => "signed",
                TrustLevel::Digest => "digest",
                TrustLevel::Local => "local",
            },
            "signed-by": self.signed_by.map(|key| key.to_string()),
        })
    }
}

impl fmt::Display for UnpackedBundle {
    /// What is known of where it comes from.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bundle {}, SHA-256 {}", self.file.display(), self.digest)?;
        match (self.signed_by, self.trust) {
            (Some(key), _) => write!(f, ", signed by key {key}"),
            (None, TrustLevel::Local) => write!(f, ", taken as your own"),
            (None, _) => write!(f, ", not signed"),
        }
    }
}

/// Verifies and unpacks a bundle.
///
/// # Errors
/// Where it cannot be read, is not trusted, or cannot be unpacked.
pub fn open_bundle(spec: &BundleSpec, bounds: Bounds, home: &Home) -> Result<UnpackedBundle, SessionError> {
    let file = &spec.file;
    if spec.trust != TrustLevel::Signed && !spec.trusted_keys.is_empty() {
        return Err(SessionError::user(BundleError::KeyWithoutSignature));
    }
    let bytes = read(file)?;
    let options = OpenOptions {
        trust: match spec.trust {
            TrustLevel::Signed => Trust::Signed {
                signature: keys::signature(file).map_err(SessionError::user)?,
                keys: keys::trusted(&spec.trusted_keys, home).map_err(SessionError::user)?,
            },
            TrustLevel::Digest => Trust::Digest,
            TrustLevel::Local => Trust::Local,
        },
        digest: spec.digest,
        limits: Limits::default(),
        bounds,
    };
    let bundle = open(file, bytes, &options)?;
    let (folder, scratch) = unpack(file, &bundle, home)?;
    Ok(UnpackedBundle {
        folder,
        file: file.to_owned(),
        digest: bundle.digest(),
        trust: spec.trust,
        signed_by: bundle.signed_by(),
        _scratch: scratch,
    })
}

/// The bytes of a bundle, but not many more than are allowed.
///
/// # Errors
/// Where the file cannot be read.
pub fn read(file: &Path) -> Result<Vec<u8>, SessionError> {
    let mut bytes = Vec::new();
    File::open(file)
        .and_then(|opened| opened.take(Limits::default().size + 1).read_to_end(&mut bytes))
        .map_err(|cause| SessionError::user(BundleError::Read { path: file.to_owned(), cause }))?;
    Ok(bytes)
}

/// Verifies a bundle.
///
/// # Errors
/// Where it is not trusted, or not a bundle.
pub fn open(file: &Path, bytes: Vec<u8>, options: &OpenOptions) -> Result<Bundle, SessionError> {
    Bundle::open(bytes, options).map_err(|cause| {
        SessionError::user(BundleError::Refused { path: file.to_owned(), cause: Box::new(cause) })
    })
}

/// Unpacks a bundle into a folder that goes with the second of the results.
///
/// # Errors
/// Where nothing can be written there.
pub fn unpack(file: &Path, bundle: &Bundle, home: &Home) -> Result<(PathBuf, ScratchFolder), SessionError> {
    let name = match bundle.lock() {
        Some(lock) => lock.track().clone(),
        None => name(file)?,
    };
    let scratch = ScratchFolder::create(&home.bundles()).map_err(SessionError::failure)?;
    let folder = bundle
        .unpack(&scratch.content(), &name)
        .map_err(|error: UnpackError| SessionError::failure(error))?;
    Ok((folder, scratch))
}

fn name(file: &Path) -> Result<TrackName, SessionError> {
    let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    stem.parse().map_err(|cause| SessionError::user(BundleError::Name { path: file.to_owned(), cause }))
}
