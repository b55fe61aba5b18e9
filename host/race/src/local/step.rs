//! A step while it runs: what all loop threads share, and what each has for itself.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;
use hdrhistogram::Histogram;
use tokio::sync::mpsc::UnboundedSender;

use crate::binding::BoundRace;
use crate::completion::Completion;
use crate::driver::{ClientShare, StopMode};
use crate::error::RaceError;
use crate::event::DriverEvent;
use crate::local::generator::Generators;
use crate::local::observe::Window;
use crate::local::recorder::Recorder;
use crate::local::timer::{Slot, Timer};
use crate::plan::{OnError, Step};

/// The commands of a loop thread.
pub(crate) enum Command {
    /// Prepare this step.
    Open(Arc<SharedStep>),
    /// The step starts.
    Start(Instant),
    /// Look whether the step is to end.
    Wake,
}

const RUNNING: u8 = 0;
const FINISHING: u8 = 1;
const ABANDONING: u8 = 2;

/// A step as all threads see it.
pub(crate) struct SharedStep {
    pub(crate) race: Arc<BoundRace>,
    pub(crate) index: usize,
    /// The clients of the step that are this driver's.
    rows: Vec<usize>,
    pub(crate) generators: Arc<Generators>,
    events: Sender<DriverEvent>,
    receipts: Arc<Receipts>,
    threads: Vec<UnboundedSender<Command>>,
    completion: Completion,
    mode: AtomicU8,
    failed: AtomicBool,
    /// Clients that are not ready yet.
    unready: AtomicUsize,
    /// Threads whose clients are not all done yet.
    threads_left: AtomicUsize,
    tasks: Vec<SharedTask>,
    /// How long requests in flight are waited for once the step is abandoned, nanoseconds.
    grace: OnceLock<Duration>,
}

/// A task as all threads see it.
struct SharedTask {
    /// When its first client started.
    start: OnceLock<Instant>,
    /// Threads that have not sent their last figures of it.
    threads_left: AtomicUsize,
    /// It cannot go on.
    failed: AtomicBool,
    /// Its clients are to stop after the request in flight: it failed, or the step is to end. One flag, because clients look
    /// at it with each request.
    stopped: AtomicBool,
}

impl SharedStep {
    pub(crate) fn new(
        race: Arc<BoundRace>,
        index: usize,
        clients: &ClientShare,
        generators: Arc<Generators>,
        events: Sender<DriverEvent>,
        receipts: Arc<Receipts>,
        threads: Vec<UnboundedSender<Command>>,
    ) -> SharedStep {
        let step = &race.plan.steps[index];
        let own = |row: &usize| u32::try_from(*row).is_ok_and(|row| clients.contains(row));
        let rows: Vec<usize> =
            (0..step.clients.len()).filter(|row| !step.clients[*row].is_empty()).filter(own).collect();
        let threads_of = |task: usize| {
            let busy = |part: &usize| {
                let assigned = part_of(&rows, *part, threads.len()).flat_map(|row| &step.clients[row]);
                assigned.into_iter().any(|assignment| assignment.task == task)
            };
            (0..threads.len()).filter(busy).count()
        };
        SharedStep {
            completion: Completion::new(step, &rows),
            mode: AtomicU8::new(RUNNING),
            failed: AtomicBool::new(false),
            unready: AtomicUsize::new(rows.len()),
            threads_left: AtomicUsize::new(threads.len()),
            tasks: step
                .tasks
                .iter()
                .enumerate()
                .map(|(task, _)| SharedTask {
                    start: OnceLock::new(),
                    threads_left: AtomicUsize::new(threads_of(task)),
                    failed: AtomicBool::new(false),
                    stopped: AtomicBool::new(false),
                })
                .collect(),
            grace: OnceLock::new(),
            race,
            index,
            rows,
            generators,
            events,
            receipts,
            threads,
        }
    }

    pub(crate) fn step(&self) -> &Step {
        &self.race.plan.steps[self.index]
    }

