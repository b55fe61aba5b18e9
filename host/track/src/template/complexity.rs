//! Refuses expressions that would exhaust the stack.
//!
//! The engine limits brackets in each other, but `1 ~ 1 ~ 1 …` and `a.b.b.b …` become trees as deep as they are long, and
//! it walks trees recursively.

use super::instrument::{next_tag, string_end};

/// Words and signs between two commas, at the same level of brackets.
const MAX_WORDS: usize = 500;
/// Levels of brackets.
const MAX_BRACKETS: usize = 100;
/// Blocks (`if`, `for`, …) in each other.
const MAX_BLOCKS: usize = 50;

/// Offset of the first tag that is too complex, if there is one.
pub(super) fn too_complex(source: &str) -> Option<usize> {
    let mut pos = 0;
    let mut blocks = 0_usize;
    while let Some(tag) = next_tag(source, pos) {
        let end = tag.end?;
        let start = tag.range.start;
        if tag.is_code() {
            let code = &source[start + 2..end - 2];
            let word = code.trim_start_matches(['-', '+']).split_whitespace().next().unwrap_or_default();
            if source[start..].starts_with("{%") {
                match word {
                    "if" | "for" | "with" | "macro" | "call" | "filter" | "set" | "block" | "autoescape" => {
                        blocks += 1
                    }
                    word if word.starts_with("end") => blocks = blocks.saturating_sub(1),
                    _ => {}
                }
                if word == "set" && code.contains('=') {
                    blocks -= 1;
                }
            }
            if blocks > MAX_BLOCKS || is_too_long(code) {
                return Some(start);
            }
        }
        pos = end;
    }
    None
}

fn is_too_long(code: &str) -> bool {
    let bytes = code.as_bytes();
    let mut levels = vec![0_usize];
    let mut at = 0;
    while at < bytes.len() {
        let mut counts = true;
        match bytes[at] {
            quote @ (b'"' | b'\'') => match string_end(bytes, at + 1, quote) {
                Some(end) => at = end,
                None => return false,
            },
            b'(' | b'[' | b'{' => {
                levels.push(0);
                counts = false;
            }
            b')' | b']' | b'}' => {
                if levels.len() > 1 {
                    levels.pop();
                }
            }
            b',' => {
                if let Some(words) = levels.last_mut() {
                    *words = 0;
                }
                counts = false;
            }
            byte if byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii() => {
                while bytes
                    .get(at + 1)
                    .is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_' || !byte.is_ascii())
                {
                    at += 1;
                }
            }
            byte => counts = !byte.is_ascii_whitespace(),
        }
        if counts && let Some(words) = levels.last_mut() {
            *words += 1;
            if *words > MAX_WORDS {
                return true;
            }
        }
        if levels.len() > MAX_BRACKETS {
            return true;
        }
        at += 1;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_simple() {
        let list = "{% set x = [".to_owned()
            + &"{'a': 1, 'b': [1, 2, f(3)]},".repeat(10_000)
            + "] %}{{ 1 ~ 2 | int }}";
        assert_eq!(too_complex(&list), None);
        assert_eq!(too_complex(&"{% if a %}{% set b = 1 %}{% endif %}".repeat(1000)), None);
    }

    #[test]
    fn long_chains_are_not() {
        for chain in [" ~ 1", ".a", " | int", "[0]", "(0)", " and 1", " if 1 else 1"] {
            let text = "{}{{ 1".to_owned() + &chain.repeat(1000) + " }}";
            assert_eq!(too_complex(&text), Some(2), "{chain}");
        }
        assert_eq!(too_complex(&"{% if 1 %}".repeat(1000)), Some(500));
    }
}
