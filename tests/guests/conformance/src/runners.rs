//! Runners.

use std::time::Duration;

use rally_sdk::serde_json::{Map, Value};
use rally_sdk::{
    Body, BodyKind, Client, Context, Error, ErrorClass, Method, Outcome, Params, Progress, Response, Result,
    Runner, Want, json,
};

use crate::sources::Ticket;

/// Tells of the object that the source handed over.
pub struct EchoHeld {
    runs: u64,
}

impl Runner for EchoHeld {
    fn open(_context: &Context) -> Result<EchoHeld> {
        Ok(EchoHeld { runs: 0 })
    }

    fn run(&mut self, client: &Client, params: &mut Params) -> Result<impl Into<Outcome>> {
        client.get("/").send()?;
        self.runs += 1;
        let ticket = params.take_held::<Ticket>()?;
        let Ticket { number, words } = *ticket;
        Ok(Outcome::from(()).meta("number", number).meta("runs", self.runs).meta("words", words))
    }
}

/// Sends the parameters and the body as they came, as one JSON object, so that the target sees them.
pub fn echo(client: &Client, params: &mut Params) -> Result<()> {
    let values = params.values().as_map().clone();
    let body = params.find_body()?;
    let kind = body.as_ref().map(|body| match body.kind() {
        BodyKind::Json => "json",
        BodyKind::Text => "text",
        BodyKind::Bytes => "bytes",
    });
    let size = body.as_ref().map(Body::size);
    let bytes = body.map(|body| String::from_utf8_lossy(&body.to_vec()).into_owned());
    let seen = json!({"params": values, "kind": kind, "size": size, "body": bytes});
    client.post("/echo").body(seen)?.send()?;
    Ok(())
}

fn method(name: &str) -> Result<Method> {
    Ok(match name {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "PATCH" => Method::Patch,
        "OPTIONS" => Method::Options,
        other => {
            return Err(Error::config(format!("parameter 'method' is \"{other}\" but must be a method")));
        }
    })
}

fn want(params: &Params) -> Result<Want> {
    Ok(match params.value("want") {
        None => Want::Nothing,
        Some(Value::Array(_)) => Want::Pick(params.get("want")?),
        Some(_) => Want::Whole,
    })
}

fn response(response: &Response) -> Result<Value> {
    let picked: Vec<Option<Value>> = (0..8).map(|number| response.picked(number)).collect::<Result<_>>()?;
    Ok(json!({
        "status": response.status(),
        "size": response.size(),
        "timed": response.service_time() > Duration::ZERO,
        "content-type": response.header("content-type"),
        "picked": picked,
        "body": String::from_utf8_lossy(response.body()),
    }))
}

/// One request as the parameters say it (`method`, `target`, `headers`, `timeout`, `ignore`, `want`), with the body.
pub fn send(client: &Client, params: &mut Params) -> Result<Outcome> {
    let mut request = client
        .request(method(params.get_or("method", "GET")?)?, params.get::<String>("target")?)
        .ignore_status(
            params
                .get_or::<Vec<u64>>("ignore", Vec::new())?
                .iter()
                .map(|&code| code as u16)
                .collect::<Vec<_>>(),
        );
    for (name, value) in params.get_or("headers", &Map::new())? {
        request = request.header(name.as_str(), value.as_str().unwrap_or_default());
    }
    if let Some(millis) = params.find("timeout")? {
        request = request.timeout(Duration::from_millis(millis));
    }
    let want = want(params)?;
    if let Some(body) = params.find_body()? {
        request = request.body(body)?;
    }
    let answer = match &want {
        Want::Nothing => request.send()?,
        Want::Pick(pointers) => request.pick(&pointers.iter().map(String::as_str).collect::<Vec<_>>())?,
        Want::Whole => request.whole()?,
    };
    Ok(Outcome::from(()).meta("response", response(&answer)?))
}

/// All `targets` at once, `width` in flight.
pub fn send_all(client: &Client, params: &mut Params) -> Result<Outcome> {
    let targets: Vec<String> = params.get("targets")?;
    let requests = targets.iter().map(|target| client.get(target.as_str())).collect();
    let answers = client.send_all(requests, &want(params)?, params.get_or("width", 2)?)?;
    let count = answers.len();
    let told: Vec<Value> = answers.into_iter().map(told).collect::<Result<_>>()?;
    Ok(Outcome::new(count as f64, "requests").meta("responses", told))
}

fn told(answer: Result<Response>) -> Result<Value> {
    match answer {
        Ok(answer) => response(&answer),
        Err(error) => Ok(json!({"class": format!("{:?}", error.class()), "message": error.message()})),
    }
}

