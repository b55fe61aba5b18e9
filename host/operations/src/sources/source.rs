//! Finds the source of an operation.

use rally_track::{Dialect, Operation, Track};
use serde_json::{Map, Value};

use super::constant::search_params;
use super::context::Context;
use super::{indices, search, templates, upkeep};
use crate::bulk::reads_documents;
use crate::error::ParamError;

/// What a built-in parameter source yields, each time the same.
#[derive(Debug, Clone, PartialEq)]
pub struct BuiltInParams {
    /// Rally's name of the source.
    pub source: &'static str,
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
    if reads_documents(track.dialect, operation) {
        return Err(ParamError::new(
            &operation.name,
            "its requests are cut from documents: each has parameters of its own",
        ));
    }
    if let Some(name) = &operation.param_source {
        return Err(ParamError::new(
            &operation.name,
            format!("its param-source '{name}' is none of the built-in ones"),
        ));
    }
    let (source, params) = match (track.dialect, operation.operation_type.as_str()) {
        (Dialect::Rally2017, "search") => ("SearchParamSource", search_params(operation, track)?),
        (Dialect::Rally2017, _) => return Ok(generic()),
        (Dialect::Current, kind) => match kind {
            "search" | "scroll-search" | "paginated-search" | "composite-agg" => {
                ("SearchParamSource", search::search(context)?)
            }
            "create-index" => ("CreateIndexParamSource", indices::create_index(context)?),
            "delete-index" => ("DeleteIndexParamSource", indices::delete_index(context)?),
            "create-data-stream" => ("CreateDataStreamParamSource", indices::create_data_stream(context)?),
            "delete-data-stream" => ("DeleteDataStreamParamSource", indices::delete_data_stream(context)?),
            "create-index-template" => {
                ("CreateIndexTemplateParamSource", templates::create_index_template(context)?)
            }
            "delete-index-template" => {
                ("DeleteIndexTemplateParamSource", templates::delete_template(context, &track.templates)?)
            }
            "create-composable-template" => {
                ("CreateComposableTemplateParamSource", templates::create_composable_template(context)?)
            }
            "delete-composable-template" => (
                "DeleteComposableTemplateParamSource",
                templates::delete_template(context, &track.composable_templates)?,
            ),
            "create-component-template" => {
                ("CreateComponentTemplateParamSource", templates::create_component_template(context)?)
            }
            "delete-component-template" => {
                ("DeleteComponentTemplateParamSource", templates::delete_component_template(context)?)
            }
            "sleep" => ("SleepParamSource", upkeep::sleep(context)?),
            "force-merge" => ("ForceMergeParamSource", upkeep::force_merge(context)),
            "downsample" => ("DownsampleParamSource", upkeep::downsample(context)),
            _ => return Ok(generic()),
        },
    };
    // A source that changes nothing says so.
    let params = Some(params).filter(|params| *params != operation.params);
    Ok(BuiltInParams { source, infinite: true, params })
}

fn generic() -> BuiltInParams {
    BuiltInParams { source: "ParamSource", infinite: true, params: None }
}
