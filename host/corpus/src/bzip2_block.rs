//! Decodes one block of a bzip2 file by itself.
//!
//! A block becomes a stream of its own: a header, the block's bits moved to a byte boundary, and an end with the
//! block's checksum. The bzip2 library then does all the work and verifies the checksum.

use bzip2::{Decompress, Status};

use super::bzip2_scan::{END_MAGIC, Segment};
use super::stream::PIECE_BYTES;

/// A block may hold up to 52 times 900 kB: it begins with a run-length code. Data with long runs are decoded twice
/// rather than kept, so that no unverified byte is handed on and memory stays bounded.
const KEPT_BYTES: usize = 4 << 20;

/// Pattern, checksum, flags and tables: no block is shorter.
const MIN_BLOCK_BITS: u64 = 48 + 32 + 25;

const HEADER: &[u8; 4] = b"BZh9";

/// The bits from the beginning of a segment to its end are not exactly one whole block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotABlock;

/// Decodes a segment that should be exactly one block, hands its content on in pieces and returns the block's
/// checksum. `emit` returns false to stop. Nothing is handed on before the checksum was verified.
pub(super) fn decode_block(
    segment: &Segment,
    emit: &mut dyn FnMut(Vec<u8>) -> bool,
) -> Result<u32, NotABlock> {
    let (stream, checksum) = standalone_stream(segment)?;
    let mut kept = Vec::with_capacity(PIECE_BYTES);
    let mut scratch = Vec::new();
    let mut decoder = Decoder::new(&stream);
    while kept.len() < KEPT_BYTES {
        if kept.len() == kept.capacity() {
            kept.reserve(PIECE_BYTES);
        }
        if !decoder.decode(&mut kept)? {
            emit(kept);
            return Ok(checksum);
        }
    }
    drop(kept);
    scratch.reserve_exact(PIECE_BYTES);
    while decoder.decode(&mut scratch)? {
        scratch.clear();
    }
    drop(scratch);

    let mut decoder = Decoder::new(&stream);
    loop {
        let mut piece = Vec::with_capacity(PIECE_BYTES);
        let more = decoder.fill(&mut piece)?;
        if (!piece.is_empty() && !emit(piece)) || !more {
            return Ok(checksum);
        }
    }
}

/// The standalone stream and the block's checksum.
fn standalone_stream(segment: &Segment) -> Result<(Vec<u8>, u32), NotABlock> {
    if segment.bits() < MIN_BLOCK_BITS {
        return Err(NotABlock);
    }
    let mut stream = HEADER.to_vec();
    let whole = (segment.bits() / 8) as usize;
    stream.reserve_exact(whole + 11);
    push_aligned(&mut stream, segment, 0, whole);
    let checksum = match stream.get(10..14) {
        Some(&[a, b, c, d]) => u32::from_be_bytes([a, b, c, d]),
        _ => return Err(NotABlock),
    };
    // The last bits of the block, then the end of the stream, whose checksum is that of its only block.
    let rest = (segment.bits() % 8) as u32;
    let last = aligned_byte(segment, whole) >> (8 - rest).min(7) >> u32::from(rest == 0);
    let tail = u128::from(last) << 80 | u128::from(END_MAGIC) << 32 | u128::from(checksum);
    let tail = tail << (8 - rest) & ((1 << 88) - 1);
    stream.extend_from_slice(&tail.to_be_bytes()[5..]);
    Ok((stream, checksum))
}

/// Appends bytes `from..to` of the segment's bits, counted from its first bit.
fn push_aligned(stream: &mut Vec<u8>, segment: &Segment, from: usize, to: usize) {
    let shift = segment.shift();
    let bytes = &segment.bytes[from..];
    if shift == 0 {
        stream.extend_from_slice(&bytes[..to - from]);
    } else {
        stream.extend(bytes.windows(2).take(to - from).map(|pair| pair[0] << shift | pair[1] >> (8 - shift)));
    }
}

/// Byte `index` of the segment's bits; bits beyond the segment's bytes are zero.
fn aligned_byte(segment: &Segment, index: usize) -> u8 {
    let at = |index: usize| u16::from(segment.bytes.get(index).copied().unwrap_or(0));
    let pair = at(index) << 8 | at(index + 1);
    (pair << segment.shift() >> 8) as u8
}

/// The library's decoder with its input.
struct Decoder<'a> {
    decompress: Decompress,
    input: &'a [u8],
}

impl<'a> Decoder<'a> {
    fn new(input: &'a [u8]) -> Decoder<'a> {
        Decoder { decompress: Decompress::new(false), input }
    }

    /// Decodes into the spare capacity of `output`. False at the end of the stream, which must be that of the input.
    fn decode(&mut self, output: &mut Vec<u8>) -> Result<bool, NotABlock> {
        let consumed = self.decompress.total_in() as usize;
        let before = output.len();
        match self.decompress.decompress_vec(&self.input[consumed..], output) {
            Ok(Status::StreamEnd) => {
                // A last byte without meaning may be left over when the block ends at a byte boundary.
                let left = self.input.len() - self.decompress.total_in() as usize;
                if left <= 1 { Ok(false) } else { Err(NotABlock) }
            }
            Ok(_) => {
                let progress = output.len() > before || self.decompress.total_in() as usize > consumed;
                if progress { Ok(true) } else { Err(NotABlock) }
            }
            Err(_) => Err(NotABlock),
        }
    }

    /// Decodes until `output` is full or the stream ends (false).
    fn fill(&mut self, output: &mut Vec<u8>) -> Result<bool, NotABlock> {
        while output.len() < output.capacity() {
            if !self.decode(output)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Finds out how far a block reaches that begins with a segment and may contain the next ones: the bits are decoded
/// as they come, and a block shows its first byte only when its last bit was read.
pub(super) struct BlockProbe {
    decompress: Decompress,
    fed: usize,
}

/// What a [`BlockProbe`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Probe {
    /// The block ended in the bits that were fed last.
    Ended,
    /// The block goes on.
    Unfinished,
    /// This is no block.
    Damaged,
}

impl BlockProbe {
    pub(super) fn new() -> Result<BlockProbe, NotABlock> {
        let mut decompress = Decompress::new(false);
        let mut output = [0];
        decompress.decompress(HEADER, &mut output).map_err(|_| NotABlock)?;
        Ok(BlockProbe { decompress, fed: 0 })
    }

    /// Takes the whole bytes of the segment, grown since the last call, that were not yet fed. The block's last few
    /// bits may only come with the next call.
    pub(super) fn feed(&mut self, segment: &Segment) -> Probe {
        let whole = (segment.bits() / 8) as usize;
        let mut input = Vec::with_capacity(whole - self.fed);
        push_aligned(&mut input, segment, self.fed, whole);
        self.fed = whole;
        let mut output = [0];
        match self.decompress.decompress(&input, &mut output) {
            Ok(_) if self.decompress.total_out() > 0 => Probe::Ended,
            Ok(_) => Probe::Unfinished,
            Err(_) => Probe::Damaged,
        }
    }
}
