//! Transforms.

use crate::Work;
use crate::operation_type::{OperationType, administrative};
use crate::parameter::{Parameter, any, flag, name, object, seconds};

pub(crate) const ROWS: &[OperationType] = &[
    administrative("create-transform", Work::CreateTransform, CREATE).retried(),
    administrative("start-transform", Work::StartTransform, START).retried(),
    administrative("wait-for-transform", Work::WaitForTransform, WAIT),
    administrative("delete-transform", Work::DeleteTransform, DELETE).retried(),
    administrative("transform-stats", Work::TransformStats, STATS).retried(),
];

const CREATE: &[Parameter] =
    &[name("transform-id").mandatory(), any("body").mandatory(), flag("defer-validation")];
const START: &[Parameter] = &[name("transform-id").mandatory(), any("timeout")];
const WAIT: &[Parameter] = &[
    name("transform-id").mandatory(),
    flag("force"),
    any("timeout"),
    flag("wait-for-completion"),
    flag("wait-for-checkpoint"),
    seconds("transform-timeout"),
    seconds("poll-interval"),
];
const DELETE: &[Parameter] = &[name("transform-id").mandatory(), flag("force")];
const STATS: &[Parameter] = &[name("transform-id").mandatory(), object("condition")];
