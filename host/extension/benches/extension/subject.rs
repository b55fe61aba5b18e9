//! Sources, runners and schedulers as the race calls them, called in a loop.

use std::hint::black_box;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rally_race::{Binding, Params, Partition, Runner, SchedulerBinding, SourceBinding};
use rally_track::Task;
use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::Runtime;
use tokio::task::{LocalSet, spawn_local};

use crate::Options;
use crate::code::Code;

/// Performs about so many calls and says how many it were.
pub type Calls = Box<dyn FnMut(u64) -> u64>;

/// Nanoseconds of one call.
#[derive(Debug, Clone, Copy)]
pub struct Each {
    /// Time that passed.
    pub wall: f64,
    /// CPU time of this thread.
    pub cpu: f64,
}

/// Where a client's roles are opened and live.
pub struct Stage {
    pub runtime: Rc<Runtime>,
    pub task: Task,
}

impl Stage {
    fn partition(&self, client: u32) -> Partition {
        Partition::of(0, 1, &self.task, client)
    }

    /// Takes requests from the source of a client, `batch` at once where it gives several.
    pub fn source(&self, binding: &Binding, client: u32, batch: usize) -> Calls {
        match &binding.params {
            SourceBinding::Ahead(factory) => {
                let mut source = factory.open(self.partition(client)).expect("source opens");
                let mut made = Vec::with_capacity(batch);
                Box::new(move |calls| {
                    let times = calls.div_ceil(batch as u64);
                    for _ in 0..times {
                        made.clear();
                        source.next(batch, &mut made).expect("requests");
                        assert_eq!(black_box(&made).len(), batch);
                    }
                    times * batch as u64
                })
            }
            SourceBinding::InTurn(factory) => {
                let runtime = Rc::clone(&self.runtime);
                let opened = runtime.block_on(factory.open(self.partition(client)));
                let mut source = opened.expect("source opens");
                Box::new(move |calls| {
                    runtime.block_on(async {
                        for _ in 0..calls {
                            black_box(source.next().await.expect("request").expect("it is endless"));
                        }
                    });
                    calls
                })
            }
        }
    }

    /// The first requests of a client.
    pub fn requests(&self, binding: &Binding, client: u32, count: usize) -> Vec<Params> {
        let mut made = Vec::with_capacity(count);
        match &binding.params {
            SourceBinding::Ahead(factory) => {
                let mut source = factory.open(self.partition(client)).expect("source opens");
                while made.len() < count {
                    source.next(count - made.len(), &mut made).expect("requests");
                }
            }
            SourceBinding::InTurn(factory) => self.runtime.block_on(async {
                let mut source = factory.open(self.partition(client)).await.expect("source opens");
                while made.len() < count {
                    made.push(source.next().await.expect("request").expect("it is endless"));
                }
            }),
        }
        made
    }

    /// Runs the runner of a client with these requests in turn.
    pub fn runner(&self, binding: &Binding, client: u32, requests: Vec<Params>) -> Calls {
        let runtime = Rc::clone(&self.runtime);
        let opened = runtime.block_on(binding.runner.open(self.partition(client)));
        let mut runner = opened.expect("runner opens");
        let mut number = 0;
        Box::new(move |calls| {
            runtime.block_on(async {
                for _ in 0..calls {
                    let outcome = runner.run(&requests[number % requests.len()]).await.expect("it runs");
                    assert!(outcome.failure.is_none(), "{:?}", outcome.failure);
                    number += 1;
                }
            });
            calls
        })
    }

    /// Runs the runners of so many clients on one thread, as a race does: while one waits for its answer, others work. A single
    /// client would measure how soon an idle processor wakes.
    pub fn runners(&self, binding: &Binding, clients: u32, requests: Vec<Params>) -> Calls {
        let runtime = Rc::clone(&self.runtime);
        let open = |client| runtime.block_on(binding.runner.open(self.partition(client)));
        let mut runners: Vec<Box<dyn Runner>> =
            (0..clients).map(|client| open(client).expect("runner opens")).collect();
        let requests = Rc::new(requests);
        Box::new(move |calls| {
            let each = calls.div_ceil(u64::from(clients));
            let work = |mut runner: Box<dyn Runner>| {
                let requests = Rc::clone(&requests);
                spawn_local(async move {
                    for params in requests.iter().cycle().take(each as usize) {
                        let outcome = runner.run(params).await.expect("it runs");
                        assert!(outcome.failure.is_none(), "{:?}", outcome.failure);
                    }
                    runner
                })
            };
            let opened = std::mem::take(&mut runners);
            runners = runtime.block_on(LocalSet::new().run_until(async {
                let working: Vec<_> = opened.into_iter().map(work).collect();
                let mut back = Vec::new();
                for task in working {
                    back.push(task.await.expect("it ends"));
                }
                back
            }));
            each * u64::from(clients)
        })
    }

    /// Asks the scheduler of a client for due times.
    pub fn scheduler(&self, binding: &Binding, client: u32) -> Calls {
        let partition = self.partition(client);
        let mut due = 0.0;
        match &binding.scheduler {
            SchedulerBinding::BuiltIn => unreachable!("the task names one of its own"),
            SchedulerBinding::Own(factory) => {
                let mut scheduler = factory.open(&self.task, partition).expect("scheduler opens");
                Box::new(move |calls| {
                    for _ in 0..calls {
                        due = scheduler.next(due).expect("due time");
                    }
                    calls
                })
            }
            SchedulerBinding::InTurn(factory) => {
                let runtime = Rc::clone(&self.runtime);
                let opened = runtime.block_on(factory.open(&self.task, partition));
                let mut scheduler = opened.expect("scheduler opens");
                Box::new(move |calls| {
                    runtime.block_on(async {
                        for _ in 0..calls {
                            due = scheduler.next(due).await.expect("due time");
                        }
                    });
                    calls
                })
            }
        }
    }
}

/// The same requests with other parameters than the one before, each: nothing that was derived from them can be kept.
pub fn with_other_params(requests: &[Params]) -> Vec<Params> {
    let other = |params: &Params| Params { values: Arc::new((*params.values).clone()), ..params.clone() };
    requests.iter().map(other).collect()
}

/// Has all call in turns, in another order each round. One list of figures for each, by round.
pub fn compare(options: &Options, subjects: &mut [(Code, Calls)]) -> Vec<Vec<Each>> {
    let counts: Vec<u64> = subjects.iter_mut().map(|(_, calls)| fitting(calls, options.block)).collect();
    let mut all = vec![Vec::new(); subjects.len()];
    for round in 0..options.rounds {
        for place in 0..subjects.len() {
            let number = (round + place) % subjects.len();
            all[number].push(timed(&mut subjects[number].1, counts[number]));
        }
    }
    all
}

/// How many calls take about so long. Warms them up as well.
fn fitting(calls: &mut Calls, time: Duration) -> u64 {
    let mut count = 64;
    loop {
        let begin = Instant::now();
        let done = calls(count);
        let taken = begin.elapsed();
        if taken >= time / 4 {
            return (done as f64 * time.as_secs_f64() / taken.as_secs_f64()) as u64;
        }
        count *= 4;
    }
}

fn timed(calls: &mut Calls, count: u64) -> Each {
    let (begin, cpu) = (Instant::now(), thread_cpu_nanoseconds());
    let done = calls(count) as f64;
    let used = thread_cpu_nanoseconds() - cpu;
    Each { wall: begin.elapsed().as_nanos() as f64 / done, cpu: used as f64 / done }
}

fn thread_cpu_nanoseconds() -> u64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}
