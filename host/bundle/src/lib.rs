//! A track as one file: packed the same each time, verified before anything in it is read.
//!
//! ```text
//! folder ─▶ pack ─▶ track.lock + files ─▶ archive ─▶ signature
//! archive ─▶ open: signature ─▶ archive, byte for byte ─▶ track.lock ─▶ digests ─▶ components ─▶ unpack
//! ```
//!
//! A bundle is an uncompressed tar archive whose every byte follows from what it holds: first the [`TrackLock`], then the
//! files in the order of their names, with headers that know no owner, mode or time. Whoever opens one builds the headers
//! anew from the lock and compares them, so that there is nothing in a bundle that could be changed unnoticed and nothing
//! in it that a reader of archives could be misled with.
//!
//! How far a bundle is believed is for whoever opens it to say ([`Trust`]); no level falls back to another.

mod archive;
mod keys;
mod limits;
mod lock;
mod loose;
mod open;
mod pack;
mod path;
mod unpack;

pub use keys::{KeyError, KeyId, PublicKey, SecretKey, Signature};
pub use limits::Limits;
pub use lock::{LockError, LockedComponent, LockedFile, TrackLock};
pub use open::{Bundle, BundledFile, OpenError, OpenOptions, Trust};
pub use pack::{LeftOut, PackError, PackOptions, Packed, TRACK_FILE, pack};
pub use path::{BundlePath, LOCK_FILE, PathError, TrackName, TrackNameError};
pub use unpack::UnpackError;
