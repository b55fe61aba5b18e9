//! Where the bytes of an answer go.

/// Takes the body of a successful answer, piece by piece, as it comes from the socket.
pub trait Sink {
    /// A new answer begins: forget the last one.
    fn begin(&mut self);

    /// The next piece.
    fn data(&mut self, piece: &[u8]);
}

/// Keeps the whole body.
#[derive(Debug, Default)]
pub struct Collect {
    /// The body so far.
    pub body: Vec<u8>,
}

impl Sink for Collect {
    fn begin(&mut self) {
        self.body.clear();
    }

    fn data(&mut self, piece: &[u8]) {
        self.body.extend_from_slice(piece);
    }
}

/// Drops the body, but remembers whether it looked like a JSON object from end to end. That unmasks pages of a proxy and
/// answers that were cut off, for the price of two bytes.
#[derive(Debug, Default)]
pub struct JsonObject {
    first: Option<u8>,
    last: Option<u8>,
}

impl JsonObject {
    /// `None` where the body began with `{` and ended with `}`, else what is wrong with it.
    pub fn problem(&self) -> Option<&'static str> {
        match (self.first, self.last) {
            (Some(b'{'), Some(b'}')) => None,
            (Some(b'{'), _) => Some("the answer is cut off: its JSON does not end"),
            (Some(b'<'), _) => Some("the answer is HTML, not JSON: is there a proxy in between?"),
            (None, _) => Some("the answer is empty"),
            _ => Some("the answer is not a JSON object"),
        }
    }
}

impl Sink for JsonObject {
    fn begin(&mut self) {
        *self = JsonObject::default();
    }

    fn data(&mut self, piece: &[u8]) {
        if self.first.is_none() {
            self.first = piece.iter().copied().find(|byte| !byte.is_ascii_whitespace());
        }
        if let Some(last) = piece.iter().rev().copied().find(|byte| !byte.is_ascii_whitespace()) {
            self.last = Some(last);
        }
    }
}
