//! What is wrong with a track is said clearly, with its place.

use crate::support::{TrackDirectory, after, directory_of, error_after, load_value, valid};
use rally_track::{LoadOptions, TrackError, TrackSource, list, load};
use serde_json::{Value, json};

#[test]
fn a_misspelt_key_is_found_where_it_stands() {
    let error = error_after(|track| {
        let task = track["challenges"][0]["schedule"][1].as_object_mut().unwrap();
        task.remove("target-throughput");
        task.insert("target-througput".into(), json!(10));
    });
    assert_eq!(
        error,
        "track 'unittest' is invalid: unknown key 'target-througput', did you mean 'target-throughput'?\n  \
         --> track.json:48:11 at /challenges/0/schedule/1/target-througput\n  \
         46 |           \"operation\": \"search\",\n  \
         47 |           \"iterations\": 100,\n  \
         48 |           \"target-througput\": 10\n     \
         |           ^^^^^^^^^^^^^^^^^^\n  \
         49 |         }"
    );
}

#[test]
fn unknown_keys_are_errors_everywhere() {
    for (pointer, suggestion) in [
        ("/dataurl", "data-url"),
        ("/indices/0/auto-manged", "auto-managed"),
        ("/indices/0/types/0/document-cont", "document-count"),
        ("/operations/0/bulk-sise", "bulk-size"),
        ("/operations/1/request-parms", "request-params"),
        ("/operations/2/max_num_segment", "max_num_segments"),
        ("/challenges/0/defalt", "default"),
        ("/challenges/0/schedule/0/client", "clients"),
    ] {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let error = error_after(|track| track.pointer_mut(parent).unwrap()[key] = json!(1));
        assert!(error.contains(&format!("unknown key '{key}', did you mean '{suggestion}'?")), "{error}");
        assert!(error.contains(&format!("at {pointer}\n")), "{error}");
    }
    let error = error_after(|track| {
        track["challenges"][0]["schedule"][0] =
            json!({"parallel": {"tasks": [{"operation": "index"}], "compelted-by": "index"}});
    });
    assert!(error.contains("did you mean 'completed-by'?"), "{error}");
    let error = error_after(|track| {
        track["templates"] =
            json!([{"name": "t", "index-pattern": "t-*", "template": "mappings.json", "delete": true}])
    });
    assert!(error.contains("unknown key 'delete'"), "{error}");
}

#[test]
fn comments_and_free_maps_take_any_key() {
    let track = after(
        |track| {
            for pointer in [
                "",
                "/indices/0",
                "/indices/0/types/0",
                "/operations/0",
                "/challenges/0",
                "/challenges/0/schedule/0",
            ] {
                track.pointer_mut(pointer).unwrap()["#COMMENT"] = json!("why");
            }
            track["meta"] = json!({"any": {"thing": 1}});
            track["operations"][1]["request-params"] = json!({"any": "thing"});
            track["challenges"][0]["index-settings"] = json!({"any.thing": 1});
            track["challenges"][0]["cluster-settings"] = json!({"any.thing": 1});
        },
        &LoadOptions::default(),
    );
    assert_eq!(track.warnings, Vec::<String>::new());
}

#[test]
fn all_problems_are_shown_at_once() {
    let error = error_after(|track| {
        track["challenges"][0]["schedule"][0]["clients"] = json!(0);
        track["challenges"][0]["schedule"][1]["iterations"] = json!("many");
    });
    assert!(error.contains("'clients' must be at least 1, but is 0"), "{error}");
    assert!(error.contains("'iterations' must be a whole number, not \"many\""), "{error}");
}

