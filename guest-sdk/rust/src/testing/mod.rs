//! For an author's own tests: `cargo test` runs them on the machine itself, without rally and without WebAssembly.
//!
//! ```
//! use rally_sdk::testing::TestSource;
//! use rally_sdk::{Context, ParamSource, Request, Result};
//! use serde_json::json;
//!
//! struct Numbers(u64);
//!
//! impl ParamSource for Numbers {
//!     fn open(context: &Context) -> Result<Numbers> {
//!         Ok(Numbers(context.params().get("first")?))
//!     }
//!
//!     fn params(&mut self, request: &mut Request) -> Result<()> {
//!         self.0 += 1;
//!         request.index("numbers").body(&json!({"query": {"term": {"number": self.0}}}));
//!         Ok(())
//!     }
//! }
//!
//! let context = Context::for_test().params(json!({"first": 7})).build();
//! let requests = TestSource::<Numbers>::open(&context).unwrap().take(2).unwrap();
//! assert_eq!(requests[1].params["index"], "numbers");
//! assert_eq!(requests[1].body_json(), json!({"query": {"term": {"number": 9}}}));
//! ```

mod context;
mod scheduler;
mod source;
mod target;

pub use context::ContextBuilder;
pub use scheduler::{TestFeedbackScheduler, TestScheduler};
pub use source::{TestRequest, TestSource};
pub use target::{Reply, SentRequest};

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use crate::{Client, Params, Values, handle};

impl Client {
    /// A client whose requests are answered by a function: nothing is sent.
    ///
    /// ```
    /// # use rally_sdk::{Client, testing::Reply};
    /// # use serde_json::json;
    /// let client = Client::for_test(|request| {
    ///     assert_eq!(request.target, "/logs/_search");
    ///     Reply::json(200, json!({"took": 3, "timed_out": false, "hits": {"total": 12}}))
    /// });
    /// assert_eq!(client.search("logs", json!({})).unwrap().hits, Some(12));
    /// ```
    pub fn for_test(answer: impl Fn(&SentRequest) -> Reply + 'static) -> Client {
        Client::new(handle::Target::new(Rc::new(answer)))
    }

    /// The same, with a list of all that was sent.
    pub fn recording(
        answer: impl Fn(&SentRequest) -> Reply + 'static,
    ) -> (Client, Rc<RefCell<Vec<SentRequest>>>) {
        let sent = Rc::new(RefCell::new(Vec::new()));
        let record = Rc::clone(&sent);
        let client = Client::for_test(move |request| {
            record.borrow_mut().push(request.clone());
            answer(request)
        });
        (client, sent)
    }
}

impl Params {
    /// Parameters as a source would hand them over; `body` among them is the body.
    ///
    /// # Panics
    /// Where `params` is no JSON object.
    pub fn for_test(params: serde_json::Value) -> Params {
        match params {
            serde_json::Value::Object(map) => Params::from(Values::from(map)),
            other => panic!("parameters are a JSON object, not {other}"),
        }
    }
}

/// Sets what [`clock::wall`](crate::clock::wall) tells on this thread, as time since 1970-01-01T00:00:00Z.
pub fn set_wall_clock(time: Duration) {
    handle::clock::WALL.set(time.as_nanos() as u64);
}
