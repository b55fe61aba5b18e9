//! A race as a value: everything that decides what is sent, and to whom.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use rally_cluster::{ClientOptions, ClientOptionsError, ClusterHealth, SECRET_CLIENT_OPTIONS, TargetHost};
use rally_component::{Bounds, Digest};
use rally_extension::Limits;
use rally_race::{OnError, Timing};
use rally_results::Compat;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use rally_race::ClientShare;

use crate::error::SessionError;

/// The version of [`RaceSpec`] that this program writes and reads.
pub const SPEC_VERSION: u32 = 1;

/// A race: the track, how it is raced, against what, and which of its clients run here.
///
/// Two processes with the same specification on the same track, data and target plan the same race: whatever a race would
/// draw or look up (`seed`, `now`) is in it. It holds no passwords and keys; they are [`Credentials`], which travel apart.
///
/// As JSON it is versioned (`version`); unknown fields are errors, because a field that is ignored is another race.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RaceSpec {
    /// [`SPEC_VERSION`].
    pub version: u32,
    /// The track.
    pub track: TrackSpec,
    /// Name of the challenge; the track's default one where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub challenge: Option<String>,
    /// What the templates of the track are given.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub track_params: Map<String, Value>,
    /// Whether parameters that no template reads are fine.
    #[serde(default)]
    pub ignore_unused_track_params: bool,
    /// Whether keys of the track that nothing reads are errors.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub strict: bool,
    /// If not empty only these tasks are raced: names, `type:` and an operation type, or `tag:` and a tag.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include_tasks: Vec<String>,
    /// Tasks that are left out, in the same form. Not together with `include_tasks`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude_tasks: Vec<String>,
    /// What templates see as `now`: seconds since 1970.
    pub now: f64,
    /// The seed of all random choices. In JSON a text of decimal digits: numbers are not exact that far in every reader.
    #[serde(with = "decimal")]
    pub seed: u64,
    /// How often the challenge is raced, at least once.
    #[serde(default = "one")]
    pub laps: u32,
    /// What a failed request does to the race.
    #[serde(default)]
    pub on_error: OnError,
    /// Whose timing and definitions, if not rally's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compat: Option<Compat>,
    /// Whether each task only runs briefly, with 1,000 documents.
    #[serde(default)]
    pub test_mode: bool,
    /// Whether the network is only used to reach the target: data and track repositories must be there.
    #[serde(default)]
    pub offline: bool,
    /// How healthy the target must be before a lap starts; the target's own default where it is `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<ClusterHealth>,
    /// What is raced against.
    pub target: TargetSpec,
    /// How to talk to the target, by the names of `--client-options`, without passwords and keys.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub client_options: Map<String, Value>,
    /// What the track's own code may take.
    #[serde(default)]
    pub extension_limits: ExtensionLimits,
    /// Which clients of the race run here.
    #[serde(default)]
    pub clients: ClientShare,
    /// What the user says about the race.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub user_tags: BTreeMap<String, String>,
}

/// Where a track comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrackSpec {
    /// A folder with a `track.json`, or the JSON file of a track.
    Folder(PathBuf),
    /// A track that ships with rally, or one of a track repository.
    Named(NamedTrack),
    /// A file that holds a whole track.
    Bundle(BundleSpec),
}

/// A track by its name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct NamedTrack {
    /// Its name.
    pub name: String,
    /// Where it is looked for.
    #[serde(default)]
    pub repository: RepositorySpec,
}

/// Which track repository, and which state of it. By default tracks that ship with rally come before those of the default
/// repository.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RepositorySpec {
    /// Name of the repository. Tracks that ship with rally do not count where it is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Commit, branch or tag, instead of the branch that fits the target's version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// Version by which the branch is chosen, instead of the target's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distribution_version: Option<String>,
}

impl RepositorySpec {
    /// Whether the user asks for a track of a repository, and not for one that ships with rally.
    pub fn is_asked(&self) -> bool {
        self.name.is_some() || self.revision.is_some()
    }
}

/// A bundle, and how far it is trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BundleSpec {
    /// Its file.
    pub file: PathBuf,
    /// What has to be true of it before it is read.
    #[serde(default)]
    pub trust: TrustLevel,
    /// Files of the public keys that are trusted, instead of those in rally's home.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trusted_keys: Vec<PathBuf>,
    /// SHA-256 that it has to have.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "digest")]
    pub digest: Option<Digest>,
}

/// What has to be true of a bundle before it is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrustLevel {
    /// A trusted key has signed it.
    #[default]
    Signed,
    /// It is unchanged since it was made, by whomever.
    Digest,
    /// It is the user's own: any tar archive of a track.
    Local,
}

/// What is raced against.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TargetSpec {
    /// A search node that is started for the race and stopped after it.
    Embedded,
    /// A cluster that runs already.
    Hosts(Vec<TargetHost>),
}

