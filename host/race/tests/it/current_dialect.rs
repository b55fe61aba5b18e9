//! What the numbers of a track mean in the current dialect, raced in this process with fake param sources and runners.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::support::*;
use rally_race::*;
use rally_track::{CompletedBy, Element, Parallel, Target, Task};

const DEFAULTS: PlanOptions =
    PlanOptions { seed: 0, laps: 1, on_error: OnError::Continue, timing: Timing::Spread };
const ABORT: PlanOptions = PlanOptions { on_error: OnError::Abort, ..DEFAULTS };

fn completed(end: &RaceEnd) -> bool {
    matches!(end.reason, EndReason::Completed)
}

fn first_client_completes(tasks: Vec<Task>) -> Element {
    Element::Parallel(Parallel {
        tasks: tasks.into_iter().map(Arc::new).collect(),
        clients: None,
        completed_by: Some(CompletedBy::Any),
    })
}

#[test]
fn iterations_are_those_of_each_client() {
    let mut task = task("a");
    (task.clients, task.iterations, task.warmup_iterations) = (3, Some(10), Some(4));
    let bound = Bound::default().with("a", Source::endless());
    let (end, figures) = race(&current_plan(vec![single(task)], DEFAULTS), &bound);
    assert!(completed(&end), "{end:?}");
    assert_eq!(figures.count(0, Kind::ServiceTime, SampleType::Warmup), 3 * 4);
    assert_eq!(figures.count(0, Kind::ServiceTime, SampleType::Normal), 3 * 10);
    for client in 0..3 {
        assert_eq!(bound.log.all().iter().filter(|performed| performed.client == client).count(), 14);
    }
}

#[test]
fn a_task_that_says_nothing_is_performed_once_by_each_client() {
    let mut task = task("a");
    task.clients = 4;
    let bound = Bound::default().with("a", Source::endless());
    let (end, _) = race(&current_plan(vec![single(task)], DEFAULTS), &bound);
    assert!(completed(&end), "{end:?}");
    let mut clients: Vec<_> = bound.log.all().iter().map(|performed| performed.client).collect();
    clients.sort_unstable();
    assert_eq!(clients, [0, 1, 2, 3]);
}

#[test]
fn a_task_that_says_nothing_performs_a_finite_source_to_its_end() {
    let mut task = task("a");
    (task.clients, task.iterations) = (3, Some(0));
    let bound = Bound::default().with("a", Source::finite(100));
    let (end, _) = race(&current_plan(vec![single(task)], DEFAULTS), &bound);
    assert!(completed(&end), "{end:?}");
    assert_eq!(bound.log.numbers_of("a"), (0..100).collect::<Vec<_>>());
}

#[test]
fn a_task_of_no_time_does_nothing() {
    let mut nothing = task("nothing");
    nothing.time_period = Some(0.0);
    let bound = Bound::default().with("nothing", Source::endless()).with("b", Source::finite(1));
    let (end, _) = race(&current_plan(vec![single(nothing), single(task("b"))], DEFAULTS), &bound);
    assert!(completed(&end), "{end:?}");
    assert_eq!((bound.log.of("nothing").len(), bound.log.of("b").len()), (0, 1));
}

#[test]
fn the_first_client_that_is_done_completes_an_element_that_any_completes() {
    let mut short = task("short");
    (short.clients, short.iterations) = (2, Some(20));
    let mut long = task("long");
    (long.clients, long.time_period) = (2, Some(3600.0));
    // One client of the short task is quick, the other one is not: nobody waits for it.
    let bound = Bound::default()
        .with_runner("short", Source::endless(), |performed| async move {
            tokio::time::sleep(Duration::from_millis(if performed.client == 0 { 2 } else { 50 })).await;
            None
        })
        .with_runner("long", Source::endless(), |_| async {
            tokio::time::sleep(Duration::from_millis(5)).await;
            None
        });
    let (end, _) = race(&current_plan(vec![first_client_completes(vec![short, long])], DEFAULTS), &bound);
    assert!(completed(&end), "{end:?}");
    assert!(!bound.log.of("long").is_empty());
    let of_client = |client| bound.log.of("short").iter().filter(|one| one.client == client).count();
    assert_eq!(of_client(0), 20);
    assert!(of_client(1) < 20);
}

#[test]
fn endless_tasks_alone_are_refused_although_any_would_complete_them() {
    let endless = |name| {
        let mut task = task(name);
        task.warmup_time_period = Some(1.0);
        task
    };
    let bound = Bound::default().with("a", Source::endless()).with("b", Source::endless());
    let plan = current_plan(vec![first_client_completes(vec![endless("a"), endless("b")])], DEFAULTS);
    let (end, _) = race(&plan, &bound);
    assert!(
        matches!(&end.reason, EndReason::Failed(RaceError::Bind(BindError::Endless { task })) if task == "a"),
        "{end:?}"
    );
    let plan = current_plan(vec![first_client_completes(vec![endless("a"), task("b")])], DEFAULTS);
    let (end, _) = race(&plan, &bound);
    assert!(completed(&end), "{end:?}");
}

