//! Operations that send documents.

use crate::operation_type::{OperationType, measured};
use crate::parameter::{Parameter, any, flag, names, number};
use crate::{Source, Work};

pub(crate) const ROWS: &[OperationType] = &[
    measured("bulk", Work::Bulk, BULK).source(Source::Documents),
    measured("index", Work::Bulk, INDEX).only_2017(&["Index"]).source(Source::Documents2017),
];

/// The source checks sizes and ranges by itself: it takes numbers as Rally does.
const BULK: &[Parameter] = &[
    any("bulk-size"),
    any("batch-size"),
    any("ingest-percentage"),
    any("ingest-doc-count"),
    any("looped"),
    any("conflicts"),
    any("conflict-probability"),
    any("on-conflict"),
    any("recency"),
    any("corpora"),
    any("indices"),
    any("data-streams"),
    any("pipeline"),
    any("refresh"),
    any("timeout"),
    flag("detailed-results"),
    number("retries_on_429"),
    // What a source of its own may hand to the runner.
    names("index"),
    names("type"),
    any("body"),
    any("unit"),
    any("action-metadata-present"),
];

const INDEX: &[Parameter] = &[
    any("bulk-size"),
    any("batch-size"),
    any("index"),
    any("conflicts"),
    any("action-and-meta-data"),
    any("pipeline"),
    flag("detailed-results"),
];