/// What the track's own code may take, as [`Limits`] has it. Times are in microseconds, sizes in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct ExtensionLimits {
    /// Computing time of one call, microseconds.
    pub time_per_call: u64,
    /// Computing time of one call that prepares, microseconds.
    pub time_to_open: u64,
    /// How long one run of a runner may take, waiting included, microseconds.
    pub time_to_run: u64,
    /// Memory of one instance, bytes.
    pub memory: u64,
    /// Table elements of one instance.
    pub table_elements: usize,
    /// Handles of one instance.
    pub handles: usize,
    /// Bytes that one call may hand to the host.
    pub host_call_bytes: u64,
    /// Lines that one instance may log.
    pub log_lines: u32,
    /// Bytes that are kept of an answer.
    pub response_bytes: u64,
    /// Requests of one runner under way at the same time.
    pub requests_in_flight: u32,
    /// Bytes that one instance may write to the track's data folder.
    pub data_bytes: u64,
    /// Size of the largest component that is loaded, bytes; [`Bounds::default`] where it is `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_size: Option<u64>,
}

impl Default for ExtensionLimits {
    fn default() -> ExtensionLimits {
        ExtensionLimits::new(&Limits::default(), None)
    }
}

impl ExtensionLimits {
    /// These limits; components of at most `max_size` bytes.
    pub fn new(limits: &Limits, max_size: Option<u64>) -> ExtensionLimits {
        let microseconds = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        ExtensionLimits {
            time_per_call: microseconds(limits.time_per_call),
            time_to_open: microseconds(limits.time_to_open),
            time_to_run: microseconds(limits.time_to_run),
            memory: limits.memory as u64,
            table_elements: limits.table_elements,
            handles: limits.handles,
            host_call_bytes: limits.host_call_bytes as u64,
            log_lines: limits.log_lines,
            response_bytes: limits.response_bytes as u64,
            requests_in_flight: limits.in_flight,
            data_bytes: limits.data_bytes,
            max_size,
        }
    }

    /// As the host of extensions takes them.
    pub fn limits(&self) -> Limits {
        let bytes = |size: u64| usize::try_from(size).unwrap_or(usize::MAX);
        Limits {
            time_per_call: Duration::from_micros(self.time_per_call),
            time_to_open: Duration::from_micros(self.time_to_open),
            time_to_run: Duration::from_micros(self.time_to_run),
            memory: bytes(self.memory),
            table_elements: self.table_elements,
            handles: self.handles,
            host_call_bytes: bytes(self.host_call_bytes),
            log_lines: self.log_lines,
            response_bytes: bytes(self.response_bytes),
            in_flight: self.requests_in_flight,
            data_bytes: self.data_bytes,
        }
    }

    /// What a component's file may be.
    pub fn bounds(&self) -> Bounds {
        self.max_size.map_or_else(Bounds::default, Bounds::of_size)
    }
}

/// Passwords and keys for the target: the client options that no specification, record, log or message may hold.
///
/// `Debug` does not show them. They serialize, so that they can be sent to a driver on a channel of their own.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Credentials(Map<String, Value>);

impl Credentials {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not even the names: a misspelt option may be the password itself.
        formatter.write_str(if self.is_empty() { "Credentials(none)" } else { "Credentials(hidden)" })
    }
}

