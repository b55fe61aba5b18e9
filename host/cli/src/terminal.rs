//! Standard output and standard error. Either may go away while rally runs (`| head`, a closed terminal, a full disk): nothing that
//! was measured is lost for that, and nobody is left to tell.
//!
//! Names come from strangers' tracks and clusters: what is for people has nothing in it that steers a terminal.

use std::fmt::Display;
use std::io::{self, Write};

use rally_support::printable::lines;

/// Standard output cannot take what it was to get.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to standard output: {0}")]
pub struct PrintError(#[source] io::Error);

/// Writes a line to standard error, if that still is there.
pub fn say(text: impl Display) {
    let text = text.to_string();
    let _ = writeln!(io::stderr().lock(), "{}", lines(&text));
}

/// Writes to standard output, for people. Whoever closed it has read enough.
pub fn print(text: impl Display) -> Result<(), PrintError> {
    print_data(lines(&text.to_string()).as_bytes())
}

/// Writes to standard output, for programs: byte by byte as it is. Whoever closed it has read enough.
pub fn print_data(bytes: &[u8]) -> Result<(), PrintError> {
    let mut output = io::stdout().lock();
    match output.write_all(bytes).and_then(|()| output.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(PrintError),
    }
}
