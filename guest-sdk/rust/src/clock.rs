//! Time. An extension that asks for it shows this in its imports, because its requests are not the same in each race.

use std::time::Duration;

use crate::handle;

/// Time since 1970-01-01T00:00:00Z.
pub fn wall() -> Duration {
    Duration::from_nanos(handle::clock::wall())
}

/// Time since some moment before this instance was made. Never goes back.
pub fn monotonic() -> Duration {
    Duration::from_nanos(handle::clock::monotonic())
}
