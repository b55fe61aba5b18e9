//! Line offsets: the same lines as naive splitting, however they were found.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use rally_corpus::{LINES_PER_OFFSET, LineCounter, LineOffsets, NoProgress, OffsetFileError, Phase};

/// A document of `lines` lines, its file, and a directory that holds it.
fn document(lines: usize) -> (tempfile::TempDir, PathBuf, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("documents.json");
    let content = crate::support::documents(lines);
    fs::write(&path, &content).unwrap();
    (folder, path, content)
}

fn scan(path: &PathBuf) -> LineOffsets {
    LineOffsets::scan(&File::open(path).unwrap(), LINES_PER_OFFSET, &NoProgress).unwrap()
}

/// Lines with their newlines.
fn naive_lines(content: &[u8]) -> Vec<&[u8]> {
    content.split_inclusive(|&byte| byte == b'\n').collect()
}

#[test]
fn an_offset_file_is_rallys_text_format() {
    let (folder, path, content) = document(120_000);
    let offsets = scan(&path);
    let offset_file = folder.path().join("documents.json.offset");
    offsets.store(&offset_file).unwrap();
    let lines = naive_lines(&content);
    let at = |line: usize| lines[..line].iter().map(|line| line.len()).sum::<usize>();
    assert_eq!(
        fs::read_to_string(&offset_file).unwrap(),
        format!("50000;{}\n100000;{}\n", at(50_000), at(100_000))
    );
    assert_eq!(LineOffsets::load(&offset_file, &File::open(&path).unwrap()).unwrap(), offsets);
}

/// What Elastic Rally 2.13 wrote for these data.
#[test]
fn an_offset_file_is_the_same_as_rallys() {
    let whole = |lines| crate::support::documents(lines);
    let replaced =
        |from: &str, to: &str| String::from_utf8(whole(50_001)).unwrap().replace(from, to).into_bytes();
    let mut unfinished = whole(100_000);
    unfinished.pop();
    for (content, expected) in [
        (whole(120_000), "50000;1433730\n100000;2878580\n"),
        (whole(100_000), "50000;1433730\n100000;2878580\n"),
        (unfinished, "50000;1433730\n100000;2878579\n"),
        (whole(49_999), ""),
        (replaced("\n", "\r\n"), "50000;1483730\n"),
        (replaced("doc", "größer ✓"), "50000;1883730\n"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (path, offset_file) = (folder.path().join("d"), folder.path().join("d.offset"));
        fs::write(&path, &content).unwrap();
        let offsets = scan(&path);
        offsets.store(&offset_file).unwrap();
        assert_eq!(fs::read_to_string(&offset_file).unwrap(), expected);
        if !expected.is_empty() {
            assert_eq!(LineOffsets::load(&offset_file, &File::open(&path).unwrap()).unwrap(), offsets);
        }
    }
}

#[test]
fn an_offset_file_with_an_entry_for_the_end_is_understood() {
    let (folder, path, content) = document(60_000);
    let offset_file = folder.path().join("documents.json.offset");
    let first = crate::support::documents(50_000).len();
    fs::write(&offset_file, format!("50000;{first}\n60000;{}\n", content.len())).unwrap();
    assert_eq!(LineOffsets::load(&offset_file, &File::open(&path).unwrap()).unwrap(), scan(&path));
}

#[test]
fn an_offset_file_that_is_off_by_a_line_is_not_used() {
    let (folder, path, _) = document(320_000);
    let offset_file = folder.path().join("documents.json.offset");
    let table: String = (1..=6)
        .map(|part| format!("{};{}\n", part * 50_000, crate::support::documents(part * 50_000 - 1).len()))
        .collect();
    fs::write(&offset_file, table).unwrap();
    let error = LineOffsets::load(&offset_file, &File::open(&path).unwrap()).unwrap_err();
    assert!(error.to_string().contains("its lines are not 50000 apart in the data"), "{error}");
}

#[test]
fn an_offset_file_that_rally_wrote_is_understood() {
    let (folder, path, content) = document(120_000);
    let lines = naive_lines(&content);
    let at = |line: usize| lines[..line].iter().map(|line| line.len()).sum::<usize>();
    let offset_file = folder.path().join("documents.json.offset");
    fs::write(&offset_file, format!("50000;{}\n100000;{}\n", at(50_000), at(100_000))).unwrap();
    assert_eq!(LineOffsets::load(&offset_file, &File::open(&path).unwrap()).unwrap(), scan(&path));
}

#[test]
fn a_file_of_exactly_full_parts_has_no_offset_at_its_end() {
    let (folder, path, content) = document(100_000);
    let offsets = scan(&path);
    assert_eq!(offsets.line_count(), 100_000);
    let file = File::open(&path).unwrap();
    let end = content.len() as u64;
    assert_eq!(offsets.byte_range(&file, 100_000, 5).unwrap(), end..end);
    let offset_file = folder.path().join("documents.json.offset");
    offsets.store(&offset_file).unwrap();
    assert_eq!(LineOffsets::load(&offset_file, &file).unwrap(), offsets);
}

#[test]
fn an_offset_file_that_is_older_than_the_data_is_not_used() {
    let (folder, path, _) = document(60_000);
    let offset_file = folder.path().join("documents.json.offset");
    scan(&path).store(&offset_file).unwrap();
    let data = File::options().write(true).open(&path).unwrap();
    data.set_modified(SystemTime::now() + Duration::from_secs(10)).unwrap();
    let error = LineOffsets::load(&offset_file, &File::open(&path).unwrap()).unwrap_err();
    assert!(matches!(error, OffsetFileError::Outdated { .. }));
}

#[test]
fn an_offset_file_that_does_not_fit_is_not_used() {
    let (folder, path, content) = document(120_000);
    let lines = naive_lines(&content);
    let at = |line: usize| lines[..line].iter().map(|line| line.len()).sum::<usize>();
    let (first, second, end) = (at(50_000), at(100_000), content.len());
    let bad = [
        format!("50000;{}\n100000;{second}\n", first + 1),
        format!("50000;{first}\n"),
        format!("50000;{second}\n100000;{first}\n"),
        format!("40000;{first}\n100000;{second}\n"),
        format!("50000;{first}\n100000;{second}\n119999;{end}\n"),
        format!("50000;{first}\n100000;{second}\n120000;{}\n", end + 1),
        format!("50000;{first}\n100000;{second}\nrubbish\n"),
        format!("50000;{first}\n100000;-3\n"),
        String::new(),
    ];
    for text in bad {
        let offset_file = folder.path().join("documents.json.offset");
        fs::write(&offset_file, &text).unwrap();
        let error = LineOffsets::load(&offset_file, &File::open(&path).unwrap()).unwrap_err();
        assert!(matches!(error, OffsetFileError::Inconsistent { .. }), "{text}");
    }
}

#[test]
fn an_offset_file_for_other_data_of_the_same_size_is_not_used() {
    let (folder, path, mut content) = document(120_000);
    let offset_file = folder.path().join("documents.json.offset");
    scan(&path).store(&offset_file).unwrap();
    content.rotate_left(7);
    fs::write(&path, &content).unwrap();
    File::options().write(true).open(&path).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
    let error = LineOffsets::load(&offset_file, &File::open(&path).unwrap()).unwrap_err();
    assert!(matches!(error, OffsetFileError::Inconsistent { .. }));
}

#[test]
fn a_large_file_is_counted_by_several_threads_with_progress() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("documents.json");
    let mut file = File::create(&path).unwrap();
    let part = crate::support::documents(100_000);
    for _ in 0..10 {
        file.write_all(&part).unwrap();
    }
    let mut counter = LineCounter::new(LINES_PER_OFFSET);
    (0..10).for_each(|_| counter.push(&part));
    let witness = crate::support::Witness::default();
    let scanned = LineOffsets::scan(&File::open(&path).unwrap(), LINES_PER_OFFSET, &witness).unwrap();
    assert_eq!(scanned, counter.finish());
    assert_eq!(scanned.line_count(), 1_000_000);
    let total = 10 * part.len() as u64;
    assert!(
        witness.reports().iter().all(|r| r.0 == Phase::IndexingLines && r.1 <= total && r.2 == Some(total))
    );
}

