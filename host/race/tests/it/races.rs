//! Whole races in this process, with fake param sources and runners.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::support::*;
use bytes::Bytes;
use rally_race::*;
use rally_track::{Operation, Target};

fn completed(end: &RaceEnd) -> bool {
    matches!(end.reason, EndReason::Completed)
}

#[test]
fn iterations_are_a_total_over_all_clients() {
    let mut task = task("a");
    (task.clients, task.iterations, task.warmup_iterations) = (3, Some(10), Some(4));
    let bound = Bound::default().with("a", Source::endless());
    let (end, figures) = race(&plan(vec![single(task)]), &bound);
    assert!(completed(&end), "{end:?}");
    assert_eq!(figures.count(0, Kind::ServiceTime, SampleType::Warmup), 4);
    assert_eq!(figures.count(0, Kind::ServiceTime, SampleType::Normal), 10);
    let of_client = |client| bound.log.all().iter().filter(|performed| performed.client == client).count();
    assert_eq!([of_client(0), of_client(1), of_client(2)], [2 + 4, 1 + 3, 1 + 3]);
}

#[test]
fn fewer_iterations_than_clients_leave_some_idle() {
    let mut task = task("a");
    (task.clients, task.iterations) = (8, Some(3));
    let bound = Bound::default().with("a", Source::endless());
    let (end, _) = race(&plan(vec![single(task)]), &bound);
    assert!(completed(&end), "{end:?}");
    let mut clients: Vec<_> = bound.log.all().iter().map(|performed| performed.client).collect();
    clients.sort_unstable();
    assert_eq!(clients, [0, 1, 2]);
}

#[test]
fn a_finite_source_is_performed_to_its_end_each_request_once() {
    let mut task = task("a");
    task.clients = 7;
    let bound = Bound::default().with("a", Source::finite(10_000));
    let (end, figures) = race(&plan(vec![single(task)]), &bound);
    assert!(completed(&end), "{end:?}");
    assert_eq!(bound.log.numbers_of("a"), (0..10_000).collect::<Vec<_>>());
    assert_eq!(figures.count(0, Kind::ServiceTime, SampleType::Normal), 10_000);
}

#[test]
fn a_source_that_gives_the_same_request_for_ever_is_asked_once() {
    let mut task = task("a");
    task.iterations = Some(100);
    let bound = Bound::default().with("a", Constant);
    let (end, figures) = race(&plan(vec![single(task)]), &bound);
    assert!(completed(&end), "{end:?}");
    assert_eq!(bound.log.numbers_of("a"), [7; 100]);
    assert_eq!(figures.stalls(0), 0);
}

