//! JSON to [`Query`].

use super::ast::{Query, QueryKind, Range, RangeBound};
use super::full_text;
use super::minimum::MinimumShouldMatch;
use super::percolate;
use crate::error::EsError;
use crate::search::json;
use serde_json::{Map, Value};

/// The queries of Elasticsearch 7.10 that the node does not have: refused by name, not as unknown.
const UNSUPPORTED: [&str; 40] = [
    "boosting",
    "common",
    "distance_feature",
    "function_score",
    "fuzzy",
    "geo_bounding_box",
    "geo_distance",
    "geo_polygon",
    "geo_shape",
    "has_child",
    "has_parent",
    "intervals",
    "match_bool_prefix",
    "match_phrase_prefix",
    "more_like_this",
    "nested",
    "parent_id",
    "pinned",
    "query_string",
    "rank_feature",
    "regexp",
    "script",
    "script_score",
    "simple_query_string",
    "span_containing",
    "field_masking_span",
    "span_first",
    "span_gap",
    "span_multi",
    "span_near",
    "span_not",
    "span_or",
    "span_term",
    "span_within",
    "terms_set",
    "type",
    "wrapper",
    "shape",
    "combined_fields",
    "knn",
];

const SUPPORTED: [&str; 16] = [
    "match_all",
    "match_none",
    "term",
    "terms",
    "match",
    "match_phrase",
    "multi_match",
    "range",
    "bool",
    "prefix",
    "wildcard",
    "ids",
    "exists",
    "constant_score",
    "dis_max",
    "percolate",
];

/// How deep queries may be nested; Elasticsearch ends by stack overflow or its limit on clauses.
const DEEPEST: usize = 60;

/// Reads a query object: `{"name": {…}}`.
///
/// # Errors
/// 400 `parsing_exception` and the other types that Elasticsearch 7.10 uses, naming the query and the key.
pub fn query(value: &Value) -> Result<Query, EsError> {
    parse(value, 0)
}

fn parse(value: &Value, depth: usize) -> Result<Query, EsError> {
    if depth > DEEPEST {
        return Err(EsError::illegal_argument(format!(
            "the query is nested more than {DEEPEST} levels deep"
        )));
    }
    let Value::Object(object) = value else {
        return Err(EsError::parsing("[_na] query malformed, must start with start_object"));
    };
    let mut members = object.iter();
    let Some((name, body)) = members.next() else {
        return Err(EsError::illegal_argument("query malformed, empty clause found"));
    };
    if !SUPPORTED.contains(&name.as_str()) && UNSUPPORTED.contains(&name.as_str()) {
        return Err(EsError::unsupported(format_args!("query [{name}]")));
    }
    if !SUPPORTED.contains(&name.as_str()) {
        let known = SUPPORTED.iter().chain(&UNSUPPORTED).copied();
        let cause = EsError::new(400, "named_object_not_found_exception", format!("unknown field [{name}]"));
        let suggestion = json::did_you_mean(name, known);
        return Err(EsError::parsing(format!("unknown query [{name}]{suggestion}")).caused_by(cause));
    }
    let Value::Object(body) = body else {
        return Err(EsError::parsing(format!("[{name}] query malformed, no start_object after query name")));
    };
    let query = match name.as_str() {
        "match_all" => simple("match_all", body, QueryKind::MatchAll),
        "match_none" => simple("match_none", body, QueryKind::MatchNone),
        "term" => term(body),
        "terms" => terms(body),
        "match" => full_text::match_query(body),
        "match_phrase" => full_text::match_phrase(body),
        "multi_match" => full_text::multi_match(body),
        "range" => range(body),
        "bool" => bool_query(body, depth),
        "prefix" => pattern("prefix", body),
        "wildcard" => pattern("wildcard", body),
        "ids" => ids(body),
        "exists" => exists(body),
        "constant_score" => constant_score(body, depth),
        "percolate" => percolate::parse(body),
        _ => dis_max(body, depth),
    }?;
    if let Some((second, _)) = members.next() {
        return Err(EsError::parsing(format!(
            "[{name}] malformed query, expected [END_OBJECT] but found [FIELD_NAME] [{second}]"
        )));
    }
    Ok(query)
}

pub(super) fn unsupported_key(query: &str, key: &str) -> EsError {
    EsError::parsing(format!("[{query}] query does not support [{key}]"))
}

