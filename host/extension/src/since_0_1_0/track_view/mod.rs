//! The track as guests of 0.1.0 see it, and what a processor's change of it means.
//!
//! The shape is a promise of `race.wit` ("the whole track as JSON"): guests read it by name, so that it changes only with the
//! version of the interface, whatever becomes of [`Track`]. Golden files beside the SDK hold it, and the SDK's own tests read the
//! same files. In this version types have the `documents` that go into them; `corpora` have them as well, file by file.

mod documents;
mod parts;
mod view;

use rally_track::Track;
use serde_json::{Map, Value};

use self::parts::TrackParts;
use self::view::View;
use crate::processing::TrackChangeError;

/// Where guests believe the track to be. Where it really is differs from machine to machine and is not their business.
const ROOT: &str = "/track";

/// The JSON that guests get.
pub(crate) fn show(track: &Track) -> String {
    view_of(track).to_string()
}

fn view_of(track: &Track) -> Value {
    let mut parts = TrackParts::of(track);
    documents::add_to_types(&mut parts.indices, &track.corpora);
    let mut view = serde_json::to_value(&parts).unwrap_or_default();
    view["root"] = ROOT.into();
    view
}

/// What `track` becomes when a processor returns `text`. What the text leaves out, and what guests do not see, stays as it is:
/// parts of a list are recognised by their names.
pub(crate) fn restore(text: &str, track: &Track) -> Result<Track, TrackChangeError> {
    let returned: Map<String, Value> = serde_json::from_str(text)?;
    if !returned.contains_key("name") {
        // Any object would be a track of which nothing was changed.
        return Err(TrackChangeError::Shape(serde::de::Error::missing_field("name")));
    }
    let (mut returned, shown) = (Value::Object(returned), view_of(track));
    TrackParts::keep(&mut returned, &shown);
    for property in ["name", "dialect", "root"] {
        // `root` alone may still be left out.
        if returned.get(property).is_some_and(|value| Some(value) != shown.get(property)) {
            return Err(TrackChangeError::Fixed(property));
        }
    }
    let mut parts: TrackParts = serde_json::from_value(returned)?;
    let types = documents::take_from_types(&mut parts.indices);
    let mut restored = parts.restore(Some(track));
    documents::apply(types, track, &mut restored)?;
    Ok(restored)
}

#[cfg(test)]
mod tests;
