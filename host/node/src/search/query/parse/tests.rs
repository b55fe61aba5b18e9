//! Queries and their errors; types and reasons were taken from Elasticsearch 7.10.2.

use super::*;
use serde_json::json;

/// Type and reason for each wrong query, taken from Elasticsearch 7.10.2 (positions in the text left out).
#[test]
fn errors_are_those_of_elasticsearch() {
    for (body, kind, reason) in [
        (json!({"matc": {}}), "parsing_exception", "unknown query [matc] did you mean [match]?"),
        (json!({"xyzzy": {}}), "parsing_exception", "unknown query [xyzzy] did you mean [fuzzy]?"),
        (json!({}), "illegal_argument_exception", "query malformed, empty clause found"),
        (json!({"match_all": {"x": 1}}), "parsing_exception", "[match_all] unknown field [x]"),
        (
            json!({"term": {"k": 1, "l": 2}}),
            "parsing_exception",
            "[term] query doesn't support multiple fields, found [k] and [l]",
        ),
        (json!({"term": {"k": {"valu": 1}}}), "parsing_exception", "[term] query does not support [valu]"),
        (json!({"term": {"k": [1]}}), "parsing_exception", "[term] query does not support array of values"),
        (
            json!({"term": "k"}),
            "parsing_exception",
            "[term] query malformed, no start_object after query name",
        ),
        (json!({"term": {}}), "illegal_argument_exception", "field name is null or empty"),
        (json!({"terms": {"k": "a"}}), "parsing_exception", "[terms] query does not support [k]"),
        (
            json!({"terms": {"k": [], "l": []}}),
            "parsing_exception",
            "[terms] query does not support multiple fields",
        ),
        (
            json!({"match": {"t": {"query": "a", "foo": 1}}}),
            "parsing_exception",
            "[match] query does not support [foo]",
        ),
        (
            json!({"match": {"t": {"operator": "and"}}}),
            "parsing_exception",
            "No text specified for text query",
        ),
        (
            json!({"match": {"t": {"query": "a", "operator": "xor"}}}),
            "illegal_argument_exception",
            "No enum constant org.elasticsearch.index.query.Operator.XOR",
        ),
        (
            json!({"match_phrase": {"t": {"query": "a", "slop": -1}}}),
            "illegal_argument_exception",
            "No negative slop allowed.",
        ),
        (json!({"range": {"l": {"foo": 2}}}), "parsing_exception", "[range] query does not support [foo]"),
        (json!({"range": {"l": 1}}), "parsing_exception", "[range] query does not support [l]"),
        (
            json!({"bool": {"mus": []}}),
            "x_content_parse_exception",
            "[bool] unknown field [mus] did you mean [must]?",
        ),
        (
            json!({"bool": {"must": "x"}}),
            "x_content_parse_exception",
            "[bool] must doesn't support values of type: VALUE_STRING",
        ),
        (
            json!({"ids": {"vals": ["1"]}}),
            "parsing_exception",
            "[ids] unknown field [vals] did you mean [values]?",
        ),
        (json!({"exists": {"fiel": "a"}}), "parsing_exception", "[exists] query does not support [fiel]"),
        (json!({"exists": {}}), "parsing_exception", "[exists] must be provided with a [field]"),
        (json!({"constant_score": {}}), "parsing_exception", "[constant_score] requires a 'filter' element"),
    ] {
        let error = query(&body).unwrap_err();
        assert_eq!((error.status, error.kind, error.reason.as_str()), (400, kind, reason), "{body}");
    }
}

#[test]
fn the_root_cause_of_a_wrong_clause_is_the_clause() {
    let error = query(&json!({"bool": {"must": [{"bool": {"filter": [1]}}]}})).unwrap_err();
    assert_eq!(error.kind, "x_content_parse_exception");
    assert!(error.root_is_cause);
}

#[test]
fn queries_the_node_lacks_are_refused_by_name() {
    let error = query(&json!({"query_string": {"query": "a"}})).unwrap_err();
    assert_eq!(error.reason, "query [query_string] is not supported by the embedded node");
    let error = query(&json!({"term": {"k": {"value": "a", "_name": "n"}}})).unwrap_err();
    assert_eq!(error.reason, "[_name] of a query is not supported by the embedded node");
}

#[test]
fn short_and_long_forms_say_the_same() {
    for (short, long) in [
        (json!({"term": {"k": "a"}}), json!({"term": {"k": {"value": "a"}}})),
        (json!({"match": {"t": "a b"}}), json!({"match": {"t": {"query": "a b", "operator": "OR"}}})),
        (json!({"match_phrase": {"t": "a b"}}), json!({"match_phrase": {"t": {"query": "a b", "slop": 0}}})),
        (json!({"prefix": {"k": "a"}}), json!({"prefix": {"k": {"value": "a", "boost": 1}}})),
        (
            json!({"range": {"l": {"gt": 1, "lte": 2}}}),
            json!({"range": {"l": {"from": 1, "include_lower": false, "to": 2}}}),
        ),
        (json!({"bool": {"must": {"match_all": {}}}}), json!({"bool": {"must": [{"match_all": {}}]}})),
        (json!({"ids": {"values": "1"}}), json!({"ids": {"values": ["1"]}})),
    ] {
        assert_eq!(query(&short).unwrap(), query(&long).unwrap());
    }
}

#[test]
fn endless_nesting_is_refused() {
    let mut body = json!({"match_all": {}});
    for _ in 0..100 {
        body = json!({"constant_score": {"filter": body}});
    }
    assert!(query(&body).unwrap_err().reason.contains("levels deep"));
}