#[test]
fn contradictions_are_found_at_load() {
    type Change = fn(&mut Value);
    let cases: [(&str, Change); 24] = [
        ("'target-throughput' must be at least 0.000000001, but is 1e-300", |track| {
            track["challenges"][0]["schedule"][1]["target-throughput"] = json!(1e-300);
        }),
        ("'target-interval' must be at most 1000000000", |track| {
            let task = track["challenges"][0]["schedule"][1].as_object_mut().unwrap();
            task.remove("target-throughput");
            task.insert("target-interval".into(), json!(1e300));
        }),
        ("'bulk-size' must be at most 1000000000", |track| {
            track["operations"][0]["bulk-size"] = json!(u64::MAX);
        }),
        ("'target-throughput' and 'target-interval' both set the rate", |track| {
            track["challenges"][0]["schedule"][1]["target-interval"] = json!(1);
        }),
        ("unknown operation 'serch', did you mean 'search'?", |track| {
            track["challenges"][0]["schedule"][1]["operation"] = json!("serch");
        }),
        ("unknown operation type 'seach', did you mean 'search'?", |track| {
            track["operations"][1]["operation-type"] = json!("seach");
        }),
        ("unknown operation type 'bulk', did you mean 'index'?", |track| {
            track["operations"][0]["operation-type"] = json!("bulk");
        }),
        ("unknown scheduler 'poison', did you mean 'poisson'?", |track| {
            track["challenges"][0]["schedule"][1]["schedule"] = json!("poison");
        }),
        ("unknown parameter source 'mine'", |track| {
            track["operations"][1]["param-source"] = json!("mine");
        }),
        ("'batch-size' must be a multiple of 'bulk-size' (100), but is 150", |track| {
            track["operations"][0]["batch-size"] = json!(150);
        }),
        ("'batch-size' must be a multiple of 'bulk-size' (100), but is 50", |track| {
            track["operations"][0]["batch-size"] = json!(50);
        }),
        ("'conflicts' must be one of sequential, random, not \"randm\", did you mean 'random'?", |track| {
            track["operations"][0]["conflicts"] = json!("randm");
        }),
        (
            "id conflicts 'random' can only be generated when 'action-and-meta-data' is 'generate', not 'sourcefile'",
            |track| {
                track["operations"][0]["conflicts"] = json!("random");
                track["operations"][0]["action-and-meta-data"] = json!("sourcefile");
            },
        ),
        ("'documents.json.bz2' already includes lines with action and meta-data", |track| {
            track["operations"][0]["conflicts"] = json!("random");
            track["indices"][0]["types"][0]["includes-action-and-meta-data"] = json!(true);
        }),
        ("'documents.json.bz2' already includes lines with action and meta-data", |track| {
            track["operations"][0]["action-and-meta-data"] = json!("generate");
            track["indices"][0]["types"][0]["includes-action-and-meta-data"] = json!(true);
        }),
        ("operation 'index' has no documents to index", |track| {
            let kind = track["indices"][0]["types"][0].as_object_mut().unwrap();
            kind.remove("documents");
            kind.remove("document-count");
        }),
        ("the track has no index 'placs' to take documents from, did you mean 'places'?", |track| {
            track["operations"][0]["index"] = json!("placs");
        }),
        ("has no index to search", |track| {
            let mut second = track["indices"][0].clone();
            second["name"] = json!("others");
            track["indices"].as_array_mut().unwrap().push(second);
        }),
        ("there is more than one index 'places'", |track| {
            let index = track["indices"][0].clone();
            track["indices"].as_array_mut().unwrap().push(index);
        }),
        ("index 'places' has more than one type 'type'", |track| {
            let kind = track["indices"][0]["types"][0].clone();
            track["indices"][0]["types"].as_array_mut().unwrap().push(kind);
        }),
        ("there is more than one task 'again'", |track| {
            track["challenges"][0]["schedule"][0]["name"] = json!("again");
            track["challenges"][0]["schedule"][1]["name"] = json!("again");
        }),
        ("task 'search' would never end", |track| {
            track["challenges"][0]["schedule"][1] = json!({"operation": "search", "warmup-time-period": 10});
        }),
        ("'max-num-segments' and 'max_num_segments' mean the same", |track| {
            track["operations"][2]["max_num_segments"] = json!(1);
            track["operations"][2]["max-num-segments"] = json!(1);
            track["challenges"][0]["schedule"][1]["operation"] = json!("merge");
        }),
        ("this type lacks 'document-count'", |track| {
            track["indices"][0]["types"][0].as_object_mut().unwrap().remove("document-count");
        }),
    ];
    for (words, change) in cases {
        let error = error_after(change);
        assert!(error.contains(words), "expected [{words}] in {error}");
        assert!(error.contains("--> track.json:") && error.contains(" at /"), "no place in {error}");
    }
}

#[test]
fn an_endless_task_may_be_ended_by_another() {
    let parallel = |completed_by: &str| {
        let mut track = valid();
        track["challenges"][0]["schedule"] = json!([{"parallel": {"completed-by": completed_by, "tasks": [
            {"operation": "index"}, {"operation": "search", "warmup-time-period": 10}
        ]}}]);
        load_value(&track, &LoadOptions::default())
    };
    assert!(parallel("index").is_ok());
    assert!(parallel("search").is_err());
}

