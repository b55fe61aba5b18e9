//! [`Query`] over the mapping of one index, to tantivy's queries.

use super::ast::{Combination, Match, Percolate, Query, QueryKind, Range};
use super::exclude::Excluded;
use super::intervals::{any_of, interval_query};
use super::patterns::{next_prefix, wildcard_fits, wildcard_regex};
use super::sloppy::SloppyPhraseQuery;
use super::statistics::{FieldStatistics, K1, WithFieldStatistics};
use super::values;
use crate::analysis;
use crate::error::EsError;
use crate::mapping::date::DateFormat;
use crate::mapping::{FieldType, MappedField, System};
use crate::search::json;
use crate::search::percolate::{self, Percolated};
use crate::shard::ShardView;
use serde_json::Value;
use std::ops::Bound;
use tantivy::Term;
use tantivy::query::{
    AllQuery, BooleanQuery, BoostQuery, ConstScoreQuery, DisjunctionMaxQuery, EmptyQuery, ExistsQuery,
    InvertedIndexRangeQuery, Occur, PhraseQuery, Query as TantivyQuery, RangeQuery, RegexQuery, TermQuery,
    TermSetQuery,
};
use tantivy::schema::IndexRecordOption;

/// Clauses of one query, Lucene's limit.
const MOST_CLAUSES: usize = 1024;

/// A query of one index.
#[derive(Debug)]
pub struct Compiled {
    /// For tantivy.
    pub query: Box<dyn TantivyQuery>,
    /// The score of every match, where it is the same for all.
    pub constant_score: Option<f32>,
    /// Whether the matches of a segment without deletions are counted without visiting them.
    pub counts_cheaply: bool,
    /// What the `percolate`s in it found, those in `must_not` left out.
    pub percolated: Vec<Percolated>,
}

impl Compiled {
    fn scored(query: impl TantivyQuery) -> Self {
        Compiled {
            query: Box::new(query),
            constant_score: None,
            counts_cheaply: false,
            percolated: Vec::new(),
        }
    }

    /// All matches of `query` score `score`.
    fn constant(query: Box<dyn TantivyQuery>, score: f32) -> Self {
        let query = ConstScoreQuery::new(query, score);
        Compiled { constant_score: Some(score), ..Compiled::scored(query) }
    }

    fn none() -> Self {
        Compiled { constant_score: Some(0.0), counts_cheaply: true, ..Compiled::scored(EmptyQuery) }
    }

    fn all(score: f32) -> Self {
        Compiled::constant(Box::new(AllQuery), score).counted_cheaply()
    }

    fn counted_cheaply(mut self) -> Self {
        self.counts_cheaply = true;
        self
    }

    fn boosted(self, boost: f32) -> Self {
        if boost == 1.0 {
            return self;
        }
        Compiled {
            query: Box::new(BoostQuery::new(self.query, boost)),
            constant_score: self.constant_score.map(|score| score * boost),
            ..self
        }
    }
}

/// What becomes of a query on a field that the mapping does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unmapped {
    /// It matches nothing, as in a search.
    MatchesNothing,
    /// It is an error, as in a query to be stored.
    Refused,
}

/// How terms are scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Similarity {
    /// BM25 as Elasticsearch's indices have it.
    Index,
    /// BM25 as Lucene has it since its version 8, without the constant factor `k1 + 1`.
    Lucene,
}

/// Compiles queries for one index at one moment.
#[derive(Clone, Copy)]
pub struct Compiler<'s> {
    /// The index.
    pub shard: &'s ShardView,
    /// What `now` means, milliseconds since the epoch.
    pub now: i64,
    /// What becomes of queries on unmapped fields.
    pub unmapped: Unmapped,
    /// How terms are scored.
    pub similarity: Similarity,
}

