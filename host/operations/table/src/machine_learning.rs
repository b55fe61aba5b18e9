//! Jobs of machine learning and their datafeeds.

use crate::Work;
use crate::operation_type::{OperationType, administrative};
use crate::parameter::{Parameter, any, flag, name, object};

pub(crate) const ROWS: &[OperationType] = &[
    administrative("create-ml-datafeed", Work::CreateDatafeed, CREATE_DATAFEED).retried(),
    administrative("delete-ml-datafeed", Work::DeleteDatafeed, DELETE_DATAFEED).retried(),
    administrative("start-ml-datafeed", Work::StartDatafeed, START_DATAFEED).retried(),
    administrative("stop-ml-datafeed", Work::StopDatafeed, STOP_DATAFEED).retried(),
    administrative("create-ml-job", Work::CreateJob, CREATE_JOB).retried(),
    administrative("delete-ml-job", Work::DeleteJob, DELETE_JOB).retried(),
    administrative("open-ml-job", Work::OpenJob, &[name("job-id").mandatory()]).retried(),
    administrative("close-ml-job", Work::CloseJob, CLOSE_JOB).retried(),
];

const CREATE_DATAFEED: &[Parameter] = &[name("datafeed-id").mandatory(), any("body").mandatory()];
const DELETE_DATAFEED: &[Parameter] = &[name("datafeed-id").mandatory(), flag("force")];
const START_DATAFEED: &[Parameter] =
    &[name("datafeed-id").mandatory(), object("body"), any("start"), any("end"), any("timeout")];
const STOP_DATAFEED: &[Parameter] = &[name("datafeed-id").mandatory(), flag("force"), any("timeout")];
const CREATE_JOB: &[Parameter] = &[name("job-id").mandatory(), any("body").mandatory()];
const DELETE_JOB: &[Parameter] = &[name("job-id").mandatory(), flag("force")];
const CLOSE_JOB: &[Parameter] = &[name("job-id").mandatory(), flag("force"), any("timeout")];
