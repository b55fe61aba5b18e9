//! Which bundles are refused at which level of trust, and why.

use std::fs;
use std::io::Cursor;

use crate::support::{component, open, packed, trusting};
use rally_bundle::{
    Bundle, Limits, LockedComponent, LockedFile, OpenError, OpenOptions, SecretKey, TrackLock, Trust,
};
use rally_component::{Digest, Version};
use tar::{Builder, EntryType, Header};

fn signed(bytes: &[u8]) -> (SecretKey, String) {
    let key = SecretKey::generate().expect("entropy");
    let signature = key.sign(&Digest::of(bytes)).to_text();
    (key, signature)
}

fn trust(signature: Option<&str>, keys: &[&SecretKey]) -> Trust {
    Trust::Signed {
        signature: signature.map(str::to_owned),
        keys: keys.iter().map(|key| key.public()).collect(),
    }
}

/// An archive with these headers and contents.
fn archive(entries: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (name, kind, content) in entries {
        let mut header = Header::new_gnu();
        // Written as it is: the library itself refuses names that lead elsewhere.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(*kind);
        header.set_size(content.len() as u64);
        header.set_mode(0o777);
        if kind.is_symlink() || kind.is_hard_link() {
            header.set_link_name("/etc/passwd").expect("a name");
        }
        header.set_cksum();
        builder.append(&header, *content).expect("appended");
    }
    builder.into_inner().expect("an archive")
}

#[test]
fn a_bundle_opens_at_each_level_and_tells_what_is_in_it() {
    let packed = packed();
    let bytes = packed.to_bytes();
    let (key, signature) = signed(&bytes);
    for trust in [trust(Some(&signature), &[&key]), Trust::Digest, Trust::Local] {
        let bundle = open(&bytes, trust).expect("opened");
        assert_eq!(bundle.digest(), Digest::of(&bytes));
        assert_eq!(bundle.lock(), Some(packed.lock()));
        assert_eq!(bundle.files().count(), 5);
        let components: Vec<_> = bundle.files().filter_map(|file| file.component.as_ref()).collect();
        assert_eq!(components.len(), 1);
        assert_eq!(components[0].digest, Digest::of(&component()));
    }
    assert_eq!(
        open(&bytes, trust(Some(&signature), &[&key])).expect("opened").signed_by(),
        Some(key.public().id())
    );
    assert_eq!(open(&bytes, Trust::Digest).expect("opened").signed_by(), None);
}

#[test]
fn every_changed_byte_is_refused() {
    let bytes = packed().to_bytes();
    let (key, signature) = signed(&bytes);
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(open(&changed, Trust::Digest).is_err(), "byte {at}");
        if at % 97 == 0 {
            let error = open(&changed, trust(Some(&signature), &[&key])).expect_err("changed");
            assert!(matches!(error, OpenError::BadSignature { .. }), "byte {at}: {error}");
        }
    }
}

#[test]
fn missing_and_added_bytes_are_refused() {
    let bytes = packed().to_bytes();
    for size in [0, 1, 511, 512, 600, 2000, bytes.len() - 1025, bytes.len() - 1] {
        assert!(open(&bytes[..size], Trust::Digest).is_err(), "{size}");
    }
    for more in [b"\0".as_slice(), &[0; 512], b"hello"] {
        let error = open(&[&bytes, more].concat(), Trust::Digest).expect_err("longer");
        assert!(
            matches!(error, OpenError::Changed { offset, .. } if offset == bytes.len() as u64),
            "{error}"
        );
    }
}

#[test]
fn a_bundle_that_is_not_signed_says_what_can_be_done() {
    let bytes = packed().to_bytes();
    let key = SecretKey::generate().expect("entropy");
    let error = open(&bytes, trust(None, &[&key])).expect_err("not signed");
    assert!(matches!(error, OpenError::NotSigned), "{error}");
    let text = error.to_string();
    assert!(text.contains("--trust digest --bundle-digest") && text.contains("--trust local"), "{text}");
}

#[test]
fn a_signature_by_a_key_that_is_not_trusted_is_refused() {
    let bytes = packed().to_bytes();
    let (key, signature) = signed(&bytes);
    let other = SecretKey::generate().expect("entropy");
    let error = open(&bytes, trust(Some(&signature), &[])).expect_err("no keys");
    assert!(matches!(error, OpenError::NoKeys { signer } if signer == key.public().id()), "{error}");
    let error = open(&bytes, trust(Some(&signature), &[&other])).expect_err("another key");
    assert!(matches!(error, OpenError::UnknownKey { .. }), "{error}");
    // Saying to be another key does not help.
    let forged = signature.replace(&key.public().id().to_string(), &other.public().id().to_string());
    let error = open(&bytes, trust(Some(&forged), &[&other])).expect_err("forged");
    assert!(matches!(error, OpenError::BadSignature { .. }), "{error}");
}

