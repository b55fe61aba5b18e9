//! The track that ships with rally.

use std::path::Path;

use rally_track::{LoadOptions, TrackSource, load};

#[test]
fn the_tutorial_loads() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tracks/tutorial");
    let source = TrackSource::from_path(&path).unwrap();
    for test_mode in [false, true] {
        let options = LoadOptions { now: 1_735_689_600.0, test_mode, ..LoadOptions::default() };
        let track = load(&source, &options).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(track.name, "tutorial");
        assert_eq!(track.warnings, Vec::<String>::new());
        let (_, documents) = track.document_sets().next().unwrap();
        assert_eq!(documents.document_count == 1000, test_mode);
        assert!(path.join(&documents.file_name).is_file(), "{} is missing", documents.file_name);
    }
}
