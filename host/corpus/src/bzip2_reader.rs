//! Unpacks bzip2 with all cores.
//!
//! ```text
//!             Segment                  Slot, in order
//! scan thread ──────▶ worker threads        │
//!      │                    │ pieces        ▼
//!      └────────────────────┴──────▶ ParallelBzip2Reader: order, stream checksums, false candidates
//! ```
//! Every queue is short, so a slow reader stops the threads. A segment whose bits are no block ended at a pattern that
//! is part of its data; it is joined with the next ones until the block is whole.

use std::io::{self, BufRead, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use super::bzip2_block::{BlockProbe, Probe, decode_block};
use super::bzip2_scan::{Segment, SegmentKind, Segments};
use super::stream::{Position, StreamDamage, read_buffered};

/// More threads are not needed to keep a disk busy, and each may hold some megabytes.
const MAX_THREADS: usize = 64;

/// The report of a worker about its segment.
enum Piece {
    /// Verified content.
    Content(Vec<u8>),
    /// The block is complete; its checksum.
    Complete(u32),
    /// The segment is not one whole block.
    NotABlock(Segment),
}

/// A segment's place in the order.
enum Slot {
    /// A segment that needs no decoding.
    Plain(Segment),
    /// A block: what was received already, and what will be.
    Decoding { start_byte: u64, end_byte: u64, first: Option<Piece>, rest: Receiver<Piece> },
    /// The file could not be read on.
    Failed(io::Error),
}

struct Job {
    segment: Segment,
    pieces: SyncSender<Piece>,
}

/// Unpacked content of a bzip2 file of one or more streams. Damage is reported as an [`io::Error`] that carries a
/// [`StreamDamage`]; bytes that were read before it are verified.
pub struct ParallelBzip2Reader {
    slots: Option<Receiver<Slot>>,
    put_back: Option<Slot>,
    current: Option<(Slot, u64)>,
    state: State,
    checksum: u32,
    piece: Vec<u8>,
    taken: usize,
    position: Position,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first header.
    Start,
    /// After a header or a block: a block or the end of the stream must follow.
    InStream,
    /// After the end of the last stream.
    Ended,
    /// After damage, which was reported.
    Failed,
}

impl ParallelBzip2Reader {
    /// Starts to unpack with a thread per core.
    ///
    /// # Errors
    /// Threads cannot be started.
    pub fn new(source: impl Read + Send + 'static) -> io::Result<ParallelBzip2Reader> {
        ParallelBzip2Reader::with_position(source, Position::default())
    }

    pub(super) fn with_position(
        source: impl Read + Send + 'static,
        position: Position,
    ) -> io::Result<ParallelBzip2Reader> {
        let workers = thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS);
        let (slot_sender, slots) = sync_channel(workers + 1);
        let (job_sender, jobs) = sync_channel::<Job>(1);
        let jobs = Arc::new(Mutex::new(jobs));
        let mut reader = ParallelBzip2Reader {
            slots: Some(slots),
            put_back: None,
            current: None,
            state: State::Start,
            checksum: 0,
            piece: Vec::new(),
            taken: 0,
            position,
            threads: Vec::with_capacity(workers + 1),
        };
        for _ in 0..workers {
            let jobs = Arc::clone(&jobs);
            let worker = thread::Builder::new().name("bunzip2".to_owned());
            match worker.spawn(move || work(&jobs)) {
                Ok(thread) => reader.threads.push(thread),
                Err(error) => {
                    // The workers that did start end only without a sender, and dropping the reader waits for them.
                    drop(job_sender);
                    return Err(error);
                }
            }
        }
        let scan = thread::Builder::new().name("bzip2 scan".to_owned());
        reader.threads.push(scan.spawn(move || dispatch(source, &slot_sender, &job_sender))?);
        Ok(reader)
    }

    /// The next piece of content; empty at the end.
    fn next_piece(&mut self) -> io::Result<Vec<u8>> {
        loop {
            if let Some((slot, start_byte)) = &mut self.current {
                let start_byte = *start_byte;
                match slot.next_piece() {
                    Some(Piece::Content(piece)) => return Ok(piece),
                    Some(Piece::Complete(checksum)) => {
                        self.checksum = self.checksum.rotate_left(1) ^ checksum;
                        self.position.set(slot.end_byte());
                        self.current = None;
                    }
                    Some(Piece::NotABlock(segment)) => {
                        self.current = None;
                        self.join_segments(segment)?;
                    }
                    None => {
                        let reason = "the decoder gave up";
                        return Err(StreamDamage::Corrupt { offset: start_byte, reason }.into());
                    }
                }
                continue;
            }
            match self.next_slot() {
                Some(slot) => self.accept(slot)?,
                None if self.state == State::Ended => return Ok(Vec::new()),
                None => {
                    return Err(StreamDamage::Truncated { offset: self.position.get() }.into());
                }
            }
        }
    }

    fn next_slot(&mut self) -> Option<Slot> {
        self.put_back.take().or_else(|| self.slots.as_ref().and_then(|slots| slots.recv().ok()))
    }

    /// Checks that a segment may stand where it does.
    fn accept(&mut self, slot: Slot) -> io::Result<()> {
        match slot {
            Slot::Failed(error) => Err(error),
            Slot::Decoding { start_byte, .. } => {
                if self.state != State::InStream {
                    return Err(not_bzip2(start_byte));
                }
                self.current = Some((slot, start_byte));
                Ok(())
            }
            Slot::Plain(segment) => {
                self.position.set(segment.end_bit / 8);
                match (segment.kind, self.state) {
                    (SegmentKind::Head, State::Start) => self.header(&segment.bytes, 0, &segment),
                    (SegmentKind::End, State::InStream) => self.end_of_stream(&segment),
                    _ => Err(not_bzip2(segment.start_byte())),
                }
            }
        }
    }

    /// A stream's header, which must be followed by a block or the stream's end.
    fn header(&mut self, header: &[u8], offset: u64, segment: &Segment) -> io::Result<()> {
        match header {
            [b'B', b'Z', b'h', b'1'..=b'9'] if !segment.at_end_of_file => {
                self.state = State::InStream;
                self.checksum = 0;
                Ok(())
            }
            _ if segment.at_end_of_file && (header.len() <= 4 || header.starts_with(b"BZh")) => {
                let whole = header.iter().zip(b"BZh").all(|(a, b)| a == b);
                let end = segment.end_bit / 8;
                Err(if whole { StreamDamage::Truncated { offset: end }.into() } else { not_bzip2(offset) })
            }
            _ => Err(not_bzip2(offset)),
        }
    }

    /// Verifies the checksum of a whole stream. The file ends there, or another stream begins.
    fn end_of_stream(&mut self, segment: &Segment) -> io::Result<()> {
        if segment.bits() < 48 + 32 {
            return Err(if segment.at_end_of_file {
                StreamDamage::Truncated { offset: segment.end_bit / 8 }.into()
            } else {
                not_bzip2(segment.start_byte())
            });
        }
        let shift = segment.shift();
        let mut checksum = 0_u64;
        for &byte in segment.bytes.iter().skip(6).take(5) {
            checksum = checksum << 8 | u64::from(byte);
        }
        let taken = segment.bytes.len().min(11) - 6;
        checksum <<= 8 * (5 - taken);
        let checksum = (checksum >> (8 - shift)) as u32;
        if checksum != self.checksum {
            let reason = "the checksum of the stream that ends there is wrong";
            return Err(StreamDamage::Corrupt { offset: segment.start_byte(), reason }.into());
        }
        let end = (segment.start_bit + 48 + 32).div_ceil(8);
        let rest = &segment.bytes[(end - segment.start_byte()) as usize..];
        // Tapes and block devices pad files with zeros, which bunzip2 ignores.
        if segment.at_end_of_file && rest.iter().all(|byte| *byte == 0) {
            self.state = State::Ended;
            return Ok(());
        }
        if !segment.end_bit.is_multiple_of(8) {
            return Err(not_bzip2(end));
        }
        self.header(rest, end, segment).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => {
                let reason = "there are other data after the end of the bzip2 stream";
                StreamDamage::Corrupt { offset: end, reason }.into()
            }
            _ => error,
        })
    }

    /// Joins a segment with the ones that follow it until they are one block.
    fn join_segments(&mut self, first: Segment) -> io::Result<()> {
        let start_byte = first.start_byte();
        let corrupt = || {
            let reason = "the block that begins there cannot be decoded or its checksum is wrong";
            io::Error::from(StreamDamage::Corrupt { offset: start_byte, reason })
        };
        let mut joined = first;
        let mut last: Option<Segment> = None;
        let mut probe = BlockProbe::new().map_err(|_| corrupt())?;
        loop {
            match probe.feed(&joined) {
                Probe::Damaged => return Err(corrupt()),
                Probe::Ended => break,
                Probe::Unfinished if joined.at_end_of_file => {
                    return Err(StreamDamage::Truncated { offset: joined.end_bit / 8 }.into());
                }
                Probe::Unfinished => {}
            }
            let next = match self.next_slot() {
                None => return Err(corrupt()),
                Some(Slot::Failed(error)) => return Err(error),
                Some(Slot::Plain(segment)) => segment,
                Some(mut slot) => match slot.next_piece() {
                    Some(Piece::NotABlock(segment)) => segment,
                    None => return Err(corrupt()),
                    Some(piece) => {
                        // A true block: the one before it must be whole.
                        slot.put_back(piece);
                        self.put_back = Some(slot);
                        break;
                    }
                },
            };
            joined.append(&next);
            last = Some(next);
        }

        // The block ends with the last segment that was joined or, if its last bits were in that one's first byte,
        // before it.
        let has_end = last.as_ref().is_some_and(|last| last.kind == SegmentKind::End);
        let (is_cut_off, file_end) = (joined.at_end_of_file && !has_end, joined.end_bit / 8);
        let decoded = decode_all(&joined).or_else(|| {
            let last = last.filter(|_| self.put_back.is_none())?;
            joined.truncate(last.start_bit);
            let decoded = decode_all(&joined)?;
            self.put_back = Some(match last.kind {
                SegmentKind::Block => Slot::not_a_block(last),
                _ => Slot::Plain(last),
            });
            Some(decoded)
        });
        match decoded {
            Some(slot) => self.current = Some((slot, start_byte)),
            // A block that is followed by the rest of a pattern.
            None if is_cut_off => return Err(StreamDamage::Truncated { offset: file_end }.into()),
            None => return Err(corrupt()),
        }
        Ok(())
    }
}

