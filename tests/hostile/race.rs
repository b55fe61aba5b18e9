//! Races a track with a stranger's component, in this process and by the same steps as `rally run`.

use std::error::Error;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rally_cluster::{ClientOptions, Cluster, TargetBindings, parse_target_hosts};
use rally_component::Bounds;
use rally_extension::{
    Engine, ExtensionBindings, Extensions, Folder, Host, HostEnvironment, Limits, RaceInfo,
    Target as RaceTarget,
};
use rally_operations::DocumentSet;
use rally_race::{
    Cancel, Cause, EndReason, Ending, Kind, LocalDriver, LocalDriverOptions, Observer, PlanOptions,
    RaceEvent, RacePlan, Recording, bind, run_bound,
};
use rally_track::{LoadOptions, TrackSource};
use serde_json::{Value, json};

use crate::target::Target;

/// Requests of the honest task beside the hostile one.
pub const HONEST: u64 = 20;

/// What every race asks: who the target is, and the searches of both tasks.
const USUAL: [&str; 4] = [
    "GET / HTTP/1.1 | host: TARGET | accept: application/json",
    "POST /_all/_search?request_cache=false HTTP/1.1 | host: TARGET | accept: application/json | content-type: application/json | content-length: 26",
    "POST /_all/_search?request_cache=false HTTP/1.1 | host: TARGET | accept: application/json | content-type: application/json | content-length: 2",
    "POST /_all/_search HTTP/1.1 | host: TARGET | accept: application/json | content-type: application/json | content-length: 26",
];

/// Requests of the hostile task unless its case says otherwise.
const ITERATIONS: u64 = 100;

/// What every race here shares.
pub struct Course {
    host: Host,
    runtime: tokio::runtime::Runtime,
    target: Target,
    documents: Vec<Arc<DocumentSet>>,
    _data: tempfile::TempDir,
}

/// What a track asks its component for.
#[derive(Clone)]
pub struct Entry {
    /// The roles: `source`, `runner`, `source runner`, `scheduler`; anything else races the honest task alone.
    pub role: String,
    /// Clients of the hostile task.
    pub clients: u32,
    /// Requests, if not the usual number.
    pub iterations: Option<u64>,
}

impl Entry {
    /// What most cases ask for.
    pub fn of(role: &str) -> Entry {
        Entry { role: role.to_owned(), clients: 2, iterations: None }
    }
}

/// How a race ended.
pub struct Ended {
    /// In words, without what differs from machine to machine.
    pub text: String,
    /// Requests of the honest task that went well; `None` where the race did not begin.
    pub honest: Option<u64>,
    /// What the target was asked beside what every race asks it.
    pub asked: Vec<String>,
}

impl Course {
    /// Limits so low that a hostile component reaches them at once.
    pub fn new() -> Course {
        let limits = Limits {
            time_per_call: Duration::from_millis(500),
            time_to_open: Duration::from_millis(500),
            time_to_run: Duration::from_millis(1500),
            memory: 16 << 20,
            table_elements: 10_000,
            handles: 1_000,
            host_call_bytes: 1 << 20,
            log_lines: 50,
            response_bytes: 64 << 10,
            in_flight: 16,
            data_bytes: 0,
        };
        let engine = Engine::start().expect("an engine");
        let bounds = Bounds::of_size(1 << 20);
        let host = Host { engine, limits: Arc::new(limits), bounds, cache: None };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let data = tempfile::tempdir().expect("a folder");
        let documents = vec![documents(&data.path().join("documents.json"))];
        Course { host, runtime, target: Target::start(), documents, _data: data }
    }