pub(super) fn boost(value: &Value) -> Result<f32, EsError> {
    let boost = json::float(value)? as f32;
    if boost < 0.0 {
        let reason = format!(
            "negative [boost] are not allowed in [{boost:?}], use a value between 0 and 1 to deboost"
        );
        return Err(EsError::illegal_argument(reason));
    }
    Ok(boost)
}

pub(super) fn name_is_unsupported() -> EsError {
    EsError::unsupported("[_name] of a query")
}

fn simple(name: &str, body: &Map<String, Value>, kind: QueryKind) -> Result<Query, EsError> {
    let mut query = Query::new(kind);
    for (key, value) in body {
        match key.as_str() {
            "boost" => query.boost = boost(value)?,
            "_name" => return Err(name_is_unsupported()),
            _ => {
                let suggestion = json::did_you_mean(key, ["boost", "_name"]);
                return Err(EsError::parsing(format!("[{name}] unknown field [{key}]{suggestion}")));
            }
        }
    }
    Ok(query)
}

/// The single field of a query on one field.
pub(super) fn one_field<'b>(
    query: &str,
    body: &'b Map<String, Value>,
) -> Result<(&'b String, &'b Value), EsError> {
    let mut members = body.iter();
    let Some(first) = members.next() else {
        return Err(EsError::illegal_argument("field name is null or empty"));
    };
    if let Some((second, _)) = members.next() {
        let reason =
            format!("[{query}] query doesn't support multiple fields, found [{}] and [{second}]", first.0);
        return Err(EsError::parsing(reason));
    }
    if first.0.is_empty() {
        return Err(EsError::illegal_argument("field name is null or empty"));
    }
    Ok(first)
}

fn scalar(query: &str, value: &Value) -> Result<Value, EsError> {
    match value {
        Value::Array(_) => Err(EsError::parsing(format!("[{query}] query does not support array of values"))),
        Value::Object(_) => {
            Err(EsError::parsing(format!("[{query}] query does not support an object as value")))
        }
        Value::Null => Err(EsError::illegal_argument("value cannot be null")),
        scalar => Ok(scalar.clone()),
    }
}

fn term(body: &Map<String, Value>) -> Result<Query, EsError> {
    let (field, value) = one_field("term", body)?;
    let (mut weight, mut wanted) = (1.0, None);
    match value {
        Value::Object(options) => {
            for (key, value) in options {
                match key.as_str() {
                    "value" | "term" => wanted = Some(scalar("term", value)?),
                    "boost" => weight = boost(value)?,
                    "case_insensitive" if !json::boolean(value)? => {}
                    "case_insensitive" => {
                        return Err(EsError::unsupported("[term] query with [case_insensitive]"));
                    }
                    "_name" => return Err(name_is_unsupported()),
                    _ => return Err(unsupported_key("term", key)),
                }
            }
        }
        value => wanted = Some(scalar("term", value)?),
    }
    let value = wanted.ok_or_else(|| EsError::illegal_argument("value cannot be null"))?;
    Ok(Query { kind: QueryKind::Term { field: field.clone(), value }, boost: weight })
}

fn terms(body: &Map<String, Value>) -> Result<Query, EsError> {
    let (mut weight, mut found) = (1.0, None);
    for (key, value) in body {
        match (key.as_str(), value) {
            ("boost", value) => weight = boost(value)?,
            ("_name", _) => return Err(name_is_unsupported()),
            (field, Value::Array(values)) => {
                if found.is_some() {
                    return Err(EsError::parsing("[terms] query does not support multiple fields"));
                }
                for value in values {
                    match value {
                        Value::Null => {
                            return Err(EsError::illegal_argument("No value specified for terms query"));
                        }
                        Value::Array(_) | Value::Object(_) => {
                            let reason =
                                format!("[terms] unknown token [{}] after [{field}]", json::token(value));
                            return Err(EsError::parsing(reason));
                        }
                        _ => {}
                    }
                }
                found = Some((field.to_string(), values.clone()));
            }
            (field, Value::Object(_)) => {
                return Err(EsError::unsupported(format_args!("[terms] lookup of the values of [{field}]")));
            }
            (key, _) => return Err(unsupported_key("terms", key)),
        }
    }
    let (field, values) = found.ok_or_else(|| {
        EsError::parsing(
            "[terms] query requires a field name, followed by array of terms or a document lookup specification",
        )
    })?;
    Ok(Query { kind: QueryKind::Terms { field, values }, boost: weight })
}

