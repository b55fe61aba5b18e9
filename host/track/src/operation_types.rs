//! Which built-in operation types and parameter sources a track of a dialect means.

use rally_operation_table::{OperationType, Source};

use crate::{Dialect, Operation};

/// Parameter source of documents, for operations of any type. Tracks of 2017 do not have it.
const FILE_READER: &str = "file-reader";

impl Dialect {
    /// The built-in operation type that tracks of this dialect call by this name. `None` for types that only an extension
    /// can have.
    pub fn operation_type(self, name: &str) -> Option<&'static OperationType> {
        match self {
            Dialect::Current => OperationType::named(name),
            Dialect::Rally2017 => OperationType::named_2017(name),
        }
    }

    /// The built-in operation type that code beside a track of this dialect calls by this name: it may perform operations
    /// that the track itself could not name.
    pub fn performed_type(self, name: &str) -> Option<&'static OperationType> {
        match self {
            Dialect::Current => OperationType::performed(name),
            Dialect::Rally2017 => OperationType::performed_2017(name),
        }
    }

    /// The built-in parameter source of an operation; `None` where it names one of an extension.
    pub fn built_in_source(self, operation: &Operation) -> Option<Source> {
        let of_type = || {
            let kind = self.operation_type(&operation.operation_type);
            kind.map_or(Source::Generic, OperationType::default_source)
        };
        match (self, operation.param_source.as_deref()) {
            (Dialect::Current, None) => Some(of_type()),
            (Dialect::Current, Some(FILE_READER)) => Some(Source::Documents),
            (_, Some(_)) => None,
            (Dialect::Rally2017, None) => Some(match of_type() {
                source @ (Source::Documents2017 | Source::Search2017) => source,
                _ => Source::Generic,
            }),
        }
    }
}
