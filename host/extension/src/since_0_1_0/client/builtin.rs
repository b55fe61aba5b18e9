//! Built-in operations that runners of guests perform.

use std::sync::Arc;

use bytes::Bytes;
use rally_race::{BodyKind, FailureKind, Outcome, Params, Runner};
use send_wrapper::SendWrapper;
use serde_json::{Map, Value, json};
use wasmtime::component::Resource;

use super::denied;
use super::links::Links;
use crate::context::DEFAULT_CLUSTER;
use crate::environment::Target;
use crate::json_size::parsed_size;
use crate::limits::{LimitKind, Limits};
use crate::since_0_1_0::bindings::imports::types::{Error, ErrorClass};
use crate::since_0_1_0::bodies::Body;
use crate::since_0_1_0::corpora::error;
use crate::since_0_1_0::state::{HostState, exceeded};

impl HostState {
    /// Performs a built-in operation; returns what came of it as a JSON object.
    pub(super) async fn perform_builtin(
        &mut self,
        cluster: Option<String>,
        operation_type: String,
        params: String,
        body: Option<Resource<Body>>,
    ) -> wasmtime::Result<Result<String, Error>> {
        let body = match body {
            Some(handle) => self.take_body(handle)?,
            None => Bytes::new(),
        };
        if let Some(name) = cluster.filter(|name| name != DEFAULT_CLUSTER) {
            let problem = format!("there is no cluster {name:?} in this race");
            return Ok(Err(error(ErrorClass::NotFound, problem)));
        }
        if parsed_size(&params) > self.room() {
            return Err(exceeded(&self.limits, LimitKind::Memory));
        }
        let values: Map<String, Value> = match serde_json::from_str(&params) {
            Ok(values) => values,
            Err(problem) => {
                let problem = format!("params of {operation_type:?} are no JSON object: {problem}");
                return Ok(Err(error(ErrorClass::Config, problem)));
            }
        };
        self.waits();
        let environment = Arc::clone(&self.environment);
        let limits = Arc::clone(&self.limits);
        let (Some(links), Some(target)) = (self.client.at_work(), &environment.target) else {
            return Ok(Err(denied()));
        };
        let documents = values.get("bulk-size").and_then(Value::as_u64).unwrap_or(0) as u32;
        let params = Params { body, body_kind: BodyKind::Bytes, documents, ..Params::of(Arc::new(values)) };
        let performed =
            SendWrapper::new(async move { links.perform(target, operation_type, &params, &limits).await })
                .await;
        self.goes_on();
        performed
    }
}

impl Links {
    async fn perform(
        &mut self,
        target: &Target,
        operation_type: String,
        params: &Params,
        limits: &Limits,
    ) -> wasmtime::Result<Result<String, Error>> {
        let mut runner = match self.built_in_runner(target, &operation_type, limits).await? {
            Ok(runner) => runner,
            Err(error) => return Ok(Err(error)),
        };
        let outcome = self.meanwhile(runner.run(params), limits).await?;
        self.built_in.insert(operation_type, runner);
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(problem) => return Ok(Err(error(ErrorClass::Config, problem.to_string()))),
        };
        self.spans(outcome.sent, outcome.received);
        self.refused |= outcome.failure.as_ref().is_some_and(|failure| failure.kind == FailureKind::Refused);
        Ok(Ok(shown(outcome).to_string()))
    }

    /// The runner of a built-in operation, opened when it is first asked for.
    async fn built_in_runner(
        &mut self,
        target: &Target,
        operation_type: &str,
        limits: &Limits,
    ) -> wasmtime::Result<Result<Box<dyn Runner>, Error>> {
        if let Some(runner) = self.built_in.remove(operation_type) {
            return Ok(Ok(runner));
        }
        let factory = match target.built_in.guarded_runner("builtin", operation_type) {
            Ok(factory) => factory,
            Err(problem) => return Ok(Err(error(ErrorClass::NotFound, problem.to_string()))),
        };
        let partition = self.partition;
        let opened = self.meanwhile(factory.open(partition), limits).await?;
        Ok(opened.map_err(|problem| error(ErrorClass::Transport, problem.to_string())))
    }
}

/// What came of an operation, for the guest.
fn shown(outcome: Outcome) -> Value {
    let mut shown = json!({
        "weight": outcome.weight,
        "unit": outcome.unit,
        "success": outcome.failure.is_none(),
    });
    if let Some(failure) = outcome.failure {
        shown["error-description"] = Value::from(failure.description);
        shown["http-status"] = Value::from(failure.status);
        shown["error-count"] = Value::from(failure.count);
    }
    if let (Some(meta), Some(shown)) = (outcome.meta, shown.as_object_mut()) {
        shown.extend(*meta);
    }
    shown
}