    /// Races a track in whose folder `files` are.
    pub fn race(&self, files: &[(&str, &[u8])], entry: &Entry) -> Ended {
        let temporary = tempfile::tempdir().expect("a folder");
        let folder = temporary.path().join("hostile");
        std::fs::create_dir(&folder).expect("made");
        for (name, bytes) in files {
            std::fs::write(folder.join(name), bytes).expect("written");
        }
        std::fs::write(folder.join("track.json"), track(entry).to_string()).expect("written");
        std::fs::write(folder.join("mapping.json"), "{\"place\": {}}").expect("written");
        std::os::unix::fs::symlink("/etc/hostname", folder.join("link-to-hostname")).expect("linked");
        std::os::unix::fs::symlink("/etc", folder.join("link-to-etc")).expect("linked");
        let pipe = std::process::Command::new("mkfifo").arg(folder.join("pipe")).status();
        assert!(pipe.expect("mkfifo").success());
        self.target.take();
        let (text, honest) = match self.steps(&folder) {
            Ok(ended) => ended,
            Err(refused) => (refused, None),
        };
        let text = text
            .replace(&folder.display().to_string(), "TRACK")
            .replace(&self.target.address.to_string(), "TARGET");
        let asked = self.target.take().into_iter();
        let asked = asked.map(|head| head.replace(&self.target.address.to_string(), "TARGET"));
        let asked = asked.filter(|head| !USUAL.contains(&head.as_str())).collect();
        Ended { text: settled(&text), honest, asked }
    }

    /// `Ok`: the race began. `Err`: who refused it and why.
    fn steps(&self, folder: &Path) -> Result<(String, Option<u64>), String> {
        let at_load = |error: &dyn Error| format!("refused at load: {}", chain(error));
        let before = |error: &dyn Error| format!("refused before the race: {}", chain(error));
        let opened = || Folder::open(folder).expect("the folder");
        let environment = Arc::new(HostEnvironment::before_race("hostile", opened()));
        let extensions =
            Extensions::discover(folder, &self.host, &environment).map_err(|error| at_load(&error))?;
        let source = TrackSource::from_path(folder).expect("a track");
        let options = LoadOptions { extension_names: extensions.names(), ..LoadOptions::default() };
        let track = rally_track::load(&source, &options)
            .map_err(|error| format!("refused with the track: {}", chain(&error)))?;
        let challenge = track.challenges[0].clone();
        extensions.validate(&challenge.name, "{}", &environment).map_err(|error| before(&error))?;
        let track =
            extensions.process(track, &challenge.name, 1, &environment).map_err(|error| before(&error))?;
        extensions.prepare(&track, &challenge.name, 1, &environment).map_err(|error| before(&error))?;
        let track = Arc::new(track);
        let plan = RacePlan::new(&track, &challenge, PlanOptions { seed: 1, ..PlanOptions::default() })
            .expect("a plan");
        let hosts = parse_target_hosts(&self.target.address.to_string()).expect("an address");
        let cluster = self.runtime.block_on(Cluster::connect(&hosts, &ClientOptions::default()));
        let cluster = Arc::new(cluster.expect("the target answers"));
        let built_in = Arc::new(TargetBindings::new(Arc::clone(&track), Vec::new(), Arc::clone(&cluster)));
        let environment = HostEnvironment {
            target: Some(RaceTarget { cluster, built_in: Arc::clone(&built_in) }),
            documents: self.documents.clone(),
            ..HostEnvironment::before_race("hostile", opened())
        };
        let info = RaceInfo { track: Arc::clone(&track), challenge: challenge.name.clone(), seed: 1 };
        let bindings = ExtensionBindings::new(extensions, built_in, Arc::new(environment), info);
        let race = bind(&plan, &bindings).map_err(|error| before(&error))?;
        drop(bindings);
        let mut driver =
            LocalDriver::new(LocalDriverOptions { threads: Some(1), ..LocalDriverOptions::default() });
        let mut sums = Sums::default();
        let end = run_bound(race, &mut driver, &mut sums, &Cancel::new());
        let mut text = String::new();
        for failed in &end.failed_tasks {
            // Writing to a string cannot fail.
            _ = writeln!(text, "a task failed: {}", chain(failed.error.as_ref()));
        }
        match &end.reason {
            EndReason::Completed => text.push_str("the race went on to its end"),
            EndReason::Cancelled => text.push_str("the race was cancelled"),
            EndReason::Failed(error) => _ = write!(text, "the race failed: {}", chain(error)),
        }
        for description in &sums.failures {
            _ = write!(text, "\nrequests failed: {description}");
        }
        Ok((text, Some(sums.honest)))
    }
}

