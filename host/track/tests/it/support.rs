//! Small tracks for tests.

use rally_track::{LoadOptions, Track, TrackError, TrackSource, load};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A track directory that is removed in the end.
pub struct TrackDirectory {
    home: TempDir,
}

impl TrackDirectory {
    /// Files by name; what is no text is written as JSON.
    pub fn new(files: &Value) -> Self {
        let home = tempfile::tempdir().unwrap();
        let directory = Self { home };
        for (name, content) in files.as_object().unwrap() {
            directory.write(name, content.as_str().map_or_else(|| pretty(content), str::to_owned).as_bytes());
        }
        directory
    }

    pub fn write(&self, name: &str, content: &[u8]) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    pub fn path(&self) -> std::path::PathBuf {
        let path = self.home.path().join("unittest");
        std::fs::create_dir_all(&path).unwrap();
        path
    }

    pub fn load(&self, options: &LoadOptions) -> Result<Track, TrackError> {
        load(&TrackSource::Directory(self.path()), options)
    }

    /// The message of the error that loading must end with, with the directory's name left out.
    pub fn error(&self) -> String {
        let error = self.load(&LoadOptions::default()).expect_err("a broken track must not load");
        error.to_string().replace(&format!("{}/", self.path().display()), "")
    }
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap()
}

/// A valid track: an index with documents, an operation of each kind, a challenge.
pub fn valid() -> Value {
    json!({
        "short-description": "short",
        "description": "long",
        "indices": [{
            "name": "places",
            "types": [{"name": "type", "mapping": "mappings.json", "documents": "documents.json.bz2", "document-count": 1000}]
        }],
        "operations": [
            {"name": "index", "operation-type": "index", "bulk-size": 100},
            {"name": "search", "operation-type": "search", "body": {"query": {"match_all": {}}}},
            {"name": "merge", "operation-type": "force-merge"}
        ],
        "challenges": [{
            "name": "default",
            "schedule": [
                {"operation": "index", "clients": 8},
                {"operation": "search", "iterations": 100, "target-throughput": 10}
            ],
            "description": "what is done"
        }]
    })
}

/// Loads a track with its mapping file beside it.
pub fn load_value(track: &Value, options: &LoadOptions) -> Result<Track, TrackError> {
    directory_of(track).load(options)
}

/// A directory with this track and its mapping file.
pub fn directory_of(track: &Value) -> TrackDirectory {
    TrackDirectory::new(&json!({"track.json": track, "mappings.json": {"type": {}}}))
}

/// The error of the valid track after a change.
pub fn error_after(change: impl FnOnce(&mut Value)) -> String {
    let mut track = valid();
    change(&mut track);
    directory_of(&track).error()
}

/// The valid track after a change.
pub fn after(change: impl FnOnce(&mut Value), options: &LoadOptions) -> Track {
    let mut track = valid();
    change(&mut track);
    load_value(&track, options).unwrap_or_else(|error| panic!("{error}"))
}
