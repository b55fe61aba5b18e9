//! Sources and schedulers that are asked when a request's turn comes, runners that say themselves when a task is complete,
//! and what else runners tell.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::support::scripted::{DueBy, in_turn};
use crate::support::*;
use rally_race::*;
use rally_track::Target;
use serde_json::json;

fn completed(end: &RaceEnd) -> bool {
    matches!(end.reason, EndReason::Completed) && end.failed_tasks.is_empty()
}

#[test]
fn a_source_in_turn_is_asked_once_per_request_on_the_thread_of_its_client() {
    let threads = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&threads);
    let mut task = task("a");
    task.clients = 3;
    let mut bound = Bound::default().with("a", Source::endless());
    bound.binding("a").params = in_turn(true, move |partition, number| {
        let name = std::thread::current().name().unwrap_or_default().to_owned();
        seen.lock().unwrap().push((partition.index, name));
        async move { Ok((number < 10).then(|| numbered(number))) }
    });
    let (end, figures) = race(&plan(vec![single(task)]), &bound);
    assert!(completed(&end), "{end:?}");
    assert_eq!(figures.count(0, Kind::ServiceTime, SampleType::Normal), 30);
    let threads = threads.lock().unwrap();
    // Ten requests and the end for each client.
    assert_eq!(threads.len(), 33);
    for (client, thread) in threads.iter() {
        assert_eq!(*thread, format!("rally-loop-{}", client % 2));
    }
}

#[test]
fn a_source_in_turn_knows_what_became_of_the_request_before() {
    let done = Arc::new(AtomicU64::new(0));
    let (asked, counted) = (Arc::clone(&done), Arc::clone(&done));
    let mut task = task("a");
    task.iterations = Some(20);
    let mut bound = Bound::default().with("a", Source::endless()).saying("a", move |_, at| {
        counted.fetch_add(1, Ordering::SeqCst);
        Ok(Outcome::new(at, at, 1.0, "ops"))
    });
    bound.binding("a").params = in_turn(false, move |_, _| {
        let done = asked.load(Ordering::SeqCst);
        async move { Ok(Some(numbered(done))) }
    });
    let (end, _) = race(&plan(vec![single(task)]), &bound);
    assert!(completed(&end), "{end:?}");
    assert_eq!(bound.log.numbers_of("a"), (0..20).collect::<Vec<_>>());
}

#[test]
fn the_time_of_a_source_in_turn_is_part_of_nothing_but_lateness() {
    let slow = Duration::from_millis(5);
    let mut task = task("a");
    (task.iterations, task.target) = (Some(5), Some(Target::Throughput(1000.0)));
    let mut bound = Bound::default().with("a", Source::endless());
    bound.binding("a").params = in_turn(false, move |_, number| async move {
        tokio::time::sleep(slow).await;
        Ok(Some(numbered(number)))
    });
    let (end, figures) = race(&plan(vec![single(task)]), &bound);
    assert!(completed(&end), "{end:?}");
    let least = |kind| figures.recordings[&0].histograms[&(kind, SampleType::Normal, Ending::Success)].min();
    let slow = slow.as_nanos() as u64;
    // With three significant digits.
    assert!(least(Kind::SendLateness) >= slow / 1000 * 999);
    assert!(least(Kind::ServiceTime) < slow && least(Kind::ProcessingTime) < slow);
    assert_eq!(figures.stalls(0), 0);
}

#[test]
fn a_source_in_turn_is_opened_before_its_step_starts() {
    let mut bound = Bound::default().with("a", Source::finite(3)).with("b", Source::endless());
    struct Broken;
    impl InTurnSourceFactory for Broken {
        fn open<'a>(
            &'a self,
            _: Partition,
        ) -> futures_util::future::LocalBoxFuture<'a, Result<Box<dyn InTurnSource>, Cause>> {
            Box::pin(async { Err("no such asset".into()) })
        }
        fn finite(&self) -> bool {
            true
        }
    }
    bound.binding("b").params = SourceBinding::InTurn(Arc::new(Broken));
    let plan = plan(vec![parallel(vec![task("a"), task("b")], Some(1), None)]);
    let (end, _) = race(&plan, &bound);
    let EndReason::Failed(RaceError::OpenParamSource { task, .. }) = &end.reason else { panic!("{end:?}") };
    assert_eq!(task, "b");
    assert!(bound.log.all().is_empty());
}

#[test]
fn schedulers_of_both_kinds_give_due_times_and_hear_what_became_of_the_requests() {
    type Heard = (f64, f64, f64, String, bool, Option<serde_json::Value>);
    let heard: Arc<Mutex<Vec<Heard>>> = Arc::default();
    let log = Arc::clone(&heard);
    let scheduler = DueBy::new(
        |current| Ok(current + 0.002),
        move |finished| {
            log.lock().unwrap().push((
                finished.started,
                finished.finished,
                finished.weight,
                finished.unit.to_owned(),
                finished.success,
                finished.meta.map(|meta| json!(meta)),
            ));
        },
    );
    for binding in scheduler.both_ways() {
        let mut task = task("a");
        (task.schedule, task.iterations) = ("own".to_owned(), Some(4));
        let mut bound = Bound::default().with("a", Source::endless()).saying("a", |performed, at| {
            let outcome = Outcome::new(at, at, 2.0, "pages");
            Ok(match performed.number {
                0 => Outcome { failure: Some(failure(FailureKind::Answered)), ..outcome },
                number => Outcome { meta: Some(Box::new(object(json!({"hits": number})))), ..outcome },
            })
        });
        bound.binding("a").scheduler = binding;
        let (end, figures) = race(&plan(vec![single(task)]), &bound);
        assert!(completed(&end), "{end:?}");
        assert_eq!(figures.count(0, Kind::SendLateness, SampleType::Normal), 4);
        let heard = std::mem::take(&mut *heard.lock().unwrap());
        assert_eq!(heard.len(), 4);
        for (number, (started, finished, weight, unit, success, meta)) in heard.iter().enumerate() {
            assert!(*started >= 0.002 * (number + 1) as f64 && started <= finished);
            assert_eq!((*weight, unit.as_str(), *success), (2.0, "pages", number > 0));
            assert_eq!(*meta, (number > 0).then(|| json!({"hits": number})));
        }
    }
}

