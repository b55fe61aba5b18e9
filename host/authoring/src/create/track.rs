//! Puts the files of the new track together.

use std::fs;
use std::path::{Path, PathBuf};

use rally_cluster::{Api, Cluster};
use serde_json::{Map, Value, json};

use super::dump::{DumpedCorpus, dump};
use super::source::{self, FoundIndex};
use super::{CreateError, CreateOptions, CreateProgress, Selection};
use crate::text::{CLUSTER_HEALTH, json_parameter, parameter, template_text};

/// A track that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatedTrack {
    /// Names of its indices or data streams.
    pub names: Vec<String>,
    /// The documents of those that have any.
    pub corpora: Vec<DumpedCorpus>,
}

/// Makes a track of what a cluster holds: bodies of indices (or templates of data streams), documents, and a challenge that
/// indexes them.
///
/// # Errors
/// Where nothing is called so, the cluster does not answer, or files cannot be written.
pub async fn create(
    cluster: &Cluster,
    options: &CreateOptions,
    progress: &impl CreateProgress,
) -> Result<CreatedTrack, CreateError> {
    let mut api = cluster.api();
    // What is cheap to read comes first: wrong names show before anything large is read.
    let (names, mut spec, bodies) = match &options.selection {
        Selection::Indices(patterns) => indices(&mut api, patterns).await?,
        Selection::DataStreams(patterns) => data_streams(&mut api, patterns).await?,
    };
    for (file, body) in &bodies {
        write(&options.folder, file, &template_text(body))?;
    }
    let mut corpora = Vec::new();
    for name in &names {
        corpora.extend(dump(&mut api, name, options.batch_size, &options.folder, progress).await?);
    }
    let target = match options.selection {
        Selection::Indices(_) => "target-index",
        Selection::DataStreams(_) => "target-data-stream",
    };
    if !corpora.is_empty() {
        spec.insert("corpora".to_owned(), corpora.iter().map(|corpus| corpus_spec(corpus, target)).collect());
    }
    let description = format!("Documents of {} as a cluster held them", names.join(", "));
    let mut track = Map::new();
    track.insert("version".to_owned(), json!(2));
    track.insert("description".to_owned(), json!(description));
    track.extend(spec);
    // The parts below are templates of their own: their places in the list are taken by what collects them.
    track.insert("operations".to_owned(), json!([COLLECT_OPERATIONS]));
    track.insert("challenges".to_owned(), json!([COLLECT_CHALLENGES]));
    let text = template_text(&Value::Object(track))
        .replace(&format!("\"{COLLECT_OPERATIONS}\""), "{{ rally.collect(parts=\"operations/*.json\") }}")
        .replace(&format!("\"{COLLECT_CHALLENGES}\""), "{{ rally.collect(parts=\"challenges/*.json\") }}");
    let text = format!("{{% import \"rally.helpers\" as rally with context %}}\n{text}");
    write(&options.folder, "track.json", &text)?;
    let has_documents = !corpora.is_empty();
    let (operations, challenge) = work(&options.selection, &names, has_documents);
    let operations: Vec<String> =
        operations.iter().map(|operation| template_text(operation).trim_end().to_owned()).collect();
    write(&options.folder, "operations/default.json", &format!("{}\n", operations.join(",\n")))?;
    write(&options.folder, "challenges/default.json", &template_text(&challenge))?;
    Ok(CreatedTrack { names, corpora })
}

const COLLECT_OPERATIONS: &str = "collect-operations";
const COLLECT_CHALLENGES: &str = "collect-challenges";

/// Names, parts of the track, and files with bodies.
type Parts = (Vec<String>, Map<String, Value>, Vec<(String, Value)>);

async fn indices(api: &mut Api, patterns: &[String]) -> Result<Parts, CreateError> {
    let mut found: Vec<FoundIndex> = Vec::new();
    for pattern in patterns {
        for index in source::indices(api, pattern).await? {
            if !found.iter().any(|known| known.name == index.name) {
                found.push(index);
            }
        }
    }
    let mut bodies = Vec::new();
    let mut specs = Vec::new();
    for index in &found {
        let file = body_file(&index.name);
        specs.push(json!({ "name": index.name, "body": file }));
        bodies.push((file, json!({ "mappings": index.mappings, "settings": { "index": settings(index) } })));
    }
    let mut spec = Map::new();
    spec.insert("indices".to_owned(), Value::Array(specs));
    Ok((found.into_iter().map(|index| index.name).collect(), spec, bodies))
}

/// Where the body of an index goes. Names of other files of the track are taken; no index has a name with a slash.
fn body_file(index: &str) -> String {
    let taken = index == "track" || index.ends_with("-documents") || index.ends_with("-documents-1k");
    format!("{}{index}.json", if taken { "indices/" } else { "" })
}

