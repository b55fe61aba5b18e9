//! Binds the tasks of a track to the built-in param sources and runners.

use std::sync::Arc;

use rally_race::{
    Binding, Bindings, Cause, ParamSourceFactory, RunnerFactory, SchedulerBinding, SourceBinding,
};
use rally_track::{Task, Track};

use crate::cluster::Cluster;
use crate::params::{BulkSourceFactory, ConstantSourceFactory, DocumentSet, ParamError, search_params};
use crate::runners::{BuiltinRunnerFactory, OPERATIONS, Operation};

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
        let known = known(&operation.operation_type);
        let params: Arc<dyn ParamSourceFactory> = match known {
            Some(Operation::Bulk) => {
                let typed = self.cluster.capabilities().typed();
                Arc::new(BulkSourceFactory::new(operation, &self.documents, typed)?)
            }
            Some(Operation::Search) => {
                let values = search_params(operation, &self.track)?;
                if values.contains_key("pages") != values.contains_key("items_per_page") {
                    tracing::warn!(
                        operation = operation.name,
                        "'pages' and 'results-per-page' make a scroll only together; this is an ordinary search"
                    );
                }
                Arc::new(ConstantSourceFactory::new(values))
            }
            Some(Operation::ForceMerge) => {
                if let Some(segments) = operation.params.get("max_num_segments")
                    && segments.as_u64().is_none_or(|segments| segments == 0)
                {
                    let problem = format!("'max_num_segments' is {segments} but must be a number above 0");
                    return Err(ParamError::new(&operation.name, problem).into());
                }
                Arc::new(ConstantSourceFactory::new(operation.params.clone()))
            }
            Some(Operation::IndexStats | Operation::NodeStats) => {
                Arc::new(ConstantSourceFactory::new(operation.params.clone()))
            }
            None if foreign => Arc::new(ConstantSourceFactory::new(operation.params.clone())),
            None => return Err(unknown(&operation.name, &operation.operation_type, more).into()),
        };
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
        let kind = known(operation_type).ok_or_else(|| unknown(operation, operation_type, more))?;
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
        let kind = known(operation_type).ok_or_else(|| unknown(operation, operation_type, []))?;
        Ok(Arc::new(BuiltinRunnerFactory::new(kind, Arc::clone(&self.cluster)).guarded()))
    }
}

impl Bindings for TargetBindings {
    fn bind(&self, task: &Task) -> Result<Binding, Cause> {
        let operation = &task.operation;
        if let Some(source) = &operation.param_source {
            return Err(unknown_param_source(&operation.name, source, []).into());
        }
        let runner = self.runner(&operation.name, &operation.operation_type, [])?;
        Ok(Binding { params: self.source(task, false, [])?, runner, scheduler: SchedulerBinding::BuiltIn })
    }
}

/// The error of a param source that nobody registers; `known` are those that somebody does.
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

fn known(operation_type: &str) -> Option<Operation> {
    OPERATIONS.iter().find(|(name, _)| *name == operation_type).map(|(_, kind)| *kind)
}

fn unknown<'a>(
    operation: &str,
    operation_type: &str,
    more: impl IntoIterator<Item = &'a String>,
) -> ParamError {
    let mut names: Vec<&str> = OPERATIONS.iter().map(|(name, _)| *name).collect();
    names.extend(more.into_iter().map(String::as_str));
    let hint = names
        .iter()
        .map(|name| (strsim::jaro_winkler(operation_type, name), name))
        .filter(|(similarity, _)| *similarity > 0.8)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, name)| format!(", did you mean '{name}'?"))
        .unwrap_or_default();
    let problem = format!("unknown operation type '{operation_type}'{hint} (known: {})", names.join(", "));
    ParamError::new(operation, problem)
}
