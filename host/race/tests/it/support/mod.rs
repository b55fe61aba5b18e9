//! Tracks, param sources and runners for tests: no network, no files.

pub mod scripted;

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use rally_race::*;
use rally_track::{Challenge, CompletedBy, Dialect, Element, Operation, Parallel, Target, Task, Track};
use serde_json::{Map, Value};

/// A task with one client that says nothing else.
pub fn task(name: &str) -> Task {
    Task::new(
        name,
        Operation {
            name: name.to_owned(),
            operation_type: "search".to_owned(),
            param_source: None,
            meta: Map::new(),
            params: Map::new(),
        },
    )
}

/// A task of a schedule's JSON, as the 2017 dialect has it; `defaults` are those of its `parallel`.
pub fn task_from_json(json: &Value, defaults: &Value) -> Task {
    let operation = &json["operation"];
    let operation_name = operation.as_str().or(operation["name"].as_str()).unwrap_or("operation");
    let inherited = |key: &str| json.get(key).or_else(|| defaults.get(key)).filter(|value| !value.is_null());
    let mut task = task(json["name"].as_str().unwrap_or(operation_name));
    task.clients = json["clients"].as_u64().unwrap_or(1) as u32;
    task.iterations = inherited("iterations").and_then(Value::as_u64);
    task.warmup_iterations = inherited("warmup-iterations").and_then(Value::as_u64);
    task.time_period = inherited("time-period").and_then(Value::as_f64);
    task.warmup_time_period = inherited("warmup-time-period").and_then(Value::as_f64);
    task.schedule = json["schedule"].as_str().unwrap_or("deterministic").to_owned();
    task.target = target_from_json(json);
    task
}

/// `target-throughput` or `target-interval`; 0 means as fast as possible.
pub fn target_from_json(json: &Value) -> Option<Target> {
    let positive = |key: &str| json[key].as_f64().filter(|value| *value > 0.0);
    positive("target-throughput")
        .map(Target::Throughput)
        .or(positive("target-interval").map(Target::Interval))
}

/// A challenge of a schedule's JSON.
pub fn challenge_from_json(schedule: &Value) -> Challenge {
    let element = |json: &Value| match json.get("parallel") {
        None => Element::Task(Arc::new(task_from_json(json, &Value::Null))),
        Some(parallel) => Element::Parallel(Parallel {
            tasks: parallel["tasks"]
                .as_array()
                .unwrap()
                .iter()
                .map(|task| Arc::new(task_from_json(task, parallel)))
                .collect(),
            clients: parallel["clients"].as_u64().map(|clients| clients as u32),
            completed_by: parallel["completed-by"].as_str().map(|name| match name {
                "any" => CompletedBy::Any,
                name => CompletedBy::Task(name.to_owned()),
            }),
        }),
    };
    challenge(schedule.as_array().unwrap().iter().map(element).collect())
}

pub fn challenge(schedule: Vec<Element>) -> Challenge {
    Challenge { default: true, ..Challenge::new("test", schedule) }
}

pub fn track() -> Track {
    Track::new("test", Dialect::Rally2017, "/")
}

pub fn current_track() -> Track {
    Track::new("test", Dialect::Current, "/")
}

pub fn current_plan(elements: Vec<Element>, options: PlanOptions) -> RacePlan {
    RacePlan::new(&current_track(), &challenge(elements), options).unwrap()
}

pub fn plan(elements: Vec<Element>) -> RacePlan {
    plan_with(elements, PlanOptions::default())
}

pub fn plan_with(elements: Vec<Element>, options: PlanOptions) -> RacePlan {
    RacePlan::new(&track(), &challenge(elements), options).unwrap()
}

pub fn single(task: Task) -> Element {
    Element::Task(Arc::new(task))
}

pub fn parallel(tasks: Vec<Task>, clients: Option<u32>, completed_by: Option<&str>) -> Element {
    Element::Parallel(Parallel {
        tasks: tasks.into_iter().map(Arc::new).collect(),
        clients,
        completed_by: completed_by.map(|name| CompletedBy::Task(name.to_owned())),
    })
}

/// Parameters with a number that tells them apart.
pub fn numbered(number: u64) -> Params {
    let values = Map::from_iter([("number".to_owned(), Value::from(number))]);
    Params { documents: 1, ..Params::of(Arc::new(values)) }
}

pub fn object(value: Value) -> Map<String, Value> {
    let Value::Object(map) = value else { panic!("{value} is no object") };
    map
}

pub fn number_of(params: &Params) -> u64 {
    params.values["number"].as_u64().unwrap()
}

type MakeNext = dyn Fn(Partition, u64) -> Result<Option<Params>, Cause> + Send + Sync;

/// A source that makes its request number `n` (from 0) by a function of the partition and `n`; `None` ends it.
#[derive(Clone)]
pub struct Source {
    pub finite: bool,
    pub make: Arc<MakeNext>,
}

impl Source {
    pub fn endless() -> Source {
        Source { finite: false, make: Arc::new(|_, number| Ok(Some(numbered(number)))) }
    }

