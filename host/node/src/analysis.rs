//! The analyzer of text fields: what Lucene's standard analyzer makes of a text, at index time and at query time.
//!
//! Words are those of Unicode's text segmentation (UAX 29), lower-cased one character at a time, as Java does. Three
//! rules make the words those of Lucene:
//!
//! - neighbouring pieces of a South-East Asian script are one word (Lucene leaves such runs whole, Unicode splits them);
//! - a piece that consists of nothing but combining marks, or of numerals that do not count as digits (`²`), is no word;
//! - a word longer than 255 UTF-16 units is cut after each 255.

use crate::mapping::slot::STANDARD_TOKENIZER;
use tantivy::tokenizer::{Token, TokenStream, Tokenizer};
use unicode_segmentation::UnicodeSegmentation;

/// Lucene splits tokens longer than this, in UTF-16 units.
const MAX_TOKEN_LENGTH: usize = 255;

/// Makes the analyzer known to `index`.
pub fn register(index: &tantivy::Index) {
    register_with(index.tokenizers());
}

/// Makes the analyzer known to the indices that will use `tokenizers`.
pub fn register_with(tokenizers: &tantivy::tokenizer::TokenizerManager) {
    tokenizers.register(STANDARD_TOKENIZER, StandardTokenizer::default());
}

/// The tokens of `text` in order, with their positions being their indexes.
pub fn standard_tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    words(text, |start, end| {
        let mut token = String::new();
        lower(&text[start..end], &mut token);
        tokens.push(token);
    });
    tokens
}

/// The standard analyzer as a tantivy tokenizer.
#[derive(Clone, Default)]
pub struct StandardTokenizer {
    token: Token,
    words: Vec<(usize, usize)>,
}

impl Tokenizer for StandardTokenizer {
    type TokenStream<'a> = StandardStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> StandardStream<'a> {
        self.token.reset();
        self.words.clear();
        let found = &mut self.words;
        words(text, |start, end| found.push((start, end)));
        StandardStream { text, words: &self.words, next: 0, token: &mut self.token }
    }
}

/// Tokens of one text.
pub struct StandardStream<'a> {
    text: &'a str,
    words: &'a [(usize, usize)],
    next: usize,
    token: &'a mut Token,
}

impl TokenStream for StandardStream<'_> {
    fn advance(&mut self) -> bool {
        let Some((start, end)) = self.words.get(self.next).copied() else { return false };
        self.token.position = self.next;
        self.token.offset_from = start;
        self.token.offset_to = end;
        self.token.text.clear();
        lower(&self.text[start..end], &mut self.token.text);
        self.next += 1;
        true
    }

    fn token(&self) -> &Token {
        self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        self.token
    }
}

fn lower(word: &str, into: &mut String) {
    if word.is_ascii() {
        into.push_str(word);
        let start = into.len() - word.len();
        into[start..].make_ascii_lowercase();
        return;
    }
    for character in word.chars() {
        if character == '\u{130}' {
            into.push('i');
            continue;
        }
        // Java lower-cases character by character here: no final sigma, no expansion.
        let mut lower = character.to_lowercase();
        match (lower.next(), lower.next()) {
            (Some(one), None) => into.push(one),
            _ => into.push(character),
        }
    }
}

/// Calls `found` with the byte range of each token of `text`.
fn words(text: &str, mut found: impl FnMut(usize, usize)) {
    if text.is_ascii() {
        return ascii_words(text.as_bytes(), found);
    }
    let mut pieces = text.split_word_bound_indices().peekable();
    while let Some((start, piece)) = pieces.next() {
        let mut end = start + piece.len();
        if piece.starts_with(is_south_east_asian) {
            while let Some((next, more)) = pieces.next_if(|(_, next)| next.starts_with(is_south_east_asian)) {
                end = next + more.len();
            }
        } else if !is_word(piece) {
            continue;
        }
        emit(text, start, end, &mut found);
    }
}

