//! What Rally's own engine prints (Jinja2 3.1 in golden/templates.json, 2.9 in golden/2017/templates.json).

use std::path::Path;

use serde_json::Value as Json;

use super::*;
use crate::files::TrackFiles;

const NOW: f64 = 1_735_689_600.5;

fn golden(name: &str) -> Json {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn write_files(directory: &Path, files: &Json) {
    for (name, text) in files.as_object().into_iter().flatten() {
        let path = directory.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text.as_str().unwrap()).unwrap();
    }
}

fn options() -> RenderOptions {
    RenderOptions { now: NOW, build_flavor: "default".to_owned(), ..RenderOptions::default() }
}

fn render_in(directory: &Path, parameters: &Json) -> Result<String, Failure> {
    let files = TrackFiles::new(directory).unwrap();
    let options = RenderOptions { parameters: parameters.as_object().unwrap().clone(), ..options() };
    Renderer::new(files, &options).render("track.json").map(|rendered| rendered.text)
}

fn render_of_2017(files: &Json) -> Result<String, Failure> {
    let directory = tempfile::tempdir().unwrap();
    write_files(directory.path(), files);
    let files = TrackFiles::new(directory.path()).unwrap();
    Renderer::new(files, &options()).render_of_2017("track.json").map(|rendered| rendered.text)
}

fn render(files: &Json) -> Result<String, Failure> {
    let directory = tempfile::tempdir().unwrap();
    write_files(directory.path(), files);
    render_in(directory.path(), &serde_json::json!({}))
}

fn render_text(text: &str) -> Result<String, Failure> {
    render(&serde_json::json!({ "track.json": text }))
}

#[test]
fn renders_as_rally_2_13_does() {
    let mut failures = Vec::new();
    for case in golden("templates.json")["cases"].as_array().unwrap() {
        let id = case["id"].as_str().unwrap();
        let directory = tempfile::tempdir().unwrap();
        write_files(directory.path(), &case["input"]["files"]);
        std::fs::write(directory.path().join("track.json"), case["input"]["template"].as_str().unwrap())
            .unwrap();
        let outcome = render_in(directory.path(), &case["input"]["vars"]);
        match (&outcome, case["expected"].as_str()) {
            (Ok(text), Some(expected)) if text == expected => {}
            (Err(_), None) => {}
            _ => failures.push(format!("{id}: {outcome:?}, expected {case}")),
        }
    }
    assert!(failures.is_empty(), "{}\n{} cases differ", failures.join("\n"), failures.len());
}