/// Decodes a joined block here and now.
fn decode_all(segment: &Segment) -> Option<Slot> {
    let mut pieces = Vec::new();
    let checksum = decode_block(segment, &mut |piece| {
        pieces.push(piece);
        true
    })
    .ok()?;
    let (sender, rest) = sync_channel(pieces.len() + 1);
    for piece in pieces {
        let _ = sender.send(Piece::Content(piece));
    }
    let _ = sender.send(Piece::Complete(checksum));
    Some(Slot::Decoding {
        start_byte: segment.start_byte(),
        end_byte: segment.end_bit / 8,
        first: None,
        rest,
    })
}

fn not_bzip2(offset: u64) -> io::Error {
    let reason = if offset == 0 { "this is not a bzip2 file" } else { "no bzip2 block begins there" };
    StreamDamage::Corrupt { offset, reason }.into()
}

impl Slot {
    fn next_piece(&mut self) -> Option<Piece> {
        match self {
            Slot::Decoding { first, rest, .. } => first.take().or_else(|| rest.recv().ok()),
            _ => None,
        }
    }

    fn put_back(&mut self, piece: Piece) {
        if let Slot::Decoding { first, .. } = self {
            *first = Some(piece);
        }
    }

    fn end_byte(&self) -> u64 {
        match self {
            Slot::Decoding { end_byte, .. } => *end_byte,
            Slot::Plain(segment) => segment.end_bit / 8,
            Slot::Failed(_) => 0,
        }
    }