    /// The clients of one of the loop threads.
    pub(crate) fn rows_of(&self, part: usize) -> Vec<usize> {
        part_of(&self.rows, part, self.threads.len()).collect()
    }

    /// Says what is so without any client: nothing to wait for, tasks that are others'. To be called before the threads
    /// know of the step.
    pub(crate) fn announce(&self) {
        for (task, planned) in self.step().tasks.iter().enumerate() {
            if self.completion.clients_left(task) == 0 {
                self.send(DriverEvent::TaskDone { task: planned.id, elapsed: Duration::ZERO });
            }
        }
        if self.rows.is_empty() {
            self.send(DriverEvent::Ready);
        }
    }

    pub(crate) fn send(&self, event: DriverEvent) {
        // Nobody listens when the race has been given up.
        let _ = self.events.send(event);
    }

    /// Whether clients are to stop after the request in flight.
    pub(crate) fn stopped(&self) -> bool {
        self.mode.load(Ordering::Relaxed) != RUNNING
    }

    /// How long requests in flight are waited for, if the step has been abandoned.
    pub(crate) fn abandoned(&self) -> Option<Duration> {
        let abandoned = self.mode.load(Ordering::Acquire) == ABANDONING;
        abandoned.then(|| self.grace.get().copied().unwrap_or_default())
    }

    pub(crate) fn stop(&self, stop: StopMode) {
        let mode = match stop {
            StopMode::Finish => FINISHING,
            StopMode::Abandon(grace) => {
                self.grace.get_or_init(|| grace);
                ABANDONING
            }
        };
        self.mode.fetch_max(mode, Ordering::AcqRel);
        for task in &self.tasks {
            task.stopped.store(true, Ordering::Relaxed);
        }
        self.wake();
    }

    /// Has all clients look whether they are to go on.
    fn wake(&self) {
        for thread in &self.threads {
            let _ = thread.send(Command::Wake);
        }
    }

    /// Whether clients of this task are to stop after the request in flight.
    pub(crate) fn task_stopped(&self, task: usize) -> bool {
        self.tasks[task].stopped.load(Ordering::Relaxed)
    }

    /// Ends a task early, or nothing where it is none of this step.
    pub(crate) fn stop_task(&self, id: usize) {
        if let Some(task) = self.step().tasks.iter().position(|planned| planned.id == id) {
            self.tasks[task].stopped.store(true, Ordering::Relaxed);
            self.wake();
        }
    }

    /// A task cannot go on: it is over for all its clients, or the race is if failures end it. Only the first reason is kept.
    pub(crate) fn fail_task(&self, task: usize, error: RaceError) {
        let on_error = self.race.plan.on_error;
        if on_error == OnError::Abort || on_error.for_task(&self.step().tasks[task].task) == OnError::Abort {
            return self.fail(error);
        }
        self.tasks[task].stopped.store(true, Ordering::Relaxed);
        if !self.tasks[task].failed.swap(true, Ordering::AcqRel) {
            self.send(DriverEvent::TaskFailed { task: self.step().tasks[task].id, error });
            if self.completion.is_completed_by(task) {
                self.send(DriverEvent::ElementCompleted);
                self.stop(StopMode::Finish);
            } else {
                self.wake();
            }
        }
    }

    /// The step cannot go on. Only the first reason is kept.
    pub(crate) fn fail(&self, error: RaceError) {
        if !self.failed.swap(true, Ordering::AcqRel) {
            self.send(DriverEvent::Failed(error));
        }
        self.stop(StopMode::Abandon(crate::run::GRACE));
    }

