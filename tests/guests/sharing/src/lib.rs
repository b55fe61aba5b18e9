//! Source and runner share an object, and all clients on a thread an instance.

use rally_sdk::{Client, Context, Outcome, ParamSource, Params, Request, Result};

rally_sdk::track! {
    sources: ["numbered" => Numbered],
    runners: ["numbered" => fn send],
    sharing: PerWorker,
}

/// What crosses from the source to the runner.
struct Number {
    client: u32,
    number: u64,
}

/// Counts the requests of its client.
struct Numbered {
    client: u32,
    number: u64,
}

impl ParamSource for Numbered {
    const PREFETCH: bool = false;

    fn open(context: &Context) -> Result<Numbered> {
        Ok(Numbered { client: context.partition().index, number: 0 })
    }

    fn params(&mut self, request: &mut Request) -> Result<()> {
        self.number += 1;
        request.hold(Number { client: self.client, number: self.number });
        Ok(())
    }
}

/// Sends what it is given, in two requests.
fn send(client: &Client, params: &mut Params) -> Result<Outcome> {
    let number = params.take_held::<Number>()?;
    let Number { client: of, number } = *number;
    client.get(format!("/begin/{of}/{number}")).send()?;
    client.get(format!("/end/{of}/{number}")).send()?;
    Ok(Outcome::new(1.0, "ops").meta("client", of).meta("number", number))
}
