//! Mappings: which field of a document is what, and where the search engine keeps it.
//!
//! tantivy fixes its schema when an index is created; Elasticsearch lets fields appear at any time. Between the two
//! stands a table: an index starts with spare *slots* of each kind ([`slot`]), and a field of the mapping takes one when
//! it appears ([`Mapping`]). Slots have names of their own (`k3`, `i0`), never the path of the field, for dots in names
//! mean something to tantivy. When a kind of slot runs out, the shard is rebuilt with more (`shard::growth`).
//!
//! - [`field`]: the field types and one field's definition;
//! - [`slot`]: kinds of slots, the layout of an index, its tantivy schema;
//! - `table`: paths to fields, merging of definitions, and the JSON that `GET _mapping` answers;
//! - `parse`: mapping JSON to definitions, with the errors of Elasticsearch;
//! - `dynamic`: what type a new field gets;
//! - [`date`]: date formats.

pub mod date;
mod dynamic;
pub mod field;
mod parse;
pub mod slot;
mod table;

pub use dynamic::{DynamicTemplate, DynamicValue};
pub use field::{FieldDefinition, FieldType, MappedField};
pub use slot::{Layout, Slot, SlotKind, System};
pub use table::{Dynamic, Mapping, Node, ObjectNode, RootOptions};
