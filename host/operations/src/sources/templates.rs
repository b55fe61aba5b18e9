//! Index templates, composable templates and component templates: created and deleted.

use rally_track::IndexTemplate;
use serde_json::{Map, Value};

use super::context::{Context, pair};
use super::indices::merge_settings;
use crate::error::ParamError;
use crate::python;

/// Parameters of `create-index-template`: names and bodies under `templates`.
///
/// # Errors
/// Where there is nothing to create, or `settings` cannot be merged.
pub fn create_index_template(context: Context<'_>) -> Result<Map<String, Value>, ParamError> {
    let mut created = Vec::new();
    if context.track.templates.is_empty() {
        let (Some(name), Some(body)) = (context.given("template"), context.given("body")) else {
            return Err(context.explained(
                "'template' or 'body' is missing, and both are mandatory where the track has no templates",
                "Please set the properties 'template' and 'body' for the create-index-template operation",
            ));
        };
        created.push(pair(name.clone(), body.clone()));
    } else {
        for template in chosen(context, &context.track.templates) {
            let mut body = template.template.clone();
            if let (Value::Object(body), Some(settings)) = (&mut body, context.filled("settings"))
                && !body.is_empty()
            {
                merge_settings(context, body, settings)?;
            }
            created.push(pair(template.name.as_str(), body));
        }
    }
    Ok(context.with([("templates", Value::Array(created)), context.request_params()]))
}

/// Parameters of `create-composable-template`: names and bodies under `templates`, and nothing of the operation itself.
///
/// # Errors
/// Where there is nothing to create, no such template, or `settings` cannot be merged.
pub fn create_composable_template(context: Context<'_>) -> Result<Map<String, Value>, ParamError> {
    let own = &context.track.composable_templates;
    create_template(context, own.iter().map(|template| (template.name.as_str(), &template.template)))
}

/// Parameters of `create-component-template`: names and bodies under `templates`, and nothing of the operation itself.
///
/// # Errors
/// Where there is nothing to create, no such template, or `settings` cannot be merged.
pub fn create_component_template(context: Context<'_>) -> Result<Map<String, Value>, ParamError> {
    let own = &context.track.component_templates;
    create_template(context, own.iter().map(|template| (template.name.as_str(), &template.template)))
}

fn create_template<'a>(
    context: Context<'_>,
    own: impl ExactSizeIterator<Item = (&'a str, &'a Value)> + Clone,
) -> Result<Map<String, Value>, ParamError> {
    let mut created = Vec::new();
    if let (Some(name), Some(body)) = (context.given("template"), context.given("body")) {
        created.push(pair(name.clone(), body.clone()));
    } else if own.len() == 0 {
        let message = format!(
            "Please set the properties 'template' and 'body' for the {} operation or declare composable and/or component \
             templates in the track",
            context.written_type()
        );
        let problem = "'template' or 'body' is missing, and the track declares no such templates";
        return Err(context.explained(problem, message));
    } else {
        let filter = context.filled("template");
        for (name, content) in own.clone() {
            if filter.is_none_or(|filter| filter.as_str() == Some(name)) {
                let mut body = content.clone();
                if let Some(settings) = context.filled("settings") {
                    merge_template(context, &mut body, settings)?;
                }
                created.push(pair(name, body));
            }
        }
        if let (Some(filter), []) = (filter, created.as_slice()) {
            let names: Vec<&str> = own.map(|(name, _)| name).collect();
            return Err(context.invalid(format!(
                "Unknown template: {}. Available templates: {}.",
                python::text(filter),
                names.join(", ")
            )));
        }
    }
    Ok([("templates".to_owned(), Value::Array(created)), named(context.request_params())]
        .into_iter()
        .collect())
}

