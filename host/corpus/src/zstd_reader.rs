//! Unpacks zstd, several frames at a time where the file has several.
//!
//! ```text
//!             Job                      pieces, per frame
//! scan thread ───▶ worker threads ──────────────┐
//!      │                                        ▼
//!      └─────────── Slot, in order ───▶ ParallelZstdReader
//! ```
//! A short frame is handed to a worker whole, so the next worker gets the next one. The blocks of a long frame are passed on
//! as they are read: it is unpacked by one worker, because its blocks refer to each other. Every queue is short, so a slow
//! reader stops the threads.

use std::io::{self, BufRead, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use zstd::zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer, ResetDirective, get_error_name};

use super::stream::{PIECE_BYTES, Position, StreamDamage, read_buffered};
use super::zstd_frames::{FrameHeader, Frames, MAX_WINDOW_LOG};

/// More threads are not needed to keep a disk busy, and each may hold some megabytes.
const MAX_THREADS: usize = 16;

/// Frames that are longer, packed, are handed over in parts.
const WHOLE_BYTES: usize = 8 << 20;

/// Frames that need more memory are not unpacked beside others.
const WHOLE_WINDOW_BYTES: u64 = 32 << 20;

/// Bytes of a long frame that are handed over at a time.
const PART_BYTES: usize = 256 * 1024;

/// Content that may wait for its turn, all workers together.
const WAITING_BYTES: usize = 256 << 20;

/// The report of a worker about its frame.
enum Piece {
    /// Content, and how far in the file it comes from.
    Content(Vec<u8>, u64),
    /// The frame is complete and its checksum, if it has one, is right.
    Complete,
    /// The frame is damaged, or the file cannot be read.
    Failed(io::Error),
}

/// A frame's place in the order.
enum Slot {
    Frame(Receiver<Piece>),
    /// The file ends well.
    End,
    /// The file cannot be read or cut into frames from here on.
    Failed(io::Error),
}

struct Job {
    start_byte: u64,
    bytes: Vec<u8>,
    /// The other parts of a long frame.
    rest: Option<Receiver<io::Result<Vec<u8>>>>,
    pieces: SyncSender<Piece>,
}

/// Unpacked content of a zstd file. Damage is reported as an [`io::Error`] that carries a [`StreamDamage`].
pub struct ParallelZstdReader {
    slots: Option<Receiver<Slot>>,
    current: Option<Receiver<Piece>>,
    piece: Vec<u8>,
    taken: usize,
    ended: bool,
    failed: bool,
    position: Position,
    threads: Vec<JoinHandle<()>>,
}

impl ParallelZstdReader {
    /// Starts to unpack with a thread per core.
    ///
    /// # Errors
    /// Threads cannot be started.
    pub fn new(source: impl Read + Send + 'static) -> io::Result<ParallelZstdReader> {
        ParallelZstdReader::with_position(source, Position::default())
    }

