//! What is checked out for a version or a revision, and what becomes of changes.

use crate::support::{World, commit, commit_all, git, story, told, write};
use rally_repository::{BranchOrTag, Checkout, RepositoryError, TrackRepository, Warning};

/// A remote repository with the branches `master`, `7` and `8`, each with its own `geonames`, and one file in common.
fn branches() -> World {
    let world = World::new();
    for branch in ["7", "8"] {
        world.commit(
            branch,
            &[("geonames/track.json", branch), (&format!("only-{branch}/track.json"), branch)],
        );
        git(&world.remote(), &["checkout", "--quiet", "master"]);
    }
    world
}

fn local_changes(checkout: &Checkout) -> &[String] {
    match &checkout.warnings[..] {
        [Warning::LocalChanges { paths, .. }] => paths,
        other => panic!("unexpected warnings {other:?}"),
    }
}

#[test]
fn the_best_matching_branch_is_checked_out() {
    let world = branches();
    for (version, branch) in [("7.10.2", "7"), ("8.11.3", "8"), ("9.0.0", "master"), ("serverless", "master")]
    {
        let checkout = world.update(Some(version)).unwrap();
        assert_eq!(checkout.branch_or_tag, BranchOrTag::Branch(branch.to_owned()), "{version}");
        assert_eq!(checkout.warnings, []);
        assert_eq!(world.status(), "", "{version}");
    }
    drop(world.update(Some("8.0.0")).unwrap());
    assert_eq!(world.read("geonames/track.json"), "8");
    assert!(world.copy().join("only-8").exists() && !world.copy().join("only-7").exists());
}

#[test]
fn without_a_branch_the_tag_of_the_version_is_checked_out() {
    let world = branches();
    git(&world.remote(), &["tag", "--annotate", "--message=old", "v6", "7"]);
    git(&world.remote(), &["tag", "v6.8", "8"]);
    // Where only `master` is here, it is taken for what no branch is for.
    drop(world.update(Some("7.0.0")).unwrap());
    let checkout = world.update(Some("6.8.0-SNAPSHOT")).unwrap();
    assert_eq!(checkout.branch_or_tag, BranchOrTag::Tag("v6.8".to_owned()));
    assert_eq!(checkout.revision, git(&world.remote(), &["rev-parse", "8"]));
    drop(checkout);
    let checkout = world.update(Some("6.7.0")).unwrap();
    assert_eq!(checkout.branch_or_tag, BranchOrTag::Tag("v6".to_owned()));
    assert_eq!(world.read("geonames/track.json"), "7");
    assert_eq!(world.status(), "");
}

#[test]
fn a_version_without_anything_is_told_what_there_is() {
    let world = branches();
    drop(world.update(Some("7.0.0")).unwrap());
    let error = world.update(Some("6.8.0")).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("no branch or tag for version '6.8.0'") && text.contains("7, 8, master"), "{text}");
}

#[test]
fn a_version_that_is_none_is_told_what_one_looks_like() {
    let world = branches();
    drop(world.update(Some("7.0.0")).unwrap());
    let text = story(&world.update(Some("8.0")).unwrap_err());
    assert!(text.contains("'8.0' is not a version") && text.contains("8.11.3"), "{text}");
}

#[test]
fn a_repository_without_master_is_told_what_there_is() {
    let world = World::empty();
    git(&world.remote(), &["init", "--quiet", "--initial-branch=main"]);
    world.commit("main", &[]);
    let text = world.update(None).unwrap_err().to_string();
    assert!(
        text.contains("no branch, tag or commit 'master'") && text.contains("branches are main"),
        "{text}"
    );
}