fn range(body: &Map<String, Value>) -> Result<Query, EsError> {
    let (field, value) = one_field("range", body)?;
    let Value::Object(options) = value else {
        return Err(unsupported_key("range", field));
    };
    let mut weight = 1.0;
    let mut range = Range { field: field.clone(), lower: None, upper: None, format: None };
    let (mut include_lower, mut include_upper) = (None, None);
    let bound = |value: &Value, inclusive| match value {
        Value::Null => Ok(None),
        value => scalar("range", value).map(|value| Some(RangeBound { value, inclusive })),
    };
    for (key, value) in options {
        match key.as_str() {
            "gte" | "from" | "ge" => range.lower = bound(value, true)?,
            "gt" => range.lower = bound(value, false)?,
            "lte" | "to" | "le" => range.upper = bound(value, true)?,
            "lt" => range.upper = bound(value, false)?,
            "include_lower" => include_lower = Some(json::boolean(value)?),
            "include_upper" => include_upper = Some(json::boolean(value)?),
            "format" => range.format = json::text(value),
            "boost" => weight = boost(value)?,
            "time_zone" if matches!(value.as_str(), Some("UTC" | "Z" | "+00:00" | "GMT")) => {}
            "time_zone" => {
                return Err(EsError::unsupported("[range] query with a [time_zone] other than UTC"));
            }
            "relation" => return Err(EsError::unsupported("[range] query with [relation]")),
            "_name" => return Err(name_is_unsupported()),
            _ => return Err(unsupported_key("range", key)),
        }
    }
    if let (Some(bound), Some(inclusive)) = (&mut range.lower, include_lower) {
        bound.inclusive = inclusive;
    }
    if let (Some(bound), Some(inclusive)) = (&mut range.upper, include_upper) {
        bound.inclusive = inclusive;
    }
    Ok(Query { kind: QueryKind::Range(range), boost: weight })
}

fn clauses(key: &str, value: &Value, depth: usize) -> Result<Vec<Query>, EsError> {
    let parsed = match value {
        Value::Array(list) => list.iter().map(|each| parse(each, depth + 1)).collect(),
        Value::Object(_) => parse(value, depth + 1).map(|query| vec![query]),
        other => {
            let reason = format!("[bool] {key} doesn't support values of type: {}", json::token(other));
            return Err(EsError::new(400, "x_content_parse_exception", reason));
        }
    };
    parsed.map_err(|cause| wrapped(format!("[bool] failed to parse field [{key}]"), cause))
}

/// The error of a clause within a compound query. Elasticsearch reports the innermost one as root cause.
fn wrapped(reason: String, cause: EsError) -> EsError {
    let status = cause.status;
    let mut error = EsError::new(status, "x_content_parse_exception", reason).caused_by(cause);
    error.root_is_cause = true;
    error
}

fn bool_query(body: &Map<String, Value>, depth: usize) -> Result<Query, EsError> {
    const KEYS: [&str; 8] = [
        "must",
        "filter",
        "should",
        "must_not",
        "minimum_should_match",
        "adjust_pure_negative",
        "boost",
        "_name",
    ];
    let mut weight = 1.0;
    let (mut must, mut filter, mut should, mut must_not) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut minimum_should_match, mut adjust_pure_negative) = (None, true);
    for (key, value) in body {
        match key.as_str() {
            "must" => must = clauses(key, value, depth)?,
            "filter" => filter = clauses(key, value, depth)?,
            "should" => should = clauses(key, value, depth)?,
            "must_not" | "mustNot" => must_not = clauses(key, value, depth)?,
            "minimum_should_match" => minimum_should_match = MinimumShouldMatch::new(value),
            "adjust_pure_negative" => adjust_pure_negative = json::boolean(value)?,
            "boost" => weight = boost(value)?,
            "_name" => return Err(name_is_unsupported()),
            _ => {
                let suggestion = json::did_you_mean(key, KEYS);
                let reason = format!("[bool] unknown field [{key}]{suggestion}");
                return Err(EsError::new(400, "x_content_parse_exception", reason));
            }
        }
    }
    let kind = QueryKind::Bool { must, filter, should, must_not, minimum_should_match, adjust_pure_negative };
    Ok(Query { kind, boost: weight })
}

