//! `rally bundle create`: from a track to a file.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use rally_bundle::{Limits, PackOptions, Packed, SecretKey, TrackNameError, pack};
use rally_component::Digest;
use rally_corpus::DataSet;
use rally_support::numbers::grouped;
use rally_support::whole_file;
use rally_track::{LoadOptions, Track, TrackSource};

use rally_session::bundle::keys::{self, beside};
use rally_session::{Home, components};

use crate::bundle::args::CreateArgs;
use crate::ending::CommandError;
use crate::terminal;
use crate::track;

/// A bundle cannot be made.
#[derive(Debug, thiserror::Error)]
enum CreateError {
    #[error("'{path}' is a file; name the folder of a track")]
    NotAFolder { path: PathBuf },
    #[error(
        "'{output}' is in the track's folder and would become part of the next bundle; write it elsewhere"
    )]
    Inside { output: PathBuf },
    #[error(
        "'{signature}' is the signature of an earlier bundle and would not match this one; sign this one with --sign, or remove that file"
    )]
    StaleSignature { signature: PathBuf },
}

/// Makes a bundle.
pub fn run(arguments: &CreateArgs, home: &Home) -> Result<(), CommandError> {
    // clap has seen to it that both are there.
    let (Some(track_path), Some(output)) = (&arguments.track_path, &arguments.output) else {
        return Err(CommandError::user("--track-path and --output are missing"));
    };
    let source = TrackSource::from_path(track_path).map_err(CommandError::user)?;
    let TrackSource::Directory(folder) = &source else {
        return Err(CommandError::user(CreateError::NotAFolder { path: track_path.clone() }));
    };
    if is_inside(output, folder) {
        return Err(CommandError::user(CreateError::Inside { output: output.clone() }));
    }
    let key = arguments.sign.as_deref().map(keys::secret).transpose().map_err(CommandError::user)?;
    let signature_file = beside(output, ".sig");
    if key.is_none() && signature_file.exists() {
        return Err(CommandError::user(CreateError::StaleSignature { signature: signature_file }));
    }

    // What does not load would not race at the other end either; and only a loaded track tells which documents it fetches.
    let extensions = components::load(folder, &source.name(), &arguments.limits.limits(), home)?;
    let options =
        LoadOptions { now: track::now(), extension_names: extensions.names(), ..LoadOptions::default() };
    let track = rally_track::load(&source, &options).map_err(CommandError::user)?;
    let options = PackOptions {
        name: source.name().parse().map_err(|error: TrackNameError| CommandError::user(error))?,
        fetched: fetched(&track)?,
        limits: Limits::default(),
        bounds: arguments.limits.limits().bounds(),
    };
    let packed = pack(folder, &options).map_err(CommandError::user)?;

    let digest = whole_file::write(output, |file| packed.write_to(file)).map_err(CommandError::user)?;
    if let Some(key) = &key {
        let text = key.sign(&digest).to_text();
        whole_file::write(&signature_file, |file| file.write_all(text.as_bytes()))
            .map_err(CommandError::user)?;
    }
    let text = describe(output, &packed, digest, key.as_ref());
    terminal::print(text).map_err(CommandError::failure)
}

/// Whether a file that is about to be written would lie in a folder.
fn is_inside(file: &Path, folder: &Path) -> bool {
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match (parent.canonicalize(), folder.canonicalize()) {
        (Ok(parent), Ok(folder)) => parent.starts_with(folder),
        // Then it cannot be written, which is about to be said.
        _ => false,
    }
}

/// The names, packed and unpacked, of documents that have a URL.
fn fetched(track: &Track) -> Result<BTreeSet<String>, CommandError> {
    let mut names = BTreeSet::new();
    for (_, documents) in track.document_sets() {
        if documents.base_url.is_some() {
            let data_set = DataSet::from_documents(&documents.file_name).map_err(CommandError::user)?;
            names.extend(data_set.archive_name);
            names.insert(data_set.document_name);
        }
    }
    Ok(names)
}

fn describe(output: &Path, packed: &Packed, digest: Digest, key: Option<&SecretKey>) -> String {
    let mut text = format!(
        "Track {} is in {}: {} files, {} bytes\nSHA-256 {digest}\n",
        packed.lock().track(),
        output.display(),
        packed.lock().files().len(),
        grouped(packed.size())
    );
    // Writing to a string cannot fail.
    if let Some(key) = key {
        let _ = writeln!(text, "Signed by key {} in {}", key.public().id(), beside(output, ".sig").display());
    }
    for left_out in packed.left_out() {
        let _ = writeln!(text, "Left out: {} ({})", left_out.name, left_out.reason);
    }
    text
}
