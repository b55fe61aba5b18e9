//! Parallel bzip2: the same bytes as the serial decoder, or an error that says where.

use std::io::{self, Cursor, Read};

use crate::support::crafted_bzip2::{BLOCK_MAGIC, END_MAGIC, stream, symbols};
use crate::support::{bzip2, bzip2_at, documents};
use proptest::prelude::*;
use rally_corpus::{ParallelBzip2Reader, StreamDamage};

fn parallel(archive: &[u8]) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    ParallelBzip2Reader::new(Cursor::new(archive.to_vec()))?.read_to_end(&mut content)?;
    Ok(content)
}

fn serial(archive: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    ::bzip2::read::MultiBzDecoder::new(archive).read_to_end(&mut content).unwrap();
    content
}

fn damage(archive: &[u8]) -> StreamDamage {
    let error = parallel(archive).unwrap_err();
    error.get_ref().and_then(|inner| inner.downcast_ref::<StreamDamage>()).expect("stream damage").clone()
}

/// Incompressible bytes, so that blocks are long.
fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed;
    (0..length)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        })
        .collect()
}

#[test]
fn many_blocks_come_out_in_order() {
    let content = documents(60_000);
    assert_eq!(parallel(&bzip2_at(&content, 1)).unwrap(), content);
}

#[test]
fn an_empty_stream_gives_nothing() {
    assert_eq!(parallel(&bzip2(b"")).unwrap(), b"");
}

#[test]
fn streams_that_follow_each_other_are_one_content() {
    let parts: Vec<Vec<u8>> =
        vec![documents(9000), Vec::new(), b"x".to_vec(), noise(250_000, 3), documents(1)];
    let archive: Vec<u8> = parts.iter().flat_map(|part| bzip2_at(part, 1)).collect();
    assert_eq!(parallel(&archive).unwrap(), parts.concat());
}

#[test]
fn data_with_long_runs_come_out_in_pieces() {
    // One block of 900 kB holds more than 40 MB of these.
    let content = vec![b' '; 12 << 20];
    assert_eq!(parallel(&bzip2(&content)).unwrap(), content);
}

#[test]
fn block_patterns_inside_of_a_block_are_data_at_every_bit() {
    for shift in 0..8 {
        for pattern in [BLOCK_MAGIC, END_MAGIC] {
            let blocks = [
                symbols(4000, 1, &[(800 + shift, pattern), (9000 + shift, pattern)]),
                symbols(3000, 2, &[]),
                symbols(2000, 3, &[(640 + shift, pattern)]),
            ];
            let archive = stream(&blocks);
            let expected = serial(&archive);
            assert!(expected.len() > 5000);
            assert_eq!(parallel(&archive).unwrap(), expected, "shift {shift}");
        }
    }
}

#[test]
fn a_block_full_of_patterns_is_decoded() {
    let pattern = |i: usize| if i.is_multiple_of(3) { END_MAGIC } else { BLOCK_MAGIC };
    let patterns: Vec<(usize, u64)> = (0..500).map(|i| (100 + i * 80 + i % 8, pattern(i))).collect();
    let block = symbols(6000, 5, &patterns);
    let archive = stream(&[block.clone(), block.clone(), block]);
    assert_eq!(parallel(&archive).unwrap(), serial(&archive));
}

#[test]
fn damage_behind_a_pattern_inside_of_a_block_is_found() {
    let mut archive = stream(&[symbols(4000, 1, &[(1600, BLOCK_MAGIC)]), symbols(4000, 2, &[])]);
    archive[2500] ^= 4;
    assert!(matches!(damage(&archive), StreamDamage::Corrupt { offset: 4, .. }), "{:?}", damage(&archive));
}

#[test]
fn a_wrong_block_checksum_is_corrupt_at_the_block() {
    let mut archive = bzip2(&documents(1000));
    archive[11] ^= 1;
    assert!(matches!(damage(&archive), StreamDamage::Corrupt { offset: 4, .. }));
}

#[test]
fn a_wrong_stream_checksum_is_corrupt() {
    // Two blocks in the wrong order: each is right by itself.
    let blocks = [symbols(1000, 1, &[]), symbols(1000, 2, &[])];
    let mut archive = stream(&blocks);
    let last = archive.len() - 2;
    archive[last] ^= 0x10;
    assert!(matches!(
        damage(&archive),
        StreamDamage::Corrupt { reason: "the checksum of the stream that ends there is wrong", .. }
    ));
}

