//! Operations of one request: what is sent for the parameters of each. Names of parameters are Rally's.

use serde_json::{Map, Value, json};

use super::call::Call;
use super::common::{flag, mandatory, mandatory_text, named, names};
use super::session::Environment;
use crate::http::encode_path;

type Values = Map<String, Value>;
type Made = Result<Call, String>;

/// Indices that all operations mean that name none.
const ALL: &str = "_all";

fn name(values: &Values, key: &str) -> Result<String, String> {
    mandatory_text(values, key).map(encode_path)
}

/// `/{index}/suffix`, or `/suffix` for all indices.
fn on_indices(values: &Values, suffix: &str) -> Result<String, String> {
    Ok(match names(values, "index")?.filter(|index| index != ALL) {
        Some(index) => format!("/{index}/{suffix}"),
        None => format!("/{suffix}"),
    })
}

/// `force-merge` that waits for its answer.
pub fn force_merge(environment: &Environment, values: &Values) -> Made {
    let path = on_indices(values, environment.capabilities.force_merge_path)?;
    Call::post(path)
        .taken("max_num_segments", values, &["max-num-segments", "max_num_segments"])
        .given(values)
}

/// `index-stats`.
pub fn index_stats(_: &Environment, values: &Values) -> Made {
    Call::get(on_indices(values, "_stats/_all")?).given(values)
}

/// `node-stats`.
pub fn node_stats(_: &Environment, _: &Values) -> Made {
    Ok(Call::get("/_nodes/stats/_all"))
}

/// `cluster-health`.
pub fn cluster_health(_: &Environment, values: &Values) -> Made {
    let path = match names(values, "index")? {
        Some(index) => format!("/_cluster/health/{index}"),
        None => "/_cluster/health".to_owned(),
    };
    Call::get(path).given(values)
}

/// `refresh`.
pub fn refresh(_: &Environment, values: &Values) -> Made {
    Call::post(on_indices(values, "_refresh")?).given(values)
}

/// `put-pipeline`.
pub fn put_pipeline(_: &Environment, values: &Values) -> Made {
    let path = format!("/_ingest/pipeline/{}", name(values, "id")?);
    Call::put(path)
        .body(mandatory(values, "body")?)
        .taken("master_timeout", values, &["master-timeout"])
        .taken("timeout", values, &["timeout"])
        .given(values)
}

/// `put-settings`.
pub fn put_settings(_: &Environment, values: &Values) -> Made {
    Call::put("/_cluster/settings").body(mandatory(values, "body")?).given(values)
}

/// `raw-request`: its path is the user's own, with or without parameters.
pub fn raw_request(_: &Environment, values: &Values) -> Made {
    let given = mandatory_text(values, "path")?;
    if !given.starts_with('/') {
        return Err(format!("'path' is '{given}' but must begin with a '/'"));
    }
    let method = match named(values, &["method"]) {
        None => http::Method::GET,
        Some((key, Value::String(method))) => method
            .to_ascii_uppercase()
            .parse()
            .map_err(|_| format!("'{key}' is '{method}', which is no method of HTTP"))?,
        Some((key, other)) => return Err(format!("'{key}' is {other} but must be a method of HTTP")),
    };
    let (path, query) = given.split_once('?').unwrap_or((given, ""));
    let mut call = Call::new(method, sendable(path));
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        call = call.parameter(&decoded(key), decoded(value));
    }
    let call = call.given(values)?;
    Ok(match named(values, &["body"]) {
        Some((_, Value::Array(lines))) if of_lines(values) => {
            let mut text = String::new();
            for line in lines {
                match line {
                    Value::String(line) => text.push_str(line),
                    line => text.push_str(&line.to_string()),
                }
                text.push('\n');
            }
            call.bytes(text.into())
        }
        Some((_, body)) => call.body(body),
        None => call,
    })
}

/// Whether the headers say that the body is made of lines.
fn of_lines(values: &Values) -> bool {
    let headers = named(values, &["headers"]).and_then(|(_, headers)| headers.as_object());
    headers.into_iter().flatten().any(|(name, value)| {
        name.eq_ignore_ascii_case("content-type")
            && value.as_str().is_some_and(|kind| kind.contains("ndjson"))
    })
}

