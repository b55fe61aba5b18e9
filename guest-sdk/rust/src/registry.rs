//! What a component consists of: the entries of [`track!`](crate::track).

use crate::bindings::extension::exports::rally::track::extension as wire;
use crate::processor::{AnyProcessor, Processor, Validator};
use crate::runner::{AnyRunner, FunctionRunner, Runner, RunnerFunction, RunnerOf};
use crate::scheduler::{Ahead, AnyScheduler, FeedbackScheduler, Scheduler, WithFeedback};
use crate::source::{AnySource, Batcher, Form, FunctionSource, ParamSource, SourceFunction};
use crate::{Context, Error, Result};

pub use wire::Sharing;

/// Everything that a component registers.
#[doc(hidden)]
pub struct Registry {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    pub(crate) sharing: Sharing,
    pub(crate) sources: Vec<SourceEntry>,
    pub(crate) runners: Vec<RunnerEntry>,
    pub(crate) schedulers: Vec<SchedulerEntry>,
    pub(crate) processors: Vec<ProcessorEntry>,
    pub(crate) validators: Vec<(&'static str, Validator)>,
}

/// A component: what [`track!`](crate::track) writes.
#[doc(hidden)]
pub trait Registered: 'static {
    fn registry() -> Registry;
}

/// Opens something for a client.
type Open<T> = Box<dyn Fn(&Context) -> Result<Box<T>>>;

pub(crate) struct SourceEntry {
    pub(crate) name: &'static str,
    pub(crate) form: Form,
    pub(crate) prefetch: bool,
    pub(crate) open: Open<dyn AnySource>,
}

pub(crate) struct RunnerEntry {
    pub(crate) name: &'static str,
    pub(crate) multi_cluster: bool,
    pub(crate) completes_task: bool,
    pub(crate) open: Open<dyn AnyRunner>,
}

#[doc(hidden)]
pub struct SchedulerEntry {
    pub(crate) name: &'static str,
    pub(crate) feedback: bool,
    pub(crate) open: fn(&Context) -> Result<Box<dyn AnyScheduler>>,
}

pub(crate) struct ProcessorEntry {
    pub(crate) name: &'static str,
    pub(crate) open: fn(&Context) -> Result<Box<dyn AnyProcessor>>,
}

#[doc(hidden)]
impl Registry {
    pub fn new(name: &'static str, version: &'static str) -> Registry {
        Registry {
            name,
            version,
            sharing: Sharing::Isolated,
            sources: Vec::new(),
            runners: Vec::new(),
            schedulers: Vec::new(),
            processors: Vec::new(),
            validators: Vec::new(),
        }
    }

    pub fn sharing(&mut self, sharing: Sharing) {
        self.sharing = sharing;
    }

    pub fn source<S: ParamSource>(&mut self, name: &'static str) {
        self.sources.push(SourceEntry {
            name,
            form: S::FORM,
            prefetch: S::PREFETCH,
            open: Box::new(|context| Ok(Box::new(Batcher::<S>::open(context)?))),
        });
    }

    pub fn source_function(&mut self, name: &'static str, function: SourceFunction) {
        self.sources.push(SourceEntry {
            name,
            form: Form::Arena,
            prefetch: true,
            open: Box::new(move |context| Ok(Box::new(Batcher::new(FunctionSource::new(context, function))))),
        });
    }

    pub fn runner<R: Runner>(&mut self, name: &'static str) {
        self.runners.push(RunnerEntry {
            name,
            multi_cluster: R::MULTI_CLUSTER,
            completes_task: R::COMPLETES_TASK,
            open: Box::new(|context| Ok(Box::new(RunnerOf(R::open(context)?)))),
        });
    }

    pub fn runner_function(&mut self, name: &'static str, function: RunnerFunction) {
        self.runners.push(RunnerEntry {
            name,
            multi_cluster: false,
            completes_task: false,
            open: Box::new(move |_| Ok(Box::new(FunctionRunner(function)))),
        });
    }