#[test]
fn verified_content_before_the_damage_is_delivered() {
    let content = noise(500_000, 7);
    let mut archive = bzip2_at(&content, 1);
    let at = archive.len() - 60_000;
    archive[at] ^= 0x40;
    let mut read = Vec::new();
    let result = ParallelBzip2Reader::new(Cursor::new(archive)).unwrap().read_to_end(&mut read);
    assert!(result.is_err());
    assert!(read.len() > 200_000 && content.starts_with(&read));
}

#[test]
fn bytes_after_the_stream_are_reported_with_their_offset() {
    let mut archive = bzip2(b"content");
    let end = archive.len() as u64;
    archive.extend_from_slice(b"something else");
    assert!(matches!(damage(&archive), StreamDamage::Corrupt { offset, .. } if offset == end));
}

#[test]
fn another_format_is_not_bzip2() {
    assert_eq!(
        damage(b"<html>not found</html>"),
        StreamDamage::Corrupt { offset: 0, reason: "this is not a bzip2 file" }
    );
    assert!(matches!(damage(&noise(5 << 20, 1)), StreamDamage::Corrupt { offset: 0, .. }));
}

#[test]
fn every_truncation_of_a_small_file_is_reported_as_one() {
    let archive = [bzip2(b"one"), bzip2(b"two two two")].concat();
    let boundary = bzip2(b"one").len();
    for length in (0..archive.len()).filter(|&length| length != boundary) {
        let found = damage(&archive[..length]);
        assert!(matches!(found, StreamDamage::Truncated { .. }), "{length}: {found:?}");
    }
}

#[test]
fn a_reader_that_is_dropped_early_ends_its_threads() {
    let archive = bzip2_at(&noise(2_000_000, 1), 1);
    let mut reader = ParallelBzip2Reader::new(Cursor::new(archive)).unwrap();
    let mut first = [0; 10];
    reader.read_exact(&mut first).unwrap();
    drop(reader);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn parallel_and_serial_agree(
        parts in prop::collection::vec((0_usize..300_000, any::<u64>(), 1_u32..=9, any::<bool>()), 1..4),
    ) {
        let archive: Vec<u8> = parts
            .iter()
            .flat_map(|&(length, seed, level, random)| {
                bzip2_at(&if random { noise(length, seed) } else { documents(length / 40) }, level)
            })
            .collect();
        prop_assert_eq!(parallel(&archive).unwrap(), serial(&archive));
    }

    #[test]
    fn parallel_and_serial_agree_on_data_with_patterns(
        blocks in prop::collection::vec(
            (100_usize..3000, any::<u64>(), prop::collection::vec((16_usize..24_000, any::<bool>()), 0..12)),
            1..4,
        ),
    ) {
        let blocks: Vec<Vec<u8>> = blocks
            .iter()
            .map(|(length, seed, patterns)| {
                let patterns: Vec<_> =
                    patterns.iter().map(|&(at, end)| (at, if end { END_MAGIC } else { BLOCK_MAGIC })).collect();
                symbols(*length, *seed, &patterns)
            })
            .collect();
        let archive = stream(&blocks);
        prop_assert_eq!(parallel(&archive).unwrap(), serial(&archive));
    }

    #[test]
    fn a_truncated_file_is_never_taken_for_whole(keep in 0.0_f64..1.0, seed in any::<u64>()) {
        let archive = bzip2_at(&noise(250_000, seed), 1);
        let length = (archive.len() as f64 * keep) as usize;
        let found = damage(&archive[..length]);
        prop_assert!(matches!(found, StreamDamage::Truncated { offset } if offset <= length as u64), "{:?}", found);
    }

    #[test]
    fn rubbish_behind_a_header_is_an_error(rubbish in prop::collection::vec(any::<u8>(), 0..3000), block in any::<bool>()) {
        let mut archive = b"BZh9".to_vec();
        if block {
            archive.extend_from_slice(&BLOCK_MAGIC.to_be_bytes()[2..]);
        }
        archive.extend_from_slice(&rubbish);
        damage(&archive);
    }

    #[test]
    fn a_flipped_bit_never_gives_other_content(at in 0.0_f64..1.0, bit in 0_u32..8, seed in any::<u64>()) {
        let content = noise(150_000, seed);
        let mut archive = bzip2_at(&content, 1);
        let index = (archive.len() as f64 * at) as usize;
        archive[index] ^= 1 << bit;
        // The size of blocks in the header and the last padding bits do not matter.
        if let Ok(read) = parallel(&archive) {
            prop_assert!(read == content);
            prop_assert!(index == 3 || index + 1 == archive.len());
        }
    }
}