#[test]
fn a_signature_of_another_bundle_or_no_signature_at_all_is_refused() {
    let bytes = packed().to_bytes();
    let (key, signature) = signed(b"another bundle");
    let error = open(&bytes, trust(Some(&signature), &[&key])).expect_err("another bundle");
    assert!(matches!(error, OpenError::BadSignature { .. }), "{error}");
    let error = open(&bytes, trust(Some("nonsense"), &[&key])).expect_err("nonsense");
    assert!(matches!(error, OpenError::Signature(_)), "{error}");
}

#[test]
fn a_signature_does_not_excuse_an_archive_that_is_not_a_bundle() {
    let bytes = archive(&[("track.json", EntryType::Regular, b"{}")]);
    let (key, signature) = signed(&bytes);
    let error = open(&bytes, trust(Some(&signature), &[&key])).expect_err("no bundle");
    assert!(matches!(error, OpenError::NotABundle { .. }), "{error}");
}

#[test]
fn a_pinned_digest_holds_at_each_level() {
    let bytes = packed().to_bytes();
    for trust in [Trust::Digest, Trust::Local] {
        let pinned = |digest| OpenOptions { digest: Some(digest), ..trusting(trust.clone()) };
        assert!(Bundle::open(bytes.clone(), &pinned(Digest::of(&bytes))).is_ok());
        let error = Bundle::open(bytes.clone(), &pinned(Digest::of(b"other"))).expect_err("another");
        assert!(matches!(error, OpenError::OtherDigest { .. }), "{error}");
    }
}

#[test]
fn an_archive_of_ones_own_opens_locally_and_nowhere_else() {
    let bytes = archive(&[
        ("./", EntryType::Directory, b""),
        ("./track.json", EntryType::Regular, b"{}"),
        ("parts/", EntryType::Directory, b""),
        ("parts/a.json", EntryType::Regular, b"[]"),
    ]);
    let bundle = open(&bytes, Trust::Local).expect("opened");
    let names: Vec<&str> = bundle.files().map(|file| file.path.as_str()).collect();
    assert_eq!(names, ["parts/a.json", "track.json"]);
    assert!(matches!(open(&bytes, Trust::Digest), Err(OpenError::NotABundle { .. })));
}

#[test]
fn a_lock_in_an_archive_of_ones_own_has_to_hold() {
    let lock = packed().lock().to_text();
    let with = |entries: &[(&str, EntryType, &[u8])]| {
        let mut all = vec![("track.lock", EntryType::Regular, lock.as_bytes())];
        all.extend(entries);
        open(&archive(&all), Trust::Local)
    };
    let component = component();
    let complete: Vec<(&str, EntryType, &[u8])> = vec![
        ("track.json", EntryType::Regular, b"{\"short-description\": \"x\"}"),
        ("my-track.wasm", EntryType::Regular, &component),
        ("parts/operations.json", EntryType::Regular, b"[]"),
        ("documents.json", EntryType::Regular, b"{\"a\": 1}\n"),
        ("queries.txt", EntryType::Regular, b""),
    ];
    assert!(with(&complete).is_ok());
    let mut changed = complete.clone();
    changed[0].2 = b"{\"short-description\": \"y\"}";
    assert!(matches!(with(&changed), Err(OpenError::FileChanged { .. })));
    assert!(matches!(with(&complete[1..]), Err(OpenError::FileMissing { .. })));
    let mut more = complete.clone();
    more.push(("zebra.txt", EntryType::Regular, b""));
    assert!(matches!(with(&more), Err(OpenError::FileExtra { .. })));
}

#[test]
fn what_is_no_file_or_leads_elsewhere_is_refused_even_locally() {
    let refused = |name: &str, kind| open(&archive(&[(name, kind, b"")]), Trust::Local).expect_err("refused");
    for kind in [EntryType::Symlink, EntryType::Link, EntryType::Char, EntryType::Fifo, EntryType::Block] {
        assert!(matches!(refused("x", kind), OpenError::NotAFile { .. }), "{kind:?}");
    }
    for name in ["/etc/passwd", "../x", "a/../../x", "a\\b", "a//b", "./../x"] {
        assert!(matches!(refused(name, EntryType::Regular), OpenError::Path(_)), "{name}");
    }
    assert!(matches!(refused("../x/", EntryType::Directory), OpenError::Path(_)));
}

#[test]
fn a_name_that_is_there_twice_is_refused_even_locally() {
    let twice = |one, other| {
        open(&archive(&[(one, EntryType::Regular, b"1"), (other, EntryType::Regular, b"2")]), Trust::Local)
    };
    assert!(matches!(twice("a", "./a"), Err(OpenError::Clash { .. })));
    assert!(matches!(twice("a", "a/b"), Err(OpenError::Clash { .. })));
}

