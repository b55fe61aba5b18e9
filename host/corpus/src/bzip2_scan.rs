//! Cuts a bzip2 file where blocks may begin.
//!
//! Blocks begin at any bit, with the 48 bits of π; a stream ends with the 48 bits of √π. Both patterns may also occur
//! inside of a block, so a cut is a candidate only: whoever decodes the segments finds out.

use std::io::{self, Read};

/// First bits of a block.
pub(super) const BLOCK_MAGIC: u64 = 0x3141_5926_5359;

/// First bits of the end of a stream.
pub(super) const END_MAGIC: u64 = 0x1772_4538_5090;

const MAGIC_BITS: u64 = 48;

const MAGIC_MASK: u64 = (1 << MAGIC_BITS) - 1;

/// No block is longer: at most 900,050 symbols of at most 20 bits, and tables of less than 100 kB.
const MAX_SEGMENT_BYTES: usize = 3 << 20;

const CHUNK_BYTES: usize = 256 * 1024;

/// What a segment begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SegmentKind {
    /// The file itself.
    Head,
    /// The pattern of a block.
    Block,
    /// The pattern of the end of a stream.
    End,
}

/// Bits of the file from one candidate to the next.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    pub(super) kind: SegmentKind,
    /// Position in the file of the first bit.
    pub(super) start_bit: u64,
    /// Position in the file after the last bit.
    pub(super) end_bit: u64,
    /// The bytes of the file that hold these bits; the first and the last may be shared with the neighbours.
    pub(super) bytes: Vec<u8>,
    /// Whether the file ends here.
    pub(super) at_end_of_file: bool,
}

impl Segment {
    pub(super) fn start_byte(&self) -> u64 {
        self.start_bit / 8
    }

    /// Number of bits of the first byte that belong to the segment before.
    pub(super) fn shift(&self) -> u32 {
        (self.start_bit % 8) as u32
    }

    pub(super) fn bits(&self) -> u64 {
        self.end_bit - self.start_bit
    }

    /// Joins the segment that follows this one in the file.
    pub(super) fn append(&mut self, next: &Segment) {
        let shared = usize::from(next.shift() != 0);
        self.bytes.extend_from_slice(&next.bytes[shared..]);
        self.end_bit = next.end_bit;
        self.at_end_of_file = next.at_end_of_file;
    }

    /// Takes the bits from `end_bit` on off again.
    pub(super) fn truncate(&mut self, end_bit: u64) {
        self.end_bit = end_bit;
        self.bytes.truncate((end_bit.div_ceil(8) - self.start_byte()) as usize);
        self.at_end_of_file = false;
    }
}

/// For the byte before the last of a pattern: the shifts at which a pattern may be there. Only one byte in sixteen
/// needs a closer look.
const SHIFTS: [u8; 256] = {
    let mut shifts = [0_u8; 256];
    let mut shift = 0;
    while shift < 8 {
        // The pattern's last bit is bit `shift` of the window, so bits 8 to 15 of the window are these of the pattern.
        shifts[((BLOCK_MAGIC << shift) >> 8 & 0xff) as usize] |= 1 << shift;
        shifts[((END_MAGIC << shift) >> 8 & 0xff) as usize] |= 1 << shift;
        shift += 1;
    }
    shifts
};

/// The segments of a file, in order and without gaps.
pub(super) struct Segments<R> {
    source: R,
    chunk: Vec<u8>,
    /// Bytes of `chunk` that are scanned.
    scanned: usize,
    /// Shifts that were not yet looked at for the byte before `scanned`.
    shifts_left: u8,
    /// Bytes of `chunk` that are part of `bytes` already.
    copied: usize,
    /// Position in the file of the beginning of `chunk`.
    chunk_start: u64,
    window: u64,
    kind: SegmentKind,
    start_bit: u64,
    bytes: Vec<u8>,
    ended: bool,
}

impl<R: Read> Segments<R> {
    pub(super) fn new(source: R) -> Segments<R> {
        Segments {
            source,
            chunk: Vec::new(),
            scanned: 0,
            shifts_left: 0,
            copied: 0,
            chunk_start: 0,
            window: 0,
            kind: SegmentKind::Head,
            start_bit: 0,
            bytes: Vec::new(),
            ended: false,
        }
    }

    /// The next segment; `None` after the one that ends the file. A segment that is longer than any block is cut
    /// off, and nothing comes after it: the file is damaged there.
    pub(super) fn next_segment(&mut self) -> io::Result<Option<Segment>> {
        if self.ended {
            return Ok(None);
        }
        loop {
            if let Some((kind, position)) = self.find_candidate() {
                return Ok(Some(self.cut(kind, position)));
            }
            self.bytes.extend_from_slice(&self.chunk[self.copied..]);
            self.copied = self.chunk.len();
            let overlong = self.bytes.len() > MAX_SEGMENT_BYTES;
            if overlong || !self.read_chunk()? {
                self.ended = true;
                let start_byte = self.start_bit / 8;
                return Ok(Some(Segment {
                    kind: self.kind,
                    start_bit: self.start_bit,
                    end_bit: (start_byte + self.bytes.len() as u64) * 8,
                    bytes: std::mem::take(&mut self.bytes),
                    at_end_of_file: !overlong,
                }));
            }
        }
    }

    fn read_chunk(&mut self) -> io::Result<bool> {
        self.chunk_start += self.chunk.len() as u64;
        self.chunk.clear();
        self.source.by_ref().take(CHUNK_BYTES as u64).read_to_end(&mut self.chunk)?;
        self.scanned = 0;
        self.copied = 0;
        Ok(!self.chunk.is_empty())
    }

    /// The next pattern and the position of its first bit.
    fn find_candidate(&mut self) -> Option<(SegmentKind, u64)> {
        loop {
            while self.shifts_left != 0 {
                // The larger the shift, the earlier the pattern.
                let shift = 7 - self.shifts_left.leading_zeros() as u64;
                self.shifts_left &= !(1 << shift);
                let bits = (self.window >> shift) & MAGIC_MASK;
                let kind = match bits {
                    BLOCK_MAGIC => SegmentKind::Block,
                    END_MAGIC => SegmentKind::End,
                    _ => continue,
                };
                let end = (self.chunk_start + self.scanned as u64) * 8 - shift;
                if let Some(position) = end.checked_sub(MAGIC_BITS)
                    && position > self.start_bit
                {
                    return Some((kind, position));
                }
            }
            let mut window = self.window;
            let rest = &self.chunk[self.scanned..];
            let found = rest.iter().position(|&byte| {
                window = window << 8 | u64::from(byte);
                SHIFTS[(window >> 8 & 0xff) as usize] != 0
            });
            self.window = window;
            self.scanned += found.map_or(rest.len(), |index| index + 1);
            found?;
            self.shifts_left = SHIFTS[(window >> 8 & 0xff) as usize];
        }
    }

    fn cut(&mut self, kind: SegmentKind, position: u64) -> Segment {
        self.bytes.extend_from_slice(&self.chunk[self.copied..self.scanned]);
        self.copied = self.scanned;
        let whole = (position / 8 - self.start_bit / 8) as usize;
        let next_bytes = self.bytes[whole..].to_vec();
        self.bytes.truncate(whole + usize::from(!position.is_multiple_of(8)));
        Segment {
            kind: std::mem::replace(&mut self.kind, kind),
            start_bit: std::mem::replace(&mut self.start_bit, position),
            end_bit: position,
            bytes: std::mem::replace(&mut self.bytes, next_bytes),
            at_end_of_file: false,
        }
    }
}