    pub(super) fn with_position(
        source: impl Read + Send + 'static,
        position: Position,
    ) -> io::Result<ParallelZstdReader> {
        let workers = thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS);
        let pieces_ahead = (WAITING_BYTES / workers / PIECE_BYTES).clamp(4, 32);
        let (slot_sender, slots) = sync_channel(workers + 1);
        let (job_sender, jobs) = sync_channel::<Job>(1);
        let jobs = Arc::new(Mutex::new(jobs));
        let mut reader = ParallelZstdReader {
            slots: Some(slots),
            current: None,
            piece: Vec::new(),
            taken: 0,
            ended: false,
            failed: false,
            position,
            threads: Vec::with_capacity(workers + 1),
        };
        for _ in 0..workers {
            let jobs = Arc::clone(&jobs);
            match thread::Builder::new().name("unzstd".to_owned()).spawn(move || work(&jobs)) {
                Ok(thread) => reader.threads.push(thread),
                Err(error) => {
                    // The workers that did start end only without a sender, and dropping the reader waits for them.
                    drop(job_sender);
                    return Err(error);
                }
            }
        }
        let scan = thread::Builder::new().name("zstd scan".to_owned());
        reader.threads.push(scan.spawn(move || {
            let mut dispatcher = Dispatcher {
                frames: Frames::new(source),
                slots: slot_sender,
                jobs: job_sender,
                pieces_ahead,
            };
            dispatcher.run();
        })?);
        Ok(reader)
    }

    /// The next piece of content; empty at the end.
    fn next_piece(&mut self) -> io::Result<Vec<u8>> {
        loop {
            if let Some(pieces) = &self.current {
                match pieces.recv() {
                    Ok(Piece::Content(piece, position)) => {
                        self.position.set(position);
                        return Ok(piece);
                    }
                    Ok(Piece::Complete) => self.current = None,
                    Ok(Piece::Failed(error)) => return Err(error),
                    Err(_) => return Err(io::Error::other("an unpacking thread ended early")),
                }
                continue;
            }
            match self.slots.as_ref().and_then(|slots| slots.recv().ok()) {
                Some(Slot::Frame(pieces)) => self.current = Some(pieces),
                Some(Slot::End) => {
                    self.ended = true;
                    return Ok(Vec::new());
                }
                Some(Slot::Failed(error)) => return Err(error),
                None => return Err(io::Error::other("the scanning thread ended early")),
            }
        }
    }
}

/// Reads the file, and gives frames to the workers in order.
struct Dispatcher<R> {
    frames: Frames<R>,
    slots: SyncSender<Slot>,
    jobs: SyncSender<Job>,
    pieces_ahead: usize,
}

/// The reader was dropped.
struct Dropped;

impl<R: Read> Dispatcher<R> {
    fn run(&mut self) {
        loop {
            let mut bytes = Vec::new();
            let outcome = match self.frames.next_frame(&mut bytes) {
                Ok(Some(frame)) => self.frame(&frame, bytes),
                Ok(None) => {
                    let _ = self.slots.send(Slot::End);
                    return;
                }
                Err(error) => Ok(Err(error)),
            };
            match outcome {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    let _ = self.slots.send(Slot::Failed(error));
                    return;
                }
                Err(Dropped) => return,
            }
        }
    }

    /// Gives a frame, whose header was read, to a worker. An error of the file comes back if no worker knows of it.
    fn frame(&mut self, frame: &FrameHeader, mut bytes: Vec<u8>) -> Result<io::Result<()>, Dropped> {
        let at_once = if frame.window_bytes > WHOLE_WINDOW_BYTES { PART_BYTES } else { WHOLE_BYTES };
        let is_whole = match self.frames.read_blocks(frame, at_once, &mut bytes) {
            Ok(is_whole) => is_whole,
            Err(error) => return Ok(Err(error)),
        };
        let (pieces, receiver) = sync_channel(self.pieces_ahead);
        let (parts, rest) = sync_channel(4);
        let job = Job { start_byte: frame.start_byte, bytes, rest: (!is_whole).then_some(rest), pieces };
        self.slots.send(Slot::Frame(receiver)).map_err(|_| Dropped)?;
        self.jobs.send(job).map_err(|_| Dropped)?;
        let mut ended = is_whole;
        while !ended {
            let mut part = Vec::with_capacity(2 * PART_BYTES);
            let read = self.frames.read_blocks(frame, PART_BYTES, &mut part);
            ended = *read.as_ref().unwrap_or(&true);
            let failed = read.is_err();
            // The receiver is gone after damage, which the worker has reported, or if the reader was dropped.
            parts.send(read.map(|_| part)).map_err(|_| Dropped)?;
            if failed {
                return Err(Dropped);
            }
        }
        Ok(Ok(()))
    }
}

fn work(jobs: &Mutex<Receiver<Job>>) {
    let mut context = DCtx::create();
    loop {
        let job = match jobs.lock() {
            Ok(jobs) => jobs.recv(),
            Err(_) => return,
        };
        let Ok(job) = job else { return };
        let Job { start_byte, bytes, rest, pieces } = job;
        let mut decoding = Decoding {
            context: &mut context,
            start_byte,
            consumed: 0,
            piece: Vec::new(),
            pieces: &pieces,
            complete: false,
        };
        let last = match decoding.all(bytes, rest) {
            Ok(Ok(())) => Piece::Complete,
            Ok(Err(error)) => Piece::Failed(error),
            // The reader was dropped.
            Err(Dropped) => continue,
        };
        let _ = pieces.send(last);
    }
}

