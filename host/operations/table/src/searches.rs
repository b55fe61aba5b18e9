//! Searches, by one request or from page to page.

use crate::operation_type::{OperationType, measured};
use crate::parameter::{Parameter, any, flag, names, pages, setting, strict_count, text};
use crate::{Source, Work};

pub(crate) const ROWS: &[OperationType] = &[
    measured("search", Work::Search2017, SEARCH_2017).only_2017(&["Search"]).source(Source::Search2017),
    measured("search", Work::Search, SEARCH).composable().source(Source::Search),
    measured("scroll-search", Work::ScrollSearch, SCROLL_SEARCH).source(Source::Search),
    measured("paginated-search", Work::PaginatedSearch, PAGINATED_SEARCH).composable().source(Source::Search),
    measured("composite-agg", Work::CompositeAggregation, COMPOSITE_AGGREGATION)
        .composable()
        .source(Source::Search),
];

const SEARCH_2017: &[Parameter] = &[
    any("index"),
    any("type"),
    any("body"),
    any("cache"),
    any("use_request_cache"),
    any("pages"),
    any("results-per-page"),
    flag("detailed-results"),
];

const SEARCH: &[Parameter] = &[
    names("index"),
    names("data-stream"),
    names("type"),
    any("body"),
    setting("cache"),
    setting("use_request_cache"),
    setting("request-cache"),
    strict_count("items_per_page"),
    flag("detailed-results"),
    flag("response-compression-enabled"),
    pages("pages"),
    strict_count("results-per-page"),
    text("with-point-in-time-from"),
];

const SCROLL_SEARCH: &[Parameter] = &[
    names("index"),
    names("data-stream"),
    names("type"),
    any("body"),
    setting("cache"),
    setting("use_request_cache"),
    setting("request-cache"),
    strict_count("items_per_page"),
    flag("detailed-results"),
    flag("response-compression-enabled"),
    pages("pages").mandatory(),
    strict_count("results-per-page"),
    text("with-point-in-time-from"),
];

const PAGINATED_SEARCH: &[Parameter] = &[
    names("index"),
    names("data-stream"),
    names("type"),
    any("body").mandatory(),
    setting("cache"),
    setting("use_request_cache"),
    setting("request-cache"),
    strict_count("items_per_page"),
    flag("detailed-results"),
    flag("response-compression-enabled"),
    pages("pages").mandatory(),
    strict_count("results-per-page"),
    text("with-point-in-time-from"),
];

const COMPOSITE_AGGREGATION: &[Parameter] = &[
    names("index"),
    names("data-stream"),
    names("type"),
    any("body").mandatory(),
    setting("cache"),
    setting("use_request_cache"),
    setting("request-cache"),
    strict_count("items_per_page"),
    flag("detailed-results"),
    flag("response-compression-enabled"),
    pages("pages"),
    strict_count("results-per-page"),
    text("with-point-in-time-from"),
];
