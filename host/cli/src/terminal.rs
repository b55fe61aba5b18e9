//! Standard output and standard error. Either may go away while rally runs (`| head`, a closed terminal, a full disk): nothing that
//! was measured is lost for that, and nobody is left to tell.
//!
//! Names come from strangers' tracks and clusters: what is for people has nothing in it that steers a terminal.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{self, Write};

/// Standard output cannot take what it was to get.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to standard output: {0}")]
pub struct PrintError(#[source] io::Error);

/// Writes a line to standard error, if that still is there.
pub fn say(text: impl Display) {
    let text = text.to_string();
    let _ = writeln!(io::stderr().lock(), "{}", harmless(&text));
}

/// Writes to standard output, for people. Whoever closed it has read enough.
pub fn print(text: impl Display) -> Result<(), PrintError> {
    print_data(harmless(&text.to_string()).as_bytes())
}

/// Writes to standard output, for programs: byte by byte as it is. Whoever closed it has read enough.
pub fn print_data(bytes: &[u8]) -> Result<(), PrintError> {
    let mut output = io::stdout().lock();
    match output.write_all(bytes).and_then(|()| output.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(PrintError),
    }
}

/// The text with escapes in place of characters that steer a terminal. Lines and tabs stay.
pub fn harmless(text: &str) -> Cow<'_, str> {
    if !text.chars().any(steers) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match steers(character) {
            true => shown.extend(character.escape_unicode()),
            false => shown.push(character),
        }
    }
    Cow::Owned(shown)
}

/// Whether a terminal does something else for the character than to show it; among these are those that turn the direction of
/// text, which make a name look like another one.
fn steers(character: char) -> bool {
    let turns =
        matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || (character.is_control() && !matches!(character, '\n' | '\t'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_escaped() {
        assert_eq!(
            harmless("a\u{1b}[2J\u{9b}1m\r\u{202e}b\u{7}"),
            "a\\u{1b}[2J\\u{9b}1m\\u{d}\\u{202e}b\\u{7}"
        );
    }

    #[test]
    fn lines_tabs_and_letters_of_all_scripts_stay() {
        let text = "größe\t東京\n── ✓ 👩\u{200d}🔬\n";
        assert!(matches!(harmless(text), Cow::Borrowed(shown) if shown == text));
    }
}
