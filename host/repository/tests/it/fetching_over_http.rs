//! Cloning and fetching over HTTP.

use crate::support::http_server::HttpServer;
use crate::support::{World, git, story};
use rally_repository::{RepositoryConfig, TrackRepository, Warning};

fn config(world: &World, url: String) -> RepositoryConfig {
    RepositoryConfig { url: Some(url), ..world.config() }
}

/// Why a clone fails, which leaves nothing.
fn refused(path: &str) -> String {
    let world = World::new();
    let server = HttpServer::start(&world.remote());
    let error = TrackRepository::open(config(&world, server.url(path))).unwrap_err();
    assert!(!world.copy().exists());
    story(&error)
}

#[test]
fn a_repository_is_cloned_and_fetched() {
    let world = World::new();
    world.commit("8", &[("geonames/track.json", "8")]);
    let server = HttpServer::start(&world.remote());
    let (mut repository, warnings) = TrackRepository::open(config(&world, server.url("/tracks"))).unwrap();
    assert_eq!(warnings, []);
    assert_eq!(repository.update(Some("8.1.0")).unwrap().branch_or_tag.name(), "8");
    assert_eq!(world.status(), "");

    // Enough commits for a second round of haggling over what is here already.
    for number in 0..40 {
        world.commit("8", &[("geonames/track.json", &format!("8 {number}"))]);
    }
    let (mut repository, warnings) = TrackRepository::open(config(&world, server.url("/tracks"))).unwrap();
    assert_eq!(warnings, []);
    let checkout = repository.update(Some("8.1.0")).unwrap();
    assert_eq!(checkout.revision, git(&world.remote(), &["rev-parse", "8"]));
    assert_eq!(world.read("geonames/track.json"), "8 39");
    assert_eq!(world.status(), "");
}

#[test]
fn a_redirection_is_followed_once_and_remembered() {
    let world = World::new();
    let server = HttpServer::start(&world.remote());
    TrackRepository::open(config(&world, server.url("/moved/tracks"))).unwrap();
    let requests = server.requests.lock().unwrap();
    assert_eq!(requests.iter().filter(|request| request.contains("/moved/")).count(), 1);
    assert!(requests.iter().any(|request| request == "POST /tracks/git-upload-pack"), "{requests:?}");
    assert_eq!(world.read("geonames/track.json"), "master 1");
}

#[test]
fn what_is_no_repository_is_an_error_that_says_so() {
    assert!(refused("/nothing").contains("404"), "{}", refused("/nothing"));
    assert!(refused("/page").contains("git-upload-pack-advertisement"), "{}", refused("/page"));
    assert!(refused("/elsewhere").contains("/page', which is not a repository"), "{}", refused("/elsewhere"));
}

#[test]
fn an_answer_that_breaks_off_leaves_nothing() {
    assert!(refused("/broken").contains("cannot clone"), "{}", refused("/broken"));
}

#[test]
fn a_server_that_is_away_is_a_warning_where_there_is_a_copy() {
    let world = World::new();
    let server = HttpServer::start(&world.remote());
    TrackRepository::open(config(&world, server.url("/tracks"))).unwrap();
    // Nobody listens there any more once the listener is dropped.
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{address}/tracks");
    git(&world.copy(), &["remote", "set-url", "origin", &url]);
    let (_, warnings) = TrackRepository::open(config(&world, url)).unwrap();
    let [Warning::FetchFailed { reason, .. }] = &warnings[..] else { panic!("{warnings:?}") };
    assert!(reason.to_lowercase().contains("connection refused"), "{reason}");
}

#[test]
fn a_repository_that_asks_for_credentials_asks_the_helpers_of_git() {
    let world = World::new();
    let server = HttpServer::start(&world.remote());
    TrackRepository::open(config(&world, server.url("/tracks"))).unwrap();
    let url = server.url("/private");
    git(&world.copy(), &["remote", "set-url", "origin", &url]);
    // Neither the user's helpers nor the user are asked.
    let witness = world.folder.path().join("asked");
    git(&world.copy(), &["config", "--add", "credential.helper", ""]);
    let helper = format!("!f() {{ echo \"$1\" >> '{}'; }}; f", witness.display());
    git(&world.copy(), &["config", "--add", "credential.helper", &helper]);
    git(&world.copy(), &["config", "gitoxide.credentials.terminalPrompt", "false"]);
    git(&world.copy(), &["config", "core.askPass", "false"]);
    let (_, warnings) = TrackRepository::open(config(&world, url)).unwrap();
    assert!(matches!(&warnings[..], [Warning::FetchFailed { .. }]), "{warnings:?}");
    assert!(witness.exists(), "{warnings:?}");
    assert!(std::fs::read_to_string(witness).unwrap().starts_with("get"));
}
