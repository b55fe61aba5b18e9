//! What goes into a bundle, and what it looks like.

use std::fs;
use std::io::ErrorKind;
use std::time::{Duration, SystemTime};

use crate::support::{options, packed, track, write};
use rally_bundle::{Limits, PackError, PackOptions, pack};
use rally_component::Digest;

#[test]
fn files_parts_components_and_assets_are_packed_and_sources_are_not() {
    let packed = packed();
    let names: Vec<&str> = packed.lock().files().iter().map(|file| file.path.as_str()).collect();
    assert_eq!(
        names,
        ["documents.json", "my-track.wasm", "parts/operations.json", "queries.txt", "track.json"]
    );
    let left_out: Vec<(&str, &str)> =
        packed.left_out().iter().map(|left| (left.name.as_str(), left.reason)).collect();
    assert_eq!(
        left_out,
        [
            (".git/", "hidden"),
            ("_source/", "sources"),
            ("far.json", "fetched from its URL"),
            ("far.json.bz2", "fetched from its URL"),
            ("my-track.wasm.lock", "part of the sources"),
            ("track.json~", "left behind by an editor"),
        ]
    );
}

#[test]
fn the_lock_says_what_components_ask_for() {
    let packed = packed();
    let files = packed.lock().files();
    let component = files.iter().find_map(|file| file.component.as_ref()).expect("a component");
    assert_eq!(component.wit_version.to_string(), "0.1.0");
    assert_eq!(component.imports, ["client", "log"]);
    assert_eq!(files.iter().filter(|file| file.component.is_some()).count(), 1);
}

#[test]
fn the_same_files_give_the_same_bytes_whatever_their_times_modes_and_order() {
    let once = packed();
    let folder = track();
    let mut names = vec!["track.json", "queries.txt", "documents.json", "parts/operations.json"];
    for name in names.drain(..) {
        let path = folder.path().join(name);
        let content = fs::read(&path).expect("read");
        fs::remove_file(&path).expect("removed");
        fs::write(&path, content).expect("written");
        let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        fs::File::options().write(true).open(&path).expect("open").set_modified(long_ago).expect("set");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::Permissions::from_mode(0o700);
        fs::set_permissions(folder.path().join("queries.txt"), mode).expect("set");
    }
    let again = pack(folder.path(), &options()).expect("packed");
    assert_eq!(once.to_bytes(), again.to_bytes());
    let mut written = Vec::new();
    let digest = again.write_to(&mut written).expect("written");
    assert_eq!(written, again.to_bytes());
    assert_eq!(digest, Digest::of(&written));
    assert_eq!(again.size(), written.len() as u64);
}

#[test]
fn the_bytes_of_a_bundle_stay_the_same_from_version_to_version() {
    let folder = tempfile::tempdir().expect("temporary folder");
    write(folder.path(), "track.json", b"{}");
    write(folder.path(), "parts/a.json", b"[]");
    let packed = pack(folder.path(), &options()).expect("packed");
    assert_eq!(packed.size(), 512 + 512 + 512 + 512 + 512 + 512 + 1024);
    assert_eq!(
        Digest::of(&packed.to_bytes()).to_string(),
        "5b0c5ce3ba058e67021d337bceb04633b8ac1491e981e55222eb80620908a950"
    );
}

#[test]
fn any_tool_for_archives_can_list_a_bundle() {
    let bytes = packed().to_bytes();
    let mut archive = tar::Archive::new(bytes.as_slice());
    let names: Vec<String> = archive
        .entries()
        .expect("entries")
        .map(|entry| entry.expect("an entry").path().expect("a path").display().to_string())
        .collect();
    assert_eq!(names.first().map(String::as_str), Some("track.lock"));
    assert_eq!(names.len(), 6);
}

#[test]
fn a_folder_without_a_track_is_refused() {
    let folder = tempfile::tempdir().expect("temporary folder");
    assert!(matches!(pack(folder.path(), &options()), Err(PackError::NoTrack { .. })));
}