#[test]
fn a_task_that_its_runner_completes_runs_until_each_client_says_so() {
    let mut task = task("a");
    task.clients = 2;
    let bound = Bound::default()
        .with("a", Source::endless())
        .completing("a", |performed| Progress { completed: performed == 50, fraction: Some(0.25) });
    let (end, figures) = race(&plan(vec![single(task)]), &bound);
    assert!(completed(&end), "{end:?}");
    assert_eq!(figures.count(0, Kind::ServiceTime, SampleType::Normal), 100);
}

#[test]
fn a_runner_may_complete_a_task_before_its_iterations_are_over() {
    let mut task = task("a");
    task.iterations = Some(1_000_000);
    let bound = Bound::default()
        .with("a", Source::endless())
        .completing("a", |performed| Progress { completed: performed == 7, fraction: None });
    let (end, figures) = race(&plan(vec![single(task)]), &bound);
    assert!(completed(&end), "{end:?}");
    assert_eq!(figures.count(0, Kind::ServiceTime, SampleType::Normal), 7);
}

#[test]
fn how_far_a_runner_says_it_is_is_shown_unless_it_is_no_fraction() {
    for (fraction, shown) in [(Some(0.25), Some(0.25)), (Some(f64::NAN), None), (None, None)] {
        let start = Instant::now();
        let bound = Bound::default().with("a", Source::endless()).completing("a", move |_| Progress {
            // Progress is told once per second.
            completed: start.elapsed() > Duration::from_millis(1300),
            fraction,
        });
        let (end, figures) = race(&plan(vec![single(task("a"))]), &bound);
        assert!(completed(&end), "{end:?}");
        assert_eq!(figures.progress.first().unwrap().fraction, shown);
    }
}

#[test]
fn a_time_based_task_whose_parameters_run_out_is_no_failure_and_says_so() {
    let mut timed = task("a");
    (timed.clients, timed.warmup_time_period, timed.time_period) = (2, Some(0.5), Some(60.0));
    let sources =
        |partition: Partition, number| Ok((number < 20 || partition.index == 2).then(|| numbered(number)));
    let asked = in_turn(true, move |partition, number| async move { sources(partition, number) });
    for params in [SourceBinding::Ahead(Arc::new(Source::by(true, sources))), asked] {
        let mut bound = Bound::default().with("a", Source::endless());
        bound.binding("a").params = params;
        let (end, figures) = race(&plan(vec![single(timed.clone())]), &bound);
        assert!(completed(&end), "{end:?}");
        assert_eq!(figures.count(0, Kind::ServiceTime, SampleType::Warmup), 40);
        let early = figures.recordings[&0].ran_out.unwrap();
        assert_eq!((early.clients, early.planned), (2, 60.5));
        assert!(early.first <= early.last && early.last < early.planned);
    }
    let mut counted = task("a");
    counted.iterations = Some(100);
    let (_, figures) =
        race(&plan(vec![single(counted)]), &Bound::default().with("a", Source::by(true, sources)));
    assert_eq!(figures.recordings[&0].ran_out, None);
}

#[test]
fn numbers_that_runners_tell_of_successful_measured_requests_add_up() {
    let mut task = task("a");
    (task.clients, task.iterations, task.warmup_iterations) = (2, Some(200), Some(20));
    let bound = Bound::default().with("a", Source::endless()).saying("a", |performed, at| {
        // Ten warm-up requests of each client come first.
        let told = json!({"took": performed.number, "timed_out": false});
        let outcome = Outcome { meta: Some(Box::new(object(told))), ..Outcome::new(at, at, 1.0, "ops") };
        let fails = performed.number == 109;
        Ok(Outcome { failure: fails.then(|| failure(FailureKind::Answered)), ..outcome })
    });
    let (end, figures) = race(&plan(vec![single(task)]), &bound);
    assert!(completed(&end), "{end:?}");
    let meta = &figures.recordings[&0].request_meta;
    // Requests 10 to 108 of both clients.
    let sum = 2.0 * (10..109).sum::<u32>() as f64;
    assert_eq!(meta.figures["took"], Figure { count: 198, sum, min: 10.0, max: 108.0 });
    assert_eq!((meta.figures.len(), meta.dropped), (1, 0));
}

#[test]
fn a_throughput_that_the_runner_gives_is_recorded_for_measured_requests() {
    let mut task = task("a");
    (task.iterations, task.warmup_iterations) = (Some(3), Some(1));
    let bound = Bound::default().with("a", Source::endless()).saying("a", |performed, at| {
        let throughput = Some(1000.0 * performed.number as f64);
        Ok(Outcome { throughput, ..Outcome::new(at, at, 1.0, "byte") })
    });
    let (end, figures) = race(&plan(vec![single(task)]), &bound);
    assert!(completed(&end), "{end:?}");
    let given = &figures.recordings[&0].given_throughput;
    assert_eq!(given.all(), Some(Figure { count: 3, sum: 6000.0, min: 1000.0, max: 3000.0 }));
    assert_eq!(given.median(), Some(2000.0));
}
