//! [`Query`] over the mapping of one index, to tantivy's queries.

use super::ast::{Combination, Match, Query, QueryKind, Range};
use super::exclude::Excluded;
use super::patterns::{next_prefix, wildcard_fits, wildcard_regex};
use super::statistics::{FieldStatistics, WithFieldStatistics};
use super::values::{self, Interval};
use super::{columns, sloppy::SloppyPhraseQuery};
use crate::analysis;
use crate::error::EsError;
use crate::mapping::date::DateFormat;
use crate::mapping::{FieldType, MappedField, System};
use crate::search::json;
use crate::shard::ShardView;
use serde_json::Value;
use std::collections::HashSet;
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
}

impl Compiled {
    fn scored(query: impl TantivyQuery) -> Self {
        Compiled { query: Box::new(query), constant_score: None, counts_cheaply: false }
    }

    /// All matches of `query` score `score`.
    fn constant(query: Box<dyn TantivyQuery>, score: f32) -> Self {
        let query = Box::new(ConstScoreQuery::new(query, score));
        Compiled { query, constant_score: Some(score), counts_cheaply: false }
    }

    fn none() -> Self {
        Compiled { query: Box::new(EmptyQuery), constant_score: Some(0.0), counts_cheaply: true }
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
            counts_cheaply: self.counts_cheaply,
        }
    }
}

/// Compiles queries for one index at one moment.
#[derive(Clone, Copy)]
pub struct Compiler<'s> {
    /// The index.
    pub shard: &'s ShardView,
    /// What `now` means, milliseconds since the epoch.
    pub now: i64,
}

impl Compiler<'_> {
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
                let cheap = inner.counts_cheaply;
                Compiled { counts_cheaply: cheap, ..Compiled::constant(inner.query, 1.0) }
            }
            QueryKind::DisjunctionMax { queries, tie_breaker } => {
                let queries =
                    queries.iter().map(|query| self.compile(query)).collect::<Result<Vec<_>, _>>()?;
                best_of(queries, *tie_breaker)
            }
        };
        Ok(compiled.boosted(query.boost))
    }

    /// The field at `path` as far as this searcher can search it.
    fn field(&self, path: &str) -> Result<Option<&MappedField>, EsError> {
        let Some(field) = self.shard.mapping.get(path) else {
            return Ok(None);
        };
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
            FieldType::Text => Ok(text_term(field, &json::text(value).unwrap_or_default())),
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
        Ok(Compiled::constant(Box::new(query), score).counted_cheaply())
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
            1 => return Ok(text_term(field, &words.remove(0))),
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
        Ok(Compiled::scored(WithFieldStatistics::new(Box::new(all), field.field())))
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
            1 => Ok(term_query(field, terms.remove(0))),
            _ => {
                if slop > 0 {
                    return Ok(Compiled::scored(SloppyPhraseQuery::new(field.field(), terms, slop)));
                }
                let phrase = PhraseQuery::new(terms);
                Ok(Compiled::scored(WithFieldStatistics::new(Box::new(phrase), field.field())))
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
        for (path, boost) in fields {
            let compiled = match combination {
                Combination::Phrase { slop, .. } => {
                    self.phrase(path, &query.text, slop, query.zero_terms_match_all)?
                }
                _ => self.matches(&Match { field: path.to_string(), ..query.clone() })?,
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
            FieldType::GeoPoint => {
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
        for query in filter {
            let query = self.compile(query)?.query;
            parts.push((Occur::Must, Box::new(ConstScoreQuery::new(query, 0.0))));
        }
        for query in must {
            parts.push((Occur::Must, self.compile(query)?.query));
        }
        for query in should {
            parts.push((Occur::Should, self.compile(query)?.query));
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
        if constant { Ok(Compiled::constant(Box::new(query), 0.0)) } else { Ok(Compiled::scored(query)) }
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

fn text_term(field: &MappedField, word: &str) -> Compiled {
    term_query(field, Term::from_field_text(field.field(), word))
}

fn term_query(field: &MappedField, term: Term) -> Compiled {
    let query = TermQuery::new(term, IndexRecordOption::WithFreqs);
    Compiled::scored(WithFieldStatistics::new(Box::new(query), field.field())).counted_cheaply()
}

fn existing(field: &MappedField) -> Box<dyn TantivyQuery> {
    if field.field_type() == FieldType::Text {
        let term = Term::from_field_text(System::NAMES, &field.path);
        return Box::new(TermQuery::new(term, IndexRecordOption::Basic));
    }
    Box::new(ExistsQuery::new(field.column().to_string(), false))
}

fn best_of(mut queries: Vec<Compiled>, tie_breaker: f32) -> Compiled {
    if queries.len() == 1 {
        return queries.remove(0);
    }
    let queries = queries.into_iter().map(|each| each.query).collect();
    Compiled::scored(DisjunctionMaxQuery::with_tie_breaker(queries, tie_breaker))
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

fn interval_query(field: &MappedField, interval: Interval) -> Box<dyn TantivyQuery> {
    let column = field.field();
    let range = |lower, upper| -> Box<dyn TantivyQuery> { Box::new(RangeQuery::new(lower, upper)) };
    match interval {
        Interval::Empty => Box::new(EmptyQuery),
        Interval::Integer(lower, upper) => {
            range(term_bound(lower, |value| Term::from_field_i64(column, value)), {
                term_bound(upper, |value| Term::from_field_i64(column, value))
            })
        }
        Interval::Float(lower, upper) => {
            range(term_bound(lower, |value| Term::from_field_f64(column, value)), {
                term_bound(upper, |value| Term::from_field_f64(column, value))
            })
        }
        Interval::Ip(lower, upper) => {
            range(term_bound(lower, |value| Term::from_field_ip_addr(column, value)), {
                term_bound(upper, |value| Term::from_field_ip_addr(column, value))
            })
        }
    }
}

fn term_bound<T>(bound: Bound<T>, term: impl Fn(T) -> Term) -> Bound<Term> {
    bound.map(term)
}

/// Documents with a value in any of `intervals`: single values in one pass, the others one by one.
fn any_of(field: &MappedField, intervals: Vec<Interval>) -> Box<dyn TantivyQuery> {
    let (mut integers, mut floats, mut addresses) = (HashSet::new(), Vec::new(), HashSet::new());
    let mut queries: Vec<Box<dyn TantivyQuery>> = Vec::new();
    for interval in intervals {
        match interval {
            Interval::Empty => {}
            Interval::Integer(Bound::Included(low), Bound::Included(high)) if low == high => {
                integers.insert(low);
            }
            Interval::Float(Bound::Included(low), Bound::Included(high)) if low == high => floats.push(low),
            Interval::Ip(Bound::Included(low), Bound::Included(high)) if low == high => {
                addresses.insert(low);
            }
            other => queries.push(interval_query(field, other)),
        }
    }
    if !integers.is_empty() {
        queries.push(columns::any_integer(field.column(), integers));
    }
    if !floats.is_empty() {
        queries.push(columns::any_float(field.column(), floats));
    }
    if !addresses.is_empty() {
        queries.push(columns::any_address(field.column(), addresses));
    }
    match queries.len() {
        0 => Box::new(EmptyQuery),
        1 => queries.remove(0),
        _ => Box::new(BooleanQuery::union(queries)),
    }
}
