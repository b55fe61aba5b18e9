//! The cluster as a whole, requests of any kind, and none at all.

use crate::operation_type::{OperationType, administrative, measured};
use crate::parameter::{Parameter, any, name, names, object, seconds};
use crate::{Source, Work};

pub(crate) const ROWS: &[OperationType] = &[
    measured("index-stats", Work::IndexStats, &[names("index"), object("condition")])
        .also_2017(&["indices-stats", "IndexStats", "IndicesStats"])
        .internal()
        .retried(),
    measured("node-stats", Work::NodeStats, &[])
        .also_2017(&["nodes-stats", "NodeStats", "NodesStats"])
        .internal(),
    administrative("cluster-health", Work::ClusterHealth, &[names("index")]).internal().retried(),
    administrative("put-pipeline", Work::PutPipeline, PUT_PIPELINE).retried(),
    administrative("put-settings", Work::PutSettings, &[any("body").mandatory()]).internal().retried(),
    measured("raw-request", Work::RawRequest, RAW_REQUEST).composable(),
    measured("run-until", Work::RunUntil, RUN_UNTIL).retried(),
    administrative("sleep", Work::Sleep, &[any("duration").mandatory()]).composable().source(Source::Sleep),
    administrative("create-ilm-policy", Work::CreateLifecyclePolicy, CREATE_POLICY).blocked().retried(),
    administrative("delete-ilm-policy", Work::DeleteLifecyclePolicy, DELETE_POLICY).blocked().retried(),
];

const PUT_PIPELINE: &[Parameter] =
    &[name("id").mandatory(), any("body").mandatory(), any("master-timeout"), any("timeout")];
const RAW_REQUEST: &[Parameter] = &[name("path").mandatory(), name("method"), any("body")];
const RUN_UNTIL: &[Parameter] = &[
    name("path").mandatory(),
    name("method"),
    any("body"),
    name("json-path").mandatory(),
    object("criterion").mandatory(),
    seconds("retry-wait-interval"),
];
const CREATE_POLICY: &[Parameter] =
    &[name("policy-name").mandatory(), object("body").mandatory(), any("master-timeout"), any("timeout")];
const DELETE_POLICY: &[Parameter] = &[name("policy-name").mandatory(), any("master-timeout"), any("timeout")];
