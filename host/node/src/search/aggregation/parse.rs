//! JSON to [`Aggregation`]s.

use super::interval::Interval;
use super::request::{
    Aggregation, DateHistogram, Filters, FiltersShape, Histogram, Kind, Metric, Order, OrderBy, RangeOf,
    Ranges, Selection, Terms, Values,
};
use crate::error::EsError;
use crate::search::json;
use crate::search::query;
use serde_json::{Map, Value};

const SUPPORTED: [&str; 17] = [
    "terms",
    "histogram",
    "date_histogram",
    "range",
    "date_range",
    "filter",
    "filters",
    "missing",
    "avg",
    "min",
    "max",
    "sum",
    "stats",
    "extended_stats",
    "value_count",
    "cardinality",
    "percentiles",
];

/// The aggregations of Elasticsearch 7.10 that the node does not have: refused by name, not as unknown.
const UNSUPPORTED: [&str; 49] = [
    "adjacency_matrix",
    "auto_date_histogram",
    "avg_bucket",
    "bucket_script",
    "bucket_selector",
    "bucket_sort",
    "children",
    "composite",
    "cumulative_sum",
    "derivative",
    "diversified_sampler",
    "extended_stats_bucket",
    "geo_bounds",
    "geo_centroid",
    "geo_distance",
    "geohash_grid",
    "geotile_grid",
    "global",
    "ip_range",
    "matrix_stats",
    "max_bucket",
    "median_absolute_deviation",
    "min_bucket",
    "moving_avg",
    "moving_fn",
    "nested",
    "parent",
    "percentile_ranks",
    "percentiles_bucket",
    "rare_terms",
    "reverse_nested",
    "sampler",
    "scripted_metric",
    "serial_diff",
    "significant_terms",
    "significant_text",
    "stats_bucket",
    "sum_bucket",
    "top_hits",
    "top_metrics",
    "variable_width_histogram",
    "weighted_avg",
    "boxplot",
    "string_stats",
    "t_test",
    "rate",
    "cumulative_cardinality",
    "inference",
    "normalize",
];

/// How deep aggregations may be nested.
const DEEPEST: usize = 16;

/// Reads the object behind `aggs`.
///
/// # Errors
/// 400 in the words of Elasticsearch 7.10, naming the aggregation and the key; 500 `aggregation_initialization_exception`
/// for aggregations below a metric, as Elasticsearch.
pub fn parse(aggregations: &Map<String, Value>) -> Result<Vec<Aggregation>, EsError> {
    level(aggregations, 0)
}

fn level(aggregations: &Map<String, Value>, depth: usize) -> Result<Vec<Aggregation>, EsError> {
    if depth > DEEPEST {
        return Err(EsError::illegal_argument(format!(
            "aggregations are nested more than {DEEPEST} levels deep"
        )));
    }
    aggregations.iter().map(|(name, body)| aggregation(name, body, depth)).collect()
}

fn aggregation(name: &str, body: &Value, depth: usize) -> Result<Aggregation, EsError> {
    if name.is_empty() || name.contains(['[', ']', '>']) {
        return Err(EsError::parsing(format!(
            "Invalid aggregation name [{name}]. Aggregation names can contain any character except '[', ']', and '>'"
        )));
    }
    let Value::Object(body) = body else {
        return Err(EsError::parsing(format!(
            "Aggregation definition for [{name} starts with a [{}], expected a [START_OBJECT].",
            json::token(body)
        )));
    };
    let (mut kind, mut children, mut meta) = (None, Vec::new(), None);
    for (key, value) in body {
        match (key.as_str(), value) {
            ("meta", Value::Object(_)) => meta = Some(value.clone()),
            ("aggs" | "aggregations", Value::Object(object)) => children = level(object, depth + 1)?,
            (key, Value::Object(options)) => {
                let parsed = of_type(name, key, options)?;
                if let Some((first, _)) = kind.replace((key.to_string(), parsed)) {
                    return Err(EsError::parsing(format!(
                        "Found two aggregation type definitions in [{name}]: [{first}] and [{key}]"
                    )));
                }
            }
            (key, other) => {
                return Err(EsError::parsing(format!(
                    "Expected [START_OBJECT] under [{key}], but got a [{}] in [{name}]",
                    json::token(other)
                )));
            }
        }
    }
    let Some((_, kind)) = kind else {
        return Err(EsError::parsing(format!("Missing definition for aggregation [{name}]")));
    };
    if !children.is_empty() && !kind.has_buckets() {
        let reason =
            format!("Aggregator [{name}] of type [{}] cannot accept sub-aggregations", kind.type_name());
        return Err(EsError::new(500, "aggregation_initialization_exception", reason));
    }
    Ok(Aggregation { name: name.to_string(), kind, children, meta })
}