#[test]
fn a_file_that_became_shorter_is_an_error() {
    let (_folder, path, content) = document(60_000);
    let offsets = scan(&path);
    let file = File::options().read(true).write(true).open(&path).unwrap();
    file.set_len(content.len() as u64 / 2).unwrap();
    let error = offsets.byte_range(&file, 49_000, 10).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
}

#[test]
fn a_last_line_without_newline_counts() {
    let mut counter = LineCounter::new(2);
    counter.push(b"a\nb\nc");
    let offsets = counter.finish();
    assert_eq!((offsets.line_count(), offsets.byte_count()), (3, 5));
}

#[test]
fn an_empty_file_has_no_lines() {
    let (_folder, path, _) = document(0);
    let offsets = scan(&path);
    assert_eq!((offsets.line_count(), offsets.byte_count()), (0, 0));
    assert_eq!(offsets.byte_range(&File::open(&path).unwrap(), 0, 10).unwrap(), 0..0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn ranges_are_those_of_naive_splitting(
        lines in prop::collection::vec(0_usize..60, 0..300),
        step in 1_u64..40,
        last_newline in any::<bool>(),
        pieces in 1_usize..400,
        first in 0_u64..310,
        count in 0_u64..310,
    ) {
        let mut content: Vec<u8> = lines.iter().flat_map(|&length| [vec![b'x'; length], vec![b'\n']].concat()).collect();
        if !last_newline {
            content.pop();
        }
        let expected = naive_lines(&content);

        let mut counter = LineCounter::new(step);
        content.chunks(pieces).for_each(|piece| counter.push(piece));
        let counted = counter.finish();
        prop_assert_eq!(counted.line_count(), expected.len() as u64);

        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&content).unwrap();
        prop_assert_eq!(&LineOffsets::scan(&file, step, &NoProgress).unwrap(), &counted);

        let range = counted.byte_range(&file, first, count).unwrap();
        let from = (first as usize).min(expected.len());
        let to = (first + count).min(expected.len() as u64) as usize;
        prop_assert_eq!(&content[range.start as usize..range.end as usize], expected[from..to].concat());
    }

    #[test]
    fn partitions_of_a_file_cover_it(lines in 0_usize..2000, clients in 1_u64..20) {
        let (_folder, path, content) = document(lines);
        let file = File::open(&path).unwrap();
        let offsets = LineOffsets::scan(&file, 64, &NoProgress).unwrap();
        let mut end = 0;
        for client in 0..clients {
            let from = offsets.line_count() * client / clients;
            let to = offsets.line_count() * (client + 1) / clients;
            let range = offsets.byte_range(&file, from, to - from).unwrap();
            prop_assert_eq!(range.start, end);
            end = range.end;
        }
        prop_assert_eq!(end, content.len() as u64);
    }
}