/// Unicode's word rules on ASCII alone: letters, digits and `_` join; `.` and `'` join letters, `.`, `'`, `,` and `;`
/// join digits, `:` joins letters.
fn ascii_words(text: &[u8], mut found: impl FnMut(usize, usize)) {
    let mut at = 0;
    while at < text.len() {
        if !is_word_byte(text[at]) {
            at += 1;
            continue;
        }
        let start = at;
        let mut tokenlike = false;
        while at < text.len() {
            let byte = text[at];
            if is_word_byte(byte) {
                tokenlike |= byte != b'_';
                at += 1;
                continue;
            }
            let (Some(before), Some(after)) = (text.get(at.wrapping_sub(1)), text.get(at + 1)) else { break };
            let joins = match byte {
                b'.' | b'\'' => {
                    (before.is_ascii_alphabetic() && after.is_ascii_alphabetic())
                        || (before.is_ascii_digit() && after.is_ascii_digit())
                }
                b',' | b';' => before.is_ascii_digit() && after.is_ascii_digit(),
                b':' => before.is_ascii_alphabetic() && after.is_ascii_alphabetic(),
                _ => false,
            };
            if !joins {
                break;
            }
            at += 1;
        }
        if tokenlike {
            let mut from = start;
            while at - from > MAX_TOKEN_LENGTH {
                found(from, from + MAX_TOKEN_LENGTH);
                from += MAX_TOKEN_LENGTH;
            }
            found(from, at);
        }
    }
}

fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Whether a piece of Unicode's segmentation is a word to Lucene.
fn is_word(piece: &str) -> bool {
    piece.chars().any(|character| {
        if character.is_ascii() {
            character.is_ascii_alphanumeric()
        } else if character.is_alphabetic() {
            !joins('/', character)
        } else if character.is_numeric() {
            joins('1', character)
        } else {
            is_pictograph(character)
        }
    })
}

/// Whether Unicode's segmentation keeps `second` with `first`. Everything but a line end takes a combining mark, so `/`
/// tells marks from letters; a digit takes digits but not `²`. So the tables of the segmentation crate answer what it
/// does not offer.
fn joins(first: char, second: char) -> bool {
    let mut buffer = [0; 8];
    let split = first.encode_utf8(&mut buffer).len();
    let end = split + second.encode_utf8(&mut buffer[split..]).len();
    std::str::from_utf8(&buffer[..end]).is_ok_and(|pair| pair.split_word_bounds().nth(1).is_none())
}

/// Scripts written without spaces between words, whose letters Lucene takes as a run (`LineBreak=Complex_Context`).
fn is_south_east_asian(character: char) -> bool {
    matches!(u32::from(character),
        0x0E01..=0x0E3A | 0x0E40..=0x0E4E // Thai
        | 0x0E81..=0x0ECF | 0x0EDC..=0x0EDF // Lao
        | 0x1000..=0x103F | 0x1050..=0x108F | 0x109A..=0x109F // Myanmar
        | 0x1780..=0x17D3 | 0x17D7 | 0x17DC | 0x17DD // Khmer
        | 0x1950..=0x1974 // Tai Le
        | 0x1980..=0x19C9 | 0x19DA | 0x19DE | 0x19DF // New Tai Lue
        | 0x1A20..=0x1A7C | 0x1AA0..=0x1AAD // Tai Tham
        | 0xA9E0..=0xA9EF | 0xA9FA..=0xA9FE | 0xAA60..=0xAA7F // Myanmar, extended
        | 0xAA80..=0xAADF // Tai Viet
        | 0x11700..=0x1172B // Ahom
    )
}

/// Emoji, which Lucene indexes since its version 7: the blocks that hold nothing else, and the single signs elsewhere
/// that are shown as pictures by themselves.
fn is_pictograph(character: char) -> bool {
    matches!(u32::from(character),
        0x231A..=0x231B | 0x23E9..=0x23F3 | 0x23F8..=0x23FA | 0x25FD..=0x25FE
        | 0x2600..=0x2604 | 0x260E | 0x2611 | 0x2614..=0x2615 | 0x2618 | 0x261D | 0x2620
        | 0x2622..=0x2623 | 0x2626 | 0x262A | 0x262E..=0x262F | 0x2638..=0x263A | 0x2640 | 0x2642
        | 0x2648..=0x2653 | 0x265F..=0x2660 | 0x2663 | 0x2665..=0x2666 | 0x2668 | 0x267B | 0x267E..=0x267F
        | 0x2692..=0x2697 | 0x2699 | 0x269B..=0x269C | 0x26A0..=0x26A1 | 0x26AA..=0x26AB | 0x26B0..=0x26B1
        | 0x26BD..=0x26BE | 0x26C4..=0x26C5 | 0x26C8 | 0x26CE..=0x26CF | 0x26D1 | 0x26D3..=0x26D4
        | 0x26E9..=0x26EA | 0x26F0..=0x26F5 | 0x26F7..=0x26FA | 0x26FD
        | 0x2702 | 0x2705 | 0x2708..=0x270D | 0x270F | 0x2712 | 0x2714 | 0x2716 | 0x271D | 0x2721 | 0x2728
        | 0x2733..=0x2734 | 0x2744 | 0x2747 | 0x274C | 0x274E | 0x2753..=0x2755 | 0x2757 | 0x2763..=0x2764
        | 0x2795..=0x2797 | 0x27A1 | 0x27B0 | 0x27BF | 0x2B1B..=0x2B1C | 0x2B50 | 0x2B55
        | 0x1F004 | 0x1F0CF | 0x1F18E | 0x1F191..=0x1F19A | 0x1F1E6..=0x1F1FF | 0x1F300..=0x1F64F
        | 0x1F680..=0x1F6FF | 0x1F90C..=0x1F9FF
    )
}

