//! `paginated-search` and `composite-agg`: page after page, each beginning where the one before ended.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::call::Call;
use super::common::{mandatory, named, names};
use super::search::parameters;
use super::session::{Done, Session, Stop};

/// Unit of searches that go from page to page.
pub const PAGES: &str = "pages";

/// How many results a page has where nothing else is said.
const RESULTS_PER_PAGE: u64 = 10;

/// Keys of a body that a point in time has fixed already.
const FIXED_BY_POINT_IN_TIME: [&str; 3] = ["index", "routing", "preference"];

/// How far pages go; `u64::MAX` for all. `default`: where nothing is said.
///
/// # Errors
/// Where it is said wrongly, or must be said and is not.
pub fn most_pages(values: &Map<String, Value>, default: Option<u64>) -> Result<u64, String> {
    match named(values, &["pages"]) {
        None => {
            default.ok_or_else(|| "'pages' is mandatory and missing: give a number or \"all\"".to_owned())
        }
        Some((_, Value::String(text))) if text == "all" => Ok(u64::MAX),
        Some((name, pages)) => {
            let number = match pages {
                Value::String(text) => text.trim().parse().ok(),
                pages => pages.as_u64(),
            };
            number
                .filter(|pages| *pages > 0)
                .ok_or_else(|| format!("'{name}' is {pages} but must be a number above 0, or \"all\""))
        }
    }
}

/// `results-per-page`, if it is said.
///
/// # Errors
/// Where it is not a number above 0.
pub fn results_per_page(values: &Map<String, Value>) -> Result<Option<u64>, String> {
    match named(values, &["results-per-page", "items_per_page"]) {
        None => Ok(None),
        Some((name, results)) => match results.as_u64().filter(|results| *results > 0) {
            Some(results) => Ok(Some(results)),
            None => Err(format!("'{name}' is {results} but must be a number above 0")),
        },
    }
}

/// The total number of hits, in the forms of all versions.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Total {
    /// Before 7.
    Exact(u64),
    /// With whether it is exact.
    Tracked {
        /// The number.
        value: u64,
        /// `eq` or `gte`.
        #[serde(default = "exact")]
        relation: String,
    },
}

fn exact() -> String {
    EXACT.to_owned()
}

/// How a number of hits relates to the true one where it is that.
const EXACT: &str = "eq";

impl Total {
    /// The number.
    pub fn value(&self) -> u64 {
        match self {
            Total::Exact(value) | Total::Tracked { value, .. } => *value,
        }
    }

    /// `eq` where it is exact, `gte` where there may be more.
    pub fn relation(&self) -> &str {
        match self {
            Total::Exact(_) => EXACT,
            Total::Tracked { relation, .. } => relation,
        }
    }
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    took: u64,
    #[serde(default)]
    timed_out: bool,
    pit_id: Option<Value>,
    #[serde(default)]
    hits: Hits,
    #[serde(default)]
    aggregations: Value,
}

#[derive(Deserialize, Default)]
struct Hits {
    total: Option<Total>,
    #[serde(default)]
    hits: Vec<Hit>,
}

#[derive(Deserialize)]
struct Hit {
    sort: Option<Value>,
}

/// What is known over all pages.
#[derive(Default)]
struct Pages {
    count: u64,
    took: u64,
    timed_out: bool,
    total: Option<Total>,
}

impl Pages {
    fn take(&mut self, page: &Page) {
        self.count += 1;
        self.took += page.took;
        self.timed_out |= page.timed_out;
        if self.total.is_none() {
            self.total = page.hits.total.clone();
        }
    }

    fn done(&self) -> Result<Done, String> {
        let mut done = Done::of(self.count as f64, PAGES)
            .with("pages", self.count)
            .with("timed_out", self.timed_out)
            .with("took", self.took);
        if let Some(total) = &self.total {
            done = done.with("hits", total.value()).with("hits_relation", total.relation());
        }
        Ok(done)
    }
}

/// The search of a page: where it goes, and under which point in time.
struct Pager {
    call: Call,
    point_in_time: Option<String>,
    body: Map<String, Value>,
}

impl Pager {
    fn of(session: &Session<'_>) -> Result<Pager, String> {
        let values = session.values;
        let point_in_time = match named(values, &["with-point-in-time-from"]) {
            None => None,
            Some((_, Value::String(name))) => Some(name.clone()),
            Some((key, other)) => {
                return Err(format!("'{key}' is {other} but must be the name of an operation"));
            }
        };
        let mut body = match mandatory(values, "body")? {
            Value::Object(body) => body.clone(),
            other => return Err(format!("'body' is {other} but must be a search request")),
        };
        let path = match (&point_in_time, names(values, "index")?) {
            // The point in time knows its indices.
            (Some(_), _) => {
                for key in FIXED_BY_POINT_IN_TIME {
                    body.remove(key);
                }
                "/_search".to_owned()
            }
            (None, Some(index)) => format!("/{index}/_search"),
            (None, None) => "/_all/_search".to_owned(),
        };
        let call = parameters(Call::post(path), session.environment, values)?.given(values)?;
        Ok(Pager { call, point_in_time, body })
    }

