//! Commands that look at tracks of the current dialect, and races of one.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{Machine, Run};
use serde_json::{Value, json};

fn places() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/tracks/places")
}

fn places_argument() -> String {
    format!("--track-path={}", places().display())
}

fn fine(run: Run) -> Run {
    assert_eq!(run.code, 0, "{}\n{}", run.output, run.errors);
    run
}

fn refused(run: &Run, parts: &[&str]) {
    assert_eq!(run.code, 64, "{}\n{}", run.output, run.errors);
    for part in parts {
        assert!(run.errors.contains(part), "[{part}] is not in\n{}", run.errors);
    }
}

fn csv(path: &Path) -> Vec<Vec<String>> {
    let text = fs::read_to_string(path).expect("report");
    text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

#[test]
fn a_track_of_the_current_dialect_races() {
    let machine = Machine::new();
    let report = machine.home().join("report.csv");
    fine(machine.rally([
        "run",
        &places_argument(),
        "--track-params=bulk_size:7,bulk_indexing_clients:3",
        "--report-format=csv",
        &format!("--report-file={}", report.display()),
        "--seed=1",
    ]));
    let rows = csv(&report);
    let value = |metric: &str, task: &str| {
        rows.iter()
            .find(|row| row.iter().any(|cell| cell == metric) && row.iter().any(|cell| cell == task))
            .unwrap_or_else(|| panic!("no {metric} of {task} in {rows:?}"))
            .clone()
    };
    for task in ["index-append", "match-all", "by-country"] {
        assert!(value("error rate", task).iter().any(|cell| cell.parse() == Ok(0.0)), "{task}");
    }
    assert!(
        !rows.iter().any(|row| row.iter().any(|cell| cell == "check-cluster-health")),
        "administrative operations are not reported"
    );
    let (_, race) = machine.only_race();
    assert_eq!(race["challenge"], "append-and-search");
}

#[test]
fn test_mode_races_with_the_documents_that_there_are() {
    let machine = Machine::new();
    fine(machine.rally(["run", &places_argument(), "--test-mode", "--quiet"]));
}

#[test]
fn info_tells_what_challenges_do() {
    let run = fine(Machine::new().rally(["info", &places_argument()]));
    assert_eq!(
        run.output,
        "Showing details for track [places]:\n\n\
         * Description: Places of the world, in the current dialect\n\
         * Documents: 300\n\
         * Compressed Size: N/A\n\
         * Uncompressed Size: N/A\n\n\
         =============================================\n\
         Challenge [append-and-search] (run by default)\n\
         =============================================\n"
            .replace(&"=".repeat(45), &"=".repeat(46))
            + "\nIndexes all places, then searches them\n\n\
               Schedule:\n---------\n\n\
               1. delete-index\n2. create-index\n3. check-cluster-health\n4. index-append (2 clients)\n5. refresh\n\
               6. force-merge\n7. 2 parallel tasks (3 clients):\n\t7.1 match-all (2 clients)\n\t7.2 by-country\n\n\
               =======================\nChallenge [search-only]\n=======================\n\n\
               Searches what is there\n\nSchedule:\n---------\n\n1. match-all\n\n"
    );
}

#[test]
fn info_shows_one_challenge_and_what_filters_leave_of_it() {
    let run = fine(Machine::new().rally([
        "info",
        &places_argument(),
        "--challenge=append-and-search",
        "--exclude-tasks=tag:setup,type:force-merge",
    ]));
    assert!(run.output.contains("1. check-cluster-health"), "{}", run.output);
    assert!(!run.output.contains("force-merge") && !run.output.contains("search-only"), "{}", run.output);
}

#[test]
fn parts_of_a_track_are_listed_for_people_and_for_programs() {
    let machine = Machine::new();
    let text = fine(machine.rally(["list", "challenges", &places_argument()])).output;
    assert!(text.contains("append-and-search") && text.contains("search-only"), "{text}");
    let listed = fine(machine.rally(["list", "challenges", &places_argument(), "--format=json"])).output;
    let listed: Value = serde_json::from_str(&listed).expect("JSON");
    assert_eq!(listed[0]["default"], true);
    assert_eq!(listed[0]["tasks"], 8);
    let listed = fine(machine.rally(["list", "operations", &places_argument(), "--format=json"])).output;
    let listed: Vec<Value> = serde_json::from_str(&listed).expect("JSON");
    let match_all = listed.iter().find(|operation| operation["name"] == "match-all").expect("listed");
    assert_eq!(match_all["operation-type"], "search");
    assert_eq!(match_all["challenges"], json!(["append-and-search", "search-only"]));
}

#[test]
fn tracks_below_a_folder_are_listed_with_what_is_wrong_with_them() {
    let folder = tempfile::tempdir().expect("folder");
    let nested = folder.path().join("vendor/logs");
    fs::create_dir_all(&nested).expect("made");
    fs::write(
        nested.join("track.json"),
        r#"{"description": "nested", "schedule": [{"operation": {"operation-type": "sleep", "duration": 1}}]}"#,
    )
    .expect("written");
    fs::create_dir(folder.path().join("broken")).expect("made");
    fs::write(folder.path().join("broken/track.json"), "{\"description\": ").expect("written");
    let run = fine(Machine::new().rally([
        "list",
        "tracks",
        "--format=json",
        &format!("--track-path={}", folder.path().display()),
    ]));
    let listed: Value = serde_json::from_str(&run.output).expect("JSON");
    assert_eq!(listed[0]["name"], "broken");
    assert!(listed[0]["error"].as_str().is_some_and(|error| error.contains("track.json:1")), "{listed}");
    assert_eq!(listed[1]["name"], "vendor/logs");
    assert_eq!(listed[1]["default-challenge"], "default");
}

#[test]
fn a_track_is_rendered_with_its_parameters() {
    let machine = Machine::new();
    let file = machine.home().join("rendered.json");
    fine(machine.rally([
        "render-track",
        &places_argument(),
        "--track-params={\"bulk_size\": 11}",
        &format!("--output-path={}", file.display()),
    ]));
    let rendered: Value = serde_json::from_str(&fs::read_to_string(&file).expect("written")).expect("JSON");
    assert_eq!(rendered["operations"][0]["bulk-size"], 11);
    let printed = fine(machine.rally(["render-track", &places_argument()])).output;
    let printed: Value = serde_json::from_str(&printed).expect("JSON");
    assert_eq!(printed["operations"][0]["bulk-size"], 50);
}

#[test]
fn a_valid_track_is_called_valid_and_parameters_come_from_files_too() {
    let machine = Machine::new();
    let file = machine.home().join("params.json");
    fs::write(&file, "{\"number_of_shards\": 3, \"bulk_size\": 5}").expect("written");
    let run = fine(machine.rally([
        "validate-track",
        &places_argument(),
        &format!("--track-params={}", file.display()),
    ]));
    assert_eq!(run.output, "Track 'places' is valid: 2 challenges with 9 tasks in total.\n");
}

#[test]
fn a_parameter_that_the_track_does_not_know_is_refused_with_what_was_meant() {
    let machine = Machine::new();
    let run = machine.rally(["validate-track", &places_argument(), "--track-params=bulk_sise:5"]);
    refused(&run, &["bulk_sise", "bulk_size"]);
    fine(machine.rally([
        "validate-track",
        &places_argument(),
        "--track-params=bulk_sise:5",
        "--ignore-unused-track-params",
    ]));
}

#[test]
fn what_is_wrong_is_shown_where_it_is_written() {
    let folder = tempfile::tempdir().expect("folder");
    copy(&places(), folder.path());
    let part = folder.path().join("challenges/search-only.json");
    let text =
        fs::read_to_string(&part).expect("read").replace("\"iterations\": 10", "\"iterations\": \"ten\"");
    fs::write(&part, text).expect("written");
    let run = Machine::new().rally(["validate-track", &format!("--track-path={}", folder.path().display())]);
    refused(&run, &["challenges/search-only.json:4", "\"ten\"", "/challenges/1/schedule/0/iterations"]);
}

#[test]
fn a_challenge_that_is_not_there_is_named_with_what_is() {
    let run = Machine::new().rally(["info", &places_argument(), "--challenge=search-onli"]);
    refused(&run, &["search-onli", "did you mean 'search-only'", "append-and-search"]);
}

#[test]
fn nearly_the_name_of_a_shipped_track_asks_no_repository() {
    let machine = Machine::new();
    let run = machine.rally(["info", "--track=tutorail"]);
    refused(&run, &["tutorail", "did you mean 'tutorial'"]);
    assert!(!machine.home().join("benchmarks/tracks/default").exists());
}

#[test]
fn a_track_that_nobody_has_is_not_cloned_for_offline() {
    let machine = Machine::new();
    let run = machine.rally(["info", "--track=geonames", "--offline"]);
    assert_ne!(run.code, 0);
    assert!(run.errors.contains("geonames") && run.errors.contains("--offline"), "{}", run.errors);
}

#[test]
fn a_repository_whose_address_is_a_flag_is_refused() {
    let machine = Machine::new();
    fs::write(machine.home().join("rally.ini"), "[tracks]\nevil.url = --upload-pack=touch pwned\n")
        .expect("written");
    let run = machine.rally(["info", "--track=geonames", "--track-repository=evil"]);
    refused(&run, &["evil", "--upload-pack"]);
}

#[test]
fn a_malformed_rally_ini_is_named_with_its_line() {
    let machine = Machine::new();
    fs::write(machine.home().join("rally.ini"), "[tracks]\ndefault.url = x\nnonsense\n").expect("written");
    let run = machine.rally(["list", "tracks", "--shipped"]);
    refused(&run, &["rally.ini:3", "nonsense"]);
}

#[test]
fn a_track_of_2017_becomes_one_of_today_that_races() {
    let machine = Machine::new();
    let old = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tracks/tutorial");
    let new = machine.home().join("upgraded");
    fine(machine.rally([
        "upgrade-track",
        &format!("--track-path={}", old.display()),
        &format!("--output-path={}", new.display()),
    ]));
    let track: Value = serde_json::from_str(
        &fine(machine.rally(["render-track", &format!("--track-path={}", new.display())])).output,
    )
    .expect("JSON");
    assert_eq!(track["version"], 2);
    fine(machine.rally([
        "run",
        &format!("--track-path={}", new.display()),
        "--test-mode",
        "--quiet",
        "--track-params=cluster_health:yellow",
    ]));
    let again = machine.rally([
        "upgrade-track",
        &format!("--track-path={}", old.display()),
        &format!("--output-path={}", new.display()),
    ]);
    refused(&again, &["upgraded", "not empty"]);
}

#[test]
fn a_current_track_needs_no_upgrade() {
    let machine = Machine::new();
    let output = machine.home().join("out");
    let run =
        machine.rally(["upgrade-track", &places_argument(), &format!("--output-path={}", output.display())]);
    refused(&run, &["already is in the current dialect"]);
    assert!(!output.exists());
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("listing") {
        let entry = entry.expect("entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            fs::create_dir(&target).expect("made");
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).expect("copied");
        }
    }
}

