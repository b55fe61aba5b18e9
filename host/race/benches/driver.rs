//! What the load driver itself costs and how late it sends, without any network: `cargo bench -p rally-race`.
//!
//! Requests are answered at once by a runner in the process. The lateness of a bare `clock_nanosleep` loop with a thread per
//! client stands beside it, and that of tokio's own timers. Runs alternate, each rate several times: on a busy machine
//! only the medians of the runs say something, and little about the tail.

#![allow(clippy::unwrap_used)]

#[path = "../tests/it/support/mod.rs"]
#[allow(dead_code, reason = "the bench uses a part of it")]
mod support;

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use hdrhistogram::Histogram;
use rally_race::*;
use rally_track::Target;
use support::{Bound, Collector, Constant, Source, plan, single, task};

const CLIENTS: u32 = 8;
const SECONDS: f64 = 2.0;
const ROUNDS: usize = 3;

/// Answers at once.
struct AtOnce;

impl RunnerFactory for AtOnce {
    fn open<'a>(&'a self, _: Partition) -> LocalBoxFuture<'a, Result<Box<dyn Runner>, Cause>> {
        async { Ok(Box::new(AtOnce) as Box<dyn Runner>) }.boxed_local()
    }
}

impl Runner for AtOnce {
    fn run<'a>(&'a mut self, _: &'a Params) -> LocalBoxFuture<'a, Result<Outcome, Cause>> {
        async {
            let now = Instant::now();
            Ok(Outcome::new(now, now, 1.0, "ops"))
        }
        .boxed_local()
    }
}

fn bound(source: impl ParamSourceFactory + 'static) -> Bound {
    let mut bound = Bound::default().with("a", source);
    bound.binding("a").runner = Arc::new(AtOnce);
    bound
}

/// Time and CPU time of the driver per request, nanoseconds, without throttling.
fn cost(source: impl ParamSourceFactory + 'static, clients: u32) -> (f64, f64) {
    let mut task = task("a");
    (task.clients, task.time_period) = (clients, Some(SECONDS));
    let mut figures = Collector::default();
    let mut driver = LocalDriver::default();
    run(&plan(vec![single(task)]), &bound(source), &mut driver, &mut figures, &Cancel::new());
    let requests = figures.count(0, Kind::ServiceTime, SampleType::Normal) as f64;
    let load = figures.loads[&0];
    (load.wall_time as f64 / requests, load.cpu_time as f64 / requests)
}

/// How late requests go out at `rate` requests per second over all clients.
fn driver_lateness(rate: f64) -> Histogram<u64> {
    let mut task = task("a");
    (task.clients, task.time_period, task.target) = (CLIENTS, Some(SECONDS), Some(Target::Throughput(rate)));
    let mut figures = Collector::default();
    let mut driver = LocalDriver::default();
    run(&plan(vec![single(task)]), &bound(Source::endless()), &mut driver, &mut figures, &Cancel::new());
    let recording = figures.recordings.remove(&0).unwrap_or_default();
    let key = (Kind::SendLateness, SampleType::Normal, Ending::Success);
    recording.histograms.get(&key).cloned().unwrap_or_else(histogram)
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, HIGHEST_NANOSECONDS, 3).unwrap()
}

/// The due times of one client, as the driver has them.
fn due_times(start: Instant, rate: f64, client: u32) -> impl Iterator<Item = Instant> {
    let count = (SECONDS * rate / f64::from(CLIENTS)) as u32;
    let interval = f64::from(CLIENTS) / rate;
    let phase = f64::from(client) / rate;
    (0..count).map(move |number| start + Duration::from_secs_f64(phase + interval * f64::from(number)))
}

/// A thread per client that sleeps with `clock_nanosleep`.
fn bare_lateness(rate: f64) -> Histogram<u64> {
    let start = Instant::now() + Duration::from_millis(5);
    let all = Mutex::new(histogram());
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            let all = &all;
            scope.spawn(move || {
                let _ = rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1));
                let mut own = histogram();
                for due in due_times(start, rate, client) {
                    // `std` sleeps until an absolute time of the monotonic clock only on newer versions; a relative one is
                    // off by the time of the call, some hundred nanoseconds.
                    thread::sleep(due.saturating_duration_since(Instant::now()));
                    own.saturating_record(due.elapsed().as_nanos() as u64);
                }
                all.lock().unwrap().add(own).unwrap();
            });
        }
    });
    all.into_inner().unwrap()
}

/// A task per client that sleeps with tokio's timers.
fn tokio_lateness(rate: f64) -> Histogram<u64> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let start = Instant::now() + Duration::from_millis(5);
        let client = |client| async move {
            let mut own = histogram();
            for due in due_times(start, rate, client) {
                tokio::time::sleep_until(due.into()).await;
                own.saturating_record(due.elapsed().as_nanos() as u64);
            }
            own
        };
        let clients = futures_util::future::join_all((0..CLIENTS).map(client)).await;
        let mut all = histogram();
        for own in clients {
            all.add(own).unwrap();
        }
        all
    })
}

/// Median over the rounds of a percentile, microseconds.
fn median(rounds: &[Histogram<u64>], percentile: f64) -> f64 {
    let mut values: Vec<_> =
        rounds.iter().map(|round| round.value_at_quantile(percentile) as f64 / 1000.0).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    // `cargo test --all-targets` starts benches too, without this.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    println!("unthrottled, answered at once: ns and ns of CPU per request");
    for clients in [1, 8, 64] {
        let (constant, constant_cpu) = cost(Constant, clients);
        let (made, made_cpu) = cost(Source::endless(), clients);
        println!(
            "{clients:4} clients: constant {constant:6.0} {constant_cpu:6.0}   made {made:6.0} {made_cpu:6.0}"
        );
    }
    println!(
        "\nsend lateness in µs: p50 / p99 / p99.9, medians of {ROUNDS} rounds of {SECONDS} s, {CLIENTS} clients"
    );
    type Measure = fn(f64) -> Histogram<u64>;
    let ways: [(&str, Measure); 3] =
        [("driver", driver_lateness), ("bare sleep", bare_lateness), ("tokio", tokio_lateness)];
    for rate in [1_000.0, 5_000.0, 20_000.0] {
        let mut rounds = vec![Vec::new(); ways.len()];
        for round in 0..ROUNDS {
            for turn in 0..ways.len() {
                let way = (turn + round) % ways.len();
                rounds[way].push(ways[way].1(rate));
            }
        }
        for ((name, _), rounds) in ways.iter().zip(&rounds) {
            let [p50, p99, p999] = [0.5, 0.99, 0.999].map(|quantile| median(rounds, quantile));
            println!("{rate:6}/s {name:10} {p50:8.1} / {p99:8.1} / {p999:8.1}");
        }
    }
}
