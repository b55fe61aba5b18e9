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

use crate::bundle::args::{TrustArgs, TrustLevel};
use crate::bundle::key_files;
use crate::ending::CommandError;
use crate::home::Home;
use crate::scratch::ScratchFolder;

/// A bundle cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    #[error("cannot read {path}")]
    Read {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error("{path} is refused")]
    Refused {
        path: PathBuf,
        #[source]
        cause: Box<OpenError>,
    },
    #[error(
        "--trusted-key names who may have signed a bundle: that goes with --trust signed, and with no other level"
    )]
    KeyWithoutSignature,
    #[error("--trust, --trusted-key and --bundle-digest are about bundles: they go with --bundle FILE")]
    NoBundle,
    #[error("the track in {path} is named after the file, as it has no track.lock")]
    Name {
        path: PathBuf,
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

/// Verifies and unpacks the bundle that the user asks for, if it is a bundle.
pub fn prepare(
    bundle: Option<&Path>,
    trust: &TrustArgs,
    bounds: Bounds,
    home: &Home,
) -> Result<Option<UnpackedBundle>, CommandError> {
    let Some(file) = bundle else {
        // clap does not require an argument whose group another one has taken.
        let is_asked =
            trust.trust.is_some() || !trust.trusted_key.is_empty() || trust.bundle_digest.is_some();
        return if is_asked { Err(CommandError::user(BundleError::NoBundle)) } else { Ok(None) };
    };
    let level = trust.trust.unwrap_or(TrustLevel::Signed);
    if level != TrustLevel::Signed && !trust.trusted_key.is_empty() {
        return Err(CommandError::user(BundleError::KeyWithoutSignature));
    }
    let bytes = read(file)?;
    let options = OpenOptions {
        trust: match level {
            TrustLevel::Signed => Trust::Signed {
                signature: key_files::signature(file).map_err(CommandError::user)?,
                keys: key_files::trusted(&trust.trusted_key, home).map_err(CommandError::user)?,
            },
            TrustLevel::Digest => Trust::Digest,
            TrustLevel::Local => Trust::Local,
        },
        digest: trust.bundle_digest,
        limits: Limits::default(),
        bounds,
    };
    let bundle = open(file, bytes, &options)?;
    let (folder, scratch) = unpack(file, &bundle, home)?;
    Ok(Some(UnpackedBundle {
        folder,
        file: file.to_owned(),
        digest: bundle.digest(),
        trust: level,
        signed_by: bundle.signed_by(),
        _scratch: scratch,
    }))
}

/// The bytes of a bundle, but not many more than are allowed.
pub fn read(file: &Path) -> Result<Vec<u8>, CommandError> {
    let mut bytes = Vec::new();
    File::open(file)
        .and_then(|opened| opened.take(Limits::default().size + 1).read_to_end(&mut bytes))
        .map_err(|cause| CommandError::user(BundleError::Read { path: file.to_owned(), cause }))?;
    Ok(bytes)
}

/// Verifies a bundle.
pub fn open(file: &Path, bytes: Vec<u8>, options: &OpenOptions) -> Result<Bundle, CommandError> {
    Bundle::open(bytes, options).map_err(|cause| {
        CommandError::user(BundleError::Refused { path: file.to_owned(), cause: Box::new(cause) })
    })
}

/// Unpacks a bundle into a folder that goes with the second of the results.
pub fn unpack(file: &Path, bundle: &Bundle, home: &Home) -> Result<(PathBuf, ScratchFolder), CommandError> {
    let name = match bundle.lock() {
        Some(lock) => lock.track().clone(),
        None => name(file)?,
    };
    let scratch = ScratchFolder::create(&home.bundles()).map_err(CommandError::failure)?;
    let folder = bundle
        .unpack(&scratch.content(), &name)
        .map_err(|error: UnpackError| CommandError::failure(error))?;
    Ok((folder, scratch))
}

fn name(file: &Path) -> Result<TrackName, CommandError> {
    let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    stem.parse().map_err(|cause| CommandError::user(BundleError::Name { path: file.to_owned(), cause }))
}
