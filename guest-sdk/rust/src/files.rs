//! Files: those of the track folder, and those of its data folder.

use crate::bindings::host::rally::track::files as wire;

pub use wire::{Entry, Kind as FileKind, Packing, Status};

/// The functions that both folders have.
macro_rules! folder {
    ($backend:path) => {
        use $backend as backend;

        use crate::files::{Entry, Packing, Status};
        use crate::{Error, Result};

        /// What a file or folder is, and its size in bytes.
        ///
        /// # Errors
        /// Where there is none of this name.
        pub fn stat(name: &str) -> Result<Status> {
            backend::stat(name).map_err(Error::from_wire)
        }

        /// The entries of a folder, sorted by name; the empty name is the whole.
        ///
        /// # Errors
        /// Where there is no such folder.
        pub fn entries(name: &str) -> Result<Vec<Entry>> {
            backend::entries(name).map_err(Error::from_wire)
        }

        /// The whole file.
        ///
        /// # Errors
        /// Where there is none of this name, or it is larger than the race allows.
        pub fn read(name: &str) -> Result<Vec<u8>> {
            backend::read(name).map_err(Error::from_wire)
        }

        /// The whole file as text.
        ///
        /// # Errors
        /// As [`read`], and where it is not UTF-8.
        pub fn read_text(name: &str) -> Result<String> {
            String::from_utf8(read(name)?).map_err(|error| Error::from(error).at(name))
        }

        /// At most `length` bytes from `offset` on; fewer only at the end.
        ///
        /// # Errors
        /// As [`read`].
        pub fn read_range(name: &str, offset: u64, length: u32) -> Result<Vec<u8>> {
            backend::read_range(name, offset, length).map_err(Error::from_wire)
        }

        /// The whole file, unpacked.
        ///
        /// # Errors
        /// As [`read`], and where it is not packed in this way.
        pub fn read_unpacked(name: &str, packing: Packing) -> Result<Vec<u8>> {
            backend::read_unpacked(name, packing).map_err(Error::from_wire)
        }
    };
}

/// The files of the track folder, read only. Names are relative to it, with `/`.
pub mod assets {
    folder!(crate::handle::assets);
}

/// The data folder of the track. Writing needs a grant from whoever runs the race.
pub mod data {
    folder!(crate::handle::data);

    /// Makes an empty file, with the folders that lead to it; replaces what was there.
    ///
    /// # Errors
    /// Where it is not granted, or cannot be made.
    pub fn create(name: &str) -> Result<()> {
        backend::create(name).map_err(Error::from_wire)
    }

    /// Adds to the end of a file that this instance has made.
    ///
    /// # Errors
    /// Where it was not made by this instance, or would become too large.
    pub fn append(name: &str, bytes: &[u8]) -> Result<()> {
        backend::append(name, bytes).map_err(Error::from_wire)
    }
}