impl<'s> Compiler<'s> {
    /// For searches of `shard` at the moment `now`.
    pub fn new(shard: &'s ShardView, now: i64) -> Self {
        Compiler { shard, now, unmapped: Unmapped::MatchesNothing, similarity: Similarity::Index }
    }

    /// `query` for this index.
    ///
    /// # Errors
    /// 400 where a value does not fit its field, in the words of Elasticsearch but without the frame that a search puts
    /// around the failure of a shard.
    pub fn compile(&self, query: &Query) -> Result<Compiled, EsError> {
        let compiled = match &query.kind {
            QueryKind::MatchAll => Compiled::all(1.0),
            QueryKind::MatchNone => Compiled::none(),
            QueryKind::Term { field, value } => self.term(field, value)?,
            QueryKind::Terms { field, values } => self.terms(field, values)?,
            QueryKind::Match(query) => self.matches(query)?,
            QueryKind::MatchPhrase { field, text, slop, zero_terms_match_all } => {
                self.phrase(field, text, *slop, *zero_terms_match_all)?
            }
            QueryKind::MultiMatch { fields, query, combination } => {
                self.multi_match(fields, query, *combination)?
            }
            QueryKind::Range(range) => self.range(range)?,
            QueryKind::Bool { .. } => self.boolean(&query.kind)?,
            QueryKind::Prefix { field, value } => self.prefix(field, value)?,
            QueryKind::Wildcard { field, pattern } => self.wildcard(field, pattern)?,
            QueryKind::Ids(ids) => self.ids(ids),
            QueryKind::Exists(field) => self.exists(field)?,
            QueryKind::ConstantScore(inner) => {
                let inner = self.compile(inner)?;
                Compiled {
                    counts_cheaply: inner.counts_cheaply,
                    percolated: inner.percolated,
                    ..Compiled::constant(inner.query, 1.0)
                }
            }
            QueryKind::DisjunctionMax { queries, tie_breaker } => {
                let queries =
                    queries.iter().map(|query| self.compile(query)).collect::<Result<Vec<_>, _>>()?;
                best_of(queries, *tie_breaker)
            }
            QueryKind::Percolate(query) => self.percolate(query)?,
        };
        Ok(compiled.boosted(query.boost))
    }

    fn percolate(&self, query: &Percolate) -> Result<Compiled, EsError> {
        if self.unmapped == Unmapped::Refused {
            return Err(EsError::unsupported("[percolate] inside a percolator query"));
        }
        if let Some(given) = query.document_type.as_ref().filter(|given| *given != "_doc") {
            return Err(failed_to_create(EsError::illegal_argument(format!(
                "specified document_type [{given}] is not equal to the actual type [_doc]"
            ))));
        }
        let percolated = percolate::percolate(self.shard, query, self.now)?;
        let mut compiled = Compiled::scored(percolated.clone());
        compiled.percolated.push(percolated);
        Ok(compiled)
    }

    /// `compiled`, whose scores are those of Elasticsearch's indices, with the similarity that is wanted.
    fn similar(&self, compiled: Compiled) -> Compiled {
        match self.similarity {
            Similarity::Index => compiled,
            Similarity::Lucene => compiled.boosted(1.0 / (K1 + 1.0)),
        }
    }

    /// The field at `path` as far as this searcher can search it.
    fn field(&self, path: &str) -> Result<Option<&MappedField>, EsError> {
        let Some(field) = self.shard.mapping.get(path) else {
            return match self.unmapped {
                Unmapped::MatchesNothing => Ok(None),
                Unmapped::Refused => Err(EsError::new(
                    400,
                    "query_shard_exception",
                    format!("No field mapping can be found for the field with name [{path}]"),
                )),
            };
        };
        if field.is_percolator() {
            let reason = "Percolator fields are not searchable directly, use a percolate query instead";
            return Err(EsError::new(400, "query_shard_exception", reason));
        }
        if !field.definition.index {
            let reason =
                format!("failed to create query: Cannot search on field [{path}] since it is not indexed.");
            return Err(EsError::new(400, "query_shard_exception", reason));
        }
        // A mapping may have grown since the searcher was opened; a field without a slot there has no document either.
        let known = self.shard.searcher.schema().num_fields();
        let held = field.slots.iter().all(|slot| (slot.field.field_id() as usize) < known);
        Ok(held.then_some(field))
    }

