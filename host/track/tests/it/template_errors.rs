//! What a user reads where a template, or what it prints, is wrong.

use rally_track::LoadOptions;
use serde_json::{Value, json};

use super::support::TrackDirectory;

/// The beginning of a track of each dialect, up to a value that the text of a test makes wrong.
const STARTS: [(&str, &str); 2] = [
    ("current", "{\n \"version\": 2, \"description\": \"x\", \"schedule\": [],\n \"meta\": "),
    ("2017", "{\n \"short-description\": \"short\", \"description\": \"x\",\n \"meta\": "),
];

/// The errors of both dialects where a value of track.json is `value`, after `before`.
fn errors(before: &str, value: &str, files: &Value) -> Vec<(&'static str, String)> {
    let error = |(dialect, start): (&'static str, &str)| {
        let mut files = files.clone();
        files["track.json"] = format!("{before}{start}{value}\n}}").into();
        (dialect, TrackDirectory::new(&files).error())
    };
    STARTS.into_iter().map(error).collect()
}

fn assert_says(cases: &[(&str, &str, &[&str])]) {
    let mut failures = Vec::new();
    for (before, value, parts) in cases {
        for (dialect, error) in errors(before, value, &json!({})) {
            for part in *parts {
                if !error.contains(part) {
                    failures.push(format!("{dialect}: {before}{value} does not say {part:?}:\n{error}"));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn a_value_that_is_printed_as_python_does_names_tojson() {
    assert_says(&[
        (
            "{% set flag = true %}",
            "{{ flag }}",
            &["{{ flag }} prints Python's True, where JSON has true", "{{ flag | tojson }}", ":3:10"],
        ),
        (
            "",
            "[1, {{ flag | default(false) }}]",
            &["Python's False", "{{ flag | default(false) | tojson }}", ":3:14"],
        ),
        ("", "{{- 1 == 2 -}}", &["Python's False", "{{ (1 == 2) | tojson }}"]),
        ("{% set a = none %}", "{\"b\": {{a}}}", &["Python's None, where JSON has null", "{{ a | tojson }}"]),
        ("", "{{ ['a', 'b'] }}", &["prints ['a', 'b'], which is no JSON value", "{{ ['a', 'b'] | tojson }}"]),
        ("", "{{ {'a': 1} }}", &["prints {'a': 1}, which is no JSON value"]),
        ("", "{{ [true] }}", &["Python's True", "{{ [true] | tojson }}"]),
        (
            "{% set name = 'logs' %}",
            "{{ name }}",
            &["{{ name }} prints logs, which is no JSON value", "{{ name | tojson }}"],
        ),
        ("", "{{ 'a' if true else 'b' }}", &["{{ ('a' if true else 'b') | tojson }}"]),
        ("", "{{ 1e400 - 1e400 }}", &["which is no JSON value"]),
        ("", "True", &["True is Python; JSON has true", ":3:10"]),
        ("", "[None]", &["None is Python; JSON has null"]),
    ]);
}

#[test]
fn a_failing_tag_is_underlined_and_nothing_beside_it() {
    assert_says(&[
        ("", "[ {{ none + 1 }}, 2 ]", &["track.json:3:12", "|            ^^^^^^^^^^^^^^\n"]),
        ("", "[ {{ 5 }}, {{ x.y.z }} ]", &["track.json:3:21", "^^^^^^^^^^^\n"]),
        ("", "[ {% if 1 < 'a' %} 1 {% endif %} ]", &["track.json:3:12", "^^^^^^^^^^^^^^^^\n"]),
        ("", "[ {% set a = 5 % 0 %} ]", &["track.json:3:12", "^^^^^^^^^^^^^^^^^^^\n"]),
        ("", "[ {% for x in none %}{% endfor %} ]", &["track.json:3:12", "^^^^^^^^^^^^^^^^^^^\n"]),
        ("", "[ {{ 1 }} {{ 'ä' | nope }} ]", &["track.json:3:20", "unknown filter", "^^^^^^^^^^^^^^^^\n"]),
        ("", "[ {{ 1 +\n 'a' }} ]", &["track.json:3:12", "^^^^^^\n"]),
        ("", "[ {{ 1 }} {{ 1 + }} ]", &["track.json:3:20", "syntax error", "^^^^^^^^^\n"]),
    ]);
}

#[test]
fn a_tag_that_fails_in_another_file_is_underlined_there() {
    let files = json!({
        "p/one.json": "1,\n[{{ 1 }}, {{ none + 1 }}]",
        "m.j2": "{% macro m(x) %}\n {{ x }} {{ x + 'a' }}{% endmacro %}",
    });
    for (before, value, place) in [
        ("", "{% include 'p/one.json' %}", "p/one.json:2:11"),
        (
            "{% import 'rally.helpers' as rally with context %}",
            "[{{ rally.collect(parts=\"p/*\") }}]",
            "p/one.json:2:11",
        ),
        (
            "{% import 'rally.helpers' as rally with context %}",
            "[{{ rally.collect(parts='p/*') }}]",
            "p/one.json:2:11",
        ),
        ("{% import 'm.j2' as m %}", "{{ m.m(1) }}", "m.j2:2:10"),
        ("{% from 'm.j2' import m with context %}", "{{ m(1) }}", "m.j2:2:10"),
    ] {
        for (dialect, error) in errors(before, value, &files) {
            assert!(error.contains(place) && error.contains("^^^"), "{dialect}: {value}:\n{error}");
        }
    }
}

#[test]
fn invisible_characters_are_named() {
    assert_says(&[
        ("", "\u{A0}5", &["U+00A0 (no-break space)", ":3:"]),
        ("", "5\u{A0}", &["U+00A0 (no-break space)"]),
        ("", "[1,\u{200B}2]", &["U+200B (zero width space)"]),
        ("", "[1\u{FEFF}]", &["U+FEFF (byte order mark)"]),
        ("", "{\u{2060}\"a\": 1}", &["U+2060 (word joiner)"]),
        ("", "{\"a\"\u{202F}: 1}", &["U+202F (narrow no-break space)"]),
        ("", "tru\u{200D}e", &["U+200D (zero width joiner)"]),
        ("", "\"a\u{1}b\"", &["U+0001 (control character)"]),
        ("\u{FEFF}\u{FEFF}", "5", &["U+FEFF (byte order mark)"]),
        ("", "{{ 1\u{200B} }}", &["U+200B (zero width space)", "syntax error"]),
        ("", "{% if\u{2060} 1 %}1{% endif %}", &["U+2060 (word joiner)"]),
    ]);
}

#[test]
fn invisible_characters_in_names_are_shown() {
    let track = "{\"version\": 2, \"description\": \"x\", \"indices\": [{\"name\": \"a\", \"body\": \"b\u{A0}.json\"}], \
                 \"schedule\": [{\"operation\": {\"name\": \"s\", \"operation-type\": \"search\", \"body\": {}}}]}";
    let error = TrackDirectory::new(&json!({ "track.json": track })).error();
    assert!(error.contains("\\u{a0}"), "{error}");
}

#[test]
fn a_collection_of_no_file_is_told() {
    let import = "{% import 'rally.helpers' as rally with context %}";
    for collect in ["{{ rally.collect(parts=\"missing/*\") }}", "{{ rally.collect(parts='missing/*') }}"] {
        for (dialect, start) in STARTS {
            // As a value that is missing.
            let text = format!("{import}{start}{collect}\n}}");
            let error = TrackDirectory::new(&json!({ "track.json": text })).error();
            assert!(
                error.contains("rally.collect found no file that matches 'missing/*'"),
                "{dialect}:\n{error}"
            );
            assert!(error.contains("track.json:3:"), "{dialect}:\n{error}");
        }
        // Where nothing is needed.
        let text = format!(
            "{import}\n{collect}{{\"version\": 2, \"description\": \"x\", \"schedule\": [{{\"operation\": \
             {{\"name\": \"s\", \"operation-type\": \"search\", \"body\": {{}}}}}}]}}"
        );
        let track =
            TrackDirectory::new(&json!({ "track.json": text })).load(&LoadOptions::default()).unwrap();
        let warning = track.warnings.iter().find(|warning| warning.contains("found no file"));
        assert!(warning.is_some_and(|warning| warning.contains("track.json:2:")), "{:?}", track.warnings);
    }
}
