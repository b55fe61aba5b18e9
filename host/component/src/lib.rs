//! Facts about a track's component without running it: [`inspect`] reads a file from anyone and reports its imports and exports, or
//! why rally cannot run it; [`encode`] makes a component from the output of a compiler.
//!
//! Nothing here executes or compiles anything, and nothing here trusts the file: sizes are held to [`Bounds`] before they are
//! acted upon, and names out of the file are made printable before anyone sees them.

mod bounds;
mod digest;
mod encode;
mod error;
mod facts;
mod inspect;
mod joins;
mod version;

pub use bounds::Bounds;
pub use digest::{Digest, DigestError, Hasher};
pub use encode::{EncodeError, encode};
pub use error::{Bound, InspectError};
pub use facts::{Capability, CoreCounts, Facts, Import, Producer, Role};
pub use inspect::inspect;
pub use semver::Version;
pub use version::{PACKAGE, offered_versions};
