//! What the built-in parameter sources would yield: parameters of each operation, and each client's part of the documents.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use rally_operations::{BulkPlan, PartitionPlan, built_in_params, bulk_plan, reads_documents};
use rally_track::{Task, Track};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::bodies::Bodies;
use crate::canonical;
use crate::error::PlanError;
use crate::operations::Operations;

/// More parts of files than this are not planned: a track could ask for billions.
const MOST_READERS: u64 = 4_000_000;

/// What the built-in parameter sources yield. Operations with a source of an extension are in neither.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ParamSources {
    /// Bulk requests, by operation and number of clients.
    pub bulk: BTreeMap<BulkKey, Planned<PlannedBulk>>,
    /// Parameters of everything else, by operation.
    pub params: BTreeMap<usize, Planned<PlannedParams>>,
}

/// Which bulk requests: those of one operation that this number of clients share. Written `operation/clients`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BulkKey {
    /// Index into the plan's operations.
    pub operation: usize,
    /// Number of clients.
    pub clients: u32,
}

impl fmt::Display for BulkKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.operation, self.clients)
    }
}

impl Serialize for BulkKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What a source yields, or why a race would not start.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Planned<Yield> {
    /// What it yields.
    Yields(Yield),
    /// The problem.
    Fails {
        /// The problem.
        error: Failure,
    },
}

impl<Yield> Planned<Yield> {
    /// What the source yields, if nothing is wrong.
    pub fn yields(&self) -> Option<&Yield> {
        match self {
            Planned::Yields(yields) => Some(yields),
            Planned::Fails { .. } => None,
        }
    }
}

/// The problem.
#[derive(Debug, Clone, Serialize)]
pub struct Failure {
    /// In Elastic Rally's words.
    pub message: String,
    /// Elastic Rally's class of the error.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// For people: which operation, what is wrong with it, and what to do.
    #[serde(skip)]
    pub explanation: String,
}

/// Parameters of an operation other than bulk requests.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedParams {
    /// Whether the source never ends.
    pub infinite: bool,
    /// The parameters, unless they are the operation's own.
    #[serde(serialize_with = "canonical::sorted_optional_map", skip_serializing_if = "Option::is_none")]
    pub params: Option<Map<String, Value>>,
    /// Name of the source in Elastic Rally, unless the parameters are the operation's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<&'static str>,
    /// True where the parameters are the operation's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verbatim: Option<bool>,
}

/// Bulk requests of an operation that some number of clients share.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedBulk {
    /// All clients' parts, as if one client had them all.
    pub all_in_one_worker: PlannedPartition,
    /// Documents that are read at a time.
    pub batch_size: u64,
    /// Documents of a request.
    pub bulk_size: u64,
    /// Whether ids conflict: `NoConflicts`, `SequentialConflicts` or `RandomConflicts`.
    pub id_conflicts: &'static str,
    /// How much of the documents is sent, in percent.
    pub ingest_percentage: f64,
    /// Whether it starts over at the end: true, or as it is written.
    #[serde(serialize_with = "canonical::sorted")]
    pub looped: Value,
    /// Whether it starts over at the end.
    #[serde(skip)]
    pub loops: bool,
    /// Each client's part, by its index within the task.
    #[serde(serialize_with = "by_text")]
    pub partitions: BTreeMap<u32, PlannedPartition>,
    /// Number of parts.
    pub total_partitions: u32,
}

/// A part of the documents.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedPartition {
    /// Number of readers.
    pub number_of_readers: usize,
    /// What is read, in this order.
    pub readers: Vec<PlannedReader>,
    /// Number of requests.
    pub total_bulks: u64,
}

/// A part of a file: `[file, first line, lines, documents]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedReader {
    /// Name of the plain file.
    pub file_name: String,
    /// Lines before it.
    pub first_line: u64,
    /// Lines of it.
    pub lines: u64,
    /// Documents of it.
    pub documents: u64,
}

impl Serialize for PlannedReader {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (&self.file_name, self.first_line, self.lines, self.documents).serialize(serializer)
    }
}

/// Keys of JSON are text: 10 comes before 2.
fn by_text<S: Serializer>(
    partitions: &BTreeMap<u32, PlannedPartition>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let sorted: BTreeMap<String, &PlannedPartition> =
        partitions.iter().map(|(client, partition)| (client.to_string(), partition)).collect();
    serializer.collect_map(sorted)
}

