//! Rally's `.offset` files: text lines `line;byte offset`, one for each 50,000 lines.
//!
//! What is written is the same as Elastic Rally's, byte for byte. Earlier versions of rally added an entry for the end of
//! the file, which is understood too.
//!
//! A table is believed only as far as it can be shown to fit: a wrong one would have documents sent twice and others never.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rally_support::whole_file;

use super::offsets::{LINES_PER_OFFSET, LineCounter, LineOffsets};

/// The number of spans between two offsets that are counted, spread over the table: a table of other data, or one that is off by a
/// line, has hardly a right one.
const SPANS_COUNTED: usize = 4;

/// The largest offset file that is read: enough for 10^11 lines.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// Why an offset file was not used. It is not an error of the data: the lines are counted again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OffsetFileError {
    /// It cannot be read or written.
    #[error("cannot use '{}': {source}", path.display())]
    Io {
        /// The offset file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// The data are newer.
    #[error("'{}' is older than the data", path.display())]
    Outdated {
        /// The offset file.
        path: PathBuf,
    },
    /// It does not fit the data.
    #[error("'{}' does not fit the data: {reason}", path.display())]
    Inconsistent {
        /// The offset file.
        path: PathBuf,
        /// What does not fit.
        reason: &'static str,
    },
}

impl LineOffsets {
    /// Reads an offset file of the data file `data`. Each offset must follow a newline, the lines of some spans are counted
    /// and those after the last offset, so only a bounded part of the data is read.
    ///
    /// # Errors
    /// [`OffsetFileError`] if the file cannot be trusted; the caller then counts with [`LineOffsets::scan`].
    pub fn load(offset_file: &Path, data: &File) -> Result<LineOffsets, OffsetFileError> {
        let failed = |source| OffsetFileError::Io { path: offset_file.to_owned(), source };
        let bad = |reason| OffsetFileError::Inconsistent { path: offset_file.to_owned(), reason };
        let own = fs::metadata(offset_file).map_err(failed)?;
        let of_data = data.metadata().map_err(failed)?;
        if own.modified().map_err(failed)? < of_data.modified().map_err(failed)? {
            return Err(OffsetFileError::Outdated { path: offset_file.to_owned() });
        }
        if own.len() > MAX_BYTES {
            return Err(bad("it is too large"));
        }
        let text = fs::read_to_string(offset_file).map_err(failed)?;
        let byte_count = of_data.len();

        let mut offsets = vec![0];
        let mut end = None;
        for line in text.lines() {
            let (number, offset) = line.trim().split_once(';').ok_or(bad("a line is not [line;offset]"))?;
            let number: u64 = number.parse().map_err(|_| bad("a line number is not a number"))?;
            let offset: u64 = offset.parse().map_err(|_| bad("an offset is not a number"))?;
            if end.is_some() || offset > byte_count {
                return Err(bad("it goes beyond the end of the data"));
            }
            if offset == byte_count {
                end = Some(number);
                continue;
            }
            if number != offsets.len() as u64 * LINES_PER_OFFSET {
                return Err(bad("its lines are not 50000 apart"));
            }
            if offset <= offsets[offsets.len() - 1] {
                return Err(bad("its offsets do not rise"));
            }
            let mut before = [0];
            data.read_exact_at(&mut before, offset - 1).map_err(failed)?;
            if before != [b'\n'] {
                return Err(bad("no line begins at one of its offsets"));
            }
            offsets.push(offset);
        }

        let spans = offsets.len() - 1;
        for index in (0..spans).step_by(spans.div_ceil(SPANS_COUNTED).max(1)) {
            let (from, to) = (offsets[index], offsets[index + 1]);
            if count_from(data, from, to).map_err(failed)? != LINES_PER_OFFSET {
                return Err(bad("its lines are not 50000 apart in the data"));
            }
        }
        let tail = count_from(data, offsets[offsets.len() - 1], byte_count).map_err(failed)?;
        let line_count = (offsets.len() as u64 - 1) * LINES_PER_OFFSET + tail;
        if tail > LINES_PER_OFFSET {
            return Err(bad("it ends too early"));
        }
        if end.is_some_and(|end| end != line_count) {
            return Err(bad("the number of lines differs"));
        }
        Ok(LineOffsets { lines_per_offset: LINES_PER_OFFSET, offsets, line_count, byte_count })
    }

    /// Writes an offset file that Rally can read too, whole or not at all.
    ///
    /// # Errors
    /// [`OffsetFileError::Io`] if it cannot be written.
    pub fn store(&self, offset_file: &Path) -> Result<(), OffsetFileError> {
        let mut text = String::new();
        for (index, offset) in self.offsets.iter().enumerate().skip(1) {
            text.push_str(&format!("{};{offset}\n", index as u64 * self.lines_per_offset));
        }
        // No line begins at the end of the data, but Rally has an entry for it if it is due there.
        if self.line_count > 0 && self.line_count.is_multiple_of(self.lines_per_offset) {
            text.push_str(&format!("{};{}\n", self.line_count, self.byte_count));
        }
        whole_file::replace(offset_file, text.as_bytes())
            .map_err(|source| OffsetFileError::Io { path: offset_file.to_owned(), source })
    }
}

/// Lines from a byte offset to another, given up after a few more than there may be.
fn count_from(data: &File, start: u64, byte_count: u64) -> io::Result<u64> {
    let mut counter = LineCounter::new(u64::MAX);
    let mut buffer = vec![0; 256 * 1024];
    let mut offset = start;
    while offset < byte_count {
        let wanted = buffer.len().min((byte_count - offset) as usize);
        data.read_exact_at(&mut buffer[..wanted], offset)?;
        counter.push(&buffer[..wanted]);
        offset += wanted as u64;
        if counter.newlines() > LINES_PER_OFFSET {
            break;
        }
    }
    Ok(counter.finish().line_count())
}
