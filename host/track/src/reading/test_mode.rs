//! `--test-mode`: a race that only shows that everything works.

use super::draft::DraftChallenge;

/// Documents of the small data files.
pub(crate) const TEST_DOCUMENTS: u64 = 1000;
/// Longest measured time in seconds.
const TEST_TIME_PERIOD: f64 = 10.0;

/// Name of the small data file: `-1k` stands before so many of the last extensions; `.tar.gz` and `.tar.bz2` count as
/// one.
pub(crate) fn small_file(name: &str, extensions: usize) -> String {
    let mut stem = name;
    for _ in 0..extensions {
        stem = without_extension(stem);
    }
    format!("{stem}-1k{}", &name[stem.len()..])
}

fn without_extension(name: &str) -> &str {
    if let Some(stem) = [".tar.gz", ".tar.bz2"].into_iter().find_map(|double| name.strip_suffix(double)) {
        return stem;
    }
    let start = name.rfind('/').map_or(0, |slash| slash + 1);
    match name[start..].rfind('.') {
        // What begins with dots has no extension for that.
        Some(dot) if !name[start..start + dot].trim_start_matches('.').is_empty() => &name[..start + dot],
        _ => name,
    }
}

/// One request per client at most, no warm-up time, a short measured time.
pub(crate) fn shorten_tasks(challenges: &mut [DraftChallenge]) {
    for task in challenges.iter_mut().flat_map(DraftChallenge::tasks_mut) {
        let clients = u64::from(task.clients);
        task.warmup_iterations = task.warmup_iterations.map(|iterations| iterations.min(clients));
        task.iterations = task.iterations.map(|iterations| iterations.min(clients));
        task.warmup_time_period = task.warmup_time_period.map(|_| 0.0);
        task.time_period = task.time_period.map(|seconds| seconds.min(TEST_TIME_PERIOD));
    }
}

#[cfg(test)]
mod tests {
    use super::small_file;

    #[test]
    fn the_small_file_is_named_before_its_extensions() {
        for (name, extensions, small) in [
            ("documents.json.bz2", 2, "documents-1k.json.bz2"),
            ("documents.json.tar.gz", 2, "documents-1k.json.tar.gz"),
            ("documents.json", 2, "documents-1k.json"),
            ("documents.json", 1, "documents-1k.json"),
            ("my.documents.json", 1, "my.documents-1k.json"),
            ("my.documents.json.zip", 2, "my.documents-1k.json.zip"),
            ("a.b/documents", 2, "a.b/documents-1k"),
            ("a/.documents", 1, "a/.documents-1k"),
        ] {
            assert_eq!(small_file(name, extensions), small);
        }
    }
}
