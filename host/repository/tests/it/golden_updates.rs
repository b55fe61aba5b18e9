//! What Elastic Rally 2.13 calls git for, in which order.

use std::path::Path;

use crate::support::{World, commit, git};
use rally_repository::{RepositoryError, Step, TrackRepository};
use serde_json::{Value, json};

/// Repositories as a case describes them, for real.
fn world(input: &Value) -> World {
    let names = |key: &str| -> Vec<String> {
        input[key].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
    };
    let world = World::empty();
    let (copy, remote) = (world.copy(), world.remote());
    let current = input["current_branch"].as_str().unwrap();
    if input["remote"] == json!(true) {
        git(&remote, &["init", "--quiet", "--initial-branch=master"]);
        for branch in names("remote_branches") {
            commit(&remote, &branch, &[("tracks.txt", &branch)]);
        }
        for tag in names("tags") {
            git(&remote, &["tag", &tag]);
        }
        git(&remote, &["checkout", "--quiet", current]);
        git(&world.tracks(), &["clone", "--quiet", remote.to_str().unwrap(), "default"]);
    } else {
        std::fs::create_dir(&copy).unwrap();
        git(&copy, &["init", "--quiet", &format!("--initial-branch={current}")]);
        for branch in names("local_branches") {
            commit(&copy, &branch, &[("tracks.txt", &branch)]);
        }
        for tag in names("tags") {
            git(&copy, &["tag", &tag]);
        }
        if !names("local_branches").is_empty() {
            git(&copy, &["checkout", "--quiet", current]);
        }
    }
    if input["rebase_fails"] == json!(true) {
        // A file that both branches have alike can be changed and still taken along.
        std::fs::write(copy.join("mine.txt"), "mine").unwrap();
        git(&copy, &["add", "mine.txt"]);
    }
    let mut local: Vec<String> =
        git(&copy, &["branch", "--format=%(refname:short)"]).lines().map(str::to_owned).collect();
    let mut wanted = names("local_branches");
    local.sort();
    wanted.sort();
    assert_eq!(local, wanted);
    world
}

fn as_git_call(step: &Step) -> Value {
    match step {
        Step::Fetch { .. } => json!(["fetch", "remote=origin", "src=/tracks-root/default"]),
        Step::Checkout { revision } => json!(["checkout", format!("branch={revision}")]),
        Step::Update { branch } => json!(["rebase", format!("branch={branch}"), "remote=origin"]),
        other => panic!("unexpected step {other:?}"),
    }
}

#[test]
fn the_steps_of_every_case_are_those_of_rally() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/repo_update.json");
    let golden: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let cases = golden["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 6);
    for case in cases {
        let input = &case["input"];
        let world = world(input);
        let config = if input["remote"] == json!(true) { world.config() } else { world.local() };
        let (mut repository, warnings) = TrackRepository::open(config).unwrap();
        assert_eq!(warnings, [], "{}", case["id"]);
        let updated = repository.update(input["version"].as_str());
        let calls: Vec<Value> = repository.steps().iter().map(as_git_call).collect();
        assert_eq!(json!(calls), case["expected"]["git_calls"], "{}", case["id"]);
        // The git of the golden cases is a fake one that can check out a branch that is not there.
        let has_master = !git(&world.copy(), &["branch", "--all", "--list", "master"]).is_empty();
        match updated {
            Ok(checkout) => {
                let is_warned = !checkout.warnings.is_empty();
                assert_eq!(is_warned, input["rebase_fails"] == json!(true), "{}", case["id"]);
            }
            Err(RepositoryError::NoSuchRevision { revision, .. }) => {
                assert!(revision == "master" && !has_master, "{}", case["id"]);
            }
            Err(error) => panic!("{}: {error}", case["id"]),
        }
    }
}