    /// The numbers below `total`, each exactly once over all clients.
    pub fn finite(total: u64) -> Source {
        Source {
            finite: true,
            make: Arc::new(move |partition, number| {
                let next = number * u64::from(partition.total) + u64::from(partition.index);
                Ok((next < total).then(|| numbered(next)))
            }),
        }
    }

    pub fn by(
        finite: bool,
        make: impl Fn(Partition, u64) -> Result<Option<Params>, Cause> + Send + Sync + 'static,
    ) -> Source {
        Source { finite, make: Arc::new(make) }
    }
}

impl ParamSourceFactory for Source {
    fn open(&self, partition: Partition) -> Result<Box<dyn ParamSource>, Cause> {
        Ok(Box::new(OpenSource { source: self.clone(), partition, next: 0 }))
    }

    fn finite(&self) -> bool {
        self.finite
    }
}

struct OpenSource {
    source: Source,
    partition: Partition,
    next: u64,
}

impl ParamSource for OpenSource {
    fn next(&mut self, limit: usize, out: &mut Vec<Params>) -> Result<More, Cause> {
        for _ in 0..limit {
            match (self.source.make)(self.partition, self.next)? {
                Some(params) => out.push(params),
                None => return Ok(More::Exhausted),
            }
            self.next += 1;
        }
        Ok(More::Yes)
    }

    fn size(&self) -> Option<u64> {
        None
    }
}

/// A source whose requests are all the same.
pub struct Constant;

impl ParamSourceFactory for Constant {
    fn open(&self, _: Partition) -> Result<Box<dyn ParamSource>, Cause> {
        Ok(Box::new(Constant))
    }

    fn finite(&self) -> bool {
        false
    }
}

impl ParamSource for Constant {
    fn constant(&self) -> Option<Params> {
        Some(numbered(7))
    }

    fn next(&mut self, _: usize, _: &mut Vec<Params>) -> Result<More, Cause> {
        panic!("a constant source is asked once")
    }

    fn size(&self) -> Option<u64> {
        None
    }
}

/// One performed request.
#[derive(Debug, Clone, Copy)]
pub struct Performed {
    pub task: &'static str,
    pub client: u32,
    pub number: u64,
    pub at: Instant,
}

/// What all runners of a race have done.
#[derive(Default, Clone)]
pub struct Log(pub Arc<Mutex<Vec<Performed>>>);

impl Log {
    pub fn all(&self) -> Vec<Performed> {
        self.0.lock().unwrap().clone()
    }

    pub fn of(&self, task: &str) -> Vec<Performed> {
        self.all().into_iter().filter(|performed| performed.task == task).collect()
    }

    pub fn numbers_of(&self, task: &str) -> Vec<u64> {
        let mut numbers: Vec<_> = self.of(task).iter().map(|performed| performed.number).collect();
        numbers.sort_unstable();
        numbers
    }
}

/// What a runner does with a request: a future that gives the failure, if any.
type Perform = dyn Fn(Performed) -> LocalBoxFuture<'static, Option<Failure>> + Send + Sync;

#[derive(Clone)]
pub struct Fake {
    pub task: &'static str,
    pub log: Log,
    pub perform: Arc<Perform>,
}

impl RunnerFactory for Fake {
    fn open<'a>(&'a self, partition: Partition) -> LocalBoxFuture<'a, Result<Box<dyn Runner>, Cause>> {
        async move { Ok(Box::new(OpenFake { fake: self.clone(), client: partition.index }) as Box<dyn Runner>) }
            .boxed_local()
    }
}

struct OpenFake {
    fake: Fake,
    client: u32,
}

impl Runner for OpenFake {
    fn run<'a>(&'a mut self, params: &'a Params) -> LocalBoxFuture<'a, Result<Outcome, Cause>> {
        async move {
            let sent = Instant::now();
            let performed =
                Performed { task: self.fake.task, client: self.client, number: number_of(params), at: sent };
            self.fake.log.0.lock().unwrap().push(performed);
            let failure = (self.fake.perform)(performed).await;
            let weight = if failure.is_some() { 0.0 } else { 1.0 };
            Ok(Outcome { failure, ..Outcome::new(sent, Instant::now(), weight, "ops") })
        }
        .boxed_local()
    }
}

pub fn failure(kind: FailureKind) -> Failure {
    Failure { kind, status: Some(503), description: "unavailable".to_owned(), count: 1 }
}

/// Bindings by task name.
#[derive(Default)]
pub struct Bound {
    by_task: HashMap<&'static str, Binding>,
    pub log: Log,
}

impl Bound {
    /// Binds a task to a runner that succeeds at once.
    pub fn with(self, task: &'static str, source: impl ParamSourceFactory + 'static) -> Bound {
        self.with_runner(task, source, |_| async { None })
    }

    /// Binds a task to a runner that does what `perform` says.
    pub fn with_runner<F>(
        mut self,
        task: &'static str,
        source: impl ParamSourceFactory + 'static,
        perform: impl Fn(Performed) -> F + Send + Sync + 'static,
    ) -> Bound
    where
        F: Future<Output = Option<Failure>> + 'static,
    {
        let perform = Arc::new(move |performed| perform(performed).boxed_local());
        let fake = Fake { task, log: self.log.clone(), perform };
        self.by_task.insert(
            task,
            Binding {
                params: SourceBinding::Ahead(Arc::new(source)),
                runner: Arc::new(fake),
                scheduler: SchedulerBinding::BuiltIn,
            },
        );
        self
    }

