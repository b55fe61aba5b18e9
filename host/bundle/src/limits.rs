//! How large a bundle may be.

/// Bounds on a bundle, for whoever packs and whoever opens one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Size of the file in bytes. Default: 1 GiB. A bundle is held in memory between verifying and unpacking, so that nobody
    /// can exchange it in between; documents of that size belong behind the track's `data-url`, from where they are fetched
    /// once and kept.
    pub size: u64,
    /// Number of files. Default: 10,000. Tracks have tens; each one costs a file on the machine that unpacks it.
    pub files: usize,
    /// Size of `track.lock` in bytes. Default: 4 MiB, room for 10,000 files with names of usual length.
    pub lock: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { size: 1 << 30, files: 10_000, lock: 4 << 20 }
    }
}
