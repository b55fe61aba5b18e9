//! Which documents of a file belong to which client.

/// A client's part of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Index of the first document.
    pub first_document: u64,
    /// Number of documents.
    pub documents: u64,
}

/// The part of client `index` of `clients`. All parts together cover every document exactly once, and their sizes differ
/// by at most one.
///
/// This is the formula of current Rally, halves rounded to even. That of 2017 rounded the size of the parts instead and
/// lost documents or read past the end.
pub fn bounds(documents: u64, index: u32, clients: u32) -> Bounds {
    bounds_of_range(documents, index, index, clients)
}

/// The parts of the clients `first` to `last` as one.
pub fn bounds_of_range(documents: u64, first: u32, last: u32, clients: u32) -> Bounds {
    // Both ends are computed in the same way, so that one client's end is the next one's start. Like Rally in double
    // precision: exact below 2^53 documents for all but the rounding, which is the same at both sides of a border.
    let per_client = documents as f64 / f64::from(clients);
    let border = |index: u32| {
        if index >= clients { documents } else { (per_client * f64::from(index)).round_ties_even() as u64 }
    };
    let first_document = border(first);
    Bounds { first_document, documents: border(last.saturating_add(1)).saturating_sub(first_document) }
}