    fn term(&self, path: &str, value: &Value) -> Result<Compiled, EsError> {
        if path == "_id" {
            return Ok(self.ids(&[json::text(value).unwrap_or_default()]));
        }
        let Some(field) = self.field(path)? else {
            return Ok(Compiled::none());
        };
        match field.field_type() {
            FieldType::Text => Ok(self.text_term(field, &json::text(value).unwrap_or_default())),
            FieldType::Keyword => self.whole_value(field, keyword(field, value)),
            FieldType::Boolean => {
                let flag = values::boolean(value).map_err(failed_to_create)?;
                self.whole_value(field, Term::from_field_bool(field.field(), flag))
            }
            FieldType::GeoPoint => Err(EsError::new(
                400,
                "query_shard_exception",
                format!(
                    "Geometry fields do not support exact searching, use dedicated geometry queries instead: [{path}]"
                ),
            )),
            _ => {
                let interval = values::exact(field, value, self.now).map_err(failed_to_create)?;
                Ok(Compiled::constant(interval_query(field, interval), 1.0))
            }
        }
    }

    fn text_term(&self, field: &MappedField, word: &str) -> Compiled {
        self.term_query(field, Term::from_field_text(field.field(), word))
    }

    fn term_query(&self, field: &MappedField, term: Term) -> Compiled {
        let query = TermQuery::new(term, IndexRecordOption::WithFreqs);
        let query = WithFieldStatistics::new(Box::new(query), field.field());
        self.similar(Compiled::scored(query)).counted_cheaply()
    }

    /// Fields without norms: the score depends on the term only.
    fn whole_value(&self, field: &MappedField, term: Term) -> Result<Compiled, EsError> {
        let searcher = &self.shard.searcher;
        let frequency = searcher.doc_freq(&term)?;
        let score = if frequency == 0 {
            0.0
        } else {
            FieldStatistics::of_column(searcher, field.field(), field.column())?
                .score_without_norms(frequency)
        };
        let query = TermQuery::new(term, IndexRecordOption::Basic);
        Ok(self.similar(Compiled::constant(Box::new(query), score)).counted_cheaply())
    }

    fn terms(&self, path: &str, wanted: &[Value]) -> Result<Compiled, EsError> {
        if path == "_id" {
            let ids: Vec<String> = wanted.iter().filter_map(json::text).collect();
            return Ok(self.ids(&ids));
        }
        let Some(field) = self.field(path)? else {
            return Ok(Compiled::none());
        };
        if wanted.is_empty() {
            return Ok(Compiled::none());
        }
        let query: Box<dyn TantivyQuery> = match field.field_type() {
            FieldType::Text => {
                let words = wanted.iter().filter_map(json::text);
                Box::new(TermSetQuery::new(words.map(|word| Term::from_field_text(field.field(), &word))))
            }
            FieldType::Keyword => {
                Box::new(TermSetQuery::new(wanted.iter().map(|value| keyword(field, value))))
            }
            FieldType::Boolean => {
                let flags = wanted.iter().map(values::boolean).collect::<Result<Vec<_>, _>>();
                let flags = flags.map_err(failed_to_create)?;
                Box::new(TermSetQuery::new(
                    flags.into_iter().map(|flag| Term::from_field_bool(field.field(), flag)),
                ))
            }
            _ => {
                let intervals = wanted.iter().map(|value| values::exact(field, value, self.now));
                any_of(field, intervals.collect::<Result<Vec<_>, _>>().map_err(failed_to_create)?)
            }
        };
        Ok(Compiled::constant(query, 1.0))
    }

