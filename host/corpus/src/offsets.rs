//! Where lines begin, so that a client in the middle of a file starts there at once.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use memchr::memchr_iter;

use super::progress::{Phase, Progress};

/// Lines between two remembered offsets, as in Rally.
pub const LINES_PER_OFFSET: u64 = 50_000;

/// Newlines are counted in blocks of this size; a block is read again to find an offset inside of it.
const BLOCK_BYTES: u64 = 256 * 1024;

/// Blocks that a thread counts at a time.
const BLOCKS_PER_TURN: u64 = 16;

/// More threads only contend for memory bandwidth.
const MAX_THREADS: usize = 8;

/// Byte offsets of every 50,000th line of a file. Lines end with a newline; the last one may lack it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineOffsets {
    pub(super) lines_per_offset: u64,
    /// Byte offset of line `index * lines_per_offset`, the first being 0; none lies at the end of the file.
    pub(super) offsets: Vec<u64>,
    pub(super) line_count: u64,
    pub(super) byte_count: u64,
}

impl LineOffsets {
    /// Number of lines.
    pub fn line_count(&self) -> u64 {
        self.line_count
    }

    /// Size of the file in bytes.
    pub fn byte_count(&self) -> u64 {
        self.byte_count
    }

    /// Counts the lines of a file, with several threads if it is large. The file is read, not mapped: somebody
    /// who shortens it meanwhile causes an error, not a signal.
    ///
    /// # Errors
    /// The file cannot be read, became shorter, or `progress` cancelled ([`io::ErrorKind::Interrupted`]).
    pub fn scan(file: &File, lines_per_offset: u64, progress: &dyn Progress) -> io::Result<LineOffsets> {
        let byte_count = file.metadata()?.len();
        let counts = count_blocks(file, byte_count, progress)?;
        let lines_per_offset = lines_per_offset.max(1);
        let mut offsets = vec![0];
        let mut newlines = 0;
        let mut block = Vec::new();
        for (index, &in_block) in counts.iter().enumerate() {
            let mut mark = offsets.len() as u64 * lines_per_offset;
            if newlines + in_block >= mark {
                let start = index as u64 * BLOCK_BYTES;
                block.resize(BLOCK_BYTES.min(byte_count - start) as usize, 0);
                file.read_exact_at(&mut block, start)?;
                let mut seen = newlines;
                for position in memchr_iter(b'\n', &block) {
                    seen += 1;
                    if seen == mark {
                        offsets.push(start + position as u64 + 1);
                        mark += lines_per_offset;
                    }
                }
            }
            newlines += in_block;
        }
        let mut last = [b'\n'];
        if byte_count > 0 {
            file.read_exact_at(&mut last, byte_count - 1)?;
        }
        Ok(LineOffsets::complete(lines_per_offset, offsets, newlines, byte_count, last[0]))
    }

    /// The bytes of `line_count` lines from line `first_line` on (counted from 0), newlines included. What lies
    /// beyond the last line is left out, so the range may be shorter or empty.
    ///
    /// # Errors
    /// `file`, the file that was counted, cannot be read or became shorter.
    pub fn byte_range(&self, file: &File, first_line: u64, line_count: u64) -> io::Result<Range<u64>> {
        let start = self.offset_of(file, first_line, 0, 0)?;
        let end = self.offset_of(file, first_line.saturating_add(line_count), first_line, start)?;
        Ok(start..end)
    }

    /// Byte offset of a line, found from the nearest known line before it; `known_line` at `known_offset` is one.
    fn offset_of(&self, file: &File, line: u64, known_line: u64, known_offset: u64) -> io::Result<u64> {
        if line >= self.line_count {
            return Ok(self.byte_count);
        }
        let index = (line / self.lines_per_offset).min(self.offsets.len() as u64 - 1);
        let indexed_line = index * self.lines_per_offset;
        let (nearest, mut offset) = if known_line > indexed_line {
            (known_line, known_offset)
        } else {
            (indexed_line, self.offsets[index as usize])
        };
        let mut left = line - nearest;
        let mut buffer = vec![0; BLOCK_BYTES as usize];
        while left > 0 {
            let length = file.read_at(&mut buffer, offset)?;
            if length == 0 {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file became shorter"));
            }
            match memchr_iter(b'\n', &buffer[..length]).nth(left as usize - 1) {
                Some(position) => return Ok(offset + position as u64 + 1),
                None => left -= memchr_iter(b'\n', &buffer[..length]).count() as u64,
            }
            offset += length as u64;
        }
        Ok(offset)
    }