async fn data_streams(api: &mut Api, patterns: &[String]) -> Result<Parts, CreateError> {
    let mut names: Vec<String> = Vec::new();
    let (mut streams, mut templates, mut bodies) = (Vec::new(), Vec::new(), Vec::new());
    for pattern in patterns {
        for stream in source::data_streams(api, pattern).await? {
            if names.contains(&stream.name) {
                continue;
            }
            let (template, file) =
                (format!("{}-template", stream.name), format!("{}-template.json", stream.name));
            streams.push(json!({ "name": stream.name }));
            templates.push(json!({
                "name": template, "index-pattern": stream.name, "delete-matching-indices": false, "template": file,
            }));
            let mut settings = settings(&stream.write_index);
            // The cluster hides what is behind a data stream by itself.
            settings.shift_remove("hidden");
            let body = json!({
                "index_patterns": [stream.name],
                "data_stream": {},
                "priority": 500,
                "template": {
                    "mappings": stream.write_index.mappings,
                    "settings": { "index": settings },
                },
            });
            bodies.push((file, body));
            names.push(stream.name);
        }
    }
    let mut spec = Map::new();
    spec.insert("data-streams".to_owned(), Value::Array(streams));
    spec.insert("composable-templates".to_owned(), Value::Array(templates));
    Ok((names, spec, bodies))
}

/// Settings of an index; how many shards and replicas is for the user of the track to say.
fn settings(index: &FoundIndex) -> Map<String, Value> {
    let mut settings = index.settings.clone();
    for key in ["number_of_shards", "number_of_replicas"] {
        if let Some(value) = settings.get_mut(key) {
            let number = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            *value = json!(parameter(key, &number));
        }
    }
    settings
}

fn corpus_spec(corpus: &DumpedCorpus, target: &str) -> Value {
    json!({
        "name": corpus.name,
        "documents": [{
            target: corpus.name,
            "source-file": corpus.file_name,
            "document-count": corpus.documents,
            "compressed-bytes": corpus.compressed_bytes,
            "uncompressed-bytes": corpus.uncompressed_bytes,
        }],
    })
}

/// Names in a path are at most this long together; servers refuse lines of more than 4 kB.
const LONGEST_NAMES: usize = 3000;

/// Operations, and the challenge that uses them. Whatever else the cluster holds is neither waited for nor searched.
fn work(selection: &Selection, names: &[String], has_documents: bool) -> (Vec<Value>, Value) {
    let names = Some(names.join(",")).filter(|names| names.len() <= LONGEST_NAMES);
    let mut operations = Vec::new();
    let mut schedule = match selection {
        Selection::Indices(_) => {
            vec![
                json!({ "operation": "delete-index" }),
                json!({ "operation": {
                "operation-type": "create-index", "settings": json_parameter("index_settings", "{}"),
            } }),
            ]
        }
        Selection::DataStreams(_) => vec![
            json!({ "operation": "delete-data-stream" }),
            json!({ "operation": "delete-composable-template" }),
            json!({ "operation": "create-composable-template" }),
            json!({ "operation": "create-data-stream" }),
        ],
    };
    let mut health = json!({
        "operation-type": "cluster-health",
        "request-params": { "wait_for_status": CLUSTER_HEALTH, "wait_for_no_relocating_shards": "true" },
        "retry-until-success": true,
    });
    if let Some(names) = &names {
        health["index"] = json!(names);
    }
    schedule.push(json!({ "name": "check-cluster-health", "operation": health }));
    if has_documents {
        operations.push(json!({
            "name": "index-append",
            "operation-type": "bulk",
            "bulk-size": parameter("bulk_size", "5000"),
            "ingest-percentage": parameter("ingest_percentage", "100"),
        }));
        schedule.push(json!({
            "operation": "index-append",
            "clients": parameter("bulk_indexing_clients", "8"),
            "warmup-time-period": 0,
        }));
        schedule.push(json!({ "operation": "refresh" }));
    }
    let (key, all) = match selection {
        Selection::Indices(_) => ("index", "_all"),
        Selection::DataStreams(_) => ("data-stream", "*"),
    };
    operations.push(json!({
        "name": "match-all",
        "operation-type": "search",
        key: names.as_deref().unwrap_or(all),
        "body": { "query": { "match_all": {} } },
    }));
    schedule.push(json!({
        "operation": "match-all",
        "clients": parameter("search_clients", "1"),
        "warmup-iterations": 100,
        "iterations": 100,
    }));
    let challenge = json!({
        "name": "default",
        "description": "Indexes all documents, then searches them",
        "default": true,
        "schedule": schedule,
    });
    (operations, challenge)
}

fn write(folder: &Path, name: &str, text: &str) -> Result<(), CreateError> {
    let path: PathBuf = folder.join(name);
    if name.contains("..") || name.starts_with('/') {
        return Err(CreateError::Name { name: name.to_owned() });
    }
    path.parent()
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| fs::write(&path, text))
        .map_err(|cause| CreateError::Write { path, cause })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_index_takes_the_place_of_another_file() {
        assert_eq!(body_file("places"), "places.json");
        for index in ["track", "places-documents", "places-documents-1k"] {
            assert_eq!(body_file(index), format!("indices/{index}.json"));
        }
    }
}
