//! A track in the form that the golden cases of Rally 2.13 have.

use rally_track::{CompletedBy, Documents, Element, IndexTemplate, Operation, OperationType, Task, Track};
use serde_json::{Map, Value, json};

/// What a part of a track looks like: a missing key means null, or that there is nothing in it.
fn object(members: Vec<(&str, Value)>) -> Value {
    let is_something = |value: &Value| match value {
        Value::Null => false,
        Value::Object(members) => !members.is_empty(),
        _ => true,
    };
    members
        .into_iter()
        .filter(|(_, value)| is_something(value))
        .map(|(key, value)| (key.to_owned(), value))
        .collect::<Map<_, _>>()
        .into()
}

/// Operations in the order of their first use, those with equal content once.
#[derive(Default)]
pub struct Operations(Vec<Value>);

impl Operations {
    fn number_of(&mut self, operation: &Operation) -> usize {
        let kind = OperationType::named(&operation.operation_type);
        let including = operation.params.get("include-in-reporting").cloned().unwrap_or(json!(true));
        let shown = object(vec![
            ("name", json!(operation.name)),
            ("type", json!(operation.operation_type)),
            ("core", json!(kind.is_some())),
            ("admin", json!(kind.map(OperationType::is_administrative))),
            ("serverless_status", json!(kind.map(|kind| kind.serverless_status().name()))),
            ("include_in_reporting", including),
            ("meta", json!(operation.meta)),
            ("param_source", json!(operation.param_source)),
        ]);
        let mut shown = shown;
        shown["params"] = json!(operation.params);
        self.0.iter().position(|other| *other == shown).unwrap_or_else(|| {
            self.0.push(shown);
            self.0.len() - 1
        })
    }
}

fn seconds(value: Option<f64>) -> Value {
    json!(value.map(|seconds| seconds as u64))
}

pub fn shown_task(task: &Task, completed_by: Option<&CompletedBy>, operations: &mut Operations) -> Value {
    let mut params = task.params.clone();
    params.remove("operation");
    let mut shown = object(vec![
        ("name", json!(task.name)),
        ("op", json!(operations.number_of(&task.operation))),
        ("clients", json!(task.clients)),
        ("tags", if task.tags.is_empty() { Value::Null } else { json!(task.tags) }),
        ("meta", json!(task.meta)),
        ("warmup_iterations", json!(task.warmup_iterations)),
        ("iterations", json!(task.iterations)),
        ("warmup_time_period", seconds(task.warmup_time_period)),
        ("time_period", seconds(task.time_period)),
        ("ramp_up_time_period", seconds(task.ramp_up_time_period)),
        ("schedule", task.params.get("schedule").cloned().unwrap_or_default()),
        (
            "target_throughput",
            task.target
                .as_ref()
                .map_or(Value::Null, |target| json!({"value": target.per_second(), "unit": target.unit()})),
        ),
        (
            "completes_parent",
            if completed_by == Some(&CompletedBy::Task(task.name.clone())) {
                json!(true)
            } else {
                Value::Null
            },
        ),
    ]);
    shown["params"] = Value::Object(params);
    shown
}

pub fn shown_documents(documents: &Documents) -> Value {
    let name = &documents.file_name;
    let plain = [".tar.gz", ".tar.bz2", ".bz2", ".gz", ".zst", ".zip"]
        .into_iter()
        .find_map(|extension| name.strip_suffix(extension));
    object(vec![
        ("source_format", json!("bulk")),
        ("document_archive", if plain.is_some() { json!(name) } else { Value::Null }),
        ("document_file", json!(plain.unwrap_or(name))),
        ("base_url", json!(documents.base_url)),
        ("number_of_documents", json!(documents.document_count)),
        ("number_of_lines", json!(documents.line_count())),
        ("includes_action_and_meta_data", json!(documents.includes_action_and_meta_data)),
        ("compressed_size_in_bytes", json!(documents.compressed_bytes)),
        ("uncompressed_size_in_bytes", json!(documents.uncompressed_bytes)),
        ("target_index", json!(documents.target_index)),
        ("target_type", json!(documents.target_type)),
        ("target_data_stream", json!(documents.target_data_stream)),
        ("meta", json!(documents.meta)),
    ])
}

