//! The documents of an index, in files.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use bzip2::Compression;
use bzip2::write::BzEncoder;
use http::Method;
use rally_cluster::Api;
use rally_cluster::http::encode_path;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{CreateError, CreateProgress};

/// Documents of the file for test mode.
const TEST_DOCUMENTS: u64 = 1000;
/// How long the cluster keeps the place between two batches.
const KEEP_ALIVE: &str = "5m";

/// Documents that were written to the track's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DumpedCorpus {
    /// Index or data stream that they come from.
    pub name: String,
    /// Name of the archive; without `.bz2` it is the plain file.
    pub file_name: String,
    /// How many.
    pub documents: u64,
    /// Size of the plain file.
    pub uncompressed_bytes: u64,
    /// Size of the archive.
    pub compressed_bytes: u64,
}

#[derive(Deserialize)]
struct Page {
    #[serde(rename = "_scroll_id")]
    scroll_id: Option<String>,
    #[serde(rename = "_shards", default)]
    shards: Value,
    hits: Hits,
}

#[derive(Deserialize)]
struct Hits {
    #[serde(default)]
    total: Value,
    hits: Vec<Hit>,
}

#[derive(Deserialize)]
struct Hit {
    #[serde(rename = "_source")]
    source: Option<Box<RawValue>>,
}

/// Writes all documents of an index or data stream, one a line and as they were sent, and the first thousand of them once
/// more for test mode; both plain and packed. `None` if there are none.
pub(super) async fn dump(
    api: &mut Api,
    name: &str,
    batch_size: u32,
    folder: &Path,
    progress: &impl CreateProgress,
) -> Result<Option<DumpedCorpus>, CreateError> {
    let failed = |source| CreateError::Call { what: format!("the documents of '{name}'"), source };
    let query = json!({ "size": batch_size, "sort": ["_doc"], "query": { "match_all": {} } });
    let path = format!("/{}/_search?scroll={KEEP_ALIVE}", encode_path(name));
    let mut page: Page = api.call_as(Method::POST, &path, Some(&query)).await.map_err(failed)?;
    let total = page.hits.total["value"].as_u64().or_else(|| page.hits.total.as_u64()).unwrap_or_default();
    let mut files = Files::create(folder, name)?;
    let mut documents = 0;
    let finished = 'pages: loop {
        if page.shards["failed"].as_u64().is_some_and(|failed| failed > 0) {
            let failure = page.shards["failures"][0]["reason"]["reason"].as_str().unwrap_or("unknown");
            break Err(CreateError::Partial { name: name.to_owned(), failure: failure.to_owned() });
        }
        if page.hits.hits.is_empty() {
            break Ok(());
        }
        if progress.is_cancelled() {
            break Err(CreateError::Cancelled);
        }
        for hit in &page.hits.hits {
            let Some(source) = hit.source.as_deref() else {
                break 'pages Err(CreateError::NoSource { name: name.to_owned() });
            };
            files.add(source.get(), documents)?;
            documents += 1;
        }
        progress.dumped(name, documents, total.max(documents));
        let Some(scroll_id) = page.scroll_id.take() else { break Ok(()) };
        let next = json!({ "scroll": KEEP_ALIVE, "scroll_id": scroll_id });
        page = match api.call_as(Method::POST, "/_search/scroll", Some(&next)).await {
            Ok(page) => page,
            Err(error) => break Err(failed(error)),
        };
        page.scroll_id.get_or_insert(scroll_id);
    };
    if let Some(scroll_id) = &page.scroll_id {
        // It ends by itself where the cluster does not hear of it.
        let _ = api.call(Method::DELETE, "/_search/scroll", Some(&json!({ "scroll_id": [scroll_id] }))).await;
    }
    finished?;
    files.finish(name, documents)
}

/// The plain file and the packed one.
struct Pair {
    plain: BufWriter<File>,
    packed: BzEncoder<BufWriter<File>>,
    bytes: u64,
}

/// The files of all documents and of those for test mode.
struct Files<'a> {
    folder: &'a Path,
    name: String,
    all: Pair,
    test: Pair,
    line: Vec<u8>,
}