    async fn page(&self, session: &mut Session<'_>) -> Result<Page, Stop> {
        let mut body = self.body.clone();
        if let Some(operation) = &self.point_in_time {
            let context = session.context.clone().ok_or_else(outside_composite)?;
            body.insert("pit".to_owned(), json!({"id": context.get(operation)?, "keep_alive": "1m"}));
        }
        let page: Page = session.json(self.call.clone().body(&Value::Object(body))).await?;
        if let Some(operation) = &self.point_in_time {
            // The answer has the latest id.
            let id =
                page.pit_id.clone().ok_or_else(|| Stop::answered("the answer to a page has no pit_id"))?;
            session.context.clone().ok_or_else(outside_composite)?.put(operation, id);
        }
        Ok(page)
    }
}

/// What operations say that hand ids to others, where there are no others.
pub fn outside_composite() -> String {
    "this operation is only possible within a composite one, which keeps the id for the others".to_owned()
}

/// `paginated-search`: pages begin after the last hit of the page before (`search_after`). Where the target only counts up
/// to a limit, pages go on beyond that limit until one is not full.
pub async fn paginated_search(session: &mut Session<'_>) -> Result<Done, Stop> {
    let most = most_pages(session.values, None)?;
    let mut pager = Pager::of(session)?;
    if let Some(results) = results_per_page(session.values)? {
        pager.body.insert("size".to_owned(), Value::from(results));
    }
    let size = pager.body.get("size").and_then(Value::as_u64).unwrap_or(RESULTS_PER_PAGE);
    let mut pages = Pages::default();
    while pages.count < most {
        let page = pager.page(session).await?;
        pages.take(&page);
        let all = pages.total.as_ref().is_some_and(|total| {
            total.relation() == EXACT && total.value() <= size.saturating_mul(pages.count)
        });
        let last = page.hits.hits.last().and_then(|hit| hit.sort.clone());
        match last {
            Some(sort) if !all && page.hits.hits.len() as u64 >= size => {
                pager.body.insert("search_after".to_owned(), sort);
            }
            _ => break,
        }
    }
    Ok(pages.done()?)
}

/// `composite-agg`: pages of the only composite aggregation of the body.
pub async fn composite_aggregation(session: &mut Session<'_>) -> Result<Done, Stop> {
    let most = most_pages(session.values, Some(u64::MAX))?;
    let results = results_per_page(session.values)?;
    let mut pager = Pager::of(session)?;
    let mut paths = Vec::new();
    composite_paths(&pager.body, &mut Vec::new(), &mut paths);
    let [path] = paths.as_slice() else {
        return Err(Stop::Unusable(format!(
            "'body' has {} composite aggregations but must have exactly one",
            paths.len()
        )));
    };
    if let (Some(results), Some(composite)) = (results, composite_at(&mut pager.body, path)) {
        composite.insert("size".to_owned(), Value::from(results));
    }
    let mut pages = Pages::default();
    while pages.count < most {
        let page = pager.page(session).await?;
        pages.take(&page);
        let found = path.iter().try_fold(&page.aggregations, |value, name| value.get(name));
        let after = found.and_then(|found| found.get("after_key")).filter(|after| after.is_object());
        match (after, composite_at(&mut pager.body, path)) {
            (Some(after), Some(composite)) => drop(composite.insert("after".to_owned(), after.clone())),
            _ => break,
        }
    }
    Ok(pages.done()?)
}

fn aggregations(object: &Map<String, Value>) -> Option<&Map<String, Value>> {
    let named = |key: &str| object.get(key).and_then(Value::as_object).filter(|found| !found.is_empty());
    named("aggs").or_else(|| named("aggregations"))
}

/// The names that lead to each composite aggregation.
fn composite_paths(object: &Map<String, Value>, above: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    for (name, aggregation) in aggregations(object).into_iter().flatten() {
        let Value::Object(aggregation) = aggregation else { continue };
        above.push(name.clone());
        if aggregation.get("composite").is_some_and(Value::is_object) {
            found.push(above.clone());
        }
        composite_paths(aggregation, above, found);
        above.pop();
    }
}

fn composite_at<'o>(
    object: &'o mut Map<String, Value>,
    path: &[String],
) -> Option<&'o mut Map<String, Value>> {
    let Some((first, rest)) = path.split_first() else {
        return object.get_mut("composite").and_then(Value::as_object_mut);
    };
    let key = if object.get("aggs").and_then(Value::as_object).is_some_and(|found| !found.is_empty()) {
        "aggs"
    } else {
        "aggregations"
    };
    composite_at(object.get_mut(key)?.get_mut(first)?.as_object_mut()?, rest)
}
