//! Pastes parts into a track before it is rendered, as `{{ rally.collect(parts="…") }}` asks for.
//!
//! Only this very form, on one line, with blanks inside the braces and double quotes, is pasted; any other is left to the
//! macro of the helpers, which renders each part on its own.

use std::ops::Range;
use std::sync::Arc;

use crate::files::{FileError, TrackFiles};

use super::limits::{ASSEMBLED_BYTES, PASTED_LEVELS};

/// What can be written for the helpers: Rally's name, and that of OpenSearch Benchmark.
const COLLECTORS: [&str; 2] = ["rally.collect(parts=\"", "benchmark.collect(parts=\""];

/// A text pasted together from files.
#[derive(Debug, Default)]
pub(super) struct Assembled {
    pub(super) text: String,
    /// In order of the text.
    pieces: Vec<Piece>,
    /// The tags that no file matches, each with its pattern.
    empty: Vec<(SourceFile, usize, String)>,
}

#[derive(Debug)]
struct Piece {
    /// Where it starts in the text.
    start: usize,
    file: SourceFile,
    /// Where it comes from. What was put between two parts comes from the tag that collects them.
    source: Range<usize>,
}

/// A file of the track: its name, relative to the track, and its text.
#[derive(Debug, Clone)]
pub(crate) struct SourceFile {
    pub(crate) name: Arc<str>,
    pub(crate) text: Arc<str>,
}

/// Why a text could not be pasted together, and the tag that asked for it.
#[derive(Debug)]
pub(super) struct AssemblyError {
    pub(super) message: String,
    pub(super) at: Option<(SourceFile, usize)>,
}

impl Assembled {
    /// A single file.
    pub(super) fn of(name: &str, text: String) -> Self {
        let source = 0..text.len();
        let file = SourceFile { name: name.into(), text: text.as_str().into() };
        Self { text, pieces: vec![Piece { start: 0, file, source }], empty: Vec::new() }
    }

    pub(super) fn empty(&self) -> &[(SourceFile, usize, String)] {
        &self.empty
    }

    /// The file and the offset in it that an offset in the text comes from.
    pub(super) fn origin(&self, offset: usize) -> Option<(&SourceFile, usize)> {
        let index = self.pieces.partition_point(|piece| piece.start <= offset).checked_sub(1)?;
        let piece = &self.pieces[index];
        let at = (piece.source.start + (offset - piece.start)).min(piece.source.end);
        Some((&piece.file, at))
    }
}

/// The text of a file with all parts that it collects, in order of their names.
pub(super) fn assemble(files: &TrackFiles, name: &str) -> Result<Assembled, AssemblyError> {
    let text = files.read(name).map_err(|error| AssemblyError { message: error.to_string(), at: None })?;
    let mut assembled = Assembled::default();
    let file = SourceFile { name: name.into(), text: text.into() };
    paste(files, &mut assembled, &file, "", 0)?;
    Ok(assembled)
}

/// Adds a file. The patterns in it are relative to `base`.
fn paste(
    files: &TrackFiles,
    out: &mut Assembled,
    file: &SourceFile,
    base: &str,
    level: usize,
) -> Result<(), AssemblyError> {
    let mut at = 0;
    while let Some((tag, pattern)) = next_collector(&file.text, at) {
        push(out, file, at..tag.start);
        let failed = |message: String| AssemblyError { message, at: Some((file.clone(), tag.start)) };
        if level == PASTED_LEVELS {
            return Err(failed(format!(
                "parts collect parts more than {PASTED_LEVELS} levels deep; look for files that collect each other"
            )));
        }
        let cannot = |error: FileError| failed(format!("cannot collect parts: {error}"));
        let inner_base = directory_of(base, pattern);
        let names = files.glob(base, pattern).map_err(cannot)?;
        if names.is_empty() {
            out.empty.push((file.clone(), tag.start, pattern.to_owned()));
        }
        for (index, name) in names.iter().enumerate() {
            if index > 0 {
                out.pieces.push(Piece {
                    start: out.text.len(),
                    file: file.clone(),
                    source: tag.start..tag.start,
                });
                out.text.push_str(",\n");
            }
            let text = files.read(name).map_err(cannot)?;
            if out.text.len() + text.len() > ASSEMBLED_BYTES {
                return Err(failed(format!(
                    "the parts of this track are more than {} MiB together",
                    ASSEMBLED_BYTES / 1024 / 1024
                )));
            }
            let part = SourceFile { name: name.as_str().into(), text: text.into() };
            paste(files, out, &part, &inner_base, level + 1)?;
        }
        at = tag.end;
    }
    push(out, file, at..file.text.len());
    Ok(())
}

