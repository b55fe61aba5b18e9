//! Cloning and fetching.

use std::sync::atomic::Ordering;

use crate::support::{World, commit, git, story, told, write};
use rally_repository::{BranchOrTag, RepositoryConfig, RepositoryError, Step, TrackRepository, Warning};

#[test]
fn a_repository_that_is_not_here_is_cloned() {
    let world = World::new();
    world.commit("8", &[("geonames/track.json", "8"), ("elastic/logs/track.json", "8")]);
    git(&world.remote(), &["checkout", "--quiet", "master"]);
    let checkout = world.update(None).unwrap();
    assert_eq!(checkout.directory, world.copy());
    assert_eq!(checkout.branch_or_tag, BranchOrTag::Branch("master".to_owned()));
    assert_eq!(checkout.revision, git(&world.remote(), &["rev-parse", "master"]));
    assert_eq!(checkout.warnings, []);
    assert_eq!(world.read("geonames/track.json"), "master 1");
    assert_eq!(world.status(), "");
    assert_eq!(
        git(&world.copy(), &["branch", "-vv", "--format=%(refname:short) %(upstream:short)"]),
        "master origin/master"
    );
    assert_eq!(
        git(&world.copy(), &["symbolic-ref", "refs/remotes/origin/HEAD"]),
        "refs/remotes/origin/master"
    );
}

#[test]
fn git_can_go_on_with_a_clone() {
    let world = World::new();
    drop(world.update(None).unwrap());
    world.commit("master", &[("geonames/track.json", "master 2")]);
    git(&world.copy(), &["pull", "--quiet", "--ff-only"]);
    assert_eq!(world.read("geonames/track.json"), "master 2");
}

#[test]
fn new_commits_are_fetched_and_checked_out() {
    let world = World::new();
    drop(world.update(None).unwrap());
    let commit = world.commit("master", &[("geonames/track.json", "master 2"), ("pmc/track.json", "new")]);
    let checkout = world.update(None).unwrap();
    assert_eq!(checkout.revision, commit);
    assert_eq!(checkout.warnings, []);
    assert_eq!(world.read("geonames/track.json"), "master 2");
    let names: Vec<String> = checkout.tracks().unwrap().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["geonames", "pmc"]);
    assert_eq!(world.status(), "");
}

#[test]
fn a_branch_that_is_gone_is_forgotten() {
    let world = World::new();
    world.commit("8", &[]);
    drop(world.update(Some("8.1.0")).unwrap());
    git(&world.remote(), &["checkout", "--quiet", "master"]);
    git(&world.remote(), &["branch", "--delete", "--force", "8"]);
    world.commit("8/next", &[]);
    let checkout = world.update(Some("9.0.0")).unwrap();
    assert_eq!(checkout.branch_or_tag.name(), "master");
    assert_eq!(
        git(
            &world.copy(),
            &["for-each-ref", "--format=%(refname)", "refs/remotes/origin/8", "refs/remotes/origin/8/*"]
        ),
        "refs/remotes/origin/8/next"
    );
}

#[test]
fn the_steps_are_told_one_after_the_other() {
    let world = World::new();
    let url = world.remote().to_str().unwrap().to_owned();
    let (mut repository, _) = TrackRepository::open(world.config()).unwrap();
    drop(repository.update(None).unwrap());
    let master = || "master".to_owned();
    let first = [
        Step::Clone { url: url.clone() },
        Step::Checkout { revision: master() },
        Step::Update { branch: master() },
    ];
    assert_eq!(repository.steps(), first);
    let mut repository = world.opened();
    drop(repository.update(None).unwrap());
    assert_eq!(repository.steps()[0], Step::Fetch { url });
}

#[test]
fn a_fetch_that_fails_goes_on_with_what_is_there() {
    let world = World::new();
    world.commit("8", &[("geonames/track.json", "8")]);
    drop(world.update(None).unwrap());
    std::fs::rename(world.remote(), world.folder.path().join("away")).unwrap();
    let (mut repository, warnings) = TrackRepository::open(world.config()).unwrap();
    let told = told(&warnings);
    assert!(told[0].starts_with("cannot update the track repository 'default'"), "{told:?}");
    assert!(told[0].contains("continuing with the local state"), "{told:?}");
    assert_eq!(repository.update(Some("8.2.0")).unwrap().branch_or_tag.name(), "8");
}