#[test]
fn renders_as_rally_of_2017_does() {
    let mut failures = Vec::new();
    for case in golden("2017/templates.json")["cases"].as_array().unwrap() {
        let outcome = render_of_2017(&case["input"]["files"]);
        match (&outcome, case["expected"].as_str()) {
            (Ok(text), Some(expected)) if text == expected => {}
            (Err(_), None) => {}
            _ => failures.push(format!("{}: {outcome:?}, expected {}", case["id"], case["expected"])),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn error_of(text: &str) -> String {
    render_text(text).expect_err("this template must be stopped").message
}

#[test]
fn a_loop_that_takes_too_long_is_stopped() {
    let loops = "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}";
    assert!(error_of(loops).contains("does not end"));
}

#[test]
fn templates_that_include_each_other_are_stopped() {
    let failure = render(&serde_json::json!({
        "track.json": "{% include 'a.json' %}", "a.json": "{% include 'b.json' %}", "b.json": "\n{% include 'a.json' %}"
    }))
    .unwrap_err();
    assert!(failure.message.contains("without end"), "{failure:?}");
    assert!(failure.line.is_some());
    for text in [
        "{% include 'track.json' %}",
        "{% import 'track.json' as t %}",
        "{% from 'track.json' import t %}",
        "{% extends 'track.json' %}",
        "{% import 'rally.helpers' as rally with context %}{{ rally.collect(parts='track.json') }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% for a in [1] recursive %}{{ loop([1]) }}{% endfor %}",
    ] {
        assert!(render_text(text).is_err(), "{text}");
    }
}

#[test]
fn values_that_explode_are_stopped() {
    for text in [
        "{% set n = namespace(x='a') %}{% for i in range(100) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
        "{% set n = namespace(x=[1]) %}{% for i in range(100) %}{% set n.x = n.x + n.x %}{% endfor %}{{ n.x }}",
        "{% set n = namespace(x=[1]) %}{% for i in range(100) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x }}",
        "{% set n = namespace(x=[1]) %}{% for i in range(100000) %}{% set n.x = [n.x] %}{% endfor %}{{ n.x }}",
        "{% set n = namespace() %}{% set n.x = n %}{{ n }}",
        "{% set n = namespace() %}{% set n.x = [{'a': n}] %}{{ n }}",
        "{% macro m(x) %}{{ m(x ~ x) }}{% endmacro %}{{ m('aaaaaaaaaa') }}",
        "{% for x in ['aaaaaaaaaa'] recursive %}{{ loop([x ~ x ~ x ~ x]) }}{% endfor %}",
        "{{ ('a' * 1000000) | replace('a', 'b' * 1000000) }}",
        "{{ ('a' * 1000000).replace('a', 'b' * 1000000) }}",
        "{{ '%1000000000d' | format(1) }}",
        "{{ '{:1000000000}'.format(1) }}",
        "{{ ([0] * 100000000) | list }}",
        "{{ [1] | batch(100000000000, 0) | list }}",
        "{{ [1] | slice(100000000000) | list }}",
        "{% set m = {'a': 1}.copy() %}{% set _ = m.update(b=m) %}{{ m }}{% for i in range(100) %}{% set _ = m.update(b=m, c=m) %}{% endfor %}",
    ] {
        assert!(render_text(text).is_err(), "{text}");
    }
}

#[test]
fn gigabytes_of_output_are_stopped() {
    let line = "x".repeat(10_000);
    for text in [
        format!("{{% for i in range(100000) %}}{line}{{% endfor %}}"),
        format!("{{% set x %}}{{% for i in range(100000) %}}{line}{{% endfor %}}{{% endset %}}"),
        format!("{{% for i in range(100000) %}}{{{{ '{line}' }}}}{{% endfor %}}"),
        format!(
            "{{% set x %}}{{% for i in range(100000) %}}{{% raw %}}{line}{{% endraw %}}{{% endfor %}}{{% endset %}}"
        ),
    ] {
        let message = error_of(&text);
        assert!(message.contains("prints more than"), "{message}");
    }
}

#[test]
fn a_copy_of_a_map_can_be_changed() {
    let text = "{% set a = {'x': 1} %}{% set b = a.copy() %}{% set _ = b.update({'y': 2}, z=3) %}{{ a }} {{ b }} {{ b.pop('x') }} {{ b | length }}";
    assert_eq!(render_text(text).unwrap(), "{'x': 1} {'x': 1, 'y': 2, 'z': 3} 1 2");
}

#[test]
fn days_ago_counts_as_rally_2_13_does() {
    let mut compared = 0;
    for case in golden("time.json")["cases"].as_array().unwrap() {
        let input = &case["input"];
        match input["fn"].as_str().unwrap() {
            "days_ago" => {}
            // Filters of the current dialect, which tracks of 2017 do not have.
            "get_start_date" | "get_end_date" => continue,
            // No filter: how Rally writes times into records.
            "to_epoch_millis" => continue,
            other => panic!("nothing is known of {other}"),
        }
        let argument = |value: &Json| match value {
            Json::Null => "none".to_owned(),
            Json::String(text) => format!("'{text}'"),
            other => other.to_string(),
        };
        let outcome = render_text(&format!(
            "{{{{ {} | days_ago({}) }}}}",
            argument(&input["start"]),
            argument(&input["end"])
        ));
        match case["expected"].as_i64() {
            Some(expected) => assert_eq!(outcome.unwrap(), expected.to_string(), "{}", case["id"]),
            None => assert!(outcome.is_err(), "{}", case["id"]),
        }
        compared += 1;
    }
    assert_eq!(compared, 4);
}

#[test]
fn parts_are_assembled_as_rally_2_13_does() {
    let files = golden("template_assembly-files.json");
    for case in golden("template_assembly.json")["cases"].as_array().unwrap() {
        let source = case["input"]["source"].as_str().unwrap();
        let expected = case["expected"].as_str().unwrap();
        if expected == source {
            // Not pasted, but left to the macro.
            continue;
        }
        let mut files = files.clone();
        files["track.json"] = source.into();
        // A single newline at the end of a template is not rendered.
        let expected = expected.strip_suffix('\n').unwrap_or(expected);
        assert_eq!(render(&files).unwrap(), expected, "{}", case["id"]);
        let other = source.replace("rally.", "benchmark.");
        files["track.json"] = other.into();
        assert_eq!(render(&files).unwrap(), expected, "{} under the other name", case["id"]);
    }
}

fn without_space(text: &str) -> String {
    text.chars().filter(|character| !character.is_whitespace()).collect()
}

#[test]
fn a_part_sees_the_variables_of_the_import_with_context() {
    let part = |import: &str| {
        render_of_2017(&serde_json::json!({
            "track.json": format!("{{% set a = 1 %}}{import}{{% set a = 2 %}}{{% set b = 3 %}}{{{{ rally.collect(parts='p/*') }}}}"),
            "p/x.json": "{{ a }}|{{ b }}|{{ now | int }}",
        }))
        .map(|text| without_space(&text))
        .unwrap()
    };
    assert_eq!(part("{% import \"rally.helpers\" as rally with context %}"), "1||1735689600");
    assert_eq!(part("{% import \"rally.helpers\" as rally without context %}"), "||1735689600");
    assert_eq!(part("{% import \"rally.helpers\" as rally %}"), "||1735689600");
}

#[test]
fn what_a_part_or_an_included_template_sets_is_its_own() {
    let rendered = render(&serde_json::json!({
        "track.json": "{% import 'rally.helpers' as rally with context %}{% set a = 1 %}{% include 'p/1' %}{{ a }}|{{ rally.collect(parts='p/*') }}|{{ a }}",
        "p/1": "{{ a }}{% set a = 2 %}",
        "p/2": "[{{ a }}]",
    }));
    assert_eq!(without_space(&rendered.unwrap()), "11|,[]|1");
}

#[test]
fn macros_of_the_track_can_be_called_in_parts() {
    let rendered = render(&serde_json::json!({
        "track.json": "{% macro m(x) %}<{{ x }}>{% endmacro %}{% import 'rally.helpers' as rally with context %}{{ rally.collect(parts='p.json') }}",
        "p.json": "{{ m(5) }}",
    }));
    assert_eq!(without_space(&rendered.unwrap()), "<5>");
}

#[test]
fn the_map_leads_back_from_each_character_of_plain_text() {
    let directory = tempfile::tempdir().unwrap();
    let files = serde_json::json!({
        "track.json": "{%- set x = 1 -%}\n a1 {{- x }} b2 {# c #} d3\n{% include 'e.json' %} f4 {%- raw %} {{g5}} {% endraw -%} h6\n",
        "e.json": "i7\n  j8",
    });
    write_files(directory.path(), &files);
    let rendered =
        Renderer::new(TrackFiles::new(directory.path()).unwrap(), &options()).render("track.json").unwrap();
    for word in ["a1", "b2", "d3", "f4", "g5", "h6", "i7", "j8"] {
        let at = rendered.text.find(word).unwrap_or_else(|| panic!("{word} is not in {}", rendered.text));
        let origin = rendered.origin(at..at + word.len()).unwrap();
        assert_eq!(&origin.text[origin.range], word, "in {}", origin.file);
        assert_eq!(origin.file, if "i7j8".contains(word) { "e.json" } else { "track.json" });
    }
}
