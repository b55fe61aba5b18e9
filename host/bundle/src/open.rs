//! Opening a bundle: how far it is believed, and why it is refused.

use std::io;
use std::ops::Range;

use rally_component::{Bounds, Digest, Facts, InspectError, inspect};

use crate::keys::{KeyError, KeyId, PublicKey, Signature};
use crate::limits::Limits;
use crate::lock::{LockError, LockedComponent, TrackLock};
use crate::path::{BundlePath, PathError};
use crate::{archive, loose};

/// How far a bundle is believed.
#[derive(Debug, Clone)]
pub enum Trust {
    /// Whoever has one of these keys has signed it. That is verified before the archive is looked at; then all that
    /// [`Trust::Digest`] verifies.
    Signed {
        /// The text of the signature that came with the bundle, if one did.
        signature: Option<String>,
        /// Keys that are trusted.
        keys: Vec<PublicKey>,
    },
    /// It is what `rally bundle` has made, to the last byte. That does not show who made it, unless its digest was passed on
    /// another way and is given as [`OpenOptions::digest`].
    Digest,
    /// It is the user's own: any archive that unpacks safely will do, made by any tool and without a lock. A lock that is there
    /// has to hold.
    Local,
}

/// How to open a bundle.
#[derive(Debug, Clone)]
pub struct OpenOptions {
    /// How far it is believed.
    pub trust: Trust,
    /// SHA-256 that the whole file has to have.
    pub digest: Option<Digest>,
    /// Bounds on the bundle.
    pub limits: Limits,
    /// Bounds on components.
    pub bounds: Bounds,
}

/// A bundle that was verified.
#[derive(Debug, Clone)]
pub struct Bundle {
    bytes: Vec<u8>,
    digest: Digest,
    lock: Option<TrackLock>,
    files: Vec<(BundledFile, Range<usize>)>,
    signed_by: Option<KeyId>,
}

/// A file in a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundledFile {
    /// Where it lies in the track folder.
    pub path: BundlePath,
    /// Its size in bytes.
    pub size: u64,
    /// Its SHA-256.
    pub sha256: Digest,
    /// What there is to know of it, if it is a component.
    pub component: Option<Facts>,
}

