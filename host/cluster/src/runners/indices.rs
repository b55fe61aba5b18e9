//! Operations on lists of indices, data streams and templates: one or more requests for each.

use http::Method;
use serde_json::{Map, Value, json};

use super::call::Call;
use super::common::{flag, mandatory};
use super::session::{Done, Session, Stop};
use crate::http::encode_path;

/// Setting that forbids to delete indices by a pattern.
const REQUIRES_NAME: &str = "action.destructive_requires_name";

/// What can be created and deleted by name, and where it is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `create-data-stream`, `delete-data-stream`.
    DataStream,
    /// `create-index-template`, `delete-index-template`.
    IndexTemplate,
    /// `create-composable-template`, `delete-composable-template`.
    ComposableTemplate,
    /// `create-component-template`, `delete-component-template`.
    ComponentTemplate,
}

impl Kind {
    fn path(self, name: &str) -> String {
        let name = encode_path(name);
        match self {
            Kind::DataStream => format!("/_data_stream/{name}"),
            Kind::IndexTemplate => format!("/_template/{name}"),
            Kind::ComposableTemplate => format!("/_index_template/{name}"),
            Kind::ComponentTemplate => format!("/_component_template/{name}"),
        }
    }

    /// Where it can be asked for with `HEAD`. Data streams are looked for among indices, as Rally does it.
    fn existence(self, name: &str) -> String {
        match self {
            Kind::DataStream => format!("/{}", encode_path(name)),
            other => other.path(name),
        }
    }
}

/// A list that the parameters must have.
fn list<'v>(values: &'v Map<String, Value>, key: &str) -> Result<&'v [Value], String> {
    match mandatory(values, key)? {
        Value::Array(list) => Ok(list),
        other => Err(format!("'{key}' is {other} but must be a list")),
    }
}

fn text<'v>(value: Option<&'v Value>, key: &str) -> Result<&'v str, String> {
    match value {
        Some(Value::String(text)) => Ok(text),
        other => Err(format!("'{key}' holds {} where a name must be", other.unwrap_or(&Value::Null))),
    }
}

/// A pair of a name and a body.
fn pair<'v>(value: &'v Value, key: &str) -> Result<(&'v str, &'v Value), String> {
    Ok((text(value.get(0), key)?, value.get(1).unwrap_or(&Value::Null)))
}

/// `create-index`: all `indices`, pairs of a name and a body.
pub async fn create_indices(session: &mut Session<'_>) -> Result<Done, Stop> {
    let indices = list(session.values, "indices")?;
    for index in indices {
        let (name, body) = pair(index, "indices")?;
        let body = if body.as_object().is_some_and(Map::is_empty) { &Value::Null } else { body };
        let call = Call::put(format!("/{}", encode_path(name))).body(body);
        session.done(call.given(session.values)?).await?;
    }
    Ok(Done::ops(indices.len()))
}

/// `delete-index`: all `indices`, by name or pattern.
pub async fn delete_indices(session: &mut Session<'_>) -> Result<Done, Stop> {
    let indices = list(session.values, "indices")?;
    let only_if_exists = flag(session.values, &["only-if-exists"])?.unwrap_or(false);
    let names = indices.iter().map(|name| text(Some(name), "indices")).collect::<Result<Vec<_>, _>>()?;
    let mut patterns = Patterns::default();
    if names.iter().any(|name| is_pattern(name)) {
        patterns.allow(session).await?;
    }
    let deleted = delete_named_indices(session, &names, only_if_exists).await;
    patterns.restore(session).await?;
    Ok(Done::ops(deleted?))
}

async fn delete_named_indices(
    session: &mut Session<'_>,
    names: &[&str],
    only_if_exists: bool,
) -> Result<usize, Stop> {
    let mut deleted = 0;
    for name in names {
        let path = format!("/{}", encode_path(name));
        if only_if_exists && !session.exists(path.clone()).await? {
            continue;
        }
        let call = Call::delete(path);
        let call = if only_if_exists { call } else { call.ignoring(404) };
        session.done(call.given(session.values)?).await?;
        deleted += 1;
    }
    Ok(deleted)
}

/// `create-data-stream`: all `data-streams`.
pub async fn create_data_streams(session: &mut Session<'_>) -> Result<Done, Stop> {
    let names = list(session.values, "data-streams")?;
    for name in names {
        let call = Call::put(Kind::DataStream.path(text(Some(name), "data-streams")?));
        session.done(call.given(session.values)?).await?;
    }
    Ok(Done::ops(names.len()))
}

/// `delete-data-stream`: all `data-streams`.
pub async fn delete_data_streams(session: &mut Session<'_>) -> Result<Done, Stop> {
    let names = list(session.values, "data-streams")?;
    let only_if_exists = flag(session.values, &["only-if-exists"])?.unwrap_or(true);
    let mut deleted = 0;
    for name in names {
        let name = text(Some(name), "data-streams")?;
        deleted += delete_one(session, Kind::DataStream, name, only_if_exists).await?;
    }
    Ok(Done::ops(deleted))
}

