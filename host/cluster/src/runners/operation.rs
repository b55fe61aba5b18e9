//! All built-in operations: by which name tracks call them, and what they do.

use futures_util::future::LocalBoxFuture;
use rally_track::Dialect;
use serde_json::{Map, Value};

use super::call::Call;
use super::indices::Kind;
use super::search::Paging;
use super::session::{Done, Environment, Session, Stop};
use super::{answers, calls, handles, indices, paging, shrink, small, waiting};

use Read::{Anything, By, Object};
use Retried::{AsAsked, Never, UntilSuccess};

type Several = for<'a, 'c> fn(&'a mut Session<'c>) -> LocalBoxFuture<'a, Result<Done, Stop>>;

/// Makes the request of an operation of its parameters.
type Maker = fn(&Environment, &Map<String, Value>) -> Result<Call, String>;

/// Says what the answer means for an operation with these parameters.
type Reader = fn(&[u8], &Map<String, Value>) -> Result<Done, Stop>;

/// A built-in operation.
pub struct Declared {
    /// Its type, as tracks name it.
    pub name: &'static str,
    /// The dialect that has it; `None`: both.
    pub dialect: Option<Dialect>,
    /// Whether it is tried again.
    pub retried: Retried,
    /// What it does.
    pub work: Work,
}

/// Whether an operation is tried again when it fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retried {
    /// No parameter asks for it.
    Never,
    /// If its parameters ask for it.
    AsAsked,
    /// Until it succeeds, unless its parameters say otherwise.
    UntilSuccess,
}

/// What an operation does.
#[derive(Clone, Copy)]
pub enum Work {
    /// Sends documents.
    Bulk,
    /// Searches.
    Search(Paging),
    /// Waits for a transform, and tells how far it is.
    WaitForTransform,
    /// Performs other operations.
    Composite,
    /// Sends one request.
    One(Maker, Read),
    /// Sends none, or one or more, depending on answers.
    Several(Several),
}

/// What is read of the answer to an operation of one request.
#[derive(Clone, Copy)]
pub enum Read {
    /// That it is a JSON object.
    Object,
    /// Nothing.
    Anything,
    /// What it says.
    By(Reader),
}

const fn one(name: &'static str, retried: Retried, call: Maker, read: Read) -> Declared {
    Declared { name, dialect: None, retried, work: Work::One(call, read) }
}

const fn several(name: &'static str, retried: Retried, perform: Several) -> Declared {
    Declared { name, dialect: None, retried, work: Work::Several(perform) }
}

const fn own(name: &'static str, dialect: Option<Dialect>, work: Work) -> Declared {
    Declared { name, dialect, retried: Retried::Never, work }
}