/// Why a bundle is refused. The messages do not name the file: whoever has read it does.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It has another digest than was asked for.
    #[error("this is a different bundle: its SHA-256 is {actual}, expected {expected}")]
    OtherDigest {
        /// What it has.
        actual: Digest,
        /// What was asked for.
        expected: Digest,
    },
    /// It is not signed.
    #[error(
        "the bundle is not signed: there is no signature file (the bundle's name with .sig) beside it. Ask for it; or, where you know the \
         bundle's SHA-256 from its author, give --trust digest --bundle-digest SHA256; a bundle of your own runs with --trust local"
    )]
    NotSigned,
    /// The signature is not a signature.
    #[error("cannot read the signature of the bundle")]
    Signature(#[source] KeyError),
    /// No key is trusted.
    #[error(
        "no key is trusted yet: the bundle says to be signed by key {signer}. If you know that key, name its file with --trusted-key, or put \
         it into the folder trusted-keys of rally's home"
    )]
    NoKeys {
        /// Who it says to be signed by.
        signer: KeyId,
    },
    /// The key is not trusted.
    #[error(
        "the bundle says to be signed by key {signer}, which is not trusted (trusted {}). If you know that key, name its file with \
         --trusted-key, or put it into the folder trusted-keys of rally's home",
        ids(trusted)
    )]
    UnknownKey {
        /// Who it says to be signed by.
        signer: KeyId,
        /// Which keys are trusted.
        trusted: Vec<KeyId>,
    },
    /// The signature is not of this file.
    #[error(
        "the signature does not match: the bundle was changed after key {signer} signed it, or that key signed another bundle; do not run it"
    )]
    BadSignature {
        /// Who it says to be signed by.
        signer: KeyId,
    },
    /// It is too large.
    #[error(
        "the bundle is too large: {size} bytes, the limit is {limit}; put its documents behind a URL (data-url)"
    )]
    TooLarge {
        /// Its size.
        size: u64,
        /// What is allowed.
        limit: u64,
    },
    /// Its lock is too large.
    #[error("the bundle's track.lock is too large: {size} bytes, the limit is {limit}")]
    LockTooLarge {
        /// Its size.
        size: u64,
        /// What is allowed.
        limit: u64,
    },
    /// It has too many files.
    #[error("the bundle has too many files: {count} or more, the limit is {limit}")]
    TooManyFiles {
        /// How many.
        count: usize,
        /// How many are allowed.
        limit: usize,
    },
    /// It does not begin as bundles do.
    #[error(
        "this is not a bundle: it begins with '{begin}' instead of the header of track.lock; bundles are made \
         with `rally bundle`, and an archive of your own runs with --trust local"
    )]
    NotABundle {
        /// How it begins.
        begin: String,
    },
    /// It ends too early.
    #[error("the bundle is cut short: it ends at byte {size}, within '{path}'; copy or download it again")]
    CutShort {
        /// Its size.
        size: u64,
        /// The file that is cut.
        path: String,
    },
    /// Some bytes are not what they have to be.
    #[error(
        "the bundle was changed or is damaged at byte {offset}, {place}; get it again from a source that you trust"
    )]
    Changed {
        /// Where.
        offset: u64,
        /// Where, in words.
        place: String,
    },
    /// A file is not what the lock says.
    #[error("the bundle was changed or is damaged: '{path}' does not have the digest that track.lock lists")]
    FileChanged {
        /// Which.
        path: BundlePath,
    },
    /// A file of the lock is not there.
    #[error("the bundle lacks '{path}', which its track.lock lists")]
    FileMissing {
        /// Which.
        path: BundlePath,
    },
    /// A file is there that is not in the lock.
    #[error("the bundle has '{path}', which its track.lock does not list")]
    FileExtra {
        /// Which.
        path: BundlePath,
    },
    /// Two files cannot both be there.
    #[error("the archive has '{path}' twice, or as both a file and a folder")]
    Clash {
        /// Which.
        path: BundlePath,
    },
    /// Something is not a file.
    #[error("the archive has '{name}', which is {kind}; only files and folders are allowed")]
    NotAFile {
        /// Which.
        name: String,
        /// What it is.
        kind: &'static str,
    },
    /// The archive cannot be read.
    #[error("this is not a tar archive, or it is damaged; archives of tracks are not compressed")]
    Tar(#[source] io::Error),
    /// A name is not allowed.
    #[error(transparent)]
    Path(#[from] PathError),
    /// The lock is wrong.
    #[error("the bundle is refused")]
    Lock(#[from] LockError),
    /// A component would not run.
    #[error("this version of rally cannot run the bundle's component '{path}'")]
    Component {
        /// Which.
        path: BundlePath,
        #[source]
        /// Why.
        cause: InspectError,
    },
    /// The lock says something else of a component than is in it.
    #[error(
        "track.lock is wrong about '{path}': it lists {said}, but the file is {actual}; do not run this bundle"
    )]
    Lie {
        /// Which.
        path: BundlePath,
        /// What the lock says.
        said: String,
        /// What is there.
        actual: String,
    },
}

