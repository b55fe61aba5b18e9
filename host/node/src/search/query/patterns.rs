//! Prefixes and wildcards.

/// The least text above all that begin with `prefix`.
pub fn next_prefix(prefix: &str) -> Option<String> {
    let mut characters: Vec<char> = prefix.chars().collect();
    while let Some(last) = characters.pop() {
        // Behind the last code point before the surrogates comes the first one after them.
        let next = if last == '\u{D7FF}' { Some('\u{E000}') } else { char::from_u32(u32::from(last) + 1) };
        if let Some(next) = next {
            characters.push(next);
            return Some(characters.into_iter().collect());
        }
    }
    None
}

/// The regular expression of a pattern with `*`, `?` and `\`.
pub fn wildcard_regex(pattern: &str) -> String {
    let mut regex = String::with_capacity(pattern.len() + 8);
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        match character {
            '*' => regex.push_str("(?s:.*)"),
            '?' => regex.push_str("(?s:.)"),
            '\\' => regex.push_str(&regex::escape(&characters.next().unwrap_or('\\').to_string())),
            other => regex.push_str(&regex::escape(&other.to_string())),
        }
    }
    regex
}

/// Whether `text` fits `pattern`, where `*` stands for anything.
pub fn wildcard_fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(first) = parts.next() else {
        return text.is_empty();
    };
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let Some(last) = parts.next_back() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_prefix_is_above_everything_that_begins_so() {
        assert_eq!(next_prefix("ab").as_deref(), Some("ac"));
        assert_eq!(next_prefix("a\u{10FFFF}").as_deref(), Some("b"));
        assert_eq!(next_prefix("\u{D7FF}").as_deref(), Some("\u{E000}"));
        assert_eq!(next_prefix(""), None);
    }

    #[test]
    fn wildcards_become_regular_expressions() {
        let regex = regex::Regex::new(&format!("^(?:{})$", wildcard_regex("a?c*\\*."))).unwrap();
        assert!(regex.is_match("abc\nxyz*."));
        assert!(!regex.is_match("abc.xx"));
    }

    #[test]
    fn stars_in_field_patterns() {
        for (pattern, text, fits) in [
            ("*", "abc", true),
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("a*c", "abc", true),
            ("a*b*c", "a.b.c", true),
            ("abc", "abc", true),
            ("ab", "abc", false),
            ("a*a", "a", false),
            ("x*", "abc", false),
        ] {
            assert_eq!(wildcard_fits(pattern, text), fits, "{pattern} {text}");
        }
    }
}
