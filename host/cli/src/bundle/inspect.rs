//! `rally bundle inspect`: what a stranger's track asks for.

use std::fmt::Write;
use std::path::Path;

use rally_bundle::{Bundle, Limits, OpenError, OpenOptions, Signature, Trust};
use rally_extension::Extension;
use rally_support::numbers::grouped;
use serde_json::{Value, json};

use rally_session::bundle::{self, keys};
use rally_session::{Home, components};

use crate::bundle::args::{Format, InspectArgs};
use crate::ending::CommandError;
use crate::extension::report::Report;
use crate::terminal;
use rally_session::chain;

/// What became of a signature.
struct SignatureState {
    /// JSON.
    state: &'static str,
    /// Text.
    text: String,
    /// Which key it says to be of.
    key: Option<String>,
}

/// Shows a bundle.
pub fn run(arguments: &InspectArgs, home: &Home) -> Result<(), CommandError> {
    let file = &arguments.file;
    let options = OpenOptions {
        trust: Trust::Digest,
        digest: None,
        limits: Limits::default(),
        bounds: arguments.limits.limits().bounds(),
    };
    let bytes = bundle::read(file)?;
    let signature = signature(arguments, &bytes, home)?;
    let bundle = bundle::open(file, bytes, &options)?;
    let components = ask(arguments, &bundle, home)?;
    let text = match arguments.format {
        Format::Text => text(file, &bundle, &signature, &components),
        Format::Json => {
            let value = json(file, &bundle, &signature, &components);
            format!("{value:#}\n")
        }
    };
    terminal::print(text).map_err(CommandError::failure)
}

/// Whether a trusted key has signed the bundle. Not being signed is no error here.
fn signature(arguments: &InspectArgs, bytes: &[u8], home: &Home) -> Result<SignatureState, CommandError> {
    let keys = keys::trusted(&arguments.trusted_key, home).map_err(CommandError::user)?;
    let Some(text) = keys::signature(&arguments.file).map_err(CommandError::user)? else {
        let text = "none: no signature file is beside it".to_owned();
        return Ok(SignatureState { state: "none", text, key: None });
    };
    let digest = rally_component::Digest::of(bytes);
    let signature: Signature =
        text.parse().map_err(|error| CommandError::user(OpenError::Signature(error)))?;
    let key = signature.key();
    let (state, text) = match keys.iter().find(|trusted| trusted.id() == key) {
        Some(trusted) if trusted.verifies(&digest, &signature) => {
            ("trusted", format!("by key {key}, which is trusted"))
        }
        Some(_) => ("wrong", format!("WRONG: key {key} has not signed this file; do not run it")),
        None => ("unknown", format!("claims key {key}, which is not trusted, so rally did not verify it")),
    };
    Ok(SignatureState { state, text, key: Some(key.to_string()) })
}

/// A component of the bundle, and what it says of itself.
struct Asked {
    path: String,
    loaded: Result<Extension, String>,
}

/// Asks each component in its sandbox what it registers; nothing of what it was compiled to is kept.
fn ask(arguments: &InspectArgs, bundle: &Bundle, home: &Home) -> Result<Vec<Asked>, CommandError> {
    let components: Vec<_> = bundle.files().filter(|file| file.component.is_some()).collect();
    if components.is_empty() {
        return Ok(Vec::new());
    }
    let (folder, _scratch) = bundle::unpack(&arguments.file, bundle, home)?;
    let host = components::uncached_host(&arguments.limits.limits())?;
    let name = bundle.lock().map_or("", |lock| lock.track().as_str());
    let surroundings = components::before_race(&folder, name)?;
    let asked = components.into_iter().map(|file| Asked {
        path: file.path.to_string(),
        loaded: Extension::load(&file.path.below(&folder), &host, &surroundings)
            .map_err(|error| chain(&error)),
    });
    Ok(asked.collect())
}

fn reports<'a>(bundle: &'a Bundle, asked: &'a [Asked]) -> impl Iterator<Item = Report<'a>> {
    let facts = bundle.files().filter_map(|file| file.component.as_ref());
    asked.iter().zip(facts).map(|(asked, facts)| Report {
        file: &asked.path,
        facts,
        said: asked.loaded.as_ref().map(|extension| &extension.description).map_err(String::as_str),
    })
}

fn text(file: &Path, bundle: &Bundle, signature: &SignatureState, asked: &[Asked]) -> String {
    let mut text = String::new();
    let files = bundle.files().count();
    let track = bundle.lock().map_or("", |lock| lock.track().as_str());
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        "{}: track {track}\n  size      {} bytes, {files} files\n  SHA-256   {}\n  signature {}\n",
        file.display(),
        grouped(bundle.size()),
        bundle.digest(),
        signature.text
    );
    let _ = writeln!(text, "\nFiles");
    let width = bundle.files().map(|file| grouped(file.size).len()).max().unwrap_or(0);
    for file in bundle.files() {
        let _ = writeln!(text, "  {}  {:>width$}  {}", file.sha256, grouped(file.size), file.path);
    }
    if asked.is_empty() {
        let _ = writeln!(text, "\nNo code of its own.");
    } else {
        let _ = writeln!(text, "\nCode of its own");
    }
    for report in reports(bundle, asked) {
        let _ = write!(text, "\n{report}");
    }
    text
}

fn json(file: &Path, bundle: &Bundle, signature: &SignatureState, asked: &[Asked]) -> Value {
    json!({
        "bundle": file,
        "track": bundle.lock().map(|lock| lock.track().as_str()),
        "size": bundle.size(),
        "sha256": bundle.digest().to_string(),
        "signature": { "state": signature.state, "key": signature.key },
        "files": bundle
            .files()
            .map(|file| json!({
                "path": file.path.as_str(),
                "size": file.size,
                "sha256": file.sha256.to_string(),
            }))
            .collect::<Vec<_>>(),
        "components": reports(bundle, asked).map(|report| report.json()).collect::<Vec<_>>(),
    })
}
