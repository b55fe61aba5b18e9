//! What source, runner and clients have in common where all clients on a thread share an instance, and where nobody does.

use rally_sdk::{Client, Context, Outcome, ParamSource, Params, Request, Result};

#[cfg(not(feature = "isolated"))]
rally_sdk::track! {
    sources: ["numbered" => Numbered, "in-turn" => InTurn],
    runners: ["numbered" => fn send],
    sharing: PerWorker,
}

#[cfg(feature = "isolated")]
rally_sdk::track! {
    sources: ["numbered" => Numbered, "in-turn" => InTurn],
    runners: ["numbered" => fn send],
    sharing: Isolated,
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

/// Ends after the `requests` of its operation; each is asked for when its turn comes.
struct InTurn {
    left: u64,
}

impl ParamSource for InTurn {
    const PREFETCH: bool = false;

    fn open(context: &Context) -> Result<InTurn> {
        Ok(InTurn { left: context.params().get("requests")? })
    }

    fn params(&mut self, request: &mut Request) -> Result<()> {
        if self.left == 0 {
            return request.exhausted();
        }
        request.index("places").set("left", self.left).body_json(format_args!("{{\"size\":{}}}", self.left));
        self.left -= 1;
        Ok(())
    }
}
