//! What operations do.

/// What an operation does; the code for it is in the rooms that match on this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// `bulk`, and `index` of 2017.
    Bulk,
    /// `search` of 2017: a scroll where both `pages` and `results-per-page` are there.
    Search2017,
    /// `search`.
    Search,
    /// `scroll-search`.
    ScrollSearch,
    /// `paginated-search`.
    PaginatedSearch,
    /// `composite-agg`.
    CompositeAggregation,
    /// `sql`.
    Sql,
    /// `esql`.
    Esql,
    /// `esql-profile`.
    EsqlProfile,
    /// `field-caps`.
    FieldCapabilities,
    /// `composite`.
    Composite,
    /// `submit-async-search`.
    SubmitAsyncSearch,
    /// `get-async-search`.
    GetAsyncSearch,
    /// `delete-async-search`.
    DeleteAsyncSearch,
    /// `open-point-in-time`.
    OpenPointInTime,
    /// `close-point-in-time`.
    ClosePointInTime,
    /// `index-stats`.
    IndexStats,
    /// `node-stats`.
    NodeStats,
    /// `cluster-health`.
    ClusterHealth,
    /// `put-pipeline`.
    PutPipeline,
    /// `put-settings`.
    PutSettings,
    /// `raw-request`.
    RawRequest,
    /// `run-until`.
    RunUntil,
    /// `sleep`.
    Sleep,
    /// `create-ilm-policy`.
    CreateLifecyclePolicy,
    /// `delete-ilm-policy`.
    DeleteLifecyclePolicy,
    /// `force-merge`.
    ForceMerge,
    /// `refresh`.
    Refresh,
    /// `create-index`.
    CreateIndex,
    /// `delete-index`.
    DeleteIndex,
    /// `create-data-stream`.
    CreateDataStream,
    /// `delete-data-stream`.
    DeleteDataStream,
    /// `shrink-index`.
    ShrinkIndex,
    /// `downsample`.
    Downsample,
    /// `create-index-template`.
    CreateIndexTemplate,
    /// `delete-index-template`.
    DeleteIndexTemplate,
    /// `create-composable-template`.
    CreateComposableTemplate,
    /// `delete-composable-template`.
    DeleteComposableTemplate,
    /// `create-component-template`.
    CreateComponentTemplate,
    /// `delete-component-template`.
    DeleteComponentTemplate,
    /// `create-snapshot-repository`.
    CreateSnapshotRepository,
    /// `delete-snapshot-repository`.
    DeleteSnapshotRepository,
    /// `create-snapshot`.
    CreateSnapshot,
    /// `wait-for-snapshot-create`.
    WaitForSnapshot,
    /// `wait-for-current-snapshots-create`.
    WaitForCurrentSnapshots,
    /// `restore-snapshot`.
    RestoreSnapshot,
    /// `wait-for-recovery`.
    WaitForRecovery,
    /// `create-transform`.
    CreateTransform,
    /// `start-transform`.
    StartTransform,
    /// `wait-for-transform`.
    WaitForTransform,
    /// `delete-transform`.
    DeleteTransform,
    /// `transform-stats`.
    TransformStats,
    /// `create-ml-datafeed`.
    CreateDatafeed,
    /// `delete-ml-datafeed`.
    DeleteDatafeed,
    /// `start-ml-datafeed`.
    StartDatafeed,
    /// `stop-ml-datafeed`.
    StopDatafeed,
    /// `create-ml-job`.
    CreateJob,
    /// `delete-ml-job`.
    DeleteJob,
    /// `open-ml-job`.
    OpenJob,
    /// `close-ml-job`.
    CloseJob,
}
