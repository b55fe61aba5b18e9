//! How a command ends: its exit code, and what it says when it did not go well.

use std::error::Error;
use std::fmt::{self, Write};
use std::process::ExitCode;

use rally_race::FailedTask;

/// Exit code after wrong usage or input (EX_USAGE, as Elastic Rally has it).
pub const USER_ERROR: u8 = 64;
/// Exit code after a failure that is not the user's.
pub const FAILURE: u8 = 1;
/// Exit code after an interruption, as a shell gives it for SIGINT.
pub const INTERRUPTED: u8 = 130;

/// Why a command did not end well.
#[derive(Debug)]
pub struct CommandError {
    code: u8,
    cause: Box<dyn Error>,
}

impl CommandError {
    /// What the user gave is wrong.
    pub fn user(cause: impl Into<Box<dyn Error>>) -> CommandError {
        CommandError { code: USER_ERROR, cause: cause.into() }
    }

    /// Something failed.
    pub fn failure(cause: impl Into<Box<dyn Error>>) -> CommandError {
        CommandError { code: FAILURE, cause: cause.into() }
    }

    /// The user interrupted the command.
    pub fn interrupted(cause: impl Into<Box<dyn Error>>) -> CommandError {
        CommandError { code: INTERRUPTED, cause: cause.into() }
    }

    /// The same end for an error that has this one as its cause.
    pub fn within<Outer: Error + 'static>(self, outer: impl FnOnce(Box<dyn Error>) -> Outer) -> CommandError {
        CommandError { code: self.code, cause: Box::new(outer(self.cause)) }
    }

    /// The exit code.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }

    /// What to print: the error, and the causes that say something more.
    pub fn message(&self) -> String {
        chain(self.cause.as_ref())
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
            1 => formatter.write_str("a task could not go on")?,
            several => write!(formatter, "{several} tasks could not go on")?,
        }
        formatter.write_str("; the report has what was measured until then, and the other tasks:")?;
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
