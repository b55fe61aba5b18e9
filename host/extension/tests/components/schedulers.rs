//! Due times, and what schedulers and others write to the log.

use std::io;
use std::sync::{Arc, Mutex};

use rally_race::{Finished, InTurnScheduler, Partition, SchedulerBinding};
use serde_json::{Value, json};

use crate::course::{Builder, Course};

fn scheduled(schedule: &str, mut task: Value) -> Course {
    task["schedule"] = schedule.into();
    let operation = json!({"operation-type": "search", "index": "places", "body": {}});
    Builder::with_guest("conformance").task("task", operation, task).build()
}

fn open(course: &Course) -> Box<dyn InTurnScheduler> {
    let task = course.task("task");
    let SchedulerBinding::InTurn(factory) = course.bind("task").unwrap().scheduler else {
        panic!("a scheduler that shares its instance")
    };
    let partition = Partition::of(1, 1, &task, 0);
    course.runtime.block_on(factory.open(&task, partition)).unwrap()
}

/// What is logged on this thread meanwhile.
pub fn logged(work: impl FnOnce()) -> String {
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);
    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::DEBUG)
        .with_ansi(false)
        .without_time()
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, work);
    let bytes = lines.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn due_times_are_those_of_the_scheduler() {
    let course = scheduled("steps", json!({"step-millis": 250}));
    let mut scheduler = open(&course);
    let mut current = 0.0;
    let mut times = Vec::new();
    for _ in 0..4 {
        current = course.runtime.block_on(scheduler.next(current)).unwrap();
        times.push(current);
    }
    assert_eq!(times, [0.25, 0.5, 0.75, 1.0]);
}

#[test]
fn a_scheduler_hears_of_each_request_in_order() {
    let course = scheduled("watching", json!({}));
    let mut scheduler = open(&course);
    let told = logged(|| {
        let mut current = 0.0;
        let took = json!({"took": 1});
        for number in 0..3 {
            current = course.runtime.block_on(scheduler.next(current)).unwrap();
            scheduler.after_request(&Finished {
                started: current,
                finished: current + 0.005,
                weight: 2.0,
                unit: "docs",
                success: number != 1,
                meta: took.as_object().filter(|_| number == 2),
            });
        }
        course.runtime.block_on(scheduler.next(current)).unwrap();
    });
    for line in [
        "request 1: weight 2 docs, success true, 0 meta, times in order: true",
        "request 2: weight 2 docs, success false, 0 meta, times in order: true",
        "request 3: weight 2 docs, success true, 1 meta, times in order: true",
    ] {
        assert!(told.contains(line), "no {line:?} in\n{told}");
    }
}

#[test]
fn lines_of_each_level_reach_the_log_with_track_and_extension() {
    let operation = json!({"operation-type": "search", "param-source": "log"});
    let course = Builder::with_guest("conformance").task("task", operation, json!({})).build();
    let told = logged(|| {
        course.requests("task", 0, 1);
    });
    for (level, message) in [
        ("DEBUG", "debug of task"),
        ("INFO", "info of task"),
        ("WARN", "warning of task"),
        ("ERROR", "error of task"),
    ] {
        let line =
            told.lines().find(|line| line.contains(message)).unwrap_or_else(|| panic!("{message}: {told}"));
        assert!(
            line.contains(level) && line.contains("conformance 0.1.0") && line.contains("places"),
            "{line}"
        );
    }
}

#[test]
fn lines_beyond_the_limit_are_counted() {
    let operation = json!({"operation-type": "search", "param-source": "log"});
    let course = Builder::with_guest("conformance")
        .limits(|limits| limits.log_lines = 6)
        .task("task", operation, json!({}))
        .build();
    let told = logged(|| {
        assert_eq!(course.requests("task", 0, 5).len(), 5, "the source goes on");
        drop(course);
    });
    assert_eq!(told.matches(" of task").count(), 6, "{told}");
    assert!(told.contains("--extension-log-lines") && told.contains("lines=14"), "{told}");
}
