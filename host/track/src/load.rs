//! Loads a track.

use std::collections::BTreeSet;

use rally_support::suggest::closest;
use serde_json::Value;

use crate::document::{Document, Rules, template_problem};
use crate::error::Problem;
use crate::files::TrackFiles;
use crate::reading::{Places, Pointers};
use crate::template::{RenderOptions, Renderer};
use crate::{
    Dialect, LoadOptions, Track, TrackError, TrackParameters, TrackSource, current, dialect, rally2017,
};

/// A track, and what it was made of.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The track.
    pub track: Track,
    /// The track's JSON once its templates are rendered, before anything is added to it. What OpenSearch Benchmark calls
    /// otherwise has Rally's name.
    pub rendered: Value,
    /// The parameters that the templates of the track, of its index bodies and its templates read.
    pub parameters: BTreeSet<String>,
}

/// Loads a track with everything it refers to but its data.
///
/// # Errors
///
/// What is wrong with it, as [`TrackError`] has it. Everything in a track of 2017 that a race would stumble over is found
/// here.
pub fn load(source: &TrackSource, options: &LoadOptions) -> Result<Track, TrackError> {
    let (track, ..) = load_whole(source, options)?;
    Ok(track)
}

/// Loads a track, and keeps where things stand in it, for what is checked afterwards.
///
/// # Errors
///
/// Those of [`load`].
pub fn load_with_places(source: &TrackSource, options: &LoadOptions) -> Result<(Track, Places), TrackError> {
    let (track, document, parameters) = load_whole(source, options)?;
    Ok((track, Places::new(document, parameters.pointers)))
}

/// Loads a track, and returns what it was made of.
///
/// # Errors
///
/// Those of [`load`].
pub fn read(source: &TrackSource, options: &LoadOptions) -> Result<Loaded, TrackError> {
    let (track, document, mut parameters) = load_whole(source, options)?;
    Ok(Loaded { parameters: parameters.all()?, rendered: document.into_value(), track })
}

/// The track's JSON once its templates are rendered, whether it makes a track or not.
///
/// # Errors
///
/// [`TrackError::NotFound`], [`TrackError::Read`], and [`TrackError::Invalid`] where it does not render, or not to JSON.
pub fn render(source: &TrackSource, options: &LoadOptions) -> Result<Value, TrackError> {
    let (files, file) = open(source)?;
    let renderer = Renderer::new(files.clone(), &render_options(options));
    let (document, _) = document(&renderer, &files, &file)
        .map_err(|problem| TrackError::Invalid { track: source.name(), problems: vec![*problem] })?;
    Ok(document.into_value())
}

/// The files of a track, and the name of the one that it begins with.
fn open(source: &TrackSource) -> Result<(TrackFiles, String), TrackError> {
    let (directory, file) = source.parts();
    let path = directory.join(&file);
    let files = TrackFiles::new(&directory).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => TrackError::NotFound { path: path.clone() },
        _ => TrackError::Read { path: directory.clone(), source },
    })?;
    match path.exists() {
        true => Ok((files, file)),
        false => Err(TrackError::NotFound { path }),
    }
}

fn load_whole(
    source: &TrackSource,
    options: &LoadOptions,
) -> Result<(Track, Document, ReadParameters), TrackError> {
    let name = source.name();
    let (files, file) = open(source)?;
    let renderer = Renderer::new(files.clone(), &render_options(options));
    let invalid =
        |problem: Box<Problem>| TrackError::Invalid { track: name.clone(), problems: vec![*problem] };
    let (document, dialect) = document(&renderer, &files, &file).map_err(invalid)?;
    let mut templates = vec![file];
    let pointers;
    let track = match dialect {
        Dialect::Rally2017 => {
            let (track, read) = rally2017::read(&name, &document, &files, &renderer, options)?;
            pointers = read;
            track
        }
        Dialect::Current => {
            let read = current::read(&name, &document, &files, &renderer, options)?;
            templates.extend(read.bodies);
            pointers = read.pointers;
            read.track
        }
    };
    let mut parameters = ReadParameters { track: name, files, renderer, templates, pointers, found: None };
    // To find out which parameters are read takes as long as to render everything.
    if !options.track_params.is_empty() {
        let defined = match options.ignore_unused_track_params {
            true => options.track_params.keys().cloned().collect(),
            false => parameters.all()?,
        };
        TrackParameters::check(&options.track_params, &defined)
            .map_err(|source| TrackError::Parameters { track: track.name.clone(), source })?;
    }
    match options.challenge.as_deref().filter(|challenge| !challenge.is_empty()) {
        Some(challenge) if track.challenge(Some(challenge)).is_none() => {
            Err(unknown_challenge(&track, challenge))
        }
        _ => Ok((track, document, parameters)),
    }
}

/// The parameters that the templates of a track read, looked for on demand.
struct ReadParameters {
    track: String,
    files: TrackFiles,
    renderer: Renderer,
    /// Names of the track's file, and of the files of its bodies and templates.
    templates: Vec<String>,
    pointers: Pointers,
    found: Option<BTreeSet<String>>,
}

impl ReadParameters {
    fn all(&mut self) -> Result<BTreeSet<String>, TrackError> {
        if let Some(found) = &self.found {
            return Ok(found.clone());
        }
        let mut all = BTreeSet::new();
        for template in &self.templates {
            let names = self.renderer.defined_parameters(template).map_err(|failure| {
                let problems = vec![template_problem(&self.files, failure)];
                TrackError::Invalid { track: self.track.clone(), problems }
            })?;
            all.extend(names);
        }
        self.found = Some(all.clone());
        Ok(all)
    }
}

fn render_options(options: &LoadOptions) -> RenderOptions {
    RenderOptions {
        now: options.now,
        seed: options.seed,
        parameters: options.track_params.clone(),
        build_flavor: options.build_flavor.name().to_owned(),
        serverless_operator: options.serverless_operator,
    }
}

/// The rendered track. How it is rendered depends on the dialect, which only shows in what is rendered: a track that
/// turns out to be of 2017 is rendered by the rules of that time.
fn document(
    renderer: &Renderer,
    files: &TrackFiles,
    file: &str,
) -> Result<(Document, Dialect), Box<Problem>> {
    let of_2017 = || Document::render(renderer, files, file, Rules::Rally2017);
    match Document::render(renderer, files, file, Rules::Current) {
        Ok(mut document) => match dialect::of(&document.value) {
            Dialect::Current => {
                let keys = dialect::renamed_keys(&document.value);
                document.rename_keys(&keys);
                Ok((document, Dialect::Current))
            }
            Dialect::Rally2017 => Ok((of_2017()?, Dialect::Rally2017)),
        },
        Err(problem) => match of_2017() {
            Ok(document) if dialect::of(&document.value) == Dialect::Rally2017 => {
                Ok((document, Dialect::Rally2017))
            }
            Err(problem_of_2017) if is_probably_of_2017(files, file) => Err(problem_of_2017),
            _ => Err(problem),
        },
    }
}

/// Whether the text of a track that cannot be rendered has a key that only tracks of 2017 have.
fn is_probably_of_2017(files: &TrackFiles, file: &str) -> bool {
    files.read(file).is_ok_and(|text| text.contains("\"short-description\""))
}

fn unknown_challenge(track: &Track, challenge: &str) -> TrackError {
    let known: Vec<String> = track.challenges.iter().map(|challenge| challenge.name.clone()).collect();
    TrackError::UnknownChallenge {
        track: track.name.clone(),
        challenge: challenge.to_owned(),
        suggestion: closest(challenge, known.iter().map(String::as_str)).map(str::to_owned),
        known,
    }
}
