//! A race as a value: everything that decides what is sent, and to whom.

mod credentials;
mod limits;
mod track;

use std::collections::BTreeMap;

use rally_cluster::{ClientOptions, ClientOptionsError, ClusterHealth, SECRET_CLIENT_OPTIONS, TargetHost};
use rally_race::{OnError, Timing};
use rally_results::Compat;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use rally_race::ClientShare;

pub use self::credentials::Credentials;
pub use self::limits::ExtensionLimits;
pub use self::track::{BundleSpec, NamedTrack, RepositorySpec, TrackSpec, TrustLevel};
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

/// What is raced against.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TargetSpec {
    /// A search node that is started for the race and stopped after it.
    Embedded,
    /// A cluster that runs already.
    Hosts(Vec<TargetHost>),
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
