//! A load driver in another process: commands and events as frames on a pair of pipes, or any other stream.
//!
//! Both sides greet each other with a [`Greeting`] first. [`RemoteDriver`] is the end of the process that conducts the race,
//! [`serve`] that of the one that performs it.

mod client;
mod frame;
mod server;

pub use client::RemoteDriver;
pub use frame::{LONGEST_FRAME, WireError};
pub use server::serve;

use serde::{Deserialize, Serialize};
use std::time::Duration;

use crate::driver::DriverCommand;
use crate::event::DriverEvent;

/// Version of the messages and of all that is in them. Ends of different versions do not work together: figures that one of
/// them does not know would be lost.
pub const PROTOCOL_VERSION: u32 = 1;

/// What each end says first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Greeting {
    /// [`PROTOCOL_VERSION`]. Later versions may add fields to a greeting, but this one stays.
    pub protocol: u32,
    /// Version of the program, for messages.
    #[serde(default)]
    pub version: String,
}

impl Greeting {
    /// That of this program.
    pub fn own() -> Greeting {
        Greeting { protocol: PROTOCOL_VERSION, version: env!("CARGO_PKG_VERSION").to_owned() }
    }

    /// Refuses the other end where it speaks another version.
    fn check(&self) -> Result<(), WireError> {
        let own = Greeting::own();
        match self.protocol == own.protocol {
            true => Ok(()),
            false => Err(WireError::Version { theirs: self.clone(), own }),
        }
    }
}

/// What the conducting process says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ToDriver {
    Command(DriverCommand),
    /// Answered with the same number at once.
    Ping(u32),
}

/// What the load driver says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum FromDriver {
    Event(DriverEvent),
    Pong {
        number: u32,
        /// What the driver's clock shows.
        clock: Duration,
    },
}
