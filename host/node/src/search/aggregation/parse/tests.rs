//! Aggregations and their errors; types and reasons were taken from Elasticsearch 7.10.2.

use super::*;
use serde_json::json;

fn parsed(value: Value) -> Result<Vec<Aggregation>, EsError> {
    parse(value.as_object().unwrap())
}

/// Status, type and reason of each wrong request, taken from Elasticsearch 7.10.2 (positions left out).
#[test]
fn errors_are_those_of_elasticsearch() {
    for (body, status, kind, reason) in [
        (
            json!({"a": {"term": {"field": "k"}}}),
            400,
            "parsing_exception",
            "Unknown aggregation type [term] did you mean [terms]?",
        ),
        (json!({"a": {}}), 400, "parsing_exception", "Missing definition for aggregation [a]"),
        (
            json!({"a": {"terms": {"field": "k"}, "avg": {"field": "l"}}}),
            400,
            "parsing_exception",
            "Found two aggregation type definitions in [a]: [terms] and [avg]",
        ),
        (
            json!({"a": {"terms": {}}}),
            400,
            "illegal_argument_exception",
            "Required one of fields [field, script], but none were specified. ",
        ),
        (
            json!({"a": {"terms": {"field": "k", "foo": 1}}}),
            400,
            "x_content_parse_exception",
            "[terms] unknown field [foo]",
        ),
        (
            json!({"a": {"terms": {"field": "k", "size": 0}}}),
            400,
            "x_content_parse_exception",
            "[terms] failed to parse field [size]",
        ),
        (
            json!({"a": {"histogram": {"field": "l", "interval": 0}}}),
            400,
            "x_content_parse_exception",
            "[histogram] failed to parse field [interval]",
        ),
        (
            json!({"a": {"date_histogram": {"field": "d", "calendar_interval": "2M"}}}),
            400,
            "x_content_parse_exception",
            "[date_histogram] failed to parse field [calendar_interval]",
        ),
        (
            json!({"a[b]": {"avg": {"field": "l"}}}),
            400,
            "parsing_exception",
            "Invalid aggregation name [a[b]]. Aggregation names can contain any character except '[', ']', and '>'",
        ),
        (
            json!({"a": {"avg": {"field": "l"}, "aggs": {"x": {"avg": {"field": "l"}}}}}),
            500,
            "aggregation_initialization_exception",
            "Aggregator [a] of type [avg] cannot accept sub-aggregations",
        ),
        (
            json!({"a": {"top_hits": {}}}),
            400,
            "illegal_argument_exception",
            "aggregation [top_hits] is not supported by the embedded node",
        ),
    ] {
        let error = parsed(body.clone()).unwrap_err();
        assert_eq!((error.status, error.kind, error.reason.as_str()), (status, kind, reason), "{body}");
    }
}

#[test]
fn orders_name_counts_keys_and_metrics() {
    let body = json!({"a": {"terms": {"field": "k", "order": [{"_count": "asc"}, {"x>y.max": "desc"}]}}});
    let Kind::Terms(terms) = &parsed(body).unwrap()[0].kind else { panic!() };
    let path = vec!["x".to_string(), "y".to_string()];
    assert_eq!(
        terms.order,
        [
            Order { by: OrderBy::Count, descending: false },
            Order { by: OrderBy::Metric { path, number: Some("max".to_string()) }, descending: true },
        ]
    );
}

#[test]
fn offsets_have_signs_and_units() {
    for (text, milliseconds) in [("+6h", 21_600_000), ("-1d", -86_400_000), ("500ms", 500)] {
        assert_eq!(offset(&json!(text)).unwrap(), milliseconds);
    }
    assert_eq!(offset(&json!(-5)).unwrap(), -5);
}