/// A track repository below the home: branch `master`, and `7` with another description.
fn repository(machine: &Machine) -> PathBuf {
    let folder = machine.home().join("benchmarks/tracks/mine");
    fs::create_dir_all(folder.join("vendor/places")).expect("made");
    let git = |arguments: &[&str]| {
        let status = std::process::Command::new("git")
            .args(["-c", "user.name=Test", "-c", "user.email=test@example.org"])
            .args(arguments)
            .current_dir(&folder)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .status()
            .expect("git runs");
        assert!(status.success(), "{arguments:?}");
    };
    let track = folder.join("vendor/places/track.json");
    let write = |description: &str| {
        let text = json!({
            "description": description,
            "schedule": [{"operation": {"operation-type": "sleep", "duration": 1}}],
        });
        fs::write(&track, text.to_string()).expect("written");
    };
    git(&["init", "--quiet", "--initial-branch=master"]);
    write("of today");
    git(&["add", "."]);
    git(&["commit", "--quiet", "--message=master"]);
    git(&["checkout", "--quiet", "-b", "7"]);
    write("of seven");
    git(&["commit", "--quiet", "--all", "--message=seven"]);
    git(&["checkout", "--quiet", "master"]);
    track
}

#[test]
fn the_branch_of_a_repository_is_that_of_the_version() {
    let machine = Machine::new();
    repository(&machine);
    let info = |more: &[&str]| {
        let run =
            machine.rally(["info", "--track=vendor/places", "--track-repository=mine"].iter().chain(more));
        fine(run).output
    };
    assert!(info(&["--distribution-version=7.17.3"]).contains("of seven"));
    assert!(info(&["--distribution-version=9.0.0"]).contains("of today"));
    assert!(info(&["--track-revision=7"]).contains("of seven"));
    let listed = fine(machine.rally([
        "list",
        "tracks",
        "--track-repository=mine",
        "--distribution-version=7.1.0",
        "--format=json",
    ]));
    let listed: Value = serde_json::from_str(&listed.output).expect("JSON");
    assert_eq!(listed[0]["name"], "vendor/places");
    assert_eq!(listed[0]["description"], "of seven");
}

