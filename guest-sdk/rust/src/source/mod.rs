//! Parameter sources: an author writes `params()` for one request, the exported functions hand over many.

mod batch;
mod request;
mod shapes;

pub(crate) use batch::{AnySource, Batcher};
pub use request::{BodyBuffer, Request};

use crate::bindings::extension::exports::rally::track::extension::BatchForm;
use crate::{Context, Partition, Random, Result};

/// Whether a client's part ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Never.
    Infinite,
    /// By itself, after so many requests if that is known.
    Finite(Option<u64>),
}

/// How requests cross to rally.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// Bodies in one buffer, parameters as shapes that are announced once: the fast way.
    #[default]
    Arena,
    /// One line of JSON per request: for sources whose parameters differ in every request. Bodies must be JSON or text, and
    /// what they say about [documents](Request::documents) does not cross.
    Lines,
}

impl Form {
    pub(crate) fn into_wire(self) -> BatchForm {
        match self {
            Form::Arena => BatchForm::Arena,
            Form::Lines => BatchForm::Lines,
        }
    }
}

/// Makes the requests of one client of one task, in order: Rally's parameter source class.
pub trait ParamSource: Sized + 'static {
    /// Whether requests may be made ahead of their time. Set it to `false` where they depend on the time, or on what a runner
    /// in the same instance did: then each is asked for when its turn comes.
    const PREFETCH: bool = true;

    /// How requests cross to rally.
    const FORM: Form = Form::Arena;

    /// Opens the source of one client, before the race starts: check the parameters here.
    ///
    /// # Errors
    /// Of class [`Config`](crate::ErrorClass::Config) where the parameters make no sense: then the race does not begin.
    fn open(context: &Context) -> Result<Self>;

    /// Takes the part of one client. Called once after `open`; a source that gives every client the same leaves it out.
    ///
    /// # Errors
    /// Where there is no such part.
    fn partition(self, _partition: Partition) -> Result<Self> {
        Ok(self)
    }

    /// Number of requests of this client, for rally's progress. A task that says nothing of iterations and times makes so many;
    /// any other makes as many as it says, and a source that ends before says [`request.exhausted()`](Request::exhausted).
    fn size(&self) -> Option<u64> {
        None
    }

    /// Whether this client's part ends. A source that ends without knowing when returns `Extent::Finite(None)`.
    fn extent(&self) -> Extent {
        match self.size() {
            None => Extent::Infinite,
            size => Extent::Finite(size),
        }
    }

    /// Makes the next request, or says [`request.exhausted()`](Request::exhausted).
    ///
    /// # Errors
    /// Where it cannot be made: the task cannot go on. Requests made before are sent.
    fn params(&mut self, request: &mut Request) -> Result<()>;

    /// How far it is, from 0 to 1, if it knows.
    fn progress(&self) -> Option<f64> {
        None
    }
}

/// A function as a parameter source: Rally's `def params(track, params)`.
pub type SourceFunction = fn(&Context, &mut Random, &mut Request) -> Result<()>;

/// Never ends; has its own random numbers.
pub(crate) struct FunctionSource {
    context: Context,
    random: Random,
    function: SourceFunction,
}

impl FunctionSource {
    pub(crate) fn new(context: &Context, function: SourceFunction) -> FunctionSource {
        FunctionSource { context: context.clone(), random: context.random(), function }
    }
}

impl ParamSource for FunctionSource {
    fn open(_context: &Context) -> Result<FunctionSource> {
        Err(crate::Error::other("a function is made a source by `new`"))
    }

    fn params(&mut self, request: &mut Request) -> Result<()> {
        (self.function)(&self.context, &mut self.random, request)
    }
}