    fn matches(&self, query: &Match) -> Result<Compiled, EsError> {
        let Some(field) = self.field(&query.field)? else {
            return Ok(Compiled::none());
        };
        if field.field_type() != FieldType::Text {
            return match self.term(&query.field, &query.text) {
                Err(error) if query.lenient && error.status == 400 => Ok(Compiled::none()),
                other => other,
            };
        }
        let text = json::text(&query.text).unwrap_or_default();
        let mut words = analysis::standard_tokens(&text);
        if words.len() > MOST_CLAUSES {
            return Err(too_many_clauses());
        }
        match words.len() {
            0 if query.zero_terms_match_all => return Ok(Compiled::all(1.0)),
            0 => return Ok(Compiled::none()),
            1 => return Ok(self.text_term(field, &words.remove(0))),
            _ => {}
        }
        let needed = match (&query.minimum_should_match, query.all_words) {
            (_, true) => words.len(),
            (Some(minimum), false) => minimum.of(words.len()).map_err(failed_to_create)?,
            (None, false) => 1,
        };
        if needed > words.len() {
            return Ok(Compiled::none());
        }
        let occur = if needed == words.len() { Occur::Must } else { Occur::Should };
        let clauses = words.iter().map(|word| {
            let term = Term::from_field_text(field.field(), word);
            let query: Box<dyn TantivyQuery> = Box::new(TermQuery::new(term, IndexRecordOption::WithFreqs));
            (occur, query)
        });
        let least = if occur == Occur::Must { 0 } else { needed.max(1) };
        let all = BooleanQuery::with_minimum_required_clauses(clauses.collect(), least);
        Ok(self.similar(Compiled::scored(WithFieldStatistics::new(Box::new(all), field.field()))))
    }

    fn phrase(
        &self,
        path: &str,
        text: &Value,
        slop: u32,
        zero_terms_match_all: bool,
    ) -> Result<Compiled, EsError> {
        let Some(field) = self.field(path)? else {
            return Ok(Compiled::none());
        };
        if field.field_type() != FieldType::Text {
            return self.term(path, text);
        }
        let text = json::text(text).unwrap_or_default();
        let mut terms: Vec<Term> = analysis::standard_tokens(&text)
            .iter()
            .map(|word| Term::from_field_text(field.field(), word))
            .collect();
        if terms.len() > MOST_CLAUSES {
            return Err(too_many_clauses());
        }
        match terms.len() {
            0 if zero_terms_match_all => Ok(Compiled::all(1.0)),
            0 => Ok(Compiled::none()),
            1 => Ok(self.term_query(field, terms.remove(0))),
            _ => {
                if slop > 0 {
                    let phrase = SloppyPhraseQuery::new(field.field(), terms, slop);
                    return Ok(self.similar(Compiled::scored(phrase)));
                }
                let phrase = PhraseQuery::new(terms);
                let phrase = WithFieldStatistics::new(Box::new(phrase), field.field());
                Ok(self.similar(Compiled::scored(phrase)))
            }
        }
    }

