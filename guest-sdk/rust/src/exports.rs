//! What a component exports: calls come in here and go to the entry that was registered under the name.

use std::cell::RefCell;

use crate::bindings::host::rally::track::{race, types};
use crate::bindings::{extension, processors, runners, schedulers, sources, validators};
use crate::bodies::Body;
use crate::client::Client;
use crate::processor::AnyProcessor;
use crate::registry::{Registered, entry};
use crate::runner::{AnyRunner, ParamsReader};
use crate::scheduler::AnyScheduler;
use crate::source::{AnySource, Extent};
use crate::{Context, Error, Values, handle, log};

use extension::exports::rally::track::extension as extension_wire;
use processors::exports::rally::track::processors as processors_wire;
use runners::exports::rally::track::runners as runners_wire;
use schedulers::exports::rally::track::schedulers as schedulers_wire;
use sources::exports::rally::track::param_sources as sources_wire;
use validators::exports::rally::track::validators as validators_wire;

impl<T: Registered> extension_wire::Guest for T {
    fn describe() -> Result<extension_wire::Description, types::Error> {
        log::report_panics();
        Ok(T::registry().describe())
    }
}

/// A source of this component.
pub struct Source<T> {
    source: RefCell<Box<dyn AnySource>>,
    marker: std::marker::PhantomData<T>,
}

impl<T: Registered> sources_wire::Guest for T {
    type Source = Source<T>;
}

impl<T: Registered> sources_wire::GuestSource for Source<T> {
    fn open(name: String, context: race::Context) -> Result<sources_wire::Source, types::Error> {
        log::report_panics();
        let open = || {
            let registry = T::registry();
            let entry = entry(&registry.sources, &name, "parameter source", |entry| entry.name)?;
            (entry.open)(&Context::new(context))
        };
        let source = RefCell::new(open().map_err(Error::into_wire)?);
        Ok(sources_wire::Source::new(Source::<T> { source, marker: std::marker::PhantomData }))
    }

    fn extent(&self) -> sources_wire::Extent {
        match self.source.borrow().extent() {
            Extent::Infinite => sources_wire::Extent::Infinite,
            Extent::Finite(size) => sources_wire::Extent::Finite(size),
        }
    }

    fn next(&self, limit: u32, most_bytes: u32) -> Result<sources_wire::Batch, types::Error> {
        let batch = self.source.borrow_mut().next(limit, most_bytes).map_err(Error::into_wire)?;
        let host_body = |(position, Body { kind, handle }): (u32, Body)| sources_wire::HostBody {
            position,
            kind,
            body: handle,
        };
        Ok(sources_wire::Batch {
            new_shapes: batch.new_shapes,
            items: batch.items,
            arena: batch.arena,
            bodies: batch.bodies.into_iter().map(host_body).collect(),
            exhausted: batch.exhausted,
        })
    }

    fn next_lines(&self, limit: u32, most_bytes: u32) -> Result<sources_wire::Lines, types::Error> {
        let lines = self.source.borrow_mut().next_lines(limit, most_bytes).map_err(Error::into_wire)?;
        Ok(sources_wire::Lines { text: lines.text, exhausted: lines.exhausted })
    }

    fn progress(&self) -> Option<f64> {
        self.source.borrow().progress()
    }
}

/// A runner of this component.
pub struct Runner<T> {
    runner: RefCell<(Box<dyn AnyRunner>, ParamsReader)>,
    client: Client,
    marker: std::marker::PhantomData<T>,
}

impl<T: Registered> runners_wire::Guest for T {
    type Runner = Runner<T>;
}

impl<T: Registered> runners_wire::GuestRunner for Runner<T> {
    fn open(name: String, context: race::Context) -> Result<runners_wire::Runner, types::Error> {
        log::report_panics();
        let open = || {
            let registry = T::registry();
            let entry = entry(&registry.runners, &name, "runner", |entry| entry.name)?;
            (entry.open)(&Context::new(context))
        };
        let runner = RefCell::new((open().map_err(Error::into_wire)?, ParamsReader::default()));
        let client = Client::new(handle::Target);
        Ok(runners_wire::Runner::new(Runner::<T> { runner, client, marker: std::marker::PhantomData }))
    }

