//! What the cost of an extension is measured with: the least that a source, a runner and a scheduler can do.

use rally_sdk::{Client, Context, ParamSource, Params, Request, Result, Scheduler};

#[cfg(not(feature = "per-client"))]
rally_sdk::track! {
    sources: ["formatted" => Formatted, "constant" => Constant],
    runners: ["send" => fn send, "nothing" => fn nothing],
    schedulers: ["steady" => Steady],
    sharing: Isolated,
}

#[cfg(feature = "per-client")]
rally_sdk::track! {
    sources: ["formatted" => Formatted, "constant" => Constant],
    runners: ["send" => fn send, "nothing" => fn nothing],
    schedulers: ["steady" => Steady],
    sharing: PerClient,
}

/// A search for another number in each request.
struct Formatted {
    index: String,
    number: u64,
}

impl ParamSource for Formatted {
    fn open(context: &Context) -> Result<Formatted> {
        let index = context.params().get_or("index", "bench".to_owned())?;
        Ok(Formatted { index, number: u64::from(context.partition().index) })
    }

    fn params(&mut self, request: &mut Request) -> Result<()> {
        self.number = (self.number + 7_919) % 1_000_003;
        let number = self.number;
        request
            .index(&self.index)
            .set("use_request_cache", false)
            .body_json(format_args!(r#"{{"query":{{"term":{{"number":{number}}}}}}}"#));
        Ok(())
    }
}

/// The same search in each request.
struct Constant {
    index: String,
}

impl ParamSource for Constant {
    fn open(context: &Context) -> Result<Constant> {
        Ok(Constant { index: context.params().get_or("index", "bench".to_owned())? })
    }

    fn params(&mut self, request: &mut Request) -> Result<()> {
        let body = r#"{"query":{"match_all":{}}}"#;
        request.index(&self.index).set("use_request_cache", false).body_json(body);
        Ok(())
    }
}

/// One request to the target, of whose answer nothing is kept.
fn send(client: &Client, params: &mut Params) -> Result<()> {
    let body = params.take_body()?;
    let mut target = String::with_capacity(32);
    target.push('/');
    target.push_str(params.get("index")?);
    target.push_str("/_search");
    client.post(target).body(body)?.send()?;
    Ok(())
}

/// No request.
fn nothing(_client: &Client, _params: &mut Params) -> Result<()> {
    Ok(())
}

/// A fixed pause of this many seconds.
struct Steady {
    pause: f64,
}

impl Scheduler for Steady {
    fn open(context: &Context) -> Result<Steady> {
        let pause = context.target_throughput().map_or(0.001, |per_second| 1.0 / per_second);
        Ok(Steady { pause: context.task_params().get_or("pause", pause)? })
    }

    fn next(&mut self, current: f64) -> Result<f64> {
        Ok(current + self.pause)
    }
}
