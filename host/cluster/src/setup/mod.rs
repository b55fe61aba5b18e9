//! What is done to the target before each lap: templates, indices, settings, and the wait until it is ready.

mod adapt;
mod health;
mod mappings;
mod template;

use http::Method;
use rally_track::{Challenge, Dialect, Index, Track};
use serde_json::{Value, json};

use crate::cluster::{Api, CallError, Cluster};
use crate::http::encode_path;
use crate::version::{Capabilities, MappingTypes};

pub use health::{ClusterHealth, HealthError, HealthExpectation, wait_for_health};
pub use mappings::{MappingError, index_mappings};
pub use template::{TemplateError, template_body};

/// A lap that cannot be prepared.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The target cannot hold this index.
    #[error(
        "index '{index}' has {count} mapping types ({names}), but {product} {version} holds one type per index: \
             give each type an index of its own, or race a version before 6"
    )]
    SeveralTypes {
        /// The index.
        index: String,
        /// Number of its types.
        count: usize,
        /// Their names.
        names: String,
        /// Who answers.
        product: String,
        /// In which version.
        version: String,
    },
    /// The mappings of an index do not fit together.
    #[error("index '{index}': {source}")]
    Mapping {
        /// The index.
        index: String,
        /// What does not fit.
        #[source]
        source: MappingError,
    },
    /// A template cannot be written for this target.
    #[error("template '{template}': {source}")]
    Template {
        /// The template.
        template: String,
        /// What does not fit.
        #[source]
        source: TemplateError,
    },
    /// The target refuses, or does not answer.
    #[error("cannot {what}: {source}")]
    Call {
        /// What was tried.
        what: String,
        /// What the target answered.
        #[source]
        source: CallError,
    },
    /// The cluster does not become ready.
    #[error(transparent)]
    Health(#[from] HealthError),
}

/// Prepares the target for a lap of a 2017 track; in the current dialect operations do that. Applies cluster settings, creates templates and auto-managed indices anew, and waits
/// until the cluster is as healthy as expected.
///
/// # Errors
/// Where the track does not fit the target, or the target refuses.
pub async fn prepare_lap(
    cluster: &Cluster,
    track: &Track,
    challenge: &Challenge,
    expected: &HealthExpectation,
) -> Result<(), SetupError> {
    if track.dialect == Dialect::Current {
        return Ok(());
    }
    let capabilities = cluster.capabilities();
    // Everything that can be found out without the target first: nothing is deleted for a lap that cannot start.
    let indices = track
        .indices
        .iter()
        .filter(|index| index.auto_managed)
        .map(|index| Ok((index, index_body(index, challenge, capabilities)?)))
        .collect::<Result<Vec<_>, SetupError>>()?;
    for index in &track.indices {
        check_types(index, capabilities)?;
    }
    let templates = track
        .templates
        .iter()
        .map(|template| {
            template_body(template, capabilities)
                .map(|body| (template, body))
                .map_err(|source| SetupError::Template { template: template.name.clone(), source })
        })
        .collect::<Result<Vec<_>, SetupError>>()?;
    let mut api = cluster.api();
    put_cluster_settings(&mut api, challenge).await?;
    for (template, body) in templates {
        let path = format!("/_template/{}", encode_path(&template.name));
        let name = &template.name;
        if api.exists(&path).await.map_err(call(format!("look for template '{name}'")))? {
            api.call(Method::DELETE, &path, None).await.map_err(call(format!("delete template '{name}'")))?;
        }
        if template.delete_matching_indices {
            delete_matching(&mut api, &template.index_pattern).await?;
        }
        api.call(Method::PUT, &path, Some(&body)).await.map_err(call(format!("create template '{name}'")))?;
    }
    for (index, body) in indices {
        let path = format!("/{}", encode_path(&index.name));
        let name = &index.name;
        if api.exists(&path).await.map_err(call(format!("look for index '{name}'")))? {
            api.call(Method::DELETE, &path, None).await.map_err(call(format!("delete index '{name}'")))?;
        }
        api.call(Method::PUT, &path, Some(&body)).await.map_err(call(format!("create index '{name}'")))?;
    }
    wait_for_health(&mut api, expected).await?;
    Ok(())
}

/// Body of the request that creates an index: the challenge's settings and the mappings of all types.
///
/// # Errors
/// Where the mappings cannot be brought into the target's form.
pub fn index_body(
    index: &Index,
    challenge: &Challenge,
    capabilities: &Capabilities,
) -> Result<Value, SetupError> {
    check_types(index, capabilities)?;
    let mappings = index_mappings(index, capabilities)
        .map_err(|source| SetupError::Mapping { index: index.name.clone(), source })?;
    Ok(json!({"settings": challenge.index_settings, "mappings": mappings}))
}

fn check_types(index: &Index, capabilities: &Capabilities) -> Result<(), SetupError> {
    if capabilities.mapping_types != MappingTypes::One || index.types.len() <= 1 {
        return Ok(());
    }
    Err(SetupError::SeveralTypes {
        index: index.name.clone(),
        count: index.types.len(),
        names: index.types.iter().map(|kind| kind.name.as_str()).collect::<Vec<_>>().join(", "),
        product: capabilities.product.to_string(),
        version: capabilities.version.to_string(),
    })
}

/// Settings that a challenge wants go in as transient ones, so that they end with the cluster's processes; a challenge
/// may itself say `persistent` or `transient`.
async fn put_cluster_settings(api: &mut Api, challenge: &Challenge) -> Result<(), SetupError> {
    let settings = &challenge.cluster_settings;
    if settings.is_empty() {
        return Ok(());
    }
    let explicit = settings.keys().all(|key| key == "persistent" || key == "transient");
    let body = if explicit { json!(settings) } else { json!({ "transient": settings }) };
    api.call(Method::PUT, "/_cluster/settings", Some(&body))
        .await
        .map(|_| ())
        .map_err(call(format!("apply the cluster-settings of challenge '{}'", challenge.name)))
}

/// Deletes all indices that match a pattern, by name: newer versions refuse to delete by pattern.
async fn delete_matching(api: &mut Api, pattern: &str) -> Result<(), SetupError> {
    let what = || format!("find the indices that match '{pattern}'");
    let found = match api.get(&format!("/{}/_settings", encode_path(pattern))).await {
        Ok(found) => found,
        Err(error) if error.status() == Some(http::StatusCode::NOT_FOUND) => return Ok(()),
        Err(source) => return Err(SetupError::Call { what: what(), source }),
    };
    for name in found.as_object().into_iter().flat_map(|found| found.keys()) {
        api.call(Method::DELETE, &format!("/{}", encode_path(name)), None)
            .await
            .map_err(call(format!("delete index '{name}', which matches '{pattern}'")))?;
    }
    Ok(())
}

fn call(what: String) -> impl FnOnce(CallError) -> SetupError {
    move |source| SetupError::Call { what, source }
}
