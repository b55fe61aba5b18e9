//! Meanings of the current dialect, and its problems, that the golden cases do not cover.

use rally_track::{CompletedBy, Dialect, Element, LoadOptions, Target, TrackError, list};
use serde_json::{Value, json};

use crate::support::TrackDirectory;

/// A valid track.
fn valid() -> Value {
    json!({
        "description": "d",
        "indices": [{"name": "i", "body": "index.json"}],
        "corpora": [{"name": "c", "documents": [{"source-file": "a.json.bz2", "document-count": 10}]}],
        "operations": [{"name": "search", "operation-type": "search", "index": "i"}],
        "schedule": [{"operation": "search"}],
    })
}

fn directory_of(track: &Value) -> TrackDirectory {
    TrackDirectory::new(&json!({"track.json": track, "index.json": {"settings": {}}}))
}

fn after(change: impl FnOnce(&mut Value)) -> rally_track::Track {
    let mut track = valid();
    change(&mut track);
    directory_of(&track).load(&LoadOptions::default()).unwrap_or_else(|error| panic!("{error}"))
}

fn error_after(change: impl FnOnce(&mut Value)) -> String {
    let mut track = valid();
    change(&mut track);
    directory_of(&track).error()
}

fn schedule(schedule: Value) -> impl FnOnce(&mut Value) {
    move |track| track["schedule"] = schedule
}

#[test]
fn contradictions_are_found_where_they_stand() {
    let parallel = |members: Value| {
        let mut parallel = json!({"tasks": [{"operation": "search"}]});
        parallel.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        schedule(json!([{ "parallel": parallel }]))
    };
    let task = |members: Value| {
        let mut task = json!({"operation": "search"});
        task.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        schedule(json!([task]))
    };
    let cases: Vec<(String, &str, &str)> = vec![
        (error_after(|track| track["data-streams"] = json!([{"name": "s"}])), "not both", "/data-streams"),
        (
            error_after(|track| {
                track["challenge"] = json!({"name": "c", "schedule": [{"operation": "search"}]})
            }),
            "both 'challenge' and 'schedule'",
            "/schedule",
        ),
        (
            error_after(|track| drop(track.as_object_mut().unwrap().remove("schedule"))),
            "has no challenges",
            "",
        ),
        (error_after(|track| track["version"] = json!(3)), "version 3", "/version"),
        (
            error_after(|track| track["operations"][0]["bulk-size"] = json!(5.0)),
            "'bulk-size' must be a whole number",
            "/operations/0/bulk-size",
        ),
        (
            error_after(|track| {
                let twice = track["operations"][0].clone();
                track["operations"] = json!([twice, {"name": "search", "operation-type": "sql"}]);
            }),
            "more than one operation 'search'",
            "/operations/1/name",
        ),
        (error_after(schedule(json!([{"name": "x"}]))), "lacks 'operation'", "/schedule/0"),
        (error_after(schedule(json!([{"operation": 5}]))), "a name or an object", "/schedule/0/operation"),
        (
            error_after(schedule(json!([{"operation": {}}]))),
            "lacks 'operation-type'",
            "/schedule/0/operation",
        ),
        (
            error_after(schedule(json!([{"operation": "search"}, {"operation": "search"}]))),
            "more than one task 'search'",
            "/schedule/1",
        ),
        (
            error_after(task(json!({"warmup-iterations": 1, "time-period": 5}))),
            "iterations and times exclude each other",
            "/schedule/0/warmup-iterations",
        ),
        (
            error_after(task(json!({"iterations": 1, "warmup-time-period": 5}))),
            "iterations and times exclude each other",
            "/schedule/0/iterations",
        ),
        (
            error_after(task(json!({"ramp-up-time-period": 5}))),
            "no 'warmup-time-period'",
            "/schedule/0/ramp-up-time-period",
        ),
        (
            error_after(task(json!({"ramp-up-time-period": 5, "warmup-time-period": 4}))),
            "less than its ramp-up time",
            "/schedule/0/warmup-time-period",
        ),
        (
            error_after(task(json!({"target-throughput": 5, "target-interval": 0}))),
            "both set the rate",
            "/schedule/0/target-interval",
        ),
        (
            error_after(task(json!({"target-throughput": "5 per second"}))),
            "must be like",
            "/schedule/0/target-throughput",
        ),
        (
            error_after(task(json!({"target-throughput": true}))),
            "text with a unit",
            "/schedule/0/target-throughput",
        ),
        (error_after(task(json!({"clients": 4_294_967_296_u64}))), "at most 1000000", "/schedule/0/clients"),
        (
            error_after(parallel(json!({"completed-by": "serch"}))),
            "did you mean 'search'?",
            "/schedule/0/parallel/completed-by",
        ),
        (
            error_after(parallel(json!({"tasks": [
                {"operation": "search", "ramp-up-time-period": 1, "warmup-time-period": 5}
            ]}))),
            "ramp-up time of its own",
            "/schedule/0/parallel/tasks/0/ramp-up-time-period",
        ),
        (
            error_after(|track| track["corpora"][0]["documents"][0]["source-file"] = json!("../a.json")),
            "cannot lead out",
            "/corpora/0/documents/0/source-file",
        ),
        (
            error_after(|track| {
                drop(track["corpora"][0]["documents"][0].as_object_mut().unwrap().remove("document-count"));
            }),
            "lacks 'document-count'",
            "/corpora/0/documents/0",
        ),
        (
            error_after(|track| track["corpora"][0]["source-format"] = json!("hdf5")),
            "unknown source format 'hdf5'",
            "/corpora/0/documents/0",
        ),
        (
            error_after(|track| track["corpora"][0]["documents"][0]["sha256"] = json!("abc")),
            "64 hexadecimal digits",
            "/corpora/0/documents/0/sha256",
        ),
        (
            error_after(|track| track["indices"][0]["body"] = json!("indx.json")),
            "did you mean 'index.json'?",
            "/indices/0/body",
        ),
        (
            error_after(|track| track["indices"][0]["body"] = json!("/etc/passwd")),
            "outside",
            "/indices/0/body",
        ),
        (
            error_after(|track| {
                track["templates"] = json!([{"name": "t", "index-pattern": "*", "template": "index.json", "template-path": "a.b"}]);
            }),
            "has no 'a'",
            "/templates/0/template-path",
        ),
    ];
    for (error, words, pointer) in cases {
        assert!(error.contains(words), "[{words}] is not in: {error}");
        let place = if pointer.is_empty() { "at the top level".to_owned() } else { format!("at {pointer}") };
        assert!(error.contains(&place), "[{place}] is not in: {error}");
    }
}

