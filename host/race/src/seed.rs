//! One seed drives every random choice of a race; each client of each task in each lap has a seed of its own.

use sha2::{Digest, Sha256};

use crate::seams::Partition;

/// Derives the seed of one client: the first eight bytes (little endian) of the SHA-256 of `rally/seed/1`, a zero byte,
/// the race's seed (eight bytes, little endian), the lap and the client's index in its task (four bytes each, little
/// endian), and the task's name in UTF-8. Written down because it must be the same on every machine and in every release:
/// the same race seed sends the same requests.
pub fn client_seed(race_seed: u64, lap: u32, task: &str, client_index: u32) -> u64 {
    let digest = Sha256::new()
        .chain_update(b"rally/seed/1\0")
        .chain_update(race_seed.to_le_bytes())
        .chain_update(lap.to_le_bytes())
        .chain_update(client_index.to_le_bytes())
        .chain_update(task.as_bytes())
        .finalize();
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    u64::from_le_bytes(first)
}

impl Partition {
    /// The partition of one client of a task.
    pub fn of(race_seed: u64, lap: u32, task: &rally_track::Task, client_index: u32) -> Partition {
        Partition {
            index: client_index,
            total: task.clients,
            seed: client_seed(race_seed, lap, &task.name, client_index),
        }
    }
}