#[test]
fn compressed_and_other_files_are_no_bundles() {
    for bytes in [b"\x1f\x8b\x08\0".as_slice(), b"{}", &[7; 4096], &[0; 4096]] {
        assert!(matches!(open(bytes, Trust::Digest), Err(OpenError::NotABundle { .. })));
    }
    assert!(open(&[7; 4096], Trust::Local).is_err());
}

#[test]
fn a_lock_that_does_not_tell_the_truth_about_a_component_is_refused() {
    let component = component();
    let file = |asks| {
        let imports: &[&str] = asks;
        LockedFile {
            path: "my-track.wasm".parse().expect("a name"),
            size: component.len() as u64,
            sha256: Digest::of(&component),
            component: Some(LockedComponent {
                wit_version: Version::new(0, 1, 0),
                imports: imports.iter().map(|import| (*import).to_owned()).collect(),
            }),
        }
    };
    let with = |file: LockedFile| {
        let lock = TrackLock::new("my-track".parse().expect("a name"), vec![file]).expect("a lock");
        let lock = lock.to_text();
        let entries = [
            ("track.lock", EntryType::Regular, lock.as_bytes()),
            ("my-track.wasm", EntryType::Regular, component.as_slice()),
        ];
        open(&archive(&entries), Trust::Local)
    };
    assert!(with(file(&["client", "log"])).is_ok());
    let error = with(file(&["log"])).expect_err("a lie");
    assert!(matches!(error, OpenError::Lie { .. }), "{error}");
    assert!(error.to_string().contains("imports client, log"), "{error}");
    assert!(matches!(with(LockedFile { component: None, ..file(&[]) }), Err(OpenError::Lie { .. })));
}

#[test]
fn too_much_is_refused() {
    let bytes = packed().to_bytes();
    let limited = |limits| OpenOptions { limits, ..trusting(Trust::Digest) };
    let refused = |limits| Bundle::open(bytes.clone(), &limited(limits)).expect_err("too much");
    assert!(matches!(refused(Limits { size: 1000, ..Limits::default() }), OpenError::TooLarge { .. }));
    assert!(matches!(refused(Limits { lock: 100, ..Limits::default() }), OpenError::LockTooLarge { .. }));
    assert!(matches!(refused(Limits { files: 4, ..Limits::default() }), OpenError::TooManyFiles { .. }));
    let local = OpenOptions { limits: Limits { files: 4, ..Limits::default() }, ..trusting(Trust::Local) };
    assert!(matches!(Bundle::open(bytes.clone(), &local), Err(OpenError::TooManyFiles { .. })));
}

#[test]
fn an_unpacked_bundle_is_the_track_again() {
    let place = tempfile::tempdir().expect("temporary folder");
    let packed = packed();
    let bundle = open(&packed.to_bytes(), Trust::Digest).expect("opened");
    let name = packed.lock().track();
    let folder = bundle.unpack(place.path(), name).expect("unpacked");
    assert_eq!(folder, place.path().join("my-track"));
    let again = rally_bundle::pack(&folder, &crate::support::options()).expect("packed");
    assert_eq!(again.to_bytes(), packed.to_bytes());
    assert_eq!(again.left_out(), []);
}

#[test]
fn a_failed_unpacking_leaves_nothing_behind() {
    let place = tempfile::tempdir().expect("temporary folder");
    let bundle = open(&packed().to_bytes(), Trust::Digest).expect("opened");
    let name = "my-track".parse().expect("a name");
    fs::write(place.path().join("my-track"), b"mine").expect("written");
    bundle.unpack(place.path(), &name).expect_err("there already");
    let names: Vec<_> =
        fs::read_dir(place.path()).expect("listing").map(|entry| entry.expect("entry").file_name()).collect();
    assert_eq!(names, ["my-track"]);
    assert_eq!(fs::read(place.path().join("my-track")).expect("read"), b"mine");
}

#[test]
fn archives_of_common_tools_with_long_names_open_locally() {
    let mut builder = Builder::new(Cursor::new(Vec::new()));
    let long = format!("{}/{}.json", "d".repeat(80), "f".repeat(80));
    for name in ["track.json", &long] {
        let mut header = Header::new_gnu();
        header.set_size(2);
        header.set_mode(0o600);
        builder.append_data(&mut header, name, b"{}".as_slice()).expect("appended");
    }
    let bytes = builder.into_inner().expect("an archive").into_inner();
    let bundle = open(&bytes, Trust::Local).expect("opened");
    assert!(bundle.files().any(|file| file.path.as_str() == long));
}
