//! Binds the tasks of a track to the built-in param sources and runners.

use std::sync::Arc;

use rally_race::{Binding, Bindings, Cause, ParamSourceFactory, SchedulerBinding, SourceBinding};
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

impl Bindings for TargetBindings {
    fn bind(&self, task: &Task) -> Result<Binding, Cause> {
        let operation = &task.operation;
        if let Some(source) = &operation.param_source {
            let problem = format!(
                "unknown param-source '{source}': param sources of a track's own are not supported yet"
            );
            return Err(ParamError::new(&operation.name, problem).into());
        }
        let Some((_, kind)) = OPERATIONS.iter().find(|(name, _)| *name == operation.operation_type) else {
            return Err(unknown(&operation.name, &operation.operation_type).into());
        };
        let params: Arc<dyn ParamSourceFactory> = match kind {
            Operation::Bulk => {
                let typed = self.cluster.capabilities().typed();
                Arc::new(BulkSourceFactory::new(operation, &self.documents, typed)?)
            }
            Operation::Search => {
                let values = search_params(operation, &self.track)?;
                if values.contains_key("pages") != values.contains_key("items_per_page") {
                    tracing::warn!(
                        operation = operation.name,
                        "'pages' and 'results-per-page' make a scroll only together; this is an ordinary search"
                    );
                }
                Arc::new(ConstantSourceFactory::new(values))
            }
            Operation::ForceMerge => {
                if let Some(segments) = operation.params.get("max_num_segments")
                    && segments.as_u64().is_none_or(|segments| segments == 0)
                {
                    let problem = format!("'max_num_segments' is {segments} but must be a number above 0");
                    return Err(ParamError::new(&operation.name, problem).into());
                }
                Arc::new(ConstantSourceFactory::new(operation.params.clone()))
            }
            Operation::IndexStats | Operation::NodeStats => {
                Arc::new(ConstantSourceFactory::new(operation.params.clone()))
            }
        };
        let runner = Arc::new(BuiltinRunnerFactory::new(*kind, Arc::clone(&self.cluster)));
        Ok(Binding { params: SourceBinding::Ahead(params), runner, scheduler: SchedulerBinding::BuiltIn })
    }
}

fn unknown(operation: &str, operation_type: &str) -> ParamError {
    let names: Vec<&str> = OPERATIONS.iter().map(|(name, _)| *name).collect();
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