    pub fn scheduler(&mut self, entry: SchedulerEntry) {
        self.schedulers.push(entry);
    }

    pub fn processor<P: Processor>(&mut self, name: &'static str) {
        self.processors.push(ProcessorEntry { name, open: |context| Ok(Box::new(P::open(context)?)) });
    }

    pub fn validator(&mut self, challenge: &'static str, function: Validator) {
        self.validators.push((challenge, function));
    }
}

impl Registry {
    pub(crate) fn describe(&self) -> wire::Description {
        let text = str::to_owned;
        wire::Description {
            name: text(self.name),
            version: text(self.version),
            sharing: self.sharing,
            sources: self.sources.iter().map(SourceEntry::info).collect(),
            runners: self.runners.iter().map(RunnerEntry::info).collect(),
            schedulers: self.schedulers.iter().map(SchedulerEntry::info).collect(),
            processors: self.processors.iter().map(|entry| text(entry.name)).collect(),
            validators: self.validators.iter().map(|(challenge, _)| text(challenge)).collect(),
        }
    }
}

impl SourceEntry {
    fn info(&self) -> wire::SourceInfo {
        let form = self.form.into_wire();
        wire::SourceInfo { name: self.name.to_owned(), form, prefetch: self.prefetch }
    }
}

impl RunnerEntry {
    fn info(&self) -> wire::RunnerInfo {
        let RunnerEntry { name, multi_cluster, completes_task, .. } = self;
        let (multi_cluster, completes_task) = (*multi_cluster, *completes_task);
        wire::RunnerInfo { name: (*name).to_owned(), multi_cluster, completes_task }
    }
}

impl SchedulerEntry {
    fn info(&self) -> wire::SchedulerInfo {
        wire::SchedulerInfo { name: self.name.to_owned(), feedback: self.feedback }
    }
}

/// The entry of a name, or the error of a name that is not registered.
pub(crate) fn entry<'entry, E>(
    entries: &'entry [E],
    name: &str,
    role: &str,
    name_of: impl Fn(&E) -> &'static str,
) -> Result<&'entry E> {
    entries
        .iter()
        .find(|entry| name_of(entry) == name)
        .ok_or_else(|| Error::not_found(format!("this extension registers no {role} '{name}'")))
}

/// Tells schedulers of both kinds apart: `(&SchedulerTag::<T>::new()).entry(name)`.
#[doc(hidden)]
pub struct SchedulerTag<S>(std::marker::PhantomData<S>);

#[doc(hidden)]
impl<S> SchedulerTag<S> {
    #[allow(clippy::new_without_default)]
    pub fn new() -> SchedulerTag<S> {
        SchedulerTag(std::marker::PhantomData)
    }
}

#[doc(hidden)]
pub trait SimpleEntry {
    fn entry(&self, name: &'static str) -> SchedulerEntry;
}

impl<S: Scheduler> SimpleEntry for SchedulerTag<S> {
    fn entry(&self, name: &'static str) -> SchedulerEntry {
        SchedulerEntry { name, feedback: false, open: |context| Ok(Box::new(Ahead::new(S::open(context)?))) }
    }
}

#[doc(hidden)]
pub trait FeedbackEntry {
    fn entry(self, name: &'static str) -> SchedulerEntry;
}

impl<S: FeedbackScheduler> FeedbackEntry for &SchedulerTag<S> {
    fn entry(self, name: &'static str) -> SchedulerEntry {
        SchedulerEntry { name, feedback: true, open: |context| Ok(Box::new(WithFeedback(S::open(context)?))) }
    }
}

/// A runner function of any outcome as one of [`Outcome`](crate::Outcome).
#[doc(hidden)]
#[macro_export]
macro_rules! __runner_function {
    ($function:path) => {
        |client: &$crate::Client, params: &mut $crate::Params| -> $crate::Result<$crate::Outcome> {
            $function(client, params).map(::core::convert::Into::into)
        }
    };
}