fn of_type(name: &str, kind: &str, options: &Map<String, Value>) -> Result<Kind, EsError> {
    let metric = |metric| Ok(Kind::Metric(metric, values_only(kind, options)?));
    match kind {
        "terms" => terms(name, options),
        "histogram" => histogram(name, options),
        "date_histogram" => date_histogram(options),
        "range" | "date_range" => ranges(kind, options),
        "filter" => {
            let queries = vec![query::parse::query(&Value::Object(options.clone()))?];
            Ok(Kind::Filters(Filters { queries, shape: FiltersShape::Single, other: false }))
        }
        "filters" => filters(options),
        "missing" => Ok(Kind::Missing(values_only(kind, options)?)),
        "avg" => metric(Metric::Average),
        "min" => metric(Metric::Minimum),
        "max" => metric(Metric::Maximum),
        "sum" => metric(Metric::Sum),
        "stats" => metric(Metric::Stats),
        "value_count" => metric(Metric::ValueCount),
        "extended_stats" => extended_stats(options),
        "cardinality" => cardinality(options),
        "percentiles" => percentiles(name, options),
        _ if UNSUPPORTED.contains(&kind) => Err(EsError::unsupported(format_args!("aggregation [{kind}]"))),
        _ => {
            let known = SUPPORTED.iter().chain(&UNSUPPORTED).copied();
            let suggestion = json::did_you_mean(kind, known);
            let cause =
                EsError::new(400, "named_object_not_found_exception", format!("unknown field [{kind}]"));
            Err(EsError::parsing(format!("Unknown aggregation type [{kind}]{suggestion}")).caused_by(cause))
        }
    }
}

fn unknown_field(kind: &str, key: &str) -> EsError {
    EsError::new(400, "x_content_parse_exception", format!("[{kind}] unknown field [{key}]"))
}

/// The error of one option, as Elasticsearch frames it.
fn failed(kind: &str, key: &str, cause: EsError) -> EsError {
    EsError::new(400, "x_content_parse_exception", format!("[{kind}] failed to parse field [{key}]"))
        .caused_by(cause)
}

/// `field`, `missing` and `format` on the way.
#[derive(Default)]
struct ValuesParser {
    field: Option<String>,
    missing: Option<Value>,
    format: Option<String>,
}

