//! A session whose target writes down when it is asked for.

use std::any::Any;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex};

use rally_cluster::{ClusterHealth, parse_target_hosts};
use rally_node::{Node, NodeConfig, RunningNode};
use rally_race::Cancel;
use rally_session::{
    Connector, Credentials, Home, RaceSpec, RunningTarget, Session, SessionError, SessionEvent,
    SessionObserver, TargetFacts, TargetProvider, TrackSpec,
};
use rally_track::BuildFlavor;
use tempfile::TempDir;

/// What happened, in order.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub fn note(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    pub fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// Rally's files and those of a track, for one test.
pub struct Place {
    pub folder: TempDir,
    pub log: Log,
    pub cancel: Cancel,
}

impl Place {
    pub fn new() -> Place {
        Place { folder: tempfile::tempdir().unwrap(), log: Log::default(), cancel: Cancel::new() }
    }

    pub fn home(&self) -> Home {
        Home::at(&self.folder.path().join("home")).unwrap()
    }

    /// A specification of a track with three documents, and the track.
    pub fn spec(&self) -> RaceSpec {
        let track = self.folder.path().join("places");
        std::fs::create_dir(&track).unwrap();
        let mut documents = String::new();
        for number in 0..3 {
            writeln!(documents, "{{\"name\": \"place {number}\"}}").unwrap();
        }
        std::fs::write(track.join("documents.json"), documents).unwrap();
        std::fs::write(
            track.join("body.json"),
            r#"{"mappings": {"properties": {"name": {"type": "text"}}}}"#,
        )
        .unwrap();
        std::fs::write(track.join("track.json"), TRACK).unwrap();
        let mut spec = RaceSpec::new(TrackSpec::Folder(track), 1_735_689_600.0, 42);
        spec.offline = true;
        spec
    }

    /// Does something in a session.
    pub fn session<Result>(&self, act: impl FnOnce(&Session<'_>) -> Result) -> Result {
        let home = self.home();
        let session = Session::new(&home, Credentials::default(), &self.log, &self.cancel).unwrap();
        act(&session)
    }

    /// A target that writes down what it is asked for.
    pub fn target(&self) -> Box<dyn TargetProvider> {
        let races = self.home().races();
        Box::new(LoggedTarget { log: self.log.clone(), races })
    }
}

const TRACK: &str = r#"{
  "description": "three places",
  "indices": [{"name": "places", "body": "body.json"}],
  "corpora": [{"name": "places", "documents": [{"source-file": "documents.json", "document-count": 3}]}],
  "challenges": [{"name": "only", "schedule": [
    {"operation": {"operation-type": "create-index"}},
    {"operation": {"name": "index", "operation-type": "bulk", "bulk-size": 2}, "clients": 2}
  ]}]
}"#;

impl SessionObserver for Log {
    fn event(&self, event: SessionEvent<'_>) {
        match event {
            SessionEvent::DataReady { file } => self.note(format!("data of {file}")),
            SessionEvent::RaceStarts(_) => self.note("race"),
            SessionEvent::TaskStarted { name, .. } => self.note(name),
            SessionEvent::RaceOver => self.note("over"),
            _ => {}
        }
    }
}

/// A node in this process.
struct LoggedTarget {
    log: Log,
    races: std::path::PathBuf,
}

/// Stops the node, and writes down how the record of the race stands by then.
struct Stops {
    log: Log,
    races: std::path::PathBuf,
    _node: RunningNode,
}

impl Drop for Stops {
    fn drop(&mut self) {
        self.log.note(format!("stop ({})", status(&self.races)));
    }
}

/// The status of the only race.
pub fn status(races: &Path) -> String {
    let Ok(mut entries) = std::fs::read_dir(races) else { return "no race".to_owned() };
    let Some(Ok(entry)) = entries.next() else { return "no race".to_owned() };
    let text = std::fs::read_to_string(entry.path().join("race.json")).unwrap();
    let record: serde_json::Value = serde_json::from_str(&text).unwrap();
    record["status"].as_str().unwrap().to_owned()
}

impl TargetProvider for LoggedTarget {
    fn pipeline(&self) -> &'static str {
        "logged"
    }

    fn default_health(&self) -> ClusterHealth {
        ClusterHealth::Yellow
    }

    fn identify(&mut self, _connector: &Connector<'_>) -> Result<TargetFacts, SessionError> {
        self.log.note("identify");
        Ok(TargetFacts {
            version: Some(rally_node::ELASTICSEARCH_VERSION.to_owned()),
            build_flavor: BuildFlavor::Default,
            serverless_operator: false,
        })
    }

    fn start(&mut self, connector: &Connector<'_>) -> Result<RunningTarget, SessionError> {
        self.log.note("start");
        let config = NodeConfig { listen: "127.0.0.1:0".parse().unwrap(), data_dir: None };
        let node = connector.session.runtime().block_on(Node::start(config)).unwrap();
        let hosts = parse_target_hosts(&node.address().to_string()).unwrap();
        let stops = Stops { log: self.log.clone(), races: self.races.clone(), _node: node };
        let process: Box<dyn Any + Send> = Box::new(stops);
        Ok(RunningTarget {
            cluster: Arc::new(connector.connect(&hosts)?),
            hosts,
            description: "a node in this process".to_owned(),
            process: Some(process),
        })
    }
}
