//! rally's own load loop with its built-in operations, as a race uses them.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rally_cluster::{ClientOptions, Cluster, TargetBindings, parse_target_hosts};
use rally_operations::DocumentSet;
use rally_race::{
    Cancel, EndReason, LocalDriver, Observer, PlanOptions, RaceEvent, RacePlan, bind, run_bound,
};
use rally_track::{Challenge, Dialect, Element, Operation, Target, Task, Track};
use serde_json::{Map, Value, json};

use crate::clock::process_cpu_nanoseconds;
use crate::roles::Load;
use crate::work::{DOCUMENTS, Figures};

/// How often the corpus stands in the track: more than any driver sends in a run.
const COPIES: usize = 400;

/// Races for as long as the load says.
pub fn race(server: SocketAddr, load: Load, corpus: &Path) -> Figures {
    let hosts = parse_target_hosts(&server.to_string()).expect("hosts");
    let options = ClientOptions::parse("timeout:60").expect("options");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
    let cluster = runtime.block_on(Cluster::connect(&hosts, &options)).expect("stub answers");
    let track = Arc::new(track(load));
    let documents = match load.bulk {
        Some(_) => (0..COPIES).map(|_| Arc::new(documents(corpus))).collect(),
        None => Vec::new(),
    };
    let bindings = TargetBindings::new(Arc::clone(&track), documents, Arc::new(cluster));
    let plan = RacePlan::new(&track, &track.challenges[0], PlanOptions::default()).expect("plan");
    let bound = bind(&plan, &bindings).expect("bound");
    let cpu = process_cpu_nanoseconds();
    let begin = Instant::now();
    let mut seen = Seen::default();
    let end = run_bound(bound, &mut LocalDriver::default(), &mut seen, &Cancel::new());
    assert!(matches!(end.reason, EndReason::Completed), "{:?}", end.reason);
    assert_eq!(seen.failures, 0, "the stub never fails");
    Figures {
        requests: seen.requests,
        documents: seen.weight.round() as u64,
        seconds: seen.elapsed.max(Duration::from_nanos(1)).as_secs_f64().min(begin.elapsed().as_secs_f64()),
        cpu_seconds: (process_cpu_nanoseconds() - cpu) as f64 / 1e9,
        ..Figures::default()
    }
}

#[derive(Default)]
struct Seen {
    requests: u64,
    weight: f64,
    failures: u64,
    elapsed: Duration,
}

impl Observer for Seen {
    fn event(&mut self, event: RaceEvent) {
        match event {
            RaceEvent::Recording { recording, .. } => {
                self.requests += recording.seconds.values().map(|second| second.requests).sum::<u64>();
                self.weight += recording.seconds.values().map(|second| second.normal_weight).sum::<f64>();
                self.failures += recording.seconds.values().map(|second| second.failures).sum::<u64>();
            }
            RaceEvent::TaskFinished { elapsed, .. } => self.elapsed = elapsed,
            _ => {}
        }
    }
}

fn documents(corpus: &Path) -> DocumentSet {
    let size = std::fs::metadata(corpus).expect("corpus").len();
    let line = size / DOCUMENTS;
    let range = Box::new(move |first: u64, count: u64| Ok(first * line..(first + count) * line));
    DocumentSet::new("bench", "_doc", corpus, DOCUMENTS, false, range)
}

fn track(load: Load) -> Track {
    let params = match load.bulk {
        Some(size) => json!({"name": "work", "operation-type": "index", "bulk-size": size, "index": "bench"}),
        None => {
            json!({"name": "work", "operation-type": "search", "index": "bench", "body": {"query": {"match_all": {}}}})
        }
    };
    let operation_type = params["operation-type"].as_str().unwrap_or_default().to_owned();
    let Value::Object(params) = params else { unreachable!("an object was written above") };
    let task = Task {
        clients: load.clients as u32,
        time_period: Some(load.time.as_secs_f64()),
        target: load.rate.map(Target::Throughput),
        ..Task::new(
            "work",
            Operation {
                name: "work".to_owned(),
                operation_type,
                param_source: None,
                meta: Map::new(),
                params,
            },
        )
    };
    Track {
        description: "bench".to_owned(),
        challenges: vec![Challenge {
            default: true,
            ..Challenge::new("bench", vec![Element::Task(Arc::new(task))])
        }],
        ..Track::new("bench", Dialect::Rally2017, std::env::temp_dir())
    }
}
