//! What can go wrong.

use rally_track::TrackError;

/// No plan can be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The track cannot be read.
    #[error(transparent)]
    Track(#[from] TrackError),
    /// A challenge has too many clients and steps for a readable plan.
    #[error(
        "challenge '{challenge}' would need a matrix of {cells} cells (clients times steps), more than {most}; give its tasks fewer clients"
    )]
    TooManyClients {
        /// Name of the challenge.
        challenge: String,
        /// Cells that it needs.
        cells: u64,
        /// Cells that are planned at most.
        most: u64,
    },
    /// A bulk operation is divided into more parts than anybody could read.
    #[error(
        "operation '{operation}' divides {files} files among {clients} clients, into more than {most} parts; give its tasks fewer clients"
    )]
    TooManyReaders {
        /// Name of the operation.
        operation: String,
        /// Clients that share it.
        clients: u32,
        /// Files of the track.
        files: u64,
        /// Parts that are planned at most.
        most: u64,
    },
    /// Something of the track cannot be shown as JSON.
    #[error("the plan cannot be written as JSON")]
    Json(#[from] serde_json::Error),
}