impl ValuesParser {
    /// Reads an option that all aggregations of values have; false where it is none.
    fn read(&mut self, kind: &str, key: &str, value: &Value) -> Result<bool, EsError> {
        match key {
            "field" => self.field = json::text(value),
            "missing" => self.missing = Some(value.clone()),
            "format" => self.format = json::text(value),
            "script" | "value_type" => {
                return Err(EsError::unsupported(format_args!("[{key}] of aggregation [{kind}]")));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn finish(self) -> Result<Values, EsError> {
        let Some(field) = self.field else {
            return Err(EsError::illegal_argument(
                "Required one of fields [field, script], but none were specified. ",
            ));
        };
        Ok(Values { field, missing: self.missing, format: self.format })
    }
}

fn values_only(kind: &str, options: &Map<String, Value>) -> Result<Values, EsError> {
    let mut values = ValuesParser::default();
    for (key, value) in options {
        if !values.read(kind, key, value)? {
            return Err(unknown_field(kind, key));
        }
    }
    values.finish()
}

fn positive(name: &str, key: &str, value: &Value) -> Result<usize, EsError> {
    match json::integer(value)? {
        number if number > 0 => Ok(usize::try_from(number).unwrap_or(usize::MAX)),
        number => Err(EsError::illegal_argument(format!(
            "[{key}] must be greater than 0. Found [{number}] in [{name}]"
        ))),
    }
}

fn minimum_documents(name: &str, value: &Value) -> Result<u64, EsError> {
    let number = json::integer(value)?;
    u64::try_from(number).map_err(|_| {
        EsError::illegal_argument(format!(
            "[minDocCount] must be greater than or equal to 0. Found [{number}] in [{name}]"
        ))
    })
}

fn terms(name: &str, options: &Map<String, Value>) -> Result<Kind, EsError> {
    let mut values = ValuesParser::default();
    let mut terms = Terms {
        values: Values { field: String::new(), missing: None, format: None },
        size: 10,
        shard_size: None,
        min_doc_count: 1,
        order: vec![Order { by: OrderBy::Count, descending: true }],
        include: None,
        exclude: None,
        show_error: false,
    };
    for (key, value) in options {
        let framed = |cause| failed("terms", key, cause);
        match key.as_str() {
            "size" => terms.size = positive(name, "size", value).map_err(framed)?,
            "shard_size" => terms.shard_size = Some(positive(name, "shardSize", value).map_err(framed)?),
            "min_doc_count" => terms.min_doc_count = minimum_documents(name, value).map_err(framed)?,
            // What a shard sends does not matter: every bucket is kept.
            "shard_min_doc_count" | "execution_hint" | "collect_mode" => {}
            "order" => terms.order = orders(value)?,
            "include" => terms.include = Some(selection(value)?),
            "exclude" => terms.exclude = Some(selection(value)?),
            "show_term_doc_count_error" => terms.show_error = json::boolean(value)?,
            key if values.read("terms", key, value)? => {}
            key => return Err(unknown_field("terms", key)),
        }
    }
    terms.values = values.finish()?;
    Ok(Kind::Terms(terms))
}

fn selection(value: &Value) -> Result<Selection, EsError> {
    match value {
        Value::Array(list) => Ok(Selection::Exactly(list.iter().filter_map(json::text).collect())),
        Value::String(pattern) => {
            regex::Regex::new(&format!("^(?:{pattern})$")).map(Selection::Pattern).map_err(|error| {
                EsError::illegal_argument(format!("the pattern [{pattern}] is not understood: {error}"))
            })
        }
        _ => Err(EsError::unsupported("[include] and [exclude] by partition")),
    }
}

fn orders(value: &Value) -> Result<Vec<Order>, EsError> {
    let objects = match value {
        Value::Array(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    let mut orders = Vec::new();
    for object in objects {
        let Value::Object(object) = object else {
            return Err(EsError::parsing(format!(
                "Order must be an object, or a list of objects, but got a [{}]",
                json::token(object)
            )));
        };
        for (path, direction) in object {
            let descending = match direction.as_str().map(str::to_ascii_lowercase).as_deref() {
                Some("asc") => false,
                Some("desc") => true,
                _ => return Err(EsError::parsing(format!("Unknown order direction [{direction}]"))),
            };
            let by = match path.as_str() {
                "_count" => OrderBy::Count,
                "_key" | "_term" | "_time" => OrderBy::Key,
                path => metric_path(path),
            };
            orders.push(Order { by, descending });
        }
    }
    if orders.is_empty() {
        return Err(EsError::parsing("Must specify at least one field for [order]"));
    }
    Ok(orders)
}

fn metric_path(path: &str) -> OrderBy {
    let mut names: Vec<String> = path.split('>').map(str::to_string).collect();
    let mut number = None;
    if let Some(last) = names.last_mut() {
        let split = match last.strip_suffix(']').and_then(|open| open.split_once('[')) {
            Some((name, key)) => Some((name.to_string(), key.trim_matches('"').to_string())),
            None => last.split_once('.').map(|(name, key)| (name.to_string(), key.to_string())),
        };
        if let Some((name, key)) = split {
            *last = name;
            number = Some(key);
        }
    }
    OrderBy::Metric { path: names, number }
}

fn histogram(name: &str, options: &Map<String, Value>) -> Result<Kind, EsError> {
    let mut values = ValuesParser::default();
    let mut histogram = Histogram {
        values: Values { field: String::new(), missing: None, format: None },
        interval: 0.0,
        offset: 0.0,
        min_doc_count: 0,
        keyed: false,
        order: Vec::new(),
        extended_bounds: None,
    };
    for (key, value) in options {
        match key.as_str() {
            "interval" => {
                histogram.interval = json::float(value)?;
                if histogram.interval <= 0.0 {
                    let reason = format!("[interval] must be >0 for histogram aggregation [{name}]");
                    return Err(failed("histogram", "interval", EsError::illegal_argument(reason)));
                }
            }
            "offset" => histogram.offset = json::float(value)?,
            "min_doc_count" => {
                histogram.min_doc_count =
                    minimum_documents(name, value).map_err(|cause| failed("histogram", key, cause))?;
            }
            "keyed" => histogram.keyed = json::boolean(value)?,
            "order" => histogram.order = orders(value)?,
            "extended_bounds" => {
                let (least, greatest) = bounds("histogram", value)?;
                let float = |bound: Option<Value>| bound.as_ref().map(json::float).transpose();
                histogram.extended_bounds = Some((float(least)?, float(greatest)?));
            }
            "hard_bounds" => return Err(EsError::unsupported("[hard_bounds] of aggregation [histogram]")),
            key if values.read("histogram", key, value)? => {}
            key => return Err(unknown_field("histogram", key)),
        }
    }
    histogram.values = values.finish()?;
    Ok(Kind::Histogram(histogram))
}

fn bounds(kind: &str, value: &Value) -> Result<(Option<Value>, Option<Value>), EsError> {
    let Value::Object(object) = value else {
        return Err(failed(kind, "extended_bounds", EsError::parsing("it has to be an object")));
    };
    let (mut least, mut greatest) = (None, None);
    for (key, value) in object {
        match key.as_str() {
            "min" => least = Some(value.clone()),
            "max" => greatest = Some(value.clone()),
            _ => return Err(unknown_field("extended_bounds", key)),
        }
    }
    Ok((least, greatest))
}

fn date_histogram(options: &Map<String, Value>) -> Result<Kind, EsError> {
    const KIND: &str = "date_histogram";
    let mut values = ValuesParser::default();
    let mut histogram = DateHistogram {
        values: Values { field: String::new(), missing: None, format: None },
        interval: None,
        offset: 0,
        min_doc_count: 0,
        keyed: false,
        order: Vec::new(),
        extended_bounds: None,
    };
    let mut given: Option<String> = None;
    for (key, value) in options {
        let text = json::text(value).unwrap_or_default();
        let framed = |cause| failed(KIND, key, cause);
        match key.as_str() {
            "interval" | "calendar_interval" | "fixed_interval" => {
                if let Some(other) = &given {
                    let reason = format!("Cannot use [{key}] with [{other}] configuration option.");
                    return Err(framed(EsError::illegal_argument(reason)));
                }
                given = Some(key.clone());
                histogram.interval = Some(match key.as_str() {
                    "calendar_interval" => Interval::calendar(&text).map_err(framed)?,
                    "fixed_interval" => {
                        Interval::fixed(&text, "date_histogram.fixedInterval").map_err(framed)?
                    }
                    // The old option takes both; `1d` is the same either way in UTC.
                    _ => Interval::calendar(&text)
                        .or_else(|_| Interval::fixed(&text, "date_histogram.interval"))
                        .map_err(framed)?,
                });
            }
            "offset" => histogram.offset = offset(value).map_err(framed)?,
            "min_doc_count" => histogram.min_doc_count = minimum_documents(KIND, value).map_err(framed)?,
            "keyed" => histogram.keyed = json::boolean(value)?,
            "order" => histogram.order = orders(value)?,
            "extended_bounds" => histogram.extended_bounds = Some(bounds(KIND, value)?),
            "time_zone" if ["UTC", "Z", "GMT", "+00:00", "Etc/UTC"].contains(&text.as_str()) => {}
            "time_zone" | "hard_bounds" => {
                return Err(EsError::unsupported(format_args!("[{key}] [{text}] of aggregation [{KIND}]")));
            }
            key if values.read(KIND, key, value)? => {}
            key => return Err(unknown_field(KIND, key)),
        }
    }
    histogram.values = values.finish()?;
    Ok(Kind::DateHistogram(histogram))
}

/// Milliseconds, as a number or as `+6h`.
fn offset(value: &Value) -> Result<i64, EsError> {
    let Value::String(text) = value else {
        return json::integer(value);
    };
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let time = crate::search::request::duration("DateHistogramAggregationBuilder.parseOffset", rest)?;
    i64::try_from(time.as_millis())
        .map(|milliseconds| sign * milliseconds)
        .map_err(|_| EsError::illegal_argument(format!("offset [{text}] is too large")))
}

fn ranges(kind: &str, options: &Map<String, Value>) -> Result<Kind, EsError> {
    let mut values = ValuesParser::default();
    let (mut keyed, mut ranges) = (false, Vec::new());
    for (key, value) in options {
        match key.as_str() {
            "keyed" => keyed = json::boolean(value)?,
            "ranges" => {
                let Value::Array(list) = value else {
                    return Err(failed(kind, key, EsError::parsing("it has to be a list")));
                };
                for each in list {
                    ranges.push(range(kind, each).map_err(|cause| failed(kind, "ranges", cause))?);
                }
            }
            "time_zone" => {
                return Err(EsError::unsupported(format_args!("[time_zone] of aggregation [{kind}]")));
            }
            key if values.read(kind, key, value)? => {}
            key => return Err(unknown_field(kind, key)),
        }
    }
    Ok(Kind::Range(Ranges { values: values.finish()?, ranges, keyed, dates: kind == "date_range" }))
}

fn range(kind: &str, value: &Value) -> Result<RangeOf, EsError> {
    let Value::Object(object) = value else {
        return Err(EsError::parsing("a range has to be an object"));
    };
    let mut range = RangeOf { key: None, from: None, to: None };
    for (key, value) in object {
        match key.as_str() {
            "key" => range.key = json::text(value),
            "from" => range.from = Some(value.clone()).filter(|value| !value.is_null()),
            "to" => range.to = Some(value.clone()).filter(|value| !value.is_null()),
            _ => return Err(unknown_field(kind, key)),
        }
    }
    Ok(range)
}

fn filters(options: &Map<String, Value>) -> Result<Kind, EsError> {
    let (mut queries, mut shape) = (Vec::new(), FiltersShape::List);
    let (mut other, mut other_key) = (None, None);
    for (key, value) in options {
        match (key.as_str(), value) {
            ("filters", Value::Object(named)) => {
                shape = FiltersShape::Named(named.keys().cloned().collect());
                queries = named.values().map(query::parse::query).collect::<Result<_, _>>()?;
            }
            ("filters", Value::Array(list)) => {
                queries = list.iter().map(query::parse::query).collect::<Result<_, _>>()?;
            }
            ("other_bucket", value) => other = Some(json::boolean(value)?),
            ("other_bucket_key", value) => other_key = json::text(value),
            (key, _) => return Err(unknown_field("filters", key)),
        }
    }
    if queries.is_empty() {
        return Err(EsError::illegal_argument("[filters] cannot be empty."));
    }
    let other = other.unwrap_or(other_key.is_some());
    if let (FiltersShape::Named(names), true) = (&mut shape, other) {
        names.push(other_key.unwrap_or_else(|| "_other_".to_string()));
    }
    Ok(Kind::Filters(Filters { queries, shape, other }))
}

fn extended_stats(options: &Map<String, Value>) -> Result<Kind, EsError> {
    let mut values = ValuesParser::default();
    let mut sigma = 2.0;
    for (key, value) in options {
        match key.as_str() {
            "sigma" => sigma = json::float(value)?,
            key if values.read("extended_stats", key, value)? => {}
            key => return Err(unknown_field("extended_stats", key)),
        }
    }
    if !(0.0..=1000.0).contains(&sigma) {
        return Err(EsError::illegal_argument(format!(
            "[sigma] must be between 0 and 1000. Found [{sigma}]"
        )));
    }
    Ok(Kind::Metric(Metric::ExtendedStats((sigma * 1000.0).round() as u32), values.finish()?))
}

fn cardinality(options: &Map<String, Value>) -> Result<Kind, EsError> {
    /// Elasticsearch's default and greatest value.
    const THRESHOLDS: (usize, usize) = (3000, 40_000);
    let mut values = ValuesParser::default();
    let mut precision_threshold = THRESHOLDS.0;
    for (key, value) in options {
        match key.as_str() {
            "precision_threshold" => {
                let number = json::integer(value)?;
                precision_threshold = usize::try_from(number).map_err(|_| {
                    let reason =
                        format!("[precisionThreshold] must be greater than or equal to 0. Found [{number}]");
                    failed("cardinality", key, EsError::illegal_argument(reason))
                })?;
            }
            "rehash" => {}
            key if values.read("cardinality", key, value)? => {}
            key => return Err(unknown_field("cardinality", key)),
        }
    }
    let precision_threshold = precision_threshold.min(THRESHOLDS.1);
    Ok(Kind::Cardinality { values: values.finish()?, precision_threshold })
}

fn percentiles(name: &str, options: &Map<String, Value>) -> Result<Kind, EsError> {
    let mut values = ValuesParser::default();
    let (mut percents, mut keyed) = (vec![1.0, 5.0, 25.0, 50.0, 75.0, 95.0, 99.0], true);
    for (key, value) in options {
        match key.as_str() {
            "percents" => {
                let Value::Array(list) = value else {
                    return Err(failed("percentiles", key, EsError::parsing("it has to be a list")));
                };
                percents = list.iter().map(json::float).collect::<Result<_, _>>()?;
                percents.sort_by(f64::total_cmp);
                if let Some(wrong) = percents.iter().find(|percent| !(0.0..=100.0).contains(*percent)) {
                    let reason = format!("percent must be in [0,100], got [{wrong:?}]: [{name}]");
                    let framed = "Failed to build [percentiles] after last required field arrived";
                    return Err(EsError::new(400, "x_content_parse_exception", framed)
                        .caused_by(EsError::illegal_argument(reason)));
                }
            }
            "keyed" => keyed = json::boolean(value)?,
            // The digest is at least as fine as any compression asked for.
            "tdigest"
                if value.as_object().is_some_and(|object| object.keys().all(|key| key == "compression")) => {}
            "hdr" => return Err(EsError::unsupported("[hdr] of aggregation [percentiles]")),
            key if values.read("percentiles", key, value)? => {}
            key => return Err(unknown_field("percentiles", key)),
        }
    }
    Ok(Kind::Percentiles { values: values.finish()?, percents, keyed })
}

#[cfg(test)]
mod tests;
