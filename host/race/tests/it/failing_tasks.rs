//! Tasks that cannot go on: over for all their clients, while the race goes on or ends as the user decides.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::support::scripted::{DueBy, in_turn};
use crate::support::*;
use rally_race::*;
use rally_track::{Element, Target, Task};

const ABORT: PlanOptions = PlanOptions { seed: 0, laps: 1, on_error: OnError::Abort, timing: Timing::Spread };

/// The race ran to its end, but for this task; why it could not go on.
fn only_failure(end: &RaceEnd, task: usize) -> &RaceError {
    assert!(matches!(end.reason, EndReason::Completed), "{end:?}");
    let [failed] = end.failed_tasks.as_slice() else { panic!("{end:?}") };
    assert_eq!(failed.task, task);
    &failed.error
}

fn fails_at(number: u64) -> impl Fn(Performed, std::time::Instant) -> Result<Outcome, Cause> {
    move |performed, at| match performed.number {
        reached if reached >= number => Err("the guest trapped\n  at run".into()),
        _ => Ok(Outcome::new(at, at, 1.0, "ops")),
    }
}

/// So many requests, in so many seconds.
fn throttled(name: &str, iterations: u64, seconds: f64) -> Task {
    let mut task = task(name);
    task.iterations = Some(iterations);
    task.target = Some(Target::Throughput(iterations as f64 / seconds));
    task
}

#[test]
fn a_runner_that_fails_ends_its_task_and_nothing_else() {
    let elements = || -> Vec<Element> {
        let mut wild = throttled("wild", 300, 3.0);
        wild.clients = 3;
        vec![parallel(vec![throttled("calm", 200, 0.2), wild], None, None), single(task("later"))]
    };
    let bound = || {
        Bound::default()
            .with("calm", Source::endless())
            .with("wild", Source::endless())
            .saying("wild", fails_at(5))
            .with("later", Source::finite(10))
    };
    let (end, figures) = race(&plan(elements()), &bound());
    let RaceError::Runner { task, source, .. } = only_failure(&end, 1) else { panic!("{end:?}") };
    assert_eq!(task, "wild");
    assert_eq!(source.to_string(), "the guest trapped\n  at run");
    assert_eq!(end.steps_finished, 2);
    assert_eq!(figures.count(0, Kind::ServiceTime, SampleType::Normal), 200);
    assert_eq!(figures.count(2, Kind::ServiceTime, SampleType::Normal), 10);
    // Each client had up to five requests before the first of them failed; nobody went on afterwards.
    let count = figures.count(1, Kind::ServiceTime, SampleType::Normal);
    assert!((5..=15).contains(&count), "{count}");
    assert_eq!(figures.events.iter().filter(|event| *event == "task 1 failed").count(), 1);
    assert!(figures.events.contains(&"task 1 finished".to_owned()));

    let (end, figures) = race(&plan_with(elements(), ABORT), &bound());
    assert!(matches!(end.reason, EndReason::Failed(RaceError::Runner { .. })), "{end:?}");
    assert!(end.failed_tasks.is_empty() && end.steps_finished == 0);
    assert!(!figures.recordings.contains_key(&2));
}

#[test]
fn a_source_that_fails_ends_its_task_after_the_requests_it_made() {
    let make = |_: Partition, number| match number {
        0..5 => Ok(Some(numbered(number))),
        _ => Err(Cause::from("bad line")),
    };
    let asked = in_turn(true, move |partition, number| async move { make(partition, number) });
    for params in [SourceBinding::Ahead(Arc::new(Source::by(true, make))), asked] {
        let mut bound = Bound::default().with("a", Source::endless());
        bound.binding("a").params = params;
        let (end, figures) = race(&plan(vec![single(task("a"))]), &bound);
        let error = only_failure(&end, 0);
        assert!(matches!(error, RaceError::ParamSource { .. }), "{error:?}");
        assert_eq!(figures.count(0, Kind::ServiceTime, SampleType::Normal), 5);

        let (end, figures) = race(&plan_with(vec![single(task("a"))], ABORT), &bound);
        assert!(matches!(end.reason, EndReason::Failed(RaceError::ParamSource { .. })), "{end:?}");
        assert_eq!(figures.count(0, Kind::ServiceTime, SampleType::Normal), 5);
    }
}

#[test]
fn a_source_that_panics_ends_its_task() {
    let source =
        Source::by(true, |_, number| if number < 5 { Ok(Some(numbered(number))) } else { panic!("boom") });
    let bound = Bound::default().with("a", source);
    let (end, figures) = race(&plan(vec![single(task("a"))]), &bound);
    let RaceError::ParamSource { source, .. } = only_failure(&end, 0) else { panic!("{end:?}") };
    assert!(source.to_string().contains("boom"), "{source}");
    assert!(figures.count(0, Kind::ServiceTime, SampleType::Normal) <= 5);
}

#[test]
fn a_source_that_makes_nothing_and_does_not_end_is_an_error() {
    struct Idle;
    impl ParamSourceFactory for Idle {
        fn open(&self, _: Partition) -> Result<Box<dyn ParamSource>, Cause> {
            Ok(Box::new(Idle))
        }
        fn finite(&self) -> bool {
            true
        }
    }
    impl ParamSource for Idle {
        fn next(&mut self, _: usize, _: &mut Vec<Params>) -> Result<More, Cause> {
            Ok(More::Yes)
        }
        fn size(&self) -> Option<u64> {
            None
        }
    }
    let (end, _) = race(&plan(vec![single(task("a"))]), &Bound::default().with("a", Idle));
    assert!(matches!(only_failure(&end, 0), RaceError::ParamSource { .. }), "{end:?}");
}

