//! Elasticsearch and OpenSearch over HTTP: client, built-in operations and parameter sources, telemetry.