#[test]
fn a_revision_is_a_branch_a_tag_or_a_commit() {
    let world = branches();
    let commit = world.commit("8", &[("geonames/track.json", "8 later")]);
    git(&world.remote(), &["tag", "--annotate", "--message=old", "v5", "7"]);
    let mut repository = world.opened();
    let mut check_out = |revision: &str| {
        let checkout = repository.set_revision(revision).unwrap();
        assert_eq!(checkout.warnings, [], "{revision}");
        (checkout.branch_or_tag.clone(), world.read("geonames/track.json"))
    };
    let named = |name: &str| name.to_owned();
    assert_eq!(check_out("7"), (BranchOrTag::Branch(named("7")), named("7")));
    assert_eq!(check_out("v5"), (BranchOrTag::Tag(named("v5")), named("7")));
    assert_eq!(check_out(&commit), (BranchOrTag::Commit(commit.clone()), named("8 later")));
    assert_eq!(check_out(&commit[..8]), (BranchOrTag::Commit(named(&commit[..8])), named("8 later")));
    assert_eq!(check_out("origin/8~1"), (BranchOrTag::Commit(named("origin/8~1")), named("8")));
    assert_eq!(world.status(), "");
    assert_eq!(git(&world.copy(), &["branch", "--show-current"]), "");
}

#[test]
fn a_revision_that_is_there_already_is_not_checked_out_again() {
    let world = branches();
    let checkout = world.update(Some("7.0.0")).unwrap();
    let commit = checkout.revision.clone();
    drop(checkout);
    let mut repository = world.opened();
    let before = repository.steps().len();
    drop(repository.set_revision("7").unwrap());
    drop(repository.set_revision(&commit).unwrap());
    assert_eq!(repository.steps().len(), before);
    assert_eq!(git(&world.copy(), &["branch", "--show-current"]), "7");
}

#[test]
fn head_is_what_is_checked_out_and_never_becomes_a_branch() {
    let world = branches();
    drop(world.update(Some("7.0.0")).unwrap());
    let mut repository = world.opened();
    drop(repository.set_revision("HEAD").unwrap());
    assert_eq!(git(&world.copy(), &["branch", "--show-current"]), "7");
    assert!(!world.copy().join(".git/refs/heads/HEAD").exists());
    assert_eq!(world.read("geonames/track.json"), "7");
}

#[test]
fn a_branch_named_as_revision_is_taken_as_it_is_here() {
    let world = branches();
    drop(world.update(Some("8.0.0")).unwrap());
    world.commit("8", &[("geonames/track.json", "8 later")]);
    let checkout = world.opened().set_revision("8").unwrap();
    assert!(matches!(&checkout.warnings[..], [Warning::Behind { behind: 1, .. }]), "{:?}", checkout.warnings);
    assert_eq!(world.read("geonames/track.json"), "8");
}

#[test]
fn an_unknown_revision_gets_a_suggestion() {
    let world = branches();
    world.commit("geonames-next", &[]);
    let mut repository = world.opened();
    let text = repository.set_revision("geonmaes-next").unwrap_err().to_string();
    assert!(text.contains("did you mean 'geonames-next'?") && text.contains("7, 8"), "{text}");
    for revision in ["", "-f", "--detach", "abcdef0123456789", "master:geonames", "@{", "a..b", "HEAD^{tree}"]
    {
        let error = repository.set_revision(revision).unwrap_err();
        assert!(matches!(error, RepositoryError::NoSuchRevision { .. }), "{revision}: {error}");
    }
}

#[test]
fn changes_stay_and_are_told_of() {
    let world = branches();
    drop(world.update(Some("7.0.0")).unwrap());
    world.write("geonames/track.json", "mine");
    let checkout = world.update(Some("7.0.0")).unwrap();
    assert_eq!(local_changes(&checkout), ["geonames/track.json"]);
    assert_eq!(world.read("geonames/track.json"), "mine");
}