impl Bundle {
    /// Verifies a bundle. Nothing of it is parsed before the level of trust that is asked for is reached.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn open(bytes: Vec<u8>, options: &OpenOptions) -> Result<Bundle, OpenError> {
        let size = bytes.len() as u64;
        if size > options.limits.size {
            return Err(OpenError::TooLarge { size, limit: options.limits.size });
        }
        let digest = Digest::of(&bytes);
        if let Some(expected) = options.digest.filter(|expected| *expected != digest) {
            return Err(OpenError::OtherDigest { actual: digest, expected });
        }
        let signed_by = match &options.trust {
            Trust::Signed { signature, keys } => Some(verify(&digest, signature.as_deref(), keys)?),
            Trust::Digest | Trust::Local => None,
        };
        let (lock, places) = match &options.trust {
            Trust::Signed { .. } | Trust::Digest => {
                let (lock, contents) = archive::read(&bytes, &options.limits)?;
                let paths = lock.files().iter().map(|file| file.path.clone());
                let places: Vec<_> = paths.zip(contents).collect();
                (Some(lock), places)
            }
            Trust::Local => {
                let loose = loose::read(&bytes, &options.limits)?;
                (loose.lock, loose.files)
            }
        };
        let files = places
            .into_iter()
            .map(|(path, content)| Ok((survey(path, &bytes[content.clone()], &options.bounds)?, content)))
            .collect::<Result<Vec<_>, OpenError>>()?;
        if let Some(lock) = &lock {
            compare(lock, &files)?;
        }
        Ok(Bundle { bytes, digest, lock, files, signed_by })
    }

    /// SHA-256 of the whole file.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Size of the whole file in bytes.
    pub fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// What it says to hold; an archive of the user's own may say nothing.
    pub fn lock(&self) -> Option<&TrackLock> {
        self.lock.as_ref()
    }

    /// The trusted key that has signed it, where that was asked for.
    pub fn signed_by(&self) -> Option<KeyId> {
        self.signed_by
    }

    /// Its files, sorted by name.
    pub fn files(&self) -> impl Iterator<Item = &BundledFile> {
        self.files.iter().map(|(file, _)| file)
    }

    /// Its files with their contents.
    pub(crate) fn contents(&self) -> impl Iterator<Item = (&BundlePath, &[u8])> {
        self.files.iter().map(|(file, content)| (&file.path, &self.bytes[content.clone()]))
    }
}

fn verify(digest: &Digest, signature: Option<&str>, keys: &[PublicKey]) -> Result<KeyId, OpenError> {
    let signature: Signature =
        signature.ok_or(OpenError::NotSigned)?.parse().map_err(OpenError::Signature)?;
    let signer = signature.key();
    if keys.is_empty() {
        return Err(OpenError::NoKeys { signer });
    }
    let Some(key) = keys.iter().find(|key| key.id() == signer) else {
        return Err(OpenError::UnknownKey { signer, trusted: keys.iter().map(PublicKey::id).collect() });
    };
    if key.verifies(digest, &signature) { Ok(signer) } else { Err(OpenError::BadSignature { signer }) }
}

fn survey(path: BundlePath, content: &[u8], bounds: &Bounds) -> Result<BundledFile, OpenError> {
    let component = if path.is_component() {
        let facts = inspect(content, bounds);
        Some(facts.map_err(|cause| OpenError::Component { path: path.clone(), cause })?)
    } else {
        None
    };
    Ok(BundledFile { path, size: content.len() as u64, sha256: Digest::of(content), component })
}

/// Holds the lock to what the components are.
fn compare(lock: &TrackLock, files: &[(BundledFile, Range<usize>)]) -> Result<(), OpenError> {
    for (locked, (file, _)) in lock.files().iter().zip(files) {
        let actual = file.component.as_ref().map(LockedComponent::from);
        if actual != locked.component {
            let said = describe(locked.component.as_ref());
            return Err(OpenError::Lie { path: file.path.clone(), said, actual: describe(actual.as_ref()) });
        }
    }
    Ok(())
}

fn describe(component: Option<&LockedComponent>) -> String {
    match component {
        None => "no component".to_owned(),
        Some(LockedComponent { wit_version, imports }) => {
            format!("a component for version {wit_version} that imports {}", imports.join(", "))
        }
    }
}

fn ids(keys: &[KeyId]) -> String {
    let texts: Vec<String> = keys.iter().map(KeyId::to_string).collect();
    format!("{} {}", if texts.len() == 1 { "is" } else { "are" }, texts.join(", "))
}
