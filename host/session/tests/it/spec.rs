//! The specification of a race as JSON.

use std::collections::BTreeSet;
use std::path::PathBuf;

use rally_cluster::{ClientOptions, ClusterHealth, TargetHost};
use rally_race::OnError;
use rally_results::Compat;
use rally_session::{
    BundleSpec, ClientShare, Credentials, ErrorKind, NamedTrack, RaceSpec, RepositorySpec, TargetSpec,
    TrackSpec, TrustLevel,
};
use serde_json::{Value, json};

const GOLDEN: &str = include_str!("golden/race_spec.json");

/// A specification in which nothing is as it is by default.
fn full() -> RaceSpec {
    let mut spec = RaceSpec::new(
        TrackSpec::Named(NamedTrack {
            name: "geonames".to_owned(),
            repository: RepositorySpec {
                name: Some("private".to_owned()),
                revision: Some("v8.1".to_owned()),
                distribution_version: Some("8.1.0".to_owned()),
            },
        }),
        1_735_689_600.25,
        u64::MAX,
    );
    spec.challenge = Some("append-no-conflicts".to_owned());
    spec.track_params = json!({"bulk_size": 500, "ratio": 0.1}).as_object().unwrap().clone();
    spec.ignore_unused_track_params = true;
    spec.include_tasks = vec!["type:bulk".to_owned(), "force-merge".to_owned()];
    spec.laps = 3;
    spec.on_error = OnError::ContinueOnNetwork;
    spec.compat = Some(Compat::Rally);
    spec.test_mode = true;
    spec.offline = true;
    spec.health = Some(ClusterHealth::Yellow);
    spec.target = TargetSpec::Hosts(vec![
        TargetHost { secure: Some(true), host: "es1".to_owned(), port: 9243, path: "/es".to_owned() },
        TargetHost { secure: None, host: "::1".to_owned(), port: 9200, path: String::new() },
    ]);
    spec.client_options = ClientOptions::read("timeout:90,verify_certs:false").unwrap();
    spec.extension_limits.memory = 512 << 20;
    spec.extension_limits.max_size = Some(1 << 20);
    spec.clients = ClientShare::Only(BTreeSet::from([0, 2]));
    spec.user_tags.insert("branch".to_owned(), "main".to_owned());
    spec
}

fn read(spec: &Value) -> Result<RaceSpec, String> {
    RaceSpec::from_json(&spec.to_string()).map_err(|error| rally_session::chain(&error))
}

#[test]
fn a_specification_is_written_as_in_the_golden_file() {
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    let written: Value = serde_json::from_str(&full().to_json().unwrap()).unwrap();
    assert_eq!(written, golden, "written: {written:#}");
}

#[test]
fn a_specification_is_read_as_it_was_written() {
    let bundle = RaceSpec::new(
        TrackSpec::Bundle(BundleSpec {
            file: PathBuf::from("/tmp/my.bundle"),
            trust: TrustLevel::Digest,
            trusted_keys: Vec::new(),
            digest: Some(rally_component::Digest::of(b"bundle")),
        }),
        0.1,
        7,
    );
    for spec in [full(), bundle, RaceSpec::new(TrackSpec::Folder(PathBuf::from("/tracks/own")), 1.5, 0)] {
        assert_eq!(RaceSpec::from_json(&spec.to_json().unwrap()).unwrap(), spec);
    }
}

#[test]
fn what_a_specification_leaves_out_is_as_by_default() {
    let short =
        json!({"version": 1, "track": {"folder": "/t"}, "now": 1.0, "seed": "42", "target": "embedded"});
    assert_eq!(read(&short).unwrap(), RaceSpec::new(TrackSpec::Folder(PathBuf::from("/t")), 1.0, 42));
}

#[test]
fn unknown_fields_are_refused_at_every_level() {
    for (pointer, field) in [
        ("", "lap"),
        ("/track/named", "branch"),
        ("/track/named/repository", "commit"),
        ("/extension-limits", "stack"),
        ("/target/hosts/0", "user"),
    ] {
        let mut spec: Value = serde_json::from_str(GOLDEN).unwrap();
        let place = spec.pointer_mut(pointer).and_then(Value::as_object_mut).unwrap();
        place.insert(field.to_owned(), json!(1));
        let error = read(&spec).expect_err(field);
        assert!(error.contains(&format!("unknown field `{field}`")), "{error}");
    }
}

