//! Text of strangers (tracks, components, clusters), fit for a terminal.
//!
//! One set of characters counts as unsafe, see [`is_unsafe`]. Unsafe characters are shown as escapes (`\u{1b}`), so that a reader
//! sees that something is there.

use std::borrow::Cow;

/// Longest name that [`name`] shows whole, in characters.
pub const LONGEST_NAME: usize = 200;

/// Whether a terminal does something else with the character than to show it.
///
/// Unsafe are
/// - control characters (general category Cc), with line breaks and tabs: they move the cursor, and start escape sequences;
/// - the line and paragraph separators;
/// - marks of direction, embeddings and isolates: they reorder the text beside them;
/// - characters that take no room: zero width space, joiners, soft hyphen, byte order mark, Hangul fillers, tags, variation
///   selectors and whatever else Unicode calls default ignorable, and annotation marks.
///
/// Two different names never look the same because of something invisible. The price is that emoji and Persian words that need
/// a joiner or a variation selector are shown with an escape in them.
pub const fn is_unsafe(character: char) -> bool {
    matches!(character,
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        | '\u{ad}' | '\u{34f}' | '\u{61c}'
        | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether the text can be shown as it is, on one line.
pub fn is_safe(text: &str) -> bool {
    !text.chars().any(is_unsafe)
}

/// The text on one line: every unsafe character is escaped, line breaks and tabs included.
pub fn line(text: &str) -> Cow<'_, str> {
    escaped(text, is_unsafe)
}

/// The text with its lines and tabs; every other unsafe character is escaped.
pub fn lines(text: &str) -> Cow<'_, str> {
    escaped(text, |character| is_unsafe(character) && !matches!(character, '\n' | '\t'))
}

/// A name: the text on one line, cut after [`LONGEST_NAME`] characters.
pub fn name(text: &str) -> String {
    match text.char_indices().nth(LONGEST_NAME) {
        Some((end, _)) => format!("{}…", line(&text[..end])),
        None => line(text).into_owned(),
    }
}

/// A [`name`] in single quotes.
pub fn quoted(text: &str) -> String {
    format!("'{}'", name(text))
}

/// One character in the place of another one, where columns count: a space for a line break or a tab, U+FFFD for any other
/// unsafe character.
pub const fn character(character: char) -> char {
    match character {
        '\t' | '\n' => ' ',
        other if is_unsafe(other) => '\u{fffd}',
        other => other,
    }
}

fn escaped(text: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    let Some(first) = text.find(&is_escaped) else { return Cow::Borrowed(text) };
    let mut shown = String::with_capacity(text.len() + 16);
    shown.push_str(&text[..first]);
    for character in text[first..].chars() {
        if is_escaped(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escape_sequences_and_line_breaks_are_escaped() {
        assert_eq!(line("a\u{1b}[2J\u{9b}1m\r\nb\tc\u{7}"), "a\\u{1b}[2J\\u{9b}1m\\u{d}\\u{a}b\\u{9}c\\u{7}");
    }

    #[test]
    fn lines_and_tabs_stay_in_a_text_of_several_lines() {
        assert_eq!(lines("a\tb\n\u{1b}c\r\n"), "a\tb\n\\u{1b}c\\u{d}\n");
    }

    #[test]
    fn marks_of_direction_and_invisible_characters_are_escaped() {
        let set = [
            '\u{ad}',
            '\u{61c}',
            '\u{200b}',
            '\u{200d}',
            '\u{200e}',
            '\u{200f}',
            '\u{2028}',
            '\u{202e}',
            '\u{2060}',
            '\u{2066}',
            '\u{2069}',
            '\u{3164}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{e0041}',
            '\u{e0100}',
        ];
        for each in set {
            assert_eq!(line(&format!("a{each}b")), format!("a\\u{{{:x}}}b", u32::from(each)));
        }
    }

    #[test]
    fn letters_of_all_scripts_stay() {
        let text = "größe\t東京\n── ✓ 👩 नमस्ते ᄒᆞᆫ שלום … «»";
        assert!(matches!(lines(text), Cow::Borrowed(shown) if shown == text));
    }

    #[test]
    fn a_long_name_is_cut() {
        assert_eq!(name(&"ü".repeat(1000)), "ü".repeat(LONGEST_NAME) + "…");
        assert_eq!(name(&"ü".repeat(LONGEST_NAME)), "ü".repeat(LONGEST_NAME));
    }

    #[test]
    fn a_quoted_name_stays_on_its_line() {
        assert_eq!(quoted("a\nb"), "'a\\u{a}b'");
    }

    proptest! {
        #[test]
        fn shown_text_holds_no_unsafe_character(text in any::<String>(), steering in "[\u{0}-\u{20}\u{7f}-\u{ad}\u{600}-\u{620}\u{2000}-\u{2070}\u{fe00}-\u{ffff}\u{e0000}-\u{e0fff}a]*") {
            for text in [text, steering] {
                prop_assert!(is_safe(&line(&text)));
                prop_assert!(is_safe(&name(&text)));
                prop_assert!(is_safe(&lines(&text).replace(['\n', '\t'], "")));
                prop_assert!(is_safe(&text.chars().map(character).collect::<String>()));
            }
        }

        #[test]
        fn safe_text_is_shown_as_it_is(text in any::<String>()) {
            prop_assume!(is_safe(&text));
            prop_assert!(matches!(line(&text), Cow::Borrowed(_)));
            prop_assert!(text.chars().all(|each| character(each) == each));
        }
    }
}
