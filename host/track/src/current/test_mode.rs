//! `--test-mode` in this dialect.

use crate::reading::{DraftChallenge, TEST_DOCUMENTS, shorten_tasks, small_file};
use crate::{Corpus, Target};

/// Extensions of archives.
const ARCHIVES: [&str; 8] = [".zip", ".bz2", ".gz", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".zst"];

/// As many as Rally asks for, with the unit that the target had. No race reaches it.
const TEST_RATE: i64 = i64::MAX;

/// Takes the small data file of what has more documents, whose sizes are not declared.
pub(super) fn shrink(corpora: &mut [Corpus]) {
    for documents in corpora.iter_mut().flat_map(|corpus| &mut corpus.documents) {
        if documents.document_count > TEST_DOCUMENTS {
            let is_archive = ARCHIVES.iter().any(|extension| documents.file_name.ends_with(extension));
            documents.file_name = small_file(&documents.file_name, if is_archive { 2 } else { 1 });
            documents.document_count = TEST_DOCUMENTS;
            documents.compressed_bytes = None;
            documents.uncompressed_bytes = None;
            documents.sha256 = None;
        }
    }
}

/// Makes all tasks short. Those with a target keep one, so that errors in it show.
pub(super) fn shorten(challenges: &mut [DraftChallenge]) {
    shorten_tasks(challenges);
    for task in challenges.iter_mut().flat_map(DraftChallenge::tasks_mut) {
        let Some(target) = &task.target else { continue };
        let unit = target.unit().to_owned();
        task.params.remove("target-interval");
        task.params.insert("target-throughput".to_owned(), format!("{TEST_RATE} {unit}").into());
        let rate = TEST_RATE as f64;
        task.target = Some(match unit.as_str() {
            "ops/s" => Target::Throughput(rate),
            _ => Target::Work { rate, unit },
        });
    }
}
