//! Recordings of what a target answered: [`Recorder`] stands before a target and writes down what passes, [`Player`] answers in
//! the place of the target. Tests of extensions race against a recording without a target.

mod file;
mod player;
mod recorder;
mod server;

pub use file::{Answer, Asked, Exchange, Recording, RecordingError};
pub use player::Player;
pub use recorder::{RecordError, Recorder};
