//! Which track parameters count as read, where templates take in others.

use rally_track::{LoadOptions, TrackError, TrackSource, read};
use serde_json::{Value, json};

use super::support::{TrackDirectory, valid};

/// Tracks of both dialects whose text begins with `start`.
fn tracks(start: &str, others: &Value) -> [(&'static str, TrackDirectory); 2] {
    let current = json!({
        "version": 2, "description": "{{ description | default('x') }}",
        "schedule": [{"operation": {"name": "s", "operation-type": "search", "body": {}}}]
    });
    [("current", current), ("2017", valid())].map(|(dialect, track)| {
        let mut files = others.clone();
        files["track.json"] = format!("{start}{track}").into();
        files["mappings.json"] = "{\"type\": {}}".into();
        (dialect, TrackDirectory::new(&files))
    })
}

fn with(parameters: &[&str]) -> LoadOptions {
    let track_params = parameters.iter().map(|name| ((*name).to_owned(), Value::from(1))).collect();
    LoadOptions { now: 1.5, track_params, ..LoadOptions::default() }
}

/// What of the parameters is refused as unused, in each dialect.
fn refused(start: &str, others: &Value, parameters: &[&str]) -> Vec<(&'static str, Vec<String>)> {
    let refused = tracks(start, others).into_iter().map(|(dialect, track)| {
        let unused = match track.load(&with(parameters)) {
            Ok(_) => Vec::new(),
            Err(TrackError::Parameters {
                source: rally_track::ParameterError::Unused { unused, .. },
                ..
            }) => unused.into_keys().collect(),
            Err(error) => panic!("{start} ({dialect}): {error}"),
        };
        (dialect, unused)
    });
    refused.collect()
}

fn assert_refused(cases: &[(&str, Value, &[&str], &[&str])]) {
    let mut failures = Vec::new();
    for (start, others, given, expected) in cases {
        for (dialect, unused) in refused(start, others, given) {
            if unused != *expected {
                failures
                    .push(format!("{dialect}: {start} with {others}: refused {unused:?}, not {expected:?}"));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

const SILENT: &str = "{% set x = a | default(1) + b | default(1) %}";

#[test]
fn parameters_of_included_templates_are_read() {
    let reader = json!({"p/one.j2": SILENT});
    let nested = json!({"p/one.j2": "{% include 'p/two.j2' %}", "p/two.j2": SILENT});
    assert_refused(&[
        ("{% include 'p/one.j2' %}", reader.clone(), &["a", "b", "c"], &["c"]),
        ("{% include \"p/one.j2\" without context -%}", reader.clone(), &["a", "b", "c"], &["c"]),
        ("{% include 'p/one.j2' ignore missing with context %}", reader.clone(), &["a", "b"], &[]),
        ("{% include ['missing.j2', 'p/one.j2'] %}", reader.clone(), &["a"], &[]),
        ("{% include 'p/one.j2' if true else 'p/two.j2' %}", reader.clone(), &["a"], &[]),
        ("{% if false %}{% include 'p/one.j2' %}{% endif %}", reader.clone(), &["a"], &[]),
        ("{% for i in [1] %}{% include 'p/' ~ 'one.j2' %}{% endfor %}", reader, &["a"], &[]),
        ("{% include 'p/one.j2' %}", nested, &["a", "c"], &["c"]),
    ]);
}

#[test]
fn parameters_of_templates_with_computed_names_are_read() {
    let reader = json!({"p/one.j2": SILENT});
    let macro_that_includes =
        json!({"p/one.j2": SILENT, "m.j2": "{% macro m(f) %}{% include f %}{% endmacro %}"});
    assert_refused(&[
        ("{% for f in glob('p/*.j2') %}{% include f %}{% endfor %}", reader.clone(), &["a", "c"], &["c"]),
        ("{% set f = 'p/one.j2' %}{% include f %}", reader.clone(), &["a"], &[]),
        ("{% include kind | default('p/one') ~ '.j2' ignore missing %}", reader, &["b", "c"], &["c"]),
        ("{% import 'm.j2' as m %}{% set _ = m.m('p/one.j2') %}", macro_that_includes, &["a", "c"], &["c"]),
    ]);
}

#[test]
fn parameters_of_imported_templates_are_read() {
    let macros = json!({"m.j2": "{% macro m(x) %}{{ x }}{{ a }}{% endmacro %}{% set top = b %}"});
    let nested = json!({
        "m.j2": "{% from 'n.j2' import n with context %}{% macro m(x) %}{{ n(x) }}{% endmacro %}",
        "n.j2": "{% macro n(x) %}{% if a %}{{ x ~ b }}{% endif %}{% endmacro %}",
    });
    let parent = json!({"m.j2": "{% block body %}{% endblock %}{% set x = a ~ b %}"});
    assert_refused(&[
        ("{% import 'm.j2' as m with context %}", macros.clone(), &["a", "b", "c"], &["c"]),
        ("{% import 'm.j2' as m %}", macros.clone(), &["a", "b", "c"], &["c"]),
        ("{% from 'm.j2' import m %}", macros.clone(), &["a", "b", "c"], &["c"]),
        ("{%- from 'm.j2' import m as n, top with context -%}", macros.clone(), &["a", "b"], &[]),
        ("{% if false %}{% from 'm.j2' import m without context %}{% endif %}", macros, &["a"], &[]),
        ("{% from 'm.j2' import m with context %}", nested.clone(), &["a", "b", "c"], &["c"]),
        ("{% include 'm.j2' %}", nested, &["a", "b"], &[]),
        (
            "{% include 'child.j2' %}",
            json!({"child.j2": "{% extends 'm.j2' %}", "m.j2": parent["m.j2"]}),
            &["a"],
            &[],
        ),
    ]);
}

#[test]
fn parameters_of_collected_parts_and_of_the_helpers_are_read() {
    let import = "{% import 'rally.helpers' as rally with context %}";
    let part = json!({"p/one.j2": "{% set x = a %}{% include 'q.j2' %}", "q.j2": "{% set x = b %}"});
    assert_refused(&[
        (&format!("{import}{{{{ rally.collect(parts=\"p/*\") }}}}"), part.clone(), &["a", "b", "c"], &["c"]),
        (&format!("{import}{{{{ rally.collect(parts='p/*') }}}}"), part.clone(), &["a", "b", "c"], &["c"]),
        (&format!("{import}{{{{rally.collect('p/*')}}}}"), part, &["a", "b", "c"], &["c"]),
        (
            "{% import 'm.j2' as m with context %}",
            json!({"m.j2": format!(
                "{import}{{% macro m() %}}{{{{ rally.exists_set_param('k', a, default_value=b) }}}}{{% endmacro %}}"
            )}),
            &["a", "b", "c"],
            &["c"],
        ),
    ]);
}

#[test]
fn a_variable_of_the_including_template_is_no_parameter() {
    let reader = json!({"p/one.j2": SILENT});
    assert_refused(&[
        ("{% set a = 1 %}{% include 'p/one.j2' %}", reader.clone(), &["a", "b"], &["a"]),
        ("{% with a = 1 %}{% include 'p/one.j2' %}{% endwith %}", reader.clone(), &["a"], &["a"]),
        ("{% for a in [1] %}{% include 'p/one.j2' %}{% endfor %}", reader.clone(), &["a"], &["a"]),
        // What is set behind the template, or perhaps not at all, does not hide the parameter from it.
        ("{% include 'p/one.j2' %}{% set a = 1 %}", reader.clone(), &["a"], &[]),
        ("{% if c %}{% set a = 1 %}{% endif %}{% include 'p/one.j2' %}", reader.clone(), &["a"], &[]),
        // A template without context sees no variables.
        ("{% set a = 1 %}{% import 'p/one.j2' as m %}", reader.clone(), &["a"], &[]),
        ("{% set a = 1 %}{% include 'p/one.j2' without context %}", reader, &["a"], &[]),
    ]);
}

#[test]
fn templates_that_import_each_other_are_read_once() {
    let others = json!({
        "m.j2": "{% if false %}{% import 'n.j2' as n with context %}{% endif %}{% set x = a %}",
        "n.j2": "{% if false %}{% import 'm.j2' as m with context %}{% endif %}{% set x = b %}",
    });
    assert_refused(&[("{% include 'm.j2' %}", others, &["a", "b", "c"], &["c"])]);
}

#[test]
fn what_a_track_reads_is_listed_with_its_included_templates() {
    for (dialect, track) in tracks("{% include 'p/one.j2' %}", &json!({"p/one.j2": SILENT})) {
        let loaded = read(&TrackSource::Directory(track.path()), &with(&[])).unwrap();
        let names = |name: &str| loaded.parameters.contains(name);
        assert!(names("a") && names("b") && !names("x"), "{dialect}: {:?}", loaded.parameters);
    }
}
