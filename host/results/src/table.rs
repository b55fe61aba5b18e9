//! Rows as text: the pipe table that Rally prints, and CSV.

use std::borrow::Cow;

use rally_support::printable;

use crate::rows::{Cell, Row};

/// Digits that a table shows of a number.
const SIGNIFICANT_DIGITS: i32 = 6;
/// Rally's padding around a header.
const HEADER_PADDING: usize = 2;
/// Columns are not made narrower than this to fit a terminal.
const NARROWEST_METRIC: usize = 24;
const NARROWEST_TASK: usize = 12;

/// A report as a pipe table, right-aligned, ending with a newline. Where it is wider than `width` characters, names are
/// shortened so that rows keep to one line each; figures never are.
pub fn markdown(rows: &[Row], with_lap: bool, width: Option<usize>) -> String {
    let mut cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| columns(row, with_lap, in_table).iter().map(|cell| harmless(cell)).collect())
        .collect();
    let header = header(with_lap);
    let metric = usize::from(with_lap);
    if let Some(width) = width.filter(|width| table_width(&header, &cells) > *width) {
        for row in &mut cells {
            row[metric] = briefly(&row[metric]);
        }
        for (column, narrowest) in [(metric, NARROWEST_METRIC), (metric + 1, NARROWEST_TASK)] {
            let excess = table_width(&header, &cells).saturating_sub(width);
            let target = column_width(&header, &cells, column).saturating_sub(excess).max(narrowest);
            for row in &mut cells {
                row[column] = shortened(&row[column], target);
            }
        }
    }
    let widths: Vec<usize> = (0..header.len()).map(|column| column_width(&header, &cells, column)).collect();
    let mut table = String::new();
    let mut line = |cells: &[String]| {
        for (cell, &width) in cells.iter().zip(&widths) {
            table.push_str(&format!("| {cell:>width$} "));
        }
        table.push_str("|\n");
    };
    line(&header);
    // The rule is drawn as a row of its own, as its cells have no blanks around them.
    let rule: String = widths.iter().map(|width| format!("|{}:", "-".repeat(width + 1))).collect();
    for row in &cells {
        line(row);
    }
    let end_of_header = table.find('\n').map_or(0, |end| end + 1);
    table.insert_str(end_of_header, &format!("{rule}|\n"));
    table
}

/// A report as CSV with a header line; numbers in full.
pub fn csv(rows: &[Row], with_lap: bool) -> String {
    let lines = rows.iter().map(|row| columns(row, with_lap, in_full));
    std::iter::once(header(with_lap))
        .chain(lines)
        .map(|fields| fields.iter().map(|field| quoted(field)).collect::<Vec<_>>().join(",") + "\n")
        .collect()
}

/// Lines at the end of [`csv`] that are about the race: name and value in the columns of metric and value.
pub fn csv_facts(facts: &[(&str, String)], with_lap: bool) -> String {
    let before = if with_lap { "," } else { "" };
    facts
        .iter()
        .map(|(name, value)| format!("{before}{},,{},\n", quoted(name), quoted(&harmless(value))))
        .collect()
}

/// A CSV field, in quotes where it has to be (RFC 4180).
fn quoted(field: &str) -> Cow<'_, str> {
    if field.contains([',', '"', '\n', '\r']) {
        Cow::Owned(format!("\"{}\"", field.replace('"', "\"\"")))
    } else {
        Cow::Borrowed(field)
    }
}

fn header(with_lap: bool) -> Vec<String> {
    let names: &[&str] = if with_lap {
        &["Lap", "Metric", "Task", "Value", "Unit"]
    } else {
        &["Metric", "Task", "Value", "Unit"]
    };
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn columns(row: &Row, with_lap: bool, value: fn(&Cell) -> String) -> Vec<String> {
    let mut columns = vec![row.metric.clone(), row.task.clone(), value(&row.value), row.unit.clone()];
    if with_lap {
        columns.insert(0, row.lap.to_string());
    }
    columns
}

/// Text without what would end a cell or a row, or steer the terminal.
pub(crate) fn harmless(text: &str) -> String {
    printable::line(&text.replace('|', "\\|").replace(['\n', '\r', '\t'], " ")).into_owned()
}

/// A value with six significant digits, never with an exponent.
fn in_table(cell: &Cell) -> String {
    match cell {
        Cell::Number(value) => significant(*value),
        Cell::TwoDecimals(value) => significant((value * 100.0).round() / 100.0),
        Cell::Text(text) => (*text).to_owned(),
    }
}

fn in_full(cell: &Cell) -> String {
    match cell {
        // Times are measured in nanoseconds, six decimals of a millisecond.
        Cell::Number(value) => without_trailing_zeros(format!("{value:.6}")),
        Cell::TwoDecimals(value) => format!("{value:.2}"),
        Cell::Text(text) => (*text).to_owned(),
    }
}

fn significant(value: f64) -> String {
    if value.fract() == 0.0 {
        return format!("{value:.0}");
    }
    let magnitude = value.abs().log10().floor() as i32;
    let decimals = (SIGNIFICANT_DIGITS - 1 - magnitude).clamp(0, 12);
    without_trailing_zeros(format!("{value:.*}", decimals as usize))
}

fn without_trailing_zeros(number: String) -> String {
    if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.').to_owned() } else { number }
}

fn column_width(header: &[String], cells: &[Vec<String>], column: usize) -> usize {
    let cells = cells.iter().map(|row| row[column].chars().count());
    cells.chain([header[column].chars().count() + HEADER_PADDING]).max().unwrap_or_default()
}

fn table_width(header: &[String], cells: &[Vec<String>]) -> usize {
    let content: usize = (0..header.len()).map(|column| column_width(header, cells, column)).sum();
    content + 3 * header.len() + 1
}

/// A name without the words that a reader can do without.
fn briefly(name: &str) -> String {
    match name.strip_suffix(" time across primary shards") {
        // The rest still distinguishes indexing from throttling, and the unit shows that it is a time.
        Some(rest) => format!("{} per shard", rest.replace(" cumulative", "")),
        None => name.replace(" of primary shards", "").replace(" across primary shards", " per shard"),
    }
}

/// A name of at most `width` characters, with an ellipsis in its middle where something is left out.
fn shortened(name: &str, width: usize) -> String {
    let length = name.chars().count();
    if length <= width {
        return name.to_owned();
    }
    let kept = width.saturating_sub(1);
    let front = kept.div_ceil(2);
    let head = name.chars().take(front);
    head.chain(['…']).chain(name.chars().skip(length - (kept - front))).collect()
}
