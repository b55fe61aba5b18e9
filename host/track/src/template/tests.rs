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
            (Err(failure), None) if is_of_kind(&failure.message, case["error"]["type"].as_str().unwrap()) => {
            }
            _ => failures.push(format!("{id}: {outcome:?}, expected {case}")),
        }
    }
    assert!(failures.is_empty(), "{}\n{} cases differ", failures.join("\n"), failures.len());
}

/// Whether a message says what this exception of Python says.
fn is_of_kind(message: &str, exception: &str) -> bool {
    let unknown = ["unknown filter", "unknown test"].iter().any(|start| message.contains(start));
    let undefined =
        ["undefined", "unknown method", "unknown function"].iter().any(|part| message.contains(part));
    match exception {
        "TemplateAssertionError" | "TemplateRuntimeError" => unknown,
        "UndefinedError" => undefined,
        "TemplateSyntaxError" => message.contains("syntax error"),
        "TemplateNotFound" | "TemplatesNotFound" => {
            message.contains("there is no") || message.contains("does not exist")
        }
        _ => !unknown && !message.contains("syntax error") && !message.contains("was stopped"),
    }
}

#[test]
fn builtins_are_those_of_jinja2_3_1() {
    let mut failures = Vec::new();
    for case in golden("jinja2_builtins.json")["cases"].as_array().unwrap() {
        let outcome = render_text(case["template"].as_str().unwrap()).map_err(|failure| failure.message);
        match (&outcome, case["expected"].as_str()) {
            (Ok(text), Some(expected)) if text == expected => {}
            (Err(message), None) if is_of_kind(message, case["error"].as_str().unwrap()) => {}
            _ => {
                failures.push(format!("{}: {}: {outcome:?}, expected {case}", case["name"], case["template"]))
            }
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
            (Err(failure), None)
                if is_of_kind(&failure.message, case["expected"]["error"].as_str().unwrap()) => {}
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
    assert!(failure.message.contains("itself forever"), "{failure:?}");
    assert!(failure.at.is_some());
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
        "{{ ('a\\n' * 10000) | indent(1000000) }}",
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
fn dates_are_those_of_rally_2_13() {
    let literal = |value: &Json| match value {
        Json::Null => "none".to_owned(),
        Json::String(text) => format!("'{text}'"),
        other => other.to_string(),
    };
    let mut compared = 0;
    for case in golden("time.json")["cases"].as_array().unwrap() {
        let input = &case["input"];
        let filter = input["fn"].as_str().unwrap();
        let (first, mut arguments) = match filter {
            "days_ago" => (&input["start"], vec![literal(&input["end"])]),
            "get_start_date" => (&input["date"], Vec::new()),
            "get_end_date" => (&input["date"], vec![format!("duration_days={}", input["duration_days"])]),
            // No filter: how Rally writes times into records.
            "to_epoch_millis" => continue,
            other => panic!("nothing is known of {other}"),
        };
        if let Some(format) = input["date_format"].as_str() {
            arguments.push(format!("date_format='{format}'"));
        }
        let outcome =
            render_text(&format!("{{{{ {} | {filter}({}) }}}}", literal(first), arguments.join(", ")));
        match &case["expected"] {
            Json::Null => assert!(outcome.is_err(), "{}", case["id"]),
            Json::String(text) => assert_eq!(&outcome.unwrap(), text, "{}", case["id"]),
            other => assert_eq!(outcome.unwrap(), other.to_string(), "{}", case["id"]),
        }
        compared += 1;
    }
    assert!(compared > 30);
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

#[test]
fn a_body_sees_less_than_a_track() {
    let render_body = |text: &str| {
        let directory = tempfile::tempdir().unwrap();
        write_files(directory.path(), &serde_json::json!({"i.json": text, "p/a.json": "{{ build_flavor }}"}));
        let files = TrackFiles::new(directory.path()).unwrap();
        Renderer::new(files, &options()).render_body("i.json").map(|rendered| rendered.text)
    };
    assert_eq!(render_body("[{{ now }}]{{ rally.collect(parts=\"p/*\") }}").unwrap(), "[]default");
    let helpers = "{% import 'rally.helpers' as rally with context %}";
    assert_eq!(
        without_space(&render_body(&format!("{helpers}{{{{ rally.exists_set_param('a', 1) }}}}")).unwrap()),
        ",\"a\":1"
    );
    for text in ["{% include 'p/a.json' %}", "{{ glob('p/*') }}", "{{ 1.0 | days_ago(2.0) }}"] {
        assert!(render_body(text).is_err(), "{text}");
    }
}

#[test]
fn a_parameter_is_set_only_if_there_is_a_value_for_it() {
    let rendered = |call: &str| {
        let text = format!("{{% import 'rally.helpers' as rally %}}{{{{ rally.exists_set_param({call}) }}}}");
        without_space(&render_text(&text).unwrap())
    };
    assert_eq!(rendered("'a', missing"), "");
    assert_eq!(rendered("'a', missing, default_value='x'"), ",\"a\":\"x\"");
    assert_eq!(rendered("'a', none, comma=false"), "\"a\":null");
}

#[test]
fn lists_and_maps_change_as_in_python() {
    for (text, expected) in [
        ("{% set x = [] %}{% for v in [1, 2] %}{% set _ = x.append(v) %}{% endfor %}{{ x }}", "[1, 2]"),
        ("{% set x = {'k': [1]} %}{% set _ = x.k.extend([2, 3]) %}{{ x }}", "{'k': [1, 2, 3]}"),
        ("{% set x = {} %}{{ x.setdefault('q', []).append(1) }}{{ x }}", "None{'q': [1]}"),
        ("{% set x = [3, 1, 2] %}{{ x.sort() }}{{ x.pop() }}{{ x.pop(0) }}{{ x }}", "None31[2]"),
        ("{% set x = [1] %}{% set y = x %}{{ y.insert(0, 5) }}{{ x }}", "None[5, 1]"),
    ] {
        assert_eq!(render_text(text).unwrap(), expected, "{text}");
    }
    for text in [
        "{% set x = [] %}{{ x.append(x) }}",
        "{% set x = [] %}{% set y = [x] %}{{ x.append(y) }}",
        "{% set x = {} %}{{ x.update(a=[x]) }}",
        "{% set x = [1] %}{{ x.remove(2) }}",
    ] {
        assert!(render_text(text).is_err(), "{text}");
    }
}

#[test]
fn formats_are_those_of_python() {
    for (text, expected) in [
        ("{{ '%s-%03d' % ('a', 5) }}", "a-005"),
        (
            "{{ '%d' | format(3.7) }}|{{ '%x' % 255 }}|{{ '%#o' % 8 }}|{{ '%+.1e' % 12345.678 }}",
            "3|ff|0o10|+1.2e+04",
        ),
        (
            "{{ '%g' % 0.0001 }}|{{ '%g' % 1e10 }}|{{ '%g' % 100000 }}|{{ '%G' % 1e-10 }}",
            "0.0001|1e+10|100000|1E-10",
        ),
        (
            "{{ '%(a)s' % {'a': 1.0} }}|{{ '%(a)5s|' | format(a='x') }}|{{ '%-4d|%*d' % (1, 3, 2) }}",
            "1.0|    x||1   |  2",
        ),
        (
            "{{ '%.3s' % 'abcdef' }}|{{ '%r' % 'it\\'s' }}|{{ '%c' % 65 }}|{{ '%d%%' % 5 }}",
            "abc|\"it's\"|A|5%",
        ),
    ] {
        assert_eq!(render_text(text).unwrap(), expected, "{text}");
    }
    for text in
        ["{{ '%d' % 'x' }}", "{{ '%s %s' % 1 }}", "{{ '%s' % (1, 2) }}", "{{ '%y' % 1 }}", "{{ '%' % 1 }}"]
    {
        assert!(render_text(text).is_err(), "{text}");
    }
}

#[test]
fn what_python_refuses_is_refused() {
    for text in [
        "{{ a < 1 }}",
        "{{ 1 < 'a' }}",
        "{{ none < 1 }}",
        "{{ [1] < (1,) }}",
        "{{ 1 in 'a' }}",
        "{{ a.b.c }}",
        "{{ [3, 'a'] | sort }}",
        "{% for x in none %}{% endfor %}",
        "{{ 1 | zip([1]) }}",
        "{% do [].append(1) %}",
        "{{ 5 % 0 }}",
    ] {
        assert!(render_text(text).is_err(), "{text}");
    }
}

#[test]
fn the_line_of_an_error_is_that_of_the_part_it_stands_in() {
    let failure = render(&serde_json::json!({
        "track.json": "{\n  {{ rally.collect(parts=\"p/*\") }}\n}",
        "p/a.json": "1",
        "p/b.json": "2,\n\n{{ none + 1 }}",
    }))
    .unwrap_err();
    assert_eq!(
        (failure.file.as_str(), failure.at.clone()),
        ("p/b.json", Some(At::Tag(4..18))),
        "{failure:?}"
    );
}

#[test]
fn parts_that_collect_each_other_are_stopped() {
    let failure = render(&serde_json::json!({
        "track.json": "{{ rally.collect(parts=\"a\") }}",
        "a": "{{ rally.collect(parts=\"b\") }}",
        "b": "\n{{ rally.collect(parts=\"a\") }}",
    }))
    .unwrap_err();
    assert!(failure.message.contains("levels deep"), "{failure:?}");
    let parts = vec!["{{ rally.collect(parts=\"b\") }}"; 40].concat();
    let failure = render(&serde_json::json!({
        "track.json": "{{ rally.collect(parts=\"a\") }}", "a": parts, "b": "x".repeat(1024 * 1024),
    }))
    .unwrap_err();
    assert!(failure.message.contains("MiB together"), "{failure:?}");
}

#[test]
fn what_is_drawn_is_the_same_for_one_seed() {
    let text = "{{ range(1000000) | random }} {{ ['a', 'b', 'c'] | random }} {{ lipsum(n=2) }}";
    let drawn = |seed: u64| {
        let directory = tempfile::tempdir().unwrap();
        write_files(directory.path(), &serde_json::json!({ "track.json": text }));
        let files = TrackFiles::new(directory.path()).unwrap();
        let options = RenderOptions { seed, ..options() };
        Renderer::new(files, &options).render("track.json").unwrap().text
    };
    assert_eq!(drawn(7), drawn(7));
    assert_ne!(drawn(7), drawn(8));
}

#[test]
fn a_long_range_takes_no_memory_but_time() {
    for text in [
        "{{ range(10 ** 15) | list }}",
        "{{ range(10 ** 15) | sum }}",
        "{{ range(10 ** 15) | join }}",
        "{{ range(10 ** 15) | map('string') | list }}",
        "{{ range(10 ** 15) | select('odd') | list }}",
        "{{ range(10 ** 15) | sort }}",
        "{{ range(10 ** 15) | max }}",
        "{{ range(10 ** 15) | unique | list }}",
        "{{ range(10 ** 15) | reverse | list }}",
        "{% for i in range(10 ** 15) %}{% endfor %}",
        "{% set x = namespace(l=[]) %}{{ x.l.extend(range(10 ** 15)) }}",
        "{{ ','.join(range(10 ** 15)) }}",
        "{{ dict.fromkeys(range(10 ** 15)) }}",
        "{{ range(10 ** 15) | urlencode }}",
        "{{ cycler(*range(10 ** 15)) }}",
    ] {
        assert!(render_text(text).is_err(), "{text}");
    }
    assert_eq!(render_text("{{ (range(10 ** 15) | random) < 10 ** 15 }}").unwrap(), "True");
}

#[test]
fn what_expressions_make_is_charged_to_one_account() {
    let start = "{% set x = 'a' * 1000000 %}";
    let many = |part: &str| (0..400).map(|_| part.to_owned()).collect::<Vec<_>>().join(",");
    for text in [
        format!("{start}{{{{ [{}] | first | length }}}}", many("x ~ 1")),
        format!("{start}{{{{ [{}] | length }}}}", many("x + '1'")),
        format!("{start}{{{{ [{}] | length }}}}", many("x | upper")),
        format!("{start}{{{{ [{}] | length }}}}", many("x.upper()")),
        format!("{start}{{{{ [{}] | length }}}}", many("x * 1")),
        format!("{{% set l = range(60000) | list %}}{{{{ [{}] | length }}}}", many("l + [1]")),
        format!("{{% set l = range(60000) | list %}}{{{{ [{}] | length }}}}", many("l | reverse | list")),
        format!("{start}{{% for i in range(400) %}}{{% set y = x ~ i %}}{{% endfor %}}"),
        format!("{start}{{% macro m() %}}{{{{ x }}}}{{% endmacro %}}{{{{ [{}] | length }}}}", many("m()")),
        format!(
            "{start}{{{{ {{{}}} | length }}}}",
            (0..400).map(|i| format!("'{i}': x ~ {i}")).collect::<Vec<_>>().join(",")
        ),
    ] {
        let message = error_of(&text);
        assert!(message.contains("MiB"), "{message}: {}", &text[..text.len().min(120)]);
    }
}

#[test]
fn all_renderings_of_a_track_share_one_deadline() {
    let directory = tempfile::tempdir().unwrap();
    write_files(directory.path(), &serde_json::json!({"track.json": "{{ 1 + 1 }}"}));
    let renderer = Renderer::new(TrackFiles::new(directory.path()).unwrap(), &options());
    let rendered = renderer.render("track.json").unwrap();
    let started = renderer.render_of_2017("track.json").unwrap().started();
    assert_eq!(rendered.started(), started);
    assert_eq!(renderer.clone().render_body("track.json").unwrap().started(), started);
}
