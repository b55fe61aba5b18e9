//! `wait-for-transform`: stops a transform at its next checkpoint, and reports how far it is until it has stopped.

use std::time::{Duration, Instant};

use futures_util::future::LocalBoxFuture;
use rally_race::{Cause, Outcome, Params, Progress, Runner};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::call::Call;
use super::common::{UnusableParams, flag, mandatory_text, seconds};
use super::general::outcome;
use super::retry::Retry;
use super::session::{Done, Environment, Session, Stop};
use crate::http::{Connection, encode_path};

/// What errors call the operation.
const NAME: &str = "wait-for-transform";

/// A request is reported once the transform has done this much since the last reported one, or is done.
const DOCUMENTS: u64 = 5000;
const MILLISECONDS: u64 = 500;

/// Waits for a transform.
pub struct WaitForTransform {
    connection: Connection,
    environment: Environment,
    state: State,
}

/// How far the transform is.
#[derive(Debug, Default)]
struct State {
    started: Option<Instant>,
    completed: bool,
    fraction: f64,
    documents: u64,
    milliseconds: u64,
}

impl WaitForTransform {
    /// Asks over `connection`.
    pub fn new(connection: Connection, environment: Environment) -> Self {
        WaitForTransform { connection, environment, state: State::default() }
    }

    async fn perform(&mut self, params: &Params) -> Result<Outcome, UnusableParams> {
        let unusable = |problem| UnusableParams::new(NAME, problem, &params.values);
        let retry = Retry::of(&params.values, false).map_err(unusable)?;
        let session = Session::new(&mut self.connection, &self.environment, &params.values, None);
        let mut session = session.map_err(unusable)?;
        let state = &mut self.state;
        let result = retry.run(async || wait(&mut session, state).await).await;
        if let Err(Stop::Failed(failure)) = &result {
            // A transform that the target does not know, or does not show, is not waited for until the end of time.
            state.completed = failure.status.is_some_and(|status| (400..500).contains(&status));
        }
        outcome(session.span(), result).map_err(unusable)
    }
}

impl Runner for WaitForTransform {
    fn run<'a>(&'a mut self, params: &'a Params) -> LocalBoxFuture<'a, Result<Outcome, Cause>> {
        Box::pin(async move { Ok(self.perform(params).await?) })
    }

    fn progress(&self) -> Option<Progress> {
        Some(Progress { completed: self.state.completed, fraction: Some(self.state.fraction) })
    }
}

#[derive(Deserialize)]
struct Stats {
    transforms: Vec<Transform>,
}

#[derive(Deserialize)]
struct Transform {
    state: String,
    reason: Option<String>,
    #[serde(default)]
    stats: Figures,
    #[serde(default)]
    checkpointing: Value,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Figures {
    documents_processed: u64,
    search_time_in_ms: u64,
    processing_time_in_ms: u64,
    index_time_in_ms: u64,
}

async fn wait(session: &mut Session<'_>, state: &mut State) -> Result<Done, Stop> {
    let values: &Map<String, Value> = session.values;
    let id = mandatory_text(values, "transform-id")?;
    let path = format!("/_transform/{}", encode_path(id));
    let force = flag(values, &["force"])?.unwrap_or(false);
    let wait_for_checkpoint = flag(values, &["wait-for-checkpoint"])?.unwrap_or(true);
    let wait_for_completion = flag(values, &["wait-for-completion"])?.unwrap_or(true);
    let limit = seconds(values, &["transform-timeout"])?.unwrap_or(Duration::from_secs(3600));
    let interval = seconds(values, &["poll-interval"])?.unwrap_or(Duration::from_millis(500));
    let started = match state.started {
        Some(started) => started,
        None => {
            let now = *state.started.insert(Instant::now());
            let call = Call::post(format!("{path}/_stop"))
                .parameter("force", force)
                .taken("timeout", values, &["timeout"])
                .parameter("wait_for_completion", false)
                .parameter("wait_for_checkpoint", wait_for_checkpoint);
            session.done(call).await?;
            now
        }
    };
    loop {
        if started.elapsed() > limit {
            let problem = format!("transform [{id}] is not done after {} seconds", limit.as_secs_f64());
            return Err(Stop::Unusable(format!(
                "{problem}; a longer 'transform-timeout' gives it more time"
            )));
        }
        let stats: Stats = session.json(Call::get(format!("{path}/_stats"))).await?;
        let transform = stats.transforms.into_iter().next();
        let transform = transform.ok_or_else(|| Stop::answered(format!("there is no transform [{id}]")))?;
        if transform.state == "failed" {
            let reason = transform.reason.unwrap_or_else(|| "unknown".to_owned());
            return Err(Stop::Unusable(format!("transform [{id}] failed with [{reason}]")));
        }
        state.completed = transform.state == "stopped" || !wait_for_completion;
        let percent = transform.checkpointing.pointer("/next/checkpoint_progress/percent_complete");
        state.fraction = match percent.and_then(Value::as_f64) {
            _ if state.completed => 1.0,
            Some(percent) => (percent / 100.0).clamp(0.0, 1.0),
            None => 0.0,
        };
        let figures = transform.stats;
        let milliseconds =
            figures.search_time_in_ms + figures.processing_time_in_ms + figures.index_time_in_ms;
        let documents = figures.documents_processed.saturating_sub(state.documents);
        let time = milliseconds.saturating_sub(state.milliseconds);
        if state.completed || documents > DOCUMENTS && time > MILLISECONDS {
            // At the end over the whole time, before that since the last request told.
            let (documents, time) =
                if state.completed { (figures.documents_processed, milliseconds) } else { (documents, time) };
            (state.documents, state.milliseconds) = (figures.documents_processed, milliseconds);
            let mut done = Done::of(figures.documents_processed as f64, "docs");
            done.throughput = Some(if time > 0 { documents as f64 / time as f64 * 1000.0 } else { 0.0 });
            return Ok(done);
        }
        session.pause(interval).await;
    }
}