#[test]
fn unknown_keys_are_warnings_with_their_place() {
    let track = after(|track| {
        track["#COMMENT"] = json!("c");
        track["corpora"][0]["documents"][0]["colour"] = json!("red");
        track["schedule"] = json!([{"operation": "search", "think-time": 5}]);
    });
    assert_eq!(track.challenges[0].schedule[0].tasks()[0].params["think-time"], 5);
    let [colour, think_time] = track.warnings.as_slice() else { panic!("{:?}", track.warnings) };
    assert!(
        colour.contains("at /corpora/0/documents/0/colour: unknown key 'colour' of a data file"),
        "{colour}"
    );
    assert!(think_time.contains("at /schedule/0/think-time: unknown key"), "{think_time}");
}

#[test]
fn a_misspelt_key_comes_with_the_one_that_is_probably_meant() {
    let mut track = valid();
    track["schedule"] = json!([{"operation": "search", "itertions": 5}]);
    track["operations"][0]["pagse"] = json!(3);
    let directory = directory_of(&track);
    let warnings = directory.load(&LoadOptions::default()).unwrap().warnings;
    let text = warnings.join("\n");
    assert!(
        text.contains("unknown key 'itertions' of a task has no effect, did you mean 'iterations'?"),
        "{text}"
    );
    assert!(
        text.contains(
            "unknown key 'pagse' of an operation of type 'search' has no effect, did you mean 'pages'?"
        ),
        "{text}"
    );
    let strict = LoadOptions { strict: true, ..LoadOptions::default() };
    let error = directory.load(&strict).unwrap_err().to_string();
    assert!(error.contains("did you mean 'iterations'?"), "{error}");
    assert!(error.contains("at /operations/0/pagse"), "{error}");
}