/// Every built-in operation, by how much it matters to races.
pub static OPERATIONS: [Declared; 61] = [
    // `index` is the name of 2017; tracks of the time between have both.
    own("bulk", None, Work::Bulk),
    own("index", None, Work::Bulk),
    own("search", Some(Dialect::Rally2017), Work::Search(Paging::PagesAndResults)),
    own("search", Some(Dialect::Current), Work::Search(Paging::Pages)),
    own("scroll-search", None, Work::Search(Paging::Always)),
    several("paginated-search", Never, |session| Box::pin(paging::paginated_search(session))),
    several("composite-agg", Never, |session| Box::pin(paging::composite_aggregation(session))),
    several("force-merge", Never, |session| Box::pin(waiting::force_merge(session))),
    one("index-stats", AsAsked, calls::index_stats, By(answers::index_stats)),
    one("node-stats", Never, calls::node_stats, Object),
    one("cluster-health", AsAsked, calls::cluster_health, By(answers::cluster_health)),
    one("refresh", AsAsked, calls::refresh, Object),
    several("create-index", AsAsked, |session| Box::pin(indices::create_indices(session))),
    several("delete-index", AsAsked, |session| Box::pin(indices::delete_indices(session))),
    several("create-data-stream", AsAsked, |session| Box::pin(indices::create_data_streams(session))),
    several("delete-data-stream", AsAsked, |session| Box::pin(indices::delete_data_streams(session))),
    several("create-index-template", AsAsked, |session| {
        Box::pin(indices::create_templates(session, Kind::IndexTemplate))
    }),
    several("delete-index-template", AsAsked, |session| {
        Box::pin(indices::delete_templates(session, Kind::IndexTemplate))
    }),
    several("create-composable-template", AsAsked, |session| {
        Box::pin(indices::create_templates(session, Kind::ComposableTemplate))
    }),
    several("delete-composable-template", AsAsked, |session| {
        Box::pin(indices::delete_templates(session, Kind::ComposableTemplate))
    }),
    several("create-component-template", AsAsked, |session| {
        Box::pin(indices::create_templates(session, Kind::ComponentTemplate))
    }),
    several("delete-component-template", AsAsked, |session| {
        Box::pin(indices::delete_component_templates(session))
    }),
    one("put-pipeline", AsAsked, calls::put_pipeline, Object),
    one("put-settings", AsAsked, calls::put_settings, Object),
    one("raw-request", Never, calls::raw_request, Anything),
    several("sleep", Never, |session| Box::pin(small::sleep(session))),
    several("shrink-index", AsAsked, |session| Box::pin(shrink::shrink_index(session))),
    one("create-ilm-policy", AsAsked, calls::create_ilm_policy, Object),
    one("delete-ilm-policy", AsAsked, calls::delete_ilm_policy, Object),
    several("sql", Never, |session| Box::pin(small::sql(session))),
    one("esql", Never, calls::esql, By(answers::esql)),
    one("esql-profile", Never, calls::esql_profile, By(answers::esql_profile)),
    one("field-caps", Never, calls::field_caps, Object),
    several("submit-async-search", Never, |session| Box::pin(handles::submit_async_search(session))),
    several("get-async-search", UntilSuccess, |session| Box::pin(handles::get_async_search(session))),
    several("delete-async-search", Never, |session| Box::pin(handles::delete_async_search(session))),
    several("open-point-in-time", Never, |session| Box::pin(handles::open_point_in_time(session))),
    several("close-point-in-time", Never, |session| Box::pin(handles::close_point_in_time(session))),
    own("composite", None, Work::Composite),
    one("create-snapshot-repository", AsAsked, calls::create_snapshot_repository, Object),
    one("delete-snapshot-repository", AsAsked, calls::delete_snapshot_repository, Object),
    one("create-snapshot", Never, calls::create_snapshot, Object),
    several("wait-for-snapshot-create", AsAsked, |session| Box::pin(waiting::snapshot_create(session))),
    several("wait-for-current-snapshots-create", AsAsked, |session| {
        Box::pin(waiting::current_snapshots_create(session))
    }),
    one("restore-snapshot", Never, calls::restore_snapshot, Object),
    several("wait-for-recovery", AsAsked, |session| Box::pin(waiting::recovery(session))),
    one("create-transform", AsAsked, calls::create_transform, Object),
    one("start-transform", AsAsked, calls::start_transform, Object),
    own("wait-for-transform", None, Work::WaitForTransform),
    one("delete-transform", AsAsked, calls::delete_transform, Object),
    one("transform-stats", AsAsked, calls::transform_stats, By(answers::transform_stats)),
    one("downsample", Never, calls::downsample, Object),
    several("run-until", AsAsked, |session| Box::pin(waiting::run_until(session))),
    one("create-ml-datafeed", AsAsked, calls::create_ml_datafeed, Object),
    one("delete-ml-datafeed", AsAsked, calls::delete_ml_datafeed, Object),
    one("start-ml-datafeed", AsAsked, calls::start_ml_datafeed, Object),
    one("stop-ml-datafeed", AsAsked, calls::stop_ml_datafeed, Object),
    one("create-ml-job", AsAsked, calls::create_ml_job, Object),
    one("delete-ml-job", AsAsked, calls::delete_ml_job, Object),
    one("open-ml-job", AsAsked, calls::open_ml_job, Object),
    one("close-ml-job", AsAsked, calls::close_ml_job, Object),
];

/// The built-in operation that a track of this dialect calls by this name.
pub fn declared(dialect: Dialect, name: &str) -> Option<&'static Declared> {
    let has = |declared: &&Declared| declared.dialect.is_none_or(|own| own == dialect);
    OPERATIONS.iter().filter(has).find(|declared| declared.name == name)
}
