//! Indices and data streams: to create, delete, refresh, merge and shrink.

use crate::operation_type::{OperationType, administrative, measured};
use crate::parameter::{Parameter, any, count, flag, name, names, seconds};
use crate::{Source, Work};

pub(crate) const ROWS: &[OperationType] = &[
    administrative("force-merge", Work::ForceMerge, FORCE_MERGE)
        .also_2017(&["ForceMerge"])
        .internal()
        .source(Source::ForceMerge),
    administrative("refresh", Work::Refresh, &[names("index")]).retried(),
    administrative("create-index", Work::CreateIndex, CREATE_INDEX).retried().source(Source::CreateIndex),
    administrative("delete-index", Work::DeleteIndex, DELETE_INDEX).retried().source(Source::DeleteIndex),
    administrative("create-data-stream", Work::CreateDataStream, CREATE_DATA_STREAM)
        .retried()
        .source(Source::CreateDataStream),
    administrative("delete-data-stream", Work::DeleteDataStream, DELETE_DATA_STREAM)
        .retried()
        .source(Source::DeleteDataStream),
    administrative("shrink-index", Work::ShrinkIndex, SHRINK_INDEX).blocked().retried(),
    measured("downsample", Work::Downsample, DOWNSAMPLE).internal().source(Source::Downsample),
];

const FORCE_MERGE: &[Parameter] = &[
    names("index"),
    names("data-stream"),
    count("max-num-segments"),
    count("max_num_segments"),
    any("mode"),
    seconds("poll-period"),
];
const CREATE_INDEX: &[Parameter] = &[any("index"), any("body"), any("settings")];
const DELETE_INDEX: &[Parameter] = &[any("index"), flag("only-if-exists")];
const CREATE_DATA_STREAM: &[Parameter] = &[any("data-stream")];
const DELETE_DATA_STREAM: &[Parameter] = &[any("data-stream"), flag("only-if-exists")];
const SHRINK_INDEX: &[Parameter] = &[
    name("source-index").mandatory(),
    name("target-index").mandatory(),
    any("target-body").mandatory(),
    name("shrink-node"),
];
const DOWNSAMPLE: &[Parameter] =
    &[any("fixed-interval"), any("source-index"), any("target-index"), any("sampling-method")];