#[test]
fn what_a_user_changed_in_a_repository_stays_and_is_said() {
    let machine = Machine::new();
    let track = repository(&machine);
    let changed = fs::read_to_string(&track).expect("read").replace("of today", "of mine");
    fs::write(&track, &changed).expect("written");
    let run = fine(machine.rally([
        "info",
        "--track=vendor/places",
        "--track-repository=mine",
        "--distribution-version=9.0.0",
    ]));
    assert!(run.output.contains("of mine"), "{}", run.output);
    assert!(
        run.errors.contains("warning: ") && run.errors.contains("vendor/places/track.json"),
        "{}",
        run.errors
    );
    assert_eq!(fs::read_to_string(&track).expect("read"), changed);
}

#[test]
fn revisions_and_tracks_that_a_repository_does_not_have_are_named() {
    let machine = Machine::new();
    repository(&machine);
    let run = machine.rally([
        "info",
        "--track=vendor/places",
        "--track-repository=mine",
        "--track-revision=no-such-thing",
    ]);
    refused(&run, &["no-such-thing"]);
    let run = machine.rally(["info", "--track=vendor/place", "--track-repository=mine"]);
    refused(&run, &["vendor/place", "did you mean 'vendor/places'"]);
    let run = machine.rally(["info", "--track=../../secret", "--track-repository=mine"]);
    refused(&run, &["../../secret"]);
}

