//! What a run came to, as a race counts it. Nothing that a guest says of it is believed.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use rally_race::{BodyKind, Cause, Failure, FailureKind, Outcome, Params, Unit};
use rally_support::printable::{self, quoted};
use serde_json::{Map, Value};

use crate::error::{ErrorClass, GuestError};
use crate::instance::{AsyncInstance, GuestOutcome, OpenRunner, RunOutcome, RunParams};
use crate::json_size::parsed_size;

/// What a runner was told and has told so far.
#[derive(Default)]
pub(crate) struct RunHistory {
    /// The parameters of the run before.
    params: Option<Arc<Map<String, Value>>>,
    /// The unit of the first run.
    unit: Option<Unit>,
}

impl RunHistory {
    /// Performs an operation with the runner of an instance.
    pub(crate) async fn run(
        &mut self,
        instance: &mut AsyncInstance,
        runner: &OpenRunner,
        params: &Params,
    ) -> Result<Outcome, Cause> {
        let told = self.params(params);
        let body = body(params);
        let began = Instant::now();
        let RunOutcome { returned, traffic } = instance.run(runner, told, body).await?;
        let (sent, received) = traffic.span.unwrap_or_else(|| (began, Instant::now()));
        match returned {
            Ok(outcome) => self
                .outcome(outcome, sent, received)
                .map_err(|problem| instance.nonsense_of(runner, problem).into()),
            Err(error) => match failure(&error, traffic.refused) {
                Some(failure) => {
                    let unit = self.unit.clone().unwrap_or_else(|| Unit::from("ops"));
                    Ok(Outcome { failure: Some(failure), ..Outcome::new(sent, received, 0.0, unit) })
                }
                None => Err(instance.guest_error_of(runner, error).into()),
            },
        }
    }

    fn params(&mut self, params: &Params) -> RunParams {
        if let Some(held) = params.held {
            self.params = None;
            return RunParams::Held(held.get());
        }
        if self.params.as_ref().is_some_and(|known| Arc::ptr_eq(known, &params.values)) {
            return RunParams::Same;
        }
        self.params = Some(Arc::clone(&params.values));
        // A map of JSON values is always JSON.
        RunParams::Json(serde_json::to_string(&*params.values).unwrap_or_default())
    }

    fn outcome(&mut self, told: GuestOutcome, sent: Instant, received: Instant) -> Result<Outcome, String> {
        if !told.weight.is_finite() || told.weight < 0.0 {
            return Err(format!("the weight {}: it must be a finite number, not negative", told.weight));
        }
        let unit = match &self.unit {
            Some(unit) if **unit == told.unit => unit.clone(),
            Some(before) => {
                let now: String = told.unit.chars().take(60).collect();
                return Err(format!(
                    "the unit {} after {}: a runner must return the same unit in each call",
                    quoted(&now),
                    quoted(before)
                ));
            }
            None => {
                let unit = Unit::new(&told.unit).map_err(|problem| format!("an invalid unit: {problem}"))?;
                self.unit = Some(unit.clone());
                unit
            }
        };
        if let Some(throughput) = told.throughput.filter(|rate| !rate.is_finite() || *rate < 0.0) {
            return Err(format!("the throughput {throughput}: it must be a finite number, not negative"));
        }
        let meta = told.meta.as_deref().map(meta).transpose()?;
        let is_kept = |value: &&Value| value.is_number() || value.is_null();
        let dropped = meta.iter().flat_map(|meta| meta.values()).filter(|value| !is_kept(value)).count();
        let failure = (!told.success).then(|| Failure {
            kind: FailureKind::Answered,
            status: told.status,
            description: told
                .failure
                .as_deref()
                .map_or_else(|| "the runner reports that it did not succeed".to_owned(), shorten),
            count: 1,
        });
        Ok(Outcome {
            failure,
            throughput: told.throughput,
            meta,
            dropped_meta: dropped as u64,
            ..Outcome::new(sent, received, told.weight, unit)
        })
    }
}

/// Bytes that the meta of one request may take in the host. Arbitrary: figures are made of 32 of its numbers.
const MOST_META: usize = 1 << 20;

fn meta(text: &str) -> Result<Box<Map<String, Value>>, String> {
    if parsed_size(text) > MOST_META {
        return Err(format!(
            "meta of {} bytes, which is too much: only a few numbers of it are kept",
            text.len()
        ));
    }
    let meta = serde_json::from_str(text);
    meta.map(Box::new)
        .map_err(|problem| format!("meta that is not a JSON object ({problem}): {}", shorten(text)))
}

/// The body as the guest gets it: what stands among the parameters goes with them.
fn body(params: &Params) -> Option<(BodyKind, Bytes)> {
    (!params.body.is_empty()).then(|| (params.body_kind, params.body.clone()))
}

/// The failure that an error counts as; `None` where the runner cannot go on. `refused`: whether the target did refuse a
/// connection, which may end the race.
fn failure(error: &GuestError, refused: bool) -> Option<Failure> {
    let kind = match error.class {
        ErrorClass::Api => FailureKind::Answered,
        ErrorClass::Transport if refused => FailureKind::Refused,
        ErrorClass::Transport | ErrorClass::Timeout => FailureKind::Transport,
        ErrorClass::Config | ErrorClass::NotFound | ErrorClass::Denied | ErrorClass::Other => return None,
    };
    Some(Failure { kind, status: error.status, description: shorten(&error.message), count: 1 })
}

/// The first line, fit for a terminal: failures are counted by it, and shown in a line.
fn shorten(text: &str) -> String {
    printable::name(text.lines().next().unwrap_or_default())
}