    /// One more client is ready.
    pub(crate) fn client_ready(&self) {
        if self.unready.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.send(DriverEvent::Ready);
        }
    }

    /// A client has done its part in a task.
    pub(crate) fn client_done(&self, task: usize) {
        if self.completion.client_done(task).completes_element {
            self.send(DriverEvent::ElementCompleted);
            self.stop(StopMode::Finish);
        }
    }

    /// When the task started: when its first client did.
    pub(crate) fn task_start(&self, task: usize, client_start: Instant) -> Instant {
        *self.tasks[task].start.get_or_init(|| client_start)
    }

    /// A thread has sent its last figures of a task.
    fn thread_done_with(&self, task: usize) {
        let SharedTask { start, threads_left, .. } = &self.tasks[task];
        if threads_left.fetch_sub(1, Ordering::AcqRel) == 1 {
            let elapsed = start.get().map_or(Duration::ZERO, Instant::elapsed);
            self.send(DriverEvent::TaskDone { task: self.step().tasks[task].id, elapsed });
        }
    }

    /// A thread has no clients at work any more.
    pub(crate) fn thread_done(&self) {
        if self.threads_left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.send(DriverEvent::StepDone);
        }
    }
}

/// Which of these rows are one thread's.
fn part_of(rows: &[usize], part: usize, threads: usize) -> impl Iterator<Item = usize> {
    rows.iter().copied().skip(part).step_by(threads.max(1))
}

/// Figures that have been sent, and not acknowledged yet, over a whole race.
#[derive(Debug, Default)]
pub(crate) struct Receipts {
    next: AtomicU64,
    outstanding: Mutex<BTreeSet<u64>>,
}

impl Receipts {
    /// The number of figures that are about to be sent.
    fn issue(&self) -> u64 {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.outstanding.lock().unwrap_or_else(PoisonError::into_inner).insert(number);
        number
    }

    /// These figures have been taken.
    pub(crate) fn acknowledge(&self, number: u64) {
        self.outstanding.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
    }

    fn is_outstanding(&self, number: u64) -> bool {
        self.outstanding.lock().unwrap_or_else(PoisonError::into_inner).contains(&number)
    }
}

/// A step as one loop thread sees it.
pub(crate) struct LocalStep {
    pub(crate) shared: Arc<SharedStep>,
    pub(crate) timer: Rc<Timer>,
    template: Rc<Histogram<u64>>,
    /// Number of this thread.
    pub(crate) part: usize,
    /// When the step starts, once that is known.
    pub(crate) start: Cell<Option<Instant>>,
    tasks: Vec<RefCell<LocalTask>>,
    window: RefCell<Window>,
}

/// A task as one loop thread sees it.
#[derive(Default)]
struct LocalTask {
    /// Created by the first client that starts.
    recorder: Option<Recorder>,
    /// Clients of this thread that have not done their part.
    clients_left: usize,
    /// Clients of this thread that have something to do.
    clients: u32,
    /// Progress of each of them that has started.
    fractions: Vec<Option<f64>>,
    /// Number of the figures sent last.
    sent: Option<u64>,
    /// All has been sent.
    closed: bool,
}

impl LocalStep {
    /// `rows` are the clients of this thread.
    pub(crate) fn new(
        shared: Arc<SharedStep>,
        timer: Rc<Timer>,
        template: Rc<Histogram<u64>>,
        part: usize,
        rows: &[usize],
    ) -> LocalStep {
        let step = shared.step();
        let mut tasks: Vec<LocalTask> = step.tasks.iter().map(|_| LocalTask::default()).collect();
        for assignment in rows.iter().flat_map(|row| &step.clients[*row]) {
            let planned = &step.tasks[assignment.task];
            let idle = planned.extent.share(assignment.client_index, planned.task.clients).is_empty();
            tasks[assignment.task].clients_left += 1;
            tasks[assignment.task].clients += u32::from(!idle);
        }
        for task in &mut tasks {
            // Tasks of other threads are theirs to close.
            task.closed = task.clients_left == 0;
        }
        let tasks = tasks.into_iter().map(RefCell::new).collect();
        let window = RefCell::new(Window::new(others_cpu(&shared, part)));
        LocalStep { shared, timer, template, part, start: Cell::new(None), tasks, window }
    }

    /// The step starts at this time.
    pub(crate) fn begin(&self, start: Instant) {
        self.window.replace(Window::new(others_cpu(&self.shared, self.part)));
        self.start.set(Some(start));
        self.timer.wake_all();
    }

