//! Frames: four bytes with the length of what follows (big endian), then JSON.

use std::io::{self, ErrorKind, Read, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Greeting;

/// Longer frames are refused, bytes: the figures of a second take some hundred kilobytes at most, and whatever comes first on a
/// stream that is not of a load driver is taken for a length.
pub const LONGEST_FRAME: usize = 64 << 20;

/// What is wrong with the connection to a load driver, or to the process that conducts the race.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The other end is gone.
    #[error("the other end has closed the connection")]
    Closed,
    /// The other end is gone in the middle of a frame.
    #[error("the connection ended after {got} of the {expected} bytes of a frame")]
    Truncated {
        /// Bytes that the frame has, or its length.
        expected: usize,
        /// Bytes that came.
        got: usize,
    },
    /// A frame that nobody would send.
    #[error(
        "a frame of {length} bytes is longer than {LONGEST_FRAME}: the other end is not a load driver of rally"
    )]
    TooLong {
        /// Its length.
        length: usize,
    },
    /// A frame that makes no sense.
    #[error("a frame that is not a message of the load driver's protocol: {0}")]
    Malformed(#[source] serde_json::Error),
    /// The other end speaks another version.
    #[error(
        "the other end speaks version {} of the load driver's protocol (rally {}), this one version {} (rally {}); \
         install the same version of rally on both",
        theirs.protocol, theirs.version, own.protocol, own.version
    )]
    Version {
        /// What the other end says of itself.
        theirs: Greeting,
        /// What this end says of itself.
        own: Greeting,
    },
    /// The other end does not answer.
    #[error("the other end did not answer within {seconds} s")]
    Silent {
        /// How long it was waited for.
        seconds: u64,
    },
    /// The connection failed.
    #[error("the connection failed")]
    Io(#[from] io::Error),
}

/// Writes a message as one frame.
pub(super) fn write(to: &mut impl Write, message: &impl Serialize) -> Result<(), WireError> {
    let text = serde_json::to_vec(message).map_err(WireError::Malformed)?;
    let length = match u32::try_from(text.len()) {
        Ok(length) if text.len() <= LONGEST_FRAME => length,
        _ => return Err(WireError::TooLong { length: text.len() }),
    };
    let frame = [&length.to_be_bytes(), text.as_slice()].concat();
    to.write_all(&frame).and_then(|()| to.flush()).map_err(|error| match error.kind() {
        ErrorKind::BrokenPipe | ErrorKind::ConnectionReset => WireError::Closed,
        _ => WireError::Io(error),
    })
}

/// Reads the next message.
pub(super) fn read<Message: DeserializeOwned>(from: &mut impl Read) -> Result<Message, WireError> {
    let mut length = [0; 4];
    match fill(from, &mut length)? {
        4 => {}
        0 => return Err(WireError::Closed),
        got => return Err(WireError::Truncated { expected: 4, got }),
    }
    let length = u32::from_be_bytes(length) as usize;
    if length > LONGEST_FRAME {
        return Err(WireError::TooLong { length });
    }
    let mut text = Vec::new();
    // What is not there is not made room for.
    let got = from.take(length as u64).read_to_end(&mut text)?;
    if got < length {
        return Err(WireError::Truncated { expected: length, got });
    }
    serde_json::from_slice(&text).map_err(WireError::Malformed)
}

/// Fills the buffer as far as there is something.
fn fill(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut got = 0;
    while got < buffer.len() {
        match from.read(&mut buffer[got..]) {
            Ok(0) => break,
            Ok(more) => got += more,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(got)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(bytes: &[u8]) -> Result<Greeting, WireError> {
        read(&mut &bytes[..])
    }

    fn frame(text: &str) -> Vec<u8> {
        [&(text.len() as u32).to_be_bytes(), text.as_bytes()].concat()
    }

    #[test]
    fn a_frame_that_was_written_is_read() {
        let mut bytes = Vec::new();
        write(&mut bytes, &Greeting::own()).unwrap();
        assert_eq!(read_text(&bytes).unwrap(), Greeting::own());
    }

    #[test]
    fn a_stream_that_ends_between_frames_is_closed() {
        assert!(matches!(read_text(b""), Err(WireError::Closed)));
    }

    #[test]
    fn a_frame_that_ends_early_is_truncated_wherever_it_ends() {
        let whole = frame(r#"{"protocol":1}"#);
        for end in 1..whole.len() {
            assert!(matches!(read_text(&whole[..end]), Err(WireError::Truncated { .. })), "{end}");
        }
    }

    #[test]
    fn a_frame_that_claims_to_be_too_long_is_refused_before_it_is_read() {
        // "HTTP" as a length.
        let error = read_text(b"HTTP/1.1 400 Bad Request\r\n").unwrap_err();
        assert!(matches!(error, WireError::TooLong { length: 0x4854_5450 }), "{error}");
    }

    #[test]
    fn a_frame_of_something_else_is_malformed() {
        for text in ["", "{", "[]", "null", "{\"protocol\":-1}", "\u{0}\u{1}"] {
            assert!(matches!(read_text(&frame(text)), Err(WireError::Malformed(_))), "{text:?}");
        }
    }
}