/// 20 measured requests of a task at 500/s fill 20 / 500 s = 40 ms, however many clients share them: each of `clients` clients has an
/// interval of `clients` / 500 s.
#[test]
fn measured_requests_of_a_throttled_task_fill_their_intervals() {
    let mut wrong = Vec::new();
    for target in [Target::Throughput(500.0), Target::Interval(0.002)] {
        for (clients, schedule, timing) in [
            (1, "deterministic", Timing::Spread),
            (4, "deterministic", Timing::Spread),
            (4, "deterministic", Timing::Rally),
            (5, "poisson", Timing::Spread),
        ] {
            let mut task = task("a");
            (task.clients, task.iterations, task.warmup_iterations) = (clients, Some(20), Some(10));
            (task.schedule, task.target) = (schedule.to_owned(), Some(target.clone()));
            let bound = Bound::default().with("a", Source::endless());
            let options = PlanOptions { timing, ..PlanOptions::default() };
            let (end, figures) = race(&plan_with(vec![single(task)], options), &bound);
            assert!(completed(&end), "{end:?}");
            let filled = figures.recordings[&0].measured_intervals / u64::from(clients);
            if filled != 40_000_000 {
                wrong.push(format!("{clients} clients, {schedule}, {timing:?}, {target:?}: {filled} ns"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_unthrottled_task_fills_no_intervals() {
    let mut task = task("a");
    task.iterations = Some(20);
    let bound = Bound::default().with("a", Source::endless());
    let (_, figures) = race(&plan(vec![single(task)]), &bound);
    assert_eq!(figures.recordings[&0].measured_intervals, 0);
}

#[test]
fn no_request_is_sent_before_it_is_due() {
    let mut task = task("a");
    (task.clients, task.iterations) = (4, Some(400));
    task.target = Some(Target::Throughput(2000.0));
    let bound = Bound::default().with("a", Source::endless());
    let (end, figures) = race(&plan(vec![single(task)]), &bound);
    assert!(completed(&end), "{end:?}");
    let first = bound.log.all().iter().map(|performed| performed.at).min().unwrap();
    for performed in bound.log.all() {
        // Client i of 4 at 2000 requests/s is due at i * 0.5 ms and every 2 ms from there. The first request was itself
        // sent at or after its due time, so nothing can be earlier than this, seen from there.
        let due = Duration::from_micros(500) * performed.client
            + Duration::from_millis(2) * performed.number as u32;
        let since_first = performed.at - first;
        assert!(since_first + Duration::from_millis(100) > due, "{performed:?} is early by far");
    }
    for client in 0..4 {
        let numbers: Vec<_> =
            bound.log.all().iter().filter(|one| one.client == client).map(|one| one.number).collect();
        assert_eq!(numbers, (0..100).collect::<Vec<_>>(), "in order");
    }
    assert_eq!(figures.count(0, Kind::SendLateness, SampleType::Normal), 400);
    assert_eq!(figures.count(0, Kind::Latency, SampleType::Normal), 400);
}

#[test]
fn unthrottled_requests_have_no_send_lateness() {
    let mut task = task("a");
    task.iterations = Some(5);
    let bound = Bound::default().with("a", Source::endless());
    let (_, figures) = race(&plan(vec![single(task)]), &bound);
    assert_eq!(figures.count(0, Kind::SendLateness, SampleType::Normal), 0);
    assert_eq!(figures.count(0, Kind::Latency, SampleType::Normal), 5);
    assert_eq!(figures.count(0, Kind::DriverLag, SampleType::Normal), 5);
    assert_eq!(figures.count(0, Kind::ProcessingTime, SampleType::Normal), 5);
}

#[test]
fn with_the_timing_of_rally_the_first_request_is_not_throttled() {
    let mut task = task("a");
    (task.clients, task.iterations) = (2, Some(6));
    task.target = Some(Target::Throughput(200.0));
    let bound = Bound::default().with("a", Source::endless());
    let options = PlanOptions { timing: Timing::Rally, ..PlanOptions::default() };
    let (_, figures) = race(&plan_with(vec![single(task)], options), &bound);
    assert_eq!(
        figures.count(0, Kind::SendLateness, SampleType::Normal),
        4,
        "the first one of each client has no due time"
    );
}

#[test]
fn a_step_starts_when_all_clients_have_finished_the_one_before() {
    let mut first = task("first");
    (first.clients, first.iterations) = (5, Some(50));
    let mut second = task("second");
    (second.clients, second.iterations) = (3, Some(30));
    let bound = Bound::default().with("first", Source::endless()).with("second", Source::endless());
    let (end, figures) = race(&plan(vec![single(first), single(second)]), &bound);
    assert!(completed(&end), "{end:?}");
    assert_eq!(end.steps_finished, 2);
    let last = bound.log.of("first").iter().map(|performed| performed.at).max().unwrap();
    assert!(bound.log.of("second").iter().all(|performed| performed.at > last));
    let order: Vec<_> =
        figures.events.iter().filter(|name| !name.starts_with("recording")).cloned().collect();
    assert_eq!(
        order,
        [
            "step 0 started",
            "task 0 finished",
            "step 0 finished",
            "step 1 started",
            "task 1 finished",
            "step 1 finished"
        ]
    );
}

#[test]
fn each_lap_is_prepared_and_its_tasks_have_numbers_of_their_own() {
    let mut task = task("a");
    task.iterations = Some(2);
    let bound = Bound::default().with("a", Source::endless());
    let plan = plan_with(vec![single(task)], PlanOptions { laps: 3, ..PlanOptions::default() });
    let (end, figures) = race(&plan, &bound);
    assert!(completed(&end), "{end:?}");
    assert_eq!(figures.laps, [1, 2, 3]);
    for task in 0..3 {
        assert_eq!(figures.count(task, Kind::ServiceTime, SampleType::Normal), 2);
    }
}

#[test]
fn no_more_clients_than_parallel_says_are_at_work() {
    let gauge = Arc::new(Gauge::default());
    let mut wide = task("wide");
    wide.clients = 6;
    let mut bound = Bound::default().with("wide", Source::endless());
    for name in ["a", "b", "c"] {
        let gauge = Arc::clone(&gauge);
        bound = bound.with_runner(name, Source::endless(), move |_| {
            let gauge = Arc::clone(&gauge);
            async move {
                gauge.up();
                tokio::time::sleep(Duration::from_millis(5)).await;
                gauge.down();
                None
            }
        });
    }
    let small = ["a", "b", "c"].map(|name| {
        let mut task = task(name);
        task.iterations = Some(4);
        task
    });
    let (end, _) = race(&plan(vec![single(wide), parallel(small.to_vec(), Some(2), None)]), &bound);
    assert!(completed(&end), "{end:?}");
    assert_eq!(gauge.most(), 2);
    let end_of = |task: &str| bound.log.of(task).iter().map(|performed| performed.at).max().unwrap();
    let start_of_c = bound.log.of("c")[0].at;
    assert!(start_of_c > end_of("a"), "the third task follows the first one");
}

#[test]
fn the_completing_task_stops_the_others_even_while_they_wait() {
    let mut completing = task("index");
    completing.clients = 2;
    let mut endless = task("query");
    (endless.clients, endless.warmup_time_period) = (2, Some(0.0));
    let mut patient = task("patient");
    (patient.iterations, patient.target) = (Some(1000), Some(Target::Interval(3600.0)));
    let bound = Bound::default()
        .with("index", Source::finite(100))
        .with_runner("query", Source::endless(), |_| async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            None
        })
        .with("patient", Source::endless());
    let (end, figures) =
        race(&plan(vec![parallel(vec![completing, endless, patient], None, Some("index"))]), &bound);
    assert!(completed(&end), "{end:?}");
    assert_eq!(bound.log.of("index").len(), 100);
    assert!(bound.log.of("patient").len() <= 1, "its second request is due in an hour");
    let queries = figures.count(1, Kind::ServiceTime, SampleType::Normal);
    assert_eq!(queries, bound.log.of("query").len() as u64, "the request in flight is finished and counted");
}

#[test]
fn time_based_tasks_measure_after_their_warm_up() {
    let mut task = task("a");
    (task.warmup_time_period, task.time_period) = (Some(0.05), Some(0.05));
    task.target = Some(Target::Throughput(200.0));
    let bound = Bound::default().with("a", Source::endless());
    let (end, figures) = race(&plan(vec![single(task)]), &bound);
    assert!(completed(&end), "{end:?}");
    assert!(figures.count(0, Kind::Latency, SampleType::Warmup) > 0);
    assert!(figures.count(0, Kind::Latency, SampleType::Normal) > 0);
}

#[test]
fn requests_that_are_not_ready_when_due_are_counted() {
    let performed = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&performed);
    // Makes a request only when the last but one has been performed.
    let source = Source::by(false, move |_, number| {
        let deadline = Instant::now() + Duration::from_secs(20);
        while performed.load(Ordering::SeqCst) + 1 < number {
            if Instant::now() > deadline {
                return Err("nothing is performed".into());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(20));
        Ok(Some(numbered(number)))
    });
    let mut task = task("a");
    task.iterations = Some(6);
    let bound = Bound::default().with_runner("a", source, move |_| {
        seen.fetch_add(1, Ordering::SeqCst);
        async { None }
    });
    let (end, figures) = race(&plan(vec![single(task)]), &bound);
    assert!(completed(&end), "{end:?}");
    assert!(figures.stalls(0) > 0);
    assert_eq!(figures.count(0, Kind::ServiceTime, SampleType::Normal), 6);
}

#[test]
fn the_end_of_a_source_is_no_stall() {
    let bound = Bound::default().with("a", Source::finite(1));
    let (end, figures) = race(&plan(vec![single(task("a"))]), &bound);
    assert!(completed(&end), "{end:?}");
    assert_eq!(figures.stalls(0), 0);
}

#[test]
fn failed_requests_are_recorded_and_the_race_goes_on() {
    let mut task = task("a");
    task.iterations = Some(10);
    let bound = Bound::default().with_runner("a", Source::endless(), |performed| async move {
        (performed.number % 2 == 1).then(|| failure(FailureKind::Answered))
    });
    let (end, figures) = race(&plan(vec![single(task)]), &bound);
    assert!(completed(&end), "{end:?}");
    assert_eq!(figures.count_of(0, Kind::ServiceTime, SampleType::Normal, Ending::Success), 5);
    assert_eq!(figures.count_of(0, Kind::ServiceTime, SampleType::Normal, Ending::Failure), 5);
    let key = FailureKey { status: Some(503), description: "unavailable".to_owned() };
    assert_eq!(figures.recordings[&0].failures[&key], 5);
    let seconds = &figures.recordings[&0].seconds;
    assert_eq!(
        seconds
            .values()
            .map(|second| (second.requests, second.failures))
            .fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1)),
        (10, 5)
    );
}

#[test]
fn with_on_error_abort_a_failed_request_ends_the_race_with_its_figures() {
    let mut task = task("a");
    task.iterations = Some(1000);
    let bound = Bound::default().with_runner("a", Source::endless(), |performed| async move {
        (performed.number == 3).then(|| failure(FailureKind::Answered))
    });
    let options = PlanOptions { on_error: OnError::Abort, ..PlanOptions::default() };
    let (end, figures) = race(&plan_with(vec![single(task)], options), &bound);
    assert!(matches!(end.reason, EndReason::Failed(RaceError::RequestFailed { .. })), "{end:?}");
    assert_eq!(figures.count(0, Kind::ServiceTime, SampleType::Normal), 4);
    assert!(!figures.events.contains(&"step 0 finished".to_owned()));
}

#[test]
fn what_prepares_other_tasks_must_not_fail_unless_it_may() {
    let mut wrong = Vec::new();
    for (operation_type, may_fail, ends) in [
        ("create-index", false, true),
        ("create-data-stream", false, true),
        ("create-composable-template", false, true),
        ("put-pipeline", false, true),
        ("restore-snapshot", false, true),
        ("create-index", true, false),
        ("delete-index", false, false),
        ("refresh", false, false),
        ("search", false, false),
    ] {
        let mut task = task("a");
        let operation = Operation { operation_type: operation_type.to_owned(), ..(*task.operation).clone() };
        (task.iterations, task.operation, task.ignores_non_fatal_errors) =
            (Some(3), Arc::new(operation), may_fail);
        let bound = Bound::default().with_runner("a", Source::endless(), |performed| async move {
            (performed.number == 1).then(|| failure(FailureKind::Answered))
        });
        let options = PlanOptions { on_error: OnError::AbortOnPreparation, ..PlanOptions::default() };
        let (end, _) = race(&plan_with(vec![single(task)], options), &bound);
        let ended = matches!(end.reason, EndReason::Failed(RaceError::PreparationFailed { .. }));
        if ended != ends || !ends && !completed(&end) {
            wrong.push(format!("{operation_type}, may fail: {may_fail}: {:?}", end.reason));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_target_that_is_gone_ends_the_race_in_any_case() {
    let mut task = task("a");
    task.iterations = Some(1000);
    let bound = Bound::default().with_runner("a", Source::endless(), |performed| async move {
        (performed.number == 3).then(|| failure(FailureKind::Refused))
    });
    let (end, figures) = race(&plan(vec![single(task)]), &bound);
    assert!(matches!(end.reason, EndReason::Failed(RaceError::TargetGone { .. })), "{end:?}");
    assert_eq!(figures.count(0, Kind::ServiceTime, SampleType::Normal), 4);
}

#[test]
fn a_source_that_cannot_be_opened_ends_the_race_before_anything_is_sent() {
    struct Broken;
    impl ParamSourceFactory for Broken {
        fn open(&self, _: Partition) -> Result<Box<dyn ParamSource>, Cause> {
            Err("no such file".into())
        }
        fn finite(&self) -> bool {
            true
        }
    }
    let bound = Bound::default().with("a", Source::finite(10)).with("b", Broken);
    let plan = plan(vec![parallel(vec![task("a"), task("b")], None, None)]);
    let (end, figures) = race(&plan, &bound);
    assert!(matches!(end.reason, EndReason::Failed(RaceError::OpenParamSource { .. })), "{end:?}");
    assert!(bound.log.all().is_empty());
    assert!(!figures.events.contains(&"step 0 started".to_owned()));
}

#[test]
fn a_runner_that_panics_ends_the_race_and_the_figures_of_the_others_stand() {
    let mut calm = task("calm");
    (calm.iterations, calm.target) = (Some(1_000_000), Some(Target::Throughput(500.0)));
    let mut wild = task("wild");
    (wild.iterations, wild.target) = (Some(1000), Some(Target::Throughput(100.0)));
    let bound = Bound::default().with("calm", Source::endless()).with_runner(
        "wild",
        Source::endless(),
        |performed| async move {
            assert!(performed.number < 5, "boom");
            None
        },
    );
    let (end, figures) = race(&plan(vec![parallel(vec![calm, wild], None, None)]), &bound);
    let EndReason::Failed(RaceError::Panicked { task, message }) = &end.reason else { panic!("{end:?}") };
    assert_eq!((task.as_str(), message.as_str()), ("wild", "boom"));
    assert_eq!(figures.count(1, Kind::ServiceTime, SampleType::Normal), 5);
    assert_eq!(figures.count(0, Kind::ServiceTime, SampleType::Normal), bound.log.of("calm").len() as u64);
}

#[test]
fn a_cancelled_race_abandons_requests_that_hang_and_delivers_what_it_has() {
    let mut task = task("a");
    (task.clients, task.iterations) = (2, Some(1_000_000));
    let cancel = Cancel::new();
    let on_hang = cancel.clone();
    let bound = Bound::default().with_runner("a", Source::endless(), move |performed| {
        let on_hang = on_hang.clone();
        async move {
            if performed.client == 1 && performed.number == 10 {
                on_hang.cancel();
                pending::<()>().await;
            }
            None
        }
    });
    let (end, figures) = race_with(&plan(vec![single(task)]), &bound, Collector::default(), &cancel);
    assert!(matches!(end.reason, EndReason::Cancelled), "{end:?}");
    let sent = bound.log.all().len() as u64;
    assert_eq!(
        figures.count(0, Kind::ServiceTime, SampleType::Normal),
        sent - 1,
        "all but the one that hangs"
    );
    assert!(figures.events.contains(&"task 0 finished".to_owned()));
}

#[test]
fn a_race_that_is_cancelled_between_steps_does_not_start_the_next() {
    let mut first = task("a");
    first.iterations = Some(1);
    let mut second = task("b");
    second.iterations = Some(1);
    let bound = Bound::default().with("a", Source::endless()).with("b", Source::endless());
    let cancel = Cancel::new();
    let collector =
        Collector { cancel_at: Some(("step 0 finished", cancel.clone())), ..Collector::default() };
    let (end, _) = race_with(&plan(vec![single(first), single(second)]), &bound, collector, &cancel);
    assert!(matches!(end.reason, EndReason::Cancelled), "{end:?}");
    assert_eq!(end.steps_finished, 1);
    assert!(bound.log.of("b").is_empty());
}

#[test]
fn a_thousand_clients_race() {
    let mut task = task("a");
    (task.clients, task.iterations) = (1000, Some(20_000));
    let bound = Bound::default().with_runner("a", Source::endless(), |_| async {
        tokio::task::yield_now().await;
        None
    });
    let (end, figures) = race(&plan(vec![single(task)]), &bound);
    assert!(completed(&end), "{end:?}");
    assert_eq!(figures.count(0, Kind::ServiceTime, SampleType::Normal), 20_000);
}

#[test]
fn a_runner_that_never_waits_leaves_its_thread_to_others() {
    let mut greedy = task("greedy");
    greedy.warmup_time_period = Some(0.0);
    let mut modest = task("modest");
    modest.iterations = Some(10);
    let bound =
        Bound::default().with("greedy", Constant).with_runner("modest", Source::endless(), |_| async {
            tokio::task::yield_now().await;
            None
        });
    let plan = plan(vec![parallel(vec![greedy, modest], None, Some("modest"))]);
    let mut driver =
        LocalDriver::new(LocalDriverOptions { threads: Some(1), ..LocalDriverOptions::default() });
    let mut figures = Collector::default();
    let end = run(&plan, &bound, &mut driver, &mut figures, &Cancel::new());
    assert!(completed(&end), "{end:?}");
    assert_eq!(bound.log.of("modest").len(), 10);
}

#[test]
fn a_slow_observer_loses_nothing() {
    let mut task = task("a");
    (task.clients, task.time_period, task.target) = (4, Some(2.5), Some(Target::Throughput(400.0)));
    let bound = Bound::default().with("a", Source::endless());
    let collector = Collector { slow: Duration::from_millis(700), ..Collector::default() };
    let (end, figures) = race_with(&plan(vec![single(task)]), &bound, collector, &Cancel::new());
    assert!(completed(&end), "{end:?}");
    assert_eq!(figures.count(0, Kind::Latency, SampleType::Normal), bound.log.all().len() as u64);
    assert!(figures.batches < 2 * 4, "batches of about a second, fewer when they are not taken");
    let last = figures.progress.last().unwrap();
    assert!(last.fraction.is_some() && last.remaining.is_some(), "{last:?}");
    assert!(figures.loads[&0].cpu_time > 0 && figures.loads[&0].wall_time > 0);
}

/// A body that knows when it is dropped.
struct Body(Arc<Gauge>, Vec<u8>);

impl AsRef<[u8]> for Body {
    fn as_ref(&self) -> &[u8] {
        &self.1
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        self.0.down();
    }
}

#[test]
fn prepared_bodies_stay_within_their_memory() {
    const BODY: usize = 100_000;
    const CLIENTS: u64 = 4;
    let alive = Arc::new(Gauge::default());
    let counted = Arc::clone(&alive);
    let source = Source::by(true, move |_, number| {
        counted.up();
        let body = Bytes::from_owner(Body(Arc::clone(&counted), vec![b' '; BODY]));
        Ok((number < 200).then(|| Params { body, ..numbered(number) }))
    });
    let mut task = task("a");
    task.clients = CLIENTS as u32;
    let bound = Bound::default().with_runner("a", source, |_| async {
        tokio::task::yield_now().await;
        None
    });
    let mut driver =
        LocalDriver::new(LocalDriverOptions { buffered_bytes: 10 * BODY, ..LocalDriverOptions::default() });
    let end = run(&plan(vec![single(task)]), &bound, &mut driver, &mut Collector::default(), &Cancel::new());
    assert!(completed(&end), "{end:?}");
    assert_eq!(bound.log.all().len(), 800);
    // Ten in the rings or two per client, one in the hand of each client, and the one that is being made.
    assert!(alive.most() <= 10 + 2 * CLIENTS + CLIENTS + 1, "{}", alive.most());
}

#[test]
fn the_first_requests_are_made_and_the_clients_connected_before_the_common_start() {
    let opened = Arc::new(AtomicU64::new(0));
    let at_first_request = Arc::new(AtomicU64::new(0));
    let (made, seen) = (Arc::clone(&opened), Arc::clone(&at_first_request));
    let source = Source::by(false, move |partition, number| {
        if number == 0 {
            std::thread::sleep(Duration::from_millis(u64::from(partition.index) * 10));
            made.fetch_add(1, Ordering::SeqCst);
        }
        Ok(Some(numbered(number)))
    });
    let mut task = task("a");
    (task.clients, task.iterations) = (5, Some(5));
    let bound = Bound::default().with_runner("a", source, move |_| {
        let ready = opened.load(Ordering::SeqCst);
        seen.fetch_max(6 - ready, Ordering::SeqCst);
        async { None }
    });
    let (end, figures) = race(&plan(vec![single(task)]), &bound);
    assert!(completed(&end), "{end:?}");
    assert_eq!(at_first_request.load(Ordering::SeqCst), 1, "all five were ready at every request");
    assert_eq!(figures.stalls(0), 0);
}

#[test]
fn a_task_that_would_never_end_is_refused_before_anything_is_sent() {
    let mut task = task("a");
    task.warmup_time_period = Some(1.0);
    let bound = Bound::default().with("a", Source::endless());
    let (end, _) = race(&plan(vec![single(task)]), &bound);
    assert!(matches!(end.reason, EndReason::Failed(RaceError::Bind(BindError::Endless { .. }))), "{end:?}");
    assert!(bound.log.all().is_empty());
}

#[test]
fn an_unknown_schedule_is_refused_before_anything_is_sent() {
    let mut task = task("a");
    task.schedule = "sometimes".to_owned();
    let bound = Bound::default().with("a", Source::endless());
    let (end, _) = race(&plan(vec![single(task)]), &bound);
    let EndReason::Failed(RaceError::Bind(error)) = &end.reason else { panic!("{end:?}") };
    assert!(error.to_string().contains("'sometimes'"), "{error}");
}

#[test]
fn latency_counts_from_the_due_time_even_if_it_has_passed() {
    let mut task = task("a");
    (task.iterations, task.target) = (Some(3), Some(Target::Throughput(1000.0)));
    let bound = Bound::default().with_runner("a", Source::endless(), |_| async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        None
    });
    let began = Instant::now();
    let (_, figures) = race(&plan(vec![single(task)]), &bound);
    assert!(began.elapsed() >= Duration::from_millis(60));
    let latency = &figures.recordings[&0].histograms[&(Kind::Latency, SampleType::Normal, Ending::Success)];
    let lag = &figures.recordings[&0].histograms[&(Kind::DriverLag, SampleType::Normal, Ending::Success)];
    // The third request was due at 2 ms and cannot have been answered before 60 ms.
    assert!(latency.max() >= 57_000_000, "{}", latency.max());
    assert!(lag.max() < latency.max(), "waiting for the former answer is not the driver's fault");
}
