//! Archives of every format, good and bad.

use std::fs;
use std::process::Command;

use crate::support::{
    CancelIn, Member, Witness, bzip2, cache_with, data_set, documents, every_format, file, gzip, hasty,
    names, tar, zip,
};
use rally_corpus::{NoProgress, Phase, PrepareError, PreparedDocuments, UnpackError, prepare};

fn unpack(name: &str, archive: &[u8]) -> (tempfile::TempDir, Result<PreparedDocuments, PrepareError>) {
    let cache = cache_with(name, archive);
    let result = prepare(&data_set(name), &[], cache.path(), &hasty(), &NoProgress);
    (cache, result)
}

/// The error of an archive that must not be unpacked; nothing but the archive may be left.
fn refused(name: &str, archive: &[u8]) -> UnpackError {
    let (cache, result) = unpack(name, archive);
    assert_eq!(names(cache.path()), [name]);
    match result.unwrap_err() {
        PrepareError::Unpack { path, source } => {
            assert_eq!(path, cache.path().join(name));
            source
        }
        error => panic!("{error}"),
    }
}

#[test]
fn every_format_is_unpacked() {
    let content = documents(3000);
    for (name, archive) in every_format(&content) {
        let (track, cache) = (cache_with(name, &archive), tempfile::tempdir().unwrap());
        let mut data_set = data_set(name);
        data_set.document_count = Some(3000);
        data_set.compressed_bytes = Some(archive.len() as u64);
        data_set.uncompressed_bytes = Some(content.len() as u64);
        let witness = Witness::default();
        let folders = [track.path().to_owned()];
        let prepared = prepare(&data_set, &folders, cache.path(), &hasty(), &witness).unwrap();
        assert_eq!(fs::read(&prepared.path).unwrap(), content, "{name}");
        assert_eq!((prepared.document_count, prepared.line_count), (3000, 3000), "{name}");
        assert_eq!(prepared.uncompressed_bytes, content.len() as u64, "{name}");
        assert!(prepared.warnings.is_empty(), "{name}");
        assert_eq!(witness.phases(), [Phase::Decompressing], "{name}");
        assert!(
            witness
                .reports()
                .iter()
                .all(|report| report.1 <= archive.len() as u64 && report.2 == Some(archive.len() as u64)),
            "{name}"
        );
        assert_eq!(names(cache.path()), ["documents.json"], "{name}");
    }
}

#[test]
fn plain_documents_are_used_as_they_are() {
    let content = documents(7);
    let cache = cache_with("documents.json", &content);
    let prepared = prepare(&data_set("documents.json"), &[], cache.path(), &hasty(), &NoProgress).unwrap();
    assert_eq!(prepared.document_count, 7);
}

#[test]
fn gzip_of_several_members_is_one_content() {
    let archive = [gzip(&documents(10)), gzip(&documents(20))].concat();
    let (_cache, result) = unpack("documents.json.gz", &archive);
    assert_eq!(result.unwrap().line_count, 30);
}

#[test]
fn zeros_behind_an_archive_are_padding() {
    for (name, archive) in
        [("documents.json.gz", gzip(&documents(10))), ("documents.json.bz2", bzip2(&documents(10)))]
    {
        for zeros in [1, 4, 512, 700_000] {
            let (_cache, result) = unpack(name, &[archive.clone(), vec![0; zeros]].concat());
            assert_eq!(result.unwrap().line_count, 10, "{name} and {zeros} zeros");
        }
    }
}

#[test]
fn other_data_behind_an_archive_or_its_padding_are_refused() {
    for (name, archive) in
        [("documents.json.gz", gzip(&documents(10))), ("documents.json.bz2", bzip2(&documents(10)))]
    {
        for rest in [b"garbage".as_slice(), b"\0\0\0garbage"] {
            let error = refused(name, &[archive.as_slice(), rest].concat());
            assert!(matches!(error, UnpackError::Corrupt { .. }), "{name}: {error}");
        }
    }
}

#[test]
fn gzip_members_may_have_padding_between_them() {
    let archive = [gzip(&documents(10)), vec![0; 512], gzip(&documents(20))].concat();
    let (_cache, result) = unpack("documents.json.gz", &archive);
    assert_eq!(result.unwrap().line_count, 30);
}