#[test]
fn a_clone_that_fails_leaves_nothing() {
    let world = World::new();
    let url = Some(world.folder.path().join("nowhere").to_str().unwrap().to_owned());
    let error = TrackRepository::open(RepositoryConfig { url, ..world.config() }).unwrap_err();
    let text = story(&error);
    assert!(
        text.contains("cannot clone the track repository 'default'") && text.contains("nowhere"),
        "{text}"
    );
    let left: Vec<_> =
        std::fs::read_dir(world.tracks()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, [".default.lock"]);
}

#[test]
fn what_a_killed_clone_left_is_removed() {
    let world = World::new();
    let left = world.tracks().join(".default.clone-ab12cd");
    write(&left, ".git/objects/pack/tmp_pack_x", "half");
    let others = world.tracks().join(".other.clone-ab12cd");
    std::fs::create_dir(&others).unwrap();
    drop(world.update(None).unwrap());
    assert!(!left.exists() && others.exists());
    assert_eq!(world.status(), "");
}

#[test]
fn a_cancelled_clone_leaves_nothing() {
    let world = World::new();
    let config = world.config();
    config.cancelled.store(true, Ordering::Relaxed);
    assert!(matches!(TrackRepository::open(config).unwrap_err(), RepositoryError::Cancelled));
    assert!(!world.copy().exists());
}

#[test]
fn an_empty_repository_cannot_be_cloned() {
    let world = World::empty();
    git(&world.remote(), &["init", "--quiet"]);
    let error = TrackRepository::open(world.config()).unwrap_err();
    assert!(error.to_string().contains("is empty"), "{}", story(&error));
    assert!(!world.copy().exists());
}

#[test]
fn a_default_branch_of_another_name_is_the_one_that_is_cloned() {
    let world = World::empty();
    git(&world.remote(), &["init", "--quiet", "--initial-branch=trunk"]);
    world.commit("trunk", &[("geonames/track.json", "trunk")]);
    drop(TrackRepository::open(world.config()).unwrap());
    assert_eq!(git(&world.copy(), &["branch", "--show-current"]), "trunk");
    assert_eq!(world.status(), "");
}

#[test]
fn offline_nothing_is_fetched() {
    let world = World::new();
    world.commit("8", &[("geonames/track.json", "8 old")]);
    drop(world.update(None).unwrap());
    world.commit("8", &[("geonames/track.json", "8 new")]);
    let (mut repository, warnings) = TrackRepository::open(world.offline()).unwrap();
    assert_eq!(warnings, []);
    let checkout = repository.update(Some("8.4.0")).unwrap();
    assert_eq!(checkout.branch_or_tag.name(), "8");
    assert_eq!(world.read("geonames/track.json"), "8 old");
}

#[test]
fn offline_and_without_version_what_is_checked_out_is_used() {
    let world = World::new();
    world.commit("8", &[("geonames/track.json", "8")]);
    drop(world.update(Some("8.0.0")).unwrap());
    let (mut repository, _) = TrackRepository::open(world.offline()).unwrap();
    assert_eq!(repository.update(None).unwrap().branch_or_tag.name(), "8");
    assert_eq!(repository.steps(), []);
}

#[test]
fn offline_a_repository_that_was_never_cloned_is_an_error() {
    let world = World::new();
    let error = TrackRepository::open(world.offline()).unwrap_err();
    assert!(error.to_string().contains("--offline forbids"), "{error}");
}

#[test]
fn a_url_that_is_an_option_or_a_command_is_refused() {
    let world = World::new();
    let witness = world.folder.path().join("witness");
    for url in [
        format!("--upload-pack=touch {}", witness.display()),
        "-x".to_owned(),
        format!("ext::touch {}", witness.display()),
        "ssh://-oProxyCommand=x/tracks".to_owned(),
    ] {
        let error = TrackRepository::open(RepositoryConfig { url: Some(url), ..world.config() }).unwrap_err();
        assert!(matches!(error, RepositoryError::InvalidUrl { .. }), "{error}");
        assert!(!witness.exists() && !world.copy().exists());
    }
}

#[test]
fn a_working_copy_that_would_run_a_command_is_not_fetched() {
    let world = World::new();
    drop(world.update(None).unwrap());
    let witness = world.folder.path().join("witness");
    let url = format!("ext::touch {}", witness.display());
    git(&world.copy(), &["remote", "set-url", "origin", &url]);
    let (_, warnings) = TrackRepository::open(world.config()).unwrap();
    assert!(told(&warnings)[0].contains("names a helper that git would run"), "{warnings:?}");
    assert!(!witness.exists());
}