#[test]
fn clients_start_one_after_the_other_during_ramp_up() {
    let mut task = task("a");
    (task.clients, task.ramp_up_time_period) = (4, Some(0.4));
    (task.warmup_time_period, task.time_period) = (Some(0.5), Some(0.5));
    // Each client sends every 200 ms, the first time after a quarter of that for each client before it.
    task.target = Some(Target::Throughput(20.0));
    let bound = Bound::default().with("a", Source::endless());
    let before = Instant::now();
    let (end, _) = race(&current_plan(vec![single(task)], DEFAULTS), &bound);
    assert!(completed(&end), "{end:?}");
    for client in 0..4 {
        let first = bound.log.all().into_iter().find(|performed| performed.client == client).unwrap().at;
        // Due times count from the client's own start.
        let earliest = Duration::from_millis(100 * u64::from(client) + 50 * u64::from(client));
        assert!(first - before >= earliest, "client {client} began after {:?}", first - before);
    }
}

#[test]
fn a_target_in_units_that_the_task_does_not_count_in_ends_the_race() {
    let mut task = task("a");
    (task.iterations, task.target) =
        (Some(100), Some(Target::Work { rate: 1000.0, unit: "docs/s".to_owned() }));
    let bound = Bound::default().with("a", Source::endless());
    let (end, _) = race(&current_plan(vec![single(task)], DEFAULTS), &bound);
    let EndReason::Failed(RaceError::Unit { task, source }) = &end.reason else { panic!("{end:?}") };
    assert_eq!((task.as_str(), source.expected.as_str(), source.actual.as_str()), ("a", "docs/s", "ops"));
    assert_eq!(bound.log.all().len(), 1);
}

#[test]
fn a_target_in_requests_holds_for_tasks_that_count_something_else() {
    struct Documents;
    impl RunnerFactory for Documents {
        fn open<'a>(
            &'a self,
            _: Partition,
        ) -> futures_util::future::LocalBoxFuture<'a, Result<Box<dyn Runner>, Cause>> {
            Box::pin(async { Ok(Box::new(Documents) as Box<dyn Runner>) })
        }
    }
    impl Runner for Documents {
        fn run<'a>(
            &'a mut self,
            _: &'a Params,
        ) -> futures_util::future::LocalBoxFuture<'a, Result<Outcome, Cause>> {
            let now = std::time::Instant::now();
            Box::pin(async move { Ok(Outcome::new(now, now, 1000.0, "docs")) })
        }
    }
    let mut task = task("a");
    (task.iterations, task.target) = (Some(5), Some(Target::Throughput(100.0)));
    let mut bound = Bound::default().with("a", Source::endless());
    bound.binding("a").runner = Arc::new(Documents);
    let (end, figures) = race(&current_plan(vec![single(task)], DEFAULTS), &bound);
    assert!(completed(&end), "{end:?}");
    assert_eq!(figures.count(0, Kind::Latency, SampleType::Normal), 5);
}

#[test]
fn errors_of_a_task_that_ignores_them_do_not_end_a_race_that_errors_end() {
    let mut tolerant = task("tolerant");
    (tolerant.iterations, tolerant.ignores_non_fatal_errors) = (Some(5), true);
    let bound = Bound::default()
        .with_runner("tolerant", Source::endless(), |_| async { Some(failure(FailureKind::Answered)) })
        .with_runner("strict", Source::endless(), |_| async { Some(failure(FailureKind::Answered)) });
    let plan = current_plan(vec![single(tolerant), single(task("strict"))], ABORT);
    let (end, _) = race(&plan, &bound);
    assert_eq!(bound.log.of("tolerant").len(), 5);
    assert!(
        matches!(&end.reason, EndReason::Failed(RaceError::RequestFailed { task, .. }) if task == "strict"),
        "{end:?}"
    );
}

#[test]
fn a_target_that_is_gone_ends_the_race_although_the_task_ignores_errors() {
    let mut tolerant = task("a");
    (tolerant.iterations, tolerant.ignores_non_fatal_errors) = (Some(5), true);
    let bound = Bound::default()
        .with_runner("a", Source::endless(), |_| async { Some(failure(FailureKind::Refused)) });
    let (end, _) = race(&current_plan(vec![single(tolerant)], ABORT), &bound);
    assert!(matches!(end.reason, EndReason::Failed(RaceError::TargetGone { .. })), "{end:?}");
}

#[test]
fn with_continue_on_network_a_target_that_is_gone_is_waited_for() {
    let mut task = task("a");
    task.iterations = Some(5);
    let bound = Bound::default()
        .with_runner("a", Source::endless(), |_| async { Some(failure(FailureKind::Refused)) });
    let options = PlanOptions { on_error: OnError::ContinueOnNetwork, ..DEFAULTS };
    let (end, figures) = race(&current_plan(vec![single(task)], options), &bound);
    assert!(completed(&end), "{end:?}");
    assert_eq!(figures.count_of(0, Kind::ServiceTime, SampleType::Normal, Ending::Failure), 5);
}