#[test]
fn a_truncated_archive_is_refused_wherever_it_was_cut() {
    let content = documents(3000);
    for (name, archive) in every_format(&content) {
        for part in [0.0, 0.001, 0.3, 0.7, 0.999] {
            let length = (archive.len() as f64 * part) as usize;
            let (cache, result) = unpack(name, &archive[..length]);
            // A plain tar archive may lack its last, empty blocks: no byte of the document is missing.
            if name == "documents.json.tar" && part == 0.999 {
                assert_eq!(result.unwrap().line_count, 3000);
                continue;
            }
            let error = result.unwrap_err();
            assert!(
                matches!(
                    error,
                    PrepareError::Unpack {
                        source: UnpackError::Truncated { .. } | UnpackError::Corrupt { .. },
                        ..
                    }
                ),
                "{name} cut at {length}: {error}"
            );
            assert!(error.to_string().contains("byte"), "{name}: {error}");
            assert_eq!(names(cache.path()), [name]);
        }
    }
}

#[test]
fn a_truncated_archive_is_called_truncated_with_its_offset() {
    let content = documents(3000);
    for (name, archive) in every_format(&content).into_iter().filter(|(name, _)| !name.ends_with(".zip")) {
        let length = archive.len() / 2;
        match refused(name, &archive[..length]) {
            UnpackError::Truncated { offset } => assert_eq!(offset, length as u64, "{name}"),
            error => panic!("{name}: {error}"),
        }
    }
}

#[test]
fn a_damaged_archive_is_corrupt_with_an_offset_inside_of_it() {
    let content = documents(3000);
    for (name, mut archive) in every_format(&content).into_iter().filter(|(name, _)| !name.ends_with(".tar"))
    {
        let at = archive.len() / 2;
        archive[at] ^= 0x5a;
        match refused(name, &archive) {
            UnpackError::Corrupt { offset, .. } => assert!(offset <= archive.len() as u64, "{name}"),
            // Damage can make a decoder wait for more than there is.
            UnpackError::Truncated { .. } => {}
            error => panic!("{name}: {error}"),
        }
    }
}

#[test]
fn an_archive_of_another_format_is_corrupt() {
    for (name, _) in every_format(b"") {
        assert!(
            matches!(
                refused(
                    name,
                    b"<html><body>Please log in to continue, or ask somebody who knows how</body></html>"
                ),
                UnpackError::Corrupt { .. } | UnpackError::Truncated { .. }
            ),
            "{name}"
        );
    }
}

