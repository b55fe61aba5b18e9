//! The operation types that Elastic Rally itself has.

/// What a serverless service does with an operation. A later one is offered to more users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ServerlessStatus {
    /// Refused to everybody.
    Blocked,
    /// Only for those who operate the service.
    Internal,
    /// For everybody.
    Public,
}

impl ServerlessStatus {
    /// As Rally writes it: `Blocked`, `Internal`, `Public`.
    pub fn name(self) -> &'static str {
        match self {
            ServerlessStatus::Blocked => "Blocked",
            ServerlessStatus::Internal => "Internal",
            ServerlessStatus::Public => "Public",
        }
    }
}

/// A core operation type of the current dialect (Rally 2.13).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OperationType {
    name: &'static str,
    administrative: bool,
    serverless: ServerlessStatus,
}

impl OperationType {
    /// The type with this name, written with hyphens as in a track. `None` for types that only an extension can have.
    pub fn named(name: &str) -> Option<OperationType> {
        ALL.iter().copied().find(|kind| kind.name == name)
    }

    /// All types, by how they are grouped in Rally: what is measured first, then what only prepares.
    pub fn all() -> impl Iterator<Item = OperationType> {
        ALL.into_iter()
    }

    /// Name as in a track, e.g. `force-merge`.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// Whether it only prepares what is measured. Then reports leave it out unless the operation says
    /// `include-in-reporting`.
    pub fn is_administrative(self) -> bool {
        self.administrative
    }

    /// Who may use it on a serverless service.
    pub fn serverless_status(self) -> ServerlessStatus {
        self.serverless
    }
}

const fn measured(name: &'static str, serverless: ServerlessStatus) -> OperationType {
    OperationType { name, administrative: false, serverless }
}

const fn administrative(name: &'static str, serverless: ServerlessStatus) -> OperationType {
    OperationType { name, administrative: true, serverless }
}

use ServerlessStatus::{Blocked, Internal, Public};

const ALL: [OperationType; 59] = [
    measured("index-stats", Internal),
    measured("node-stats", Internal),
    measured("search", Public),
    measured("bulk", Public),
    measured("raw-request", Public),
    measured("wait-for-recovery", Internal),
    measured("wait-for-snapshot-create", Internal),
    measured("composite", Public),
    measured("submit-async-search", Public),
    measured("get-async-search", Public),
    measured("delete-async-search", Public),
    measured("paginated-search", Public),
    measured("scroll-search", Public),
    measured("open-point-in-time", Public),
    measured("close-point-in-time", Public),
    measured("sql", Public),
    measured("field-caps", Public),
    measured("composite-agg", Public),
    measured("wait-for-current-snapshots-create", Internal),
    measured("downsample", Internal),
    measured("esql", Public),
    measured("esql-profile", Public),
    measured("run-until", Public),
    administrative("force-merge", Internal),
    administrative("cluster-health", Internal),
    administrative("put-pipeline", Public),
    administrative("refresh", Public),
    administrative("create-index", Public),
    administrative("delete-index", Public),
    administrative("create-index-template", Blocked),
    administrative("delete-index-template", Blocked),
    administrative("shrink-index", Blocked),
    administrative("create-ml-datafeed", Public),
    administrative("delete-ml-datafeed", Public),
    administrative("start-ml-datafeed", Public),
    administrative("stop-ml-datafeed", Public),
    administrative("create-ml-job", Public),
    administrative("delete-ml-job", Public),
    administrative("open-ml-job", Public),
    administrative("close-ml-job", Public),
    administrative("sleep", Public),
    administrative("delete-snapshot-repository", Internal),
    administrative("create-snapshot-repository", Internal),
    administrative("create-snapshot", Internal),
    administrative("restore-snapshot", Internal),
    administrative("put-settings", Internal),
    administrative("create-transform", Public),
    administrative("start-transform", Public),
    administrative("wait-for-transform", Public),
    administrative("delete-transform", Public),
    administrative("transform-stats", Public),
    administrative("create-data-stream", Public),
    administrative("delete-data-stream", Public),
    administrative("create-composable-template", Public),
    administrative("delete-composable-template", Public),
    administrative("create-component-template", Public),
    administrative("delete-component-template", Public),
    administrative("create-ilm-policy", Blocked),
    administrative("delete-ilm-policy", Blocked),
];