#[test]
fn keys_that_an_extension_may_read_are_not_unknown() {
    let options = LoadOptions { any_names: true, strict: true, ..LoadOptions::default() };
    let mut track = valid();
    track["schedule"] = json!([
        {"operation": {"operation-type": "search", "param-source": "mine", "queries": 5}, "users": 3, "name": "a"},
        {"operation": {"operation-type": "mine", "queries": 5}, "users": 3, "name": "b"},
        {"operation": "search", "schedule": "bursts", "burst": 5},
        {"operation": {"operation-type": "sleep", "duration": 1, "#why": "rest"}, "_comment": "c"},
    ]);
    assert!(directory_of(&track).load(&options).is_ok());
}

#[test]
fn names_that_neither_rally_nor_an_extension_has_are_refused() {
    let mut track = valid();
    track["schedule"] = json!([
        {"operation": {"operation-type": "serch", "index": "i"}},
        {"operation": {"operation-type": "bulk", "param-source": "min"}},
        {"operation": "serach"},
        {"name": "a", "operation": "search", "schedule": "poison"},
        {"parallel": {"tasks": [{"operation": {"operation-type": "forcemerge"}}]}},
    ]);
    let extension_names = rally_track::ExtensionNames {
        param_sources: ["mine".to_owned()].into(),
        ..rally_track::ExtensionNames::default()
    };
    let options = LoadOptions { extension_names, ..LoadOptions::default() };
    let TrackError::Invalid { problems, .. } = directory_of(&track).load(&options).unwrap_err() else {
        panic!("another error")
    };
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let expected = [
        ("unknown operation type 'serch', did you mean 'search'?", "/schedule/0/operation/operation-type"),
        ("unknown parameter source 'min', did you mean 'mine'?", "/schedule/1/operation/param-source"),
        ("unknown operation 'serach', did you mean 'search'?", "/schedule/2/operation"),
        ("unknown scheduler 'poison', did you mean 'poisson'?", "/schedule/3/schedule"),
        ("did you mean 'force-merge'?", "/schedule/4/parallel/tasks/0/operation/operation-type"),
    ];
    assert_eq!(problems.len(), expected.len(), "{problems:#?}");
    for (problem, (words, pointer)) in problems.iter().zip(expected) {
        assert!(problem.contains(words), "{problem}");
        assert!(problem.contains(&format!("at {pointer}")), "{problem}");
    }
}

#[test]
fn names_are_checked_in_the_challenge_that_will_be_raced_or_in_all() {
    let mut track = valid();
    drop(track.as_object_mut().unwrap().remove("schedule"));
    track["challenges"] = json!([
        {"name": "good", "default": true, "schedule": [{"operation": "search"}]},
        {"name": "bad", "schedule": [{"operation": "does-not-exist"}]},
    ]);
    let directory = directory_of(&track);
    assert!(directory.load(&LoadOptions::default()).is_ok());
    for options in [
        LoadOptions { challenge: Some("bad".to_owned()), ..LoadOptions::default() },
        LoadOptions { every_challenge: true, ..LoadOptions::default() },
    ] {
        assert!(directory.load(&options).unwrap_err().to_string().contains("'does-not-exist'"));
    }
}

#[test]
fn names_of_a_track_with_python_code_are_not_checked() {
    let mut track = valid();
    track["schedule"] = json!([
        {"operation": {"operation-type": "knn-recall", "param-source": "mine"}, "schedule": "bursts"},
        {"operation": "does-not-exist"},
    ]);
    let directory = TrackDirectory::new(
        &json!({"track.json": track, "index.json": {"settings": {}}, "track.py": "def register(registry): pass"}),
    );
    let track = directory.load(&LoadOptions::default()).unwrap();
    let [first, second] = track.challenges[0].schedule.as_slice() else { panic!() };
    assert_eq!(first.tasks()[0].operation.param_source.as_deref(), Some("mine"));
    assert_eq!(first.tasks()[0].schedule, "bursts");
    assert_eq!(second.tasks()[0].operation.operation_type, "does-not-exist");
    assert!(second.tasks()[0].operation.params.is_empty());
}

#[test]
fn the_parameters_of_a_challenge_come_over_those_of_the_track() {
    let track = after(|track| {
        drop(track.as_object_mut().unwrap().remove("schedule"));
        track["parameters"] = json!({"a": 1, "b": {"x": 1, "y": 1}, "c": [1, 2]});
        track["challenge"] = json!({
            "name": "n",
            "parameters": {"a": 2, "b": {"y": 2}, "c": [2, 3], "d": 4},
            "schedule": [{"operation": "search"}],
        });
    });
    assert_eq!(
        json!(track.challenges[0].parameters),
        json!({"a": 2, "b": {"x": 1, "y": 2}, "c": [1, 2, 3], "d": 4})
    );
}

