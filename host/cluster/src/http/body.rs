//! The body of an answer, taken out of the bytes that carry it.

use super::response::BodyEnd;

/// Most bytes of chunk extensions and trailers, together.
const MAX_ASIDE: usize = 16 * 1024;

/// Takes a body out of what comes over the connection, however it is cut into pieces.
#[derive(Debug)]
pub struct BodyDecoder {
    state: State,
    aside: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// This many bytes are left of the whole body.
    Length(u64),
    /// All that comes.
    Close,
    /// Digits of a chunk's size; whether there was one yet.
    Size {
        size: u64,
        any: bool,
    },
    /// Behind the size: blanks and extensions, to the end of the line.
    Extension {
        size: u64,
    },
    /// The line feed behind a chunk's size.
    SizeFeed {
        size: u64,
    },
    /// This many bytes are left of a chunk.
    Chunk(u64),
    /// The line end behind a chunk.
    ChunkReturn,
    /// Its line feed.
    ChunkFeed,
    /// A trailer's line; whether it is empty so far.
    Trailer {
        empty: bool,
    },
    /// The line feed of a trailer's line.
    TrailerFeed {
        last: bool,
    },
    Done,
}

/// Chunks that break the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChunkError {
    /// No number, or one that is too large.
    #[error("invalid chunk size")]
    Size,
    /// Something else where a line has to end.
    #[error("invalid end of a chunk")]
    LineEnd,
    /// More beside the body than anybody needs.
    #[error("chunk extensions and trailers exceed {MAX_ASIDE} bytes")]
    TooMuchAside,
}

impl BodyDecoder {
    /// For a body that ends like this.
    pub fn new(end: BodyEnd) -> BodyDecoder {
        let state = match end {
            BodyEnd::Length(0) => State::Done,
            BodyEnd::Length(length) => State::Length(length),
            BodyEnd::Chunks => State::Size { size: 0, any: false },
            BodyEnd::Close => State::Close,
        };
        BodyDecoder { state, aside: 0 }
    }

    /// Whether all of the body has come.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Whether the end of the connection is the end of the body.
    pub fn ends_with_connection(&self) -> bool {
        matches!(self.state, State::Close | State::Done)
    }

    /// Takes bytes and hands the body's to `data`. Returns how many were taken; fewer than there are only where the body ends.
    ///
    /// # Errors
    /// Where chunks break the rules.
    pub fn take(&mut self, bytes: &[u8], mut data: impl FnMut(&[u8])) -> Result<usize, ChunkError> {
        let mut at = 0;
        while at < bytes.len() && self.state != State::Done {
            let rest = &bytes[at..];
            at += match self.state {
                State::Length(left) => {
                    let piece = first(rest, left);
                    data(piece);
                    self.state = match left - piece.len() as u64 {
                        0 => State::Done,
                        left => State::Length(left),
                    };
                    piece.len()
                }
                State::Close => {
                    data(rest);
                    rest.len()
                }
                State::Chunk(left) => {
                    let piece = first(rest, left);
                    data(piece);
                    self.state = match left - piece.len() as u64 {
                        0 => State::ChunkReturn,
                        left => State::Chunk(left),
                    };
                    piece.len()
                }
                _ => {
                    self.state = self.step(rest[0])?;
                    1
                }
            };
        }
        Ok(at)
    }

    /// One byte between the pieces of the body.
    fn step(&mut self, byte: u8) -> Result<State, ChunkError> {
        Ok(match (self.state, byte) {
            (State::Size { size, .. }, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                let digit = u64::from(char::from(byte).to_digit(16).ok_or(ChunkError::Size)?);
                if size >> 60 != 0 {
                    return Err(ChunkError::Size);
                }
                State::Size { size: size << 4 | digit, any: true }
            }
            (State::Size { size, any: true }, b'\r') => State::SizeFeed { size },
            (State::Size { size, any: true }, b'\t' | b' ' | b';') => State::Extension { size },
            (State::Size { .. }, _) => return Err(ChunkError::Size),
            (State::Extension { size }, b'\r') => State::SizeFeed { size },
            (State::Extension { .. }, b'\n') => return Err(ChunkError::LineEnd),
            (State::Extension { size }, _) => {
                self.count_aside()?;
                State::Extension { size }
            }
            (State::SizeFeed { size: 0 }, b'\n') => State::Trailer { empty: true },
            (State::SizeFeed { size }, b'\n') => State::Chunk(size),
            (State::ChunkReturn, b'\r') => State::ChunkFeed,
            (State::ChunkFeed, b'\n') => State::Size { size: 0, any: false },
            (State::Trailer { empty }, b'\r') => State::TrailerFeed { last: empty },
            (State::Trailer { .. }, _) => {
                self.count_aside()?;
                State::Trailer { empty: false }
            }
            (State::TrailerFeed { last: true }, b'\n') => State::Done,
            (State::TrailerFeed { last: false }, b'\n') => State::Trailer { empty: true },
            _ => return Err(ChunkError::LineEnd),
        })
    }

