//! Did you mean …? And what there is.

/// So many candidates are compared, and so many letters of each: a track may hold any number of names of any length.
const MAX_CANDIDATES: usize = 2000;
const MAX_LETTERS: usize = 100;
/// So many names are listed in a message.
const MAX_LISTED: usize = 20;

/// Names in a message, separated by commas; the last of many are only counted.
pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    let mut text = names.iter().take(MAX_LISTED).copied().collect::<Vec<_>>().join(", ");
    if names.len() > MAX_LISTED {
        text.push_str(&format!(" and {} more", names.len() - MAX_LISTED));
    }
    text
}

/// The candidate that is most like `name`, if any is like it at all.
pub(crate) fn closest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let wanted = normalised(name);
    candidates
        .into_iter()
        .take(MAX_CANDIDATES)
        .filter(|candidate| *candidate != name)
        .map(|candidate| (strsim::damerau_levenshtein(&wanted, &normalised(candidate)), candidate))
        .filter(|(distance, candidate)| *distance <= tolerance(candidate))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate.to_owned())
}

/// A third of the letters may be wrong; of one or two letters none.
fn tolerance(candidate: &str) -> usize {
    candidate.chars().count() / 3
}

/// `Bulk_Size` and `bulk-size` are the same word.
fn normalised(name: &str) -> String {
    name.chars().map(|c| if c == '_' { '-' } else { c.to_ascii_lowercase() }).take(MAX_LETTERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_transposed_word() {
        assert_eq!(
            closest("target-througput", ["target-interval", "target-throughput"]).as_deref(),
            Some("target-throughput")
        );
    }

    #[test]
    fn other_case_and_underscores_are_the_same_word() {
        assert_eq!(closest("Bulk_Size", ["bulk-size", "batch-size"]).as_deref(), Some("bulk-size"));
    }

    #[test]
    fn suggests_nothing_for_something_else() {
        assert_eq!(closest("colour", ["bulk-size", "index"]), None);
    }
}
