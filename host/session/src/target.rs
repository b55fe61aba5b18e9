//! Where the target of a race comes from.

use std::any::Any;
use std::path::PathBuf;
use std::sync::Arc;

use rally_cluster::{ClientOptions, Cluster, ClusterError, ClusterHealth, TargetHost, parse_target_hosts};
use rally_track::BuildFlavor;

use crate::embedded::EmbeddedNode;
use crate::error::SessionError;
use crate::session::{Session, cancelled};
use crate::spec::TargetSpec;

/// Brings up what is raced against: finds it, starts it, configures it.
///
/// The session asks it first what the target is, because the track is read for it; and only once everything else is in place
/// it asks for the target itself.
pub trait TargetProvider {
    /// Name of the pipeline, for the record.
    fn pipeline(&self) -> &'static str;

    /// How healthy the target must be where nothing else is asked for.
    fn default_health(&self) -> ClusterHealth;

    /// What the target is or will be. It may be asked, but it is not changed, and nothing is started.
    ///
    /// # Errors
    /// Where a target that should be there does not answer.
    fn identify(&mut self, connector: &Connector<'_>) -> Result<TargetFacts, SessionError>;

    /// The target, ready to be raced against.
    ///
    /// # Errors
    /// Where it does not start or does not answer.
    fn start(&mut self, connector: &Connector<'_>) -> Result<RunningTarget, SessionError>;
}

/// What is known of a target before the track is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetFacts {
    /// Version by which a branch of a track repository is chosen; `None` for a service without versions.
    pub version: Option<String>,
    /// What the target is.
    pub build_flavor: BuildFlavor,
    /// Whether the user operates a serverless target.
    pub serverless_operator: bool,
}

/// A target that runs. It goes on as long as this is there.
pub struct RunningTarget {
    /// The connection to it. Dropped before the target itself stops.
    pub cluster: Arc<Cluster>,
    /// Its addresses.
    pub hosts: Vec<TargetHost>,
    /// What it is, in a few words.
    pub description: String,
    /// What stops the target when it is dropped; `None` for one that runs on.
    pub process: Option<Box<dyn Any + Send>>,
}

/// The user ended the session before there was anything to report.
#[derive(Debug, thiserror::Error)]
#[error("interrupted before the race began; nothing was measured")]
pub struct InterruptedEarly;

/// Connects to targets, with the client options of a race.
pub struct Connector<'a> {
    /// The session that connects.
    pub session: &'a Session<'a>,
    /// How to talk to the target.
    pub client_options: ClientOptions,
    /// Whether clients wait for hosts that are down when their task begins.
    pub waits_for_hosts: bool,
}

impl Connector<'_> {
    /// Asks all of these hosts what they are.
    ///
    /// # Errors
    /// Where the hosts cannot be used, one does not answer, or the user gives up.
    pub fn connect(&self, hosts: &[TargetHost]) -> Result<Cluster, SessionError> {
        let cancel = self.session.cancel;
        self.session.runtime().block_on(async {
            tokio::select! {
                connected = Cluster::connect(hosts, &self.client_options) => connected.map(|cluster| cluster.waiting_for_hosts(self.waits_for_hosts)).map_err(|error| match error {
                    ClusterError::Endpoint(_) => SessionError::user(error),
                    other => SessionError::failure(other),
                }),
                () = cancelled(cancel) => Err(SessionError::interrupted(InterruptedEarly)),
            }
        })
    }
}

/// How this process starts an embedded search node.
#[derive(Debug, Clone)]
pub struct NodeProgram {
    /// A `rally` command; `rally node` is the node.
    pub path: PathBuf,
    /// The version of Elasticsearch that the node speaks.
    pub version: String,
}

/// The provider that a specification asks for.
pub fn provider(target: &TargetSpec, node: &NodeProgram) -> Box<dyn TargetProvider> {
    match target {
        TargetSpec::Embedded => Box::new(EmbeddedTarget { node: node.clone() }),
        TargetSpec::Hosts(hosts) => Box::new(NamedHosts { hosts: hosts.clone(), cluster: None }),
    }
}

/// An embedded search node, in a process of its own.
pub struct EmbeddedTarget {
    node: NodeProgram,
}

impl TargetProvider for EmbeddedTarget {
    fn pipeline(&self) -> &'static str {
        "embedded"
    }

    fn default_health(&self) -> ClusterHealth {
        // Replicas find no place on the embedded node, which is alone.
        ClusterHealth::Yellow
    }

    fn identify(&mut self, _connector: &Connector<'_>) -> Result<TargetFacts, SessionError> {
        Ok(TargetFacts {
            version: Some(self.node.version.clone()),
            build_flavor: BuildFlavor::Default,
            serverless_operator: false,
        })
    }

    fn start(&mut self, connector: &Connector<'_>) -> Result<RunningTarget, SessionError> {
        let home = connector.session.home;
        let node = EmbeddedNode::start(&self.node.path, &home.nodes()).map_err(SessionError::failure)?;
        let hosts = parse_target_hosts(&node.address().to_string()).map_err(SessionError::failure)?;
        let cluster = connector.connect(&hosts)?;
        Ok(RunningTarget {
            cluster: Arc::new(cluster),
            description: format!("the embedded node at {}", addresses(&hosts)),
            hosts,
            process: Some(Box::new(node)),
        })
    }
}

/// A cluster that the user names.
pub struct NamedHosts {
    hosts: Vec<TargetHost>,
    /// The connection, once the target has been asked what it is.
    cluster: Option<Cluster>,
}

impl TargetProvider for NamedHosts {
    fn pipeline(&self) -> &'static str {
        "benchmark-only"
    }

    fn default_health(&self) -> ClusterHealth {
        ClusterHealth::Green
    }

    fn identify(&mut self, connector: &Connector<'_>) -> Result<TargetFacts, SessionError> {
        let cluster = self.cluster.insert(connector.connect(&self.hosts)?);
        if cluster.is_serverless() {
            let runtime = connector.session.runtime();
            let operator = runtime.block_on(cluster.is_operator()).map_err(SessionError::failure)?;
            return Ok(TargetFacts {
                version: None,
                build_flavor: BuildFlavor::Serverless,
                serverless_operator: operator,
            });
        }
        Ok(TargetFacts {
            version: Some(cluster.capabilities().version.to_string()),
            build_flavor: BuildFlavor::Default,
            serverless_operator: false,
        })
    }

    fn start(&mut self, connector: &Connector<'_>) -> Result<RunningTarget, SessionError> {
        let cluster = match self.cluster.take() {
            Some(cluster) => cluster,
            None => connector.connect(&self.hosts)?,
        };
        let capabilities = cluster.capabilities();
        let description =
            format!("{} {} at {}", capabilities.product, capabilities.version, addresses(&self.hosts));
        Ok(RunningTarget {
            cluster: Arc::new(cluster),
            hosts: self.hosts.clone(),
            description,
            process: None,
        })
    }
}

fn addresses(hosts: &[TargetHost]) -> String {
    let addresses: Vec<String> = hosts.iter().map(TargetHost::authority).collect();
    addresses.join(", ")
}
