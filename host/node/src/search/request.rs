//! Body and URL parameters of a search.

use super::aggregation::{self, Aggregation};
use super::json;
use super::query::{self, Query};
use super::sort::{self, SortKey};
use super::source_filter::SourceFilter;
use crate::error::EsError;
use serde_json::{Map, Value};
use std::time::Duration;

/// Hits of one page, counted from the first: `index.max_result_window`.
pub const RESULT_WINDOW: usize = 10_000;

/// How far totals are counted unless the request says otherwise.
pub const TOTAL_HITS_THRESHOLD: usize = 10_000;

/// Longest life of a scroll, `search.max_keep_alive`.
const LONGEST_SCROLL: Duration = Duration::from_secs(24 * 60 * 60);

/// How far `hits.total` is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TotalHits {
    /// Not at all.
    Off,
    /// To this number; beyond it the total is a lower bound.
    Up(usize),
    /// To the end.
    Exact,
}

/// A search.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchRequest {
    /// What to look for.
    pub query: Query,
    /// Hits to pass over.
    pub from: usize,
    /// Hits to show.
    pub size: usize,
    /// What hits are ordered by; none means by score.
    pub sort: Vec<SortKey>,
    /// Sort values behind which hits begin.
    pub search_after: Option<Vec<Value>>,
    /// What is shown of the source.
    pub source: SourceFilter,
    /// Whether hits have `_id` and `_type` (`stored_fields: _none_` turns the id off).
    pub ids: bool,
    /// Whether hits have their `_version`.
    pub version: bool,
    /// Whether hits have `_seq_no` and `_primary_term`.
    pub sequence_numbers: bool,
    /// Whether scores are computed although hits are sorted by something else.
    pub track_scores: bool,
    /// Lowest score of a hit.
    pub min_score: Option<f32>,
    /// How far the total is counted.
    pub total_hits: TotalHits,
    /// Whether `hits.total` is a number, as before Elasticsearch 7.
    pub total_hits_as_integer: bool,
    /// Buckets and metrics.
    pub aggregations: Vec<Aggregation>,
    /// Life of the scroll to open.
    pub scroll: Option<Duration>,
}

impl Default for SearchRequest {
    fn default() -> Self {
        SearchRequest {
            query: Query::match_all(),
            from: 0,
            size: 10,
            sort: Vec::new(),
            search_after: None,
            source: SourceFilter::All,
            ids: true,
            version: false,
            sequence_numbers: false,
            track_scores: false,
            min_score: None,
            total_hits: TotalHits::Up(TOTAL_HITS_THRESHOLD),
            total_hits_as_integer: false,
            aggregations: Vec::new(),
            scroll: None,
        }
    }
}

/// Parameters that say which indices are meant, or how the answer is written: the caller's business.
const CALLERS_PARAMETERS: [&str; 9] = [
    "ignore_unavailable",
    "allow_no_indices",
    "expand_wildcards",
    "ignore_throttled",
    "pretty",
    "human",
    "format",
    "filter_path",
    "error_trace",
];

/// Parameters of `_search` in Elasticsearch 7.10 that the node does not have.
const UNSUPPORTED_PARAMETERS: [&str; 17] = [
    "q",
    "df",
    "analyzer",
    "analyze_wildcard",
    "default_operator",
    "lenient",
    "routing",
    "typed_keys",
    "docvalue_fields",
    "stored_fields",
    "explain",
    "suggest_field",
    "suggest_mode",
    "suggest_size",
    "suggest_text",
    "terminate_after",
    "stats",
];

/// Parameters of `_search` that are read here.
const PARAMETERS: [&str; 19] = [
    "size",
    "from",
    "sort",
    "_source",
    "_source_includes",
    "_source_excludes",
    "track_total_hits",
    "track_scores",
    "request_cache",
    "scroll",
    "search_type",
    "preference",
    "rest_total_hits_as_int",
    "version",
    "seq_no_primary_term",
    "allow_partial_search_results",
    "batched_reduce_size",
    "max_concurrent_shard_requests",
    "pre_filter_shard_size",
];