#[test]
fn another_version_is_refused_by_its_number() {
    let mut spec: Value = serde_json::from_str(GOLDEN).unwrap();
    spec["version"] = json!(2);
    // A later version may have any fields.
    spec["load-driver-hosts"] = json!([]);
    let error = read(&spec).expect_err("refused");
    assert_eq!(error, "the race specification has version 2; this rally reads version 1");
    spec.as_object_mut().unwrap().remove("version");
    let error = read(&spec).expect_err("refused");
    assert!(error.contains("has no 'version'"), "{error}");
}

#[test]
fn passwords_and_keys_are_neither_in_the_specification_nor_shown() {
    for (options, secret) in [
        ("basic_auth_user:'me',basic_auth_password:'s3cret'", "s3cret"),
        ("api_key:'abc:k3y'", "k3y"),
        (r#"{"api_key": "abc:k3y", "timeout": 10}"#, "k3y"),
    ] {
        let mut spec = full();
        let credentials = spec.set_client_options(ClientOptions::read(options).unwrap()).unwrap();
        for shown in [spec.to_json().unwrap(), format!("{spec:?}"), format!("{credentials:?}")] {
            assert!(!shown.contains(secret), "{shown}");
        }
        let whole = ClientOptions::parse(options).unwrap();
        assert_eq!(spec.client_options(&credentials).unwrap(), whole, "{options}");
    }
}

#[test]
fn credentials_travel_apart_from_the_specification() {
    let mut spec = full();
    let options = ClientOptions::read("basic_auth_user:me,basic_auth_password:s3cret").unwrap();
    let credentials = spec.set_client_options(options).unwrap();
    let sent = (spec.to_json().unwrap(), serde_json::to_string(&credentials).unwrap());
    let arrived =
        (RaceSpec::from_json(&sent.0).unwrap(), serde_json::from_str::<Credentials>(&sent.1).unwrap());
    let options = arrived.0.client_options(&arrived.1).unwrap();
    assert_eq!(options.basic_auth, Some(("me".to_owned(), "s3cret".to_owned())));
}

/// Changes a valid specification, and gives what is then wrong with it.
fn refusal(change: impl FnOnce(&mut RaceSpec)) -> String {
    let mut spec = full();
    change(&mut spec);
    let error = spec.validate(&Credentials::default()).expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::User);
    error.message()
}

#[test]
fn a_specification_that_contradicts_itself_is_refused() {
    assert!(full().validate(&Credentials::default()).is_ok());
    for (expected, error) in [
        ("'laps': 0", refusal(|spec| spec.laps = 0)),
        ("'now': NaN", refusal(|spec| spec.now = f64::NAN)),
        ("'include-tasks' and 'exclude-tasks'", refusal(|spec| spec.exclude_tasks = vec!["a".to_owned()])),
        ("names no hosts", refusal(|spec| spec.target = TargetSpec::Hosts(Vec::new()))),
        ("no clients", refusal(|spec| spec.clients = ClientShare::Only(BTreeSet::new()))),
        ("version 9", refusal(|spec| spec.version = 9)),
        (
            "unknown option 'timeut'",
            refusal(|spec| drop(spec.client_options.insert("timeut".to_owned(), json!(1)))),
        ),
        (
            "needs basic_auth_password",
            refusal(|spec| drop(spec.client_options.insert("basic_auth_user".to_owned(), json!("me")))),
        ),
    ] {
        assert!(error.contains(expected), "{expected}: {error}");
    }
}

#[test]
fn a_specification_with_a_password_in_it_is_refused_without_showing_it() {
    let error = refusal(|spec| drop(spec.client_options.insert("api_key".to_owned(), json!("k3y"))));
    assert!(error.contains("'api_key'") && !error.contains("k3y"), "{error}");
}

#[test]
fn a_share_has_the_clients_that_it_names() {
    assert!(ClientShare::All.contains(7));
    let share = ClientShare::Only(BTreeSet::from([1, 3]));
    assert_eq!([0, 1, 2, 3].map(|client| share.contains(client)), [false, true, false, true]);
}
