//! The way of a bundle into a race.

pub mod keys;
mod open;

pub use open::{BundleError, UnpackedBundle, open, open_bundle, read, unpack};
