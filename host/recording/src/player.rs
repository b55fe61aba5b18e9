//! Plays a recording.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use rally_component::Digest;
use rally_support::printable;
use serde_json::json;

use crate::file::{Answer, Asked, Exchange};
use crate::server::{Received, Server};

/// Most unknown requests that are told.
const TOLD: usize = 5;

/// A target that answers as it was recorded: the same request gets its answers in the order in which they were given, and then
/// the last one again and again. A request that was not recorded gets status 501.
pub struct Player {
    server: Server,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    answers: HashMap<Asked, VecDeque<Answer>>,
    unknown: Vec<String>,
}

impl Player {
    /// Starts a target.
    ///
    /// # Errors
    /// Where it cannot listen.
    pub fn start(exchanges: &[Exchange]) -> io::Result<Player> {
        let mut state = State::default();
        for exchange in exchanges {
            let answers = state.answers.entry(exchange.asked.clone()).or_default();
            answers.push_back(exchange.answer.clone());
        }
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        let server = Server::start(move |received| {
            let answer = shared.lock().unwrap_or_else(PoisonError::into_inner).answer(&received);
            std::future::ready(answer)
        })?;
        Ok(Player { server, state })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The first requests that were not recorded.
    pub fn unknown(&self) -> Vec<String> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).unknown.clone()
    }
}

impl State {
    fn answer(&mut self, received: &Received) -> Answer {
        let asked = Asked {
            method: received.method.clone(),
            target: received.target.clone(),
            body: Digest::of(&received.body),
        };
        if let Some(answers) = self.answers.get_mut(&asked)
            && let Some(answer) = answers.pop_front()
        {
            if answers.is_empty() {
                answers.push_back(answer.clone());
            }
            return answer;
        }
        let request = describe(received);
        if self.unknown.len() < TOLD && !self.unknown.contains(&request) {
            self.unknown.push(request);
        }
        Answer {
            status: 501,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            content: json!({"error": "this request is not in the recording", "status": 501}).to_string(),
        }
    }
}

fn describe(received: &Received) -> String {
    let request = format!("{} {}", received.method, printable::name(&received.target));
    if received.body.is_empty() {
        request
    } else {
        format!("{request} with {}", printable::name(&String::from_utf8_lossy(&received.body)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(method: &str, target: &str, body: &'static str) -> Received {
        Received {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: hyper::HeaderMap::new(),
            body: body.into(),
        }
    }

    #[test]
    fn answers_come_in_order_and_the_last_one_stays() {
        let mut state = State::default();
        for content in ["1", "2"] {
            let exchange = Exchange::new("GET", "/a", b"", 200, Vec::new(), content.to_owned());
            state.answers.entry(exchange.asked).or_default().push_back(exchange.answer);
        }
        let mut answer = || state.answer(&received("GET", "/a", "")).content;
        assert_eq!([answer(), answer(), answer()], ["1", "2", "2"]);
    }

    #[test]
    fn method_target_and_body_have_to_be_the_same() {
        let mut state = State::default();
        let exchange = Exchange::new("POST", "/a?b=c", b"d", 200, Vec::new(), String::new());
        state.answers.entry(exchange.asked).or_default().push_back(exchange.answer);
        assert_eq!(state.answer(&received("POST", "/a?b=c", "d")).status, 200);
        for (method, target, body) in [("GET", "/a?b=c", "d"), ("POST", "/a", "d"), ("POST", "/a?b=c", "e")] {
            assert_eq!(state.answer(&received(method, target, body)).status, 501);
        }
        assert_eq!(state.unknown, ["GET /a?b=c with d", "POST /a with d", "POST /a?b=c with e"]);
    }
}