/// A frame that is being unpacked.
struct Decoding<'a> {
    context: &'a mut DCtx<'static>,
    start_byte: u64,
    consumed: u64,
    piece: Vec<u8>,
    pieces: &'a SyncSender<Piece>,
    complete: bool,
}

impl Decoding<'_> {
    fn all(
        &mut self,
        first: Vec<u8>,
        rest: Option<Receiver<io::Result<Vec<u8>>>>,
    ) -> Result<io::Result<()>, Dropped> {
        let prepared = self
            .context
            .reset(ResetDirective::SessionAndParameters)
            .and_then(|_| self.context.set_parameter(DParameter::WindowLogMax(MAX_WINDOW_LOG)));
        if let Err(code) = prepared {
            return Ok(Err(self.damage(get_error_name(code))));
        }
        let parts = [Ok(first)].into_iter().chain(rest.into_iter().flatten());
        for part in parts {
            let decoded = match part {
                Ok(part) => self.part(&part)?,
                Err(error) => Err(error),
            };
            if let Err(error) = decoded {
                return Ok(Err(error));
            }
        }
        if !self.complete {
            return Ok(Err(self.damage("the frame ends before its content does")));
        }
        self.emit()?;
        Ok(Ok(()))
    }

    /// Unpacks a part of the frame wholly.
    fn part(&mut self, bytes: &[u8]) -> Result<io::Result<()>, Dropped> {
        let mut input = InBuffer::around(bytes);
        loop {
            if self.complete {
                let nothing_left = input.pos() == bytes.len();
                return Ok(if nothing_left { Ok(()) } else { Err(self.damage("the frame ends too early")) });
            }
            if self.piece.capacity() == 0 {
                self.piece.reserve_exact(PIECE_BYTES);
            }
            let (before, length) = (input.pos(), self.piece.len());
            let mut output = OutBuffer::around_pos(&mut self.piece, length);
            let result = self.context.decompress_stream(&mut output, &mut input);
            self.consumed += (input.pos() - before) as u64;
            match result {
                Ok(hint) => self.complete = hint == 0,
                Err(code) => return Ok(Err(self.damage(get_error_name(code)))),
            }
            if self.piece.len() == self.piece.capacity() {
                self.emit()?;
            } else if input.pos() == bytes.len() && !self.complete {
                // All that could come out of this part did.
                return Ok(Ok(()));
            }
        }
    }

    fn emit(&mut self) -> Result<(), Dropped> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = std::mem::take(&mut self.piece);
        self.pieces.send(Piece::Content(piece, self.start_byte + self.consumed)).map_err(|_| Dropped)
    }

    fn damage(&self, reason: &'static str) -> io::Error {
        StreamDamage::Corrupt { offset: self.start_byte + self.consumed, reason }.into()
    }
}

impl BufRead for ParallelZstdReader {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.taken == self.piece.len() && !self.ended {
            if self.failed {
                return Err(io::Error::other("the zstd stream failed before"));
            }
            self.taken = 0;
            self.piece = Vec::new();
            self.piece = self.next_piece().inspect_err(|_| self.failed = true)?;
        }
        Ok(&self.piece[self.taken..])
    }

    fn consume(&mut self, count: usize) {
        self.taken = (self.taken + count).min(self.piece.len());
    }
}

impl Read for ParallelZstdReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        read_buffered(self, buffer)
    }
}

impl Drop for ParallelZstdReader {
    fn drop(&mut self) {
        // Without receivers every send fails, and the threads end.
        self.slots = None;
        self.current = None;
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl std::fmt::Debug for ParallelZstdReader {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ParallelZstdReader").field("ended", &self.ended).finish_non_exhaustive()
    }
}
