//! The errors a caller of the node sees: Elasticsearch's shape, with its type names and statuses.

use serde_json::{Map, Value, json};
use std::fmt;

/// An error as Elasticsearch 7.10 reports it: an HTTP status, a `type`, a `reason`, perhaps details and a cause.
#[derive(Debug, Clone, PartialEq)]
pub struct EsError {
    /// HTTP status of the whole answer, or of the bulk item.
    pub status: u16,
    /// The `type`, for example `index_not_found_exception`.
    pub kind: &'static str,
    /// The `reason`, for people.
    pub reason: String,
    /// Further members of the error object, for example `index` and `line`.
    details: Option<Box<Map<String, Value>>>,
    /// What caused it, `caused_by`.
    pub cause: Option<Box<EsError>>,
    /// Whether the root cause is the cause (as for failed search phases) and not this error itself.
    pub root_is_cause: bool,
}

impl EsError {
    /// An error of `kind` with `status` and `reason`.
    pub fn new(status: u16, kind: &'static str, reason: impl Into<String>) -> Self {
        EsError { status, kind, reason: reason.into(), details: None, cause: None, root_is_cause: false }
    }

    /// 400 `illegal_argument_exception`.
    pub fn illegal_argument(reason: impl Into<String>) -> Self {
        EsError::new(400, "illegal_argument_exception", reason)
    }

    /// 400 `parsing_exception`: a query or aggregation that is not understood.
    pub fn parsing(reason: impl Into<String>) -> Self {
        EsError::new(400, "parsing_exception", reason)
    }

    /// 400 `mapper_parsing_exception`: a mapping or a document that does not fit.
    pub fn mapper_parsing(reason: impl Into<String>) -> Self {
        EsError::new(400, "mapper_parsing_exception", reason)
    }

    /// 400 `action_request_validation_exception`: a request that lacks something.
    pub fn validation(reasons: &[&str]) -> Self {
        let mut reason = String::from("Validation Failed: ");
        for (number, each) in reasons.iter().enumerate() {
            reason.push_str(&format!("{}: {each};", number + 1));
        }
        EsError::new(400, "action_request_validation_exception", reason)
    }

    /// 404 `index_not_found_exception` for `index`.
    pub fn index_not_found(index: &str) -> Self {
        EsError::new(404, "index_not_found_exception", format!("no such index [{index}]"))
            .detail("resource.type", "index_or_alias")
            .detail("resource.id", index)
            .detail("index_uuid", "_na_")
            .detail("index", index)
    }

    /// 400 for text that is no JSON: `json_parse_exception`, or `json_e_o_f_exception` where it ends early.
    pub fn json(error: &serde_json::Error) -> Self {
        let kind = if error.is_eof() { "json_e_o_f_exception" } else { "json_parse_exception" };
        EsError::new(400, kind, error.to_string())
    }

    /// The cause where `text` is no whole number.
    pub fn not_a_number(text: &str) -> Self {
        EsError::new(400, "number_format_exception", format!("For input string: \"{text}\""))
    }

    /// 500 for a failure of the node itself, `reason` saying what it was doing.
    pub fn internal(reason: impl Into<String>) -> Self {
        EsError::new(500, "exception", reason)
    }

    /// 400 for a part of Elasticsearch that the embedded node does not have.
    pub fn unsupported(what: impl fmt::Display) -> Self {
        EsError::illegal_argument(format!("{what} is not supported by the embedded node"))
    }

    /// The same error with one more member in its object.
    #[must_use]
    pub fn detail(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.get_or_insert_default().insert(name.to_string(), value.into());
        self
    }

    /// The same error with a `caused_by`.
    #[must_use]
    pub fn caused_by(mut self, cause: EsError) -> Self {
        self.cause = Some(Box::new(cause));
        self
    }

    /// The error object: `type`, `reason`, details, `caused_by`; what a bulk item carries.
    pub fn to_object(&self) -> Map<String, Value> {
        let mut object = self.own_members();
        if let Some(cause) = &self.cause {
            object.insert("caused_by".to_string(), Value::Object(cause.to_object()));
        }
        object
    }

    /// The whole body of an answer: `{"error": {"root_cause": […], …}, "status": …}`.
    pub fn to_body(&self) -> Value {
        let root = match &self.cause {
            Some(cause) if self.root_is_cause => cause.own_members(),
            _ => self.own_members(),
        };
        let mut error = Map::new();
        error.insert("root_cause".to_string(), json!([root]));
        error.extend(self.to_object());
        json!({ "error": error, "status": self.status })
    }

    fn own_members(&self) -> Map<String, Value> {
        let mut object = Map::new();
        object.insert("type".to_string(), self.kind.into());
        object.insert("reason".to_string(), self.reason.clone().into());
        object.extend(self.details.iter().flat_map(|details| details.as_ref().clone()));
        object
    }
}

impl fmt::Display for EsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.kind, self.reason)?;
        if let Some(cause) = &self.cause {
            write!(formatter, " (caused by {cause})")?;
        }
        Ok(())
    }
}

impl std::error::Error for EsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as &(dyn std::error::Error + 'static))
    }
}

impl From<tantivy::TantivyError> for EsError {
    fn from(error: tantivy::TantivyError) -> Self {
        match error {
            tantivy::TantivyError::IoError(error) => EsError::new(500, "i_o_exception", error.to_string()),
            error => EsError::internal(format!("the search engine failed: {error}")),
        }
    }
}

impl From<std::io::Error> for EsError {
    fn from(error: std::io::Error) -> Self {
        EsError::new(500, "i_o_exception", error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_from_a_fault_of_the_engine() {
        let full = std::io::Error::new(std::io::ErrorKind::StorageFull, "No space left on device");
        let error = EsError::from(tantivy::TantivyError::from(full));
        assert_eq!((error.kind, error.reason.as_str()), ("i_o_exception", "No space left on device"));
        let fault = EsError::from(tantivy::TantivyError::InternalError("broken".to_owned()));
        assert_eq!(fault.kind, "exception");
    }
}
