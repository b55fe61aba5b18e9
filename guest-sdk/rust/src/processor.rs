//! Track processors and validators.

use serde_json::Value;

use crate::{Context, Result, Values};

/// Changes the track or prepares data before the race: Rally's track processor.
pub trait Processor: Sized + 'static {
    /// Opens the processor: before `on_load` and again before `on_prepare`.
    ///
    /// # Errors
    /// Where it cannot work with this track.
    fn open(context: &Context) -> Result<Self>;

    /// Changes the track after it was loaded: returns the whole track, or none to leave it. `context.track()` has it as the
    /// processors before left it. Called again at the begin of each instance that sources, runners and schedulers share, for
    /// what they need of it there; what it returns then is not used.
    ///
    /// # Errors
    /// Where it cannot be done: the race does not begin.
    fn on_load(&mut self, _context: &Context) -> Result<Option<Value>> {
        Ok(None)
    }

    /// Prepares data: returns the number of jobs, or none to leave it to rally.
    ///
    /// # Errors
    /// Where it cannot be done: the race does not begin.
    fn on_prepare(&mut self, _context: &Context) -> Result<Option<u32>> {
        Ok(None)
    }

    /// Does one job of the preparation, from 0.
    ///
    /// # Errors
    /// Where it cannot be done: the race does not begin.
    fn run_job(&mut self, _job: u32) -> Result<()> {
        Ok(())
    }
}

/// Checks the track parameters of a challenge; the message of its error is for the user.
pub type Validator = fn(&Values) -> Result<()>;

/// A processor whose type is forgotten.
pub(crate) trait AnyProcessor {
    fn on_load(&mut self, context: &Context) -> Result<Option<Value>>;
    fn on_prepare(&mut self, context: &Context) -> Result<Option<u32>>;
    fn run_job(&mut self, job: u32) -> Result<()>;
}

impl<P: Processor> AnyProcessor for P {
    fn on_load(&mut self, context: &Context) -> Result<Option<Value>> {
        Processor::on_load(self, context)
    }

    fn on_prepare(&mut self, context: &Context) -> Result<Option<u32>> {
        Processor::on_prepare(self, context)
    }

    fn run_job(&mut self, job: u32) -> Result<()> {
        Processor::run_job(self, job)
    }
}
