//! Parameters of an operation that make no sense.

/// Parameters of an operation that make no sense.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("operation '{operation}': {problem}")]
pub struct ParamError {
    /// Name of the operation.
    pub operation: String,
    /// The problem and its remedy.
    pub problem: String,
    /// How Elastic Rally reports the same, where it does.
    rally: Option<RallyError>,
}

/// An error as Elastic Rally reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct RallyError {
    class: &'static str,
    message: String,
    names_task: bool,
}

impl ParamError {
    /// `operation` has a problem.
    pub fn new(operation: &str, problem: impl Into<String>) -> Self {
        ParamError { operation: operation.to_owned(), problem: problem.into(), rally: None }
    }

    /// The same error as Elastic Rally reports it: the class of the exception and its text.
    pub(crate) fn in_rally(self, class: &'static str, message: impl Into<String>) -> Self {
        ParamError { rally: Some(RallyError { class, message: message.into(), names_task: false }), ..self }
    }

    /// Elastic Rally's text ends with the name of the task.
    pub(crate) fn names_task(mut self) -> Self {
        if let Some(rally) = &mut self.rally {
            rally.names_task = true;
        }
        self
    }

    /// The class of Elastic Rally's error for this, for plans that are compared with its.
    pub fn rally_class(&self) -> &'static str {
        self.rally.as_ref().map_or("InvalidSyntax", |rally| rally.class)
    }

    /// The text of Elastic Rally's error for this where `task` performs the operation.
    pub fn rally_message(&self, task: &str) -> String {
        match &self.rally {
            None => self.problem.clone(),
            Some(rally) if rally.names_task => format!("{} '{task}'", rally.message),
            Some(rally) => rally.message.clone(),
        }
    }
}
