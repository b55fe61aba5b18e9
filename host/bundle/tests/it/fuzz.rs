//! Whatever a bundle or lock holds, opening it ends with an error or a track in its folder, and nothing outside.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use crate::support::{open, packed};
use proptest::prelude::*;
use rally_bundle::{Bundle, BundlePath, TrackLock, Trust};

static BUNDLE: LazyLock<Vec<u8>> = LazyLock::new(|| packed().to_bytes());
static LOCK: LazyLock<String> = LazyLock::new(|| packed().lock().to_text());

/// Names of all files below a folder.
fn files(folder: &Path, prefix: &str, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("listing") {
        let entry = entry.expect("entry");
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type().expect("kind");
        assert!(!kind.is_symlink(), "{name}");
        if kind.is_dir() {
            files(&entry.path(), &format!("{name}/"), names);
        } else {
            names.insert(name);
        }
    }
}

/// Unpacks and holds the folder to what the bundle says.
fn unpack(bundle: &Bundle) {
    let place = tempfile::tempdir().expect("temporary folder");
    let parent = place.path().join("in");
    let unpacked = bundle.unpack(&parent, &"my-track".parse().expect("a name"));
    let mut names = BTreeSet::new();
    files(place.path(), "", &mut names);
    match unpacked {
        Ok(_) => {
            let expected: BTreeSet<String> =
                bundle.files().map(|file| format!("in/my-track/{}", file.path)).collect();
            assert_eq!(names, expected);
        }
        Err(_) => assert_eq!(names, BTreeSet::new(), "nothing is left behind"),
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_no_bundle(bytes in prop::collection::vec(any::<u8>(), 0..4096)) {
        prop_assert!(open(&bytes, Trust::Digest).is_err());
        let _ = open(&bytes, Trust::Local);
    }

    #[test]
    fn arbitrary_bytes_are_no_lock(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        prop_assert!(TrackLock::parse(&bytes).is_err());
    }

    #[test]
    fn arbitrary_sealed_text_never_panics(text in "(version = 1\n)?(track|name|path|size|=|\"|\\[|\\]|\\{|\\}|\n|[a-z0-9. ]|\\PC){0,200}") {
        let digest = rally_component::Digest::of(text.as_bytes());
        let sealed = format!("{text}[digest]\nsha256 = \"{digest}\"\n");
        let _ = TrackLock::parse(sealed.as_bytes());
    }

    #[test]
    fn a_changed_lock_with_a_new_seal_is_read_in_one_way_or_refused(
        at in any::<prop::sample::Index>(),
        with in prop_oneof![
            "\\PC{0,3}".boxed(),
            prop::sample::select(vec!["..", "/", "\\", "\"", "\n", "path = \"x\"\n", "= 99999999999999999999", "[[file]]\n"]).prop_map(str::to_owned).boxed(),
        ],
        removed in 0_usize..8,
    ) {
        let content = &LOCK[..LOCK.rfind("[digest]").expect("a seal")];
        let begin = at.index(content.len());
        let end = (begin + removed).min(content.len());
        let text = format!("{}{with}{}", &content[..begin], &content[end..]);
        let digest = rally_component::Digest::of(text.as_bytes());
        let sealed = format!("{text}[digest]\nsha256 = \"{digest}\"\n");
        match TrackLock::parse(sealed.as_bytes()) {
            Ok(lock) => prop_assert_eq!(lock.to_text(), sealed),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }

    #[test]
    fn changed_bundles_are_refused_and_changed_archives_stay_in_their_folder(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in prop::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        let mut bytes = BUNDLE.clone();
        for (at, byte) in &changes {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        prop_assert_eq!(open(&bytes, Trust::Digest).is_ok(), bytes == *BUNDLE);
        if let Ok(bundle) = open(&bytes, Trust::Local) {
            unpack(&bundle);
        }
    }

    #[test]
    fn archives_with_changed_headers_stay_in_their_folder(
        entries in prop::collection::vec(("[a-c./\\\\]{0,6}", prop::sample::select(b"01234567LKxgS\0".as_slice()), 0_usize..700), 1..6),
    ) {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, kind, size) in &entries {
            let mut header = tar::Header::new_gnu();
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_entry_type(tar::EntryType::new(*kind));
            header.set_size(*size as u64);
            header.set_mode(0o644);
            header.set_cksum();
            // What extends the next header says another name and size.
            let record = b"15 path=../a/b\n12 size=900\n";
            let content: Vec<u8> = if b"xg".contains(kind) {
                record.iter().copied().cycle().take(*size).collect()
            } else {
                vec![b'x'; *size]
            };
            builder.append(&header, content.as_slice()).expect("appended");
        }
        let bytes = builder.into_inner().expect("an archive");
        prop_assert!(open(&bytes, Trust::Digest).is_err());
        if let Ok(bundle) = open(&bytes, Trust::Local) {
            unpack(&bundle);
        }
    }

    #[test]
    fn a_name_that_is_accepted_stays_below_its_folder(text in "[a-z./\\\\:~ \0\n-]{0,12}") {
        if let Ok(path) = text.parse::<BundlePath>() {
            let below = path.below(Path::new("/base"));
            prop_assert!(below.starts_with("/base"));
            prop_assert!(below.components().all(|part| !matches!(part, std::path::Component::ParentDir | std::path::Component::CurDir)));
        }
    }
}