impl<'a> Files<'a> {
    fn create(folder: &'a Path, name: &str) -> Result<Files<'a>, CreateError> {
        if name.contains(['/', '\\', '\0']) {
            return Err(CreateError::Name { name: name.to_owned() });
        }
        Ok(Files {
            folder,
            name: name.to_owned(),
            all: Pair::create(folder, &file_name(name, ""))?,
            test: Pair::create(folder, &file_name(name, "-1k"))?,
            line: Vec::new(),
        })
    }

    fn add(&mut self, source: &str, number: u64) -> Result<(), CreateError> {
        self.line.clear();
        one_line(source, &mut self.line);
        let (folder, name) = (self.folder, &self.name);
        let failed = |suffix| move |cause| write_error(folder, &file_name(name, suffix), cause);
        self.all.write(&self.line).map_err(failed(""))?;
        if number < TEST_DOCUMENTS {
            self.test.write(&self.line).map_err(failed("-1k"))?;
        }
        Ok(())
    }

    fn finish(self, name: &str, documents: u64) -> Result<Option<DumpedCorpus>, CreateError> {
        let folder = self.folder;
        let uncompressed_bytes = self.all.bytes;
        let plain = file_name(name, "");
        let compressed_bytes = self.all.finish().map_err(|cause| write_error(folder, &plain, cause))?;
        self.test.finish().map_err(|cause| write_error(folder, &file_name(name, "-1k"), cause))?;
        if documents == 0 {
            for suffix in ["", "-1k"] {
                for file in [file_name(name, suffix), format!("{}.bz2", file_name(name, suffix))] {
                    std::fs::remove_file(folder.join(&file))
                        .map_err(|cause| write_error(folder, &file, cause))?;
                }
            }
            return Ok(None);
        }
        let file_name = format!("{plain}.bz2");
        Ok(Some(DumpedCorpus {
            name: name.to_owned(),
            file_name,
            documents,
            uncompressed_bytes,
            compressed_bytes,
        }))
    }
}

impl Pair {
    fn create(folder: &Path, name: &str) -> Result<Pair, CreateError> {
        let open = |name: &str| {
            File::create_new(folder.join(name))
                .map(BufWriter::new)
                .map_err(|cause| write_error(folder, name, cause))
        };
        Ok(Pair {
            plain: open(name)?,
            packed: BzEncoder::new(open(&format!("{name}.bz2"))?, Compression::best()),
            bytes: 0,
        })
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        self.bytes += line.len() as u64;
        self.plain.write_all(line)?;
        self.packed.write_all(line)
    }

    /// Size of the archive.
    fn finish(mut self) -> io::Result<u64> {
        self.plain.flush()?;
        let mut packed = self.packed.finish()?;
        packed.flush()?;
        Ok(packed.get_ref().metadata()?.len())
    }
}

fn file_name(name: &str, suffix: &str) -> String {
    format!("{name}-documents{suffix}.json")
}

fn write_error(folder: &Path, name: &str, cause: io::Error) -> CreateError {
    CreateError::Write { path: folder.join(name), cause }
}

/// A document on a line of its own. Nothing in it changes but white space between its parts.
fn one_line(json: &str, line: &mut Vec<u8>) {
    let (mut in_text, mut escaped) = (false, false);
    for byte in json.bytes() {
        if in_text {
            in_text = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
        } else if byte.is_ascii_whitespace() {
            continue;
        } else {
            in_text = byte == b'"';
        }
        line.push(byte);
    }
    line.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_takes_one_line_and_keeps_its_numbers_and_texts() {
        let mut line = Vec::new();
        one_line(
            "{ \"a\" :\n 1.50,\r\n \"b c\": \"x \\\" y\\\\\", \"n\": 12345678901234567890123 }",
            &mut line,
        );
        assert_eq!(
            String::from_utf8(line).unwrap(),
            "{\"a\":1.50,\"b c\":\"x \\\" y\\\\\",\"n\":12345678901234567890123}\n"
        );
    }
}
