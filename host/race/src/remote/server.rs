//! The end of the process that performs the race.

use std::io::{Read, Write};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, select, unbounded};

use super::frame::{read, write};
use super::{FromDriver, Greeting, ToDriver, WireError};
use crate::cancel::Cancel;
use crate::driver::{DriverCommand, LoadDriver, StopMode};
use crate::error::RaceError;
use crate::event::DriverEvent;
use crate::local::LocalDriver;

/// Performs races with `driver` for the process at the other end of a connection, until that is gone. What is in flight then
/// is given up: no load without the process that asked for it.
///
/// `gone` is cancelled as soon as the other end is gone, so that a race that is being loaded can be given up as well.
///
/// # Errors
/// Where the other end is of another version, or sends what makes no sense. The end of the connection between two messages
/// is no error.
pub fn serve(
    mut from: impl Read + Send + 'static,
    mut to: impl Write,
    mut driver: LocalDriver,
    gone: &Cancel,
) -> Result<(), WireError> {
    write(&mut to, &Greeting::own())?;
    match read::<Greeting>(&mut from) {
        Ok(theirs) => theirs.check()?,
        Err(WireError::Closed) => return Ok(()),
        Err(error) => return Err(error),
    }
    let (sender, messages) = unbounded();
    let at_end = gone.clone();
    thread::Builder::new().name("rally-commands".to_owned()).spawn(move || {
        listen(from, &sender);
        at_end.cancel();
    })?;
    let ended = perform(&messages, &mut to, &mut driver);
    // It may be gone already.
    let _ = driver.send(DriverCommand::StopStep(StopMode::Abandon(Duration::ZERO)));
    match ended {
        Err(WireError::Closed) => Ok(()),
        ended => ended,
    }
}

/// Reads messages to the end of the connection.
fn listen(mut from: impl Read, messages: &Sender<Result<ToDriver, WireError>>) {
    loop {
        let message = read(&mut from);
        let last = message.is_err();
        if messages.send(message).is_err() || last {
            return;
        }
    }
}

fn perform(
    messages: &Receiver<Result<ToDriver, WireError>>,
    to: &mut impl Write,
    driver: &mut LocalDriver,
) -> Result<(), WireError> {
    loop {
        let events = driver.events();
        select! {
            recv(messages) -> message => match message.unwrap_or(Err(WireError::Closed)) {
                Ok(ToDriver::Ping(number)) => {
                    let clock = driver.clock().epoch.elapsed();
                    write(to, &FromDriver::Pong { number, clock })?;
                }
                Ok(ToDriver::Command(command)) => {
                    if let Err(cause) = driver.send(command) {
                        write(to, &FromDriver::Event(DriverEvent::Failed(RaceError::Driver(cause))))?;
                    }
                }
                Err(error) => {
                    if !matches!(error, WireError::Closed) {
                        // The other end may be able to read, if not to write.
                        let cause = format!("it cannot understand its commands: {error}").into();
                        let _ = write(to, &FromDriver::Event(DriverEvent::Failed(RaceError::Driver(cause))));
                    }
                    return Err(error);
                }
            },
            // The driver holds the other end of its events.
            recv(events) -> event => if let Ok(event) = event {
                write(to, &FromDriver::Event(event))?;
            },
        }
    }
}