#[test]
fn two_operations_that_disagree_about_the_same_file_are_rejected() {
    let error = error_after(|track| {
        track["operations"][0]["action-and-meta-data"] = json!("sourcefile");
        track["operations"]
            .as_array_mut()
            .unwrap()
            .push(json!({"name": "again", "operation-type": "index", "bulk-size": 1}));
        track["challenges"][0]["schedule"].as_array_mut().unwrap().push(json!({"operation": "again"}));
    });
    assert!(error.contains("operations 'index' and 'again' take the documents of index 'places'"), "{error}");
}

#[test]
fn files_that_are_missing_broken_or_outside_are_named() {
    let mut track = valid();
    let error = TrackDirectory::new(&json!({"track.json": track, "mapping.json": {}})).error();
    assert!(
        error.contains("no such file: 'mappings.json'") && error.contains("did you mean 'mapping.json'?"),
        "{error}"
    );
    assert!(error.contains("at /indices/0/types/0/mapping"), "{error}");

    let error =
        TrackDirectory::new(&json!({"track.json": track, "mappings.json": "{\n  \"a\": }\n"})).error();
    assert!(error.contains("invalid JSON") && error.contains("--> mappings.json:2:8"), "{error}");

    let error = TrackDirectory::new(&json!({"track.json": track, "mappings.json": [1]})).error();
    assert!(error.contains("must contain a JSON object"), "{error}");

    for outside in ["../secret.json", "/etc/hostname", "a/../../secret.json"] {
        track["indices"][0]["types"][0]["mapping"] = json!(outside);
        let error = directory_of(&track).error();
        assert!(error.contains("is outside the track's directory"), "{error}");
    }
    for outside in ["../documents.json", "/documents.json", "a/../../b.json"] {
        let error = error_after(|track| track["indices"][0]["types"][0]["documents"] = json!(outside));
        assert!(error.contains("cannot lead out of the data directory"), "{error}");
    }
}