/// Parts of a body that Elasticsearch 7.10 knows and the node does not have.
const UNSUPPORTED_KEYS: [&str; 15] = [
    "post_filter",
    "rescore",
    "highlight",
    "suggest",
    "collapse",
    "script_fields",
    "docvalue_fields",
    "indices_boost",
    "slice",
    "explain",
    "profile",
    "stats",
    "terminate_after",
    "ext",
    "pit",
];

impl SearchRequest {
    /// The search that `body` and `parameters` of the URL describe; parameters win. `path` is that of the request, for
    /// messages.
    ///
    /// # Errors
    /// 400 in the words of Elasticsearch 7.10 for what is wrong, and a clear refusal of what the node does not have.
    pub fn parse(body: &[u8], parameters: &[(String, String)], path: &str) -> Result<Self, EsError> {
        let mut request = SearchRequest::default();
        if let Some(body) = json::object(body)? {
            request.read_body(&body)?;
        }
        request.read_parameters(parameters, path)?;
        request.validate()?;
        Ok(request)
    }

    fn read_body(&mut self, body: &Map<String, Value>) -> Result<(), EsError> {
        for (key, value) in body {
            match (key.as_str(), value) {
                (key, Value::Null) => return Err(unknown_key(key, value)),
                ("query", Value::Object(_)) => self.query = query::parse::query(value)?,
                ("from", Value::Number(_) | Value::String(_)) => self.from = body_count(value, self.from)?,
                ("size", Value::Number(_) | Value::String(_)) => self.size = body_count(value, self.size)?,
                ("sort", value) => self.sort = sort::parse(value)?,
                ("search_after", Value::Array(values)) => {
                    if values.is_empty() {
                        return Err(EsError::illegal_argument("Values must contains at least one value."));
                    }
                    self.search_after = Some(values.clone());
                }
                ("_source", value) => self.source = source_filter(value)?,
                ("stored_fields", value) => self.read_stored_fields(value)?,
                ("version", value) => self.version = json::boolean(value)?,
                ("seq_no_primary_term", value) => self.sequence_numbers = json::boolean(value)?,
                ("track_scores", value) => self.track_scores = json::boolean(value)?,
                ("min_score", value) => self.min_score = Some(json::float(value)? as f32),
                ("track_total_hits", value) => self.total_hits = total_hits(value)?,
                ("aggs" | "aggregations", Value::Object(map)) => self.aggregations = aggregation::parse(map)?,
                // The node answers every search in full: there is nothing to cut short.
                ("timeout", value) => {
                    let text = json::text(value).unwrap_or_default();
                    duration("timeout", &text)?;
                }
                ("explain" | "profile", Value::Bool(false)) => {}
                (key, _) if UNSUPPORTED_KEYS.contains(&key) => {
                    return Err(EsError::unsupported(format_args!("[{key}] of a search")));
                }
                (key, value) => return Err(unknown_key(key, value)),
            }
        }
        Ok(())
    }

    fn read_stored_fields(&mut self, value: &Value) -> Result<(), EsError> {
        let only = match value {
            Value::String(name) => vec![name.as_str()],
            Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
            _ => return Err(unknown_key("stored_fields", value)),
        };
        match only.as_slice() {
            ["_none_"] => {
                self.ids = false;
                self.source = SourceFilter::None;
            }
            [] => self.source = SourceFilter::None,
            _ => return Err(EsError::unsupported("[stored_fields] other than [_none_]")),
        }
        Ok(())
    }

