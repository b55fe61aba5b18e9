//! How fast documents are unpacked and their lines counted, beside the tools that do the same: `cargo xtask bench data`.
//!
//! rally's figure is the whole of `prepare`: read the archive, unpack, count lines, write, give the file its name. The
//! tools unpack to standard output, which is a file. Everything lies in memory (`/dev/shm`) where there is room, so that no
//! disk takes part. Programs take turns, and the order changes each round; a ratio is that of two runs of the same round.

#![allow(clippy::unwrap_used)]

mod archives;
mod contest;

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use contest::{Contest, Contestant, tool};
use rally_corpus::{DataSet, LINES_PER_OFFSET, LineOffsets, NoProgress, PrepareOptions, prepare};

/// What the command line says.
struct Options {
    quick: bool,
    megabytes: Option<usize>,
    only: Vec<String>,
    folder: PathBuf,
}

impl Options {
    fn read() -> Options {
        let mut options =
            Options { quick: false, megabytes: None, only: Vec::new(), folder: contest::folder_in_memory() };
        for argument in std::env::args().skip(1) {
            match argument.split_once('=').unwrap_or((&argument, "")) {
                ("--quick", _) => options.quick = true,
                ("--megabytes", count) => options.megabytes = Some(count.parse().unwrap()),
                ("--only", part) => options.only.push(part.to_owned()),
                ("--folder", folder) => options.folder = folder.into(),
                // Cargo says so to every benchmark.
                ("--bench", _) => {}
                _ => panic!(
                    "unknown option {argument}: --quick, --megabytes=COUNT, --only=PART, --folder=FOLDER"
                ),
            }
        }
        options
    }

    fn wants(&self, part: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == part)
    }
}

fn main() {
    let options = Options::read();
    let folder = tempfile::tempdir_in(&options.folder).unwrap();
    let folder = folder.path();
    let megabytes = options.megabytes.unwrap_or(if options.quick { 32 } else { 384 });
    let rounds = if options.quick { 2 } else { 7 };
    let content = archives::documents(megabytes << 20);
    println!("{} MB of documents in {}, {rounds} rounds\n", content.len() / 1_000_000, folder.display());

    let unpacking: [(&str, &str, &str, archives::Pack, &[&str]); 5] = [
        ("bzip2", "bzip2, one stream", "bz2", archives::bzip2_one_stream, &["lbzip2", "pbzip2", "bzip2"]),
        (
            "bzip2",
            "bzip2, streams as of pbzip2",
            "bz2",
            archives::bzip2_streams,
            &["lbzip2", "pbzip2", "bzip2"],
        ),
        ("zstd", "zstd, one frame", "zst", archives::zstd_one_frame, &["pzstd", "zstd"]),
        ("zstd", "zstd, frames as of pzstd", "zst", archives::zstd_frames, &["pzstd", "zstd"]),
        ("gzip", "gzip", "gz", archives::gzip, &["pigz", "gzip"]),
    ];
    for (part, title, extension, pack, tools) in unpacking {
        if !options.wants(part) {
            continue;
        }
        let name = format!("documents.json.{extension}");
        let archive = folder.join(&name);
        fs::write(&archive, pack(&content)).unwrap();
        let mut contest = Contest::new(title, content.len() as u64);
        contest.enter("rally", rally(&name, folder));
        for name in tools {
            match tool(name, &["-dc"], &archive, &folder.join("unpacked")) {
                Some(contestant) => contest.enter(name, contestant),
                None => println!("{name} is not installed"),
            }
        }
        contest.run(rounds);
        fs::remove_file(archive).unwrap();
    }
    if options.wants("offsets") {
        let path = folder.join("documents.json");
        fs::write(&path, &content).unwrap();
        let mut contest = Contest::new("offsets of lines", content.len() as u64);
        contest.enter("rally", offsets(&path));
        if let Some(contestant) = tool("wc", &["-l"], &path, &folder.join("counted")) {
            contest.enter("wc -l", contestant);
        }
        contest.run(rounds);
    }
}

fn rally(archive: &str, folder: &Path) -> Contestant {
    let data_set = DataSet::from_documents(archive).unwrap();
    let document = folder.join(&data_set.document_name);
    let folder = folder.to_owned();
    Contestant {
        work: Box::new(move || {
            prepare(&data_set, &[], &folder, &PrepareOptions::default(), &NoProgress).unwrap();
        }),
        clean: Box::new(move || fs::remove_file(&document).unwrap()),
    }
}

fn offsets(path: &Path) -> Contestant {
    let path = path.to_owned();
    Contestant {
        work: Box::new(move || {
            let file = File::open(&path).unwrap();
            let offsets = LineOffsets::scan(&file, LINES_PER_OFFSET, &NoProgress).unwrap();
            assert!(offsets.line_count() > 0);
        }),
        clean: Box::new(|| {}),
    }
}