/// `prefix` and `wildcard`.
fn pattern(name: &str, body: &Map<String, Value>) -> Result<Query, EsError> {
    let (field, value) = one_field(name, body)?;
    let (mut weight, mut wanted) = (1.0, None);
    match value {
        Value::Object(options) => {
            for (key, value) in options {
                match key.as_str() {
                    "value" => wanted = json::text(value),
                    "prefix" if name == "prefix" => wanted = json::text(value),
                    "wildcard" if name == "wildcard" => wanted = json::text(value),
                    "boost" => weight = boost(value)?,
                    "rewrite" if value == "constant_score" || value.is_null() => {}
                    "rewrite" => {
                        return Err(EsError::unsupported(format_args!(
                            "[{name}] query with [rewrite] [{value}]"
                        )));
                    }
                    "case_insensitive" if !json::boolean(value)? => {}
                    "case_insensitive" => {
                        return Err(EsError::unsupported(format_args!(
                            "[{name}] query with [case_insensitive]"
                        )));
                    }
                    "_name" => return Err(name_is_unsupported()),
                    _ => return Err(unsupported_key(name, key)),
                }
            }
        }
        value => wanted = json::text(&scalar(name, value)?),
    }
    let text = wanted.ok_or_else(|| EsError::illegal_argument("value cannot be null"))?;
    let kind = if name == "prefix" {
        QueryKind::Prefix { field: field.clone(), value: text }
    } else {
        QueryKind::Wildcard { field: field.clone(), pattern: text }
    };
    Ok(Query { kind, boost: weight })
}

fn ids(body: &Map<String, Value>) -> Result<Query, EsError> {
    let (mut weight, mut found) = (1.0, None);
    for (key, value) in body {
        match key.as_str() {
            "values" => {
                let list = match value {
                    Value::Array(list) => list.as_slice(),
                    one => std::slice::from_ref(one),
                };
                let ids: Option<Vec<String>> = list.iter().map(json::text).collect();
                found = Some(ids.ok_or_else(|| EsError::parsing("[ids] values has to hold ids"))?);
            }
            "type" => {}
            "boost" => weight = boost(value)?,
            "_name" => return Err(name_is_unsupported()),
            _ => {
                let suggestion = json::did_you_mean(key, ["values", "type", "boost", "_name"]);
                return Err(EsError::parsing(format!("[ids] unknown field [{key}]{suggestion}")));
            }
        }
    }
    let ids = found.ok_or_else(|| EsError::illegal_argument("Required [values]"))?;
    Ok(Query { kind: QueryKind::Ids(ids), boost: weight })
}

fn exists(body: &Map<String, Value>) -> Result<Query, EsError> {
    let (mut weight, mut found) = (1.0, None);
    for (key, value) in body {
        match key.as_str() {
            "field" => found = json::text(value),
            "boost" => weight = boost(value)?,
            "_name" => return Err(name_is_unsupported()),
            _ => return Err(unsupported_key("exists", key)),
        }
    }
    let field = found.ok_or_else(|| EsError::parsing("[exists] must be provided with a [field]"))?;
    Ok(Query { kind: QueryKind::Exists(field), boost: weight })
}

fn constant_score(body: &Map<String, Value>, depth: usize) -> Result<Query, EsError> {
    let (mut weight, mut found) = (1.0, None);
    for (key, value) in body {
        match key.as_str() {
            "filter" => match value {
                Value::Array(_) => {
                    return Err(EsError::parsing("unexpected token [START_ARRAY]"));
                }
                value => found = Some(parse(value, depth + 1)?),
            },
            "boost" => weight = boost(value)?,
            "_name" => return Err(name_is_unsupported()),
            _ => return Err(unsupported_key("constant_score", key)),
        }
    }
    let inner = found.ok_or_else(|| EsError::parsing("[constant_score] requires a 'filter' element"))?;
    Ok(Query { kind: QueryKind::ConstantScore(Box::new(inner)), boost: weight })
}

fn dis_max(body: &Map<String, Value>, depth: usize) -> Result<Query, EsError> {
    let (mut weight, mut tie_breaker, mut queries) = (1.0, 0.0, Vec::new());
    for (key, value) in body {
        match key.as_str() {
            "queries" => queries = clauses(key, value, depth)?,
            "tie_breaker" => tie_breaker = json::float(value)? as f32,
            "boost" => weight = boost(value)?,
            "_name" => return Err(name_is_unsupported()),
            _ => return Err(unsupported_key("dis_max", key)),
        }
    }
    if queries.is_empty() {
        return Err(EsError::parsing("[dis_max] requires 'queries' field with at least one clause"));
    }
    Ok(Query { kind: QueryKind::DisjunctionMax { queries, tie_breaker }, boost: weight })
}

#[cfg(test)]
mod tests;
