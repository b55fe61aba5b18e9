//! Requests and their errors; types and reasons were taken from Elasticsearch 7.10.2.

use super::*;

fn parse(body: &str, parameters: &[(&str, &str)]) -> Result<SearchRequest, EsError> {
    let parameters: Vec<(String, String)> =
        parameters.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    SearchRequest::parse(body.as_bytes(), &parameters, "/e/_search")
}

#[test]
fn nothing_is_the_first_ten_of_everything() {
    assert_eq!(parse("", &[]).unwrap(), SearchRequest::default());
    assert_eq!(parse("{}", &[("pretty", "")]).unwrap(), SearchRequest::default());
}

#[test]
fn parameters_win_over_the_body() {
    let request =
        parse(r#"{"size": 3, "from": 1, "_source": true}"#, &[("size", "5"), ("_source", "a,b")]).unwrap();
    assert_eq!((request.size, request.from), (5, 1));
    assert_eq!(request.source, SourceFilter::of(vec!["a".to_string(), "b".to_string()], Vec::new()));
}

#[test]
fn minus_one_is_the_default_size() {
    assert_eq!(parse(r#"{"size": -1, "from": -1}"#, &[]).unwrap(), SearchRequest::default());
    assert_eq!(parse(r#"{"size": "3"}"#, &[]).unwrap().size, 3);
}

#[test]
fn errors_of_the_body_are_those_of_elasticsearch() {
    for (body, kind, reason) in [
        (r#"{"foo":1}"#, "parsing_exception", "Unknown key for a VALUE_NUMBER in [foo]."),
        (r#"{"query":[]}"#, "parsing_exception", "Unknown key for a START_ARRAY in [query]."),
        (r#"{"query":null}"#, "parsing_exception", "Unknown key for a VALUE_NULL in [query]."),
        (r#"{"size":"abc"}"#, "number_format_exception", "For input string: \"abc\""),
        (r#"{"track_total_hits":"x"}"#, "number_format_exception", "For input string: \"x\""),
        (r#"{"_source":{"foo":["k"]}}"#, "parsing_exception", "Unknown key for a START_ARRAY in [foo]."),
        (
            r#"{"_source":1}"#,
            "parsing_exception",
            "Expected one of [VALUE_BOOLEAN, START_OBJECT] but found [VALUE_NUMBER]",
        ),
        (
            r#"{"timeout":"10x"}"#,
            "illegal_argument_exception",
            "failed to parse setting [timeout] with value [10x] as a time value: unit is missing or unrecognized",
        ),
        ("[]", "parsing_exception", "Expected [START_OBJECT] but found [START_ARRAY]"),
        (
            r#"{"highlight":{}}"#,
            "illegal_argument_exception",
            "[highlight] of a search is not supported by the embedded node",
        ),
    ] {
        let error = parse(body, &[]).unwrap_err();
        assert_eq!((error.status, error.kind, error.reason.as_str()), (400, kind, reason), "{body}");
    }
}

#[test]
fn errors_of_the_url_are_those_of_elasticsearch() {
    for (name, value, reason) in [
        ("size", "abc", "Failed to parse int parameter [size] with value [abc]"),
        ("from", "-5", "[from] parameter cannot be negative"),
        ("foo", "1", "request [/e/_search] contains unrecognized parameter: [foo]"),
        (
            "sizee",
            "1",
            "request [/e/_search] contains unrecognized parameter: [sizee] -> did you mean [size]?",
        ),
        ("search_type", "foo", "No search type for [foo]"),
        ("request_cache", "maybe", "Failed to parse value [maybe] as only [true] or [false] are allowed."),
        ("preference", "_foo", "no Preference for [_foo]"),
        (
            "scroll",
            "abc",
            "failed to parse setting [scroll] with value [abc] as a time value: unit is missing or unrecognized",
        ),
        ("q", "hello", "parameter [q] of a search is not supported by the embedded node"),
        ("routing", "a", "parameter [routing] of a search is not supported by the embedded node"),
    ] {
        let error = parse("", &[(name, value)]).unwrap_err();
        assert_eq!(
            (error.status, error.kind, error.reason.as_str()),
            (400, "illegal_argument_exception", reason),
            "{name}={value}"
        );
    }
}

#[test]
fn a_scroll_refuses_what_it_cannot_do() {
    let error =
        parse(r#"{"track_total_hits": false, "from": 1, "size": 0}"#, &[("scroll", "1m")]).unwrap_err();
    assert_eq!(error.kind, "action_request_validation_exception");
    assert_eq!(
        error.reason,
        "Validation Failed: 1: disabling [track_total_hits] is not allowed in a scroll context;2: using [from] is not \
         allowed in a scroll context;3: [size] cannot be [0] in a scroll context;"
    );
    let request = parse("", &[("scroll", "1m")]).unwrap();
    assert_eq!((request.scroll, request.total_hits), (Some(Duration::from_secs(60)), TotalHits::Exact));
}

#[test]
fn totals_as_numbers_have_to_be_accurate() {
    let accurate = parse("", &[("rest_total_hits_as_int", "true")]).unwrap();
    assert_eq!(accurate.total_hits, TotalHits::Exact);
    let error = parse(r#"{"track_total_hits": 3}"#, &[("rest_total_hits_as_int", "true")]).unwrap_err();
    assert!(error.reason.ends_with("got 3"), "{}", error.reason);
}

#[test]
fn the_window_ends_at_ten_thousand() {
    assert!(parse(r#"{"from": 9990, "size": 10}"#, &[]).unwrap().check_window().is_ok());
    let error = parse(r#"{"from": 9995, "size": 10}"#, &[]).unwrap().check_window().unwrap_err();
    assert!(error.reason.starts_with("Result window is too large"), "{}", error.reason);
}

#[test]
fn stored_fields_none_leaves_id_and_source_out() {
    let request = parse(r#"{"stored_fields": "_none_"}"#, &[]).unwrap();
    assert_eq!((request.ids, request.source), (false, SourceFilter::None));
}

#[test]
fn a_count_takes_nothing_but_a_query() {
    let error = CountRequest::parse(br#"{"size": 3}"#, &[], "/_count").unwrap_err();
    assert_eq!((error.kind, error.reason.as_str()), ("parsing_exception", "request does not support [size]"));
}
