//! How each built-in operation is performed: the code behind the rows of the table.

use futures_util::future::LocalBoxFuture;
use rally_operation_table::Work;
use serde_json::{Map, Value};

use super::call::Call;
use super::indices::Kind;
use super::search::Paging;
use super::session::{Done, Environment, Session, Stop};
use super::{answers, calls, handles, indices, paging, shrink, small, waiting};

use Procedure::{One, Several};
use Read::{Anything, By, Object};

type Steps = for<'a, 'c> fn(&'a mut Session<'c>) -> LocalBoxFuture<'a, Result<Done, Stop>>;

/// Makes the request of an operation of its parameters.
type Maker = fn(&Environment, &Map<String, Value>) -> Result<Call, String>;

/// Says what the answer means for an operation with these parameters.
type Reader = fn(&[u8], &Map<String, Value>) -> Result<Done, Stop>;

/// What an operation does.
#[derive(Clone, Copy)]
pub enum Procedure {
    /// Sends documents.
    Bulk,
    /// Searches.
    Search(Paging),
    /// Waits for a transform, and reports how far it is.
    WaitForTransform,
    /// Performs other operations.
    Composite,
    /// Sends one request.
    One(Maker, Read),
    /// Sends none, or one or more, depending on answers.
    Several(Steps),
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

/// How an operation is performed.
pub fn procedure(work: Work) -> Procedure {
    match work {
        Work::Bulk => Procedure::Bulk,
        Work::Search2017 => Procedure::Search(Paging::PagesAndResults),
        Work::Search => Procedure::Search(Paging::Pages),
        Work::ScrollSearch => Procedure::Search(Paging::Always),
        Work::PaginatedSearch => Several(|session| Box::pin(paging::paginated_search(session))),
        Work::CompositeAggregation => Several(|session| Box::pin(paging::composite_aggregation(session))),
        Work::ForceMerge => Several(|session| Box::pin(waiting::force_merge(session))),
        Work::IndexStats => One(calls::index_stats, By(answers::index_stats)),
        Work::NodeStats => One(calls::node_stats, Object),
        Work::ClusterHealth => One(calls::cluster_health, By(answers::cluster_health)),
        Work::Refresh => One(calls::refresh, Object),
        Work::CreateIndex => Several(|session| Box::pin(indices::create_indices(session))),
        Work::DeleteIndex => Several(|session| Box::pin(indices::delete_indices(session))),
        Work::CreateDataStream => Several(|session| Box::pin(indices::create_data_streams(session))),
        Work::DeleteDataStream => Several(|session| Box::pin(indices::delete_data_streams(session))),
        Work::CreateIndexTemplate => {
            Several(|session| Box::pin(indices::create_templates(session, Kind::IndexTemplate)))
        }
        Work::DeleteIndexTemplate => {
            Several(|session| Box::pin(indices::delete_templates(session, Kind::IndexTemplate)))
        }
        Work::CreateComposableTemplate => {
            Several(|session| Box::pin(indices::create_templates(session, Kind::ComposableTemplate)))
        }
        Work::DeleteComposableTemplate => {
            Several(|session| Box::pin(indices::delete_templates(session, Kind::ComposableTemplate)))
        }
        Work::CreateComponentTemplate => {
            Several(|session| Box::pin(indices::create_templates(session, Kind::ComponentTemplate)))
        }
        Work::DeleteComponentTemplate => {
            Several(|session| Box::pin(indices::delete_component_templates(session)))
        }
        Work::PutPipeline => One(calls::put_pipeline, Object),
        Work::PutSettings => One(calls::put_settings, Object),
        Work::RawRequest => One(calls::raw_request, Anything),
        Work::Sleep => Several(|session| Box::pin(small::sleep(session))),
        Work::ShrinkIndex => Several(|session| Box::pin(shrink::shrink_index(session))),
        Work::CreateLifecyclePolicy => One(calls::create_ilm_policy, Object),
        Work::DeleteLifecyclePolicy => One(calls::delete_ilm_policy, Object),
        Work::Sql => Several(|session| Box::pin(small::sql(session))),
        Work::Esql => One(calls::esql, By(answers::esql)),
        Work::EsqlProfile => One(calls::esql_profile, By(answers::esql_profile)),
        Work::FieldCapabilities => One(calls::field_caps, Object),
        Work::SubmitAsyncSearch => Several(|session| Box::pin(handles::submit_async_search(session))),
        Work::GetAsyncSearch => Several(|session| Box::pin(handles::get_async_search(session))),
        Work::DeleteAsyncSearch => Several(|session| Box::pin(handles::delete_async_search(session))),
        Work::OpenPointInTime => Several(|session| Box::pin(handles::open_point_in_time(session))),
        Work::ClosePointInTime => Several(|session| Box::pin(handles::close_point_in_time(session))),
        Work::Composite => Procedure::Composite,
        Work::CreateSnapshotRepository => One(calls::create_snapshot_repository, Object),
        Work::DeleteSnapshotRepository => One(calls::delete_snapshot_repository, Object),
        Work::CreateSnapshot => One(calls::create_snapshot, Object),
        Work::WaitForSnapshot => Several(|session| Box::pin(waiting::snapshot_create(session))),
        Work::WaitForCurrentSnapshots => {
            Several(|session| Box::pin(waiting::current_snapshots_create(session)))
        }
        Work::RestoreSnapshot => One(calls::restore_snapshot, Object),
        Work::WaitForRecovery => Several(|session| Box::pin(waiting::recovery(session))),
        Work::CreateTransform => One(calls::create_transform, Object),
        Work::StartTransform => One(calls::start_transform, Object),
        Work::WaitForTransform => Procedure::WaitForTransform,
        Work::DeleteTransform => One(calls::delete_transform, Object),
        Work::TransformStats => One(calls::transform_stats, By(answers::transform_stats)),
        Work::Downsample => One(calls::downsample, Object),
        Work::RunUntil => Several(|session| Box::pin(waiting::run_until(session))),
        Work::CreateDatafeed => One(calls::create_ml_datafeed, Object),
        Work::DeleteDatafeed => One(calls::delete_ml_datafeed, Object),
        Work::StartDatafeed => One(calls::start_ml_datafeed, Object),
        Work::StopDatafeed => One(calls::stop_ml_datafeed, Object),
        Work::CreateJob => One(calls::create_ml_job, Object),
        Work::DeleteJob => One(calls::delete_ml_job, Object),
        Work::OpenJob => One(calls::open_ml_job, Object),
        Work::CloseJob => One(calls::close_ml_job, Object),
    }
}
