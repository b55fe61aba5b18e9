//! A whole search.

use super::aggregation::collect::Budget;
use super::aggregation::{self, Collection, Formats};
use super::failure::all_shards_failed;
use super::fetch::{self, ShownHit};
use super::hits::{After, Search, Total};
use super::order::{Level, score_value};
use super::query::compile::{Compiled, Compiler};
use super::request::{CountRequest, SearchRequest, TotalHits};
use super::sort::{SortBy, SortKey};
use crate::error::EsError;
use crate::shard::ShardView;
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::time::{Duration, Instant};
use tantivy::query::EnableScoring;

/// The answer to a search, but for how long it took.
#[derive(Debug)]
pub struct Answer {
    shards: usize,
    total: Option<Total>,
    total_as_integer: bool,
    max_score: Option<f32>,
    hits: Vec<ShownHit>,
    aggregations: Option<Map<String, Value>>,
    /// Where the next page begins; none where the search opened no scroll, or there are no more hits.
    pub cursor: Option<Cursor>,
    /// How long it took to find the hits and to aggregate.
    pub query_time: Duration,
    /// How long it took to read what is shown of the hits.
    pub fetch_time: Duration,
}

/// Where a scroll goes on. Only good for the same indices at the same moment.
#[derive(Debug, Clone)]
pub struct Cursor {
    after: After,
    total: Option<Total>,
    max_score: Option<f32>,
}

/// Searches `shards`, or fetches the next page of a scroll behind `cursor`.
///
/// # Errors
/// What is wrong with the request for these indices, framed as the failure of all shards, as Elasticsearch does.
pub fn execute(
    shards: &[ShardView],
    request: &SearchRequest,
    cursor: Option<&Cursor>,
) -> Result<Answer, EsError> {
    let start = Instant::now();
    let now = jiff::Timestamp::now().as_millisecond();
    // Equal hits come in the order of the names of their indices, whatever the order of the request.
    let mut shards: Vec<ShardView> = shards.to_vec();
    shards.sort_by(|left, right| left.index_name.cmp(&right.index_name));
    let shards = shards.as_slice();
    let Some(first) = shards.first() else {
        // No index is no error: nothing was found in it.
        let total = (request.total_hits != TotalHits::Off).then_some(Total { value: 0, exact: true });
        return Ok(Answer {
            shards: 0,
            total,
            total_as_integer: request.total_hits_as_integer,
            max_score: Some(0.0),
            hits: Vec::new(),
            aggregations: None,
            cursor: None,
            query_time: start.elapsed(),
            fetch_time: Duration::ZERO,
        });
    };
    request.check_window().map_err(|error| all_shards_failed(&first.index_name, error))?;
    let sort = if request.sort.is_empty() { vec![SortKey::score()] } else { request.sort.clone() };
    let (mut queries, mut levels): (Vec<Compiled>, Vec<Vec<Level>>) = (Vec::new(), Vec::new());
    for shard in shards {
        let failed = |error| all_shards_failed(&shard.index_name, error);
        queries.push(Compiler::new(shard, now).compile(&request.query).map_err(failed)?);
        levels.push(sort.iter().map(|key| Level::new(key, shard)).collect::<Result<_, _>>().map_err(failed)?);
    }
    let failed = |error| all_shards_failed(&first.index_name, error);
    let after = match (cursor, &request.search_after) {
        (Some(cursor), _) => Some(cursor.after.clone()),
        (None, Some(values)) => Some(search_after(values, request, &sort, &levels[0]).map_err(failed)?),
        (None, None) => None,
    };
    // What the first page of a scroll found out is not asked again.
    let total_hits = if cursor.is_some() { TotalHits::Off } else { request.total_hits };
    let aggregations = if cursor.is_some() { &[] } else { request.aggregations.as_slice() };
    let by_score = request.sort.is_empty();
    let scores_in_order = request.sort.iter().any(|key| key.by == SortBy::Score);
    let search = Search {
        shards,
        queries: &queries,
        levels: &levels,
        by_score,
        by_document: matches!(request.sort.as_slice(), [only] if only.by == SortBy::Document && !only.descending),
        count: request.from + request.size,
        after: after.as_ref(),
        total_hits,
        scores: request.track_scores,
        min_score: request.min_score,
    };
    let mut collections = Vec::new();
    if !aggregations.is_empty() {
        let budget = Budget::default();
        for shard in shards {
            let compiler = Compiler::new(shard, now);
            let collection = Collection::new(aggregations, compiler, budget.clone());
            collections.push(collection.map_err(|error| all_shards_failed(&shard.index_name, error))?);
        }
    }
    let found =
        search.run((!collections.is_empty()).then_some(collections.as_mut_slice())).map_err(failed)?;
    let aggregated = if aggregations.is_empty() {
        None
    } else {
        let mut partials: Vec<_> = aggregations.iter().map(aggregation::Partial::empty).collect();
        for collection in collections {
            for (partial, other) in partials.iter_mut().zip(collection.finish()) {
                partial.merge(other);
            }
        }
        Some(aggregation::write(aggregations, partials, &Formats::new(shards, now)).map_err(failed)?)
    };
    let query_time = start.elapsed();
    let fetching = Instant::now();
    let scored = by_score || scores_in_order || request.track_scores;
    let mut shown = Vec::with_capacity(request.size.min(found.hits.len()));
    for hit in found.hits.iter().skip(request.from) {
        let shard = hit.shard;
        shown.push(
            fetch::show(hit, &shards[shard], request, &levels[shard], scored, &queries[shard].percolated)
                .map_err(failed)?,
        );
    }
    let fetch_time = fetching.elapsed();
    let total = cursor.map_or(found.total, |cursor| cursor.total);
    let mut max_score = found.max_score.filter(|_| by_score || request.track_scores);
    if found.hits.is_empty() {
        max_score = None;
    }
    let max_score = cursor.map_or(max_score, |cursor| cursor.max_score);
    let cursor = request.scroll.and_then(|_| {
        let last = found.hits.last()?;
        let after = match found.next {
            Some(positions) => After::Documents(positions),
            None => After::Keys(last.keys.clone(), Some((last.shard, last.sequence))),
        };
        Some(Cursor { after, total, max_score })
    });
    Ok(Answer {
        shards: shards.len(),
        total,
        total_as_integer: request.total_hits_as_integer,
        max_score,
        hits: shown,
        aggregations: aggregated,
        cursor,
        query_time,
        fetch_time,
    })
}

