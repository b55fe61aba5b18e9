//! What a template may use up.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use minijinja::{Error, ErrorKind};

/// Instructions of the engine for one rendering. The largest track of elastic/rally-tracks needs less than a
/// hundredth; at this many a rendering takes a second or two.
pub(super) const FUEL: u64 = 10_000_000;
/// Depth of includes (10 each), macros (4 each) and loops: 20 includes in each other. The engine's own limit of 500
/// could exhaust the stack of a small thread.
pub(super) const RECURSION: usize = 200;
/// Bytes of the rendered text, and of everything that is printed on the way to it, into variables above all.
pub(super) const OUTPUT_BYTES: usize = 32 * 1024 * 1024;
/// Bytes and elements of one value that a template gives a name: what grows by being assigned again and again
/// (`{% set x = x ~ x %}`) ends here.
pub(super) const VALUE_ELEMENTS: usize = 1024 * 1024;
/// Bytes, and sixteen of them for each element of a list, of all that the expressions of one rendering make, whether it has a
/// name, is printed or is thrown away.
const MADE_BYTES: usize = 256 * 1024 * 1024;
/// Levels of lists and maps in each other.
pub(super) const NESTING: usize = 64;
/// Seconds that all renderings of a track may take together. Steps differ in what they cost, so fuel alone allows hours.
const SECONDS: u64 = 10;
/// Bytes of a track with all parts pasted in, before it is rendered.
pub(super) const ASSEMBLED_BYTES: usize = 32 * 1024 * 1024;
/// Levels of parts that collect parts.
pub(super) const PASTED_LEVELS: usize = 30;
/// Widest indent of `tojson`.
pub(super) const MAX_INDENT: usize = 32;

/// Counts what is made and printed, and how long it takes.
#[derive(Debug)]
pub(super) struct Meter {
    made: AtomicUsize,
    printed: AtomicUsize,
    started: Instant,
}

impl Meter {
    /// For a rendering of a track whose first one started then.
    pub(super) fn new(started: Instant) -> Self {
        Self { made: AtomicUsize::default(), printed: AtomicUsize::default(), started }
    }

    /// Charges what an expression made, and looks at the clock.
    ///
    /// # Errors
    ///
    /// When the expressions made more than [`MADE_BYTES`], or the time is over.
    pub(super) fn make(&self, bytes: usize) -> Result<(), Error> {
        self.tick()?;
        if self.made.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes) <= MADE_BYTES {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::InvalidOperation,
            format!("the expressions of the template make more than {} MiB", MADE_BYTES / 1024 / 1024),
        ))
    }

    /// Called in each turn of each loop.
    ///
    /// # Errors
    ///
    /// When the time is over.
    pub(super) fn tick(&self) -> Result<(), Error> {
        if self.started.elapsed() < Duration::from_secs(SECONDS) {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::InvalidOperation,
            format!("the template does not end: rally stopped it after {SECONDS} seconds"),
        ))
    }

    /// # Errors
    ///
    /// When more than [`OUTPUT_BYTES`] have been printed in all.
    pub(super) fn print(&self, bytes: usize) -> Result<(), Error> {
        match self.add(bytes) {
            true => Ok(()),
            false => Err(output_too_large()),
        }
    }

    fn add(&self, bytes: usize) -> bool {
        self.printed.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes) <= OUTPUT_BYTES
    }
}

/// The error for too much output.
pub(super) fn output_too_large() -> Error {
    Error::new(
        ErrorKind::InvalidOperation,
        format!("the template prints more than {} MiB", OUTPUT_BYTES / 1024 / 1024),
    )
}

/// Passes text on and counts it; stops where a meter is full.
pub(super) struct Metered<'a, W> {
    pub(super) out: &'a mut W,
    pub(super) meter: &'a Meter,
}

impl<W: fmt::Write> fmt::Write for Metered<'_, W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if !self.meter.add(text.len()) {
            return Err(fmt::Error);
        }
        self.out.write_str(text)
    }
}
