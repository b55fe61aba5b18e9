//! Templates of indices.

use crate::operation_type::{OperationType, administrative};
use crate::parameter::{Parameter, any, flag};
use crate::{Source, Work};

pub(crate) const ROWS: &[OperationType] = &[
    administrative("create-index-template", Work::CreateIndexTemplate, CREATE)
        .blocked()
        .retried()
        .source(Source::CreateIndexTemplate),
    administrative("delete-index-template", Work::DeleteIndexTemplate, DELETE)
        .blocked()
        .retried()
        .source(Source::DeleteIndexTemplate),
    administrative("create-composable-template", Work::CreateComposableTemplate, CREATE)
        .retried()
        .source(Source::CreateComposableTemplate),
    administrative("delete-composable-template", Work::DeleteComposableTemplate, DELETE)
        .retried()
        .source(Source::DeleteComposableTemplate),
    administrative("create-component-template", Work::CreateComponentTemplate, CREATE)
        .retried()
        .source(Source::CreateComponentTemplate),
    administrative("delete-component-template", Work::DeleteComponentTemplate, DELETE)
        .retried()
        .source(Source::DeleteComponentTemplate),
];

const CREATE: &[Parameter] = &[any("template"), any("body"), any("settings")];
const DELETE: &[Parameter] =
    &[any("template"), flag("only-if-exists"), any("delete-matching-indices"), any("index-pattern")];
