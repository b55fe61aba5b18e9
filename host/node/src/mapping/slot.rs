//! Slots: the fields of the tantivy schema that fields of a mapping take by name.

use std::sync::Arc;
use tantivy::schema::{
    BytesOptions, Field, IndexRecordOption, IpAddrOptions, NumericOptions, Schema, SchemaBuilder,
    TextFieldIndexing, TextOptions,
};

/// The tokenizer of text slots: Lucene's standard analyzer, registered by `analysis::register`.
pub const STANDARD_TOKENIZER: &str = "standard";

/// What a slot can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SlotKind {
    /// Analysed text with positions and norms; no column.
    Text,
    /// Whole strings: inverted index without norms, and a dictionary column.
    Keyword,
    /// `i64` column: whole numbers, and dates as milliseconds since the epoch. No inverted index.
    Integer,
    /// `f64` column. No inverted index.
    Float,
    /// Boolean: inverted index and column.
    Boolean,
    /// IP address as IPv6: inverted index and column.
    Ip,
    /// Stored bytes, neither searched nor sorted by: the JSON of a query.
    Query,
}

/// How many slots of each kind, in the order of [`SlotKind::ALL`].
pub type SlotCounts = [usize; SlotKind::ALL.len()];

impl SlotKind {
    /// Every kind, in the order in which a layout lists them.
    pub const ALL: [SlotKind; 7] = [
        SlotKind::Text,
        SlotKind::Keyword,
        SlotKind::Integer,
        SlotKind::Float,
        SlotKind::Boolean,
        SlotKind::Ip,
        SlotKind::Query,
    ];

    fn prefix(self) -> char {
        match self {
            SlotKind::Text => 't',
            SlotKind::Keyword => 'k',
            SlotKind::Integer => 'i',
            SlotKind::Float => 'f',
            SlotKind::Boolean => 'b',
            SlotKind::Ip => 'p',
            SlotKind::Query => 'q',
        }
    }

    /// Spare slots of an index. A text slot costs a byte of norm in each document, so there are few; the others cost
    /// nothing measurable while they are empty.
    fn spare(self) -> usize {
        match self {
            SlotKind::Text => 8,
            SlotKind::Keyword | SlotKind::Integer | SlotKind::Float => 64,
            SlotKind::Boolean => 16,
            SlotKind::Ip => 4,
            SlotKind::Query => 2,
        }
    }

    fn add(self, builder: &mut SchemaBuilder, name: &str) -> Field {
        match self {
            SlotKind::Text => {
                let indexing = TextFieldIndexing::default()
                    .set_tokenizer(STANDARD_TOKENIZER)
                    .set_index_option(IndexRecordOption::WithFreqsAndPositions);
                builder.add_text_field(name, TextOptions::default().set_indexing_options(indexing))
            }
            SlotKind::Keyword => builder.add_text_field(name, exact().set_fast("raw")),
            SlotKind::Integer => builder.add_i64_field(name, NumericOptions::default().set_fast()),
            SlotKind::Float => builder.add_f64_field(name, NumericOptions::default().set_fast()),
            // The flags `INDEXED | FAST` would switch norms on: a byte for each document.
            SlotKind::Boolean => {
                builder.add_bool_field(name, NumericOptions::default().set_indexed().set_fast())
            }
            SlotKind::Ip => {
                builder.add_ip_addr_field(name, IpAddrOptions::default().set_indexed().set_fast())
            }
            SlotKind::Query => builder.add_bytes_field(name, BytesOptions::default().set_stored()),
        }
    }
}

fn exact() -> TextOptions {
    let indexing = TextFieldIndexing::default()
        .set_tokenizer("raw")
        .set_index_option(IndexRecordOption::Basic)
        .set_fieldnorms(false);
    TextOptions::default().set_indexing_options(indexing)
}

/// The node's own fields, the same in every index.
#[derive(Debug, Clone, Copy)]
pub struct System;

impl System {
    /// `_id`: whole string, inverted index, stored.
    pub const ID: Field = Field::from_field_id(0);
    /// `_seq`: `u64` column, the sequence number of the operation: grows with each one; breaks the ties of every sort.
    pub const SEQUENCE: Field = Field::from_field_id(1);
    /// `_version`: `u64` column.
    pub const VERSION: Field = Field::from_field_id(2);
    /// `_source`: stored bytes, the line as it came.
    pub const SOURCE: Field = Field::from_field_id(3);
    /// `_names`: whole strings, the paths of the text and percolator fields present in the document, for `exists`.
    pub const NAMES: Field = Field::from_field_id(4);

    /// Column name of [`System::SEQUENCE`].
    pub const SEQUENCE_NAME: &'static str = "_seq";
    /// Column name of [`System::VERSION`].
    pub const VERSION_NAME: &'static str = "_version";