fn emit(text: &str, start: usize, end: usize, found: &mut impl FnMut(usize, usize)) {
    let mut from = start;
    let mut units = 0;
    for (offset, character) in text[start..end].char_indices() {
        if units + character.len_utf16() > MAX_TOKEN_LENGTH {
            found(from, start + offset);
            from = start + offset;
            units = 0;
        }
        units += character.len_utf16();
    }
    found(from, end);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_lucene_does() {
        for (text, tokens) in [
            ("The QUICK brown-fox", vec!["the", "quick", "brown", "fox"]),
            ("O'Neil's can't", vec!["o'neil's", "can't"]),
            ("3.14 1,000 a.b x:y 1:2 foo_bar _ __", vec!["3.14", "1,000", "a.b", "x:y", "1", "2", "foo_bar"]),
            ("wi-fi 2.0a b.2 .5 x.", vec!["wi", "fi", "2.0a", "b", "2", "5", "x"]),
            ("São Paulo \u{130}stanbul", vec!["são", "paulo", "istanbul"]),
            ("กรุงเทพ มหานคร", vec!["กรุงเทพ", "มหานคร"]),
            ("東京", vec!["東", "京"]),
            ("", vec![]),
        ] {
            assert_eq!(standard_tokens(text), tokens, "{text}");
        }
    }

    #[test]
    fn ascii_and_unicode_rules_agree_on_ascii() {
        // Every text of four characters from those the rules tell apart.
        let alphabet: Vec<char> = "aZ0_.',;:- ".chars().collect();
        for number in 0..alphabet.len().pow(4) {
            let text: String = (0..4_u32)
                .map(|place| alphabet[number / alphabet.len().pow(place) % alphabet.len()])
                .collect();
            let mut expected: Vec<String> = Vec::new();
            for word in text.unicode_words() {
                expected.push(word.to_ascii_lowercase());
            }
            assert_eq!(standard_tokens(&text), expected, "{text:?}");
        }
    }

    #[test]
    fn lower_case_is_that_of_single_characters() {
        assert_eq!(standard_tokens("ΟΔΟΣ É"), ["οδοσ", "é"]);
    }

    #[test]
    fn south_east_asian_runs_are_one_word() {
        assert_eq!(standard_tokens("ភ្នំពេញ, ວຽງຈັນ"), ["ភ្នំពេញ", "ວຽງຈັນ"]);
        assert_eq!(standard_tokens("\u{1982}\u{19B1} a"), ["\u{1982}\u{19B1}", "a"]);
    }

    #[test]
    fn ideographs_are_single_words_and_kana_are_runs() {
        assert_eq!(standard_tokens("東京タワー"), ["東", "京", "タワー"]);
    }

    #[test]
    fn lone_marks_and_numerals_that_are_no_digits_are_no_words() {
        assert_eq!(standard_tokens("² \u{64B} ½ ٣ é²"), ["٣", "é"]);
    }

    #[test]
    fn emoji_are_words() {
        assert_eq!(standard_tokens("hello 🚀 world"), ["hello", "🚀", "world"]);
    }

    #[test]
    fn long_tokens_are_cut() {
        let tokens = standard_tokens(&"x".repeat(600));
        assert_eq!(tokens.iter().map(String::len).collect::<Vec<_>>(), [255, 255, 90]);
        let tokens = standard_tokens(&"é".repeat(256));
        assert_eq!(tokens.iter().map(|token| token.chars().count()).collect::<Vec<_>>(), [255, 1]);
    }
}
