//! How an error of a shard reaches the caller.

use crate::error::EsError;
use serde_json::{Value, json};

/// `error` of the search of `index` as Elasticsearch reports it when all shards fail: framed by the phase, the error
/// itself being the root cause.
pub fn all_shards_failed(index: &str, error: EsError) -> EsError {
    let error = if error.kind == "query_shard_exception" { error.detail("index", index) } else { error };
    let failed = json!([{ "shard": 0, "index": index, "reason": Value::Object(error.to_object()) }]);
    let mut framed = EsError::new(error.status, "search_phase_execution_exception", "all shards failed")
        .detail("phase", "query")
        .detail("grouped", true)
        .detail("failed_shards", failed)
        .caused_by(error);
    framed.root_is_cause = true;
    framed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_of_the_shard_is_the_root_cause() {
        let body = all_shards_failed("places", EsError::illegal_argument("no")).to_body();
        assert_eq!(body["status"], 400);
        assert_eq!(body["error"]["type"], "search_phase_execution_exception");
        assert_eq!(body["error"]["root_cause"][0]["type"], "illegal_argument_exception");
        assert_eq!(body["error"]["failed_shards"][0]["index"], "places");
        assert_eq!(body["error"]["failed_shards"][0]["reason"]["reason"], "no");
    }
}