#[test]
fn a_component_that_is_linked_from_elsewhere_is_refused() {
    let folder = tempfile::tempdir().expect("folder");
    copy(&places(), folder.path());
    let elsewhere = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/guests/faults/faults.wasm");
    std::os::unix::fs::symlink(elsewhere, folder.path().join("faults.wasm")).expect("linked");
    let run = Machine::new().rally(["run", &format!("--track-path={}", folder.path().display())]);
    refused(&run, &["faults.wasm", "leads out of the track's folder"]);
}

#[test]
fn a_track_of_ones_own_comes_before_a_shipped_one() {
    let machine = Machine::new();
    repository(&machine);
    let mine = machine.home().join("benchmarks/tracks/mine");
    fs::rename(mine.join("vendor/places"), mine.join("tutorial")).expect("moved");
    let git = |arguments: &[&str]| {
        let status = std::process::Command::new("git")
            .args(["-c", "user.name=Test", "-c", "user.email=test@example.org"])
            .args(arguments)
            .current_dir(&mine)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .status()
            .expect("git runs");
        assert!(status.success(), "{arguments:?}");
    };
    git(&["add", "-A"]);
    git(&["commit", "-q", "-m", "a tutorial of my own"]);
    fs::rename(&mine, mine.with_file_name("default")).expect("renamed");
    let own = fine(machine.rally(["info", "--track=tutorial", "--offline"]));
    let shipped = fine(machine.rally(["info", "--track=shipped/tutorial", "--offline"]));
    assert_ne!(own.output, shipped.output);
    assert!(own.errors.contains("--track=shipped/tutorial"), "{}", own.errors);
    assert!(!shipped.errors.contains("shipped/"), "{}", shipped.errors);
    let listed = fine(machine.rally(["list", "tracks", "--offline"]));
    for name in ["tutorial", "shipped/tutorial", "percolate"] {
        assert!(
            listed.output.lines().any(|line| line.split_whitespace().any(|word| word == name)),
            "{}",
            listed.output
        );
    }
}

#[test]
fn a_fresh_home_says_where_more_tracks_are() {
    let machine = Machine::new();
    let listed = fine(machine.rally(["list", "tracks"]));
    assert!(
        listed.output.contains("rally-tracks") && listed.output.contains("--track-repository=default"),
        "{}",
        listed.output
    );
}
