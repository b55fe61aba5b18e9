//! Who the cluster is, for the record of a race.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ask;
use crate::cluster::Cluster;

/// The identity of the cluster. Missing values are `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct ClusterInfo {
    /// `Elasticsearch`, `OpenSearch`, or the name that another distribution gives itself.
    pub distribution_name: String,
    /// Version number.
    pub distribution_version: String,
    /// `default`, `oss`, `opensearch`, or the name that another distribution gives itself.
    pub distribution_flavor: Option<String>,
    /// Commit that it was built from.
    pub build_hash: Option<String>,
    /// Name of the cluster.
    pub cluster_name: Option<String>,
    /// Its nodes.
    pub nodes: Vec<NodeInfo>,
}

/// One node of the cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct NodeInfo {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Option<String>,
    /// Vendor and version of its Java.
    pub jvm: Option<String>,
    /// Operating system.
    pub os: Option<String>,
    /// Number of processors that it may use.
    pub processors: Option<u64>,
    /// Names of its plugins.
    pub plugins: Vec<String>,
}

impl ClusterInfo {
    /// Asks the cluster. Values that it refuses are left out.
    pub async fn of(cluster: &Cluster) -> ClusterInfo {
        let nodes = ask(cluster, "/_nodes").await.unwrap_or(Value::Null);
        ClusterInfo::read(cluster, &nodes)
    }

    fn read(cluster: &Cluster, nodes: &Value) -> ClusterInfo {
        let (root, capabilities) = (cluster.root(), cluster.capabilities());
        let version = &root["version"];
        let mut nodes: Vec<NodeInfo> = nodes["nodes"].as_object().into_iter().flatten().map(node).collect();
        nodes.sort_by(|left, right| left.name.cmp(&right.name));
        ClusterInfo {
            distribution_name: capabilities.product.to_string(),
            distribution_version: capabilities.version.to_string(),
            distribution_flavor: text(&version["build_flavor"]).or_else(|| text(&version["distribution"])),
            build_hash: text(&version["build_hash"]),
            cluster_name: text(&root["cluster_name"]),
            nodes,
        }
    }
}

fn node((id, node): (&String, &Value)) -> NodeInfo {
    let joined = |parts: [&Value; 2]| {
        let parts: Vec<&str> = parts.into_iter().filter_map(Value::as_str).collect();
        if parts.is_empty() { None } else { Some(parts.join(" ")) }
    };
    let (jvm, os) = (&node["jvm"], &node["os"]);
    let plugins = node["plugins"].as_array().into_iter().flatten();
    NodeInfo {
        name: text(&node["name"]).unwrap_or_else(|| id.clone()),
        version: text(&node["version"]),
        jvm: joined([&jvm["vm_vendor"], &jvm["version"]]),
        os: joined([&os["name"], &os["version"]]),
        processors: os["allocated_processors"].as_u64().or_else(|| os["available_processors"].as_u64()),
        plugins: plugins.filter_map(|plugin| text(&plugin["name"])).collect(),
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}