    fn add(builder: &mut SchemaBuilder) {
        let column = NumericOptions::default().set_fast();
        builder.add_text_field("_id", exact().set_stored());
        builder.add_u64_field(Self::SEQUENCE_NAME, column.clone());
        builder.add_u64_field(Self::VERSION_NAME, column);
        builder.add_bytes_field("_source", BytesOptions::default().set_stored());
        builder.add_text_field("_names", exact());
    }
}

/// One slot, taken by a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// What it holds.
    pub kind: SlotKind,
    /// Which of its kind, from 0.
    pub number: usize,
    /// The field in the tantivy schema.
    pub field: Field,
    /// Its name in the tantivy schema: the name of the column, for collectors and aggregations.
    pub name: Arc<str>,
}

/// The slots of an index: blocks appended one after another, so that a slot keeps its field when there come more.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Layout {
    /// Slots in each block.
    blocks: Vec<SlotCounts>,
}

impl Layout {
    /// Slots for the fields that a mapping begins with, `used`, and spare ones beside them.
    pub fn with_spare(used: SlotCounts) -> Self {
        let mut block = used;
        for (count, kind) in block.iter_mut().zip(SlotKind::ALL) {
            *count += kind.spare();
        }
        Layout { blocks: vec![block] }
    }

    /// How many slots of `kind` there are.
    pub fn count(&self, kind: SlotKind) -> usize {
        self.blocks.iter().map(|block| block[kind as usize]).sum()
    }

    /// The layout with room for `used` slots of each kind: doubled where it is too small.
    #[must_use]
    pub fn grown(&self, used: SlotCounts) -> Self {
        let mut block = SlotCounts::default();
        for kind in SlotKind::ALL {
            let count = self.count(kind);
            let needed = used[kind as usize];
            if needed > count {
                block[kind as usize] = (needed - count).max(count);
            }
        }
        let mut grown = self.clone();
        if block != SlotCounts::default() {
            grown.blocks.push(block);
        }
        grown
    }

    /// Whether `used` slots of each kind fit.
    pub fn holds(&self, used: SlotCounts) -> bool {
        SlotKind::ALL.iter().all(|kind| used[*kind as usize] <= self.count(*kind))
    }

    /// Slot `number` of `kind`, if the layout has it.
    pub fn slot(&self, kind: SlotKind, number: usize) -> Option<Slot> {
        let mut field = 5; // behind the fields of `System`
        let mut first = 0;
        for block in &self.blocks {
            let before: usize = block[..kind as usize].iter().sum();
            let here = block[kind as usize];
            if number < first + here {
                let id = u32::try_from(field + before + number - first).ok()?;
                let name = Arc::from(format!("{}{number}", kind.prefix()));
                return Some(Slot { kind, number, field: Field::from_field_id(id), name });
            }
            first += here;
            field += block.iter().sum::<usize>();
        }
        None
    }

    /// The tantivy schema of this layout.
    pub fn schema(&self) -> Schema {
        let mut builder = Schema::builder();
        System::add(&mut builder);
        let mut numbers = SlotCounts::default();
        for block in &self.blocks {
            for kind in SlotKind::ALL {
                for _ in 0..block[kind as usize] {
                    let number = &mut numbers[kind as usize];
                    kind.add(&mut builder, &format!("{}{number}", kind.prefix()));
                    *number += 1;
                }
            }
        }
        builder.build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_agree_with_the_schema_before_and_after_growth() {
        let first = Layout::with_spare([1, 2, 0, 0, 0, 0, 0]);
        let grown = first.grown([20, 70, 0, 200, 0, 0, 9]);
        for layout in [&first, &grown] {
            let schema = layout.schema();
            for kind in SlotKind::ALL {
                for number in 0..layout.count(kind) {
                    let slot = layout.slot(kind, number).unwrap();
                    assert_eq!(schema.get_field(&slot.name).unwrap(), slot.field);
                }
                assert_eq!(layout.slot(kind, layout.count(kind)), None);
            }
        }
        assert_eq!(first.slot(SlotKind::Keyword, 5), grown.slot(SlotKind::Keyword, 5));
        assert!(grown.holds([20, 70, 0, 200, 0, 0, 9]) && !first.holds([20, 0, 0, 0, 0, 0, 0]));
    }

    #[test]
    fn only_text_slots_have_norms() {
        let schema = Layout::with_spare([0; 7]).schema();
        for (_, entry) in schema.fields() {
            assert_eq!(entry.has_fieldnorms(), entry.name().starts_with('t'), "{}", entry.name());
        }
    }

    #[test]
    fn system_fields_are_where_the_constants_say() {
        let schema = Layout::default().schema();
        for (name, field) in [
            ("_id", System::ID),
            ("_seq", System::SEQUENCE),
            ("_version", System::VERSION),
            ("_source", System::SOURCE),
            ("_names", System::NAMES),
        ] {
            assert_eq!(schema.get_field(name).unwrap(), field);
        }
    }
}