#[cfg(unix)]
#[test]
fn symbolic_links_cannot_lead_out() {
    let directory = directory_of(&valid());
    let secret = directory.path().parent().unwrap().join("secret.json");
    std::fs::write(&secret, "{}").unwrap();
    for link in ["mappings.json", "part.json"] {
        let _ = std::fs::remove_file(directory.path().join(link));
        std::os::unix::fs::symlink(&secret, directory.path().join(link)).unwrap();
    }
    assert!(directory.error().contains("outside the track's directory"));
    for text in [
        "{% include 'part.json' %}",
        "{% include '../secret.json' %}",
        "{% include '/etc/hostname' %}",
        "{% import '../secret.json' as s %}",
        "{% import 'rally.helpers' as rally %}{{ rally.collect(parts='../*.json') }}",
        "{% import 'rally.helpers' as rally %}{{ rally.collect(parts='part.json') }}",
    ] {
        directory.write("track.json", text.as_bytes());
        let error = directory.error();
        assert!(error.contains("outside the track's directory"), "{text}: {error}");
        assert!(error.contains("track.json:1"), "{error}");
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_is_no_file() {
    let directory = directory_of(&valid());
    std::fs::remove_file(directory.path().join("mappings.json")).unwrap();
    let status = std::process::Command::new("mkfifo").arg(directory.path().join("mappings.json")).status();
    if status.is_ok_and(|status| status.success()) {
        assert!(directory.error().contains("is not a file"));
    }
}

#[test]
fn other_encodings_are_rejected_and_windows_files_are_not() {
    let directory = directory_of(&valid());
    let text = serde_json::to_string_pretty(&valid()).unwrap();
    directory.write("track.json", format!("\u{feff}{}", text.replace('\n', "\r\n")).as_bytes());
    directory.load(&LoadOptions::default()).unwrap_or_else(|error| panic!("{error}"));

    let latin1: Vec<u8> = text.replace("long", "l\u{f6}ng").chars().map(|c| c as u8).collect();
    directory.write("track.json", &latin1);
    assert!(directory.error().contains("not valid UTF-8"), "{}", directory.error());
    directory.write("track.json", text.as_bytes());
    directory.write("mappings.json", b"{\"\xff\": 1}");
    assert!(directory.error().contains("not valid UTF-8"));
}

#[test]
fn numbers_that_are_none_are_rejected() {
    for text in ["NaN", "Infinity", "-1", "1e999", "0x10", "1_000"] {
        let directory = directory_of(&valid());
        let track = serde_json::to_string_pretty(&valid())
            .unwrap()
            .replace("\"iterations\": 100", &format!("\"iterations\": {text}"));
        directory.write("track.json", track.as_bytes());
        assert!(directory.error().contains("track.json:"), "{text}");
    }
}

#[test]
fn duplicate_keys_are_accepted_with_a_warning() {
    let directory = directory_of(&valid());
    let text = serde_json::to_string_pretty(&valid())
        .unwrap()
        .replace("\"clients\": 8", "\"clients\": 8,\n\"clients\": 4");
    directory.write("track.json", text.as_bytes());
    let track = directory.load(&LoadOptions::default()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(track.challenges[0].schedule[0].tasks()[0].clients, 4);
    let [warning] = track.warnings.as_slice() else { panic!("{:?}", track.warnings) };
    assert!(warning.contains("duplicate key 'clients'") && warning.contains("track.json:"), "{warning}");
}

#[test]
fn what_parallel_does_not_pass_on_is_a_warning() {
    let track = after(
        |track| {
            track["challenges"][0]["schedule"] =
                json!([{"parallel": {"target-throughput": 10, "tasks": [{"operation": "index"}]}}]);
        },
        &LoadOptions::default(),
    );
    assert!(
        track.warnings[0].contains("'target-throughput' has no effect on a parallel element"),
        "{:?}",
        track.warnings
    );
    assert_eq!(track.challenges[0].schedule[0].tasks()[0].target, None);
}

#[test]
fn positions_lead_through_templates_to_the_source() {
    let mut track = serde_json::to_string_pretty(&valid()).unwrap();
    let start = track.find("\"schedule\": [").unwrap();
    track.truncate(start);
    let files = json!({
        "mappings.json": {},
        "track.json": format!("{{% import \"rally.helpers\" as rally with context %}}\n{track}\"schedule\": [\n{{{{ rally.collect(parts=\"tasks/*.json\") }}}}\n], \"description\": \"d\"}}]}}"),
        "tasks/a.json": "{# first #}\n{\n  \"operation\": \"index\"\n}",
        "tasks/b.json": "{% for clients in [1, 2] %}\n  {\n    \"operation\": \"search\",\n    \"iterations\": 1, \"client\": {{ clients }}\n  }{% if not loop.last %},{% endif %}\n{% endfor %}",
    });
    let error = TrackDirectory::new(&files).error();
    assert!(error.contains("--> tasks/b.json:4:22 at /challenges/0/schedule/1/client"), "{error}");
    assert!(error.contains("--> tasks/b.json:4:22 at /challenges/0/schedule/2/client"), "{error}");
}

#[test]
fn values_of_expressions_are_shown_at_the_expression() {
    let directory = directory_of(&valid());
    let text =
        serde_json::to_string_pretty(&valid()).unwrap().replace("\"clients\": 8", "\"clients\": {{ 0 }}");
    directory.write("track.json", text.as_bytes());
    let error = directory.error();
    let line = text.lines().position(|line| line.contains("{{ 0 }}")).unwrap() + 1;
    let column = text.lines().nth(line - 1).unwrap().find("{{").unwrap() + 1;
    assert!(
        error.contains(&format!("--> track.json:{line}:{column} at /challenges/0/schedule/0/clients")),
        "{error}"
    );
    assert!(error.contains("^^^^^^^"), "{error}");
}

#[test]
fn text_that_a_template_looks_at_itself_is_shown_as_rendered() {
    // Marks would make the output of the macro longer: there is no way back from this text to its source.
    let text = serde_json::to_string(&valid())
        .unwrap()
        .replace("\"clients\":8", "\"clients\":{% macro m() %}x{% endmacro %}{{ m() | length - 1 }}");
    let directory = directory_of(&valid());
    directory.write("track.json", text.as_bytes());
    let error = directory.error();
    assert!(error.contains("(line 1 of the rendered text)") && error.contains("\"clients\":0"), "{error}");
}

#[test]
fn template_errors_name_file_and_line() {
    for (part, line, words) in [
        ("\n\n{% if %}", 3, "template syntax error"),
        ("\n{{ nope() }}", 2, "nope is unknown"),
        ("{{ 1 | nope }}", 1, "filter nope is unknown"),
        ("\n{% include 'missing.json' %}", 2, "missing.json"),
        ("\n{{ a + 1 }}", 2, ""),
        ("\n{{ '1998-05-15' | days_ago(now) }}", 2, "is not a date of the form"),
        ("\n{{ 'x' * 1000000000 }}", 2, "too large"),
        ("\n{% endfor %}", 2, "template syntax error"),
    ] {
        let error =
            TrackDirectory::new(&json!({"track.json": "{}\n{% include 'part.json' %}", "part.json": part}))
                .error();
        assert!(error.contains(&format!("--> part.json:{line}:1\n")), "{error}");
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn an_unknown_challenge_is_answered_with_those_there_are() {
    let options = LoadOptions { challenge: Some("defualt".to_owned()), ..LoadOptions::default() };
    let error = load_value(&valid(), &options).unwrap_err();
    assert_eq!(
        error.to_string(),
        "unknown challenge 'defualt' for track 'unittest', did you mean 'default'?; it has: default"
    );
}

#[test]
fn a_place_without_a_track_is_named() {
    let home = tempfile::tempdir().unwrap();
    assert!(matches!(TrackSource::from_path(home.path()), Err(TrackError::NotFound { .. })));
    let missing = TrackSource::Directory(home.path().join("missing"));
    assert!(matches!(load(&missing, &LoadOptions::default()), Err(TrackError::NotFound { .. })));
}

#[test]
fn a_broken_track_does_not_hide_the_others() {
    let home = tempfile::tempdir().unwrap();
    for (name, text) in [("broken", "{"), ("whole", &serde_json::to_string(&valid()).unwrap())] {
        std::fs::create_dir(home.path().join(name)).unwrap();
        std::fs::write(home.path().join(name).join("track.json"), text).unwrap();
        std::fs::write(home.path().join(name).join("mappings.json"), "{}").unwrap();
    }
    let tracks = list(home.path(), &LoadOptions::default()).unwrap();
    assert_eq!(tracks.iter().map(|track| track.name.as_str()).collect::<Vec<_>>(), ["broken", "whole"]);
    assert!(tracks[0].content.is_err() && tracks[1].content.is_ok());
}

#[test]
fn a_single_file_is_a_track() {
    let directory = directory_of(&valid());
    std::fs::rename(directory.path().join("track.json"), directory.path().join("other.json")).unwrap();
    let source = TrackSource::from_path(&directory.path().join("other.json")).unwrap();
    let track = load(&source, &LoadOptions::default()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(track.name, "other");
}

#[test]
fn what_is_nested_too_deeply_is_rejected() {
    for text in [
        "[".repeat(1_000_000),
        "{{ ".to_owned() + &"(".repeat(1_000_000) + &")".repeat(1_000_000) + " }}",
        "{% if 1 %}".repeat(50_000) + &"{% endif %}".repeat(50_000),
        "{{ ".to_owned() + &"[".repeat(100_000) + &"]".repeat(100_000) + " }}",
        "{{ 1".to_owned() + &" ~ 1".repeat(100_000) + " }}",
        "{{ a".to_owned() + &".a".repeat(100_000) + " }}",
        "{{ 1".to_owned() + &" | int".repeat(100_000) + " }}",
        "{{ ".to_owned() + &"not ".repeat(100_000) + " 1 }}",
        "{{ ".to_owned() + &"-".repeat(100_000) + "1 }}",
    ] {
        let directory = directory_of(&valid());
        directory.write("track.json", text.as_bytes());
        let error = directory.error();
        assert!(error.len() < 2000, "{error}");
    }
}

#[test]
fn large_tracks_with_many_problems_are_answered_at_once() {
    let error = error_after(|track| {
        let task = json!({"operation": "search", "clint": 1});
        track["challenges"][0]["schedule"] = vec![task; 20_000].into();
    });
    assert!(error.contains("did you mean 'clients'?") && error.contains("and 15 more"), "{error}");
    let track = after(
        |track| {
            track["challenges"][0]["schedule"] = vec![json!({"operation": "search"}); 20_000].into();
        },
        &LoadOptions::default(),
    );
    assert_eq!(track.challenges[0].schedule[19_999].tasks()[0].name, "search-20000");
    assert_eq!(track.warnings.len(), 20);
}

#[test]
fn nothing_in_a_track_controls_the_terminal() {
    let error = error_after(|track| {
        track["operations"][1]["operation-type"] = json!("\u{1b}]0;owned\u{7}\u{202e}");
        track["challenges"][0]["\u{1b}[2J"] = json!(1);
    });
    assert!(!error.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{error:?}");
}
