//! Operations that hand ids to each other within a composite one, and the composite one itself.

use crate::Work;
use crate::operation_type::{OperationType, measured};
use crate::parameter::{Parameter, any, list, name, names, strict_count};

pub(crate) const ROWS: &[OperationType] = &[
    measured("composite", Work::Composite, COMPOSITE),
    measured("submit-async-search", Work::SubmitAsyncSearch, SUBMIT).only_in_composite(),
    measured("get-async-search", Work::GetAsyncSearch, &[any("retrieve-results-for").mandatory()])
        .only_in_composite()
        .retried_until_success(),
    measured("delete-async-search", Work::DeleteAsyncSearch, &[any("delete-results-for").mandatory()])
        .only_in_composite(),
    measured("open-point-in-time", Work::OpenPointInTime, OPEN).only_in_composite(),
    measured("close-point-in-time", Work::ClosePointInTime, &[name("with-point-in-time-from").mandatory()])
        .only_in_composite(),
];

const COMPOSITE: &[Parameter] = &[list("requests").mandatory(), strict_count("max-connections")];
const SUBMIT: &[Parameter] = &[names("index"), any("body").mandatory()];
const OPEN: &[Parameter] = &[names("index").mandatory(), any("keep-alive")];
