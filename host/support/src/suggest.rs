//! "Did you mean …?", and lists of names in messages.

/// At most this many candidates are compared, and this many letters of each: a track may hold any number of names of any length.
const MAX_CANDIDATES: usize = 2000;
const MAX_LETTERS: usize = 100;

/// [`listed`] shows at most this many names.
const MAX_LISTED: usize = 20;

/// The candidate that is most like `name` (Damerau-Levenshtein distance), if at most a third of its letters differ. `Bulk_Size` and
/// `bulk-size` count as the same word. A candidate that equals `name` is no suggestion.
pub fn closest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = normalized(name);
    candidates
        .into_iter()
        .take(MAX_CANDIDATES)
        .filter(|candidate| *candidate != name)
        .map(|candidate| (strsim::damerau_levenshtein(&wanted, &normalized(candidate)), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.chars().count() / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The names, separated by commas. After 20 names only the number of the others follows.
pub fn listed<Name: AsRef<str>>(names: impl IntoIterator<Item = Name>) -> String {
    let mut names = names.into_iter();
    let mut text = String::new();
    for (index, name) in names.by_ref().take(MAX_LISTED).enumerate() {
        if index > 0 {
            text.push_str(", ");
        }
        text.push_str(name.as_ref());
    }
    match names.count() {
        0 => text,
        more => format!("{text} and {more} more"),
    }
}

fn normalized(name: &str) -> String {
    name.chars()
        .take(MAX_LETTERS)
        .map(|letter| if letter == '_' { '-' } else { letter })
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_transposed_word() {
        assert_eq!(
            closest("target-througput", ["target-interval", "target-throughput"]),
            Some("target-throughput")
        );
        assert_eq!(closest("geonmaes", ["nyc_taxis", "geonames"]), Some("geonames"));
    }

    #[test]
    fn other_case_and_underscores_are_the_same_word() {
        assert_eq!(closest("Bulk_Size", ["bulk-size", "batch-size"]), Some("bulk-size"));
    }

    #[test]
    fn suggests_nothing_for_something_else() {
        assert_eq!(closest("colour", ["bulk-size", "index"]), None);
        assert_eq!(closest("pmc", ["nyc_taxis", "geonames"]), None);
    }

    #[test]
    fn the_last_of_many_names_are_counted() {
        let names: Vec<String> = (0..23).map(|number| format!("n{number}")).collect();
        assert!(listed(&names).ends_with("n18, n19 and 3 more"));
        assert_eq!(listed(["a", "b"]), "a, b");
        assert_eq!(listed([""; 0]), "");
    }
}
