//! Git repositories of tracks, and `rally.ini`, which names them.
//!
//! ```text
//! rally.ini ─▶ RepositoryConfig ─▶ TrackRepository ─▶ Checkout ─▶ tracks
//!              name, URL, folder    clone or fetch,    version ─▶ branch or tag,
//!                                   under a lock       revision
//! ```
//!
//! Which branch belongs to a version of Elasticsearch is Elastic Rally's rule ([`best_match`]), and so is the order of what
//! is done: fetch, check out, follow the remote branch ([`Step`]). What a user has changed in a working copy stays as it
//! is: files that differ from their commit are never overwritten, and commits that only exist locally are neither moved nor
//! dropped. Where that keeps a repository from being brought up to date, a [`Warning`] says so.
//!
//! Git is read and written with gix; the working copies are ordinary ones, which `git` can work with as well. Repositories
//! over HTTP need nothing installed; those over SSH need `ssh`, local ones need `git` for its `git-upload-pack`.

mod changes;
mod clone;
mod config;
mod connection;
mod error;
mod fetch;
mod http;
mod lock;
mod remote_url;
mod repository;
mod staging;
mod switch;
mod tracks;
mod versions;
mod warning;
mod working_copy;

pub use config::{ConfigError, ConfigErrorKind, DEFAULT_REPOSITORY, DEFAULT_TRACKS_URL, RallyConfig};
pub use error::RepositoryError;
pub use remote_url::{RemoteUrl, RemoteUrlError};
pub use repository::{BranchOrTag, Checkout, RepositoryConfig, Step, TrackRepository};
pub use tracks::FindTrackError;
pub use versions::{
    InvalidVersion, VersionComponents, best_match, components, is_serverless, is_version_identifier,
    major_version, variants_of,
};
pub use warning::Warning;