#[test]
fn changes_keep_a_branch_from_being_updated() {
    let world = branches();
    drop(world.update(Some("7.0.0")).unwrap());
    world.write("geonames/track.json", "mine");
    world.commit("7", &[("geonames/track.json", "7 later")]);
    let checkout = world.update(Some("7.0.0")).unwrap();
    assert!(told(&checkout.warnings)[0].contains("prevent the update of '7'"), "{:?}", checkout.warnings);
    assert_eq!(checkout.warnings.len(), 1);
    assert_eq!(world.read("geonames/track.json"), "mine");
}

#[test]
fn changes_that_another_branch_would_overwrite_stop_it() {
    let world = branches();
    drop(world.update(Some("7.0.0")).unwrap());
    world.write("geonames/track.json", "mine");
    world.write("only-8/track.json", "mine, unknown to git");
    let error = world.update(Some("8.0.0")).unwrap_err();
    let RepositoryError::WouldOverwrite { paths, target, .. } = &error else { panic!("{error}") };
    assert_eq!((paths.join(" "), target.as_str()), ("geonames/track.json only-8/track.json".to_owned(), "8"));
    assert_eq!(world.read("geonames/track.json"), "mine");
    assert_eq!(world.read("only-8/track.json"), "mine, unknown to git");
    assert!(world.copy().join("only-7/track.json").exists());
    assert_eq!(git(&world.copy(), &["branch", "--show-current"]), "7");
}

#[test]
fn changes_that_do_not_matter_go_along_to_another_branch() {
    let world = branches();
    drop(world.update(Some("7.0.0")).unwrap());
    world.write("README.md", "mine");
    world.write("notes.txt", "mine, unknown to git");
    world.write("staged.txt", "mine, staged");
    git(&world.copy(), &["add", "staged.txt"]);
    let checkout = world.update(Some("8.0.0")).unwrap();
    assert_eq!(local_changes(&checkout), ["README.md", "staged.txt"]);
    assert_eq!(world.read("geonames/track.json"), "8");
    assert_eq!(world.read("README.md"), "mine");
    assert_eq!(world.status(), " M README.md\nA  staged.txt\n?? notes.txt");
}

#[test]
fn a_file_that_the_user_has_removed_stays_removed() {
    let world = branches();
    drop(world.update(Some("7.0.0")).unwrap());
    std::fs::remove_file(world.copy().join("README.md")).unwrap();
    let checkout = world.update(Some("8.0.0")).unwrap();
    assert_eq!(local_changes(&checkout), ["README.md"]);
    assert!(!world.copy().join("README.md").exists());
}

#[test]
fn files_unknown_to_git_keep_a_branch_from_being_updated_only_where_they_are_in_the_way() {
    let world = branches();
    drop(world.update(Some("7.0.0")).unwrap());
    world.write("new.json", "mine");
    world.commit("7", &[("new.json", "theirs")]);
    let checkout = world.update(Some("7.0.0")).unwrap();
    assert_eq!(local_changes(&checkout), ["new.json"]);
    assert_eq!(world.read("new.json"), "mine");
    drop(checkout);
    std::fs::rename(world.copy().join("new.json"), world.copy().join("mine.json")).unwrap();
    assert_eq!(world.update(Some("7.0.0")).unwrap().warnings, []);
    assert_eq!((world.read("new.json"), world.read("mine.json")), ("theirs".to_owned(), "mine".to_owned()));
}

#[test]
fn commits_that_are_only_here_stay() {
    let world = branches();
    drop(world.update(Some("7.0.0")).unwrap());
    let mine = commit(&world.copy(), "7", &[("mine.json", "mine")]);
    let checkout = world.update(Some("7.0.0")).unwrap();
    assert!(matches!(&checkout.warnings[..], [Warning::LocalCommits { ahead: 1, behind: 0, .. }]));
    assert_eq!(checkout.revision, mine);
    drop(checkout);
    world.commit("7", &[("theirs.json", "theirs")]);
    world.commit("7", &[("theirs.json", "theirs 2")]);
    let checkout = world.update(Some("7.0.0")).unwrap();
    assert!(matches!(&checkout.warnings[..], [Warning::LocalCommits { ahead: 1, behind: 2, .. }]));
    assert_eq!(checkout.revision, mine);
}

