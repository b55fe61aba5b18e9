//! What a parameter source is made of.

use rally_track::{Operation, Track};
use serde_json::{Map, Value};

use crate::error::ParamError;
use crate::python;

/// A track and one of its operations.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    pub track: &'a Track,
    pub operation: &'a Operation,
}

impl<'a> Context<'a> {
    /// A parameter that is there, null or not.
    pub fn given(self, name: &str) -> Option<&'a Value> {
        self.operation.params.get(name)
    }

    /// A parameter for which a condition on it holds: not null, empty, zero or false.
    pub fn filled(self, name: &str) -> Option<&'a Value> {
        self.given(name).filter(|value| python::is_true(value))
    }

    /// A parameter, null if it is not there.
    pub fn or_null(self, name: &str) -> Value {
        self.or(name, Value::Null)
    }

    /// A parameter, `default` if it is not there.
    pub fn or(self, name: &str, default: impl Into<Value>) -> Value {
        self.given(name).cloned().unwrap_or_else(|| default.into())
    }

    /// The operation's own parameters, with these over them.
    pub fn with(self, more: impl IntoIterator<Item = (&'static str, Value)>) -> Map<String, Value> {
        let mut values = self.operation.params.clone();
        values.extend(more.into_iter().map(|(name, value)| (name.to_owned(), value)));
        values
    }

    /// `request-params`, by default none.
    pub fn request_params(self) -> (&'static str, Value) {
        ("request-params", self.or("request-params", Map::new()))
    }

    /// `only-if-exists`, by default true.
    pub fn only_if_exists(self) -> (&'static str, Value) {
        ("only-if-exists", self.or("only-if-exists", true))
    }

    /// The parameters that every request takes.
    pub fn client_params(self) -> [(&'static str, Value); 3] {
        ["request-timeout", "headers", "opaque-id"].map(|name| (name, self.or_null(name)))
    }

    /// The operation type as the operation itself writes it.
    pub fn written_type(self) -> String {
        python::text(&self.or_null("operation-type"))
    }

    /// An error in Rally's words, which are clear enough.
    pub fn invalid(self, message: impl Into<String>) -> ParamError {
        let message = message.into();
        self.explained(message.clone(), message)
    }

    /// An error in words of its own, and in Rally's.
    pub fn explained(self, problem: impl Into<String>, message: impl Into<String>) -> ParamError {
        ParamError::new(&self.operation.name, problem).in_rally("InvalidSyntax", message)
    }

    /// A parameter of the wrong kind; `python` is what Python says of it.
    pub fn wrong_kind(self, name: &str, value: &Value, wanted: &str, python: String) -> ParamError {
        let problem = format!("'{name}' is {value} but must be {wanted}");
        ParamError::new(&self.operation.name, problem).in_rally("TypeError", python)
    }

    /// One name or a list of them.
    pub fn names(self, name: &str, value: &Value) -> Result<Vec<Value>, ParamError> {
        match value {
            Value::String(_) => Ok(vec![value.clone()]),
            other => python::items(other)
                .map_err(|python| self.wrong_kind(name, other, "a name or a list of names", python)),
        }
    }

    /// Whether the parameter `name` lets this one through: it does so where it is not there, is this name, or has it in its
    /// list.
    pub fn lets_through(self, name: &str, candidate: &str) -> Result<bool, ParamError> {
        match self.filled(name) {
            None => Ok(true),
            Some(Value::String(only)) => Ok(only == candidate),
            Some(several) => python::contains(several, Some(candidate))
                .map_err(|python| self.wrong_kind(name, several, "a name or a list of names", python)),
        }
    }
}

/// A list of pairs, as `indices` and `templates` hold names and bodies.
pub fn pair(name: impl Into<Value>, body: impl Into<Value>) -> Value {
    Value::Array(vec![name.into(), body.into()])
}