    fn read_parameters(&mut self, parameters: &[(String, String)], path: &str) -> Result<(), EsError> {
        let (mut includes, mut excludes) = (None, None);
        for (name, value) in parameters {
            match name.as_str() {
                "size" => self.size = parameter_count("size", value, self.size)?,
                "from" => self.from = parameter_count("from", value, self.from)?,
                "sort" => self.sort = sort::parse_parameter(value)?,
                "_source" => {
                    self.source = match value.as_str() {
                        "true" | "" => SourceFilter::All,
                        "false" => SourceFilter::None,
                        list => SourceFilter::of(split(list), Vec::new()),
                    }
                }
                "_source_includes" | "_source_include" => includes = Some(split(value)),
                "_source_excludes" | "_source_exclude" => excludes = Some(split(value)),
                "track_total_hits" => self.total_hits = total_hits(&Value::String(value.clone()))?,
                "track_scores" => self.track_scores = json::flag(value)?,
                "version" => self.version = json::flag(value)?,
                "seq_no_primary_term" => self.sequence_numbers = json::flag(value)?,
                "rest_total_hits_as_int" => self.total_hits_as_integer = json::flag(value)?,
                "request_cache" | "allow_partial_search_results" => {
                    json::flag(value)?;
                }
                "scroll" => self.scroll = Some(scroll_life(value)?),
                "search_type" => match value.as_str() {
                    // With one shard for each index both count terms over the whole index.
                    "query_then_fetch" | "dfs_query_then_fetch" => {}
                    other => return Err(EsError::illegal_argument(format!("No search type for [{other}]"))),
                },
                "preference" => {
                    let known = ["_local", "_only_local"].contains(&value.as_str())
                        || ["_shards:", "_prefer_nodes:", "_only_nodes:"]
                            .iter()
                            .any(|name| value.starts_with(name));
                    if value.starts_with('_') && !known {
                        return Err(EsError::illegal_argument(format!("no Preference for [{value}]")));
                    }
                }
                "batched_reduce_size" | "max_concurrent_shard_requests" | "pre_filter_shard_size" => {
                    integer_parameter(name, value)?;
                }
                name if CALLERS_PARAMETERS.contains(&name) => {}
                name if UNSUPPORTED_PARAMETERS.contains(&name) => {
                    return Err(EsError::unsupported(format_args!("parameter [{name}] of a search")));
                }
                name => return Err(unrecognized(path, name)),
            }
        }
        if includes.is_some() || excludes.is_some() {
            self.source = SourceFilter::of(includes.unwrap_or_default(), excludes.unwrap_or_default());
        }
        Ok(())
    }

    fn validate(&mut self) -> Result<(), EsError> {
        if self.total_hits_as_integer {
            match self.total_hits {
                TotalHits::Up(TOTAL_HITS_THRESHOLD) => self.total_hits = TotalHits::Exact,
                TotalHits::Up(threshold) => {
                    return Err(EsError::illegal_argument(format!(
                        "[rest_total_hits_as_int] cannot be used if the tracking of total hits is not accurate, got {threshold}"
                    )));
                }
                TotalHits::Off | TotalHits::Exact => {}
            }
        }
        if self.scroll.is_some() {
            let mut wrong = Vec::new();
            if self.total_hits == TotalHits::Off {
                wrong.push("disabling [track_total_hits] is not allowed in a scroll context");
            }
            if self.from > 0 {
                wrong.push("using [from] is not allowed in a scroll context");
            }
            if self.size == 0 {
                wrong.push("[size] cannot be [0] in a scroll context");
            }
            if self.search_after.is_some() {
                wrong.push("`search_after` cannot be used in a scroll context.");
            }
            if !wrong.is_empty() {
                return Err(EsError::validation(&wrong));
            }
            // A scroll always knows how much there is.
            self.total_hits = TotalHits::Exact;
        }
        Ok(())
    }

