//! Sources, runners and schedulers by closures, as a track's own code may be them.

use std::sync::Arc;
use std::time::Instant;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use rally_race::*;
use rally_track::Task;

use super::{Bound, Log, Performed, number_of};

type Say = dyn Fn(Performed, Instant) -> Result<Outcome, Cause> + Send + Sync;
type Tell = dyn Fn(u64) -> Progress + Send + Sync;

/// A runner that says what a closure makes of each request, and how far it is after so many requests.
#[derive(Clone)]
pub struct Saying {
    task: &'static str,
    log: Log,
    say: Arc<Say>,
    progress: Option<Arc<Tell>>,
}

struct OpenSaying {
    saying: Saying,
    client: u32,
    performed: u64,
}

impl RunnerFactory for Saying {
    fn open<'a>(&'a self, partition: Partition) -> LocalBoxFuture<'a, Result<Box<dyn Runner>, Cause>> {
        let opened = OpenSaying { saying: self.clone(), client: partition.index, performed: 0 };
        async { Ok(Box::new(opened) as Box<dyn Runner>) }.boxed_local()
    }

    fn completes_task(&self) -> bool {
        self.progress.is_some()
    }
}

impl Runner for OpenSaying {
    fn run<'a>(&'a mut self, params: &'a Params) -> LocalBoxFuture<'a, Result<Outcome, Cause>> {
        async move {
            let at = Instant::now();
            let Saying { task, log, say, .. } = &self.saying;
            let performed = Performed { task, client: self.client, number: number_of(params), at };
            log.0.lock().unwrap().push(performed);
            self.performed += 1;
            say(performed, at)
        }
        .boxed_local()
    }

    fn progress(&self) -> Option<Progress> {
        self.saying.progress.as_ref().map(|progress| progress(self.performed))
    }
}

impl Bound {
    /// Has the runner of a task say what `say` makes of the requests.
    pub fn saying(
        mut self,
        task: &'static str,
        say: impl Fn(Performed, Instant) -> Result<Outcome, Cause> + Send + Sync + 'static,
    ) -> Bound {
        let saying = Saying { task, log: self.log.clone(), say: Arc::new(say), progress: None };
        self.binding(task).runner = Arc::new(saying);
        self
    }

    /// Has the runner of a task say after so many requests of a client how far it is.
    pub fn completing(
        mut self,
        task: &'static str,
        progress: impl Fn(u64) -> Progress + Send + Sync + 'static,
    ) -> Bound {
        let say: Arc<Say> = Arc::new(|_, at| Ok(Outcome::new(at, at, 1.0, "ops")));
        let saying = Saying { task, log: self.log.clone(), say, progress: Some(Arc::new(progress)) };
        self.binding(task).runner = Arc::new(saying);
        self
    }
}

type MakeInTurn =
    dyn Fn(Partition, u64) -> LocalBoxFuture<'static, Result<Option<Params>, Cause>> + Send + Sync;

struct InTurnBy {
    finite: bool,
    make: Arc<MakeInTurn>,
}

/// A source that is asked in turn, by a closure of the partition and the number of the request from 0.
pub fn in_turn<F>(finite: bool, make: impl Fn(Partition, u64) -> F + Send + Sync + 'static) -> SourceBinding
where
    F: Future<Output = Result<Option<Params>, Cause>> + 'static,
{
    let make = Arc::new(move |partition, number| make(partition, number).boxed_local());
    SourceBinding::InTurn(Arc::new(InTurnBy { finite, make }))
}

struct OpenInTurn {
    make: Arc<MakeInTurn>,
    partition: Partition,
    next: u64,
}

impl InTurnSourceFactory for InTurnBy {
    fn open<'a>(&'a self, partition: Partition) -> LocalBoxFuture<'a, Result<Box<dyn InTurnSource>, Cause>> {
        let opened = OpenInTurn { make: Arc::clone(&self.make), partition, next: 0 };
        async { Ok(Box::new(opened) as Box<dyn InTurnSource>) }.boxed_local()
    }

    fn finite(&self) -> bool {
        self.finite
    }
}

impl InTurnSource for OpenInTurn {
    fn next<'a>(&'a mut self) -> LocalBoxFuture<'a, Result<Option<Params>, Cause>> {
        self.next += 1;
        (self.make)(self.partition, self.next - 1)
    }

    fn size(&self) -> Option<u64> {
        None
    }
}

type Due = dyn Fn(f64) -> Result<f64, Cause> + Send + Sync;
type Hear = dyn Fn(&Finished<'_>) + Send + Sync;

/// A scheduler by closures, of both kinds.
#[derive(Clone)]
pub struct DueBy {
    due: Arc<Due>,
    hear: Arc<Hear>,
}

impl DueBy {
    pub fn new(
        due: impl Fn(f64) -> Result<f64, Cause> + Send + Sync + 'static,
        hear: impl Fn(&Finished<'_>) + Send + Sync + 'static,
    ) -> DueBy {
        DueBy { due: Arc::new(due), hear: Arc::new(hear) }
    }

    /// The same scheduler in both ways of binding one.
    pub fn both_ways(self) -> [SchedulerBinding; 2] {
        [SchedulerBinding::Own(Arc::new(self.clone())), SchedulerBinding::InTurn(Arc::new(self))]
    }
}

impl SchedulerFactory for DueBy {
    fn open(&self, _: &Task, _: Partition) -> Result<Box<dyn Scheduler>, Cause> {
        Ok(Box::new(self.clone()))
    }
}

impl Scheduler for DueBy {
    fn next(&mut self, current: f64) -> Result<f64, Cause> {
        (self.due)(current)
    }

    fn after_request(&mut self, finished: &Finished<'_>) {
        (self.hear)(finished);
    }
}

impl InTurnSchedulerFactory for DueBy {
    fn open<'a>(
        &'a self,
        _: &'a Task,
        _: Partition,
    ) -> LocalBoxFuture<'a, Result<Box<dyn InTurnScheduler>, Cause>> {
        async { Ok(Box::new(self.clone()) as Box<dyn InTurnScheduler>) }.boxed_local()
    }
}

impl InTurnScheduler for DueBy {
    fn next<'a>(&'a mut self, current: f64) -> LocalBoxFuture<'a, Result<f64, Cause>> {
        async move {
            // Others may be using what it shares with them.
            tokio::task::yield_now().await;
            (self.due)(current)
        }
        .boxed_local()
    }

    fn after_request(&mut self, finished: &Finished<'_>) {
        (self.hear)(finished);
    }
}
