//! A source, a runner and a scheduler that misbehave as they are told: `fault` says how, `at` in which call (from 1, by
//! default the first one).
//!
//! | role | where it reads | faults |
//! |---|---|---|
//! | source `faulty` | the operation | `open`, `open-panic`, `error`, `panic`, `loop`, `memory`, `end` |
//! | runner `faulty` | the operation, with `runner-fault` and `runner-at` | `open`, `open-panic`, `error`, `api`, `panic`, `loop`, `memory`, `nan`, `infinite`, `negative`, `unit` |
//! | scheduler `faulty` | the task | `open`, `open-panic`, `error`, `panic`, `loop`, `memory`, `nan`, `infinite`, `negative`, `backwards` |

use std::hint::black_box;

use rally_sdk::serde_json::Value;
use rally_sdk::{
    Client, Context, Error, Outcome, ParamSource, Params, Request, Result, Runner, Scheduler, Values,
};

rally_sdk::track! {
    sources: ["faulty" => Source],
    runners: ["faulty" => FaultyRunner],
    schedulers: ["faulty" => Times],
}

/// What goes wrong, and when.
struct Fault {
    fault: String,
    at: u64,
    calls: u64,
}

impl Fault {
    fn open(params: &Values, fault: &str, at: &str) -> Result<Fault> {
        let fault: String = params.get_or(fault, "none".to_owned())?;
        match fault.as_str() {
            "open" => Err(Error::config("told to fail in open")),
            "open-panic" => panic!("told to panic in open"),
            _ => Ok(Fault { fault, at: params.get_or(at, 1)?, calls: 0 }),
        }
    }

    /// Counts a call; says what is to go wrong in it, if nothing has yet.
    fn call(&mut self) -> Result<Option<&str>> {
        self.calls += 1;
        if self.calls < self.at {
            return Ok(None);
        }
        match self.fault.as_str() {
            "error" => Err(Error::other(format!("told to fail in call {}", self.calls))),
            "api" => Err(Error::api("told that the target failed").with_status(503)),
            "panic" => panic!("told to panic in call {}", self.calls),
            "loop" => loop {
                black_box(self.calls);
            },
            "memory" => {
                let mut all = Vec::new();
                loop {
                    all.push(black_box(vec![1_u8; 1 << 20]));
                }
            }
            other => Ok(Some(other)),
        }
    }
}

struct Source {
    fault: Fault,
    values: Vec<(String, Value)>,
}

impl ParamSource for Source {
    fn open(context: &Context) -> Result<Source> {
        let params = context.params();
        let values = params.as_map().iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        Ok(Source { fault: Fault::open(params, "fault", "at")?, values })
    }

    fn params(&mut self, request: &mut Request) -> Result<()> {
        if self.fault.call()? == Some("end") {
            return request.exhausted();
        }
        for (name, value) in &self.values {
            request.set(name, value);
        }
        Ok(())
    }
}

struct FaultyRunner(Fault);

impl Runner for FaultyRunner {
    fn open(context: &Context) -> Result<FaultyRunner> {
        Ok(FaultyRunner(Fault::open(context.params(), "runner-fault", "runner-at")?))
    }

    fn run(&mut self, client: &Client, _params: &mut Params) -> Result<impl Into<Outcome>> {
        client.get("/").send()?;
        Ok(match self.0.call()? {
            Some("nan") => Outcome::new(f64::NAN, "ops"),
            Some("infinite") => Outcome::new(f64::INFINITY, "ops"),
            Some("negative") => Outcome::new(-1.0, "ops"),
            Some("unit") => Outcome::new(1.0, "others"),
            _ => Outcome::new(1.0, "ops"),
        })
    }
}

struct Times(Fault);

impl Scheduler for Times {
    fn open(context: &Context) -> Result<Times> {
        Ok(Times(Fault::open(context.task_params(), "fault", "at")?))
    }

    fn next(&mut self, current: f64) -> Result<f64> {
        Ok(match self.0.call()? {
            Some("nan") => f64::NAN,
            Some("infinite") => f64::INFINITY,
            Some("negative") => -1.0,
            Some("backwards") => current - 0.001,
            _ => current + 0.001,
        })
    }
}
