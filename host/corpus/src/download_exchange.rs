//! A request and its answer on a thread of their own: neither making a connection nor reading from it can be cancelled, but nobody
//! has to wait for it.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use ureq::http::Response;
use ureq::typestate::WithoutBody;
use ureq::{Body, RequestBuilder};

use super::progress::Progress;

/// How often is asked whether the user has given up.
const POLL: Duration = Duration::from_millis(50);

const PIECE_BYTES: usize = 256 * 1024;

/// Pieces that wait to be written. More would only take memory where the disk is slower than the network.
const PIECES: usize = 4;

/// A request under way. Dropping it gives it up: its thread ends with the next piece, or when the server is silent for too long.
pub(super) struct Exchange {
    events: Receiver<Event>,
}

/// The messages of the thread, in this order. It ends after the body.
enum Event {
    Head(Result<Box<Response<()>>, Box<ureq::Error>>),
    Piece(io::Result<Vec<u8>>),
}

/// Why an exchange did not come to its end.
pub(super) enum ExchangeError {
    /// The user gave up.
    Cancelled,
    /// There is no answer.
    Request(Box<ureq::Error>),
    /// The answer broke off.
    Body(io::Error),
}

impl Exchange {
    /// Sends the request.
    ///
    /// # Errors
    /// There is no thread for it.
    pub(super) fn start(request: RequestBuilder<WithoutBody>) -> io::Result<Exchange> {
        let (sender, events) = sync_channel(PIECES);
        thread::Builder::new().name("download".to_owned()).spawn(move || run(request, &sender))?;
        Ok(Exchange { events })
    }

    /// Waits for the head of the answer.
    pub(super) fn head(&mut self, progress: &dyn Progress) -> Result<Response<()>, ExchangeError> {
        match self.next(progress)? {
            Some(Event::Head(head)) => head.map(|head| *head).map_err(ExchangeError::Request),
            Some(Event::Piece(_)) | None => Err(ended()),
        }
    }

    /// Waits for the next piece of the body; nothing at its end.
    pub(super) fn piece(&mut self, progress: &dyn Progress) -> Result<Option<Vec<u8>>, ExchangeError> {
        match self.next(progress)? {
            Some(Event::Piece(piece)) => {
                piece.map(|piece| Some(piece).filter(|piece| !piece.is_empty())).map_err(ExchangeError::Body)
            }
            Some(Event::Head(_)) | None => Err(ended()),
        }
    }

    fn next(&mut self, progress: &dyn Progress) -> Result<Option<Event>, ExchangeError> {
        loop {
            if progress.is_cancelled() {
                return Err(ExchangeError::Cancelled);
            }
            match self.events.recv_timeout(POLL) {
                Ok(event) => return Ok(Some(event)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
            }
        }
    }
}

fn ended() -> ExchangeError {
    ExchangeError::Body(io::Error::other("the thread of the download ended"))
}

/// Sends everything until the body ends, which an empty piece marks, or until the receiver is gone.
fn run(request: RequestBuilder<WithoutBody>, sender: &SyncSender<Event>) {
    let mut body = match request.call() {
        Ok(response) => {
            let (parts, body): (_, Body) = response.into_parts();
            if sender.send(Event::Head(Ok(Box::new(Response::from_parts(parts, ()))))).is_err() {
                return;
            }
            body.into_reader()
        }
        Err(error) => {
            let _ = sender.send(Event::Head(Err(Box::new(error))));
            return;
        }
    };
    loop {
        let mut piece = vec![0; PIECE_BYTES];
        let read = match body.read(&mut piece) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read.map(|count| {
                piece.truncate(count);
                piece
            }),
        };
        let last = read.as_ref().map_or(true, Vec::is_empty);
        if sender.send(Event::Piece(read)).is_err() || last {
            return;
        }
    }
}
