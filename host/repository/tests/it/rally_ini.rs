//! Reading `rally.ini`.

use std::path::Path;

use rally_repository::{ConfigErrorKind, DEFAULT_TRACKS_URL, RallyConfig};
use tempfile::TempDir;

/// A folder with the file.
fn ini(text: impl AsRef<[u8]>) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("rally.ini"), text).unwrap();
    folder
}

fn load(folder: &TempDir) -> RallyConfig {
    RallyConfig::load(folder.path(), None).unwrap()
}

/// What is said of a file, without its folder.
fn refused(text: impl AsRef<[u8]>) -> String {
    let folder = ini(text);
    let error = RallyConfig::load(folder.path(), None).unwrap_err();
    error.to_string().replace(&format!("{}/", folder.path().display()), "")
}

/// As Rally writes it.
const GENUINE: &str = "[meta]\nconfig.version = 17\n\n[system]\nenv.name = nightly\n\n[node]\nroot.dir = ${CONFIG_DIR}/benchmarks\n\
src.root.dir = ${CONFIG_DIR}/benchmarks/src\n\n[benchmarks]\nlocal.dataset.cache = ${CONFIG_DIR}/data\n\n[reporting]\n\
datastore.type = in-memory\ndatastore.host =\ndatastore.password =\n\n[tracks]\ndefault.url = https://github.com/elastic/rally-tracks\n\
private.url = git@example.org:tracks.git\n\n[teams]\ndefault.url = https://github.com/elastic/rally-teams\n\n[defaults]\n\
preserve_benchmark_candidate = false\n\n[distributions]\nrelease.cache = true\n\n[of.mine]\nx = y\n";

