//! What is written down of a race: `race.json`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Map, Value, json};

use crate::record::SCHEMA_VERSION;
use crate::rows::Compat;
use crate::summary::{FailedTaskRecord, RaceStatus, Summary};

/// ISO 8601, basic format, as Rally writes times: `20170101T120000Z`.
const BASIC_TIME: &str = "%Y%m%dT%H%M%SZ";

/// A race as `race.json` has it. Names are Rally's where Rally has the field; all that is needed to run the race again is
/// there. Fields that this version does not know are left alone when reading.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct RaceRecord {
    /// Version of rally.
    pub rally_version: String,
    /// Revision that rally was built from, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rally_revision: Option<String>,
    /// Name of the environment, `local` unless configured.
    pub environment: String,
    /// Name of the race, unique; also that of its folder.
    pub race_id: String,
    /// When it started, to the second.
    #[serde(serialize_with = "write_time", deserialize_with = "read_time")]
    pub race_timestamp: Timestamp,
    /// How it stands.
    #[serde(default = "complete")]
    pub status: RaceStatus,
    /// Why it failed, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// Tasks that could not go on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed_tasks: Vec<FailedTaskRecord>,
    /// `benchmark-only`, `from-distribution` and so on.
    pub pipeline: String,
    /// What the user says about it.
    #[serde(default)]
    pub user_tags: BTreeMap<String, String>,
    /// Name of the track.
    pub track: String,
    /// Name of the challenge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub challenge: Option<String>,
    /// Configuration of the node, `external` for one that was there before.
    #[serde(default, deserialize_with = "one_or_several")]
    pub car: Vec<String>,
    /// Number of laps.
    #[serde(default = "one")]
    pub total_laps: u32,
    /// What was raced.
    #[serde(default)]
    pub cluster: ClusterRecord,
    /// Seed of all random choices, in decimal digits: JSON numbers are not exact that far in every reader.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<String>,
    /// `sha256:...` of the track's files, by path within the track.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub track_digests: BTreeMap<String, String>,
    /// Options of the command that matter for the figures, without secrets.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub options: Map<String, Value>,
    /// The load driver's machine: operating system, CPUs, memory and so on.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub load_driver: Map<String, Value>,
    /// Properties of all records: track < challenge.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub meta: Map<String, Value>,
    /// Version of the results' names and meanings ([`SCHEMA_VERSION`]); `None` as long as there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema_version: Option<u32>,
    /// Whose definitions the main figures have: `rally`, or rally's own where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compat: Option<String>,
    /// Results over the whole race ([`Summary::results`]); `None` as long as there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub results: Option<Value>,
    /// Results per lap, where there are several ([`Summary::lap_results`]).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lap_results: Vec<Value>,
    /// Sentences that belong to the results ([`Summary::warnings`]).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// The cluster of a race.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct ClusterRecord {
    /// Revision of the target, as it says.
    pub revision: Option<String>,
    /// Its version.
    pub distribution_version: Option<String>,
    /// `default`, `oss`, `opensearch`, `rally` (the embedded node).
    pub distribution_flavor: Option<String>,
    /// Its addresses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
}

impl ClusterRecord {
    /// The cluster in a line: flavor, version and addresses, as far as they are known.
    pub fn describe(&self) -> String {
        let known = [self.distribution_flavor.as_deref(), self.distribution_version.as_deref()];
        let known: Vec<&str> = known.into_iter().flatten().collect();
        match (known.is_empty(), self.hosts.is_empty()) {
            (_, true) => known.join(" "),
            (true, false) => self.hosts.join(", "),
            (false, false) => format!("{} at {}", known.join(" "), self.hosts.join(", ")),
        }
    }
}

impl RaceRecord {
    /// What says which race this is, under the names of `race.json`.
    pub fn identity(&self) -> [(&'static str, Value); 6] {
        [
            ("race-id", json!(self.race_id)),
            ("race-timestamp", json!(iso_basic(self.race_timestamp))),
            ("track", json!(self.track)),
            ("challenge", json!(self.challenge)),
            ("cluster", json!(self.cluster)),
            ("seed", json!(self.seed)),
        ]
    }

    /// Takes in what the race came to, as it stands.
    pub fn take_in(&mut self, summary: &Summary, compat: Option<Compat>) {
        self.status = summary.status;
        self.schema_version = Some(SCHEMA_VERSION);
        self.compat = compat.map(|Compat::Rally| "rally".to_owned());
        self.results = Some(summary.results(compat));
        self.lap_results = summary.lap_results(compat);
        self.warnings = summary.warnings(compat);
        self.failed_tasks = summary.failed_tasks();
    }
}

/// A time in ISO 8601 basic format, UTC: `20170101T120000Z`.
pub fn iso_basic(time: Timestamp) -> String {
    time.strftime(BASIC_TIME).to_string()
}

fn write_time<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&iso_basic(*time))
}

fn read_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(deserializer)?;
    let time = jiff::civil::DateTime::strptime(BASIC_TIME, &text)
        .and_then(|time| time.to_zoned(TimeZone::UTC))
        .map_err(|error| {
            de::Error::custom(format!("'{text}' is not a time like 20170101T120000Z: {error}"))
        })?;
    Ok(time.timestamp())
}

/// Rally writes one car as a text or as a list of one.
fn one_or_several<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Cars {
        One(String),
        Several(Vec<String>),
    }
    Ok(match Cars::deserialize(deserializer)? {
        Cars::One(car) => vec![car],
        Cars::Several(cars) => cars,
    })
}

/// Rally writes its race.json when all is over.
fn complete() -> RaceStatus {
    RaceStatus::Complete
}

fn one() -> u32 {
    1
}
