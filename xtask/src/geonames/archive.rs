//! Documents, one per line, in a bzip2 archive.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use bzip2::Compression;
use bzip2::write::BzEncoder;
use rally_support::whole_file;

/// An archive as it was written, with the figures that `track.json` states.
pub struct Archive {
    /// Where it lies.
    pub path: PathBuf,
    /// Documents, and lines, in it.
    pub documents: usize,
    /// Its size in bytes.
    pub compressed_bytes: u64,
    /// The size in bytes of what it unpacks to.
    pub uncompressed_bytes: u64,
}

/// Writes `documents` to `folder/name`, replacing what is there only once the whole archive is on disk.
///
/// # Errors
/// When the folder does not exist or cannot be written.
pub fn write(folder: &Path, name: &str, documents: &[String]) -> anyhow::Result<Archive> {
    let path = folder.join(name);
    let uncompressed_bytes = whole_file::write(&path, |file| {
        let mut encoder = BzEncoder::new(file, Compression::best());
        let mut uncompressed_bytes = 0;
        for document in documents {
            encoder.write_all(document.as_bytes())?;
            encoder.write_all(b"\n")?;
            uncompressed_bytes += document.len() as u64 + 1;
        }
        encoder.finish()?;
        Ok(uncompressed_bytes)
    })?;
    let compressed_bytes = fs::metadata(&path)?.len();
    Ok(Archive { path, documents: documents.len(), compressed_bytes, uncompressed_bytes })
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn an_archive_unpacks_to_one_document_per_line_and_its_figures_are_true() {
        let folder = tempfile::tempdir().unwrap();
        let documents = [r#"{"a":1}"#.to_owned(), r#"{"b":"Вила"}"#.to_owned()];
        let archive = write(folder.path(), "documents.json.bz2", &documents).unwrap();
        let packed = fs::read(&archive.path).unwrap();
        let mut text = String::new();
        bzip2::read::BzDecoder::new(packed.as_slice()).read_to_string(&mut text).unwrap();
        assert_eq!(text, "{\"a\":1}\n{\"b\":\"Вила\"}\n");
        assert_eq!(archive.documents, 2);
        assert_eq!(archive.compressed_bytes, packed.len() as u64);
        assert_eq!(archive.uncompressed_bytes, text.len() as u64);
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error_with_the_path() {
        let folder = tempfile::tempdir().unwrap();
        let Err(error) = write(&folder.path().join("none"), "documents.json.bz2", &[]) else {
            panic!("an archive in a folder that is not there");
        };
        let text = format!("{error:#}");
        assert!(
            text.starts_with("cannot write") && text.contains("none/documents.json.bz2: No such file"),
            "{text}"
        );
    }

    /// Unpacks a shipped archive: its documents and its sizes.
    fn shipped(name: &str) -> (Vec<serde_json::Value>, u64, u64) {
        let packed = fs::read(crate::tool::workspace().join("tracks/tutorial").join(name)).unwrap();
        let mut text = String::new();
        bzip2::read::BzDecoder::new(packed.as_slice()).read_to_string(&mut text).unwrap();
        let documents = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        (documents, packed.len() as u64, text.len() as u64)
    }

    #[test]
    fn the_shipped_documents_are_those_that_the_track_promises() {
        let track = fs::read_to_string(crate::tool::workspace().join("tracks/tutorial/track.json")).unwrap();
        let promised = |key: &str| -> u64 {
            let (_, after) = track.split_once(&format!("\"{key}\": ")).unwrap();
            after.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap()
        };
        let (documents, compressed_bytes, uncompressed_bytes) = shipped("documents.json.bz2");
        assert_eq!(documents.len() as u64, promised("document-count"));
        assert_eq!(compressed_bytes, promised("compressed-bytes"));
        assert_eq!(uncompressed_bytes, promised("uncompressed-bytes"));
        assert!(documents.is_sorted_by_key(|document| document["geonameid"].as_u64()));
    }

    #[test]
    fn shipped_documents_have_mapped_fields_only() {
        let mappings = fs::read(crate::tool::workspace().join("tracks/tutorial/mappings.json")).unwrap();
        let mappings: serde_json::Value = serde_json::from_slice(&mappings).unwrap();
        let fields = mappings["type"]["properties"].as_object().unwrap();
        let (documents, ..) = shipped("documents-1k.json.bz2");
        assert_eq!(documents.len(), 1000);
        for document in documents {
            for field in document.as_object().unwrap().keys() {
                assert!(fields.contains_key(field), "{field} of {document}");
            }
        }
    }
}
