//! `shrink-index`: an index becomes one of fewer shards.

use std::collections::BTreeMap;
use std::time::Duration;

use http::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::call::Call;
use super::common::{mandatory, mandatory_text, named};
use super::session::{Done, Session, Stop};
use crate::http::encode_path;

/// `shrink-index`: brings all shards of an index to one node, shrinks it to another index and waits for that.
pub async fn shrink_index(session: &mut Session<'_>) -> Result<Done, Stop> {
    let values = session.values;
    let source = mandatory_text(values, "source-index")?;
    let target = mandatory_text(values, "target-index")?;
    let Value::Object(body) = mandatory(values, "target-body")? else {
        return Err(Stop::Unusable("'target-body' must be an object".to_owned()));
    };
    let mut body = body.clone();
    let sources: Map<String, Value> = session.json(Call::get(format!("/{}", encode_path(source)))).await?;
    let sources: Vec<String> = sources.into_iter().map(|(name, _)| name).collect();
    let nodes = shrink_nodes(session).await?;
    let settings = body.entry("settings").or_insert_with(|| json!({}));
    let Value::Object(settings) = settings else {
        return Err(Stop::Unusable("the 'settings' of 'target-body' must be an object".to_owned()));
    };
    settings.insert("index.routing.allocation.require._name".to_owned(), Value::Null);
    settings.insert("index.blocks.write".to_owned(), Value::Null);
    let body = Value::Object(body);
    let stem = common_prefix(&sources);
    for (number, source) in sources.iter().enumerate() {
        // Rally draws a node for each index; in turn they are used as evenly, and the same in each race.
        let node = &nodes[number % nodes.len()];
        let prepared = json!({"settings": {
            "index.routing.allocation.require._name": node, "index.blocks.write": "true"
        }});
        let call = Call::new(Method::PUT, format!("/{}/_settings", encode_path(source)));
        session.done(call.body(&prepared).parameter("preserve_existing", true)).await?;
        settled(session, source).await?;
        let target = format!("{target}{}", &source[stem..]);
        let path = format!("/{}/_shrink/{}", encode_path(source), encode_path(&target));
        session.done(Call::put(path).body(&body)).await?;
        settled(session, &target).await?;
    }
    Ok(Done::ops(sources.len()))
}

/// The nodes that shards can be brought to.
async fn shrink_nodes(session: &mut Session<'_>) -> Result<Vec<String>, Stop> {
    #[derive(Deserialize)]
    struct Nodes {
        nodes: BTreeMap<String, Node>,
    }
    #[derive(Deserialize)]
    struct Node {
        name: String,
        #[serde(default)]
        roles: Vec<String>,
    }
    if let Some((_, node)) = named(session.values, &["shrink-node"]) {
        let node = node.as_str().ok_or_else(|| format!("'shrink-node' is {node} but must be a name"))?;
        return Ok(vec![node.to_owned()]);
    }
    let nodes: Nodes = session.json(Call::get("/_nodes")).await?;
    let holds_data = |node: &Node| node.roles.iter().any(|role| role == "data");
    let names: Vec<String> = nodes.nodes.into_values().filter(holds_data).map(|node| node.name).collect();
    if names.is_empty() {
        return Err(Stop::Unusable(
            "no node of the target holds data; name one with 'shrink-node'".to_owned(),
        ));
    }
    Ok(names)
}

/// Waits until no shard of an index moves.
async fn settled(session: &mut Session<'_>, index: &str) -> Result<(), Stop> {
    #[derive(Deserialize)]
    struct Health {
        relocating_shards: Option<u64>,
    }
    /// What has just been asked for takes a moment to begin, as in Rally.
    const FIRST_LOOK: Duration = Duration::from_secs(3);
    const AGAIN: Duration = Duration::from_millis(500);
    session.pause(FIRST_LOOK).await;
    loop {
        let call = Call::get(format!("/_cluster/health/{}", encode_path(index)))
            .parameter("wait_for_no_relocating_shards", true)
            .ignoring(408);
        let health: Health = session.json(call).await?;
        if health.relocating_shards == Some(0) {
            return Ok(());
        }
        // It has not come to rest in the time that the target waits.
        session.pause(AGAIN).await;
    }
}

/// How many bytes at their beginning all names have in common.
fn common_prefix(names: &[String]) -> usize {
    let Some((first, rest)) = names.split_first() else { return 0 };
    rest.iter().fold(first.len(), |common, name| {
        let same = first.bytes().zip(name.bytes()).take_while(|(left, right)| left == right).count();
        let mut common = common.min(same);
        while !first.is_char_boundary(common) {
            common -= 1;
        }
        common
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_keep_what_tells_them_apart() {
        let prefix =
            |names: &[&str]| common_prefix(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(prefix(&["logs-2020", "logs-2021"]), "logs-202".len());
        assert_eq!(prefix(&["logs"]), 4);
        assert_eq!(prefix(&["é", "è"]), 0);
    }
}