#[test]
fn a_scheduler_that_fails_or_gives_no_time_ends_its_task() {
    let fails: fn(f64) -> Result<f64, Cause> = |current| match current {
        0.004.. => Err("no more".into()),
        _ => Ok(current + 0.001),
    };
    let nonsense: fn(f64) -> Result<f64, Cause> =
        |current| Ok(if current < 0.004 { current + 0.001 } else { f64::NAN });
    for due in [fails, nonsense] {
        for binding in DueBy::new(due, |_| {}).both_ways() {
            let mut task = task("a");
            (task.schedule, task.iterations) = ("own".to_owned(), Some(100));
            let mut bound = Bound::default().with("a", Source::endless());
            bound.binding("a").scheduler = binding;
            let (end, figures) = race(&plan(vec![single(task)]), &bound);
            assert!(matches!(only_failure(&end, 0), RaceError::Scheduler { .. }), "{end:?}");
            assert_eq!(figures.count(0, Kind::SendLateness, SampleType::Normal), 4);
        }
    }
}

#[test]
fn a_scheduler_that_cannot_be_opened_ends_the_race_before_anything_is_sent() {
    struct Broken;
    impl SchedulerFactory for Broken {
        fn open(&self, _: &Task, _: Partition) -> Result<Box<dyn Scheduler>, Cause> {
            Err("no bounds".into())
        }
    }
    let mut bound = Bound::default().with("a", Source::endless());
    bound.binding("a").scheduler = SchedulerBinding::Own(Arc::new(Broken));
    let (end, _) = race(&plan(vec![single(task("a"))]), &bound);
    assert!(matches!(end.reason, EndReason::Failed(RaceError::Scheduler { .. })), "{end:?}");
    assert!(bound.log.all().is_empty());
}

#[test]
fn weights_and_rates_that_are_no_amounts_never_reach_the_figures() {
    let weights = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0].map(|weight| (weight, None));
    for (weight, throughput) in weights.into_iter().chain([(1.0, Some(f64::NAN)), (1.0, Some(-3.0))]) {
        let bound = Bound::default().with("a", Source::finite(3)).saying("a", move |performed, at| {
            let outcome = Outcome::new(at, at, 1.0, "docs");
            Ok(if performed.number == 2 { Outcome { weight, throughput, ..outcome } } else { outcome })
        });
        let (end, figures) = race(&plan(vec![single(task("a"))]), &bound);
        let RaceError::Runner { source, .. } = only_failure(&end, 0) else { panic!("{end:?}") };
        assert!(source.to_string().contains("must be a finite number, 0 or more"), "{source}");
        let work: f64 = figures.recordings[&0].seconds.values().map(|second| second.normal_weight).sum();
        assert_eq!(work, 2.0);
        assert_eq!(figures.recordings[&0].given_throughput.all(), None);
    }
}

#[test]
fn a_completing_task_that_fails_completes_its_element() {
    let mut endless = task("endless");
    endless.target = Some(Target::Throughput(1.0));
    (endless.iterations, endless.clients) = (Some(1_000_000), 2);
    let mut completing = throttled("completing", 1000, 10.0);
    completing.clients = 2;
    // With three rows the second client of the completing task never gets its turn: that must not keep the element open.
    let element = parallel(vec![endless, completing], Some(3), Some("completing"));
    let bound = Bound::default()
        .with("endless", Source::endless())
        .with("completing", Source::endless())
        .saying("completing", fails_at(3));
    let (end, figures) = race(&plan(vec![element]), &bound);
    only_failure(&end, 1);
    assert_eq!(figures.count(1, Kind::ServiceTime, SampleType::Normal), 3);
}

#[test]
fn clients_of_a_failed_task_that_had_not_started_stay_away_from_it() {
    let opened = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&opened);
    let mut first = throttled("first", 20, 0.2);
    first.clients = 1;
    let mut wild = throttled("wild", 1000, 1.0);
    wild.clients = 2;
    let source = Source::endless();
    let bound = Bound::default().with("first", Source::endless()).with("wild", source).saying(
        "wild",
        move |performed, at| {
            count.fetch_max(u64::from(performed.client) + 1, Ordering::SeqCst);
            fails_at(0)(performed, at)
        },
    );
    // The second client of `wild` comes after `first`, on the row of it.
    let plan = plan(vec![parallel(vec![first, wild], Some(2), None)]);
    let (end, figures) = race(&plan, &bound);
    only_failure(&end, 1);
    assert_eq!(figures.count(0, Kind::ServiceTime, SampleType::Normal), 20);
    assert_eq!(opened.load(Ordering::SeqCst), 1);
}

#[test]
fn a_task_that_fails_in_each_lap_is_told_of_each_lap() {
    let options = PlanOptions { laps: 2, on_error: OnError::Continue, ..ABORT };
    let bound = Bound::default().with("a", Source::endless()).saying("a", fails_at(0));
    let (end, _) = race(&plan_with(vec![single(throttled("a", 10, 0.01))], options), &bound);
    let failed: Vec<usize> = end.failed_tasks.iter().map(|failed| failed.task).collect();
    assert_eq!(failed, [0, 1]);
    assert_eq!(end.steps_finished, 2);
}
