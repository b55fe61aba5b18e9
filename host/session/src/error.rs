//! How a session ends when it does not go well.

use std::error::Error;
use std::fmt::{self, Write};

use rally_race::FailedTask;

/// Whose fault an error is: it decides the exit code of a command, and whether a daemon may try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// What the user gave is wrong: an option, the track, its data.
    User,
    /// Something failed: the target, the network, the disk.
    Failure,
    /// The user ended the session.
    Interrupted,
}

/// A session did not go well.
///
/// It shows as its cause does, and has the causes of its cause; [`chain`] writes all of them.
#[derive(Debug)]
pub struct SessionError {
    kind: ErrorKind,
    cause: Box<dyn Error + Send + Sync>,
}

impl SessionError {
    /// What the user gave is wrong.
    pub fn user(cause: impl Into<Box<dyn Error + Send + Sync>>) -> SessionError {
        SessionError { kind: ErrorKind::User, cause: cause.into() }
    }

    /// Something failed.
    pub fn failure(cause: impl Into<Box<dyn Error + Send + Sync>>) -> SessionError {
        SessionError { kind: ErrorKind::Failure, cause: cause.into() }
    }

    /// The user ended the session.
    pub fn interrupted(cause: impl Into<Box<dyn Error + Send + Sync>>) -> SessionError {
        SessionError { kind: ErrorKind::Interrupted, cause: cause.into() }
    }

    /// The same kind for an error that has this one as its cause.
    pub fn within<Outer>(self, outer: impl FnOnce(Box<dyn Error + Send + Sync>) -> Outer) -> SessionError
    where
        Outer: Error + Send + Sync + 'static,
    {
        SessionError { kind: self.kind, cause: Box::new(outer(self.cause)) }
    }

    /// Whose fault it is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What went wrong.
    pub fn cause(&self) -> &(dyn Error + Send + Sync + 'static) {
        self.cause.as_ref()
    }

    /// What went wrong, to be shown by another kind of error.
    pub fn into_cause(self) -> Box<dyn Error + Send + Sync> {
        self.cause
    }

    /// The error and the causes that add something, one a line.
    pub fn message(&self) -> String {
        chain(self.cause.as_ref())
    }
}

impl fmt::Display for SessionError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.cause, formatter)
    }
}

impl Error for SessionError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.source()
    }
}

/// Tasks could not go on, while the race did.
#[derive(Debug)]
pub struct TasksFailed(Vec<String>);

impl TasksFailed {
    /// The error of these tasks; `None` where there are none.
    pub fn of(tasks: &[FailedTask]) -> Option<TasksFailed> {
        let reasons: Vec<String> = tasks.iter().map(|task| chain(task.error.as_ref())).collect();
        (!reasons.is_empty()).then_some(TasksFailed(reasons))
    }
}

impl fmt::Display for TasksFailed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TasksFailed(reasons) = self;
        match reasons.len() {
            1 => formatter.write_str("a task failed")?,
            several => write!(formatter, "{several} tasks failed")?,
        }
        formatter.write_str("; the report has their figures until then, and those of the other tasks:")?;
        reasons.iter().try_for_each(|reason| write!(formatter, "\n{reason}"))
    }
}

impl Error for TasksFailed {}

/// An error and its causes, one a line; a cause that its error quotes already is left out.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    // What has been said as it was said: further lines are indented in the text.
    let mut told = text.clone();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !told.contains(&said) {
            // Writing to a string cannot fail.
            let _ = write!(text, "\n  because: {}", said.replace('\n', "\n  "));
            told.push('\n');
            told.push_str(&said);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Layer {
        text: &'static str,
        #[source]
        source: Option<Box<Layer>>,
    }

    #[test]
    fn causes_follow_unless_they_are_quoted_already() {
        let deep = Layer { text: "refused", source: None };
        let middle = Layer { text: "cannot connect: refused", source: Some(Box::new(deep)) };
        let top = Layer { text: "no target", source: Some(Box::new(middle)) };
        assert_eq!(chain(&top), "no target\n  because: cannot connect: refused");
    }

    #[test]
    fn a_quoted_cause_of_several_lines_is_not_said_again() {
        let deep = Layer { text: "it trapped\n0: run\n1: main", source: None };
        let middle = Layer { text: "call of run: it trapped\n0: run\n1: main", source: Some(Box::new(deep)) };
        let top = Layer { text: "the runner failed", source: Some(Box::new(middle)) };
        assert_eq!(chain(&top), "the runner failed\n  because: call of run: it trapped\n  0: run\n  1: main");
    }
}
