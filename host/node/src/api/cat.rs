//! `_cat/indices`.

use crate::error::EsError;
use crate::http::{Request, Response};
use crate::node::State;
use serde_json::{Map, Value};
use std::sync::Arc;

/// Columns with their short names, and whether they are numbers.
const COLUMNS: [(&str, &str, bool); 10] = [
    ("health", "h", false),
    ("status", "s", false),
    ("index", "i", false),
    ("uuid", "id", false),
    ("pri", "p", true),
    ("rep", "r", true),
    ("docs.count", "dc", true),
    ("docs.deleted", "dd", true),
    ("store.size", "ss", true),
    ("pri.store.size", "pss", true),
];

fn column(name: &str) -> Option<usize> {
    let name = match name {
        "idx" => "index",
        "shards.primary" | "shardsPrimary" => "pri",
        "shards.replica" | "shardsReplica" => "rep",
        "docsCount" => "docs.count",
        "docsDeleted" => "docs.deleted",
        "storeSize" => "store.size",
        other => other,
    };
    COLUMNS.iter().position(|(long, short, _)| *long == name || *short == name)
}

/// `GET _cat/indices`.
pub fn indices(state: &Arc<State>, request: &Request) -> Result<Response, EsError> {
    let parameters = &request.parameters;
    let columns: Vec<usize> = match parameters.get("h") {
        None => (0..COLUMNS.len()).collect(),
        // An unknown column is passed over, as in Elasticsearch.
        Some(names) => names.split(',').filter_map(|name| column(name.trim())).collect(),
    };
    let unit = match parameters.get("bytes") {
        None => None,
        Some(unit) => Some(divisor(unit).ok_or_else(|| {
            EsError::illegal_argument(format!("Failed to parse value [{unit}] for parameter [bytes]"))
        })?),
    };
    let mut rows: Vec<Vec<(String, u64)>> = Vec::new();
    for handle in state.cluster.resolve(request.capture("index"), request.index_options()?)? {
        let settings = handle.settings();
        let view = handle.shard.read_view();
        let deleted: u64 =
            view.searcher.segment_readers().iter().map(|reader| u64::from(reader.num_deleted_docs())).sum();
        let size = handle.shard.store_size()?;
        let text = |text: &str| (text.to_string(), 0);
        let number = |number: u64| (number.to_string(), number);
        let bytes = || (size_text(size, unit), size);
        rows.push(vec![
            text(if settings.replicas() == 0 { "green" } else { "yellow" }),
            text("open"),
            text(&handle.name),
            text(&handle.uuid),
            // Whatever the settings say, there is one.
            number(1),
            number(settings.replicas()),
            number(view.searcher.num_docs()),
            number(deleted),
            bytes(),
            bytes(),
        ]);
    }
    if let Some(sort) = parameters.get("s") {
        sort_rows(&mut rows, sort)?;
    }
    match parameters.get("format") {
        Some("json") => {
            let list: Vec<Value> = rows
                .into_iter()
                .map(|row| {
                    let members: Map<String, Value> = columns
                        .iter()
                        .map(|column| (COLUMNS[*column].0.to_string(), row[*column].0.clone().into()))
                        .collect();
                    Value::Object(members)
                })
                .collect();
            Ok(Response::ok(Value::Array(list)))
        }
        None | Some("text" | "txt") => {
            let header = parameters.boolean("v", false)?;
            Ok(Response::text(table(&columns, &rows, header)))
        }
        Some(other) => Err(EsError::unsupported(format!("[format={other}]"))),
    }
}

fn sort_rows(rows: &mut [Vec<(String, u64)>], sort: &str) -> Result<(), EsError> {
    // The last key first: sorting is stable.
    for key in sort.split(',').rev() {
        let (name, descending) = match key.split_once(':') {
            None | Some((_, "asc")) => (key.split(':').next().unwrap_or(key), false),
            Some((name, "desc")) => (name, true),
            Some(_) => return Err(EsError::illegal_argument(format!("Unable to sort by [{key}]"))),
        };
        let column = column(name).ok_or_else(|| {
            EsError::illegal_argument(format!("Unable to sort by unknown sort key `{name}`"))
        })?;
        rows.sort_by(|left, right| {
            let order = if COLUMNS[column].2 {
                left[column].1.cmp(&right[column].1)
            } else {
                left[column].0.cmp(&right[column].0)
            };
            if descending { order.reverse() } else { order }
        });
    }
    Ok(())
}

fn table(columns: &[usize], rows: &[Vec<(String, u64)>], header: bool) -> String {
    let width = |column: usize| {
        let title = if header { COLUMNS[column].0.len() } else { 0 };
        rows.iter().map(|row| row[column].0.chars().count()).max().unwrap_or(0).max(title)
    };
    let mut text = String::new();
    let mut line = |cells: Vec<(usize, &str)>| {
        let last = cells.len().saturating_sub(1);
        for (position, (column, cell)) in cells.into_iter().enumerate() {
            let width = width(column);
            if position > 0 {
                text.push(' ');
            }
            if COLUMNS[column].2 {
                text.push_str(&format!("{cell:>width$}"));
            } else if position < last {
                text.push_str(&format!("{cell:<width$}"));
            } else {
                text.push_str(cell);
            }
        }
        text.push('\n');
    };
    if header {
        line(columns.iter().map(|column| (*column, COLUMNS[*column].0)).collect());
    }
    for row in rows {
        line(columns.iter().map(|column| (*column, row[*column].0.as_str())).collect());
    }
    text
}

fn divisor(unit: &str) -> Option<u64> {
    Some(match unit {
        "b" => 1,
        "k" | "kb" => 1 << 10,
        "m" | "mb" => 1 << 20,
        "g" | "gb" => 1 << 30,
        "t" | "tb" => 1 << 40,
        _ => return None,
    })
}

/// A size as Elasticsearch writes it: one decimal of the greatest unit that fits, or whole units where one was asked for.
fn size_text(bytes: u64, unit: Option<u64>) -> String {
    if let Some(unit) = unit {
        return (bytes / unit).to_string();
    }
    for (name, unit) in [("tb", 1_u64 << 40), ("gb", 1 << 30), ("mb", 1 << 20), ("kb", 1 << 10)] {
        if bytes >= unit {
            let tenths = bytes * 10 / unit;
            return if tenths.is_multiple_of(10) {
                format!("{}{name}", tenths / 10)
            } else {
                format!("{}.{}{name}", tenths / 10, tenths % 10)
            };
        }
    }
    format!("{bytes}b")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_written_as_elasticsearch_does() {
        for (bytes, text) in [(208, "208b"), (1024, "1kb"), (47_500_000, "45.2mb"), (1 << 30, "1gb")] {
            assert_eq!(size_text(bytes, None), text);
        }
        assert_eq!(size_text(2048, Some(1024)), "2");
    }
}
