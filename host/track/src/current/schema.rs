//! The JSON schema of the dialect.

use std::sync::LazyLock;

use jsonschema::Draft;

use crate::reading::Schema;

/// Text of the schema of Rally's current track dialect, with a description of every key.
pub const TRACK_SCHEMA: &str = include_str!("../../resources/track-schema.json");

/// Ready for use. As in Rally it is of draft 4: `5.0` is no integer there.
pub(super) static SCHEMA: LazyLock<Schema> =
    LazyLock::new(|| Schema::new(TRACK_SCHEMA, Draft::Draft4, "definitions", |_| false));

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::reading::assert_every_key_is_described;

    #[test]
    fn is_a_valid_schema() {
        let schema: Value = serde_json::from_str(TRACK_SCHEMA).unwrap();
        assert!(jsonschema::draft4::meta::is_valid(&schema));
        assert_eq!(SCHEMA.names(), [Schema::TRACK]);
    }

    #[test]
    fn every_key_is_described() {
        assert_every_key_is_described(TRACK_SCHEMA, "definitions");
    }
}