/// Asks the sources of all operations of all challenges.
pub(crate) fn planned(
    track: &Track,
    operations: &mut Operations,
    bodies: &mut Bodies,
) -> Result<ParamSources, PlanError> {
    let mut sources = ParamSources::default();
    for element in track.challenges.iter().flat_map(|challenge| &challenge.schedule) {
        for task in element.tasks() {
            let operation = task.operation.as_ref();
            let index = operations.index(&task.operation)?;
            if reads_documents(track.dialect, operation) {
                let key = BulkKey { operation: index, clients: task.clients };
                if let Entry::Vacant(place) = sources.bulk.entry(key) {
                    place.insert(bulk(track, task)?);
                }
            } else if operation.param_source.is_none() && !sources.params.contains_key(&index) {
                sources.params.insert(index, params(track, task, bodies)?);
            }
        }
    }
    Ok(sources)
}

fn params(track: &Track, task: &Task, bodies: &mut Bodies) -> Result<Planned<PlannedParams>, PlanError> {
    let operation = task.operation.as_ref();
    let built_in = match built_in_params(track, operation) {
        Ok(built_in) => built_in,
        Err(error) => return Ok(failed(error.rally_class(), error.rally_message(&task.name), &error)),
    };
    let infinite = built_in.infinite;
    let verbatim = PlannedParams { infinite, params: None, source: None, verbatim: Some(true) };
    let Some(mut params) = built_in.params else { return Ok(Planned::Yields(verbatim)) };
    if params == operation.params {
        return Ok(Planned::Yields(verbatim));
    }
    let listed = built_in.source.lists_bodies_under().and_then(|key| params.get_mut(key));
    if let Some(pairs) = listed.and_then(Value::as_array_mut) {
        refer_to_bodies(pairs, bodies)?;
    }
    Ok(Planned::Yields(PlannedParams {
        infinite,
        params: Some(params),
        source: Some(built_in.source.rally_name()),
        verbatim: None,
    }))
}

/// Puts references for the bodies in pairs of a name and a body.
fn refer_to_bodies(pairs: &mut [Value], bodies: &mut Bodies) -> serde_json::Result<()> {
    for body in pairs.iter_mut().filter_map(|pair| pair.get_mut(1)).filter(|body| !body.is_null()) {
        *body = bodies.keep(body)?.into();
    }
    Ok(())
}

fn bulk(track: &Track, task: &Task) -> Result<Planned<PlannedBulk>, PlanError> {
    let (operation, clients) = (task.operation.as_ref(), task.clients);
    let plan: BulkPlan = match bulk_plan(track, operation, clients) {
        Ok(plan) => plan,
        Err(error) => return Ok(failed(error.rally_class(), error.rally_message(&task.name), &error)),
    };
    let files = track.document_sets().count() as u64;
    let readers = files.saturating_mul(u64::from(clients));
    if readers > MOST_READERS {
        return Err(PlanError::TooManyReaders {
            operation: operation.name.clone(),
            clients,
            files,
            most: MOST_READERS,
        });
    }
    let last = clients.saturating_sub(1);
    let partitions = (0..clients).map(|client| (client, partition(&plan.partition(client..=client))));
    Ok(Planned::Yields(PlannedBulk {
        all_in_one_worker: partition(&plan.partition(0..=last)),
        batch_size: plan.batch_size,
        bulk_size: plan.bulk_size,
        id_conflicts: plan.id_conflicts,
        ingest_percentage: plan.ingest_percentage,
        loops: plan.looped,
        looped: plan.looped_as_written.clone(),
        partitions: partitions.collect(),
        total_partitions: clients,
    }))
}

fn partition(plan: &PartitionPlan) -> PlannedPartition {
    // In the order in which Rally opens them, as its recorded partitions have it; it reads the corpora in turn.
    let readers: Vec<PlannedReader> = plan
        .readers
        .iter()
        .map(|reader| PlannedReader {
            file_name: reader.file_name.clone(),
            first_line: reader.first_line,
            lines: reader.lines,
            documents: reader.documents,
        })
        .collect();
    PlannedPartition { number_of_readers: readers.len(), readers, total_bulks: plan.total_bulks }
}

/// An error with Elastic Rally's class and words: plans are compared with its.
fn failed<Yield>(kind: &'static str, message: String, error: &dyn std::error::Error) -> Planned<Yield> {
    Planned::Fails { error: Failure { message, kind, explanation: error.to_string() } }
}