/// Merges settings into a template's `template.settings`, level by level.
fn merge_template(context: Context<'_>, body: &mut Value, settings: &Value) -> Result<(), ParamError> {
    let mut into = body;
    for key in ["template", "settings"] {
        let kind = python::type_name(into);
        let Value::Object(members) = into else {
            let problem = format!("the template has no object to put '{key}' into");
            let python = format!("argument of type '{kind}' is not iterable");
            return Err(ParamError::new(&context.operation.name, problem).in_rally("TypeError", python));
        };
        into = members.entry(key).or_insert_with(|| Value::Object(Map::new()));
    }
    let Value::Object(settings) = settings else {
        let problem = format!("'settings' is {settings} but must be an object of settings");
        let python = format!("'{}' object has no attribute 'keys'", python::type_name(settings));
        return Err(ParamError::new(&context.operation.name, problem).in_rally("AttributeError", python));
    };
    match into {
        Value::Object(into) => {
            merge(into, settings);
            Ok(())
        }
        other => {
            let problem =
                format!("the template has {other} as 'settings', which 'settings' cannot be merged into");
            let python = format!("'{}' object does not support item assignment", python::type_name(other));
            Err(ParamError::new(&context.operation.name, problem).in_rally("TypeError", python))
        }
    }
}

fn merge(into: &mut Map<String, Value>, from: &Map<String, Value>) {
    for (name, value) in from {
        match (into.get_mut(name), value) {
            (Some(Value::Object(into)), Value::Object(from)) => merge(into, from),
            _ => {
                into.insert(name.clone(), value.clone());
            }
        }
    }
}

/// Parameters of `delete-index-template` and `delete-composable-template`: under `templates` names, whether matching
/// indices are deleted, and their pattern.
///
/// # Errors
/// Where there is nothing to delete, or the pattern is missing.
pub fn delete_template(
    context: Context<'_>,
    own: &[IndexTemplate],
) -> Result<Map<String, Value>, ParamError> {
    let mut deleted = Vec::new();
    if own.is_empty() {
        let Some(name) = context.given("template") else {
            let message =
                format!("Please set the property 'template' for the {} operation", context.written_type());
            return Err(context.explained(NO_TEMPLATE, message));
        };
        let delete_matching = context.or("delete-matching-indices", false);
        let pattern = match (python::is_true(&delete_matching), context.given("index-pattern")) {
            (false, _) => Value::Null,
            (true, Some(pattern)) => pattern.clone(),
            (true, None) => {
                return Err(context.invalid(
                    "The property 'index-pattern' is required for delete-index-template if 'delete-matching-indices' is true.",
                ));
            }
        };
        deleted.push(Value::Array(vec![name.clone(), delete_matching, pattern]));
    } else {
        for template in chosen(context, own) {
            deleted.push(Value::Array(vec![
                Value::from(template.name.as_str()),
                Value::from(template.delete_matching_indices),
                Value::from(template.index_pattern.as_str()),
            ]));
        }
    }
    let more = [("templates", Value::Array(deleted)), context.only_if_exists(), context.request_params()];
    Ok(context.with(more))
}

/// Parameters of `delete-component-template`: names under `templates`, and nothing of the operation itself.
///
/// # Errors
/// Where there is nothing to delete.
pub fn delete_component_template(context: Context<'_>) -> Result<Map<String, Value>, ParamError> {
    let own = &context.track.component_templates;
    let mut deleted = Vec::new();
    if own.is_empty() {
        let Some(name) = context.given("template") else {
            let message =
                format!("Please set the property 'template' for the {} operation.", context.written_type());
            return Err(context.explained(NO_TEMPLATE, message));
        };
        deleted.push(name.clone());
    } else {
        let filter = context.filled("template");
        for template in own {
            if filter.is_none_or(|filter| filter.as_str() == Some(&template.name)) {
                deleted.push(Value::from(template.name.as_str()));
            }
        }
    }
    let more = [("templates", Value::Array(deleted)), context.only_if_exists(), context.request_params()];
    Ok(more.into_iter().map(named).collect())
}

const NO_TEMPLATE: &str = "'template' is missing, and the track declares no such templates";

/// The track's templates, or the one that the operation names.
fn chosen<'a>(context: Context<'_>, own: &'a [IndexTemplate]) -> impl Iterator<Item = &'a IndexTemplate> {
    let filter = context.filled("template").cloned();
    own.iter().filter(move |template| {
        filter.as_ref().is_none_or(|filter| filter.as_str() == Some(template.name.as_str()))
    })
}

fn named((name, value): (&'static str, Value)) -> (String, Value) {
    (name.to_owned(), value)
}