#[test]
fn two_files_in_an_archive_are_refused() {
    let content = documents(5);
    let two = [file("documents.json", &content), file("readme.txt", b"read me")];
    let expected = "it contains 'readme.txt', but it must contain exactly one file, 'documents.json'";
    let both_orders = [
        refused("documents.json.tar", &tar(&two)),
        refused(
            "documents.json.tar.bz2",
            &bzip2(&tar(&[file("readme.txt", b""), file("documents.json", b"")])),
        ),
        refused("documents.json.tgz", &gzip(&tar(&two))),
        refused("documents.json.zip", &zip(&[("documents.json", &content), ("readme.txt", b"read me")])),
    ];
    for error in both_orders {
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn the_same_file_twice_is_refused() {
    let twice = [file("documents.json", b"{}\n"), file("./documents.json", b"{}\n")];
    assert!(matches!(refused("documents.json.tar", &tar(&twice)), UnpackError::DuplicateMember { .. }));
}

#[test]
fn a_file_of_another_name_is_refused() {
    let error = refused("documents.json.tar.gz", &gzip(&tar(&[file("data.json", b"{}\n")])));
    assert!(matches!(error, UnpackError::UnexpectedMember { member, .. } if member == "data.json"));
    let error = refused("documents.json.zip", &zip(&[("folder/documents.json", b"{}\n")]));
    assert!(matches!(error, UnpackError::UnexpectedMember { .. }));
}

#[test]
fn an_archive_without_the_document_is_refused() {
    assert!(matches!(refused("documents.json.tar", &tar(&[])), UnpackError::MissingMember { .. }));
    assert!(matches!(refused("documents.json.zip", &zip(&[])), UnpackError::MissingMember { .. }));
}

#[test]
fn members_that_lead_out_of_the_directory_are_refused() {
    for name in
        ["../documents.json", "folder/../../documents.json", "/etc/documents.json", "..\\documents.json"]
    {
        for (archive, error) in [
            ("tar", refused("documents.json.tar", &tar(&[file(name, b"{}\n")]))),
            ("tar.bz2", refused("documents.json.tar.bz2", &bzip2(&tar(&[file(name, b"{}\n")])))),
            ("zip", refused("documents.json.zip", &zip(&[(name, b"{}\n")]))),
        ] {
            assert!(matches!(error, UnpackError::EscapingMember { .. }), "{name} in {archive}: {error}");
        }
    }
}

#[test]
fn links_and_special_files_are_refused() {
    for (kind, link) in [
        (tar::EntryType::Symlink, "/etc/passwd"),
        (tar::EntryType::Link, "other.json"),
        (tar::EntryType::Fifo, ""),
        (tar::EntryType::Char, ""),
    ] {
        let member = Member { name: "documents.json", kind, content: b"", link };
        let error = refused("documents.json.tar", &tar(&[member]));
        assert!(matches!(error, UnpackError::SpecialMember { .. }), "{kind:?}: {error}");
    }
}

#[test]
fn a_symbolic_link_in_a_zip_is_refused() {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    writer.add_symlink("documents.json", "/etc/passwd", zip::write::SimpleFileOptions::default()).unwrap();
    let archive = writer.finish().unwrap().into_inner();
    assert!(matches!(refused("documents.json.zip", &archive), UnpackError::SpecialMember { .. }));
}

#[test]
fn folders_and_attribute_files_of_macos_are_skipped_as_by_rally() {
    let content = documents(4);
    let folder = Member { name: "./", kind: tar::EntryType::Directory, content: b"", link: "" };
    let members = [folder, file("./._documents.json", b"attributes"), file("./documents.json", &content)];
    let (cache, result) = unpack("documents.json.tar.gz", &gzip(&tar(&members)));
    assert_eq!(result.unwrap().line_count, 4);
    assert_eq!(names(cache.path()), ["documents.json", "documents.json.tar.gz"]);

    let members: [(&str, &[u8]); 3] =
        [("documents.json", &content), ("__MACOSX/", b""), ("__MACOSX/._documents.json", b"attributes")];
    let (_cache, result) = unpack("documents.json.zip", &zip(&members));
    assert_eq!(result.unwrap().line_count, 4);
}

#[test]
fn a_member_name_that_would_fill_the_memory_is_refused() {
    // The name of the next member is announced to be 3 MB long, which packs to next to nothing.
    let long = vec![b'a'; 3 << 20];
    let name = Member { name: "././@LongLink", kind: tar::EntryType::GNULongName, content: &long, link: "" };
    let archive = gzip(&tar(&[name, file("documents.json", b"{}\n")]));
    assert!(matches!(refused("documents.json.tar.gz", &archive), UnpackError::Corrupt { .. }));
}

#[test]
fn more_than_declared_is_never_written() {
    let zeros = vec![b'0'; 40 << 20];
    for (name, archive) in every_format(&zeros) {
        let cache = cache_with(name, &archive);
        let mut data_set = data_set(name);
        data_set.uncompressed_bytes = Some(1000);
        let error = prepare(&data_set, &[], cache.path(), &hasty(), &NoProgress).unwrap_err();
        assert!(
            matches!(
                error,
                PrepareError::Unpack { source: UnpackError::LargerThanDeclared { declared: 1000 }, .. }
            ),
            "{name}: {error}"
        );
        assert_eq!(names(cache.path()), [name]);
    }
}

#[test]
fn less_than_declared_is_an_error_and_leaves_nothing() {
    let content = documents(10);
    for (name, archive) in every_format(&content) {
        let cache = cache_with(name, &archive);
        let mut data_set = data_set(name);
        data_set.uncompressed_bytes = Some(content.len() as u64 + 1);
        let error = prepare(&data_set, &[], cache.path(), &hasty(), &NoProgress).unwrap_err();
        let actual = content.len() as u64;
        assert!(
            matches!(error, PrepareError::WrongDocumentSize { actual: found, .. } if found == actual),
            "{name}"
        );
        assert_eq!(names(cache.path()), [name]);
    }
}

#[test]
fn a_file_that_cannot_fit_on_the_disk_is_not_begun() {
    let cache = cache_with("documents.json.bz2", &bzip2(&documents(10)));
    let mut data_set = data_set("documents.json.bz2");
    data_set.uncompressed_bytes = Some(1 << 60);
    let error = prepare(&data_set, &[], cache.path(), &hasty(), &NoProgress).unwrap_err();
    assert!(
        matches!(error, PrepareError::DiskFull { needed: Some(needed), .. } if needed == 1 << 60),
        "{error}"
    );
    assert_eq!(names(cache.path()), ["documents.json.bz2"]);
}

#[test]
fn a_full_disk_is_reported_and_nothing_is_left() {
    // A limit on the size of files stands for the end of the disk; it needs a process of its own.
    let child = Command::new("sh")
        .arg("-c")
        .arg("trap '' XFSZ; ulimit -f 64; exec \"$0\" \"$@\"")
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "archives::with_a_limit_on_file_sizes", "--ignored", "--nocapture"])
        .env("RALLY_TEST_LIMITED", "yes")
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&child.stdout).into_owned();
    assert!(child.status.success() && output.contains("no space for '"), "{output}");
}