fn search_after(
    values: &[Value],
    request: &SearchRequest,
    sort: &[SortKey],
    levels: &[Level],
) -> Result<After, EsError> {
    if request.sort.is_empty() {
        return Err(EsError::illegal_argument("Sort must contain at least one field."));
    }
    if sort.iter().all(|key| key.by == SortBy::Document) {
        // The order of the index is not that of its numbers where segments were merged.
        return Err(EsError::unsupported(
            "[search_after] with a sort by [_doc] alone (a scroll does the same)",
        ));
    }
    if values.len() != sort.len() {
        return Err(EsError::illegal_argument(format!(
            "search_after has {} value(s) but sort has {}.",
            values.len(),
            sort.len()
        )));
    }
    let keys = levels.iter().zip(values).zip(sort).map(|((level, value), key)| level.after(value, key));
    Ok(After::Keys(keys.collect::<Result<_, _>>()?, None))
}

impl Answer {
    /// The body of the answer of a search that took `took` milliseconds.
    ///
    /// # Errors
    /// 500 where it cannot be written, which does not happen.
    pub fn to_json(&self, took: u64, scroll_id: Option<&str>) -> Result<Vec<u8>, EsError> {
        #[derive(Serialize)]
        struct Body<'a> {
            #[serde(rename = "_scroll_id", skip_serializing_if = "Option::is_none")]
            scroll_id: Option<&'a str>,
            took: u64,
            timed_out: bool,
            _shards: Value,
            hits: Hits<'a>,
            #[serde(skip_serializing_if = "Option::is_none")]
            aggregations: Option<&'a Map<String, Value>>,
        }
        #[derive(Serialize)]
        struct Hits<'a> {
            #[serde(skip_serializing_if = "Option::is_none")]
            total: Option<Value>,
            max_score: Option<Value>,
            hits: &'a [ShownHit],
        }
        let total = match (self.total, self.total_as_integer) {
            (Some(total), true) => Some(total.value.into()),
            (None, true) => Some((-1).into()),
            (Some(total), false) => {
                Some(json!({ "value": total.value, "relation": if total.exact { "eq" } else { "gte" } }))
            }
            (None, false) => None,
        };
        let body = Body {
            scroll_id,
            took,
            timed_out: false,
            _shards: json!({ "total": self.shards, "successful": self.shards, "skipped": 0, "failed": 0 }),
            hits: Hits { total, max_score: self.max_score.map(score_value), hits: &self.hits },
            aggregations: self.aggregations.as_ref(),
        };
        serde_json::to_vec(&body)
            .map_err(|error| EsError::internal(format!("the answer cannot be written: {error}")))
    }

    /// How many hits the page has.
    pub fn len(&self) -> usize {
        self.hits.len()
    }

    /// Whether the page has no hit.
    pub fn is_empty(&self) -> bool {
        self.hits.is_empty()
    }

    /// Whether the page has a hit of the index called `name`.
    pub fn has_hit_of(&self, name: &str) -> bool {
        self.hits.iter().any(|hit| hit.index() == name)
    }
}

/// Counts the documents of `shards` that match.
///
/// # Errors
/// As [`execute`].
pub fn count(shards: &[ShardView], request: &CountRequest) -> Result<u64, EsError> {
    let now = jiff::Timestamp::now().as_millisecond();
    let mut count = 0;
    for shard in shards {
        let failed = |error| all_shards_failed(&shard.index_name, error);
        let compiled = Compiler::new(shard, now).compile(&request.query).map_err(failed)?;
        let Some(least) = request.min_score else {
            let weight = compiled
                .query
                .weight(EnableScoring::disabled_from_searcher(&shard.searcher))
                .map_err(|error| failed(error.into()))?;
            for segment in shard.searcher.segment_readers() {
                count += u64::from(weight.count(segment).map_err(|error| failed(error.into()))?);
            }
            continue;
        };
        let scoring = EnableScoring::enabled_from_searcher(&shard.searcher);
        let weight = compiled.query.weight(scoring).map_err(|error| failed(error.into()))?;
        for segment in shard.searcher.segment_readers() {
            super::hits::visit(weight.as_ref(), segment, true, &mut |_, scores| {
                count += scores.iter().filter(|score| **score >= least).count() as u64;
                Ok(())
            })
            .map_err(failed)?;
        }
    }
    Ok(count)
}