    /// Refuses pages that reach beyond [`RESULT_WINDOW`]: an error of the shard, as in Elasticsearch.
    ///
    /// # Errors
    /// 400 `illegal_argument_exception`.
    pub fn check_window(&self) -> Result<(), EsError> {
        let end = self.from.saturating_add(self.size);
        if self.scroll.is_some() && self.size > RESULT_WINDOW {
            return Err(EsError::illegal_argument(format!(
                "Batch size is too large, size must be less than or equal to: [{RESULT_WINDOW}] but was [{}]. Scroll \
                 batch sizes cost as much memory as result windows so they are controlled by the \
                 [index.max_result_window] index level setting.",
                self.size
            )));
        }
        if end > RESULT_WINDOW {
            return Err(EsError::illegal_argument(format!(
                "Result window is too large, from + size must be less than or equal to: [{RESULT_WINDOW}] but was \
                 [{end}]. See the scroll api for a more efficient way to request large data sets. This limit can be \
                 set by changing the [index.max_result_window] index level setting."
            )));
        }
        if self.search_after.is_some() && self.from > 0 {
            return Err(EsError::illegal_argument(
                "`from` parameter must be set to 0 when `search_after` is used.",
            ));
        }
        Ok(())
    }
}

/// A `_count`.
#[derive(Debug, Clone, PartialEq)]
pub struct CountRequest {
    /// What to count.
    pub query: Query,
    /// Lowest score of what is counted.
    pub min_score: Option<f32>,
}

impl CountRequest {
    /// The count that `body` and `parameters` describe; `path` is that of the request, for messages.
    ///
    /// # Errors
    /// 400 in the words of Elasticsearch 7.10.
    pub fn parse(body: &[u8], parameters: &[(String, String)], path: &str) -> Result<Self, EsError> {
        let mut request = CountRequest { query: Query::match_all(), min_score: None };
        for (key, value) in json::object(body)?.unwrap_or_default() {
            match key.as_str() {
                "query" => request.query = query::parse::query(&value)?,
                _ => return Err(EsError::parsing(format!("request does not support [{key}]"))),
            }
        }
        for (name, value) in parameters {
            match name.as_str() {
                "min_score" => request.min_score = Some(json::float(&Value::String(value.clone()))? as f32),
                "preference" => {}
                name if CALLERS_PARAMETERS.contains(&name) => {}
                name if UNSUPPORTED_PARAMETERS.contains(&name) => {
                    return Err(EsError::unsupported(format_args!("parameter [{name}] of a count")));
                }
                name => return Err(unrecognized(path, name)),
            }
        }
        Ok(request)
    }
}

/// A time such as `1m` or `500ms`.
///
/// # Errors
/// 400 `illegal_argument_exception` in the words of Elasticsearch.
pub fn duration(setting: &str, text: &str) -> Result<Duration, EsError> {
    let wrong = |why: &str| {
        EsError::illegal_argument(format!(
            "failed to parse setting [{setting}] with value [{text}] as a time value: {why}"
        ))
    };
    let split = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let nanoseconds: u64 = match &text[split..] {
        "nanos" => 1,
        "micros" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" | "H" => 3_600_000_000_000,
        "d" => 86_400_000_000_000,
        _ if text == "-1" || text == "0" => return Ok(Duration::ZERO),
        _ => return Err(wrong("unit is missing or unrecognized")),
    };
    let number: u64 = text[..split].parse().map_err(|_| wrong("the number is missing or too large"))?;
    let total = number.checked_mul(nanoseconds).ok_or_else(|| wrong("the number is too large"))?;
    Ok(Duration::from_nanos(total))
}

fn scroll_life(text: &str) -> Result<Duration, EsError> {
    let life = duration("scroll", text)?;
    if life > LONGEST_SCROLL {
        return Err(EsError::illegal_argument(format!(
            "Keep alive for scroll ({text}) is too large. It must be less than (1d). This limit can be set by changing the \
             [search.max_keep_alive] cluster level setting."
        )));
    }
    Ok(life)
}

