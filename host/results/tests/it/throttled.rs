//! The true rate of throttled tasks: n requests due at a rate fill n intervals.
//!
//! On paper: with the first measured request due at d, n measured requests due at r per second and the last one over at e, the span is
//! from d to max(e, d + n / r), and the rate n / span. A target that keeps up has e < d + n / r, so the rate is r.

use crate::common::{Request, assert_close, recording, task};
use rally_race::Recording;
use rally_results::{Collector, RaceStatus, Rates, TaskInfo};

/// Requests that are due at these seconds, each answered after `takes`.
struct Throttled {
    clients: u32,
    /// Requests per second over all clients.
    rate: f64,
    warmup: Vec<f64>,
    measured: Vec<f64>,
    takes: f64,
}

impl Throttled {
    /// One client, no warm-up, due every 1 / rate seconds from `first` on.
    fn of(rate: f64, first: f64, count: u32) -> Throttled {
        let measured = (0..count).map(|number| first + f64::from(number) / rate).collect();
        Throttled { clients: 1, rate, warmup: Vec::new(), measured, takes: 0.005 }
    }

    fn rates(&self) -> Rates {
        let request = |due: &f64| Request::new(*due, due + self.takes, 1.0);
        let requests: Vec<Request> = self
            .warmup
            .iter()
            .map(|due| request(due).warmup())
            .chain(self.measured.iter().map(request))
            .collect();
        // Each client has an interval of clients / rate.
        let interval = f64::from(self.clients) / self.rate * 1e9;
        let recording = Recording {
            measured_intervals: self.measured.len() as u64 * interval.round() as u64,
            ..recording(&requests, "ops")
        };
        let mut collector = Collector::new([TaskInfo { clients: self.clients, ..task(0, 1, "op") }]);
        collector.add(0, &recording).unwrap();
        collector.summary(RaceStatus::Complete).laps[0].tasks[0].throughput.unwrap()
    }
}

#[test]
fn the_mean_throughput_of_a_task_that_keeps_up_is_its_target() {
    let cases = [
        // 2 requests at 0.5/s: due at 0 and 2 s, over at 2.005 s. 2 / 2.005 = 0.9975 is what two requests in one interval look like.
        ("target-throughput 0.5, 2 iterations", Throttled::of(0.5, 0.0, 2), 0.5),
        // 1 request every 3 s, over after 5 ms: 1 / 0.005 = 200 would be a rate of the target, not of the task.
        ("target-interval 3, 1 iteration", Throttled::of(1.0 / 3.0, 3.0, 1), 1.0 / 3.0),
        // Due at 1.0, 1.2, ... 2.8 s after 5 in the warm-up: 10 / 1.805 = 5.54.
        (
            "5/s for 2 s after 1 s of warm-up",
            Throttled { warmup: vec![0.0, 0.2, 0.4, 0.6, 0.8], ..Throttled::of(5.0, 1.0, 10) },
            5.0,
        ),
        // 4 clients, each every 0.4 s, spread by 0.1 s: 40 requests, the last one due at 3.9 s.
        ("10/s of 4 clients", Throttled { clients: 4, ..Throttled::of(10.0, 0.0, 40) }, 10.0),
        // In lockstep (Rally's timing) all 4 clients are due at 0, 0.4, ... 3.6 s.
        (
            "10/s of 4 clients in lockstep",
            Throttled {
                clients: 4,
                measured: (0..40).map(|number| f64::from(number / 4) * 0.4).collect(),
                ..Throttled::of(10.0, 0.0, 0)
            },
            10.0,
        ),
        // 1500 requests in 10 s: the last one is due at 9.9933 s.
        ("150/s for 10 s", Throttled::of(150.0, 0.0, 1500), 150.0),
        // 3 clients of which one has one request only (4 iterations in total): due at 0, 1, 2, 3 s.
        ("4 iterations of 3 clients", Throttled { clients: 3, ..Throttled::of(1.0, 0.0, 4) }, 1.0),
    ];
    for (name, case, expected) in cases {
        let rates = case.rates();
        assert_close(rates.mean, expected, 1e-6, name);
        assert!(rates.min <= rates.mean && rates.mean <= rates.max, "{name}: {rates:?}");
    }
}

/// 4 requests due every 0.1 s to a target that takes 0.5 s for each, one after the other: over at 2 s, 4 / 2 = 2 per second.
#[test]
fn a_target_that_does_not_keep_up_has_its_own_rate() {
    let requests: Vec<Request> = (0..4)
        .map(|number| Request::new(f64::from(number) * 0.5, f64::from(number + 1) * 0.5, 1.0))
        .collect();
    let recording = Recording { measured_intervals: 400_000_000, ..recording(&requests, "ops") };
    let mut collector = Collector::new([task(0, 1, "op")]);
    collector.add(0, &recording).unwrap();
    let rates = collector.summary(RaceStatus::Complete).laps[0].tasks[0].throughput.unwrap();
    assert_eq!(rates.mean, 2.0);
}

/// 3 of 4 requests fail after doing 10 each: 10 docs in 4 s. Rally counts all 40.
#[test]
fn failed_work_is_no_throughput_but_in_rallys_own_figure() {
    let requests: Vec<Request> = (0..4)
        .map(|number| {
            let request = Request::new(f64::from(number), f64::from(number + 1), 10.0);
            if number == 2 { request } else { request.failed() }
        })
        .collect();
    let mut collector = Collector::new([task(0, 1, "op")]);
    collector.add(0, &recording(&requests, "docs")).unwrap();
    let summary = collector.summary(RaceStatus::Complete);
    let task = &summary.laps[0].tasks[0];
    assert_eq!(task.throughput.unwrap().mean, 2.5);
    // At the last start Rally's clock says 4 s.
    assert_eq!(task.rally_throughput.unwrap().min, 10.0);
    assert_eq!(task.failed_work, 30.0);
}