#[test]
#[ignore = "runs as a child of a_full_disk_is_reported_and_nothing_is_left"]
fn with_a_limit_on_file_sizes() {
    if std::env::var_os("RALLY_TEST_LIMITED").is_none() {
        return;
    }
    let content = documents(60_000);
    let folder = tempfile::tempdir().unwrap();
    let (name, archive) = ("documents.json.bz2", bzip2(&vec![b'\n'; content.len()]));
    fs::write(folder.path().join(name), archive).unwrap();
    let error = prepare(&data_set(name), &[], folder.path(), &hasty(), &NoProgress).unwrap_err();
    assert!(matches!(error, PrepareError::DiskFull { source: Some(_), .. }), "{error}");
    println!("{error}");
    assert_eq!(names(folder.path()), [name]);
}

#[test]
fn a_cancelled_unpacking_leaves_nothing() {
    let cache = cache_with("documents.json.gz", &gzip(&documents(200_000)));
    let progress = CancelIn::new(Phase::Decompressing);
    let error = prepare(&data_set("documents.json.gz"), &[], cache.path(), &hasty(), &progress).unwrap_err();
    assert!(matches!(error, PrepareError::Cancelled));
    assert_eq!(names(cache.path()), ["documents.json.gz"]);
}

#[test]
fn what_a_crashed_process_left_is_overwritten() {
    let cache = cache_with("documents.json.bz2", &bzip2(&documents(10)));
    fs::write(cache.path().join("documents.json.unpacking"), vec![b'x'; 5000]).unwrap();
    let prepared =
        prepare(&data_set("documents.json.bz2"), &[], cache.path(), &hasty(), &NoProgress).unwrap();
    assert_eq!(fs::read(prepared.path).unwrap(), documents(10));
    assert_eq!(names(cache.path()), ["documents.json", "documents.json.bz2"]);
}

#[test]
fn an_encrypted_or_unknown_zip_member_is_not_supported() {
    let mut archive = zip(&[("documents.json", &documents(50))]);
    // Compression method 99 in both headers.
    archive[8] = 99;
    let central = archive.windows(4).position(|bytes| bytes == b"PK\x01\x02").unwrap();
    archive[central + 10] = 99;
    let error = refused("documents.json.zip", &archive);
    assert!(matches!(error, UnpackError::Unsupported { .. } | UnpackError::Corrupt { .. }), "{error}");
}

#[test]
fn a_name_of_another_archive_format_is_refused() {
    for name in ["documents.json.7z", "documents.json.xz", "documents.json.tbz2"] {
        let error = rally_corpus::DataSet::from_documents(name).unwrap_err();
        assert!(matches!(error, PrepareError::UnsupportedFormat { .. }), "{name}: {error}");
    }
}

#[test]
fn an_archive_in_an_archive_is_refused() {
    for (name, part) in [
        ("documents.json.tar.zst", "but not .tar.zst."),
        ("documents.json.zip.gz", "but not .zip.gz."),
        ("documents.xz.bz2", "but not .xz.bz2."),
    ] {
        let error = rally_corpus::DataSet::from_documents(name).unwrap_err().to_string();
        assert!(error.contains(&format!("'{name}' is not supported")) && error.contains(part), "{error}");
    }
}

#[test]
fn a_name_that_leads_out_of_the_directory_is_refused() {
    for name in ["../documents.json.bz2", "/tmp/documents.json", "a/../../b.json", "", ".bz2", "folder/"] {
        let error = rally_corpus::DataSet::from_documents(name).unwrap_err();
        assert!(matches!(error, PrepareError::InvalidName { .. }), "{name}: {error}");
    }
}

#[test]
fn double_extensions_are_taken_off_whole() {
    for (name, stem) in [
        ("documents.json.tar.bz2", "documents.json"),
        ("documents.json.tgz", "documents.json"),
        ("folder/documents.json.gz", "folder/documents.json"),
    ] {
        assert_eq!(data_set(name).document_name, stem);
    }
}
