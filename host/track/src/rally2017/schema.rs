//! The JSON schema of the dialect.

use std::sync::LazyLock;

use jsonschema::Draft;

use crate::reading::Schema;

/// Text of the schema, with a description of every key.
pub const TRACK_2017_SCHEMA: &str = include_str!("../../resources/track-2017-schema.json");

/// A task whose scheduler takes no parameters.
pub(super) const TASK_OF_BUILT_IN_SCHEDULER: &str = "task-of-built-in-scheduler";

/// All definitions by name.
pub(super) static SCHEMA: LazyLock<Schema> =
    LazyLock::new(|| Schema::new(TRACK_2017_SCHEMA, Draft::Draft202012, "$defs", |_| true));

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::reading::assert_every_key_is_described;

    #[test]
    fn is_a_valid_schema() {
        let schema: Value = serde_json::from_str(TRACK_2017_SCHEMA).unwrap();
        assert!(jsonschema::draft202012::meta::is_valid(&schema));
        assert_eq!(SCHEMA.names().len(), schema["$defs"].as_object().unwrap().len() + 1);
    }

    #[test]
    fn every_key_is_described() {
        assert_every_key_is_described(TRACK_2017_SCHEMA, "$defs");
    }
}