#[test]
fn parallel_tasks_inherit_limits_and_may_end_with_any_client() {
    let track = after(schedule(json!([{"parallel": {
        "completed-by": "any",
        "clients": 3,
        "warmup-time-period": 10,
        "ramp-up-time-period": 5,
        "time-period": 20,
        "tasks": [{"operation": "search"}, {"operation": "refresh", "time-period": 30, "target-throughput": "5 docs/s"}],
    }}])));
    let Element::Parallel(parallel) = &track.challenges[0].schedule[0] else { panic!() };
    assert_eq!((parallel.clients, &parallel.completed_by), (Some(3), &Some(CompletedBy::Any)));
    let times: Vec<_> = parallel
        .tasks
        .iter()
        .map(|task| (task.ramp_up_time_period, task.warmup_time_period, task.time_period))
        .collect();
    assert_eq!(times, [(Some(5.0), Some(10.0), Some(20.0)), (Some(5.0), Some(10.0), Some(30.0))]);
    assert_eq!(parallel.tasks[1].target, Some(Target::Work { rate: 5.0, unit: "docs/s".to_owned() }));
}

#[test]
fn python_code_is_named_once() {
    let mut track = valid();
    track["dependencies"] = json!(["numpy"]);
    let directory = directory_of(&track);
    directory.write("track.py", b"def register(registry): pass");
    let warnings = directory.load(&LoadOptions::default()).unwrap().warnings;
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[0].contains("does not install 'dependencies'"), "{warnings:?}");
    assert!(warnings[1].contains("track.py: rally does not run Python code"), "{warnings:?}");
}

#[test]
fn an_older_version_of_the_format_is_read_with_a_warning() {
    let track = after(|track| track["version"] = json!(1));
    assert!(track.warnings[0].contains("version 1"), "{:?}", track.warnings);
}

#[test]
fn a_filter_that_selects_nothing_is_a_warning() {
    let options = LoadOptions { exclude_tasks: vec!["serch".to_owned()], ..LoadOptions::default() };
    let track = directory_of(&valid()).load(&options).unwrap();
    assert!(
        track.warnings[0].contains("'serch' matches no task, did you mean 'search'?"),
        "{:?}",
        track.warnings
    );
}

#[test]
fn whole_numbers_of_more_than_64_bits_are_named() {
    let text = valid().to_string().replace("\"d\"", "\"d\", \"meta\": {\"n\": 18446744073709551616}");
    let directory = directory_of(&valid());
    directory.write("track.json", text.as_bytes());
    let error = directory.error();
    assert!(error.contains("more than 64 bits") && error.contains("track.json:1:"), "{error}");
}

#[test]
fn a_sha256_is_kept() {
    let digest = "AB".repeat(32);
    let track = after(|track| track["corpora"][0]["documents"][0]["sha256"] = json!(digest));
    let (_, documents) = track.document_sets().next().unwrap();
    assert_eq!(documents.sha256.as_deref(), Some("ab".repeat(32).as_str()));
}

#[test]
fn parameters_reach_templates_and_must_be_read_by_one() {
    let files = json!({
        "track.json": "{\"schedule\": [{\"operation\": {\"operation-type\": \"sleep\", \"duration\": {{ seconds | default(1) }} }}],\
                        \"indices\": [{\"name\": \"i\", \"body\": \"index.json\"}]}",
        "index.json": "{\"settings\": {\"index.number_of_shards\": {{ shards | default(1) }} }}",
    });
    let load = |parameters: Value, ignore_unused_track_params| {
        TrackDirectory::new(&files).load(&LoadOptions {
            track_params: parameters.as_object().unwrap().clone(),
            ignore_unused_track_params,
            ..LoadOptions::default()
        })
    };
    let track = load(json!({"seconds": 5, "shards": 3}), false).unwrap();
    assert_eq!(track.challenges[0].schedule[0].tasks()[0].operation.params["duration"], 5);
    assert_eq!(track.indices[0].body["settings"]["index.number_of_shards"], 3);

    let error = load(json!({"shard": 3}), false).unwrap_err();
    assert!(matches!(error, TrackError::Parameters { .. }));
    assert!(error.to_string().contains("'shard' (did you mean 'shards'?)"), "{error}");
    assert!(error.to_string().contains("its parameters are seconds, shards"), "{error}");
    load(json!({"shard": 3}), true).unwrap();
    let error = load(json!({"now": 3}), true).unwrap_err();
    assert!(error.to_string().contains("cannot be set"), "{error}");
}

