//! Time is what the environment say.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rally_extension::Clock;
use serde_json::{Value, json};

use crate::course::Builder;

/// Goes on by a second with each look at it.
#[derive(Default)]
struct Virtual(AtomicU64);

impl Clock for Virtual {
    fn wall(&self) -> u64 {
        1_000_000_000_000_000_000 + self.monotonic()
    }

    fn monotonic(&self) -> u64 {
        self.0.fetch_add(1_000_000_000, Ordering::Relaxed)
    }
}

#[test]
fn a_virtual_clock_is_all_that_a_guest_sees_of_time() {
    let operation = json!({"operation-type": "search", "param-source": "clock"});
    let course = Builder::with_guest("conformance")
        .clock(Arc::new(Virtual::default()))
        .task("clock", operation, json!({}))
        .build();
    let made = course.requests("clock", 0, 2);
    let times: Vec<Value> = made.iter().map(|params| serde_json::from_slice(&params.body).unwrap()).collect();
    assert_eq!(
        times,
        [
            json!({"wall": 1_000_000_000_000_000_000_u64, "monotonic": 1_000_000_000_u64}),
            json!({"wall": 1_000_000_002_000_000_000_u64, "monotonic": 3_000_000_000_u64}),
        ]
    );
}