    fn run(
        &self,
        params: runners_wire::Params,
        body: Option<runners_wire::RequestBody>,
    ) -> Result<runners_wire::Outcome, types::Error> {
        let (runner, reader) = &mut *self.runner.borrow_mut();
        let body = body.map(|body| Body { kind: body.kind, handle: body.content });
        let run = || {
            let mut params = reader.read(params, body)?;
            runner.run(&self.client, &mut params)
        };
        run().map(|outcome| outcome.into_wire()).map_err(Error::into_wire)
    }

    fn progress(&self) -> runners_wire::Progress {
        self.runner.borrow().0.progress()
    }
}

/// A scheduler of this component.
pub struct Scheduler<T> {
    scheduler: RefCell<Box<dyn AnyScheduler>>,
    marker: std::marker::PhantomData<T>,
}

impl<T: Registered> schedulers_wire::Guest for T {
    type Scheduler = Scheduler<T>;
}

impl<T: Registered> schedulers_wire::GuestScheduler for Scheduler<T> {
    fn open(name: String, context: race::Context) -> Result<schedulers_wire::Scheduler, types::Error> {
        log::report_panics();
        let open = || {
            let registry = T::registry();
            let entry = entry(&registry.schedulers, &name, "scheduler", |entry| entry.name)?;
            (entry.open)(&Context::new(context))
        };
        let scheduler = RefCell::new(open().map_err(Error::into_wire)?);
        Ok(schedulers_wire::Scheduler::new(Scheduler::<T> { scheduler, marker: std::marker::PhantomData }))
    }

    fn next(
        &self,
        current: f64,
        finished: Vec<schedulers_wire::Feedback>,
        limit: u32,
    ) -> Result<Vec<f64>, types::Error> {
        self.scheduler.borrow_mut().next(current, finished, limit).map_err(Error::into_wire)
    }
}

thread_local! {
    /// Whose jobs [`run_job`](processors_wire::Guest::run_job) does: the processor that was asked to prepare last.
    static PREPARING: RefCell<Option<Box<dyn AnyProcessor>>> = const { RefCell::new(None) };
}

fn open_processor<T: Registered>(name: &str, context: &Context) -> Result<Box<dyn AnyProcessor>, Error> {
    log::report_panics();
    let registry = T::registry();
    let entry = entry(&registry.processors, name, "track processor", |entry| entry.name)?;
    (entry.open)(context)
}

impl<T: Registered> processors_wire::Guest for T {
    fn on_load(name: String, context: race::Context) -> Result<Option<String>, types::Error> {
        let context = Context::new(context);
        let load = || {
            let track = open_processor::<T>(&name, &context)?.on_load(&context)?;
            Ok(track.map(|track| track.to_string()))
        };
        load().map_err(Error::into_wire)
    }

    fn on_prepare(name: String, context: race::Context) -> Result<Option<u32>, types::Error> {
        let context = Context::new(context);
        let prepare = || {
            let mut processor = open_processor::<T>(&name, &context)?;
            let jobs = processor.on_prepare(&context)?;
            PREPARING.set(Some(processor));
            Ok(jobs)
        };
        prepare().map_err(Error::into_wire)
    }

    fn run_job(job: u32) -> Result<(), types::Error> {
        PREPARING.with_borrow_mut(|preparing| match preparing {
            Some(processor) => processor.run_job(job).map_err(Error::into_wire),
            None => Err(Error::other("no preparation was announced").into_wire()),
        })
    }
}

impl<T: Registered> validators_wire::Guest for T {
    fn validate(challenge: String, track_params: String) -> Result<(), types::Error> {
        log::report_panics();
        let validate = || {
            let registry = T::registry();
            let (_, check) =
                entry(&registry.validators, &challenge, "validator for challenge", |(name, _)| name)?;
            check(&Values::parse_object(&track_params)?)
        };
        validate().map_err(Error::into_wire)
    }
}