#[cfg(unix)]
#[test]
fn links_are_refused_wherever_they_lead() {
    for target in ["/etc/passwd", "track.json", "nowhere", "../x"] {
        let folder = track();
        std::os::unix::fs::symlink(target, folder.path().join("link.txt")).expect("linked");
        let error = pack(folder.path(), &options()).expect_err("a link");
        assert!(matches!(&error, PackError::Link { path } if path.ends_with("link.txt")), "{error}");
    }
    let folder = track();
    std::os::unix::fs::symlink("parts", folder.path().join("more")).expect("linked");
    assert!(matches!(pack(folder.path(), &options()), Err(PackError::Link { .. })));
}

#[cfg(unix)]
#[test]
fn a_link_to_what_is_left_out_anyway_does_no_harm() {
    let folder = track();
    std::os::unix::fs::symlink("/tmp", folder.path().join(".cache")).expect("linked");
    fs::remove_file(folder.path().join("far.json")).expect("removed");
    std::os::unix::fs::symlink("/data/far.json", folder.path().join("far.json")).expect("linked");
    assert_eq!(pack(folder.path(), &options()).expect("packed").to_bytes(), packed().to_bytes());
}

#[test]
fn a_component_that_would_not_run_is_refused_with_its_reason() {
    let folder = track();
    write(folder.path(), "other.wasm", b"\0asm\x01\0\0\0");
    let error = pack(folder.path(), &options()).expect_err("a core module");
    assert!(matches!(&error, PackError::Component { path, .. } if path.ends_with("other.wasm")), "{error}");
}

#[test]
fn components_in_folders_are_looked_into_as_well() {
    let folder = track();
    write(folder.path(), "more/other.wasm", b"anything");
    let error = pack(folder.path(), &options()).expect_err("no component");
    assert!(
        matches!(&error, PackError::Component { path, .. } if path.ends_with("more/other.wasm")),
        "{error}"
    );
}

#[cfg(unix)]
#[test]
fn names_that_mean_something_else_elsewhere_are_refused() {
    for name in ["a\\b.txt", "c:x.txt", "a\nb.txt"] {
        let folder = track();
        write(folder.path(), name, b"x");
        assert!(matches!(pack(folder.path(), &options()), Err(PackError::Name { .. })), "{name:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_that_is_no_text_is_refused() {
    use std::os::unix::ffi::OsStrExt;
    let folder = track();
    let name = std::ffi::OsStr::from_bytes(b"a\xff.txt");
    match fs::write(folder.path().join(name), b"x") {
        Ok(()) => assert!(matches!(pack(folder.path(), &options()), Err(PackError::NotUnicode { .. }))),
        // Some file systems do not take such a name either.
        Err(error) => assert_eq!(error.kind(), ErrorKind::InvalidInput),
    }
}

#[test]
fn long_names_are_packed_up_to_what_an_archive_holds() {
    let folder = track();
    let deep = format!("{}/{}.txt", "d".repeat(90), "f".repeat(90));
    write(folder.path(), &deep, b"x");
    let packed = pack(folder.path(), &options()).expect("packed");
    assert!(packed.lock().files().iter().any(|file| file.path.as_str() == deep));
    write(folder.path(), &format!("{}/{}/{}", "d".repeat(90), "e".repeat(90), "f".repeat(90)), b"x");
    assert!(matches!(pack(folder.path(), &options()), Err(PackError::Name { .. })));
}

#[test]
fn too_much_is_refused_and_says_how_much_is_allowed() {
    let limited = |limits| PackOptions { limits, ..options() };
    let folder = track();
    let few = limited(Limits { files: 4, ..Limits::default() });
    assert!(matches!(pack(folder.path(), &few), Err(PackError::TooManyFiles { limit: 4 })));
    let small = limited(Limits { size: 100, ..Limits::default() });
    let error = pack(folder.path(), &small).expect_err("too large");
    assert!(
        matches!(error, PackError::TooLarge { limit: 100, .. }) && error.to_string().contains("data-url"),
        "{error}"
    );
    let nearly = limited(Limits { size: packed().size() - 1, ..Limits::default() });
    assert!(matches!(pack(folder.path(), &nearly), Err(PackError::TooLarge { .. })));
    assert!(pack(folder.path(), &limited(Limits { size: packed().size(), ..Limits::default() })).is_ok());
}
