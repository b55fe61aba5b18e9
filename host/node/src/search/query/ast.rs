//! What a query says.

use super::minimum::MinimumShouldMatch;
use serde_json::Value;

/// A query with its boost.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// What it looks for.
    pub kind: QueryKind,
    /// What its score is multiplied by.
    pub boost: f32,
}

impl Query {
    /// `kind` with boost 1.
    pub fn new(kind: QueryKind) -> Self {
        Query { kind, boost: 1.0 }
    }

    /// Every document.
    pub fn match_all() -> Self {
        Query::new(QueryKind::MatchAll)
    }
}

/// The kinds of queries.
#[derive(Debug, Clone, PartialEq)]
pub enum QueryKind {
    /// Every document.
    MatchAll,
    /// No document.
    MatchNone,
    /// Documents with this value, as indexed.
    Term {
        /// Path of the field.
        field: String,
        /// The value.
        value: Value,
    },
    /// Documents with any of these values.
    Terms {
        /// Path of the field.
        field: String,
        /// The values.
        values: Vec<Value>,
    },
    /// Documents with the words of a text.
    Match(Match),
    /// Documents with the words of a text one after another.
    MatchPhrase {
        /// Path of the field.
        field: String,
        /// The text; a scalar.
        text: Value,
        /// How far the words may be apart, in moves of a word by one position.
        slop: u32,
        /// Whether a text without any word matches everything.
        zero_terms_match_all: bool,
    },
    /// A match on several fields.
    MultiMatch {
        /// Paths and boosts of the fields; patterns with `*` allowed.
        fields: Vec<(String, f32)>,
        /// The match; its field is empty.
        query: Match,
        /// How the fields' scores make one.
        combination: Combination,
    },
    /// Documents with a value between bounds.
    Range(Range),
    /// A combination of queries.
    Bool {
        /// All of these, scored.
        must: Vec<Query>,
        /// All of these, not scored.
        filter: Vec<Query>,
        /// Some of these, scored.
        should: Vec<Query>,
        /// None of these.
        must_not: Vec<Query>,
        /// How many of `should`; by default one if there is neither `must` nor `filter`.
        minimum_should_match: Option<MinimumShouldMatch>,
        /// Whether nothing but `must_not` means everything else (true) or nothing.
        adjust_pure_negative: bool,
    },
    /// Documents with a value that begins so.
    Prefix {
        /// Path of the field.
        field: String,
        /// The beginning.
        value: String,
    },
    /// Documents with a value that fits a pattern with `*` and `?`.
    Wildcard {
        /// Path of the field.
        field: String,
        /// The pattern.
        pattern: String,
    },
    /// Documents with these ids.
    Ids(Vec<String>),
    /// Documents with any value in a field or object.
    Exists(String),
    /// The documents of another query, all with the same score.
    ConstantScore(Box<Query>),
    /// The score is that of the best query and a share of the others'.
    DisjunctionMax {
        /// The queries.
        queries: Vec<Query>,
        /// The share of the others.
        tie_breaker: f32,
    },
    /// Documents whose stored query matches other documents.
    Percolate(Percolate),
}

/// A `percolate` query.
#[derive(Debug, Clone, PartialEq)]
pub struct Percolate {
    /// Path of the field with the stored queries.
    pub field: String,
    /// The documents that these are asked about; at least one.
    pub documents: Vec<Value>,
    /// Mapping type of the documents, as was needed before Elasticsearch 7.
    pub document_type: Option<String>,
    /// Tells this query from others of the same search.
    pub name: Option<String>,
}

impl Percolate {
    /// Name of the field of a hit that tells which of the documents its query matches.
    pub fn slot_field(&self) -> String {
        const FIELD: &str = "_percolator_document_slot";
        self.name.as_ref().map_or_else(|| FIELD.to_string(), |name| format!("{FIELD}_{name}"))
    }
}

/// A `match` query.
#[derive(Debug, Clone, PartialEq)]
pub struct Match {
    /// Path of the field.
    pub field: String,
    /// The text; a scalar.
    pub text: Value,
    /// Whether all words are needed.
    pub all_words: bool,
    /// How many words are needed where not all are.
    pub minimum_should_match: Option<MinimumShouldMatch>,
    /// Whether a text without any word matches everything.
    pub zero_terms_match_all: bool,
    /// Whether a text that is no value of the field matches nothing instead of being an error.
    pub lenient: bool,
}

/// How a `multi_match` makes one score of several fields.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Combination {
    /// The best field's, and a share of the others'.
    Best {
        /// The share.
        tie_breaker: f32,
    },
    /// The sum.
    Sum,
    /// The best field's, the text being a phrase.
    Phrase {
        /// As in [`QueryKind::MatchPhrase`].
        slop: u32,
        /// The share of the others.
        tie_breaker: f32,
    },
}

/// A `range` query.
#[derive(Debug, Clone, PartialEq)]
pub struct Range {
    /// Path of the field.
    pub field: String,
    /// Lower bound.
    pub lower: Option<RangeBound>,
    /// Upper bound.
    pub upper: Option<RangeBound>,
    /// How dates are written, if not as the mapping says.
    pub format: Option<String>,
}

/// One end of a range.
#[derive(Debug, Clone, PartialEq)]
pub struct RangeBound {
    /// The value; a scalar.
    pub value: Value,
    /// Whether the value itself belongs to the range.
    pub inclusive: bool,
}