    fn count_aside(&mut self) -> Result<(), ChunkError> {
        self.aside += 1;
        if self.aside > MAX_ASIDE { Err(ChunkError::TooMuchAside) } else { Ok(()) }
    }
}

fn first(bytes: &[u8], most: u64) -> &[u8] {
    let length = usize::try_from(most).unwrap_or(usize::MAX).min(bytes.len());
    &bytes[..length]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What is taken out of the pieces, and how many bytes were taken.
    fn taken(end: BodyEnd, pieces: &[&[u8]]) -> Result<(Vec<u8>, usize, bool), ChunkError> {
        let mut decoder = BodyDecoder::new(end);
        let (mut body, mut count) = (Vec::new(), 0);
        for piece in pieces {
            count += decoder.take(piece, |data| body.extend_from_slice(data))?;
        }
        Ok((body, count, decoder.is_done()))
    }

    #[test]
    fn a_length_ends_the_body_and_leaves_what_follows() {
        let (body, count, done) = taken(BodyEnd::Length(5), &[b"hel", b"loHTTP"]).unwrap();
        assert_eq!((body.as_slice(), count, done), (&b"hello"[..], 5, true));
    }

    #[test]
    fn chunks_with_extensions_and_trailers_are_joined() {
        let text = b"5;a=b\r\nhello\r\n6 \r\n world\r\n0\r\nx-t: 1\r\n\r\nHTTP";
        let (body, count, done) = taken(BodyEnd::Chunks, &[text]).unwrap();
        assert_eq!((body.as_slice(), count, done), (&b"hello world"[..], text.len() - 4, true));
    }

    #[test]
    fn chunks_that_break_the_rules_are_refused() {
        for (text, error) in [
            ("\r\n", ChunkError::Size),
            ("x\r\n", ChunkError::Size),
            ("-5\r\n", ChunkError::Size),
            ("11111111111111111\r\n", ChunkError::Size),
            ("5\nhello", ChunkError::Size),
            ("5;a\nhello", ChunkError::LineEnd),
            ("5\r\rhello", ChunkError::LineEnd),
            ("5\r\nhello5\r\n", ChunkError::LineEnd),
            ("0\r\n\rx", ChunkError::LineEnd),
        ] {
            assert_eq!(taken(BodyEnd::Chunks, &[text.as_bytes()]), Err(error), "{text:?}");
        }
        let endless = format!("5;{}", "x".repeat(MAX_ASIDE + 1));
        assert_eq!(taken(BodyEnd::Chunks, &[endless.as_bytes()]), Err(ChunkError::TooMuchAside));
        let trailers = format!("0\r\n{}", "x: y\r\n".repeat(MAX_ASIDE));
        assert_eq!(taken(BodyEnd::Chunks, &[trailers.as_bytes()]), Err(ChunkError::TooMuchAside));
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..6), cuts in prop::collection::vec(0usize..400, 0..8)) {
            let mut wire = Vec::new();
            for chunk in &chunks {
                wire.extend_from_slice(format!("{:X}\r\n", chunk.len()).as_bytes());
                wire.extend_from_slice(chunk);
                wire.extend_from_slice(b"\r\n");
            }
            wire.extend_from_slice(b"0\r\n\r\n");
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut % (wire.len() + 1)).collect();
            cuts.extend([0, wire.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|cut| &wire[cut[0]..cut[1]]).collect();
            prop_assert_eq!(taken(BodyEnd::Chunks, &pieces), Ok((chunks.concat(), wire.len(), true)));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), length in any::<u64>()) {
            for end in [BodyEnd::Chunks, BodyEnd::Close, BodyEnd::Length(length)] {
                let _ = taken(end, &[&bytes]);
            }
        }
    }
}
