//! Finds the source of an operation.

use rally_track::{Operation, Source, Track};
use serde_json::{Map, Value};

use super::constant::search_params;
use super::context::Context;
use super::{indices, search, templates, upkeep};
use crate::error::ParamError;

/// What a built-in parameter source yields, each time the same.
#[derive(Debug, Clone, PartialEq)]
pub struct BuiltInParams {
    /// The source.
    pub source: Source,
    /// Whether it goes on for ever.
    pub infinite: bool,
    /// The parameters of each request; `None`: those of the operation, as they are.
    pub params: Option<Map<String, Value>>,
}

impl BuiltInParams {
    /// The parameters of each request.
    pub fn into_values(self, operation: &Operation) -> Map<String, Value> {
        self.params.unwrap_or_else(|| operation.params.clone())
    }
}

/// What the built-in parameter source of an operation yields. Operation types that nobody knows here have the generic
/// source: the operation's own parameters.
///
/// # Errors
/// Where parameters are missing, of the wrong kind, or contradict each other or the track; for operations that read
/// documents, which [`bulk_plan`](crate::bulk_plan()) is for; and for a parameter source of the track's own.
pub fn built_in_params(track: &Track, operation: &Operation) -> Result<BuiltInParams, ParamError> {
    let context = Context { track, operation };
    let Some(source) = track.dialect.built_in_source(operation) else {
        let name = operation.param_source.as_deref().unwrap_or_default();
        return Err(ParamError::new(
            &operation.name,
            format!("its param-source '{name}' is none of the built-in ones"),
        ));
    };
    if source.reads_documents() {
        return Err(ParamError::new(
            &operation.name,
            "its requests are cut from documents: each has parameters of its own",
        ));
    }
    let params = match source {
        Source::Generic | Source::Documents | Source::Documents2017 => return Ok(generic()),
        Source::Search2017 => search_params(operation, track)?,
        Source::Search => search::search(context)?,
        Source::CreateIndex => indices::create_index(context)?,
        Source::DeleteIndex => indices::delete_index(context)?,
        Source::CreateDataStream => indices::create_data_stream(context)?,
        Source::DeleteDataStream => indices::delete_data_stream(context)?,
        Source::CreateIndexTemplate => templates::create_index_template(context)?,
        Source::DeleteIndexTemplate => templates::delete_template(context, &track.templates)?,
        Source::CreateComposableTemplate => templates::create_composable_template(context)?,
        Source::DeleteComposableTemplate => templates::delete_template(context, &track.composable_templates)?,
        Source::CreateComponentTemplate => templates::create_component_template(context)?,
        Source::DeleteComponentTemplate => templates::delete_component_template(context)?,
        Source::Sleep => upkeep::sleep(context)?,
        Source::ForceMerge => upkeep::force_merge(context),
        Source::Downsample => upkeep::downsample(context),
    };
    // A source that changes nothing says so.
    let params = Some(params).filter(|params| *params != operation.params);
    Ok(BuiltInParams { source, infinite: true, params })
}

fn generic() -> BuiltInParams {
    BuiltInParams { source: Source::Generic, infinite: true, params: None }
}