/// All `targets` without waiting for each other, then each as it ends.
pub fn submit(client: &Client, params: &mut Params) -> Result<Outcome> {
    let targets: Vec<String> = params.get("targets")?;
    let want = want(params)?;
    let mut ids = Vec::new();
    for target in &targets {
        ids.push(client.submit(client.get(target.as_str()), &want)?);
    }
    let mut by_target = Map::new();
    let mut waits = 0_u64;
    while by_target.len() < targets.len() {
        waits += 1;
        for completion in client.wait(Some(Duration::from_secs(10))) {
            let place = ids.iter().position(|id| *id == completion.id);
            let place = place.ok_or_else(|| Error::other(format!("nobody submitted {}", completion.id)))?;
            by_target.insert(format!("{place} {}", targets[place]), told(completion.outcome)?);
        }
        if waits > 100 {
            return Err(Error::other("submitted requests do not end"));
        }
    }
    let idle = client.wait(None).is_empty();
    Ok(Outcome::new(targets.len() as f64, "requests").meta("responses", by_target).meta("idle", idle))
}

/// A request after a pause of `millis`.
pub fn sleep(client: &Client, params: &mut Params) -> Result<()> {
    client.sleep(Duration::from_millis(params.get("millis")?));
    client.get("/").send()?;
    Ok(())
}

/// The built-in operation that the operation names as `builtin`, with its other parameters.
pub struct Builtin {
    operation_type: String,
}

impl Runner for Builtin {
    fn open(context: &Context) -> Result<Builtin> {
        Ok(Builtin { operation_type: context.params().get("builtin")? })
    }

    fn run(&mut self, client: &Client, params: &mut Params) -> Result<impl Into<Outcome>> {
        let mut values = params.values().as_map().clone();
        values.shift_remove("body");
        let body = params.find_body()?;
        let outcome = client.builtin(&self.operation_type, &values, body)?;
        let told = Value::Object(outcome.meta_data().clone());
        Ok(Outcome::new(outcome.weight(), outcome.unit().to_owned()).meta("told", told))
    }
}

/// A request to each cluster.
pub struct Clusters {
    names: Vec<String>,
}

impl Runner for Clusters {
    const MULTI_CLUSTER: bool = true;

    fn open(context: &Context) -> Result<Clusters> {
        Ok(Clusters { names: context.clusters() })
    }

    fn run(&mut self, client: &Client, _params: &mut Params) -> Result<impl Into<Outcome>> {
        for name in &self.names {
            client.get("/").cluster(name.as_str()).send()?;
        }
        Ok(Outcome::new(self.names.len() as f64, "requests").meta("clusters", self.names.clone()))
    }
}

/// The outcome that the parameters describe: `weight`, `unit`, `throughput`, `failure`, `status`, `meta`.
pub struct Outcomes;

impl Runner for Outcomes {
    fn open(_context: &Context) -> Result<Outcomes> {
        Ok(Outcomes)
    }

    fn run(&mut self, client: &Client, params: &mut Params) -> Result<impl Into<Outcome>> {
        client.get("/").send()?;
        let mut outcome =
            Outcome::new(params.get_or("weight", 1.0)?, params.get_or("unit", "ops".to_owned())?);
        if let Some(throughput) = params.find("throughput")? {
            outcome = outcome.throughput(throughput);
        }
        for (name, value) in params.get_or("meta", &Map::new())? {
            outcome = outcome.meta(name.as_str(), value.clone());
        }
        if let Some(failure) = params.find::<&str>("failure")? {
            outcome = outcome.failed(failure);
            if let Some(status) = params.find::<u32>("status")? {
                outcome = outcome.status(status as u16);
            }
        }
        Ok(outcome)
    }
}

/// The error that the parameters describe: `class`, `message`, `status`, `kind`, `traceback`.
pub struct Failing;

impl Runner for Failing {
    fn open(_context: &Context) -> Result<Failing> {
        Ok(Failing)
    }

    fn run(&mut self, _client: &Client, params: &mut Params) -> Result<impl Into<Outcome>> {
        let class = match params.get("class")? {
            "config" => ErrorClass::Config,
            "not-found" => ErrorClass::NotFound,
            "transport" => ErrorClass::Transport,
            "timeout" => ErrorClass::Timeout,
            "api" => ErrorClass::Api,
            "denied" => ErrorClass::Denied,
            "none" => return Ok(()),
            _ => ErrorClass::Other,
        };
        let mut error = Error::new(class, params.get_or::<&str>("message", "told to fail")?);
        if let Some(status) = params.find::<u32>("status")? {
            error = error.with_status(status as u16);
        }
        if let Some(kind) = params.find::<&str>("kind")? {
            error = error.with_kind(kind);
        }
        if let Some(traceback) = params.find::<&str>("traceback")? {
            error = error.with_traceback(traceback);
        }
        Err(error)
    }
}

/// Says itself when the task is complete: after `runs`.
pub struct Completing {
    runs: u64,
    done: u64,
}

impl Runner for Completing {
    const COMPLETES_TASK: bool = true;

    fn open(context: &Context) -> Result<Completing> {
        Ok(Completing { runs: context.params().get_or("runs", 5)?, done: 0 })
    }

    fn run(&mut self, client: &Client, _params: &mut Params) -> Result<impl Into<Outcome>> {
        client.get("/").send()?;
        self.done += 1;
        Ok(())
    }

    fn progress(&self) -> Progress {
        let fraction = Some(self.done as f64 / self.runs.max(1) as f64);
        Progress { completed: self.done >= self.runs, fraction }
    }
}
