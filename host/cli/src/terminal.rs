//! Standard output and standard error. Either may go away while rally runs (`| head`, a closed terminal, a full disk): rally then goes on
//! without it, and loses nothing that it measured.
//!
//! Names come from tracks and clusters of strangers: text for people holds no character that steers a terminal.

use std::fmt::{self, Display};
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use rally_support::printable::lines;

/// Standard output cannot take what it was to get.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to standard output: {0}")]
pub struct PrintError(#[source] io::Error);

/// What a message is about. Shown as cargo and clap show it, `error: ` or `warning: `, in bold colour where standard error is a terminal
/// that has colours and `NO_COLOR` is not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// Something failed.
    Error,
    /// Something may not be what the user expects.
    Warning,
}

impl Label {
    const fn style(self) -> Style {
        match self {
            Label::Error => AnsiColor::Red.on_default().bold(),
            Label::Warning => AnsiColor::Yellow.on_default().bold(),
        }
    }

    /// A message for standard error with its label. Everything in `text` is made fit for a terminal.
    pub fn before(self, text: impl Display) -> String {
        self.painted(&text.to_string(), has_colours())
    }

    fn painted(self, text: &str, in_colour: bool) -> String {
        let text = lines(text);
        match in_colour {
            true => format!("{style}{self}:{style:#} {text}", style = self.style()),
            false => format!("{self}: {text}"),
        }
    }
}

impl Display for Label {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Label::Error => "error",
            Label::Warning => "warning",
        })
    }
}

/// Whether standard error shows colours: clap decides the same way.
fn has_colours() -> bool {
    anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never
}

/// Writes `error: <text>` to standard error.
pub fn error(text: impl Display) {
    write_error(&Label::Error.before(text));
}

/// Writes `warning: <text>` to standard error.
pub fn warn(text: impl Display) {
    write_error(&Label::Warning.before(text));
}

/// Writes a line to standard error, if that still is there.
pub fn say(text: impl Display) {
    write_error(&lines(&text.to_string()));
}

/// Writes a line that is fit for a terminal to standard error, if that still is there.
pub fn write_error(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_stands_before_the_message() {
        assert_eq!(Label::Error.painted("no such track", false), "error: no such track");
        assert_eq!(
            Label::Warning.painted("no such track", true),
            "\u{1b}[1m\u{1b}[33mwarning:\u{1b}[0m no such track"
        );
    }

    #[test]
    fn only_the_label_is_coloured_whatever_the_message_holds() {
        assert_eq!(Label::Error.painted("\u{1b}[32mfine", false), "error: \\u{1b}[32mfine");
    }
}
