//! zstd: every way to write it, and what must not be believed.

use std::fs;
use std::io::{self, Cursor, Read, Write};

use crate::support::{cache_with, data_set, documents, hasty, names, zstd};
use ::zstd::stream::raw::CParameter;
use proptest::prelude::*;
use rally_corpus::{
    NoProgress, ParallelZstdReader, PrepareError, PreparedDocuments, StreamDamage, UnpackError, prepare,
};

const NAME: &str = "documents.json.zst";

fn unpack(archive: &[u8]) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    ParallelZstdReader::new(Cursor::new(archive.to_vec()))?.read_to_end(&mut content)?;
    Ok(content)
}

fn damage(archive: &[u8]) -> StreamDamage {
    let error = unpack(archive).unwrap_err();
    error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<StreamDamage>())
        .unwrap_or_else(|| panic!("{error}"))
        .clone()
}

fn prepared(archive: &[u8]) -> (tempfile::TempDir, Result<PreparedDocuments, PrepareError>) {
    let cache = cache_with(NAME, archive);
    let result = prepare(&data_set(NAME), &[], cache.path(), &hasty(), &NoProgress);
    (cache, result)
}

/// A skippable frame.
fn skippable(kind: u8, content: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x50 | kind, 0x2a, 0x4d, 0x18];
    frame.extend((content.len() as u32).to_le_bytes());
    frame.extend(content);
    frame
}

/// Frames of `piece_bytes` each, with their sizes in skippable frames before them, as of `pzstd`.
fn frames(content: &[u8], piece_bytes: usize) -> Vec<u8> {
    content
        .chunks(piece_bytes)
        .flat_map(|piece| {
            let frame = zstd(piece);
            [skippable(0, &(frame.len() as u32).to_le_bytes()), frame].concat()
        })
        .collect()
}

/// Bytes that do not pack, the same each time.
fn noise(count: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as u8
    };
    (0..count).map(|_| next()).collect()
}

#[test]
fn frames_come_in_their_order() {
    let content = documents(300_000);
    for piece_bytes in [1_000_000, 77_777, 20_000_000] {
        assert!(unpack(&frames(&content, piece_bytes)).unwrap() == content, "{piece_bytes}");
    }
}

#[test]
fn a_frame_that_is_too_long_to_be_held_is_unpacked_as_it_is_read() {
    let content = noise(20 << 20);
    let archive = [zstd(&content), zstd(b"and then")].concat();
    assert!(unpack(&archive).unwrap() == [&content[..], b"and then"].concat());
}

#[test]
fn frames_without_checksum_or_size_are_read() {
    let content = documents(50_000);
    let mut encoder = ::zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    encoder.include_checksum(false).unwrap();
    encoder.include_contentsize(false).unwrap();
    for piece in content.chunks(100_000) {
        encoder.write_all(piece).unwrap();
        encoder.flush().unwrap();
    }
    assert!(unpack(&encoder.finish().unwrap()).unwrap() == content);
    // The whole content as window, with sizes of one, two, four bytes.
    for count in [0, 1, 200, 255, 256, 257, 65_000, 70_000] {
        let content = &content[..count];
        let frame = ::zstd::bulk::compress(content, 3).unwrap();
        assert!(unpack(&frame).unwrap() == content, "{count}");
    }
}

#[test]
fn every_level_is_read() {
    let content = documents(30_000);
    for level in [-5, 1, 9, 19, 22] {
        let archive = ::zstd::stream::encode_all(&content[..], level).unwrap();
        assert!(unpack(&archive).unwrap() == content, "{level}");
    }
}

#[test]
fn skippable_frames_are_skipped_wherever_they_are() {
    let archive = [
        skippable(0, b""),
        zstd(b"one"),
        skippable(15, &[0; 300_000]),
        skippable(3, b"x"),
        zstd(b"two"),
        skippable(7, b"the end"),
    ];
    assert_eq!(unpack(&archive.concat()).unwrap(), b"onetwo");
}

#[test]
fn a_bomb_is_cut_off_at_the_declared_size() {
    let zeros = vec![b'0'; 64 << 20];
    let archive = zstd(&zeros);
    assert!(archive.len() < 16_384);
    let cache = cache_with(NAME, &archive);
    let mut data_set = data_set(NAME);
    data_set.uncompressed_bytes = Some(1 << 20);
    let error = prepare(&data_set, &[], cache.path(), &hasty(), &NoProgress).unwrap_err();
    assert!(
        matches!(error, PrepareError::Unpack { source: UnpackError::LargerThanDeclared { .. }, .. }),
        "{error}"
    );
    assert_eq!(names(cache.path()), [NAME]);
}

