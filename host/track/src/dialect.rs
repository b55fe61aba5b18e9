//! Which language a track is written in, read from the track itself.

use serde_json::Value;

use crate::document::Document;
use crate::error::Problem;
use crate::json::Part;

/// Keys at the top of a track that only the current dialect has.
const CURRENT: [&str; 8] = [
    "corpora",
    "schedule",
    "challenge",
    "version",
    "data-streams",
    "composable-templates",
    "component-templates",
    "dependencies",
];

/// What is wrong with a track of a dialect that cannot be raced yet; `None` for one of 2017.
pub(crate) fn not_yet(document: &Document) -> Option<Problem> {
    let track = document.value.as_object()?;
    let key = CURRENT.into_iter().find(|key| track.contains_key(*key))?;
    // A misplaced key in a track of 2017 is just that.
    if track.contains_key("short-description") || has_types(track.get("indices")) {
        return None;
    }
    Some(
        document.problem(
            &format!("/{key}"),
            Part::Key,
            format!(
                "\"{key}\" belongs to the current track dialect of Elastic Rally, which is not supported yet"
            ),
            Some(
                "rally races tracks of the 2017 dialect: indices with types, operations and challenges"
                    .to_owned(),
            ),
        ),
    )
}

fn has_types(indices: Option<&Value>) -> bool {
    indices
        .and_then(Value::as_array)
        .is_some_and(|indices| indices.iter().any(|index| index.get("types").is_some()))
}