    /// Drops an offset at the very end, where no line begins, and counts a last line without newline.
    fn complete(step: u64, mut offsets: Vec<u64>, newlines: u64, byte_count: u64, last: u8) -> LineOffsets {
        if offsets.len() > 1 && offsets.last() == Some(&byte_count) {
            offsets.pop();
        }
        let unfinished = u64::from(byte_count > 0 && last != b'\n');
        LineOffsets { lines_per_offset: step, offsets, line_count: newlines + unfinished, byte_count }
    }
}

/// Number of newlines in each block of the file.
fn count_blocks(file: &File, byte_count: u64, progress: &dyn Progress) -> io::Result<Vec<u64>> {
    let blocks = byte_count.div_ceil(BLOCK_BYTES);
    let turns = blocks.div_ceil(BLOCKS_PER_TURN);
    let threads = thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS);
    let threads = threads.min(usize::try_from(turns).unwrap_or(MAX_THREADS)).max(1);

    let counts = Mutex::new(vec![0_u64; blocks as usize]);
    let next_turn = AtomicU64::new(0);
    let done = AtomicU64::new(0);
    let stop = AtomicBool::new(false);
    let count = |reports: bool| -> io::Result<()> {
        let mut buffer = vec![0; BLOCK_BYTES as usize];
        let mut in_turn = Vec::with_capacity(BLOCKS_PER_TURN as usize);
        while !stop.load(Ordering::Relaxed) {
            let first = next_turn.fetch_add(1, Ordering::Relaxed) * BLOCKS_PER_TURN;
            if first >= blocks {
                break;
            }
            in_turn.clear();
            for block in first..(first + BLOCKS_PER_TURN).min(blocks) {
                let start = block * BLOCK_BYTES;
                let part = &mut buffer[..BLOCK_BYTES.min(byte_count - start) as usize];
                file.read_exact_at(part, start)?;
                in_turn.push(memchr_iter(b'\n', part).count() as u64);
                done.fetch_add(part.len() as u64, Ordering::Relaxed);
            }
            let mut counts = counts.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            counts[first as usize..first as usize + in_turn.len()].copy_from_slice(&in_turn);
            drop(counts);
            if reports {
                progress.report(Phase::IndexingLines, done.load(Ordering::Relaxed), Some(byte_count));
                if progress.is_cancelled() {
                    return Err(io::ErrorKind::Interrupted.into());
                }
            }
        }
        Ok(())
    };
    let until_error = |reports| {
        let result = count(reports);
        if result.is_err() {
            stop.store(true, Ordering::Relaxed);
        }
        result
    };
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(|| until_error(false))).collect();
        let mut result = until_error(true);
        for other in others {
            let theirs = other.join().unwrap_or_else(|_| Err(io::Error::other("a counting thread panicked")));
            result = result.and(theirs);
        }
        result
    })?;
    Ok(counts.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner()))
}

/// Builds [`LineOffsets`] while a file is being written.
#[derive(Debug, Clone)]
pub struct LineCounter {
    lines_per_offset: u64,
    offsets: Vec<u64>,
    newlines: u64,
    bytes: u64,
    last: u8,
}

impl LineCounter {
    /// Remembers the offset of every `lines_per_offset`th line (at least every line).
    pub fn new(lines_per_offset: u64) -> LineCounter {
        LineCounter {
            lines_per_offset: lines_per_offset.max(1),
            offsets: vec![0],
            newlines: 0,
            bytes: 0,
            last: b'\n',
        }
    }

    /// Takes the next bytes of the file.
    pub fn push(&mut self, bytes: &[u8]) {
        let Some(&last) = bytes.last() else { return };
        let count = memchr_iter(b'\n', bytes).count() as u64;
        let mut mark = self.offsets.len() as u64 * self.lines_per_offset;
        if self.newlines + count >= mark {
            let mut seen = self.newlines;
            for position in memchr_iter(b'\n', bytes) {
                seen += 1;
                if seen == mark {
                    self.offsets.push(self.bytes + position as u64 + 1);
                    mark += self.lines_per_offset;
                }
            }
        }
        self.newlines += count;
        self.bytes += bytes.len() as u64;
        self.last = last;
    }

    /// Bytes taken so far.
    pub fn byte_count(&self) -> u64 {
        self.bytes
    }

    /// Newlines taken so far.
    pub(super) fn newlines(&self) -> u64 {
        self.newlines
    }

    /// The offsets of the whole file.
    pub fn finish(self) -> LineOffsets {
        LineOffsets::complete(self.lines_per_offset, self.offsets, self.newlines, self.bytes, self.last)
    }
}
