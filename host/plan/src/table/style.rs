//! How tables, numbers and ranges look.

use comfy_table::{
    Cell, CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle, Width,
};

/// A rule below the header, and nothing else: there may be hundreds of rows.
const LOOK: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));
/// Cells that a column keeps where it can be broken at blanks.
const NARROWEST_TEXT: u16 = 9;
/// Cells that a column of names keeps.
const NARROWEST_NAME: u16 = 8;

/// A column: its header, and where its text may be broken on a narrow terminal.
#[derive(Debug, Clone, Copy)]
pub enum Column {
    /// At blanks.
    Text(&'static str),
    /// At hyphens.
    Name(&'static str),
    /// Nowhere; aligned to the right.
    Number(&'static str),
    /// Nowhere.
    Whole(&'static str),
}

impl Column {
    fn header(self) -> &'static str {
        match self {
            Column::Text(header) | Column::Name(header) | Column::Number(header) | Column::Whole(header) => {
                header
            }
        }
    }
}

/// A table that is at most so wide; without a width its lines are as long as they need to be.
pub fn table(columns: &[Column], width: Option<u16>) -> Table {
    let mut table = Table::new();
    table.load_style(LOOK).set_header(columns.iter().map(|column| Cell::new(column.header())));
    if let Some(width) = width {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    }
    for (index, column) in columns.iter().enumerate() {
        let Some(place) = table.column_mut(index) else { continue };
        place.set_padding((u16::from(index > 0) * 2, 0));
        let constraint = match column {
            Column::Text(_) => ColumnConstraint::LowerBoundary(Width::Fixed(NARROWEST_TEXT)),
            Column::Name(_) => ColumnConstraint::LowerBoundary(Width::Fixed(NARROWEST_NAME)),
            Column::Number(_) | Column::Whole(_) => ColumnConstraint::ContentWidth,
        };
        if width.is_some() {
            place.set_constraint(constraint);
        }
        match column {
            Column::Number(_) => place.set_cell_alignment(CellAlignment::Right),
            Column::Name(_) => drop(place.set_delimiter('-')),
            Column::Text(_) | Column::Whole(_) => {}
        }
    }
    table
}

/// Text in lines of at most so many characters, broken at blanks.
pub fn wrapped(text: &str, width: Option<u16>) -> String {
    let most = width.map_or(usize::MAX, usize::from);
    let mut lines = String::with_capacity(text.len());
    let mut length = 0;
    for word in text.split(' ') {
        let word_length = word.chars().count();
        if length > 0 && length + 1 + word_length > most {
            lines.push('\n');
            length = 0;
        } else if length > 0 {
            lines.push(' ');
            length += 1;
        }
        lines.push_str(word);
        length += word_length;
    }
    lines
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
    fn text_is_broken_at_blanks() {
        assert_eq!(wrapped("how long it takes", Some(8)), "how long\nit takes");
        assert_eq!(wrapped("how long it takes", None), "how long it takes");
        assert_eq!(wrapped("unbreakable", Some(4)), "unbreakable");
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