fn unknown_key(key: &str, value: &Value) -> EsError {
    EsError::parsing(format!("Unknown key for a {} in [{key}].", json::token(value)))
}

fn unrecognized(path: &str, name: &str) -> EsError {
    let known = PARAMETERS.iter().chain(&CALLERS_PARAMETERS).chain(&UNSUPPORTED_PARAMETERS).copied();
    let suggestion = match json::did_you_mean(name, known) {
        none if none.is_empty() => none,
        some => format!(" ->{some}"),
    };
    EsError::illegal_argument(format!(
        "request [{path}] contains unrecognized parameter: [{name}]{suggestion}"
    ))
}

/// `from` and `size` in a body: -1 means as if it were not there.
fn body_count(value: &Value, default: usize) -> Result<usize, EsError> {
    match json::integer(value)? {
        -1 => Ok(default),
        number => usize::try_from(number).map_err(|_| {
            EsError::illegal_argument(format!(
                "[size] and [from] parameters cannot be negative, found [{number}]"
            ))
        }),
    }
}

fn integer_parameter(name: &str, text: &str) -> Result<i64, EsError> {
    text.parse::<i32>().map(i64::from).map_err(|_| {
        EsError::illegal_argument(format!("Failed to parse int parameter [{name}] with value [{text}]"))
            .caused_by(json::not_a_number(&Value::String(text.to_string())))
    })
}

fn parameter_count(name: &str, text: &str, default: usize) -> Result<usize, EsError> {
    match integer_parameter(name, text)? {
        -1 => Ok(default),
        number => usize::try_from(number)
            .map_err(|_| EsError::illegal_argument(format!("[{name}] parameter cannot be negative"))),
    }
}

fn split(list: &str) -> Vec<String> {
    list.split(',').filter(|each| !each.is_empty()).map(str::to_string).collect()
}

fn total_hits(value: &Value) -> Result<TotalHits, EsError> {
    match value {
        Value::Bool(true) => return Ok(TotalHits::Exact),
        Value::Bool(false) => return Ok(TotalHits::Off),
        Value::String(text) if text == "true" || text.is_empty() => return Ok(TotalHits::Exact),
        Value::String(text) if text == "false" => return Ok(TotalHits::Off),
        _ => {}
    }
    match json::integer(value)? {
        -1 => Ok(TotalHits::Off),
        number => usize::try_from(number)
            .map(TotalHits::Up)
            .map_err(|_| EsError::illegal_argument(format!("value must be >= 0, got {number}"))),
    }
}

fn source_filter(value: &Value) -> Result<SourceFilter, EsError> {
    let strings = |value: &Value| match value {
        Value::String(text) => Ok(vec![text.clone()]),
        Value::Array(list) => list
            .iter()
            .map(|each| {
                each.as_str().map(str::to_string).ok_or_else(|| {
                    EsError::parsing(format!("Unknown key for a {} in [_source].", json::token(each)))
                })
            })
            .collect(),
        other => Err(EsError::parsing(format!("Unknown key for a {} in [_source].", json::token(other)))),
    };
    match value {
        Value::Bool(true) => Ok(SourceFilter::All),
        Value::Bool(false) => Ok(SourceFilter::None),
        Value::String(_) | Value::Array(_) => Ok(SourceFilter::of(strings(value)?, Vec::new())),
        Value::Object(object) => {
            let (mut includes, mut excludes) = (Vec::new(), Vec::new());
            for (key, value) in object {
                match key.as_str() {
                    "includes" | "include" => includes = strings(value)?,
                    "excludes" | "exclude" => excludes = strings(value)?,
                    _ => return Err(unknown_key(key, value)),
                }
            }
            Ok(SourceFilter::of(includes, excludes))
        }
        other => Err(EsError::parsing(format!(
            "Expected one of [VALUE_BOOLEAN, START_OBJECT] but found [{}]",
            json::token(other)
        ))),
    }
}

#[cfg(test)]
mod tests;
