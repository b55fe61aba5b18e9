//! Open scrolls: what each looks at, where it goes on, and until when.

use crate::error::EsError;
use crate::search::{Answer, Cursor, SearchRequest};
use crate::shard::{OpenScroll, ShardView};
use parking_lot::Mutex;
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Scrolls that may be open at once, `search.max_open_scroll_context`.
const MOST_OPEN: usize = 500;

/// One scroll: the indices as they were when it was opened.
pub struct Scroll {
    /// What it looks at.
    pub views: Vec<ShardView>,
    /// The search it goes on with.
    pub request: SearchRequest,
    /// Where it goes on; None where the first page was empty.
    pub cursor: Option<Cursor>,
    /// Counts it as open for as long as it lives.
    pub _counted: OpenScroll,
}

struct Open {
    scroll: Arc<Mutex<Scroll>>,
    keep_alive: Duration,
    expires: Instant,
}

/// The open scrolls of the node.
#[derive(Default)]
pub struct Scrolls {
    open: Mutex<HashMap<String, Open>>,
}

impl Scrolls {
    /// Checks that one more may be opened.
    ///
    /// # Errors
    /// 500 as Elasticsearch answers where there are too many.
    pub fn check_room(&self) -> Result<(), EsError> {
        if self.open.lock().len() < MOST_OPEN {
            return Ok(());
        }
        Err(EsError::internal(format!(
            "Trying to create too many scroll contexts. Must be less than or equal to: [{MOST_OPEN}]. This limit can be set by changing the [search.max_open_scroll_context] setting."
        )))
    }

    /// Keeps a scroll open for `keep_alive`; gives its id.
    ///
    /// # Errors
    /// As [`Scrolls::check_room`].
    pub fn open(&self, scroll: Scroll, keep_alive: Duration) -> Result<String, EsError> {
        self.check_room()?;
        let id = crate::cluster::state::short_uuid();
        let open =
            Open { scroll: Arc::new(Mutex::new(scroll)), keep_alive, expires: Instant::now() + keep_alive };
        self.open.lock().insert(id.clone(), open);
        Ok(id)
    }

    /// The scroll with this id, kept open for `keep_alive` from now on, or as long as before.
    ///
    /// # Errors
    /// 404 where there is none.
    pub fn get(&self, id: &str, keep_alive: Option<Duration>) -> Result<Arc<Mutex<Scroll>>, EsError> {
        let mut all = self.open.lock();
        let Some(open) = all.get_mut(id).filter(|open| open.expires > Instant::now()) else {
            return Err(missing(id));
        };
        open.keep_alive = keep_alive.unwrap_or(open.keep_alive);
        open.expires = Instant::now() + open.keep_alive;
        Ok(Arc::clone(&open.scroll))
    }

    /// Closes scrolls by id; tells how many there were.
    pub fn close(&self, ids: &[String]) -> usize {
        let mut all = self.open.lock();
        ids.iter().filter(|id| all.remove(*id).is_some()).count()
    }

    /// Closes all of them; tells how many there were.
    pub fn close_all(&self) -> usize {
        self.open.lock().drain().count()
    }

    /// Closes those whose time is over.
    pub fn expire(&self) {
        let now = Instant::now();
        self.open.lock().retain(|_, open| open.expires > now);
    }

    /// Open scrolls that look at the index called `name`.
    pub fn count(&self, name: &str) -> usize {
        let looks_at = |open: &&Open| {
            open.scroll
                .try_lock()
                .is_some_and(|scroll| scroll.views.iter().any(|view| &*view.index_name == name))
        };
        self.open.lock().values().filter(looks_at).count()
    }
}

impl Scroll {
    /// The next page.
    ///
    /// # Errors
    /// As the search itself.
    pub fn next(&mut self) -> Result<Answer, EsError> {
        let mut answer = crate::search::execute(&self.views, &self.request, self.cursor.as_ref())?;
        if let Some(cursor) = answer.cursor.take() {
            self.cursor = Some(cursor);
        }
        Ok(answer)
    }
}

fn missing(id: &str) -> EsError {
    let cause = EsError::new(
        404,
        "search_context_missing_exception",
        format!("No search context found for id [{id}]"),
    );
    let failed = json!([{ "shard": -1, "index": null, "reason": cause.to_object() }]);
    let mut error = EsError::new(404, "search_phase_execution_exception", "all shards failed")
        .detail("phase", "query")
        .detail("grouped", true)
        .detail("failed_shards", failed)
        .caused_by(cause);
    error.root_is_cause = true;
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scroll() -> Scroll {
        Scroll {
            views: Vec::new(),
            request: SearchRequest::default(),
            cursor: None,
            _counted: OpenScroll::new(Vec::new()),
        }
    }

    #[test]
    fn scrolls_end_when_their_time_is_over() {
        let scrolls = Scrolls::default();
        let id = scrolls.open(scroll(), Duration::ZERO).unwrap();
        assert_eq!(scrolls.get(&id, None).map(|_| ()).unwrap_err().status, 404);
        scrolls.expire();
        assert_eq!(scrolls.close(&[id]), 0);
    }

    #[test]
    fn there_is_a_cap() {
        let scrolls = Scrolls::default();
        for _ in 0..MOST_OPEN {
            scrolls.open(scroll(), Duration::from_secs(60)).unwrap();
        }
        assert_eq!(scrolls.open(scroll(), Duration::from_secs(60)).unwrap_err().status, 500);
        assert_eq!(scrolls.close_all(), MOST_OPEN);
        assert!(scrolls.open(scroll(), Duration::from_secs(60)).is_ok());
    }
}