#[test]
fn a_name_that_would_be_another_folder_is_refused() {
    let world = World::new();
    for name in ["", ".", "..", "../x", "a/b", "-x", "/etc", "a\nb"] {
        let error = RepositoryConfig::new(&world.tracks(), name, None).unwrap_err();
        assert!(matches!(error, RepositoryError::InvalidName { .. }), "{name}");
    }
}

#[test]
fn a_folder_that_is_no_repository_is_left_alone() {
    let world = World::new();
    world.write("notes.txt", "mine");
    let error = TrackRepository::open(world.config()).unwrap_err();
    assert!(error.to_string().contains("is not a git repository"), "{error}");
    let error = TrackRepository::open(world.local()).unwrap_err();
    assert!(error.to_string().contains("it has no .git"), "{error}");
    assert_eq!(world.read("notes.txt"), "mine");
}

#[test]
fn an_empty_folder_is_cloned_into() {
    let world = World::new();
    std::fs::create_dir(world.copy()).unwrap();
    drop(world.update(None).unwrap());
    assert_eq!(world.read("geonames/track.json"), "master 1");
}

#[test]
fn another_address_than_before_is_told() {
    let world = World::new();
    drop(world.update(None).unwrap());
    git(&world.folder.path().join("benchmarks"), &["clone", "--quiet", "../remote", "../other"]);
    let url = Some(world.folder.path().join("other").to_str().unwrap().to_owned());
    let (_, warnings) = TrackRepository::open(RepositoryConfig { url, ..world.config() }).unwrap();
    assert!(matches!(&warnings[..], [Warning::OtherUrl { .. }]), "{warnings:?}");
}

#[test]
fn a_tag_that_has_moved_stays_and_is_told() {
    let world = World::new();
    git(&world.remote(), &["tag", "v5"]);
    drop(world.update(None).unwrap());
    let before = git(&world.copy(), &["rev-parse", "v5"]);
    world.commit("master", &[("new", "")]);
    git(&world.remote(), &["tag", "--force", "v5"]);
    let (_, warnings) = TrackRepository::open(world.config()).unwrap();
    assert!(matches!(&warnings[..], [Warning::TagsKept { tags, .. }] if tags == &["v5"]), "{warnings:?}");
    assert_eq!(git(&world.copy(), &["rev-parse", "v5"]), before);
}

#[test]
fn a_remote_branch_that_was_rewritten_is_followed() {
    let world = World::new();
    world.commit("8", &[("a", "1")]);
    world.commit("8", &[("a", "2")]);
    drop(world.update(Some("8.0.0")).unwrap());
    git(&world.remote(), &["reset", "--quiet", "--hard", "8~1"]);
    let commit = world.commit("8", &[("a", "3")]);
    let checkout = world.update(Some("8.0.0")).unwrap();
    assert_eq!(checkout.warnings, []);
    assert_eq!((checkout.revision, world.read("a")), (commit, "3".to_owned()));
    assert_eq!(world.status(), "");
}

#[test]
fn a_remote_branch_that_was_rewritten_does_not_take_commits_along() {
    let world = World::new();
    world.commit("8", &[("a", "1")]);
    world.commit("8", &[("a", "2")]);
    drop(world.update(Some("8.0.0")).unwrap());
    let mine = commit(&world.copy(), "8", &[("mine", "mine")]);
    git(&world.remote(), &["reset", "--quiet", "--hard", "8~1"]);
    world.commit("8", &[("a", "3")]);
    let checkout = world.update(Some("8.0.0")).unwrap();
    assert!(
        matches!(&checkout.warnings[..], [Warning::LocalCommits { ahead: 2, behind: 1, .. }]),
        "{:?}",
        checkout.warnings
    );
    assert_eq!((checkout.revision, world.read("a")), (mine, "2".to_owned()));
}

#[test]
fn several_at_once_do_not_disturb_each_other() {
    let world = World::new();
    for branch in ["7", "8"] {
        world.commit(branch, &[("geonames/track.json", branch)]);
    }
    std::thread::scope(|scope| {
        for number in 0..6 {
            let world = &world;
            scope.spawn(move || {
                let (branch, version) = [("7", "7.1.0"), ("8", "8.1.0")][number % 2];
                let (mut repository, warnings) = TrackRepository::open(world.config()).unwrap();
                assert_eq!(warnings, []);
                let checkout = repository.update(Some(version)).unwrap();
                // While the checkout is held, nobody else changes the files.
                std::thread::sleep(std::time::Duration::from_millis(20));
                assert_eq!(world.read("geonames/track.json"), branch);
                assert_eq!(checkout.warnings, []);
            });
        }
    });
    assert_eq!(world.status(), "");
}