    /// Waits for the step's start; `None` if it is to end before.
    pub(crate) async fn started(&self, slot: Slot) -> Option<Instant> {
        std::future::poll_fn(|context| {
            if self.shared.stopped() {
                return std::task::Poll::Ready(None);
            }
            match self.start.get() {
                Some(start) => std::task::Poll::Ready(Some(start)),
                None => {
                    self.timer.register(slot, context);
                    std::task::Poll::Pending
                }
            }
        })
        .await
    }

    /// A client starts with a task. Returns its place for [`LocalStep::progress`].
    pub(crate) fn client_starts(&self, task: usize, start: Instant) -> usize {
        let task_start = self.shared.task_start(task, start);
        let mut local = self.tasks[task].borrow_mut();
        let extent = self.shared.race.plan.steps[self.shared.index].tasks[task].extent;
        local.recorder.get_or_insert_with(|| Recorder::new(Rc::clone(&self.template), task_start, extent));
        local.fractions.push(Some(0.0));
        local.fractions.len() - 1
    }

    /// Does something with the recorder of a task that a client of this thread has started.
    pub(crate) fn with_recorder(&self, task: usize, record: impl FnOnce(&mut Recorder)) {
        if let Some(recorder) = &mut self.tasks[task].borrow_mut().recorder {
            record(recorder);
        }
    }

    /// How far a client is.
    pub(crate) fn progress(&self, task: usize, place: usize, fraction: Option<f64>) {
        if let Some(known) = self.tasks[task].borrow_mut().fractions.get_mut(place) {
            *known = fraction;
        }
    }

    /// A client of this thread has done its part in a task, whether it started or not.
    pub(crate) fn client_done(&self, task: usize) {
        let last = {
            let mut local = self.tasks[task].borrow_mut();
            local.clients_left -= 1;
            local.clients_left == 0
        };
        if last {
            self.close(task);
        }
        self.shared.client_done(task);
    }

    /// Tells what this thread knows of itself since the last time.
    fn send_load(&self) {
        let mut load = self.window.borrow_mut().take(others_cpu(&self.shared, self.part));
        if self.part > 0 {
            // Time passes once, however many threads there are.
            load.wall_time = 0;
        }
        self.shared.send(DriverEvent::Load(load));
    }

    /// Sends what was measured since the last time, unless that has not been taken yet: then more is collected.
    pub(crate) fn report(&self) {
        self.send_load();
        for (index, task) in self.tasks.iter().enumerate() {
            let mut task = task.borrow_mut();
            if task.closed || task.recorder.is_none() {
                continue;
            }
            let id = self.shared.step().tasks[index].id;
            if !task.sent.is_some_and(|number| self.shared.receipts.is_outstanding(number)) {
                self.send_recording(&mut task, id);
            }
            let clients = task.clients;
            let known: Option<f64> = task.fractions.iter().copied().sum();
            let fraction = known.map(|sum| sum / f64::from(clients.max(1)));
            self.shared.send(DriverEvent::Progress { task: id, part: self.part, clients, fraction });
        }
    }

    /// Sends the rest of all tasks, after the last client or without it.
    pub(crate) fn close_all(&self) {
        for task in 0..self.tasks.len() {
            self.close(task);
        }
    }

    fn close(&self, task: usize) {
        let mut local = self.tasks[task].borrow_mut();
        if !std::mem::replace(&mut local.closed, true) {
            self.send_recording(&mut local, self.shared.step().tasks[task].id);
            drop(local);
            self.send_load();
            self.shared.thread_done_with(task);
        }
    }

    fn send_recording(&self, task: &mut LocalTask, id: usize) {
        if let Some(recording) = task.recorder.as_mut().and_then(Recorder::take).map(Box::new) {
            let number = self.shared.receipts.issue();
            task.sent = Some(number);
            self.shared.send(DriverEvent::Recording { task: id, recording, number });
        }
    }
}

/// CPU time of the generators: the first loop thread speaks for them.
fn others_cpu(shared: &SharedStep, part: usize) -> u64 {
    if part == 0 { shared.generators.cpu_time() } else { 0 }
}
