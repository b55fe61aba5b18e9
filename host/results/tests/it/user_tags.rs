//! `--user-tag`.

use std::collections::BTreeMap;

use rally_results::{UserTagError, parse_user_tags};

fn tags(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn pairs_are_separated_by_commas() {
    assert_eq!(
        parse_user_tags("disk:SSD, data_node_count:4"),
        Ok(tags(&[("disk", "SSD"), ("data_node_count", "4")]))
    );
}

#[test]
fn a_value_may_hold_colons() {
    assert_eq!(parse_user_tags("url:http://host:9200"), Ok(tags(&[("url", "http://host:9200")])));
}

#[test]
fn a_text_without_a_key_is_a_tag_of_its_own() {
    assert_eq!(parse_user_tags("my baseline"), Ok(tags(&[("tag", "my baseline")])));
}

#[test]
fn no_text_is_no_tags() {
    assert_eq!(parse_user_tags(" "), Ok(BTreeMap::new()));
}

#[test]
fn json_is_understood_as_in_rally() {
    assert_eq!(
        parse_user_tags(r#"{"a": "b", "n": 4, "t": true}"#),
        Ok(tags(&[("a", "b"), ("n", "4"), ("t", "true")]))
    );
    let error = parse_user_tags(r#"{"a": [1]}"#).unwrap_err();
    assert!(matches!(error, UserTagError::NotAnObject { .. }), "{error}");
}

#[test]
fn a_tag_without_a_key_among_others_is_an_error_that_names_it() {
    let error = parse_user_tags("disk:SSD,fast").unwrap_err();
    assert_eq!(error, UserTagError::NoKey { tag: "fast".to_owned() });
    assert!(error.to_string().contains("'fast' has no key"), "{error}");
}

#[test]
fn empty_and_repeated_keys_are_errors() {
    assert_eq!(parse_user_tags(":SSD"), Err(UserTagError::EmptyKey { tag: ":SSD".to_owned() }));
    assert_eq!(parse_user_tags("a:1,a:2"), Err(UserTagError::Twice { key: "a".to_owned() }));
}
