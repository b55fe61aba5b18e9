//! Lucene's standard analyzer: words by Unicode's rules, in lower case.
//!
//! Two rules are Lucene's own: adjacent pieces of South-East Asian scripts, which Unicode splits by no rule, are one
//! token; and Java lower-cases U+0130 to a plain `i`.

use crate::mapping::slot::STANDARD_TOKENIZER;
use tantivy::tokenizer::{Token, TokenStream, Tokenizer};
use unicode_segmentation::UnicodeSegmentation;

/// Lucene splits tokens longer than this, in UTF-16 units.
const MAX_TOKEN_LENGTH: usize = 255;

/// Makes the analyzer known to `index`.
pub fn register(index: &tantivy::Index) {
    index.tokenizers().register(STANDARD_TOKENIZER, StandardTokenizer::default());
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
    let mut pending: Option<(usize, usize)> = None;
    for (start, word) in text.unicode_word_indices() {
        if !is_token(word) {
            continue;
        }
        let end = start + word.len();
        if let Some((first, last)) = pending {
            if last == start && joins(&text[..last], word) {
                pending = Some((first, end));
                continue;
            }
            emit(text, first, last, &mut found);
        }
        pending = Some((start, end));
    }
    if let Some((first, last)) = pending {
        emit(text, first, last, &mut found);
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

/// Whether Lucene gives a word that Unicode finds: it needs a letter or a digit that is more than a lone mark or a
/// superscript.
fn is_token(word: &str) -> bool {
    word.chars().any(|c| {
        c.is_alphabetic()
            || (c.is_numeric() && !matches!(c, '\u{b2}' | '\u{b3}' | '\u{b9}' | '\u{2070}'..='\u{2089}'))
    })
}

/// Whether `word`, right behind `before`, is one token with what ends there: both are of a script without spaces.
fn joins(before: &str, word: &str) -> bool {
    let south_east_asian = |c: char| {
        matches!(c,
            '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{1950}'..='\u{19ff}'
            | '\u{1a20}'..='\u{1aaf}' | '\u{a9e0}'..='\u{a9ff}' | '\u{aa60}'..='\u{aadf}')
    };
    before.chars().next_back().is_some_and(south_east_asian)
        && word.chars().next().is_some_and(south_east_asian)
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
            for word in text.unicode_words().filter(|word| is_token(word)) {
                expected.push(word.to_ascii_lowercase());
            }
            assert_eq!(standard_tokens(&text), expected, "{text:?}");
        }
    }

    #[test]
    fn long_tokens_are_cut() {
        let tokens = standard_tokens(&"x".repeat(600));
        assert_eq!(tokens.iter().map(String::len).collect::<Vec<_>>(), [255, 255, 90]);
        let tokens = standard_tokens(&"é".repeat(256));
        assert_eq!(tokens.iter().map(|token| token.chars().count()).collect::<Vec<_>>(), [255, 1]);
    }
}
