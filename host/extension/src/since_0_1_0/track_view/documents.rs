//! The documents of a type: the model has them in corpora, 0.1.0 promised them with the types.

use rally_track::{Corpus, Documents, Track};
use serde::{Deserialize, Serialize};

use super::parts::IndexView;
use crate::processing::TrackChangeError;

/// The documents of a type: of its only file, or of all its files together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TypeDocuments {
    /// File name as declared. Null where there are several files.
    #[serde(default)]
    file_name: Option<String>,
    #[serde(default)]
    base_url: Option<String>,
    document_count: u64,
    includes_action_and_meta_data: bool,
    #[serde(default)]
    compressed_bytes: Option<u64>,
    #[serde(default)]
    uncompressed_bytes: Option<u64>,
}

/// What a processor says of the documents of a type.
pub(super) struct Said {
    index: String,
    mapping_type: String,
    /// Whether its index has no other type: then documents need not name it.
    is_only: bool,
    documents: Option<TypeDocuments>,
}

impl Said {
    fn owns(&self, documents: &Documents) -> bool {
        documents.target_index.as_ref() == Some(&self.index)
            && documents.target_type.as_ref().map_or(self.is_only, |name| *name == self.mapping_type)
    }

    fn files<'a>(&'a self, corpora: &'a [Corpus]) -> impl Iterator<Item = &'a Documents> {
        corpora.iter().flat_map(|corpus| &corpus.documents).filter(|documents| self.owns(documents))
    }

    fn of(&self, corpora: &[Corpus]) -> Option<TypeDocuments> {
        summary(self.files(corpora))
    }
}

fn summary<'a>(files: impl Iterator<Item = &'a Documents>) -> Option<TypeDocuments> {
    let add = |sum: Option<u64>, more: Option<u64>| Some(sum?.saturating_add(more?));
    files
        .map(|documents| TypeDocuments {
            file_name: Some(documents.file_name.clone()),
            base_url: documents.base_url.clone(),
            document_count: documents.document_count,
            includes_action_and_meta_data: documents.includes_action_and_meta_data,
            compressed_bytes: documents.compressed_bytes,
            uncompressed_bytes: documents.uncompressed_bytes,
        })
        .reduce(|sum, more| TypeDocuments {
            file_name: None,
            base_url: sum.base_url.filter(|url| Some(url) == more.base_url.as_ref()),
            document_count: sum.document_count.saturating_add(more.document_count),
            includes_action_and_meta_data: sum.includes_action_and_meta_data
                || more.includes_action_and_meta_data,
            compressed_bytes: add(sum.compressed_bytes, more.compressed_bytes),
            uncompressed_bytes: add(sum.uncompressed_bytes, more.uncompressed_bytes),
        })
}

/// Shows each type the documents that go into it.
pub(super) fn add_to_types(indices: &mut [IndexView], corpora: &[Corpus]) {
    let mut said = take_from_types(indices).into_iter();
    for mapping_type in indices.iter_mut().flat_map(|index| &mut index.types) {
        mapping_type.documents = said.next().and_then(|said| said.of(corpora));
    }
}

/// What is said of each type, in their order.
pub(super) fn take_from_types(indices: &mut [IndexView]) -> Vec<Said> {
    let mut all = Vec::new();
    for index in indices {
        let is_only = index.types.len() == 1;
        for mapping_type in &mut index.types {
            let (name, documents) = (mapping_type.name.clone(), mapping_type.documents.take());
            all.push(Said { index: index.name.clone(), mapping_type: name, is_only, documents });
        }
    }
    all
}

/// Applies what a processor said of the documents of types to the corpora of `restored`, which was `before`. What it said of the
/// corpora themselves counts more, as long as it said the same or nothing new of the types.
pub(super) fn apply(types: Vec<Said>, before: &Track, restored: &mut Track) -> Result<(), TrackChangeError> {
    for said in types {
        let (known, now) = (said.of(&before.corpora), said.of(&restored.corpora));
        if said.documents == now || said.documents == known {
            continue;
        }
        let Said { index, mapping_type, .. } = &said;
        let (index, mapping_type) = (index.clone(), mapping_type.clone());
        if now != known {
            return Err(TrackChangeError::Disagree { index, mapping_type });
        }
        let files = said.files(&restored.corpora).count();
        if files > 1 {
            return Err(TrackChangeError::SeveralFiles { index, mapping_type });
        }
        let is_named = |documents: &TypeDocuments| documents.file_name.is_some();
        if files == 0 && !said.documents.as_ref().is_none_or(is_named) {
            return Err(TrackChangeError::NoFile { index, mapping_type });
        }
        change(&said, restored);
    }
    restored.corpora.retain(|corpus| !corpus.documents.is_empty());
    Ok(())
}

/// Changes, adds or removes the only file of a type.
fn change(said: &Said, track: &mut Track) {
    let Some(documents) = said.documents.clone() else {
        for corpus in &mut track.corpora {
            corpus.documents.retain(|documents| !said.owns(documents));
        }
        return;
    };
    let mut files = track.corpora.iter_mut().flat_map(|corpus| &mut corpus.documents);
    if let Some(known) = files.find(|file| said.owns(file)) {
        if let Some(name) = documents.file_name.filter(|name| *name != known.file_name) {
            // The digest was that of another file.
            (known.file_name, known.sha256) = (name, None);
        }
        known.base_url = documents.base_url;
        known.document_count = documents.document_count;
        known.includes_action_and_meta_data = documents.includes_action_and_meta_data;
        known.compressed_bytes = documents.compressed_bytes;
        known.uncompressed_bytes = documents.uncompressed_bytes;
        return;
    }
    let file = Documents {
        base_url: documents.base_url,
        includes_action_and_meta_data: documents.includes_action_and_meta_data,
        compressed_bytes: documents.compressed_bytes,
        uncompressed_bytes: documents.uncompressed_bytes,
        target_index: Some(said.index.clone()),
        target_type: Some(said.mapping_type.clone()),
        ..Documents::new(documents.file_name.unwrap_or_default(), documents.document_count)
    };
    match track.corpora.iter_mut().find(|corpus| corpus.name == track.name) {
        Some(corpus) => corpus.documents.push(file),
        None => track.corpora.push(Corpus {
            name: track.name.clone(),
            meta: serde_json::Map::new(),
            documents: vec![file],
        }),
    }
}
