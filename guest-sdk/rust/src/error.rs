//! Errors are values: what a trait's method returns ends in rally with its class, and the class decides what becomes of the race.

use std::fmt;

use crate::bindings::host::rally::track::types;

pub use types::ErrorClass;

/// What everything that can fail returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call failed: a class that decides what becomes of the race, and a sentence for the user.
///
/// `?` makes one of every error of the standard library, serde_json and other crates; its class is
/// [`Other`](ErrorClass::Other): the task cannot go on.
pub struct Error {
    // Boxed, so that a `Result` that is fine stays small.
    details: Box<Details>,
}

struct Details {
    class: ErrorClass,
    message: String,
    status: Option<u16>,
    kind: Option<String>,
    traceback: Option<String>,
}

impl Error {
    /// An error of any class. `message` is one sentence without a full stop.
    pub fn new(class: ErrorClass, message: impl Into<String>) -> Error {
        let details = Details { class, message: message.into(), status: None, kind: None, traceback: None };
        Error { details: Box::new(details) }
    }

    /// The parameters in track.json make no sense. In `open` this ends the race before it begins.
    pub fn config(message: impl Into<String>) -> Error {
        Error::new(ErrorClass::Config, message)
    }

    /// A named asset, corpus, file or function does not exist.
    pub fn not_found(message: impl Into<String>) -> Error {
        Error::new(ErrorClass::NotFound, message)
    }

    /// The target answered, and the answer says that it failed: the request counts as failed.
    pub fn api(message: impl Into<String>) -> Error {
        Error::new(ErrorClass::Api, message)
    }

    /// Anything else: the task cannot go on.
    pub fn other(message: impl Into<String>) -> Error {
        Error::new(ErrorClass::Other, message)
    }

    /// The same with the HTTP status that the target answered with.
    pub fn with_status(mut self, status: u16) -> Error {
        self.details.status = Some(status);
        self
    }

    /// The same with the name of the error's type, for the log.
    pub fn with_kind(mut self, kind: impl Into<String>) -> Error {
        self.details.kind = Some(kind.into());
        self
    }

    /// The same with where it happened.
    pub fn with_traceback(mut self, traceback: impl Into<String>) -> Error {
        self.details.traceback = Some(traceback.into());
        self
    }

    /// The same with what was being done before the message, as in `queries.txt, line 3: expected a number`.
    pub fn at(mut self, place: impl fmt::Display) -> Error {
        self.details.message = format!("{place}: {}", self.details.message);
        self
    }

    /// What kind of error it is.
    pub fn class(&self) -> ErrorClass {
        self.details.class
    }

    /// What is wrong.
    pub fn message(&self) -> &str {
        &self.details.message
    }

    /// HTTP status, where the target answered.
    pub fn status(&self) -> Option<u16> {
        self.details.status
    }

    /// Name of the error's type, if it is known.
    pub fn kind(&self) -> Option<&str> {
        self.details.kind.as_deref()
    }

    pub(crate) fn into_wire(self) -> types::Error {
        let Details { class, message, status, kind, traceback } = *self.details;
        types::Error { class, message, status, kind, traceback }
    }

    pub(crate) fn from_wire(error: types::Error) -> Error {
        let types::Error { class, message, status, kind, traceback } = error;
        Error { details: Box::new(Details { class, message, status, kind, traceback }) }
    }
}

/// `?` on the errors of other crates. [`Error`] itself is no `std::error::Error`, so that this can be.
impl<E: std::error::Error> From<E> for Error {
    fn from(error: E) -> Error {
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            let cause_text = cause.to_string();
            if !message.contains(&cause_text) {
                message.push_str(": ");
                message.push_str(&cause_text);
            }
            source = cause.source();
        }
        Error::other(message).with_kind(std::any::type_name::<E>())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.details.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}: {}", self.details.class, self.details.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_another_crate_keeps_its_message_and_type() {
        let fails = || -> Result<u32> { Ok("many".parse::<u32>()?) };
        let error = fails().unwrap_err();
        assert_eq!(error.class(), ErrorClass::Other);
        assert_eq!(error.message(), "invalid digit found in string");
        assert_eq!(error.kind(), Some("core::num::error::ParseIntError"));
    }

    #[test]
    fn a_place_stands_before_the_message() {
        let error = Error::config("expected a number").at("queries.txt, line 3");
        assert_eq!(error.to_string(), "queries.txt, line 3: expected a number");
        assert_eq!(error.class(), ErrorClass::Config);
    }

    #[test]
    fn nothing_is_lost_on_the_way_to_rally() {
        let error =
            Error::api("no such index").with_status(404).with_kind("NotFoundError").with_traceback("line 1");
        let wire = Error::from_wire(error.into_wire()).into_wire();
        assert_eq!((wire.class, wire.status), (ErrorClass::Api, Some(404)));
        assert_eq!((wire.message.as_str(), wire.kind.as_deref()), ("no such index", Some("NotFoundError")));
        assert_eq!(wire.traceback.as_deref(), Some("line 1"));
    }
}
