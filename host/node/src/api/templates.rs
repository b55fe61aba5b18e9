//! Legacy templates.

use crate::cluster::Template;
use crate::error::EsError;
use crate::http::{Request, Response};
use crate::node::State;
use serde_json::{Map, Value};
use std::sync::Arc;

/// `PUT _template/{name}`.
pub fn put(state: &Arc<State>, request: &Request) -> Result<Response, EsError> {
    let typed = request.parameters.boolean("include_type_name", false)?;
    let create = request.parameters.boolean("create", false)?;
    let name = request.capture("name");
    if name.is_empty()
        || name.contains([' ', ',', '#', '*'])
        || name.starts_with('_')
        || name.to_lowercase() != name
    {
        return Err(EsError::illegal_argument(format!(
            "invalid template name [{name}]: lower case without spaces, commas, '#', '*' or a leading '_' is expected"
        )));
    }
    let mut template = Template::parse(&request.json()?, typed)?;
    if let Some(order) = request.parameters.get("order") {
        template.order = order.parse().map_err(|_| {
            EsError::illegal_argument(format!("Failed to parse int parameter [order] with value [{order}]"))
        })?;
    }
    state.cluster.put_template(name, template, create)?;
    Ok(Response::acknowledged())
}

/// `GET _template` and `GET _template/{name}`.
pub fn get(state: &Arc<State>, request: &Request) -> Result<Response, EsError> {
    let typed = request.parameters.boolean("include_type_name", false)?;
    let flat = request.parameters.boolean("flat_settings", false)?;
    let name = request.capture("name");
    let found = state.cluster.templates(name);
    let missing = found.is_empty() && !name.is_empty() && !name.contains('*');
    let body: Map<String, Value> =
        found.into_iter().map(|(name, template)| (name, template.to_json(flat, typed))).collect();
    Ok(Response::json(if missing { 404 } else { 200 }, Value::Object(body)))
}

/// `HEAD _template/{name}`.
pub fn exists(state: &Arc<State>, request: &Request) -> Result<Response, EsError> {
    let found = !state.cluster.templates(request.capture("name")).is_empty();
    Ok(Response::empty(if found { 200 } else { 404 }))
}

/// `DELETE _template/{name}`.
pub fn delete(state: &Arc<State>, request: &Request) -> Result<Response, EsError> {
    state.cluster.delete_templates(request.capture("name"))?;
    Ok(Response::acknowledged())
}
