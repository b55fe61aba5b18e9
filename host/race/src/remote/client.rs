//! The end of the process that conducts the race.

use std::io::{Read, Write};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};

use super::frame::{read, write};
use super::{FromDriver, Greeting, ToDriver, WireError};
use crate::driver::{DriverClock, DriverCommand, LoadDriver};
use crate::error::RaceError;
use crate::event::DriverEvent;
use crate::seams::Cause;

/// A load driver greets at once, before it does anything else; this is what a busy machine may take.
const GREETING: Duration = Duration::from_secs(30);

/// Its clock is asked for this often: the answer that came fastest counts.
const PINGS: u32 = 16;

/// How long before a start the driver has to know of it: a frame through a pipe to a busy process, and its threads' waking up.
const LEAD: Duration = Duration::from_millis(20);

/// A load driver in another process.
///
/// Its events end where the connection does; the last one then says why. Dropping it closes the connection, and with it the load.
pub struct RemoteDriver {
    writer: Box<dyn Write + Send>,
    events: Receiver<DriverEvent>,
    clock: DriverClock,
}

impl RemoteDriver {
    /// Greets the driver at the other end of a connection, and agrees with it on a clock.
    ///
    /// # Errors
    /// Where the other end is not a load driver of this version, or does not answer.
    pub fn connect(
        from: impl Read + Send + 'static,
        to: impl Write + Send + 'static,
    ) -> Result<RemoteDriver, WireError> {
        let mut writer: Box<dyn Write + Send> = Box::new(to);
        let (greeted, greeting) = bounded(1);
        let (pong, pongs) = unbounded();
        let (sender, events) = unbounded();
        thread::Builder::new()
            .name("rally-remote-driver".to_owned())
            .spawn(move || listen(from, &greeted, &pong, &sender))?;
        // Who speaks another version may close its end before it has read this; what it said first counts.
        let written = write(&mut writer, &Greeting::own());
        let theirs: Greeting = answer(&greeting)??;
        theirs.check()?;
        written?;
        let mut best: Option<(Duration, Instant)> = None;
        for number in 0..PINGS {
            let asked = Instant::now();
            write(&mut writer, &ToDriver::Ping(number))?;
            let (clock, answered) = pong_of(number, &pongs)?;
            let round_trip = answered - asked;
            let epoch = (asked + round_trip / 2).checked_sub(clock).unwrap_or(asked);
            if best.is_none_or(|(fastest, _)| round_trip < fastest) {
                best = Some((round_trip, epoch));
            }
        }
        let epoch = best.map_or_else(Instant::now, |(_, epoch)| epoch);
        Ok(RemoteDriver { writer, events, clock: DriverClock { epoch, lead: LEAD } })
    }
}

impl LoadDriver for RemoteDriver {
    fn send(&mut self, command: DriverCommand) -> Result<(), Cause> {
        Ok(write(&mut self.writer, &ToDriver::Command(command))?)
    }

    fn events(&self) -> &Receiver<DriverEvent> {
        &self.events
    }

    fn clock(&self) -> DriverClock {
        self.clock
    }
}

/// What a driver's clock showed, and when its answer came.
type Pong = (u32, Duration, Instant);

fn answer<T>(from: &Receiver<T>) -> Result<T, WireError> {
    from.recv_timeout(GREETING).map_err(|error| match error {
        RecvTimeoutError::Timeout => WireError::Silent { seconds: GREETING.as_secs() },
        RecvTimeoutError::Disconnected => WireError::Closed,
    })
}

fn pong_of(number: u32, pongs: &Receiver<Pong>) -> Result<(Duration, Instant), WireError> {
    loop {
        let (of, clock, answered) = answer(pongs)?;
        if of == number {
            return Ok((clock, answered));
        }
    }
}

/// Reads what the driver says, to its end.
fn listen(
    mut from: impl Read,
    greeted: &Sender<Result<Greeting, WireError>>,
    pongs: &Sender<Pong>,
    events: &Sender<DriverEvent>,
) {
    let greeting = read(&mut from);
    let refused = greeting.is_err();
    if greeted.send(greeting).is_err() || refused {
        return;
    }
    loop {
        let taken = match read(&mut from) {
            Ok(FromDriver::Event(event)) => events.send(event).is_ok(),
            // Only the first answers are waited for.
            Ok(FromDriver::Pong { number, clock }) => {
                let _ = pongs.send((number, clock, Instant::now()));
                true
            }
            Err(error) => {
                let _ = events.send(DriverEvent::Failed(RaceError::Driver(error.into())));
                false
            }
        };
        if !taken {
            return;
        }
    }
}