/// A path in which only what cannot be sent is encoded.
fn sendable(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_graphic() && !b"\"<>\\^`{|}#".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// A part of a query without its encoding; what is not encoded properly stays as it is.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let encoded = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match (first, encoded.and_then(|digits| u8::from_str_radix(digits, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            (b'+', _) => {
                bytes.push(b' ');
                rest = after;
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// `delete-snapshot-repository`.
pub fn delete_snapshot_repository(_: &Environment, values: &Values) -> Made {
    Call::delete(format!("/_snapshot/{}", name(values, "repository")?)).ignoring(404).given(values)
}

/// `create-snapshot-repository`.
pub fn create_snapshot_repository(_: &Environment, values: &Values) -> Made {
    let path = format!("/_snapshot/{}", name(values, "repository")?);
    Call::put(path).body(mandatory(values, "body")?).given(values)
}

/// `create-snapshot`.
pub fn create_snapshot(_: &Environment, values: &Values) -> Made {
    let path = format!("/_snapshot/{}/{}", name(values, "repository")?, name(values, "snapshot")?);
    let wait = flag(values, &["wait-for-completion"])?.unwrap_or(false);
    Call::put(path).body(mandatory(values, "body")?).parameter("wait_for_completion", wait).given(values)
}

/// `restore-snapshot`.
pub fn restore_snapshot(_: &Environment, values: &Values) -> Made {
    let path = format!("/_snapshot/{}/{}/_restore", name(values, "repository")?, name(values, "snapshot")?);
    let wait = flag(values, &["wait-for-completion"])?.unwrap_or(false);
    let body = named(values, &["body"]).map_or_else(|| json!({}), |(_, body)| body.clone());
    Ok(Call::post(path).body(&body).given(values)?.parameter("wait_for_completion", wait))
}

/// `create-ilm-policy`.
pub fn create_ilm_policy(_: &Environment, values: &Values) -> Made {
    let path = format!("/_ilm/policy/{}", name(values, "policy-name")?);
    let policy = mandatory(values, "body")?.get("policy").filter(|policy| !policy.is_null());
    let policy =
        policy.ok_or("'body' has no 'policy', which is what is created: put its 'phases' below it")?;
    Call::put(path).body(&json!({ "policy": policy })).given(values)
}

/// `delete-ilm-policy`.
pub fn delete_ilm_policy(_: &Environment, values: &Values) -> Made {
    Call::delete(format!("/_ilm/policy/{}", name(values, "policy-name")?)).ignoring(404).given(values)
}

/// `field-caps`.
pub fn field_caps(_: &Environment, values: &Values) -> Made {
    let index = names(values, "index")?.unwrap_or_else(|| ALL.to_owned());
    let mut body = match named(values, &["body"]) {
        None => Map::new(),
        Some((_, Value::Object(body))) => body.clone(),
        Some((key, other)) => return Err(format!("'{key}' is {other} but must be an object")),
    };
    if let Some((_, filter)) = named(values, &["index_filter"]) {
        body.insert("index_filter".to_owned(), filter.clone());
    }
    let fields = named(values, &["fields"]).map_or_else(|| json!("*"), |(_, fields)| fields.clone());
    let call = Call::post(format!("/{index}/_field_caps")).parameter("fields", fields).given(values)?;
    Ok(if body.is_empty() { call } else { call.body(&Value::Object(body)) })
}

/// The body of an ES|QL query.
fn esql_body(values: &Values) -> Result<Map<String, Value>, String> {
    let mut body = match named(values, &["body"]) {
        None => Map::new(),
        Some((_, Value::Object(body))) => body.clone(),
        Some((key, other)) => return Err(format!("'{key}' is {other} but must be an object")),
    };
    body.insert("query".to_owned(), mandatory(values, "query")?.clone());
    let filter = named(values, &["filter"]).map(|(_, filter)| filter);
    if let Some(filter) = filter.filter(|filter| filter.as_object().is_none_or(|filter| !filter.is_empty())) {
        body.insert("filter".to_owned(), filter.clone());
    }
    Ok(body)
}

/// `esql`.
pub fn esql(_: &Environment, values: &Values) -> Made {
    Call::post("/_query").body(&Value::Object(esql_body(values)?)).given(values)
}

/// `esql-profile`.
pub fn esql_profile(_: &Environment, values: &Values) -> Made {
    let mut body = esql_body(values)?;
    body.insert("profile".to_owned(), Value::Bool(true));
    Call::post("/_query").body(&Value::Object(body)).given(values)
}

/// `downsample`.
pub fn downsample(_: &Environment, values: &Values) -> Made {
    let interval = mandatory(values, "fixed-interval")?;
    let path = format!("/{}/_downsample/{}", name(values, "source-index")?, name(values, "target-index")?);
    let mut body = Map::from_iter([("fixed_interval".to_owned(), interval.clone())]);
    if let Some((_, method)) = named(values, &["sampling-method"]) {
        body.insert("sampling_method".to_owned(), method.clone());
    }
    Call::post(path).body(&Value::Object(body)).given(values)
}

fn transform(values: &Values, suffix: &str) -> Result<String, String> {
    Ok(format!("/_transform/{}{suffix}", name(values, "transform-id")?))
}

/// `create-transform`.
pub fn create_transform(_: &Environment, values: &Values) -> Made {
    let defer = flag(values, &["defer-validation"])?.unwrap_or(false);
    Call::put(transform(values, "")?)
        .body(mandatory(values, "body")?)
        .parameter("defer_validation", defer)
        .given(values)
}

/// `start-transform`.
pub fn start_transform(_: &Environment, values: &Values) -> Made {
    Call::post(transform(values, "/_start")?).taken("timeout", values, &["timeout"]).given(values)
}

/// `delete-transform`.
pub fn delete_transform(_: &Environment, values: &Values) -> Made {
    let force = flag(values, &["force"])?.unwrap_or(false);
    Call::delete(transform(values, "")?).parameter("force", force).ignoring(404).given(values)
}

/// `transform-stats`.
pub fn transform_stats(_: &Environment, values: &Values) -> Made {
    Call::get(transform(values, "/_stats")?).given(values)
}

fn ml(environment: &Environment, kind: &str, id: String, suffix: &str) -> String {
    format!("/{}/{kind}/{id}{suffix}", environment.capabilities.machine_learning_path)
}

fn datafeed(environment: &Environment, values: &Values, suffix: &str) -> Result<String, String> {
    Ok(ml(environment, "datafeeds", name(values, "datafeed-id")?, suffix))
}

fn job(environment: &Environment, values: &Values, suffix: &str) -> Result<String, String> {
    Ok(ml(environment, "anomaly_detectors", name(values, "job-id")?, suffix))
}

/// `create-ml-datafeed`.
pub fn create_ml_datafeed(environment: &Environment, values: &Values) -> Made {
    Call::put(datafeed(environment, values, "")?).body(mandatory(values, "body")?).given(values)
}

/// `delete-ml-datafeed`.
pub fn delete_ml_datafeed(environment: &Environment, values: &Values) -> Made {
    let force = flag(values, &["force"])?.unwrap_or(false);
    Call::delete(datafeed(environment, values, "")?).parameter("force", force).ignoring(404).given(values)
}

/// `start-ml-datafeed`.
pub fn start_ml_datafeed(environment: &Environment, values: &Values) -> Made {
    let mut body = match named(values, &["body"]) {
        None => Map::new(),
        Some((_, Value::Object(body))) => body.clone(),
        Some((key, other)) => return Err(format!("'{key}' is {other} but must be an object")),
    };
    for key in ["start", "end", "timeout"] {
        if let Some((_, value)) = named(values, &[key]) {
            body.insert(key.to_owned(), value.clone());
        }
    }
    let call = Call::post(datafeed(environment, values, "/_start")?).given(values)?;
    Ok(if body.is_empty() { call } else { call.body(&Value::Object(body)) })
}

/// `stop-ml-datafeed`.
pub fn stop_ml_datafeed(environment: &Environment, values: &Values) -> Made {
    let force = flag(values, &["force"])?.unwrap_or(false);
    Call::post(datafeed(environment, values, "/_stop")?)
        .parameter("force", force)
        .taken("timeout", values, &["timeout"])
        .given(values)
}

/// `create-ml-job`.
pub fn create_ml_job(environment: &Environment, values: &Values) -> Made {
    Call::put(job(environment, values, "")?).body(mandatory(values, "body")?).given(values)
}

/// `delete-ml-job`.
pub fn delete_ml_job(environment: &Environment, values: &Values) -> Made {
    let force = flag(values, &["force"])?.unwrap_or(false);
    Call::delete(job(environment, values, "")?).parameter("force", force).ignoring(404).given(values)
}

/// `open-ml-job`.
pub fn open_ml_job(environment: &Environment, values: &Values) -> Made {
    Call::post(job(environment, values, "/_open")?).given(values)
}

/// `close-ml-job`.
pub fn close_ml_job(environment: &Environment, values: &Values) -> Made {
    let force = flag(values, &["force"])?.unwrap_or(false);
    Call::post(job(environment, values, "/_close")?)
        .parameter("force", force)
        .taken("timeout", values, &["timeout"])
        .given(values)
}
