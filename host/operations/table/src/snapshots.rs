//! Snapshots, and recovery from them.

use crate::Work;
use crate::operation_type::{OperationType, administrative, measured};
use crate::parameter::{Parameter, any, flag, name, names, number, seconds};

pub(crate) const ROWS: &[OperationType] = &[
    administrative("create-snapshot-repository", Work::CreateSnapshotRepository, CREATE_REPOSITORY)
        .internal()
        .retried(),
    administrative("delete-snapshot-repository", Work::DeleteSnapshotRepository, REPOSITORY)
        .internal()
        .retried(),
    administrative("create-snapshot", Work::CreateSnapshot, CREATE).internal(),
    measured("wait-for-snapshot-create", Work::WaitForSnapshot, WAIT).internal().retried(),
    measured("wait-for-current-snapshots-create", Work::WaitForCurrentSnapshots, WAIT_FOR_CURRENT)
        .internal()
        .retried(),
    administrative("restore-snapshot", Work::RestoreSnapshot, RESTORE).internal(),
    measured("wait-for-recovery", Work::WaitForRecovery, WAIT_FOR_RECOVERY).internal().retried(),
];

const REPOSITORY: &[Parameter] = &[name("repository").mandatory()];
const CREATE_REPOSITORY: &[Parameter] = &[name("repository").mandatory(), any("body").mandatory()];
const CREATE: &[Parameter] = &[
    name("repository").mandatory(),
    name("snapshot").mandatory(),
    any("body").mandatory(),
    flag("wait-for-completion"),
];
const RESTORE: &[Parameter] =
    &[name("repository").mandatory(), name("snapshot").mandatory(), any("body"), flag("wait-for-completion")];
const WAIT: &[Parameter] = &[
    name("repository").mandatory(),
    name("snapshot").mandatory(),
    seconds("completion-recheck-wait-period"),
];
const WAIT_FOR_CURRENT: &[Parameter] =
    &[name("repository").mandatory(), seconds("completion-recheck-wait-period")];
const WAIT_FOR_RECOVERY: &[Parameter] = &[
    names("index").mandatory(),
    number("completion-recheck-attempts"),
    seconds("completion-recheck-wait-period"),
];