fn shown_template(template: &IndexTemplate) -> Value {
    json!({
        "name": template.name,
        "index_pattern": template.index_pattern,
        "delete_matching_indices": template.delete_matching_indices,
        "content": template.template,
    })
}

/// The whole track, and its operations; `selected` is the challenge that was asked for.
pub fn shown(track: &Track, selected: Option<&str>) -> Value {
    let mut operations = Operations::default();
    let mut challenges = Vec::new();
    for challenge in &track.challenges {
        let mut schedule = Vec::new();
        for element in &challenge.schedule {
            let (parallel, completed_by) = match element {
                Element::Task(_) => (None, None),
                Element::Parallel(parallel) => (Some(parallel), parallel.completed_by.as_ref()),
            };
            let tasks: Vec<Value> =
                element.tasks().iter().map(|task| shown_task(task, completed_by, &mut operations)).collect();
            let sum: u32 = element.tasks().iter().map(|task| task.clients).sum();
            let explicit = parallel.and_then(|parallel| parallel.clients);
            schedule.push(object(vec![
                ("parallel", json!(parallel.is_some())),
                ("clients", json!(explicit.unwrap_or(sum))),
                ("clients_explicit", json!(explicit)),
                ("tasks", json!(tasks)),
            ]));
        }
        let info = &challenge.serverless_info;
        let is_selected = track.challenges.len() == 1 || selected == Some(challenge.name.as_str());
        challenges.push(object(vec![
            ("name", json!(challenge.name)),
            ("description", json!(challenge.description)),
            ("user_info", json!(challenge.user_info)),
            ("default", json!(challenge.default)),
            ("selected", json!(is_selected)),
            ("auto_generated", json!(challenge.auto_generated)),
            ("parameters", json!(challenge.parameters)),
            ("serverless_info", if info.is_empty() { Value::Null } else { json!(info) }),
            ("meta", json!(challenge.meta)),
            ("schedule", json!(schedule)),
        ]));
    }
    let corpora = track.corpora.iter().map(|corpus| {
        object(vec![
            ("name", json!(corpus.name)),
            ("meta", json!(corpus.meta)),
            ("documents", corpus.documents.iter().map(shown_documents).collect()),
        ])
    });
    let indices = track.indices.iter().map(|index| {
        let types: Vec<&String> = index.types.iter().map(|kind| &kind.name).collect();
        let mut shown = object(vec![
            ("name", json!(index.name)),
            ("types", if types.is_empty() { Value::Null } else { json!(types) }),
        ]);
        shown["body"] = json!(index.body);
        shown
    });
    let sum = |size: fn(&Documents) -> Option<u64>| {
        json!(track.document_sets().map(|(_, documents)| size(documents)).sum::<Option<u64>>())
    };
    let track = object(vec![
        ("name", json!(track.name)),
        ("description", json!(track.description)),
        ("meta", json!(track.meta)),
        ("indices", indices.collect()),
        ("data_streams", json!(track.data_streams)),
        ("templates", track.templates.iter().map(shown_template).collect()),
        ("composable_templates", track.composable_templates.iter().map(shown_template).collect()),
        (
            "component_templates",
            track
                .component_templates
                .iter()
                .map(|template| json!({"name": template.name, "content": template.template}))
                .collect(),
        ),
        ("corpora", corpora.collect()),
        ("dependencies", if track.dependencies.is_empty() { Value::Null } else { json!(track.dependencies) }),
        ("number_of_documents", sum(|documents| Some(documents.document_count))),
        ("compressed_size_in_bytes", sum(|documents| documents.compressed_bytes)),
        ("uncompressed_size_in_bytes", sum(|documents| documents.uncompressed_bytes)),
        ("challenges", json!(challenges)),
    ]);
    json!({ "track": track, "operations": operations.0 })
}
