//! Cuts a zstd file into its frames without unpacking it: each block says how long it is.
//!
//! A file of `zstd` is one frame; `pzstd` and seekable formats write many, between skippable ones that hold their sizes.

use std::io::{self, BufReader, Read};

use super::stream::StreamDamage;

const FRAME_MAGIC: u32 = 0xfd2f_b528;

/// The last four bits say which kind of skippable frame.
const SKIPPABLE_MAGIC: u32 = 0x184d_2a50;

/// No block is longer, packed or not.
const MAX_BLOCK_BYTES: u32 = 128 * 1024;

/// Memory that a frame may ask of who unpacks it: the default limit of `zstd` itself.
pub(super) const MAX_WINDOW_BYTES: u64 = 128 << 20;

/// The same for the library.
pub(super) const MAX_WINDOW_LOG: u32 = 27;

const RAW: u32 = 0;
const RUN: u32 = 1;
const COMPRESSED: u32 = 2;

/// What the header of a frame says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FrameHeader {
    /// Where the frame begins in the file.
    pub(super) start_byte: u64,
    /// Memory that unpacking it takes.
    pub(super) window_bytes: u64,
    has_checksum: bool,
}

/// The frames of a file, in order.
pub(super) struct Frames<R> {
    source: BufReader<R>,
    position: u64,
}

impl<R: Read> Frames<R> {
    pub(super) fn new(source: R) -> Frames<R> {
        Frames { source: BufReader::with_capacity(256 * 1024, source), position: 0 }
    }

    /// Reads the header of the next frame with content, which `bytes` then begins with; none at the end of the file.
    pub(super) fn next_frame(&mut self, bytes: &mut Vec<u8>) -> io::Result<Option<FrameHeader>> {
        loop {
            bytes.clear();
            let start_byte = self.position;
            let count = self.read_up_to(4, bytes)?;
            if count == 0 {
                return Ok(None);
            }
            let known = [FRAME_MAGIC.to_le_bytes(), SKIPPABLE_MAGIC.to_le_bytes()];
            if count < 4 && known.iter().any(|magic| magic.starts_with(bytes)) {
                return Err(self.truncated());
            }
            match number(bytes) as u32 {
                FRAME_MAGIC if count == 4 => return self.header(start_byte, bytes).map(Some),
                magic if count == 4 && magic & !0xf == SKIPPABLE_MAGIC => self.skip_frame(bytes)?,
                _ => {
                    let reason = if start_byte == 0 {
                        "this is not a zstd file"
                    } else {
                        "no zstd frame begins there"
                    };
                    return Err(corrupt(start_byte, reason));
                }
            }
        }
    }

    /// Appends blocks of the frame until `bytes` has as many as wanted. True when the frame is whole.
    pub(super) fn read_blocks(
        &mut self,
        frame: &FrameHeader,
        wanted: usize,
        bytes: &mut Vec<u8>,
    ) -> io::Result<bool> {
        while bytes.len() < wanted {
            let block_start = self.position;
            let header = number(self.read_exactly(3, bytes)?) as u32;
            let (is_last, kind, length) = (header & 1 == 1, header >> 1 & 3, header >> 3);
            if length > MAX_BLOCK_BYTES {
                return Err(corrupt(block_start, "a block is longer than blocks can be"));
            }
            match kind {
                RAW | COMPRESSED => self.read_exactly(length as usize, bytes)?,
                RUN => self.read_exactly(1, bytes)?,
                _ => return Err(corrupt(block_start, "a block is of a kind that there is not")),
            };
            if is_last {
                if frame.has_checksum {
                    self.read_exactly(4, bytes)?;
                }
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn header(&mut self, start_byte: u64, bytes: &mut Vec<u8>) -> io::Result<FrameHeader> {
        let flags = number(self.read_exactly(1, bytes)?);
        let single_segment = flags >> 5 & 1 == 1;
        if flags >> 3 & 1 == 1 {
            return Err(corrupt(start_byte, "the frame's header has a reserved bit"));
        }
        let mut window_bytes = 0;
        if !single_segment {
            let window = number(self.read_exactly(1, bytes)?);
            let base = 1_u64 << (10 + (window >> 3));
            window_bytes = base + base / 8 * (window & 7);
        }
        let dictionary = number(self.read_exactly([0, 1, 2, 4][(flags & 3) as usize], bytes)?);
        if dictionary != 0 {
            let reason = "a zstd frame that was packed with a dictionary";
            return Err(StreamDamage::Unsupported { offset: start_byte, reason }.into());
        }
        let size_bytes = match flags >> 6 {
            0 => usize::from(single_segment),
            shift => 1 << shift,
        };
        let size = number(self.read_exactly(size_bytes, bytes)?);
        if single_segment {
            // The whole content is the window; two bytes hold what is beyond 256.
            window_bytes = if size_bytes == 2 { size + 256 } else { size };
        }
        if window_bytes > MAX_WINDOW_BYTES {
            let limit = MAX_WINDOW_BYTES;
            let damage = StreamDamage::WindowTooLarge { offset: start_byte, needed: window_bytes, limit };
            return Err(damage.into());
        }
        Ok(FrameHeader { start_byte, window_bytes, has_checksum: flags >> 2 & 1 == 1 })
    }

    fn skip_frame(&mut self, bytes: &mut Vec<u8>) -> io::Result<()> {
        let length = number(self.read_exactly(4, bytes)?);
        let skipped = io::copy(&mut self.source.by_ref().take(length), &mut io::sink())?;
        self.position += skipped;
        if skipped < length { Err(self.truncated()) } else { Ok(()) }
    }

    /// Appends this number of bytes, and returns them.
    fn read_exactly<'a>(&mut self, count: usize, bytes: &'a mut Vec<u8>) -> io::Result<&'a [u8]> {
        let before = bytes.len();
        if self.read_up_to(count, bytes)? < count {
            return Err(self.truncated());
        }
        Ok(&bytes[before..])
    }

    fn read_up_to(&mut self, count: usize, bytes: &mut Vec<u8>) -> io::Result<usize> {
        let read = self.source.by_ref().take(count as u64).read_to_end(bytes)?;
        self.position += read as u64;
        Ok(read)
    }

    fn truncated(&self) -> io::Error {
        StreamDamage::Truncated { offset: self.position }.into()
    }
}

/// A little-endian number of up to 8 bytes.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
}

fn corrupt(offset: u64, reason: &'static str) -> io::Error {
    StreamDamage::Corrupt { offset, reason }.into()
}