    pub fn binding(&mut self, task: &str) -> &mut Binding {
        self.by_task.get_mut(task).unwrap()
    }
}

impl Bindings for Bound {
    fn bind(&self, task: &Task) -> Result<Binding, Cause> {
        self.by_task
            .get(task.name.as_str())
            .cloned()
            .ok_or_else(|| format!("unknown task {}", task.name).into())
    }
}

/// Collects what a race tells.
#[derive(Default)]
pub struct Collector {
    pub events: Vec<String>,
    pub laps: Vec<u32>,
    pub recordings: BTreeMap<usize, Recording>,
    pub batches: usize,
    pub progress: Vec<TaskProgress>,
    pub loads: BTreeMap<usize, DriverLoad>,
    /// Cancels the race at the first event with this name.
    pub cancel_at: Option<(&'static str, Cancel)>,
    /// How long each recording takes to be taken.
    pub slow: Duration,
}

impl Observer for Collector {
    fn before_lap(&mut self, lap: u32) -> Result<(), Cause> {
        self.laps.push(lap);
        Ok(())
    }

    fn event(&mut self, event: RaceEvent) {
        let name = match event {
            RaceEvent::StepStarted { step, .. } => format!("step {step} started"),
            RaceEvent::StepFinished { step } => format!("step {step} finished"),
            RaceEvent::TaskFinished { task, load, .. } => {
                self.loads.insert(task, load);
                format!("task {task} finished")
            }
            RaceEvent::TaskFailed { task, .. } => format!("task {task} failed"),
            RaceEvent::Recording { task, recording } => {
                std::thread::sleep(self.slow);
                self.batches += 1;
                merge(self.recordings.entry(task).or_default(), *recording);
                format!("recording of {task}")
            }
            RaceEvent::TaskProgress(progress) => {
                self.progress.push(progress);
                return;
            }
        };
        if let Some((at, cancel)) = &self.cancel_at
            && name.starts_with(at)
        {
            cancel.cancel();
        }
        self.events.push(name);
    }
}

impl Collector {
    /// Number of requests in a histogram, over both endings.
    pub fn count(&self, task: usize, kind: Kind, sample_type: SampleType) -> u64 {
        [Ending::Success, Ending::Failure]
            .into_iter()
            .map(|ending| self.count_of(task, kind, sample_type, ending))
            .sum()
    }

    pub fn count_of(&self, task: usize, kind: Kind, sample_type: SampleType, ending: Ending) -> u64 {
        let histogram =
            self.recordings.get(&task).and_then(|one| one.histograms.get(&(kind, sample_type, ending)));
        histogram.map_or(0, |histogram| histogram.len())
    }

    pub fn stalls(&self, task: usize) -> u64 {
        self.recordings.get(&task).map_or(0, |recording| recording.param_source_stalls)
    }
}

pub fn merge(into: &mut Recording, from: Recording) {
    for (key, histogram) in from.histograms {
        match into.histograms.get_mut(&key) {
            Some(known) => known.add(&histogram).unwrap(),
            None => drop(into.histograms.insert(key, histogram)),
        }
    }
    for (second, work) in from.seconds {
        let known = into.seconds.entry(second).or_default();
        known.warmup_weight += work.warmup_weight;
        known.normal_weight += work.normal_weight;
        known.requests += work.requests;
        known.failures += work.failures;
    }
    for (key, count) in from.failures {
        *into.failures.entry(key).or_default() += count;
    }
    into.unit = from.unit;
    into.given_throughput.merge(&from.given_throughput);
    into.request_meta.merge(&from.request_meta);
    if let Some(early) = from.ran_out {
        into.ran_out.get_or_insert(RanOut { clients: 0, ..early }).merge(&early);
    }
    into.param_source_stalls += from.param_source_stalls;
    into.measured_intervals += from.measured_intervals;
    into.failed_work += from.failed_work;
}

/// Races in this process and collects everything.
pub fn race(plan: &RacePlan, bound: &Bound) -> (RaceEnd, Collector) {
    race_with(plan, bound, Collector::default(), &Cancel::new())
}

pub fn race_with(
    plan: &RacePlan,
    bound: &Bound,
    mut collector: Collector,
    cancel: &Cancel,
) -> (RaceEnd, Collector) {
    let mut driver =
        LocalDriver::new(LocalDriverOptions { threads: Some(2), ..LocalDriverOptions::default() });
    let end = run(plan, bound, &mut driver, &mut collector, cancel);
    (end, collector)
}

/// The most of something at a time.
#[derive(Default)]
pub struct Gauge {
    now: AtomicU64,
    most: AtomicU64,
}

impl Gauge {
    pub fn up(&self) {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
    }

    pub fn down(&self) {
        self.now.fetch_sub(1, Ordering::SeqCst);
    }

    pub fn most(&self) -> u64 {
        self.most.load(Ordering::SeqCst)
    }
}
