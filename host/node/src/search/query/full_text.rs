//! JSON of the `match` family to [`Query`].

use super::ast::{Combination, Match, Query, QueryKind};
use super::minimum::MinimumShouldMatch;
use super::parse::{boost, name_is_unsupported, one_field, unsupported_key};
use crate::error::EsError;
use crate::search::json;
use serde_json::{Map, Value};

/// Reads the value of `query` in a query of the `match` family.
fn match_text(value: &Value) -> Result<Value, EsError> {
    match value {
        Value::Array(_) | Value::Object(_) => Err(EsError::new(
            500,
            "illegal_state_exception",
            format!("Can't get text on a {}", json::token(value)),
        )),
        Value::Null => Err(EsError::parsing("No text specified for text query")),
        scalar => Ok(scalar.clone()),
    }
}

/// Reads one of the options that all queries of the `match` family share; false where `key` is none of them.
fn match_option(name: &str, key: &str, value: &Value, query: &mut Match) -> Result<bool, EsError> {
    match key {
        "query" => query.text = match_text(value)?,
        "operator" => {
            let text = json::text(value).unwrap_or_default();
            query.all_words = match text.to_ascii_lowercase().as_str() {
                "and" => true,
                "or" => false,
                _ => {
                    let constant = text.to_uppercase();
                    return Err(EsError::illegal_argument(format!(
                        "No enum constant org.elasticsearch.index.query.Operator.{constant}"
                    )));
                }
            };
        }
        "minimum_should_match" => query.minimum_should_match = MinimumShouldMatch::new(value),
        "lenient" => query.lenient = json::boolean(value)?,
        "zero_terms_query" => query.zero_terms_match_all = zero_terms(value)?,
        // They change how the query runs, or only what fuzzy queries and synonyms do, of which there are none.
        "max_expansions"
        | "prefix_length"
        | "fuzzy_transpositions"
        | "auto_generate_synonyms_phrase_query"
        | "cutoff_frequency" => {}
        "analyzer" if value == "standard" => {}
        "fuzziness" | "fuzzy_rewrite" | "analyzer" => {
            return Err(EsError::unsupported(format_args!("[{name}] query with [{key}]")));
        }
        "_name" => return Err(name_is_unsupported()),
        _ => return Ok(false),
    }
    Ok(true)
}

fn zero_terms(value: &Value) -> Result<bool, EsError> {
    match json::text(value).unwrap_or_default().to_ascii_lowercase().as_str() {
        "none" => Ok(false),
        "all" => Ok(true),
        other => Err(EsError::parsing(format!("Unsupported zero_terms_query value [{other}]"))),
    }
}

fn blank_match(field: &str) -> Match {
    Match {
        field: field.to_string(),
        text: Value::Null,
        all_words: false,
        minimum_should_match: None,
        zero_terms_match_all: false,
        lenient: false,
    }
}

fn with_text(query: Match) -> Result<Match, EsError> {
    if query.text.is_null() { Err(EsError::parsing("No text specified for text query")) } else { Ok(query) }
}

pub(super) fn match_query(body: &Map<String, Value>) -> Result<Query, EsError> {
    let (field, value) = one_field("match", body)?;
    let mut weight = 1.0;
    let mut query = blank_match(field);
    match value {
        Value::Object(options) => {
            for (key, value) in options {
                if key == "boost" {
                    weight = boost(value)?;
                } else if !match_option("match", key, value, &mut query)? {
                    return Err(unsupported_key("match", key));
                }
            }
        }
        value => query.text = match_text(value)?,
    }
    Ok(Query { kind: QueryKind::Match(with_text(query)?), boost: weight })
}

fn slop(value: &Value) -> Result<u32, EsError> {
    u32::try_from(json::integer(value)?).map_err(|_| EsError::illegal_argument("No negative slop allowed."))
}

pub(super) fn match_phrase(body: &Map<String, Value>) -> Result<Query, EsError> {
    let (field, value) = one_field("match_phrase", body)?;
    let (mut weight, mut distance) = (1.0, 0);
    let mut query = blank_match(field);
    match value {
        Value::Object(options) => {
            for (key, value) in options {
                match key.as_str() {
                    "boost" => weight = boost(value)?,
                    "slop" => distance = slop(value)?,
                    "query" | "analyzer" | "zero_terms_query" | "_name" => {
                        match_option("match_phrase", key, value, &mut query)?;
                    }
                    _ => return Err(unsupported_key("match_phrase", key)),
                }
            }
        }
        value => query.text = match_text(value)?,
    }
    let query = with_text(query)?;
    let kind = QueryKind::MatchPhrase {
        field: query.field,
        text: query.text,
        slop: distance,
        zero_terms_match_all: query.zero_terms_match_all,
    };
    Ok(Query { kind, boost: weight })
}

pub(super) fn multi_match(body: &Map<String, Value>) -> Result<Query, EsError> {
    let (mut weight, mut distance, mut tie_breaker) = (1.0, 0, 0.0);
    let mut fields = Vec::new();
    let mut kind = "best_fields".to_string();
    let mut query = blank_match("");
    for (key, value) in body {
        match key.as_str() {
            "fields" => {
                let list = match value {
                    Value::Array(list) => list.as_slice(),
                    one => std::slice::from_ref(one),
                };
                for each in list {
                    fields.push(field_with_boost(
                        &json::text(each).ok_or_else(|| unsupported_key("multi_match", key))?,
                    )?);
                }
            }
            "type" => kind = json::text(value).unwrap_or_default(),
            "tie_breaker" => tie_breaker = json::float(value)? as f32,
            "slop" => distance = slop(value)?,
            "boost" => weight = boost(value)?,
            key => {
                if !match_option("multi_match", key, value, &mut query)? {
                    return Err(unsupported_key("multi_match", key));
                }
            }
        }
    }
    let combination = match kind.as_str() {
        "best_fields" => Combination::Best { tie_breaker },
        "most_fields" => Combination::Sum,
        "phrase" => Combination::Phrase { slop: distance, tie_breaker },
        "cross_fields" | "phrase_prefix" | "bool_prefix" => {
            return Err(EsError::unsupported(format_args!("[multi_match] query of type [{kind}]")));
        }
        _ => {
            return Err(EsError::parsing(format!(
                "failed to parse [multi_match] query type [{kind}]. unknown type."
            )));
        }
    };
    if fields.is_empty() {
        return Err(EsError::unsupported("[multi_match] query without [fields]"));
    }
    let query = with_text(query)?;
    Ok(Query { kind: QueryKind::MultiMatch { fields, query, combination }, boost: weight })
}

fn field_with_boost(text: &str) -> Result<(String, f32), EsError> {
    match text.split_once('^') {
        Some((field, weight)) => Ok((field.to_string(), boost(&Value::String(weight.to_string()))?)),
        None => Ok((text.to_string(), 1.0)),
    }
}