    fn multi_match(
        &self,
        patterns: &[(String, f32)],
        query: &Match,
        combination: Combination,
    ) -> Result<Compiled, EsError> {
        let mut fields: Vec<(&str, f32)> = Vec::new();
        for (pattern, boost) in patterns {
            if pattern.contains('*') {
                let text =
                    |field: &&MappedField| matches!(field.field_type(), FieldType::Text | FieldType::Keyword);
                let fits = self.shard.mapping.iter().filter(text).map(|field| field.path.as_str());
                fields.extend(fits.filter(|path| wildcard_fits(pattern, path)).map(|path| (path, *boost)));
            } else {
                fields.push((pattern, *boost));
            }
        }
        let mut queries = Vec::with_capacity(fields.len());
        // An unmapped field among several is passed over even where it would be refused alone.
        let lenient = Compiler { unmapped: Unmapped::MatchesNothing, ..*self };
        for (path, boost) in fields {
            let compiled = match combination {
                Combination::Phrase { slop, .. } => {
                    lenient.phrase(path, &query.text, slop, query.zero_terms_match_all)?
                }
                _ => lenient.matches(&Match { field: path.to_string(), ..query.clone() })?,
            };
            queries.push(compiled.boosted(boost));
        }
        match (queries.len(), combination) {
            (0, _) => Ok(Compiled::none()),
            (_, Combination::Best { tie_breaker } | Combination::Phrase { tie_breaker, .. }) => {
                Ok(best_of(queries, tie_breaker))
            }
            (_, Combination::Sum) => {
                let clauses = queries.into_iter().map(|each| (Occur::Should, each.query)).collect();
                Ok(Compiled::scored(BooleanQuery::with_minimum_required_clauses(clauses, 1)))
            }
        }
    }

    fn range(&self, range: &Range) -> Result<Compiled, EsError> {
        let Some(field) = self.field(&range.field)? else {
            return Ok(Compiled::none());
        };
        let lower = range.lower.as_ref().map(|bound| (&bound.value, bound.inclusive));
        let upper = range.upper.as_ref().map(|bound| (&bound.value, bound.inclusive));
        if lower.is_none() && upper.is_none() {
            return self.exists(&range.field);
        }
        let query: Box<dyn TantivyQuery> = match field.field_type() {
            FieldType::Text => {
                Box::new(InvertedIndexRangeQuery::new(text_bound(field, lower), text_bound(field, upper)))
            }
            FieldType::Keyword => {
                Box::new(RangeQuery::new(text_bound(field, lower), text_bound(field, upper)))
            }
            FieldType::Boolean => {
                let flags = flags_within(lower, upper).map_err(failed_to_create)?;
                if flags.is_empty() {
                    return Ok(Compiled::none());
                }
                Box::new(TermSetQuery::new(
                    flags.into_iter().map(|flag| Term::from_field_bool(field.field(), flag)),
                ))
            }
            FieldType::GeoPoint | FieldType::Percolator => {
                let reason =
                    format!("Field [{}] of type [geo_point] does not support range queries", range.field);
                return Err(failed_to_create(EsError::illegal_argument(reason)));
            }
            kind => {
                let format = match (&range.format, kind) {
                    (Some(format), FieldType::Date) => {
                        Some(DateFormat::new(format).map_err(failed_to_create)?)
                    }
                    (Some(_), _) => {
                        let reason = format!(
                            "Field [{}] of type [{}] does not support DateFormatter",
                            range.field,
                            kind.name()
                        );
                        return Err(failed_to_create(EsError::illegal_argument(reason)));
                    }
                    (None, _) => None,
                };
                let interval = values::interval(field, lower, upper, format.as_ref(), self.now);
                interval_query(field, interval.map_err(unframed_date(kind))?)
            }
        };
        Ok(Compiled::constant(query, 1.0))
    }

