//! `--test-mode`: a race that only shows that everything works.

use super::draft::DraftChallenge;
use crate::Documents;

/// Documents of the small data files.
const TEST_DOCUMENTS: u64 = 1000;
/// Longest measured time in seconds.
const TEST_TIME_PERIOD: f64 = 10.0;

/// Takes the small data file of each type, whose sizes nobody declares.
pub(super) fn shrink_documents(all: &mut [Documents]) {
    for documents in all {
        *documents = Documents {
            file_name: small_file_name(&documents.file_name),
            document_count: TEST_DOCUMENTS,
            compressed_bytes: None,
            uncompressed_bytes: None,
            ..documents.clone()
        };
    }
}

/// `documents.json.bz2` becomes `documents-1k.json.bz2`: the two last extensions stay, `.tar.gz` counts as one.
fn small_file_name(name: &str) -> String {
    let (stem, outer) = split_extension(name);
    let (stem, inner) = split_extension(stem);
    format!("{stem}-1k{inner}{outer}")
}

fn split_extension(name: &str) -> (&str, &str) {
    let double = [".tar.gz", ".tar.bz2"].into_iter().find(|extension| name.ends_with(extension));
    let at = match double {
        Some(extension) => name.len() - extension.len(),
        None => match name.rfind('.').filter(|at| *at > 0 && !name[*at..].contains('/')) {
            Some(at) => at,
            None => name.len(),
        },
    };
    name.split_at(at)
}

/// One request per client at most, no warm-up time, a short measured time. Rates stay.
pub(super) fn shorten_tasks(challenges: &mut [DraftChallenge]) {
    let tasks = challenges
        .iter_mut()
        .flat_map(|challenge| &mut challenge.elements)
        .flat_map(|element| &mut element.tasks);
    for task in tasks.map(|draft| &mut draft.task) {
        let clients = u64::from(task.clients);
        task.warmup_iterations = task.warmup_iterations.map(|iterations| iterations.min(clients));
        task.iterations = task.iterations.map(|iterations| iterations.min(clients));
        task.warmup_time_period = task.warmup_time_period.map(|_| 0.0);
        task.time_period = task.time_period.map(|seconds| seconds.min(TEST_TIME_PERIOD));
    }
}

#[cfg(test)]
mod tests {
    use super::small_file_name;

    #[test]
    fn the_small_file_is_named_before_its_extensions() {
        for (name, small) in [
            ("documents.json.bz2", "documents-1k.json.bz2"),
            ("documents.json.tar.gz", "documents-1k.json.tar.gz"),
            ("documents.json", "documents-1k.json"),
            ("my.documents.json.zip", "my.documents-1k.json.zip"),
            ("a.b/documents", "a.b/documents-1k"),
        ] {
            assert_eq!(small_file_name(name), small);
        }
    }
}
