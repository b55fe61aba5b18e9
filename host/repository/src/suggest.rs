//! Did you mean …? And what there is.

/// So many candidates are compared: a repository may hold any number of names.
const MAX_CANDIDATES: usize = 2000;
const MAX_LETTERS: usize = 100;
/// So many names are listed in a message.
const MAX_LISTED: usize = 20;

/// Names in a message, separated by commas; the last of many are only counted.
pub(crate) fn listed<S: AsRef<str>>(names: &[S]) -> String {
    let shown: Vec<&str> = names.iter().take(MAX_LISTED).map(AsRef::as_ref).collect();
    let mut text = shown.join(", ");
    if names.len() > MAX_LISTED {
        text.push_str(&format!(" and {} more", names.len() - MAX_LISTED));
    }
    text
}

/// ` (did you mean [name]?)`, where a candidate is like `name` at all.
pub(crate) fn did_you_mean<S: AsRef<str>>(name: &str, candidates: &[S]) -> String {
    closest(name, candidates).map_or(String::new(), |candidate| format!(" (did you mean [{candidate}]?)"))
}

/// The candidate that is most like `name`: a third of its letters may be wrong.
fn closest<'a, S: AsRef<str>>(name: &str, candidates: &'a [S]) -> Option<&'a str> {
    let wanted: String = name.to_lowercase().chars().take(MAX_LETTERS).collect();
    candidates
        .iter()
        .take(MAX_CANDIDATES)
        .map(AsRef::as_ref)
        .map(|candidate| {
            let other: String = candidate.to_lowercase().chars().take(MAX_LETTERS).collect();
            (strsim::damerau_levenshtein(&wanted, &other), candidate)
        })
        .filter(|(distance, candidate)| *distance <= candidate.chars().count() / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_transposed_name() {
        assert_eq!(did_you_mean("geonmaes", &["nyc_taxis", "geonames"]), " (did you mean [geonames]?)");
    }

    #[test]
    fn suggests_nothing_for_something_else() {
        assert_eq!(did_you_mean("pmc", &["nyc_taxis", "geonames"]), "");
    }

    #[test]
    fn the_last_of_many_names_are_counted() {
        let names: Vec<String> = (0..23).map(|number| format!("n{number}")).collect();
        assert!(listed(&names).ends_with("n19 and 3 more"));
    }
}