    fn boolean(&self, kind: &QueryKind) -> Result<Compiled, EsError> {
        let QueryKind::Bool { must, filter, should, must_not, minimum_should_match, adjust_pure_negative } =
            kind
        else {
            return Ok(Compiled::none());
        };
        let clauses = must.len() + filter.len() + should.len() + must_not.len();
        if clauses == 0 {
            return Ok(Compiled::all(1.0));
        }
        if clauses > MOST_CLAUSES {
            return Err(too_many_clauses());
        }
        let optional = !must.is_empty() || !filter.is_empty();
        let needed = match minimum_should_match {
            Some(minimum) if !should.is_empty() => minimum.of(should.len()).map_err(failed_to_create)?,
            _ => usize::from(!optional && !should.is_empty()),
        };
        if needed > should.len() {
            return Ok(Compiled::none());
        }
        if let ([only], [], [], []) | ([], [], [only], []) =
            (must.as_slice(), filter.as_slice(), should.as_slice(), must_not.as_slice())
        {
            return self.compile(only);
        }
        let mut parts: Vec<(Occur, Box<dyn TantivyQuery>)> = Vec::with_capacity(clauses + 1);
        // The score is constant only where nothing is scored.
        let mut constant = must.is_empty() && should.is_empty();
        let mut percolated = Vec::new();
        let mut compile = |query| -> Result<Box<dyn TantivyQuery>, EsError> {
            let mut compiled = self.compile(query)?;
            percolated.append(&mut compiled.percolated);
            Ok(compiled.query)
        };
        for query in filter {
            parts.push((Occur::Must, Box::new(ConstScoreQuery::new(compile(query)?, 0.0))));
        }
        for query in must {
            parts.push((Occur::Must, compile(query)?));
        }
        for query in should {
            parts.push((Occur::Should, compile(query)?));
        }
        if !optional && should.is_empty() {
            if !*adjust_pure_negative {
                return Ok(Compiled::none());
            }
            parts.push((Occur::Must, Box::new(ConstScoreQuery::new(Box::new(AllQuery), 0.0))));
            constant = true;
        }
        for query in must_not {
            let query = self.compile(query)?.query;
            parts.push((Occur::MustNot, Box::new(ConstScoreQuery::new(Box::new(Excluded(query)), 0.0))));
        }
        // Lucene needs one of the optional clauses where there is nothing else, whatever was asked for.
        let least = if optional { needed } else { needed.max(usize::from(!should.is_empty())) };
        let query = BooleanQuery::with_minimum_required_clauses(parts, least);
        let compiled =
            if constant { Compiled::constant(Box::new(query), 0.0) } else { Compiled::scored(query) };
        Ok(Compiled { percolated, ..compiled })
    }

    fn prefix(&self, path: &str, prefix: &str) -> Result<Compiled, EsError> {
        let Some(field) = self.string_field(path, "prefix")? else {
            return Ok(Compiled::none());
        };
        let lower = Bound::Included(Term::from_field_text(field.field(), prefix));
        let upper = match next_prefix(prefix) {
            Some(next) => Bound::Excluded(Term::from_field_text(field.field(), &next)),
            None => Bound::Unbounded,
        };
        Ok(Compiled::constant(Box::new(InvertedIndexRangeQuery::new(lower, upper)), 1.0))
    }

    fn wildcard(&self, path: &str, pattern: &str) -> Result<Compiled, EsError> {
        let Some(field) = self.string_field(path, "wildcard")? else {
            return Ok(Compiled::none());
        };
        let regex = RegexQuery::from_pattern(&wildcard_regex(pattern), field.field())
            .map_err(|error| failed_to_create(EsError::illegal_argument(error.to_string())))?;
        Ok(Compiled::constant(Box::new(regex), 1.0))
    }

    fn string_field(&self, path: &str, query: &str) -> Result<Option<&MappedField>, EsError> {
        match self.field(path)? {
            Some(field) if !matches!(field.field_type(), FieldType::Text | FieldType::Keyword) => {
                let kind = field.field_type().name();
                let reason = format!(
                    "Can only use {query} queries on keyword, text and wildcard fields - not on [{path}] which is of type [{kind}]"
                );
                Err(EsError::new(400, "query_shard_exception", reason))
            }
            other => Ok(other),
        }
    }

    fn ids(&self, ids: &[String]) -> Compiled {
        let mut terms = ids.iter().map(|id| Term::from_field_text(System::ID, id));
        match (terms.next(), ids.len()) {
            (None, _) => Compiled::none(),
            (Some(term), 1) => {
                Compiled::constant(Box::new(TermQuery::new(term, IndexRecordOption::Basic)), 1.0)
                    .counted_cheaply()
            }
            (Some(first), _) => {
                Compiled::constant(Box::new(TermSetQuery::new(std::iter::once(first).chain(terms))), 1.0)
            }
        }
    }

