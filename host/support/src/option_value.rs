//! Values of options that may name a file, or be lists of `name:value`.

use std::path::{Path, PathBuf};

use crate::home::expand;

/// The file that a value names: its name ends in `.json` and has no colon, or there is a file of this name. So
/// `size:50,body:mine.json` is a list. `~` at its beginning is the home folder.
pub fn file(value: &str) -> Option<PathBuf> {
    let path = expand(Path::new(value));
    (value.ends_with(".json") && (!value.contains(':') || path.is_file())).then_some(path)
}

/// The parts between commas, without the white space around them. A comma between quotes that open a part, or what follows its
/// first colon, separates nothing.
pub fn parts(value: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = value;
    loop {
        let end = part_end(rest);
        parts.push(rest[..end].trim());
        match rest.get(end + 1..) {
            Some(behind) => rest = behind,
            None => return parts,
        }
    }
}

/// Where the first part ends: at a comma, or with the text.
fn part_end(text: &str) -> usize {
    let comma = text.find(',').unwrap_or(text.len());
    // A value is quoted from its start on.
    let start = match text[..comma].find(':') {
        Some(colon) => colon + 1,
        None => 0,
    };
    let value = text[start..].trim_start();
    let Some(quote) = value.chars().next().filter(|first| matches!(first, '\'' | '"')) else { return comma };
    let inner = text.len() - value.len() + 1;
    let closes = |at: &usize| {
        let behind = text[inner + at + 1..].trim_start();
        behind.is_empty() || behind.starts_with(',')
    };
    match text[inner..].match_indices(quote).map(|(at, _)| at).find(closes) {
        Some(at) => {
            let behind = inner + at + 1;
            behind + text[behind..].find(',').unwrap_or(text.len() - behind)
        }
        // What looked like a quote is none.
        None => comma,
    }
}

/// A value without the quotes around it.
pub fn unquoted(value: &str) -> &str {
    let inner = |quote: char| value.strip_prefix(quote).and_then(|inner| inner.strip_suffix(quote));
    inner('\'').or_else(|| inner('"')).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_with_a_colon_is_a_file_only_if_there_is_one() {
        assert_eq!(file("options.json"), Some(PathBuf::from("options.json")));
        assert_eq!(file("/no/folder/options.json"), Some(PathBuf::from("/no/folder/options.json")));
        for value in ["a:1,b:mine.json", "password:x.json", "a:b.json", "options.jsonl", "json", ""] {
            assert_eq!(file(value), None, "{value}");
        }
        let directory = tempfile::tempdir().unwrap();
        let odd = directory.path().join("a:b.json");
        std::fs::write(&odd, "{}").unwrap();
        assert_eq!(file(&odd.display().to_string()), Some(odd));
    }

    #[test]
    fn quotes_keep_commas() {
        for (value, expected) in [
            ("a:1,b:2", &["a:1", "b:2"][..]),
            (" a:1 , b:2 ", &["a:1", "b:2"]),
            ("a:'x,y',b:2", &["a:'x,y'", "b:2"]),
            ("a:\"x,y\" , b:2", &["a:\"x,y\"", "b:2"]),
            ("a: 'x,y'", &["a: 'x,y'"]),
            ("'x,y',z", &["'x,y'", "z"]),
            ("a:'it's,b:2", &["a:'it's", "b:2"]),
            ("a:'x', b:'y,z'", &["a:'x'", "b:'y,z'"]),
            ("a:it's,b:it's", &["a:it's", "b:it's"]),
            ("a:'x,b:2", &["a:'x", "b:2"]),
            ("a,,b", &["a", "", "b"]),
            ("a:'ä,ö',b", &["a:'ä,ö'", "b"]),
            ("", &[""]),
        ] {
            assert_eq!(parts(value), expected, "{value}");
        }
    }

    #[test]
    fn quotes_come_off_in_pairs() {
        for (value, expected) in
            [("'a'", "a"), ("\"a\"", "a"), ("'a", "'a"), ("a'", "a'"), ("''", ""), ("'", "'")]
        {
            assert_eq!(unquoted(value), expected);
        }
    }
}
