//! Standard output and standard error. Either may go away while rally runs (`| head`, a closed terminal, a full disk): nothing that
//! was measured is lost for that, and nobody is left to tell.

use std::fmt::Display;
use std::io::{self, Write};

/// Standard output cannot take what it was to get.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to standard output: {0}")]
pub struct PrintError(#[source] io::Error);

/// Writes a line to standard error, if that still is there.
pub fn say(text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Writes to standard output. Whoever closed it has read enough.
pub fn print(text: impl Display) -> Result<(), PrintError> {
    let mut output = io::stdout().lock();
    match write!(output, "{text}").and_then(|()| output.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(PrintError),
    }
}