/// A specification cannot be raced.
#[derive(Debug, thiserror::Error)]
pub enum SpecError {
    /// It is not JSON, or not that of a specification.
    #[error("cannot read the race specification")]
    Json(#[source] serde_json::Error),
    /// It is of another version.
    #[error("the race specification has version {found}; this rally reads version {SPEC_VERSION}")]
    Version {
        /// Its version.
        found: u64,
    },
    /// It does not have a version.
    #[error("the race specification has no 'version'; this rally reads version {SPEC_VERSION}")]
    NoVersion,
    /// It has a password or key in it.
    #[error("the race specification has the client option '{name}'; pass passwords and keys separately")]
    Secret {
        /// Name of the option.
        name: &'static str,
    },
    /// A client option cannot be used.
    #[error(transparent)]
    ClientOptions(#[from] ClientOptionsError),
    /// No laps.
    #[error("the race specification has 'laps': 0; a race has at least one lap")]
    NoLaps,
    /// No moment.
    #[error("the race specification has 'now': {0}, which is not a number of seconds since 1970")]
    Now(f64),
    /// Nowhere to send to.
    #[error("the race specification names no hosts of the target; give at least one")]
    NoHosts,
    /// Two filters.
    #[error("the race specification has both 'include-tasks' and 'exclude-tasks'; give one of them")]
    TwoFilters,
    /// No clients.
    #[error("the race specification gives this load driver no clients")]
    NoClients,
}

impl RaceSpec {
    /// A race of a track with all defaults, against the embedded node.
    pub fn new(track: TrackSpec, now: f64, seed: u64) -> RaceSpec {
        RaceSpec {
            version: SPEC_VERSION,
            track,
            challenge: None,
            track_params: Map::new(),
            ignore_unused_track_params: false,
            strict: false,
            include_tasks: Vec::new(),
            exclude_tasks: Vec::new(),
            now,
            seed,
            laps: 1,
            on_error: OnError::default(),
            compat: None,
            test_mode: false,
            offline: false,
            health: None,
            target: TargetSpec::Embedded,
            client_options: Map::new(),
            extension_limits: ExtensionLimits::default(),
            clients: ClientShare::All,
            user_tags: BTreeMap::new(),
        }
    }

    /// Reads a specification, of this version only.
    ///
    /// # Errors
    /// Where the text is not a specification, or one of another version.
    pub fn from_json(text: &str) -> Result<RaceSpec, SpecError> {
        let value: Value = serde_json::from_str(text).map_err(SpecError::Json)?;
        match value.get("version").and_then(Value::as_u64) {
            Some(version) if version == u64::from(SPEC_VERSION) => {}
            Some(found) => return Err(SpecError::Version { found }),
            None => return Err(SpecError::NoVersion),
        }
        serde_json::from_value(value).map_err(SpecError::Json)
    }

    /// As one line of JSON.
    ///
    /// # Errors
    /// Where it has a number that JSON does not, e.g. a `now` that is not finite.
    pub fn to_json(&self) -> Result<String, SpecError> {
        serde_json::to_string(self).map_err(SpecError::Json)
    }

    /// Takes what the user gives as client options apart: what may be shown goes into the specification, passwords and keys
    /// into the result.
    ///
    /// # Errors
    /// Where an option is unknown or has a wrong value.
    pub fn set_client_options(&mut self, options: Map<String, Value>) -> Result<Credentials, SpecError> {
        ClientOptions::from_map(&options)?;
        let (secret, open) =
            options.into_iter().partition(|(name, _)| SECRET_CLIENT_OPTIONS.contains(&name.as_str()));
        self.client_options = open;
        Ok(Credentials(secret))
    }

    /// How to talk to the target.
    ///
    /// # Errors
    /// Where the specification has a password or key in it, or an option is unknown or has a wrong value.
    pub fn client_options(&self, credentials: &Credentials) -> Result<ClientOptions, SpecError> {
        let found = |name: &&&str| self.client_options.contains_key(**name);
        if let Some(name) = SECRET_CLIENT_OPTIONS.iter().find(found) {
            return Err(SpecError::Secret { name });
        }
        let mut options = self.client_options.clone();
        options.extend(credentials.0.iter().map(|(name, value)| (name.clone(), value.clone())));
        Ok(ClientOptions::from_map(&options)?)
    }

    /// Whose timing of requests.
    pub fn timing(&self) -> Timing {
        match self.compat {
            Some(Compat::Rally) => Timing::Rally,
            None => Timing::Spread,
        }
    }

    /// Finds what is wrong with the specification itself: nothing is read, nobody is contacted.
    ///
    /// # Errors
    /// Where it contradicts itself, or cannot be raced whatever the track is.
    pub fn validate(&self, credentials: &Credentials) -> Result<(), SessionError> {
        self.check(credentials).map_err(SessionError::user)
    }

    fn check(&self, credentials: &Credentials) -> Result<(), SpecError> {
        if self.version != SPEC_VERSION {
            return Err(SpecError::Version { found: self.version.into() });
        }
        if self.laps == 0 {
            return Err(SpecError::NoLaps);
        }
        if !self.now.is_finite() {
            return Err(SpecError::Now(self.now));
        }
        if !self.include_tasks.is_empty() && !self.exclude_tasks.is_empty() {
            return Err(SpecError::TwoFilters);
        }
        if matches!(&self.target, TargetSpec::Hosts(hosts) if hosts.is_empty()) {
            return Err(SpecError::NoHosts);
        }
        if matches!(&self.clients, ClientShare::Only(clients) if clients.is_empty()) {
            return Err(SpecError::NoClients);
        }
        self.client_options(credentials).map(drop)
    }
}

fn one() -> u32 {
    1
}

/// A number as a text of decimal digits.
mod decimal {
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub fn serialize<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(number)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|error| de::Error::custom(format!("'{text}' is not a seed: {error}")))
    }
}

/// A digest as its hexadecimal digits.
mod digest {
    use rally_component::Digest;
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub fn serialize<S: Serializer>(digest: &Option<Digest>, serializer: S) -> Result<S::Ok, S::Error> {
        match digest {
            Some(digest) => serializer.collect_str(digest),
            None => serializer.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Digest>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| text.parse().map_err(de::Error::custom)).transpose()
    }
}