/// The text without what is a matter of chance: which of the clients fails first, and whether a loop is stopped in the
/// component itself or in the glue around it, whose functions have no names.
fn settled(text: &str) -> String {
    let text = text.replace("for client 0", "for client N").replace("for client 1", "for client N");
    let frame = |line: &str| {
        let (number, name) = line.trim_start().split_once(": ")?;
        number.parse::<u32>().ok()?;
        Some((line.len() - line.trim_start().len(), name.to_owned()))
    };
    let mut lines = Vec::new();
    for line in text.lines() {
        match frame(line) {
            Some((_, name)) if name.starts_with("function ") => {}
            Some((indent, name)) => lines.push(format!("{:indent$}at {name}", "")),
            None => lines.push(line.to_owned()),
        }
    }
    lines.join("\n")
}

/// A track with the hostile task and, beside it, an honest one.
fn track(entry: &Entry) -> Value {
    let search = json!({"name": "search", "operation-type": "search", "index": "_all", "body": {"query": {"match_all": {}}}});
    let honest = json!({"name": "honest", "operation": "search", "clients": 1, "iterations": HONEST});
    let iterations = entry.iterations.unwrap_or(ITERATIONS);
    let (operation, schedule) = match entry.role.as_str() {
        "source" => {
            (json!({"name": "hostile", "operation-type": "search", "param-source": "source"}), Value::Null)
        }
        "runner" => (json!({"name": "hostile", "operation-type": "runner"}), Value::Null),
        "source runner" => {
            (json!({"name": "hostile", "operation-type": "runner", "param-source": "source"}), Value::Null)
        }
        "scheduler" => (
            json!({"name": "hostile", "operation-type": "search", "index": "_all", "body": {}}),
            "scheduler".into(),
        ),
        _ => (Value::Null, Value::Null),
    };
    let (mut operations, mut tasks) = (vec![search], vec![honest]);
    if !operation.is_null() {
        operations.push(operation);
        let mut task = json!({"name": "hostile", "operation": "hostile", "clients": entry.clients, "iterations": iterations});
        if !schedule.is_null() {
            (task["schedule"], task["target-throughput"]) = (schedule, 1000.into());
        }
        tasks.insert(0, task);
    }
    json!({
        "short-description": "a stranger's track",
        "description": "a stranger's track",
        "indices": [{"name": "places", "types": [{"name": "place", "mapping": "mapping.json"}]}],
        "operations": operations,
        "challenges": [{"name": "only", "description": "the only one", "schedule": [{"parallel": {"tasks": tasks}}]}],
    })
}

/// A thousand documents of 20 bytes each for every client.
fn documents(path: &Path) -> Arc<DocumentSet> {
    const DOCUMENTS: u64 = 2_000;
    let line = "{\"name\":\"some place\"}\n";
    let size = line.len() as u64;
    std::fs::write(path, line.repeat(DOCUMENTS as usize)).expect("written");
    let bytes = Box::new(move |first: u64, count: u64| Ok(first * size..(first + count) * size));
    Arc::new(DocumentSet::new("places", "place", path, DOCUMENTS, false, bytes))
}

/// What a race tells, as far as it matters here.
#[derive(Default)]
struct Sums {
    /// Good requests of the last task, the honest one.
    honest: u64,
    last_task: usize,
    failures: Vec<String>,
}

impl Observer for Sums {
    fn before_lap(&mut self, _: u32) -> Result<(), Cause> {
        Ok(())
    }

    fn event(&mut self, event: RaceEvent) {
        let RaceEvent::Recording { task, recording } = event else { return };
        let Recording { histograms, failures, .. } = *recording;
        if task > self.last_task {
            (self.last_task, self.honest) = (task, 0);
        }
        if task == self.last_task {
            let good = histograms
                .iter()
                .filter(|((kind, _, ending), _)| (*kind, *ending) == (Kind::ServiceTime, Ending::Success));
            self.honest += good.map(|(_, histogram)| histogram.len()).sum::<u64>();
        }
        for key in failures.into_keys() {
            let status = key.status.map(|status| format!(" (status {status})")).unwrap_or_default();
            let text = format!("{}{status}", key.description);
            if !self.failures.contains(&text) {
                self.failures.push(text);
                self.failures.sort();
            }
        }
    }
}

/// An error and its causes, as the command prints them.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        let indented = said.replace('\n', "\n  ");
        if !text.contains(&said) && !text.contains(&indented) {
            _ = write!(text, "\n  because: {indented}");
        }
        cause = error.source();
    }
    text
}