    fn exists(&self, path: &str) -> Result<Compiled, EsError> {
        if path == "_id" {
            return Ok(Compiled::all(1.0));
        }
        let known = self.shard.searcher.schema().num_fields();
        let within = format!("{path}.");
        let object = self.shard.mapping.is_object(path);
        let fields = self.shard.mapping.iter().filter(|field| {
            let here = field.path == path || (object && field.path.starts_with(&within));
            here && field.slots.iter().all(|slot| (slot.field.field_id() as usize) < known)
        });
        let mut queries: Vec<Box<dyn TantivyQuery>> = fields.map(existing).collect();
        let query: Box<dyn TantivyQuery> = match queries.len() {
            0 => return Ok(Compiled::none()),
            1 => queries.remove(0),
            _ => Box::new(BooleanQuery::union(queries)),
        };
        Ok(Compiled::constant(query, 1.0))
    }
}

/// The error of building a query on a shard, in the frame Elasticsearch puts around it.
fn failed_to_create(cause: EsError) -> EsError {
    if cause.kind == "query_shard_exception" {
        return cause;
    }
    let reason = format!("failed to create query: {}", cause.reason);
    EsError::new(cause.status, "query_shard_exception", reason).caused_by(cause)
}

/// Elasticsearch reports a wrong date in a range as it is, everything else framed.
fn unframed_date(kind: FieldType) -> impl Fn(EsError) -> EsError {
    move |error| if kind == FieldType::Date { error } else { failed_to_create(error) }
}

fn too_many_clauses() -> EsError {
    failed_to_create(EsError::new(
        400,
        "too_many_clauses",
        format!("maxClauseCount is set to {MOST_CLAUSES}"),
    ))
}

fn keyword(field: &MappedField, value: &Value) -> Term {
    Term::from_field_text(field.field(), &json::text(value).unwrap_or_default())
}

fn existing(field: &MappedField) -> Box<dyn TantivyQuery> {
    if matches!(field.field_type(), FieldType::Text | FieldType::Percolator) {
        let term = Term::from_field_text(System::NAMES, &field.path);
        return Box::new(TermQuery::new(term, IndexRecordOption::Basic));
    }
    Box::new(ExistsQuery::new(field.column().to_string(), false))
}

fn best_of(mut queries: Vec<Compiled>, tie_breaker: f32) -> Compiled {
    if queries.len() == 1 {
        return queries.remove(0);
    }
    let percolated = queries.iter_mut().flat_map(|each| std::mem::take(&mut each.percolated)).collect();
    let queries = queries.into_iter().map(|each| each.query).collect();
    let best = DisjunctionMaxQuery::with_tie_breaker(queries, tie_breaker);
    Compiled { percolated, ..Compiled::scored(best) }
}

fn text_bound(field: &MappedField, end: values::End<'_>) -> Bound<Term> {
    match end {
        None => Bound::Unbounded,
        Some((value, inclusive)) => {
            let term = keyword(field, value);
            if inclusive { Bound::Included(term) } else { Bound::Excluded(term) }
        }
    }
}

/// Which of false and true lie between two ends; false is before true.
fn flags_within(lower: values::End<'_>, upper: values::End<'_>) -> Result<Vec<bool>, EsError> {
    let read = |end: values::End<'_>| -> Result<Option<(bool, bool)>, EsError> {
        end.map(|(value, inclusive)| Ok((values::boolean(value)?, inclusive))).transpose()
    };
    let (lower, upper) = (read(lower)?, read(upper)?);
    let within = |flag: &bool| {
        lower.is_none_or(|(bound, inclusive)| (*flag && !bound) || (inclusive && *flag == bound))
            && upper.is_none_or(|(bound, inclusive)| (!*flag && bound) || (inclusive && *flag == bound))
    };
    Ok([false, true].into_iter().filter(within).collect())
}
