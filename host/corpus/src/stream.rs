//! Streams of unpacked bytes, with the place in the archive that they come from.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{self, JoinHandle};

use super::bzip2_reader::ParallelBzip2Reader;
use super::error::UnpackError;
use super::gzip_members::GzipMembers;
use super::zstd_reader::ParallelZstdReader;

/// Bytes that are handed over at a time.
pub(super) const PIECE_BYTES: usize = 1 << 20;

/// Pieces that a decoder may be ahead of the writer.
const PIECES_AHEAD: usize = 4;

/// How far an archive has been read, in bytes.
#[derive(Debug, Clone, Default)]
pub(super) struct Position(Arc<AtomicU64>);

impl Position {
    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn set(&self, offset: u64) {
        self.0.store(offset, Ordering::Relaxed);
    }

    fn advance(&self, bytes: usize) {
        self.0.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

/// A compressed stream that ends too early or is damaged, carried inside of an [`io::Error`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StreamDamage {
    /// The stream ends too early.
    #[error("truncated at byte {offset}")]
    Truncated {
        /// Byte offset in the compressed stream.
        offset: u64,
    },
    /// The stream is damaged.
    #[error("corrupt at byte {offset}: {reason}")]
    Corrupt {
        /// Byte offset in the compressed stream.
        offset: u64,
        /// What does not fit.
        reason: &'static str,
    },
    /// The stream uses something that rally does not read.
    #[error("{reason} at byte {offset} is not supported")]
    Unsupported {
        /// Byte offset in the compressed stream.
        offset: u64,
        /// What it uses.
        reason: &'static str,
    },
    /// A zstd frame asks for more memory than it may have.
    #[error("the zstd frame at byte {offset} needs a window of {needed} bytes, more than {limit}")]
    WindowTooLarge {
        /// Byte offset of the frame in the compressed stream.
        offset: u64,
        /// Bytes of memory that unpacking takes.
        needed: u64,
        /// Bytes that it may take.
        limit: u64,
    },
}

impl From<StreamDamage> for io::Error {
    fn from(damage: StreamDamage) -> io::Error {
        let kind = match damage {
            StreamDamage::Truncated { .. } => io::ErrorKind::UnexpectedEof,
            StreamDamage::Corrupt { .. } => io::ErrorKind::InvalidData,
            StreamDamage::Unsupported { .. } => io::ErrorKind::Unsupported,
            StreamDamage::WindowTooLarge { .. } => io::ErrorKind::OutOfMemory,
        };
        io::Error::new(kind, damage)
    }
}

/// Compression of a file or of a tar archive.
#[derive(Debug, Clone, Copy)]
pub(super) enum Compression {
    None,
    Gzip,
    Bzip2,
    Zstd,
}

/// Opens the unpacked content of a file; `position` follows the compressed bytes.
pub(super) fn unpacked(
    file: File,
    compression: Compression,
    position: &Position,
) -> io::Result<Box<dyn BufRead>> {
    match compression {
        Compression::Bzip2 => Ok(Box::new(ParallelBzip2Reader::with_position(file, position.clone())?)),
        Compression::Zstd => Ok(Box::new(ParallelZstdReader::with_position(file, position.clone())?)),
        Compression::Gzip => {
            let counted = CountingReader::new(file, position.clone());
            Ok(Box::new(ReadAhead::start(GzipMembers::new(counted))?))
        }
        Compression::None => Ok(Box::new(CountingReader::new(file, position.clone()))),
    }
}

/// Turns a failed read of an archive into what is wrong with it; `Err` if it is the disk that failed.
pub(super) fn damage(error: io::Error, position: u64) -> Result<UnpackError, io::Error> {
    if let Some(damage) = error.get_ref().and_then(|inner| inner.downcast_ref::<StreamDamage>()) {
        return Ok(match damage.clone() {
            StreamDamage::Truncated { offset } => UnpackError::Truncated { offset },
            StreamDamage::Corrupt { offset, reason } => {
                UnpackError::Corrupt { offset, reason: reason.to_owned() }
            }
            StreamDamage::Unsupported { reason, .. } => {
                UnpackError::Unsupported { reason: reason.to_owned() }
            }
            StreamDamage::WindowTooLarge { offset, needed, limit } => {
                UnpackError::WindowTooLarge { offset, needed, limit }
            }
        });
    }
    if error.raw_os_error().is_some() {
        return Err(error);
    }
    Ok(match error.kind() {
        io::ErrorKind::UnexpectedEof => UnpackError::Truncated { offset: position },
        _ => UnpackError::Corrupt { offset: position, reason: error.to_string() },
    })
}

/// Counts what is taken out of its buffer, not what is read ahead: errors point to the byte that caused them.
struct CountingReader {
    inner: BufReader<File>,
    position: Position,
}

impl CountingReader {
    fn new(file: File, position: Position) -> CountingReader {
        CountingReader { inner: BufReader::with_capacity(256 * 1024, file), position }
    }
}

impl Read for CountingReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.position.advance(count);
        Ok(count)
    }
}

impl BufRead for CountingReader {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.inner.consume(count);
        self.position.advance(count);
    }
}

/// Reads in a thread of its own, so that decoding goes on while pieces are written. Gzip cannot be decoded by
/// several threads: nothing in the format says where a piece could begin.
pub(super) struct ReadAhead {
    pieces: Option<Receiver<io::Result<Vec<u8>>>>,
    piece: Vec<u8>,
    taken: usize,
    ended: bool,
    thread: Option<JoinHandle<()>>,
}

impl ReadAhead {
    pub(super) fn start(mut source: impl Read + Send + 'static) -> io::Result<ReadAhead> {
        let (sender, receiver) = sync_channel(PIECES_AHEAD);
        let thread = thread::Builder::new().name("unpack".to_owned()).spawn(move || {
            loop {
                let mut piece = Vec::with_capacity(PIECE_BYTES);
                let result = source.by_ref().take(PIECE_BYTES as u64).read_to_end(&mut piece);
                // What came before an error is good and stays in front of it.
                let at_end = piece.len() < PIECE_BYTES;
                if !piece.is_empty() && sender.send(Ok(piece)).is_err() {
                    return;
                }
                if let Err(error) = result {
                    let _ = sender.send(Err(error));
                    return;
                }
                if at_end {
                    let _ = sender.send(Ok(Vec::new()));
                    return;
                }
            }
        })?;
        Ok(ReadAhead {
            pieces: Some(receiver),
            piece: Vec::new(),
            taken: 0,
            ended: false,
            thread: Some(thread),
        })
    }
}

impl BufRead for ReadAhead {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.taken == self.piece.len() && !self.ended {
            let next = self.pieces.as_ref().and_then(|pieces| pieces.recv().ok());
            self.piece = next.unwrap_or_else(|| Err(io::Error::other("the unpacking thread ended early")))?;
            self.taken = 0;
            self.ended = self.piece.is_empty();
        }
        Ok(&self.piece[self.taken..])
    }

    fn consume(&mut self, count: usize) {
        self.taken = (self.taken + count).min(self.piece.len());
    }
}

impl Read for ReadAhead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        read_buffered(self, buffer)
    }
}

impl Drop for ReadAhead {
    fn drop(&mut self) {
        // Without a receiver the thread's next send fails, and it ends.
        self.pieces = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// `Read::read` for a type that fills its own buffer.
pub(super) fn read_buffered(reader: &mut impl BufRead, buffer: &mut [u8]) -> io::Result<usize> {
    let available = reader.fill_buf()?;
    let count = available.len().min(buffer.len());
    buffer[..count].copy_from_slice(&available[..count]);
    reader.consume(count);
    Ok(count)
}