    fn not_a_block(segment: Segment) -> Slot {
        let (_, rest) = sync_channel(1);
        Slot::Decoding {
            start_byte: segment.start_byte(),
            end_byte: segment.end_bit / 8,
            first: Some(Piece::NotABlock(segment)),
            rest,
        }
    }
}

/// Reads and cuts the file, and gives blocks to the workers in order.
fn dispatch(source: impl Read, slots: &SyncSender<Slot>, jobs: &SyncSender<Job>) {
    let mut segments = Segments::new(source);
    loop {
        let segment = match segments.next_segment() {
            Ok(Some(segment)) => segment,
            Ok(None) => return,
            Err(error) => {
                let _ = slots.send(Slot::Failed(error));
                return;
            }
        };
        if segment.kind != SegmentKind::Block {
            if slots.send(Slot::Plain(segment)).is_err() {
                return;
            }
            continue;
        }
        let (pieces, rest) = sync_channel(2);
        let slot = Slot::Decoding {
            start_byte: segment.start_byte(),
            end_byte: segment.end_bit / 8,
            first: None,
            rest,
        };
        // Errors mean that the reader was dropped.
        if slots.send(slot).is_err() || jobs.send(Job { segment, pieces }).is_err() {
            return;
        }
    }
}

fn work(jobs: &Mutex<Receiver<Job>>) {
    loop {
        let job = match jobs.lock() {
            Ok(jobs) => jobs.recv(),
            Err(_) => return,
        };
        let Ok(Job { segment, pieces }) = job else { return };
        let decoded = decode_block(&segment, &mut |piece| pieces.send(Piece::Content(piece)).is_ok());
        // The receiver is gone if the segment turned out not to begin a block, or the reader was dropped.
        let _ = pieces.send(match decoded {
            Ok(checksum) => Piece::Complete(checksum),
            Err(_) => Piece::NotABlock(segment),
        });
    }
}

impl BufRead for ParallelBzip2Reader {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.taken == self.piece.len() {
            if self.state == State::Failed {
                return Err(io::Error::other("the bzip2 stream failed before"));
            }
            self.taken = 0;
            self.piece = match self.next_piece() {
                Ok(piece) => piece,
                Err(error) => {
                    self.state = State::Failed;
                    self.piece = Vec::new();
                    return Err(error);
                }
            };
        }
        Ok(&self.piece[self.taken..])
    }

    fn consume(&mut self, count: usize) {
        self.taken = (self.taken + count).min(self.piece.len());
    }
}

impl Read for ParallelBzip2Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        read_buffered(self, buffer)
    }
}

impl Drop for ParallelBzip2Reader {
    fn drop(&mut self) {
        // Without receivers every send fails, and the threads end.
        self.slots = None;
        self.put_back = None;
        self.current = None;
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl std::fmt::Debug for ParallelBzip2Reader {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ParallelBzip2Reader").field("state", &self.state).finish_non_exhaustive()
    }
}