#[test]
fn a_frame_that_asks_for_too_much_memory_is_refused_before_it_gets_any() {
    let mut encoder = ::zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    encoder.set_parameter(CParameter::WindowLog(28)).unwrap();
    encoder.include_contentsize(false).unwrap();
    encoder.write_all(&documents(1000)).unwrap();
    let archive = encoder.finish().unwrap();
    let (cache, result) = prepared(&archive);
    let message = result.unwrap_err().to_string();
    assert!(message.contains("at byte 0 needs a window of 268435456 bytes"), "{message}");
    assert!(message.contains("134217728 bytes are all") && message.contains("--long=27"), "{message}");
    assert_eq!(names(cache.path()), [NAME]);
    // A header that claims as much as can be claimed: the content's size, 2^63, is the window.
    let header = [&[0x28, 0xb5, 0x2f, 0xfd, 0xe0][..], &(1_u64 << 63).to_le_bytes()].concat();
    assert!(
        matches!(damage(&header), StreamDamage::WindowTooLarge { offset: 0, needed, .. } if needed == 1 << 63)
    );
}

#[test]
fn a_window_as_large_as_zstd_itself_allows_is_read() {
    let mut encoder = ::zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    encoder.set_parameter(CParameter::WindowLog(27)).unwrap();
    encoder.include_contentsize(false).unwrap();
    let content = documents(200_000);
    encoder.write_all(&content).unwrap();
    assert!(unpack(&encoder.finish().unwrap()).unwrap() == content);
}

#[test]
fn a_dictionary_is_not_supported() {
    let dictionary_id = [0x28, 0xb5, 0x2f, 0xfd, 0x01, 0x50, 7, 1, 0, 0];
    let (_cache, result) = prepared(&dictionary_id);
    assert!(
        result
            .unwrap_err()
            .to_string()
            .ends_with("a zstd frame that was packed with a dictionary is not supported")
    );
}

#[test]
fn a_wrong_checksum_is_found() {
    let mut archive = zstd(&documents(100));
    *archive.last_mut().unwrap() ^= 1;
    assert!(matches!(damage(&archive), StreamDamage::Corrupt { .. }));
}

#[test]
fn what_is_no_frame_is_corrupt_where_it_begins() {
    let first = zstd(b"content");
    for rest in [&b"rubbish"[..], b"\0\0\0\0", b"BZh9", b"(\xb5/\xfe"] {
        let expected =
            StreamDamage::Corrupt { offset: first.len() as u64, reason: "no zstd frame begins there" };
        assert_eq!(damage(&[&first[..], rest].concat()), expected);
    }
    assert_eq!(
        damage(b"{\"id\": 1}\n"),
        StreamDamage::Corrupt { offset: 0, reason: "this is not a zstd file" }
    );
}

#[test]
fn a_file_that_ends_in_a_frame_is_truncated_there() {
    let content = documents(100_000);
    for archive in [zstd(&content), frames(&content, 500_000), [zstd(&noise(12 << 20)), zstd(b"x")].concat()]
    {
        // The first ends in the middle of its checksum.
        let lengths = [archive.len() - 2, archive.len() / 2, archive.len() / 3, 5, 3, 1];
        for length in lengths {
            let found = damage(&archive[..length]);
            assert_eq!(found, StreamDamage::Truncated { offset: length as u64 });
        }
    }
    assert_eq!(damage(&skippable(0, &[1; 100])[..50]), StreamDamage::Truncated { offset: 50 });
}

#[test]
fn a_reader_that_is_dropped_ends_its_threads() {
    let archive = frames(&documents(200_000), 50_000);
    let mut reader = ParallelZstdReader::new(Cursor::new(archive)).unwrap();
    reader.read_exact(&mut [0; 10]).unwrap();
    drop(reader);
    let mut reader = ParallelZstdReader::new(Cursor::new(zstd(&noise(30 << 20)))).unwrap();
    reader.read_exact(&mut [0; 10]).unwrap();
    drop(reader);
}

#[test]
fn content_is_counted_while_it_is_unpacked() {
    let content = documents(120_000);
    let (cache, result) = prepared(&frames(&content, 400_000));
    let prepared = result.unwrap();
    assert_eq!((prepared.line_count, prepared.uncompressed_bytes), (120_000, content.len() as u64));
    assert!(fs::read(cache.path().join("documents.json")).unwrap() == content);
    assert!(cache.path().join("documents.json.offset").exists());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_packed_comes_out(
        pieces in prop::collection::vec((0_usize..40_000, any::<bool>(), -3_i32..12), 0..6),
    ) {
        let text = documents(2000);
        let random = noise(40_000);
        let (mut content, mut archive) = (Vec::new(), skippable(1, b"begin"));
        for (count, packs, level) in pieces {
            let piece = if packs { &text[..count] } else { &random[..count] };
            content.extend_from_slice(piece);
            archive.extend(::zstd::stream::encode_all(piece, level).unwrap());
        }
        prop_assert!(unpack(&archive).unwrap() == content);
    }

    #[test]
    fn damage_never_hangs_or_panics(position in any::<prop::sample::Index>(), flip in 1_u8..=255) {
        let content = documents(3000);
        let mut archive = frames(&content, 20_000);
        *position.get_mut(&mut archive) ^= flip;
        // Sizes in skippable frames are nobody's business, so some damage does none.
        if let Ok(unpacked) = unpack(&archive) {
            prop_assert!(unpacked == content);
        }
    }
}
