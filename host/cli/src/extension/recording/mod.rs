//! Recordings: what a target has answered, played to an extension again and again, without a target.

mod file;
mod player;
mod recorder;
mod server;

pub use file::Recording;
pub use player::Player;
pub use recorder::Recorder;
