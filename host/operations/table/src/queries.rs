//! Queries in languages of their own, and what fields there are.

use crate::Work;
use crate::operation_type::{OperationType, measured};
use crate::parameter::{Parameter, any, flag, names, object, strict_count};

pub(crate) const ROWS: &[OperationType] = &[
    measured("sql", Work::Sql, &[object("body").mandatory(), strict_count("pages")]),
    measured("esql", Work::Esql, ESQL),
    measured("esql-profile", Work::EsqlProfile, ESQL),
    measured("field-caps", Work::FieldCapabilities, FIELD_CAPABILITIES).composable(),
];

const ESQL: &[Parameter] =
    &[any("query").mandatory(), any("filter"), object("body"), flag("detailed-results")];

const FIELD_CAPABILITIES: &[Parameter] =
    &[names("index"), any("fields"), any("index_filter"), object("body")];
