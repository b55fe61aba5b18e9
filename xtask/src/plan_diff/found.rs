//! Finds plans and their tracks.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Map, Value};

/// Lists plans with their tracks.
const INDEX: &str = "index.json";
/// Folder of bodies beside plans.
const BODIES: &str = "bodies";
/// Folder of the track beside plans.
const TRACK: &str = "track";

/// Inputs that plans do not tell of, and an index may.
const UNTOLD: [&str; 3] = ["challenge", "include_tasks", "exclude_tasks"];

/// Where plans and tracks are.
#[derive(Debug)]
pub struct Layout {
    pub plans: PathBuf,
    pub tracks: Option<PathBuf>,
    pub index: Option<PathBuf>,
}

/// A plan to compare with.
#[derive(Debug)]
pub struct Expected {
    pub plan: Value,
    /// Inputs that it does not tell of.
    pub untold: Map<String, Value>,
    /// The track's folder or file, if there is one.
    pub track: Option<PathBuf>,
}

/// What an index says of a plan.
#[derive(Debug)]
pub struct Indexed {
    track: PathBuf,
    inputs: Value,
}

/// By the canonical paths of plans.
pub type Index = BTreeMap<PathBuf, Indexed>;

impl Layout {
    /// All JSON files that may be plans, sorted. Folders of tracks and of bodies are left out, and so is what is no plan later on.
    pub fn files(&self) -> Result<Vec<PathBuf>> {
        if self.plans.is_file() {
            return Ok(vec![self.plans.clone()]);
        }
        let mut files = Vec::new();
        collect(&self.plans, &mut files)?;
        files.sort();
        Ok(files)
    }

    /// The index of the plans, if there is one: a list of objects with `plan`, `track_directory` (relative to its folder) and `inputs`.
    pub fn index(&self) -> Result<Index> {
        let path = match &self.index {
            Some(path) => path.clone(),
            None => self.plans.join(INDEX),
        };
        if self.index.is_none() && !path.is_file() {
            return Ok(Index::new());
        }
        let folder = path.parent().unwrap_or(Path::new(""));
        let Value::Array(entries) = read(&path)? else { return Ok(Index::new()) };
        let indexed = entries.into_iter().filter_map(|mut entry| {
            let inputs = entry["inputs"].take();
            let path = |key: &str| entry.get(key).and_then(Value::as_str).map(|path| folder.join(path));
            Some((path("plan")?.canonicalize().ok()?, Indexed { track: path("track_directory")?, inputs }))
        });
        Ok(indexed.collect())
    }

    /// The plan in a file with its track; `None` if the file has something else in it.
    pub fn expected(&self, file: &Path, index: &Index) -> Result<Option<Expected>> {
        let plan = read(file)?;
        if !["inputs", "ok", "track_name"].iter().all(|key| plan.get(key).is_some()) {
            return Ok(None);
        }
        let indexed = file.canonicalize().ok().and_then(|file| index.get(&file));
        let track = self.track(file, &plan, indexed);
        let untold = UNTOLD.into_iter().filter_map(|key| Some((key, indexed?.inputs.get(key)?.clone())));
        Ok(Some(Expected {
            untold: untold.map(|(key, value)| (key.to_owned(), value)).collect(),
            plan,
            track,
        }))
    }

    fn track(&self, file: &Path, plan: &Value, indexed: Option<&Indexed>) -> Option<PathBuf> {
        let folder = file.parent()?;
        let name = plan.get("track_name").and_then(Value::as_str).unwrap_or_default();
        let below = folder.strip_prefix(&self.plans).unwrap_or(Path::new(""));
        let mut candidates: Vec<PathBuf> = indexed.map(|indexed| indexed.track.clone()).into_iter().collect();
        if let Some(tracks) = &self.tracks {
            candidates.extend([tracks.join(below), tracks.join(name)]);
            if let Some(group) = below.components().next() {
                candidates.push(tracks.join(group).join(name));
            }
        }
        candidates.extend([folder.join(TRACK), self.plans.join(TRACK)]);
        candidates.into_iter().find_map(|candidate| {
            let file = candidate.with_extension("json");
            let has_track = ["track.json", "workload.json"].iter().any(|name| candidate.join(name).is_file());
            if has_track || candidate.is_file() { Some(candidate) } else { file.is_file().then_some(file) }
        })
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default();
        if path.is_dir() {
            if name != BODIES && name != TRACK && !path.join("track.json").exists() {
                collect(&path, files)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "json") && name != INDEX {
            files.push(path);
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<Value> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_slice(&bytes).with_context(|| format!("{} is no JSON", path.display()))
}
