//! The phases of a session, and what comes before what.

use std::net::TcpListener;
use std::path::PathBuf;

use rally_cluster::{ClusterHealth, parse_target_hosts};
use rally_race::{BoundRace, LocalDriver};
use rally_session::{
    BundleSpec, ClientShare, ErrorKind, NamedTrack, NodeProgram, RaceSpec, RecordedRace, SessionError,
    TargetSpec, TrackSpec, TrustLevel, bind, prepare, provider, race, record,
};

use crate::support::{Place, status};

/// What is wrong with a race, found while it is prepared.
fn refused(place: &Place, spec: RaceSpec) -> SessionError {
    place.session(|session| prepare(session, spec, place.target()).map(drop)).expect_err("refused")
}

fn raced(place: &Place, spec: RaceSpec) -> RecordedRace {
    place.session(|session| {
        let ready = bind(session, prepare(session, spec, place.target()).unwrap()).unwrap();
        record(race(session, ready, &mut LocalDriver::default()).unwrap())
    })
}

fn node_program() -> NodeProgram {
    NodeProgram { path: PathBuf::from("not-started"), version: "7.10.2".to_owned() }
}

#[test]
fn nothing_is_asked_for_a_specification_that_contradicts_itself() {
    let place = Place::new();
    let error = refused(&place, RaceSpec { laps: 0, ..place.spec() });
    assert_eq!(error.kind(), ErrorKind::User);
    assert_eq!(place.log.lines(), Vec::<String>::new());
}

#[test]
fn the_target_is_only_asked_what_it_is_for_a_track_that_cannot_be_raced() {
    for (expected, change) in [
        (
            "no-such-challenge",
            (|spec| spec.challenge = Some("no-such-challenge".to_owned())) as fn(&mut RaceSpec),
        ),
        ("no-such-track", |spec| spec.track = TrackSpec::Folder(PathBuf::from("/no-such-track"))),
        ("bulk_sise", |spec| drop(spec.track_params.insert("bulk_sise".to_owned(), 5.into()))),
        ("unknown track 'tutorail'", |spec| {
            spec.track =
                TrackSpec::Named(NamedTrack { name: "tutorail".to_owned(), ..NamedTrack::default() });
        }),
        ("no-such.bundle", |spec| {
            spec.track = TrackSpec::Bundle(BundleSpec {
                file: PathBuf::from("/no-such.bundle"),
                trust: TrustLevel::Local,
                trusted_keys: Vec::new(),
                digest: None,
            });
        }),
    ] {
        let place = Place::new();
        let mut spec = place.spec();
        change(&mut spec);
        let error = refused(&place, spec);
        assert_eq!(error.kind(), ErrorKind::User, "{expected}");
        assert!(error.message().contains(expected), "{expected}: {}", error.message());
        assert_eq!(place.log.lines(), ["identify"], "{expected}");
    }
}

#[test]
fn the_target_is_not_started_where_data_are_missing() {
    let place = Place::new();
    let spec = place.spec();
    std::fs::remove_file(place.folder.path().join("places").join("documents.json")).unwrap();
    let error = refused(&place, spec);
    assert_eq!(error.kind(), ErrorKind::User);
    assert!(error.message().contains("documents.json"), "{}", error.message());
    assert_eq!(place.log.lines(), ["identify"]);
}

#[test]
fn a_session_that_is_cancelled_while_data_are_made_ready_is_interrupted() {
    let place = Place::new();
    let spec = place.spec();
    place.cancel.cancel();
    assert_eq!(refused(&place, spec).kind(), ErrorKind::Interrupted);
    assert_eq!(place.log.lines(), ["identify"]);
}

#[test]
fn the_target_starts_once_data_are_there_and_stops_before_the_record_is_written() {
    let place = Place::new();
    let recorded = raced(&place, place.spec());
    assert!(recorded.end.is_ok() && recorded.kept.is_ok());
    assert_eq!(
        place.log.lines(),
        [
            "identify",
            "data of documents.json",
            "start",
            "race",
            "create-index",
            "index",
            "over",
            "stop (running)"
        ]
    );
    assert_eq!(status(&place.home().races()), "complete");
}

#[test]
fn the_record_says_what_was_asked_for_and_what_was_found() {
    let place = Place::new();
    let mut spec = place.spec();
    spec.user_tags.insert("branch".to_owned(), "main".to_owned());
    spec.exclude_tasks = vec!["type:force-merge".to_owned(), "tag:slow".to_owned()];
    let record = raced(&place, spec).record;
    assert_eq!((record.track.as_str(), record.challenge.as_deref()), ("places", Some("only")));
    assert_eq!((record.pipeline.as_str(), record.seed.as_deref()), ("logged", Some("42")));
    assert_eq!(record.user_tags["branch"], "main");
    assert_eq!(record.options["exclude-tasks"], "type:force-merge,tag:slow");
    assert_eq!(record.options["on-error"], "abort-on-preparation");
    assert_eq!(record.options["cluster-health"], "yellow");
    assert!(record.track_digests.contains_key("track.json"));
}

#[test]
fn hosts_where_no_server_listens_are_a_failure() {
    let place = Place::new();
    let mut spec = place.spec();
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    spec.target = TargetSpec::Hosts(parse_target_hosts(&address.to_string()).unwrap());
    let target = provider(&spec.target, &node_program());
    assert_eq!(target.pipeline(), "benchmark-only");
    assert_eq!(target.default_health(), ClusterHealth::Green);
    let error = place.session(|session| prepare(session, spec, target).map(drop)).expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Failure);
    assert!(error.message().contains(&address.to_string()), "{}", error.message());
}

#[test]
fn an_embedded_node_that_cannot_be_started_is_a_failure_that_comes_after_the_data() {
    let place = Place::new();
    let spec = place.spec();
    let target = provider(&spec.target, &node_program());
    assert_eq!(target.pipeline(), "embedded");
    let error = place
        .session(|session| bind(session, prepare(session, spec, target).unwrap()).map(drop))
        .expect_err("no such program");
    assert_eq!(error.kind(), ErrorKind::Failure);
    assert!(error.message().contains("cannot start the embedded node"), "{}", error.message());
    assert_eq!(place.log.lines(), ["data of documents.json"]);
}

/// What a driver does, as far as a plan says.
fn plan(race: &BoundRace) -> String {
    format!("{:?}", race.plan)
}

#[test]
fn a_driver_comes_to_the_same_plan_from_its_specification_alone() {
    let place = Place::new();
    let spec = place.spec();
    place.session(|session| {
        let ready = bind(session, prepare(session, spec, place.target()).unwrap()).unwrap();
        let share = ClientShare::Only([1].into());
        let sent = ready.driver_spec(share.clone()).to_json().unwrap();

        let driver = RaceSpec::from_json(&sent).unwrap();
        assert_eq!(driver.clients, share);
        assert_eq!(driver.target, TargetSpec::Hosts(ready.hosts().to_vec()));
        assert_eq!(driver.health, Some(ClusterHealth::Yellow));
        let target = provider(&driver.target, &node_program());
        let there = bind(session, prepare(session, driver, target).unwrap()).unwrap();
        assert_eq!(plan(there.race()), plan(ready.race()));
    });
}
