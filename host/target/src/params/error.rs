//! Parameters of an operation that make no sense.

/// Parameters of an operation that make no sense.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("operation '{operation}': {problem}")]
pub struct ParamError {
    /// Name of the operation.
    pub operation: String,
    /// What is wrong and what to do.
    pub problem: String,
}

impl ParamError {
    /// `operation` has a problem.
    pub fn new(operation: &str, problem: impl Into<String>) -> Self {
        ParamError { operation: operation.to_owned(), problem: problem.into() }
    }
}
