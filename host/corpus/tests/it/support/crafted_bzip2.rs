//! Valid bzip2 streams that hold any bits a test wants.
//!
//! A block with 254 byte values in use has 256 symbols. If all their codes are 8 bits long, any byte but 255, the end
//! of the block, is a symbol, so the patterns that mark blocks and stream ends can be put into the data.

use bzip2::Decompress;

pub const BLOCK_MAGIC: u64 = 0x3141_5926_5359;
pub const END_MAGIC: u64 = 0x1772_4538_5090;

#[derive(Default, Clone)]
pub struct Bits {
    bytes: Vec<u8>,
    length: usize,
}

impl Bits {
    pub fn push(&mut self, value: u64, count: usize) {
        for index in (0..count).rev() {
            if self.length.is_multiple_of(8) {
                self.bytes.push(0);
            }
            if value >> index & 1 == 1 {
                *self.bytes.last_mut().unwrap() |= 0x80 >> (self.length % 8);
            }
            self.length += 1;
        }
    }

    /// Overwrites bits.
    pub fn put(&mut self, position: usize, value: u64, count: usize) {
        for index in 0..count {
            let (byte, mask) = ((position + index) / 8, 0x80_u8 >> ((position + index) % 8));
            if value >> (count - 1 - index) & 1 == 1 {
                self.bytes[byte] |= mask;
            } else {
                self.bytes[byte] &= !mask;
            }
        }
    }

    fn append(&mut self, other: &Bits) {
        for index in 0..other.length {
            self.push(u64::from(other.bytes[index / 8] >> (7 - index % 8) & 1), 1);
        }
    }
}

/// Symbols of a block with patterns at the given bit positions. The filler has neither runs nor the end symbol.
pub fn symbols(length: usize, seed: u64, patterns: &[(usize, u64)]) -> Vec<u8> {
    let mut state = seed | 1;
    let mut bits = Bits::default();
    for _ in 0..length {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        bits.push(2 + (state >> 33) % 200, 8);
    }
    let mut free = 0;
    let mut sorted = patterns.to_vec();
    sorted.sort_unstable();
    for (position, pattern) in sorted {
        // A zero bit at each end of what is put there, so that no end symbol arises.
        if position >= free + 16 && position + 64 < bits.length {
            bits.put(position - 8, 0x55, 8);
            bits.put(position, pattern, 48);
            bits.put(position + 48, 0x54, 8);
            free = position + 56;
        }
    }
    bits.bytes
}

/// A stream of blocks of these symbols.
pub fn stream(blocks: &[Vec<u8>]) -> Vec<u8> {
    let mut bits = Bits::default();
    bits.push(u64::from_be_bytes(*b"\0\0\0\0BZh9"), 32);
    let mut combined = 0_u32;
    for symbols in blocks {
        let checksum = checksum(&content(symbols));
        bits.append(&block(symbols, checksum));
        combined = combined.rotate_left(1) ^ checksum;
    }
    bits.push(END_MAGIC, 48);
    bits.push(u64::from(combined), 32);
    bits.bytes
}

fn block(symbols: &[u8], checksum: u32) -> Bits {
    assert!(!symbols.contains(&255));
    let mut bits = Bits::default();
    bits.push(BLOCK_MAGIC, 48);
    bits.push(u64::from(checksum), 32);
    bits.push(0, 1);
    bits.push(0, 24);
    // Byte values 1 to 254 are in use.
    bits.push(0xffff, 16);
    bits.push(0x7fff, 16);
    (0..14).for_each(|_| bits.push(0xffff, 16));
    bits.push(0xfffe, 16);
    // Two equal tables; every selector is the first one.
    let selectors = (symbols.len() + 1).div_ceil(50);
    bits.push(2, 3);
    bits.push(selectors as u64, 15);
    (0..selectors).for_each(|_| bits.push(0, 1));
    for _ in 0..2 {
        bits.push(8, 5);
        (0..256).for_each(|_| bits.push(0, 1));
    }
    symbols.iter().for_each(|&symbol| bits.push(u64::from(symbol), 8));
    bits.push(255, 8);
    bits
}

/// What a block decodes to: the decoder only complains about the checksum after it has written all.
fn content(symbols: &[u8]) -> Vec<u8> {
    let mut bits = Bits::default();
    bits.push(u64::from_be_bytes(*b"\0\0\0\0BZh9"), 32);
    bits.append(&block(symbols, 0));
    bits.push(END_MAGIC, 48);
    bits.push(0, 32);
    let mut decoder = Decompress::new(false);
    let mut content = Vec::with_capacity(symbols.len() * 60 + 1024);
    let _ = decoder.decompress_vec(&bits.bytes, &mut content);
    content
}

fn checksum(content: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for &byte in content {
        crc ^= u32::from(byte) << 24;
        for _ in 0..8 {
            crc = if crc >> 31 == 1 { crc << 1 ^ 0x04c1_1db7 } else { crc << 1 };
        }
    }
    !crc
}
