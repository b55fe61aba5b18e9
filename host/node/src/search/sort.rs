//! What hits are ordered by: `sort` of a request.

use super::json;
use crate::error::EsError;
use serde_json::Value;

/// One level of an order.
#[derive(Debug, Clone, PartialEq)]
pub struct SortKey {
    /// What is compared.
    pub by: SortBy,
    /// Whether the greatest comes first.
    pub descending: bool,
    /// Where documents without a value go.
    pub missing: Missing,
    /// Which of several values counts; by default the least, or when descending the greatest.
    pub mode: Option<SortMode>,
    /// The type of the field in indices that do not have it; without it, such an index is an error.
    pub unmapped_type: Option<String>,
}

/// What is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SortBy {
    /// The score.
    Score,
    /// The order in the index, the cheapest of all.
    Document,
    /// The values of a field.
    Field(String),
}

/// Where documents without a value go.
#[derive(Debug, Clone, PartialEq)]
pub enum Missing {
    /// Before all others, whatever the direction.
    First,
    /// Behind all others, whatever the direction.
    Last,
    /// Where this value would stand.
    Value(Value),
}

/// Which of several values counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortMode {
    /// The least.
    Least,
    /// The greatest.
    Greatest,
}

impl SortKey {
    /// By the score, best first.
    pub fn score() -> Self {
        SortKey::by(SortBy::Score, true)
    }

    fn by(by: SortBy, descending: bool) -> Self {
        SortKey { by, descending, missing: Missing::Last, mode: None, unmapped_type: None }
    }

    fn named(name: &str) -> Result<Self, EsError> {
        Ok(match name {
            "_score" => SortKey::score(),
            "_doc" => SortKey::by(SortBy::Document, false),
            "_geo_distance" | "_script" => {
                return Err(EsError::unsupported(format_args!("sorting by [{name}]")));
            }
            "" => return Err(EsError::illegal_argument("[field name] must not be null or empty")),
            field => SortKey::by(SortBy::Field(field.to_string()), false),
        })
    }
}

/// Reads `sort`: a name, an object, or a list of them. By the score alone, best first, is no sort at all.
///
/// # Errors
/// 400 in the words of Elasticsearch 7.10.
pub fn parse(value: &Value) -> Result<Vec<SortKey>, EsError> {
    let list = match value {
        Value::Array(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    let mut keys = Vec::with_capacity(list.len());
    for each in list {
        match each {
            Value::String(name) => keys.push(SortKey::named(name)?),
            Value::Object(object) => {
                for (name, options) in object {
                    keys.push(key(name, options)?);
                }
            }
            _ => {
                let reason = format!(
                    "malformed sort format, within the sort array, an object, or an actual string are allowed, found [{}]",
                    json::token(each)
                );
                return Err(EsError::illegal_argument(reason));
            }
        }
    }
    Ok(without_plain_score(keys))
}

/// Reads the `sort` parameter of a URL: `name`, `name:asc`, `name:desc`, separated by commas.
///
/// # Errors
/// 400 for a direction that is none. Elasticsearch takes `a:b` for a field of that name and ignores the sort.
pub fn parse_parameter(text: &str) -> Result<Vec<SortKey>, EsError> {
    let mut keys = Vec::new();
    for each in text.split(',') {
        let mut key = SortKey::named(each.rsplit_once(':').map_or(each, |(name, _)| name))?;
        if let Some((_, direction)) = each.rsplit_once(':') {
            key.descending = direction_of(direction)?;
        }
        keys.push(key);
    }
    Ok(without_plain_score(keys))
}

fn without_plain_score(keys: Vec<SortKey>) -> Vec<SortKey> {
    match keys.as_slice() {
        [only] if only.by == SortBy::Score && only.descending => Vec::new(),
        _ => keys,
    }
}

fn direction_of(text: &str) -> Result<bool, EsError> {
    match text.to_ascii_lowercase().as_str() {
        "asc" => Ok(false),
        "desc" => Ok(true),
        _ => Err(EsError::illegal_argument(format!(
            "No enum constant org.elasticsearch.search.sort.SortOrder.{}",
            text.to_uppercase()
        ))),
    }
}

fn key(name: &str, options: &Value) -> Result<SortKey, EsError> {
    let mut key = SortKey::named(name)?;
    let options = match options {
        Value::Object(options) => options,
        Value::String(direction) => {
            key.descending = direction_of(direction)?;
            return Ok(key);
        }
        other => {
            let reason =
                format!("[{name}] sort has to be a direction or an object, found [{}]", json::token(other));
            return Err(EsError::parsing(reason));
        }
    };
    let parser = match key.by {
        SortBy::Score => "_score",
        SortBy::Document => "_doc",
        SortBy::Field(_) => "field_sort",
    };
    for (option, value) in options {
        match option.as_str() {
            "order" => key.descending = direction_of(&json::text(value).unwrap_or_default())?,
            "missing" if parser != "_score" => {
                key.missing = match value.as_str() {
                    Some("_first") => Missing::First,
                    Some("_last") => Missing::Last,
                    _ => Missing::Value(value.clone()),
                }
            }
            "mode" if parser != "_score" => {
                key.mode = match value.as_str() {
                    Some("min") => Some(SortMode::Least),
                    Some("max") => Some(SortMode::Greatest),
                    _ => return Err(EsError::unsupported(format_args!("sort mode {value}"))),
                }
            }
            "unmapped_type" if parser != "_score" => key.unmapped_type = json::text(value),
            "nested" | "nested_path" | "nested_filter" | "numeric_type" if parser != "_score" => {
                return Err(EsError::unsupported(format_args!("[{option}] of a sort")));
            }
            _ => {
                let reason = format!("[{parser}] unknown field [{option}]");
                return Err(EsError::new(400, "x_content_parse_exception", reason));
            }
        }
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn all_forms_say_the_same() {
        let expected = vec![SortKey { descending: true, ..SortKey::named("l").unwrap() }];
        for form in [
            json!({"l": "desc"}),
            json!([{"l": "DESC"}]),
            json!([{"l": {"order": "desc"}}]),
            json!([{"l": {"order": "desc", "missing": "_last"}}]),
        ] {
            assert_eq!(parse(&form).unwrap(), expected, "{form}");
        }
        assert_eq!(parse_parameter("l:desc").unwrap(), expected);
        assert_eq!(parse(&json!("l")).unwrap(), parse_parameter("l").unwrap());
    }

    #[test]
    fn by_the_score_alone_is_no_sort() {
        assert!(parse(&json!("_score")).unwrap().is_empty());
        assert_eq!(parse(&json!([{"_score": "asc"}])).unwrap().len(), 1);
        assert_eq!(parse(&json!(["_score", "l"])).unwrap().len(), 2);
    }

    #[test]
    fn errors_are_those_of_elasticsearch() {
        let error = parse(&json!([{"l": "descc"}])).unwrap_err();
        assert_eq!(error.reason, "No enum constant org.elasticsearch.search.sort.SortOrder.DESCC");
        let error = parse(&json!([{"l": {"order": "desc", "foo": 1}}])).unwrap_err();
        assert_eq!(
            (error.kind, error.reason.as_str()),
            ("x_content_parse_exception", "[field_sort] unknown field [foo]")
        );
    }
}
