//! The native twin of `tests/guests/bench`: the same source, runner and scheduler as a native author writes them.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use http::Method;
use rally_cluster::Cluster;
use rally_cluster::http::{Connection, Request, Sink, WriteMode};
use rally_race::{
    Binding, Bindings, BodyKind, Cause, More, Outcome, ParamSource, ParamSourceFactory, Params, Partition,
    Runner, RunnerFactory, Scheduler, SchedulerBinding, SchedulerFactory, SourceBinding,
};
use rally_track::Task;
use serde_json::{Map, Value, json};

/// Binds tasks to what stands in this file.
pub struct NativeBindings {
    pub cluster: Arc<Cluster>,
}

impl Bindings for NativeBindings {
    fn bind(&self, task: &Task) -> Result<Binding, Cause> {
        let index = task.operation.params["index"].as_str().ok_or("no index")?.to_owned();
        let constant = task.operation.param_source.as_deref() == Some("constant");
        let sends = task.operation.operation_type == "send";
        let scheduler = match task.schedule.as_str() {
            "steady" => SchedulerBinding::Own(Arc::new(SteadyFactory)),
            _ => SchedulerBinding::BuiltIn,
        };
        Ok(Binding {
            params: SourceBinding::Ahead(Arc::new(Searches { index, constant })),
            runner: Arc::new(Senders { cluster: Arc::clone(&self.cluster), sends }),
            scheduler,
        })
    }
}

struct Searches {
    index: String,
    constant: bool,
}

struct Search {
    values: Arc<Map<String, Value>>,
    constant: bool,
    number: u64,
}

impl ParamSourceFactory for Searches {
    fn open(&self, partition: Partition) -> Result<Box<dyn ParamSource>, Cause> {
        let mut values = Map::new();
        values.insert("index".to_owned(), json!(self.index));
        values.insert("use_request_cache".to_owned(), json!(false));
        let number = u64::from(partition.index);
        Ok(Box::new(Search { values: Arc::new(values), constant: self.constant, number }))
    }

    fn finite(&self) -> bool {
        false
    }
}

impl ParamSource for Search {
    fn next(&mut self, limit: usize, out: &mut Vec<Params>) -> Result<More, Cause> {
        for _ in 0..limit {
            let body = if self.constant {
                Bytes::from_static(br#"{"query":{"match_all":{}}}"#)
            } else {
                self.number = (self.number + 7_919) % 1_000_003;
                Bytes::from(format!(r#"{{"query":{{"term":{{"number":{}}}}}}}"#, self.number))
            };
            out.push(Params { body, body_kind: BodyKind::Json, ..Params::of(Arc::clone(&self.values)) });
        }
        Ok(More::Yes)
    }

    fn size(&self) -> Option<u64> {
        None
    }
}

struct Senders {
    cluster: Arc<Cluster>,
    sends: bool,
}

struct Sender {
    connection: Connection,
    sends: bool,
    /// The request without its body, for the parameters that it was made of.
    request: Option<(Arc<Map<String, Value>>, Request)>,
    answer: Counted,
}

/// Counts the bytes of an answer.
#[derive(Default)]
struct Counted(u64);

impl Sink for Counted {
    fn begin(&mut self) {
        self.0 = 0;
    }

    fn data(&mut self, piece: &[u8]) {
        self.0 += piece.len() as u64;
    }
}

impl RunnerFactory for Senders {
    fn open<'a>(&'a self, partition: Partition) -> LocalBoxFuture<'a, Result<Box<dyn Runner>, Cause>> {
        async move {
            let endpoint = Arc::clone(self.cluster.endpoint(partition.index));
            // As built-in searches send.
            let mut connection = Connection::new(endpoint, WriteMode::Flatten);
            connection.connect().await?;
            let sender = Sender { connection, sends: self.sends, request: None, answer: Counted::default() };
            Ok(Box::new(sender) as Box<dyn Runner>)
        }
        .boxed_local()
    }
}

impl Runner for Sender {
    fn run<'a>(&'a mut self, params: &'a Params) -> LocalBoxFuture<'a, Result<Outcome, Cause>> {
        async move {
            if !self.sends {
                let began = Instant::now();
                return Ok(Outcome::new(began, Instant::now(), 1.0, "ops"));
            }
            let known = self.request.as_ref().is_some_and(|(values, _)| Arc::ptr_eq(values, &params.values));
            if !known {
                let index = params.values["index"].as_str().ok_or("no index")?;
                let path = format!("/{index}/_search");
                let kind = Some("application/json");
                let request = Request::new(self.connection.endpoint(), Method::POST, &path, "", kind)?;
                self.request = Some((Arc::clone(&params.values), request));
            }
            let (_, request) = self.request.as_ref().ok_or("it was made just now")?;
            let answer = self.connection.exchange(request, params.body.clone(), &mut self.answer).await?;
            if !answer.status.is_success() || self.answer.0 == 0 {
                return Err("the stub gave no answer of its own".into());
            }
            Ok(Outcome::new(answer.sent, answer.received, 1.0, "ops"))
        }
        .boxed_local()
    }
}

struct SteadyFactory;

struct Steady {
    pause: f64,
}

impl SchedulerFactory for SteadyFactory {
    fn open(&self, task: &Task, _: Partition) -> Result<Box<dyn Scheduler>, Cause> {
        let each = |target: &rally_track::Target| target.per_second() / f64::from(task.clients);
        let pause = task.target.as_ref().map_or(0.001, |target| 1.0 / each(target));
        Ok(Box::new(Steady { pause }))
    }
}

impl Scheduler for Steady {
    fn next(&mut self, current: f64) -> Result<f64, Cause> {
        Ok(current + self.pause)
    }
}