#[test]
fn without_a_file_there_is_what_rally_would_write() {
    let folder = tempfile::tempdir().unwrap();
    let config = load(&folder);
    assert_eq!(config.tracks_url("default").unwrap().as_deref(), Some(DEFAULT_TRACKS_URL));
    assert_eq!(config.tracks_url("private").unwrap(), None);
    assert_eq!(config.track_repositories(), ["default"]);
    assert_eq!(config.root_folder().unwrap(), folder.path().join("benchmarks"));
    assert_eq!(config.dataset_cache().unwrap(), folder.path().join("benchmarks/data"));
    assert_eq!(config.environment_name().unwrap(), "local");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn the_file_of_a_rally_user_is_read() {
    let folder = ini(GENUINE);
    let config = load(&folder);
    assert_eq!(config.tracks_url("private").unwrap().as_deref(), Some("git@example.org:tracks.git"));
    assert_eq!(config.track_repositories(), ["default", "private"]);
    assert_eq!(config.root_folder().unwrap(), folder.path().join("benchmarks"));
    assert_eq!(config.tracks_folder().unwrap(), folder.path().join("benchmarks/tracks"));
    assert_eq!(config.dataset_cache().unwrap(), folder.path().join("data"));
    assert_eq!(config.environment_name().unwrap(), "nightly");
    assert_eq!(config.value("reporting", "datastore.host").unwrap(), None);
    assert_eq!(config.value("of.mine", "x").unwrap().as_deref(), Some("y"));
    assert!(config.sections().contains(&"of.mine"));
}

#[test]
fn a_repository_is_configured_by_its_name() {
    let folder = ini(GENUINE);
    let repository = load(&folder).track_repository("private").unwrap();
    assert_eq!(repository.directory, folder.path().join("benchmarks/tracks/private"));
    assert_eq!(repository.url.as_deref(), Some("git@example.org:tracks.git"));
    assert!(load(&folder).track_repository("../x").is_err());
}

#[test]
fn a_file_without_the_default_repository_has_none() {
    assert_eq!(load(&ini("[tracks]\nmine.url = /srv/tracks\n")).tracks_url("default").unwrap(), None);
}

#[test]
fn another_configuration_has_another_file() {
    let folder = ini("[system]\nenv.name = one\n");
    std::fs::write(folder.path().join("rally-other.ini"), "[system]\nenv.name = two\n").unwrap();
    let other = RallyConfig::load(folder.path(), Some("other")).unwrap();
    assert_eq!(other.environment_name().unwrap(), "two");
}

#[test]
fn the_rules_are_those_of_pythons_configparser() {
    let text = "\u{feff}; comment\r\n[DEFAULT]\r\nbase = /srv\r\n[Tracks]\r\n# comment\r\nMy.URL : %(base)s/a%%20b ; c\r\n\
                long.url = one\r\n    two\r\n[empty]\r\n";
    let config = load(&ini(text));
    let value = |section, key| config.value(section, key).unwrap();
    assert_eq!(value("tracks", "My.url").as_deref(), Some("/srv/a%20b ; c"));
    assert_eq!(value("tracks", "base").as_deref(), Some("/srv"));
    assert_eq!(value("tracks", "long.url").map(|text| text.replace('\r', "")).as_deref(), Some("one\ntwo"));
    assert_eq!(config.sections(), ["tracks", "empty"]);
}

#[test]
fn dollars_are_doubled() {
    let folder = ini("[reporting]\na = pa$$word\nb = $CONFIG_DIR/x\nc = ends with $\nd = 100%\n");
    let config = load(&folder);
    let value = |key| config.value("reporting", key).unwrap().unwrap();
    assert_eq!(
        (value("a").as_str(), value("c").as_str(), value("d").as_str()),
        ("pa$word", "ends with $", "100%")
    );
    assert_eq!(Path::new(&value("b")), folder.path().join("x"));
}

#[test]
fn a_line_that_cannot_be_understood_is_named() {
    assert!(
        refused("[tracks]\ndefault.url = x\nnonsense\n").starts_with("rally.ini:3: [nonsense] has no value")
    );
    assert!(refused("a = b\n[tracks]\n").starts_with("rally.ini:1: [a = b] stands before the first section"));
    assert!(refused("[tracks]\n\n= x\n").starts_with("rally.ini:3: "));
    assert!(refused("[tracks]\nx = y\n[teams\n").starts_with("rally.ini:3: "));
}

#[test]
fn a_file_that_is_no_text_is_refused() {
    assert_eq!(refused(b"[tracks]\nx = \xff\n"), "rally.ini: the file is not valid UTF-8");
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("rally.ini")).unwrap();
    let error = RallyConfig::load(folder.path(), None).unwrap_err();
    assert!(matches!(*error.kind, ConfigErrorKind::Unreadable(_)));
}

#[test]
fn a_value_that_refers_to_nothing_is_an_error_only_where_it_is_used() {
    let config =
        load(&ini("[tracks]\nmine.url = x\n[node]\nroot.dir = ${HOME}/x\n[a]\nb = %(c)s\nd = %(d)s\n"));
    assert_eq!(config.tracks_url("mine").unwrap().as_deref(), Some("x"));
    let text = config.root_folder().unwrap_err().to_string();
    assert!(
        text.contains("rally.ini:4: ") && text.contains("'HOME'") && text.contains("${CONFIG_DIR}"),
        "{text}"
    );
    let text = config.value("a", "b").unwrap_err().to_string();
    assert!(text.contains("rally.ini:6: ") && text.contains("refers to 'c'"), "{text}");
    assert!(config.value("a", "d").unwrap_err().to_string().contains("refers to itself"));
}

#[test]
fn a_tilde_is_the_home_folder() {
    let home = std::path::PathBuf::from(std::env::var_os("HOME").unwrap());
    assert_eq!(load(&ini("[node]\nroot.dir = ~/rally\n")).root_folder().unwrap(), home.join("rally"));
    let url = load(&ini("[tracks]\nown.url = ~/tracks\n")).tracks_url("own").unwrap();
    assert_eq!(url.as_deref(), home.join("tracks").to_str());
}

#[test]
fn the_home_of_another_user_is_not_expanded_silently() {
    let text = load(&ini("[node]\nroot.dir = ~other/rally\n")).root_folder().unwrap_err().to_string();
    assert!(text.contains("rally.ini:2: ") && text.contains("home folder of another user"), "{text}");
}