#[test]
fn a_checkout_that_was_killed_is_done_again() {
    let world = branches();
    drop(world.update(Some("7.0.0")).unwrap());
    // As it is after some files: the index and HEAD are written last.
    world.write("geonames/track.json", "8");
    world.write("only-8/track.json", "8");
    std::fs::remove_dir_all(world.copy().join("only-7")).unwrap();
    let left = world.copy().join(".git/rally-checkout-x1y2z3");
    write(&left, "README.md", "half");
    let checkout = world.update(Some("8.0.0")).unwrap();
    assert_eq!(checkout.warnings, []);
    assert_eq!(world.status(), "");
    assert!(!left.exists());
}

#[test]
fn a_file_may_become_a_folder_and_a_folder_a_file() {
    let world = World::new();
    world.commit("7", &[("a", "file"), ("b/c/d", "deep"), ("b/e", "shallow")]);
    std::fs::remove_file(world.remote().join("a")).unwrap();
    std::fs::remove_dir_all(world.remote().join("b")).unwrap();
    world.commit("8", &[("a/b/c", "deep"), ("b", "file")]);
    for version in ["7.0.0", "8.0.0", "7.0.0"] {
        drop(world.update(Some(version)).unwrap());
        assert_eq!(world.status(), "", "{version}");
    }
    world.write("b/mine", "mine");
    let error = world.update(Some("8.0.0")).unwrap_err();
    assert!(
        matches!(&error, RepositoryError::WouldOverwrite { paths, .. } if paths == &["b/mine"]),
        "{error}"
    );
    assert_eq!((world.read("b/mine"), world.read("a")), ("mine".to_owned(), "file".to_owned()));
}

#[cfg(unix)]
#[test]
fn links_and_executable_files_are_checked_out_as_git_does() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let world = World::new();
    world.commit("7", &[("run.sh", "#!/bin/sh"), ("link", "a file")]);
    git(&world.remote(), &["checkout", "--quiet", "-b", "8"]);
    std::fs::set_permissions(world.remote().join("run.sh"), PermissionsExt::from_mode(0o755)).unwrap();
    std::fs::remove_file(world.remote().join("link")).unwrap();
    symlink("../../outside", world.remote().join("link")).unwrap();
    commit_all(&world.remote());
    for version in ["7.0.0", "8.0.0", "7.0.0", "8.0.0"] {
        drop(world.update(Some(version)).unwrap());
        assert_eq!(world.status(), "", "{version}");
    }
    assert_eq!(std::fs::read_link(world.copy().join("link")).unwrap().to_str(), Some("../../outside"));
    assert!(std::fs::metadata(world.copy().join("run.sh")).unwrap().permissions().mode() & 0o111 != 0);
}

#[cfg(unix)]
#[test]
fn nothing_is_written_through_a_link_that_the_user_has_made() {
    let world = branches();
    drop(world.update(Some("7.0.0")).unwrap());
    let outside = world.folder.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::os::unix::fs::symlink(&outside, world.copy().join("only-8")).unwrap();
    let error = world.update(Some("8.0.0")).unwrap_err();
    assert!(
        matches!(&error, RepositoryError::WouldOverwrite { paths, .. } if paths == &["only-8"]),
        "{error}"
    );
    assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 0);
}

#[cfg(unix)]
#[test]
fn nothing_is_written_through_a_link_that_a_branch_has() {
    let world = World::new();
    let outside = world.folder.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    git(&world.remote(), &["checkout", "--quiet", "-b", "7"]);
    std::os::unix::fs::symlink(&outside, world.remote().join("data")).unwrap();
    commit_all(&world.remote());
    std::fs::remove_file(world.remote().join("data")).unwrap();
    world.commit("8", &[("data/file", "8")]);
    for version in ["7.0.0", "8.0.0", "7.0.0"] {
        drop(world.update(Some(version)).unwrap());
        assert_eq!(world.status(), "", "{version}");
    }
    assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 0);
}

