//! How tables, numbers and ranges look.

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};

/// A column: its header and how it is aligned.
#[derive(Debug, Clone, Copy)]
pub enum Column {
    Text(&'static str),
    Number(&'static str),
}

/// A table without frames, at most so wide; without a width its lines are as long as they need to be.
pub fn table(columns: &[Column], width: Option<u16>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(columns.iter().map(|column| match column {
        Column::Text(name) | Column::Number(name) => Cell::new(*name),
    }));
    for (index, column) in columns.iter().enumerate() {
        if let (Column::Number(_), Some(column)) = (column, table.column_mut(index)) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    if let Some(width) = width {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    }
    table
}

/// 1234567 as `1,234,567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `3` or `0–7`.
pub fn range(first: u64, last: u64) -> String {
    if first == last { grouped(first) } else { format!("{}–{}", grouped(first), grouped(last)) }
}

/// `1 client`, `2 clients`.
pub fn counted(number: u64, one: &str, several: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { several })
}

/// A rate with at most two decimals, more only where it is small.
pub fn rate(rate: f64) -> String {
    if rate >= 1000.0 {
        return grouped(rate.round() as u64);
    }
    let text = if rate >= 0.01 { format!("{rate:.2}") } else { format!("{rate:.2e}") };
    match text.contains('.') && !text.contains('e') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_000), "1,000");
        assert_eq!(grouped(12_345_678), "12,345,678");
    }

    #[test]
    fn rates_have_no_more_digits_than_they_need() {
        for (value, text) in
            [(40.0, "40"), (0.5, "0.5"), (33.333, "33.33"), (1234.6, "1,235"), (0.001, "1.00e-3")]
        {
            assert_eq!(rate(value), text);
        }
    }
}