/// Deletes one thing, or finds that it is not there. How many operations that was.
async fn delete_one(
    session: &mut Session<'_>,
    kind: Kind,
    name: &str,
    only_if_exists: bool,
) -> Result<usize, Stop> {
    if only_if_exists && !session.exists(kind.existence(name)).await? {
        return Ok(0);
    }
    let call = Call::delete(kind.path(name));
    let call = if only_if_exists { call } else { call.ignoring(404) };
    session.done(call.given(session.values)?).await?;
    Ok(1)
}

/// `create-…-template`: all `templates`, pairs of a name and a body.
pub async fn create_templates(session: &mut Session<'_>, kind: Kind) -> Result<Done, Stop> {
    let templates = list(session.values, "templates")?;
    for template in templates {
        let (name, body) = pair(template, "templates")?;
        let call = Call::put(kind.path(name));
        let call = if kind == Kind::ComponentTemplate {
            let inner = body.get("template").ok_or_else(|| {
                format!(
                    "the body of component template '{name}' has no 'template', which is what it stands for"
                )
            })?;
            // What else there is, such as a version or meta-data, is nothing that Rally would send.
            call.body(&json!({ "template": inner }))
        } else {
            call.body(body)
        };
        session.done(call.given(session.values)?).await?;
    }
    Ok(Done::ops(templates.len()))
}

/// `delete-component-template`: all `templates` by name.
pub async fn delete_component_templates(session: &mut Session<'_>) -> Result<Done, Stop> {
    let names = list(session.values, "templates")?;
    let only_if_exists = flag(session.values, &["only-if-exists"])?.unwrap_or(true);
    let mut deleted = 0;
    for name in names {
        let name = text(Some(name), "templates")?;
        deleted += delete_one(session, Kind::ComponentTemplate, name, only_if_exists).await?;
    }
    Ok(Done::ops(deleted))
}

/// `delete-index-template` and `delete-composable-template`: all `templates`, each a name, whether the indices that it applies
/// to are deleted with it, and their pattern.
pub async fn delete_templates(session: &mut Session<'_>, kind: Kind) -> Result<Done, Stop> {
    let mut patterns = Patterns::default();
    let deleted = delete_all_templates(session, kind, &mut patterns).await;
    patterns.restore(session).await?;
    Ok(Done::ops(deleted? + patterns.requests))
}

async fn delete_all_templates(
    session: &mut Session<'_>,
    kind: Kind,
    patterns: &mut Patterns,
) -> Result<usize, Stop> {
    let only_if_exists = flag(session.values, &["only-if-exists"])?.unwrap_or(false);
    let mut operations = 0;
    for template in list(session.values, "templates")? {
        let name = text(template.get(0), "templates")?;
        operations += delete_one(session, kind, name, only_if_exists).await?;
        let with_indices = template.get(1).and_then(Value::as_bool).unwrap_or(false);
        let pattern = template.get(2).and_then(Value::as_str).filter(|pattern| !pattern.is_empty());
        if let (true, Some(pattern), false) = (with_indices, pattern, session.environment.serverless) {
            patterns.allow(session).await?;
            session.done(Call::delete(format!("/{}", encode_path(pattern)))).await?;
            operations += 1;
        }
    }
    Ok(operations)
}

fn is_pattern(name: &str) -> bool {
    name.contains('*') || name.split(',').any(|name| name == "_all")
}

/// Leave to delete indices by a pattern, for as long as it takes. Rally asks for it always; here it is asked for where a
/// pattern is deleted: nobody changes settings of a cluster without need.
#[derive(Debug, Default)]
struct Patterns {
    /// The setting before; set once it was changed.
    before: Option<Value>,
    /// Requests that were needed, as Rally counts them: one for each change.
    requests: usize,
}

impl Patterns {
    async fn allow(&mut self, session: &mut Session<'_>) -> Result<(), Stop> {
        if self.before.is_some() || session.environment.serverless {
            return Ok(());
        }
        let settings = Call::get("/_cluster/settings").parameter("flat_settings", true);
        let settings: Value = session.json(settings).await?;
        let before = settings.get("transient").and_then(|settings| settings.get(REQUIRES_NAME));
        self.set(session, &json!(false)).await?;
        self.before = Some(before.cloned().unwrap_or_default());
        Ok(())
    }

    async fn restore(&mut self, session: &mut Session<'_>) -> Result<(), Stop> {
        match self.before.take() {
            None => Ok(()),
            Some(before) => self.set(session, &before).await,
        }
    }

    async fn set(&mut self, session: &mut Session<'_>, value: &Value) -> Result<(), Stop> {
        let body = json!({"transient": {REQUIRES_NAME: value}});
        session.done(Call::new(Method::PUT, "/_cluster/settings").body(&body)).await?;
        self.requests += 1;
        Ok(())
    }
}
