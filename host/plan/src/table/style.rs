//! How tables, numbers and ranges look.

use std::fmt;

use comfy_table::{CellAlignment, LineStyle, Table, TableStyle};
use rally_support::numbers::grouped;

/// A rule below the header, and nothing else: there may be hundreds of rows.
const LOOK: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─'));
/// Below this number of columns a terminal is narrow.
const NARROW: u16 = 120;
/// Blanks between columns, and on a narrow terminal.
const GAP: usize = 3;
const NARROW_GAP: usize = 2;
/// Columns that can be broken are not made narrower than this.
const NARROWEST: usize = 8;

/// Whether a terminal is so narrow that texts should be short.
pub fn is_narrow(width: Option<u16>) -> bool {
    width.is_some_and(|width| width < NARROW)
}

/// A column: its header, and where its text may be broken where the terminal is too narrow for it.
#[derive(Debug, Clone, Copy)]
pub enum Column {
    /// At blanks.
    Text(&'static str),
    /// After hyphens and the like.
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

    fn can_be_broken(self) -> bool {
        matches!(self, Column::Text(_) | Column::Name(_))
    }

    /// Text in lines of at most `width` characters.
    fn broken(self, text: &str, most: usize) -> String {
        match self {
            Column::Name(_) => lines(text.split_inclusive(['-', '_', '/', '.', ' ']), "", most),
            Column::Text(_) => lines(text.split(' '), " ", most),
            Column::Number(_) | Column::Whole(_) => text.to_owned(),
        }
    }
}

/// A table that fits a terminal; without a width its lines are as long as they need to be.
#[derive(Debug)]
pub struct Sheet<'columns> {
    columns: &'columns [Column],
    rows: Vec<Vec<String>>,
    width: Option<u16>,
}

impl<'columns> Sheet<'columns> {
    /// A table without rows.
    pub fn new(columns: &'columns [Column], width: Option<u16>) -> Sheet<'columns> {
        Sheet { columns, rows: Vec::new(), width }
    }

    /// Adds a row; cells that it lacks are empty.
    pub fn add(&mut self, row: impl IntoIterator<Item = String>) {
        let mut row: Vec<String> = row.into_iter().collect();
        row.resize(self.columns.len(), String::new());
        self.rows.push(row);
    }

    fn gap(&self) -> usize {
        if is_narrow(self.width) { NARROW_GAP } else { GAP }
    }

    /// How wide each column is: what can be broken shares what the others leave, and no column gets more than it needs.
    fn widths(&self) -> Vec<usize> {
        let mut widths: Vec<usize> = (0..self.columns.len())
            .map(|index| {
                let cells = self.rows.iter().map(|row| row[index].chars().count());
                cells.chain([self.columns[index].header().chars().count()]).max().unwrap_or_default()
            })
            .collect();
        let Some(most) = self.width else { return widths };
        let most = usize::from(most).saturating_sub(self.gap() * self.columns.len().saturating_sub(1));
        let mut breakable: Vec<usize> =
            (0..widths.len()).filter(|index| self.columns[*index].can_be_broken()).collect();
        breakable.sort_by_key(|index| widths[*index]);
        let whole: usize =
            (0..widths.len()).filter(|index| !breakable.contains(index)).map(|index| widths[index]).sum();
        let mut left = most.saturating_sub(whole);
        for (place, index) in breakable.iter().enumerate() {
            let share = left / (breakable.len() - place);
            widths[*index] = widths[*index].min(share.max(NARROWEST));
            left = left.saturating_sub(widths[*index]);
        }
        widths
    }
}

impl fmt::Display for Sheet<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths = self.widths();
        let broken = |cells: &mut dyn Iterator<Item = &str>| -> Vec<String> {
            let cells = cells.zip(self.columns).zip(&widths);
            cells.map(|((cell, column), width)| column.broken(cell, *width)).collect()
        };
        let mut table = Table::new();
        table.load_style(LOOK);
        table.set_header(broken(&mut self.columns.iter().map(|column| column.header())));
        for row in &self.rows {
            table.add_row(broken(&mut row.iter().map(String::as_str)));
        }
        let gap = u16::try_from(self.gap()).unwrap_or_default();
        for (index, column) in self.columns.iter().enumerate() {
            let Some(place) = table.column_mut(index) else { continue };
            place.set_padding((if index > 0 { gap } else { 0 }, 0));
            if let Column::Number(_) = column {
                place.set_cell_alignment(CellAlignment::Right);
            }
        }
        writeln!(formatter, "{}", table.trim_fmt())
    }
}

/// Parts in lines of at most `width` characters; a part that is longer is broken anywhere.
fn lines<'text>(parts: impl Iterator<Item = &'text str>, between: &str, most: usize) -> String {
    let most = most.max(1);
    let mut lines = String::new();
    let mut length = 0;
    for part in parts {
        // What hangs over the end of a line may be a blank.
        let mut part_length = part.trim_end().chars().count();
        if length > 0 && length + between.len() + part_length > most {
            lines.push('\n');
            length = 0;
        } else if length > 0 {
            lines.push_str(between);
            length += between.len();
        }
        let mut rest = part;
        while part_length > most {
            let end = rest.char_indices().nth(most).map_or(rest.len(), |(end, _)| end);
            lines.push_str(&rest[..end]);
            lines.push('\n');
            rest = &rest[end..];
            part_length = rest.trim_end().chars().count();
        }
        lines.push_str(rest);
        length += rest.chars().count();
    }
    lines
}

/// Text in lines of at most `width` characters, broken at blanks.
pub fn wrapped(text: &str, width: Option<u16>) -> String {
    width.map_or_else(|| text.to_owned(), |width| lines(text.split(' '), " ", usize::from(width)))
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
    fn text_is_broken_at_blanks() {
        assert_eq!(wrapped("how long it takes", Some(8)), "how long\nit takes");
        assert_eq!(wrapped("how long it takes", None), "how long it takes");
        assert_eq!(wrapped("unbreakable", Some(4)), "unbr\neaka\nble");
    }

    #[test]
    fn names_are_broken_after_hyphens() {
        assert_eq!(Column::Name("").broken("wait-until-merges-finish", 12), "wait-until-\nmerges-\nfinish");
        assert_eq!(
            Column::Name("").broken("country_agg (ends the step)", 15),
            "country_agg \n(ends the step)"
        );
    }

    #[test]
    fn columns_that_can_be_broken_share_what_the_others_leave() {
        let columns = [Column::Number("N"), Column::Name("Name"), Column::Text("Text")];
        let mut sheet = Sheet::new(&columns, Some(44));
        sheet.add(["123456".to_owned(), "short".to_owned(), "word ".repeat(20)]);
        assert_eq!(sheet.widths(), [6, 5, 29]);
        assert!(sheet.to_string().lines().all(|line| line.chars().count() <= 44));
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