#[test]
fn a_workload_is_a_track_under_another_name() {
    let files = json!({
        "workload.json": "{% import \"benchmark.helpers\" as benchmark with context %}{\"test_procedures\": [{{ benchmark.collect(parts=\"procedures/*.json\") }}]}",
        "procedures/a.json": {"name": "a", "schedule": [{"operation": "search"}]},
    });
    let directory = TrackDirectory::new(&files);
    let track = directory.load(&LoadOptions::default()).unwrap();
    assert_eq!((track.dialect, track.challenges[0].name.as_str()), (Dialect::Current, "a"));

    directory.write("procedures/a.json", br#"{"name": "a", "schedule": [{"name": "b"}]}"#);
    let error = directory.error();
    assert!(error.contains("procedures/a.json:1:28 at /test_procedures/0/schedule/0"), "{error}");
}

#[test]
fn tracks_are_listed_at_any_depth() {
    let home = tempfile::tempdir().unwrap();
    for name in ["b", "elastic/logs", ".git/x", "a/nested"] {
        let directory = home.path().join(name);
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(directory.join("track.json"), valid().to_string()).unwrap();
        std::fs::write(directory.join("index.json"), "{}").unwrap();
    }
    std::fs::write(home.path().join("b/track.json"), "{").unwrap();
    let listed = list(home.path(), &LoadOptions::default()).unwrap();
    let names: Vec<&str> = listed.iter().map(|track| track.name.as_str()).collect();
    assert_eq!(names, ["a/nested", "b", "elastic/logs"]);
    assert!(listed[1].content.is_err());
    let summary = listed[2].content.as_ref().unwrap();
    assert_eq!((summary.documents, summary.auto_generated), (10, true));
}

#[test]
fn one_large_file_cannot_be_many_bodies() {
    let mut track = valid();
    track["indices"] =
        (0..200).map(|number| json!({"name": number.to_string(), "body": "index.json"})).collect();
    drop(track.as_object_mut().unwrap().remove("corpora"));
    let directory = directory_of(&track);
    directory.write("index.json", json!({"a": "x".repeat(500_000)}).to_string().as_bytes());
    let error = directory.error();
    assert!(error.contains("larger than 64 MiB"), "{error}");
}

#[test]
fn tags_that_are_no_strings_select_nothing() {
    for (tags, kept) in [(json!(5), vec![]), (json!(["a", 5]), vec!["a"]), (json!({"a": 1}), vec![])] {
        let track = json!({
            "version": 2, "description": "x",
            "schedule": [{"operation": {"name": "s", "operation-type": "search", "body": {}}, "tags": tags}]
        });
        let track =
            TrackDirectory::new(&json!({ "track.json": track })).load(&LoadOptions::default()).unwrap();
        assert_eq!(track.challenges[0].schedule[0].tasks()[0].tags, kept);
        assert!(
            track.warnings.iter().any(|warning| warning.contains("/schedule/0/tags")),
            "{:?}",
            track.warnings
        );
    }
}

#[test]
fn more_clients_than_a_machine_can_plan_are_refused_where_they_stand() {
    for (task, place) in [
        (json!({"operation": "s", "clients": 4_000_000_000_u64}), "/schedule/0/clients"),
        (json!({"operation": "s", "clients": 1_000_001}), "/schedule/0/clients"),
        (
            json!({"parallel": {"clients": 4_000_000_000_u64, "tasks": [{"operation": "s"}]}}),
            "/schedule/0/parallel/clients",
        ),
        (
            json!({"parallel": {"tasks": [{"operation": "s", "clients": 99_999_999_999_u64}]}}),
            "/tasks/0/clients",
        ),
    ] {
        let track = json!({
            "version": 2, "description": "x",
            "operations": [{"name": "s", "operation-type": "search", "body": {}}], "schedule": [task]
        });
        let error = TrackDirectory::new(&json!({ "track.json": track })).error();
        assert!(error.contains("'clients' must be at most 1000000") && error.contains(place), "{error}");
        assert!(error.contains("track.json:"), "{error}");
    }
}