fn push(out: &mut Assembled, file: &SourceFile, source: Range<usize>) {
    if !source.is_empty() {
        out.pieces.push(Piece { start: out.text.len(), file: file.clone(), source: source.clone() });
        out.text.push_str(&file.text[source]);
    }
}

/// Parts that parts collect are looked for beside them.
fn directory_of(base: &str, pattern: &str) -> String {
    let directory = pattern.rsplit_once('/').map_or("", |(directory, _)| directory);
    match (base.is_empty(), directory.is_empty()) {
        (true, _) => directory.to_owned(),
        (false, true) => base.to_owned(),
        (false, false) => format!("{base}/{directory}"),
    }
}

/// The next tag that collects parts, and its pattern.
pub(super) fn next_collector(text: &str, from: usize) -> Option<(Range<usize>, &str)> {
    let mut at = from;
    loop {
        let start = at + text.get(at..)?.find("{{ ")?;
        if let Some((end, pattern)) = collector_at(text, start) {
            return Some((start..end, pattern));
        }
        at = start + 2;
    }
}

fn collector_at(text: &str, start: usize) -> Option<(usize, &str)> {
    let inner = text[start + 2..].trim_start_matches(' ');
    let rest = COLLECTORS.iter().find_map(|collector| inner.strip_prefix(collector))?;
    let line = rest.split('\n').next().unwrap_or_default();
    // The pattern has at least one character, and ends at the first quote that ends the tag as well.
    let quotes = line.match_indices('"').map(|(quote, _)| quote).filter(|quote| *quote > 0);
    for quote in quotes {
        let Some(tail) = line[quote + 1..].strip_prefix(") ") else { continue };
        if let Some(after) = tail.trim_start_matches(' ').strip_prefix("}}") {
            let end = text.len() - rest.len() + (line.len() - after.len());
            return Some((end, &line[..quote]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_form_is_pasted() {
        let pattern = |text| next_collector(text, 0);
        assert_eq!(pattern("x {{ rally.collect(parts=\"a/*\") }}"), Some((2..34, "a/*")));
        assert_eq!(pattern("{{   benchmark.collect(parts=\"a\")   }}").map(|found| found.1), Some("a"));
        for other in [
            "{{rally.collect(parts=\"a\")}}",
            "{{ rally.collect(parts='a') }}",
            "{{ rally.collect(parts=\"\") }}",
            "{{ rally.collect( parts=\"a\") }}",
            "{{- rally.collect(parts=\"a\") }}",
            "{{ rally.collect(parts=\"a\") -}}",
            "{{ rally.collect(parts=\"a\n\") }}",
            "{{ rally.collect(parts=\"a\")\t}}",
        ] {
            assert_eq!(pattern(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_pasted_leads_back_to_its_file() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
        write("track.json", "one {{ rally.collect(parts=\"p?\") }} two");
        write("p1", "three\n");
        write("p2", "four");
        let assembled = assemble(&TrackFiles::new(directory.path()).unwrap(), "track.json").unwrap();
        assert_eq!(assembled.text, "one three\n,\nfour two");
        for (word, file) in [("one", "track.json"), ("two", "track.json"), ("three", "p1"), ("four", "p2")] {
            let (source, at) = assembled.origin(assembled.text.find(word).unwrap()).unwrap();
            assert_eq!((&*source.name, source.text.find(word)), (file, Some(at)));
        }
    }
}
