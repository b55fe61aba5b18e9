//! Puts the parts of a track together.

use super::schema::SCHEMA;
use super::serverless::leave_out_unavailable;
use super::test_mode;
use crate::document::Document;
use crate::error::Problem;
use crate::files::TrackFiles;
use crate::reading::{DraftChallenge, FilterRules, Pointers, Reader, Schema, object, text};
use crate::template::Renderer;
use crate::{BuildFlavor, Dialect, LoadOptions, Track, TrackError};

/// The version of the format that this is.
const VERSION: u64 = 2;

/// A track and the files that it took its bodies and templates from.
pub(crate) struct Read {
    pub(crate) track: Track,
    /// Names of the files, each once.
    pub(crate) bodies: Vec<String>,
    pub(crate) pointers: Pointers,
}

/// Reads a whole track.
///
/// # Errors
///
/// [`TrackError::Invalid`] with all problems of the first step that finds any, and [`TrackError::Filter`].
pub(crate) fn read(
    name: &str,
    document: &Document,
    files: &TrackFiles,
    renderer: &Renderer,
    options: &LoadOptions,
) -> Result<Read, TrackError> {
    let invalid = |problems: Vec<Problem>| match problems.is_empty() {
        true => Ok(()),
        false => Err(TrackError::Invalid { track: name.to_owned(), problems }),
    };
    let mut reader = Reader::new(document, files, renderer, options, &SCHEMA);
    reader.check_version();
    invalid(std::mem::take(&mut reader.problems))?;
    reader.check("", Schema::TRACK);
    invalid(std::mem::take(&mut reader.problems))?;

    let value = &document.value;
    let indices = reader.indices_with_bodies();
    let data_streams = reader.data_streams();
    if !indices.is_empty() && !data_streams.is_empty() {
        let message = "a track has 'indices' or 'data-streams', not both".to_owned();
        reader.problem("/data-streams", message, None);
    }
    let templates = reader.index_templates("templates");
    let composable_templates = reader.index_templates("composable-templates");
    let component_templates = reader.component_templates();
    let mut corpora = reader.corpora(&indices, &data_streams);
    let operations = reader.named_operations();
    let mut challenges = reader.challenges_of(&operations);
    let dependencies = reader.dependencies();
    reader.check_keys(&challenges);
    invalid(std::mem::take(&mut reader.problems))?;

    reader.filter(&mut challenges, FilterRules::AsRally)?;
    reader.check_names(&operations, &challenges);
    invalid(std::mem::take(&mut reader.problems))?;
    let pointers = Pointers::of(&challenges, reader.document_pointers());
    if options.build_flavor == BuildFlavor::Serverless && !options.keep_unavailable {
        leave_out_unavailable(&mut challenges, options.serverless_operator);
    }
    if options.test_mode {
        test_mode::shrink(&mut corpora);
        test_mode::shorten(&mut challenges);
    }
    let track = Track {
        description: text(value, "description"),
        meta: object(&value["meta"]),
        indices,
        data_streams,
        templates,
        composable_templates,
        component_templates,
        corpora,
        dependencies,
        challenges: challenges.into_iter().map(DraftChallenge::into_challenge).collect(),
        warnings: reader.warnings,
        ..Track::new(name, Dialect::Current, files.root())
    };
    Ok(Read { track, bodies: reader.bodies.into_keys().collect(), pointers })
}

impl Reader<'_> {
    /// Checks the version before anything else: rally does not know what later versions mean.
    fn check_version(&mut self) {
        let Some(version) = self.document.value["version"].as_u64() else { return };
        if version > VERSION {
            let message =
                format!("the track has version {version}; this rally supports versions up to {VERSION}");
            self.problem("/version", message, Some("use a newer rally".to_owned()));
        } else if version < VERSION {
            let message = format!("the track has version {version}; rally reads it as version {VERSION}");
            self.warn_of_key("/version", &message);
        }
    }

    /// Where the data files stand.
    fn document_pointers(&self) -> Vec<String> {
        let corpora = self.elements("", "corpora");
        let files = corpora.iter().flat_map(|(pointer, _)| self.elements(pointer, "documents"));
        files.map(|(pointer, _)| format!("{pointer}/source-file")).collect()
    }

    /// What Python code of the track would need, with a warning that there is such code.
    fn dependencies(&mut self) -> Vec<String> {
        let elements = self.elements("", "dependencies");
        let dependencies: Vec<String> =
            elements.iter().filter_map(|(_, name)| name.as_str()).map(str::to_owned).collect();
        if !dependencies.is_empty() {
            let message = "rally does not install 'dependencies': it does not run Python code, and components need none";
            self.warn_of_key("/dependencies", message);
        }
        self.warn_of_python_code();
        dependencies
    }
}
