//! Names of indices, and the expressions that stand for several.

use crate::error::EsError;

/// What an expression does with names that are not there.
#[derive(Debug, Clone, Copy)]
pub struct IndexOptions {
    /// Pass over missing indices.
    pub ignore_unavailable: bool,
    /// Take it that a wildcard finds nothing.
    pub allow_no_indices: bool,
}

impl Default for IndexOptions {
    fn default() -> Self {
        IndexOptions { ignore_unavailable: false, allow_no_indices: true }
    }
}

/// Checks that an index may be called `name`.
///
/// # Errors
/// 400 `invalid_index_name_exception` in the words of Elasticsearch.
pub fn validate(name: &str) -> Result<(), EsError> {
    let invalid = |why: &str| {
        Err(EsError::new(400, "invalid_index_name_exception", format!("Invalid index name [{name}], {why}"))
            .detail("index_uuid", "_na_")
            .detail("index", name))
    };
    if name.chars().any(|c| matches!(c, '\\' | '/' | '*' | '?' | '"' | '<' | '>' | '|' | ' ' | ',')) {
        return invalid("must not contain the following characters [ , \", *, \\, <, |, ,, >, /, ?]");
    }
    if name.contains('#') {
        return invalid("must not contain '#'");
    }
    if name.contains(':') {
        return invalid("must not contain ':'");
    }
    if name.starts_with(['_', '-', '+']) {
        return invalid("must not start with '_', '-', or '+'");
    }
    if name.len() > 255 {
        return invalid(&format!("index name is too long, ({} > 255)", name.len()));
    }
    if name.is_empty() || name == "." || name == ".." {
        return invalid("must not be '.' or '..'");
    }
    if name.chars().any(char::is_uppercase) {
        return invalid("must be lowercase");
    }
    Ok(())
}

/// Whether `pattern`, in which `*` stands for any characters, fits `name`.
pub fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let mut last = None;
    for part in parts {
        if let Some(middle) = last.replace(part) {
            match rest.find(middle) {
                Some(at) => rest = &rest[at + str::len(middle)..],
                None => return false,
            }
        }
    }
    match last {
        None => rest.is_empty(),
        Some(end) => rest.ends_with(end),
    }
}

/// The names among `existing`, in their order, that the comma list `expression` stands for. Without a name, or with
/// `_all`, that is all of them.
///
/// # Errors
/// 404 for a name that is not there, 400 for one that cannot be.
pub fn resolve(expression: &str, existing: &[String], options: IndexOptions) -> Result<Vec<String>, EsError> {
    let all = ["", "_all", "*"].contains(&expression);
    let mut chosen: Vec<bool> = vec![all; existing.len()];
    if !all {
        for part in expression.split(',') {
            let (excluding, pattern) = match part.strip_prefix('-') {
                Some(rest) if chosen.contains(&true) || expression.contains('*') => (true, rest),
                _ => (false, part),
            };
            let mut found = false;
            for (name, chosen) in existing.iter().zip(&mut chosen) {
                if pattern == "_all" || matches(pattern, name) {
                    *chosen = !excluding;
                    found = true;
                }
            }
            if found || excluding || (pattern.contains('*') && options.allow_no_indices) {
                continue;
            }
            if pattern.starts_with('_') && pattern != "_all" {
                return Err(EsError::new(
                    400,
                    "invalid_index_name_exception",
                    format!("Invalid index name [{pattern}], must not start with '_'."),
                )
                .detail("index_uuid", "_na_")
                .detail("index", pattern));
            }
            if !options.ignore_unavailable {
                return Err(EsError::index_not_found(pattern));
            }
        }
    }
    let names: Vec<String> =
        existing.iter().zip(chosen).filter(|(_, chosen)| *chosen).map(|(name, _)| name.clone()).collect();
    if names.is_empty() && !options.allow_no_indices {
        return Err(EsError::index_not_found(if expression.is_empty() { "_all" } else { expression }));
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_elasticsearch_refuses_are_refused() {
        for name in [
            "",
            ".",
            "..",
            "_x",
            "-x",
            "+x",
            "Upper",
            "a b",
            "a,b",
            "a*",
            "a#b",
            "a:b",
            "a/b",
            "a\"b",
            &"x".repeat(256),
        ] {
            let error = validate(name).unwrap_err();
            assert_eq!((error.status, error.kind), (400, "invalid_index_name_exception"), "{name}");
        }
        for name in ["a", "logs-2020.01.01", ".hidden", "größe", "1"] {
            assert!(validate(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn stars_stand_for_any_characters() {
        for (pattern, name, fits) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("a*c", "abc", true),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "acb", false),
            ("*", "", true),
            ("a*a", "a", false),
            ("*-*", "a-b", true),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn expressions_stand_for_the_indices_they_name() {
        let existing: Vec<String> = ["a1", "a2", "b"].map(String::from).to_vec();
        let resolve = |expression, ignore, allow| {
            let options = IndexOptions { ignore_unavailable: ignore, allow_no_indices: allow };
            resolve(expression, &existing, options).map(|names| names.join(",")).map_err(|error| error.status)
        };
        assert_eq!(resolve("", false, true), Ok("a1,a2,b".to_string()));
        assert_eq!(resolve("_all", false, true), Ok("a1,a2,b".to_string()));
        assert_eq!(resolve("a*", false, true), Ok("a1,a2".to_string()));
        assert_eq!(resolve("b,a1", false, true), Ok("a1,b".to_string()));
        assert_eq!(resolve("a*,-a1", false, true), Ok("a2".to_string()));
        assert_eq!(resolve("c", false, true), Err(404));
        assert_eq!(resolve("c,b", true, true), Ok("b".to_string()));
        assert_eq!(resolve("c*", false, true), Ok(String::new()));
        assert_eq!(resolve("c*", false, false), Err(404));
        assert_eq!(resolve("_c", false, true), Err(400));
    }
}
