//! Binds the tasks of a track to the built-in param sources and runners.

use std::sync::Arc;

use rally_operation_table::OperationType;
use rally_operations::{
    BulkSourceFactory, ConstantSourceFactory, DocumentSet, ParamError, built_in_params, reads_documents,
};
use rally_race::{
    Binding, Bindings, Cause, ParamSourceFactory, RunnerFactory, SchedulerBinding, SourceBinding,
};
use rally_support::suggest::closest;
use rally_track::{Operation, Source, Task, Track};
use serde_json::Value;

use crate::cluster::Cluster;
use crate::runners::{BuiltinRunnerFactory, check_composite};

/// Binds tasks to built-in param sources and runners against one target.
pub struct TargetBindings {
    track: Arc<Track>,
    documents: Vec<Arc<DocumentSet>>,
    cluster: Arc<Cluster>,
}

impl TargetBindings {
    /// Binds the tasks of `track`. `documents`: all data files of the track in its order, prepared.
    pub fn new(track: Arc<Track>, documents: Vec<Arc<DocumentSet>>, cluster: Arc<Cluster>) -> Self {
        TargetBindings { track, documents, cluster }
    }
}

impl TargetBindings {
    /// The built-in param source of a task. A task of an operation type that only others know (`foreign`) gets
    /// its operation's parameters, as in Rally.
    ///
    /// # Errors
    /// Where the parameters make no sense, or the operation type is not known; `more` are the types that others know.
    pub fn source<'a>(
        &self,
        task: &Task,
        foreign: bool,
        more: impl IntoIterator<Item = &'a String>,
    ) -> Result<SourceBinding, Cause> {
        let operation = &task.operation;
        let error = |problem: String| ParamError::new(&operation.name, problem);
        if reads_documents(self.track.dialect, operation) {
            return Ok(SourceBinding::Ahead(self.documents(operation, task.clients)?));
        }
        if !foreign && self.track.dialect.performed_type(&operation.operation_type).is_none() {
            return Err(self.unknown(&operation.name, &operation.operation_type, more).into());
        }
        let values = built_in_params(&self.track, operation)?.into_values(operation);
        let source = self.track.dialect.built_in_source(operation);
        match (source, operation.operation_type.as_str()) {
            (Some(Source::Search2017), _)
                if values.contains_key("pages") != values.contains_key("items_per_page") =>
            {
                tracing::warn!(
                    operation = operation.name,
                    "'pages' and 'results-per-page' make a scroll only together; this is an ordinary search"
                );
            }
            (_, "force-merge") => {
                for name in ["max_num_segments", "max-num-segments"] {
                    let segments = values.get(name).filter(|segments| !segments.is_null());
                    if let Some(segments) = segments.filter(|segments| !is_count(segments)) {
                        let problem = format!("'{name}' is {segments} but must be a number above 0");
                        return Err(error(problem).into());
                    }
                }
            }
            // What is wrong with a part of it is better found before the race than in it.
            (_, "composite") => check_composite(&values).map_err(error)?,
            _ => {}
        }
        let params: Arc<dyn ParamSourceFactory> = Arc::new(ConstantSourceFactory::new(values));
        Ok(SourceBinding::Ahead(params))
    }

    /// The built-in runner of an operation type.
    ///
    /// # Errors
    /// Where it is not known to `operation`; `more` are the types that others know.
    pub fn runner<'a>(
        &self,
        operation: &str,
        operation_type: &str,
        more: impl IntoIterator<Item = &'a String>,
    ) -> Result<Arc<dyn RunnerFactory>, ParamError> {
        let kind = self
            .track
            .dialect
            .performed_type(operation_type)
            .ok_or_else(|| self.unknown(operation, operation_type, more))?;
        Ok(Arc::new(BuiltinRunnerFactory::new(kind, Arc::clone(&self.cluster))))
    }

    /// The built-in runner of an operation type, for a track's own code: it connects to the addresses of the race only.
    ///
    /// # Errors
    /// Where the type is not known to `operation`.
    pub fn guarded_runner(
        &self,
        operation: &str,
        operation_type: &str,
    ) -> Result<Arc<dyn RunnerFactory>, ParamError> {
        let kind = self
            .track
            .dialect
            .performed_type(operation_type)
            .ok_or_else(|| self.unknown(operation, operation_type, []))?;
        Ok(Arc::new(BuiltinRunnerFactory::new(kind, Arc::clone(&self.cluster)).guarded()))
    }

    /// Whether the requests of an operation are cut from the track's documents, by a source that is built in.
    pub fn reads_documents(&self, operation: &Operation) -> bool {
        reads_documents(self.track.dialect, operation)
    }

    /// The source of an operation that sends the track's documents.
    fn documents(&self, operation: &Operation, clients: u32) -> Result<Arc<dyn ParamSourceFactory>, Cause> {
        let typed = self.cluster.capabilities().typed();
        Ok(Arc::new(BulkSourceFactory::of_track(&self.track, operation, clients, &self.documents, typed)?))
    }

    fn unknown<'a>(
        &self,
        operation: &str,
        operation_type: &str,
        more: impl IntoIterator<Item = &'a String>,
    ) -> ParamError {
        let mut names: Vec<&str> =
            OperationType::names().into_iter().chain(more.into_iter().map(String::as_str)).collect();
        names.sort_unstable();
        names.dedup();
        let hint = closest(operation_type, names.iter().copied())
            .map(|name| format!(", did you mean '{name}'?"))
            .unwrap_or_default();
        let known = names.join(", ");
        ParamError::new(
            operation,
            format!("unknown operation type '{operation_type}'{hint} (known: {known})"),
        )
    }
}

impl Bindings for TargetBindings {
    fn bind(&self, task: &Task) -> Result<Binding, Cause> {
        let operation = &task.operation;
        let built_in = reads_documents(self.track.dialect, operation);
        if let Some(source) = operation.param_source.as_ref().filter(|_| !built_in) {
            return Err(unknown_param_source(&operation.name, source, []).into());
        }
        let runner = self.runner(&operation.name, &operation.operation_type, [])?;
        Ok(Binding { params: self.source(task, false, [])?, runner, scheduler: SchedulerBinding::BuiltIn })
    }
}

/// The error of an unregistered param source; `known` are the registered ones.
pub fn unknown_param_source<'a>(
    operation: &str,
    name: &str,
    known: impl IntoIterator<Item = &'a String>,
) -> ParamError {
    let known: Vec<&str> = known.into_iter().map(String::as_str).collect();
    let known = if known.is_empty() {
        "no component beside the track registers any".to_owned()
    } else {
        format!("known: {}", known.join(", "))
    };
    ParamError::new(operation, format!("unknown param-source '{name}' ({known})"))
}

fn is_count(value: &Value) -> bool {
    let number = match value {
        Value::String(text) => text.trim().parse().ok(),
        value => value.as_u64(),
    };
    number.is_some_and(|number: u64| number > 0)
}
