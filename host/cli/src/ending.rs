//! How a command ends: its exit code, and what it says when it did not go well.

use std::error::Error;
use std::process::ExitCode;

use rally_session::{ErrorKind, SessionError, chain};

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

    /// The exit code.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }

    /// What to print: the error, and the causes that say something more.
    pub fn message(&self) -> String {
        chain(self.cause.as_ref())
    }
}

impl From<SessionError> for CommandError {
    fn from(error: SessionError) -> CommandError {
        let code = match error.kind() {
            ErrorKind::User => USER_ERROR,
            ErrorKind::Failure => FAILURE,
            ErrorKind::Interrupted => INTERRUPTED,
        };
        CommandError { code, cause: error.into_cause() }
    }
}
