//! What an `index` operation says.

use rally_track::Operation;
use serde_json::Value;

use crate::error::ParamError;

/// Where the line before each document comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActionAndMetaData {
    /// It is generated.
    Generate,
    /// There is none: index and type stand in the address.
    None,
    /// It stands in the file already.
    SourceFile,
}

/// Which ids documents get so that some of them replace others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conflicts {
    /// Ascending.
    Sequential,
    /// Random ones of the client's range.
    Random,
}

/// What an `index` operation says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkOptions {
    /// Documents per request, above 0.
    pub bulk_size: u32,
    /// Documents read at once; a multiple of `bulk_size`. Data is mapped, so nothing depends on it.
    pub batch_size: u32,
    /// The only index to write to; `None`: all.
    pub index: Option<String>,
    /// Whether ids are generated, and how.
    pub conflicts: Option<Conflicts>,
    /// Where action lines come from, if the operation says it. The data file may say it too.
    pub action_and_meta_data: Option<ActionAndMetaData>,
}

impl BulkOptions {
    /// Reads the parameters of an `index` operation.
    ///
    /// # Errors
    /// Where one is missing, of the wrong kind, or contradicts another.
    pub fn read(operation: &Operation) -> Result<BulkOptions, ParamError> {
        let error = |problem: String| ParamError::new(&operation.name, problem);
        let params = &operation.params;
        let bulk_size = match params.get("bulk-size") {
            None => {
                return Err(error(
                    "'bulk-size' is missing: say how many documents a bulk request holds".to_owned(),
                ));
            }
            Some(value) => size("bulk-size", value).map_err(error)?,
        };
        let batch_size = match params.get("batch-size") {
            None => bulk_size,
            Some(value) => size("batch-size", value).map_err(error)?,
        };
        if batch_size < bulk_size {
            return Err(error(format!(
                "'batch-size' ({batch_size}) must be greater than or equal to 'bulk-size' ({bulk_size})"
            )));
        }
        if batch_size % bulk_size != 0 {
            return Err(error(format!(
                "'batch-size' ({batch_size}) must be a multiple of 'bulk-size' ({bulk_size})"
            )));
        }
        let conflicts = match params.get("conflicts") {
            None => None,
            Some(Value::String(text)) if text == "sequential" => Some(Conflicts::Sequential),
            Some(Value::String(text)) if text == "random" => Some(Conflicts::Random),
            Some(other) => {
                return Err(error(format!(
                    "'conflicts' is {other} but must be \"sequential\" or \"random\""
                )));
            }
        };
        let action_and_meta_data = match params.get("action-and-meta-data") {
            None => None,
            Some(Value::String(text)) if text == "generate" => Some(ActionAndMetaData::Generate),
            Some(Value::String(text)) if text == "none" => Some(ActionAndMetaData::None),
            Some(Value::String(text)) if text == "sourcefile" => Some(ActionAndMetaData::SourceFile),
            Some(other) => {
                return Err(error(format!(
                    "'action-and-meta-data' is {other} but must be \"generate\", \"none\" or \"sourcefile\""
                )));
            }
        };
        if let (Some(_), Some(other @ (ActionAndMetaData::None | ActionAndMetaData::SourceFile))) =
            (conflicts, action_and_meta_data)
        {
            let other = if other == ActionAndMetaData::None { "none" } else { "sourcefile" };
            return Err(error(format!(
                "'conflicts' needs generated ids, but 'action-and-meta-data' is \"{other}\": leave one of them out"
            )));
        }
        let index = match params.get("index") {
            None | Some(Value::Null) => None,
            Some(Value::String(name)) => Some(name.clone()),
            Some(other) => return Err(error(format!("'index' is {other} but must be the name of an index"))),
        };
        if let Some(pipeline) = params.get("pipeline")
            && !pipeline.is_string()
        {
            return Err(error(format!(
                "'pipeline' is {pipeline} but must be the name of an ingest pipeline"
            )));
        }
        Ok(BulkOptions { bulk_size, batch_size, index, conflicts, action_and_meta_data })
    }
}

/// A number of documents: a whole number, or its text as Rally allows it.
fn size(name: &str, value: &Value) -> Result<u32, String> {
    let number = match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    match number {
        Some(number @ 1..) => {
            u32::try_from(number).map_err(|_| format!("'{name}' is {number}, which is too large"))
        }
        Some(number) => Err(format!("'{name}' must be positive but was {number}")),
        None => Err(format!("'{name}' must be a whole number but was {value}")),
    }
}