#[test]
fn line_ends_follow_the_attributes_of_the_branch() {
    let world = World::new();
    world.commit("7", &[(".gitattributes", "*.txt text eol=crlf\n"), ("a.txt", "1\n2\n")]);
    world.commit("8", &[("a.txt", "1\n2\n3\n")]);
    drop(world.update(Some("7.0.0")).unwrap());
    assert_eq!(world.read("a.txt"), "1\r\n2\r\n");
    drop(world.update(Some("8.0.0")).unwrap());
    assert_eq!(world.read("a.txt"), "1\r\n2\r\n3\r\n");
    assert_eq!(world.status(), "");
}

#[test]
fn an_unfinished_merge_is_left_alone() {
    let world = branches();
    drop(world.update(Some("7.0.0")).unwrap());
    std::fs::write(world.copy().join(".git/MERGE_HEAD"), git(&world.copy(), &["rev-parse", "origin/8"]))
        .unwrap();
    let error = world.update(Some("8.0.0")).unwrap_err();
    assert!(matches!(&error, RepositoryError::NotSwitchable { .. }), "{error}");
    assert_eq!(git(&world.copy(), &["branch", "--show-current"]), "7");
}

#[test]
fn a_lock_of_git_is_named() {
    let world = branches();
    drop(world.update(Some("7.0.0")).unwrap());
    let lock = world.copy().join(".git/index.lock");
    std::fs::write(&lock, "").unwrap();
    let error = world.update(Some("8.0.0")).unwrap_err();
    assert!(error.to_string().contains(&format!("remove '{}'", lock.display())), "{error}");
    assert!(lock.exists());
    drop(world.update(Some("7.0.0")).unwrap());
}

/// A repository that is only here.
fn local(files: &[(&str, &str)]) -> World {
    let world = World::empty();
    std::fs::create_dir(world.copy()).unwrap();
    git(&world.copy(), &["init", "--quiet", "--initial-branch=master"]);
    commit(&world.copy(), "master", files);
    world
}

#[test]
fn a_local_repository_needs_no_remote_one() {
    let world = local(&[("mine/track.json", "{}")]);
    commit(&world.copy(), "8", &[("mine/track.json", "8")]);
    let (mut repository, warnings) = TrackRepository::open(world.local()).unwrap();
    assert_eq!(warnings, []);
    for (version, branch) in [(Some("8.1.0"), "8"), (None, "master"), (Some("9.0.0"), "master")] {
        assert_eq!(repository.update(version).unwrap().branch_or_tag.name(), branch);
    }
    git(&world.copy(), &["tag", "v7.2", "8"]);
    git(&world.copy(), &["tag", "v7", "master"]);
    let checkout = repository.update(Some("7.2.1-SNAPSHOT")).unwrap();
    assert_eq!(checkout.branch_or_tag, BranchOrTag::Tag("v7.2".to_owned()));
    assert_eq!(world.read("mine/track.json"), "8");
    assert_eq!(world.status(), "");
}

#[test]
fn a_local_repository_that_is_not_there_is_told_where_it_should_be() {
    let world = World::empty();
    let text = TrackRepository::open(world.local()).unwrap_err().to_string();
    assert!(text.contains("'default.url'") && text.contains(world.copy().to_str().unwrap()), "{text}");
}

#[test]
fn a_repository_without_commits_is_told_so() {
    let world = World::empty();
    std::fs::create_dir(world.copy()).unwrap();
    git(&world.copy(), &["init", "--quiet", "--initial-branch=master"]);
    let (mut repository, _) = TrackRepository::open(world.local()).unwrap();
    let error = repository.update(None).unwrap_err();
    assert!(matches!(error, RepositoryError::NoCommits { .. }), "{error}");
}
