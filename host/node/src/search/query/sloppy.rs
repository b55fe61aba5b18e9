//! Phrases with slop, scored as Lucene scores them.
//!
//! tantivy counts every match as one. Lucene counts a match as 1 / (1 + distance), the distance being how many positions
//! its words had to move, and so prefers closer ones.

use super::statistics::{B, FieldStatistics, K1};
use tantivy::fieldnorm::FieldNormReader;
use tantivy::postings::{Postings, SegmentPostings};
use tantivy::query::{
    BooleanQuery, ConstScoreQuery, EmptyScorer, EnableScoring, Explanation, Query, Scorer, TermQuery, Weight,
};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocId, DocSet, Score, SegmentReader, TERMINATED, TantivyError, Term};

/// A phrase with slop.
#[derive(Debug, Clone)]
pub struct SloppyPhraseQuery {
    terms: Vec<Term>,
    field: Field,
    slop: u32,
}

impl SloppyPhraseQuery {
    /// `terms` of `field`, together at most `slop` positions from where they would be in the phrase.
    pub fn new(field: Field, terms: Vec<Term>, slop: u32) -> Self {
        SloppyPhraseQuery { terms, field, slop }
    }
}

impl Query for SloppyPhraseQuery {
    fn weight(&self, scoring: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        let (mut idf, mut average_length) = (0.0_f64, 1.0);
        if let EnableScoring::Enabled { searcher, .. } = scoring {
            let statistics = FieldStatistics::of_text(searcher, self.field)?;
            average_length = statistics.average_length();
            for term in &self.terms {
                idf += f64::from(statistics.idf(searcher.doc_freq(term)?));
            }
        }
        let all_words = self.terms.iter().map(|term| -> Box<dyn Query> {
            Box::new(TermQuery::new(term.clone(), IndexRecordOption::Basic))
        });
        let candidates = ConstScoreQuery::new(Box::new(BooleanQuery::intersection(all_words.collect())), 0.0);
        Ok(Box::new(SloppyWeight {
            candidates: candidates.weight(scoring)?,
            query: self.clone(),
            weight: idf as f32 * (K1 + 1.0),
            average_length,
        }))
    }

    fn query_terms<'a>(&'a self, visitor: &mut dyn FnMut(&'a Term, bool)) {
        for term in &self.terms {
            visitor(term, true);
        }
    }
}

struct SloppyWeight {
    /// Documents with all words, wherever they stand.
    candidates: Box<dyn Weight>,
    query: SloppyPhraseQuery,
    weight: f32,
    average_length: f32,
}

impl Weight for SloppyWeight {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        let mut words = Vec::with_capacity(self.query.terms.len());
        for (offset, term) in self.query.terms.iter().enumerate() {
            let index = reader.inverted_index(term.field())?;
            let Some(postings) = index.read_postings(term, IndexRecordOption::WithFreqsAndPositions)? else {
                return Ok(Box::new(EmptyScorer));
            };
            let group = self.query.terms.iter().position(|each| each == term).unwrap_or(offset);
            let place = self.query.terms[..offset].iter().filter(|each| *each == term).count();
            words.push(Word {
                postings,
                positions: Vec::new(),
                offset: offset as i64,
                group,
                place,
                next: 0,
            });
        }
        let norms = reader
            .fieldnorms_readers()
            .get_field(self.query.field)?
            .unwrap_or_else(|| FieldNormReader::constant(reader.max_doc(), 1));
        let mut scorer = SloppyScorer {
            candidates: self.candidates.scorer(reader, 1.0)?,
            words,
            norms,
            slop: i64::from(self.query.slop),
            frequency: 0.0,
            weight: self.weight * boost,
            average_length: self.average_length,
        };
        let first = scorer.candidates.doc();
        scorer.settle(first);
        Ok(Box::new(scorer))
    }

    fn explain(&self, reader: &SegmentReader, document: DocId) -> tantivy::Result<Explanation> {
        let mut scorer = self.scorer(reader, 1.0)?;
        if scorer.doc() > document || scorer.seek(document) != document {
            return Err(TantivyError::InvalidArgument(format!("document {document} does not match")));
        }
        Ok(Explanation::new("sloppy phrase", scorer.score()))
    }
}

struct Word {
    postings: SegmentPostings,
    positions: Vec<u32>,
    /// Its place in the phrase.
    offset: i64,
    /// The first place of the same word in the phrase, and how many times it comes before this one.
    group: usize,
    place: usize,
    next: usize,
}

impl Word {
    fn position(&self) -> u32 {
        self.positions[self.next]
    }

    /// Where the phrase would begin if this word stood right: its position less its place in the phrase.
    fn start(&self) -> i64 {
        i64::from(self.position()) - self.offset
    }

    fn advance(&mut self) -> bool {
        self.next += 1;
        self.next < self.positions.len()
    }
}

struct SloppyScorer {
    candidates: Box<dyn Scorer>,
    words: Vec<Word>,
    norms: FieldNormReader,
    slop: i64,
    /// Of the phrase in the current document.
    frequency: f32,
    weight: f32,
    average_length: f32,
}

impl SloppyScorer {
    /// Goes to the first document from `candidate` on in which the words are near enough.
    fn settle(&mut self, mut candidate: DocId) -> DocId {
        while candidate != TERMINATED {
            self.frequency = self.count(candidate);
            if self.frequency > 0.0 {
                break;
            }
            candidate = self.candidates.advance();
        }
        candidate
    }

    /// The sum of 1 / (1 + distance) over the matches in `document`.
    fn count(&mut self, document: DocId) -> f32 {
        for word in &mut self.words {
            if word.postings.doc() < document {
                word.postings.seek(document);
            }
            word.postings.positions(&mut word.positions);
            // The second of two equal words begins at the second occurrence.
            word.next = word.place;
            if word.postings.doc() != document || word.positions.len() <= word.place {
                return 0.0;
            }
        }
        let mut end = self.words.iter().map(Word::start).max().unwrap_or(0);
        let mut frequency = 0.0;
        // A match is a window over one occurrence of each word. Its first word moves on as long as that narrows it.
        'matches: loop {
            let Some(first) = self.lowest(None) else {
                return frequency;
            };
            let Some(second) = self.lowest(Some(first)) else {
                return frequency;
            };
            let next = self.words[second].start();
            let mut length = end - self.words[first].start();
            loop {
                if !self.advance(first, &mut end) || !self.separate(first, &mut end) {
                    if length <= self.slop {
                        frequency += weight(length);
                    }
                    return frequency;
                }
                let start = self.words[first].start();
                if start > next {
                    if length <= self.slop {
                        frequency += weight(length);
                    }
                    continue 'matches;
                }
                length = length.min(end - start);
            }
        }
    }

    /// Goes to the next occurrence of a word; false if there is none.
    fn advance(&mut self, index: usize, end: &mut i64) -> bool {
        let word = &mut self.words[index];
        let more = word.advance();
        if more {
            *end = (*end).max(word.start());
        }
        more
    }

    /// Moves words on until no two equal words of the phrase stand at the same place; false if they run out.
    fn separate(&mut self, moved: usize, end: &mut i64) -> bool {
        let mut current = moved;
        loop {
            let word = &self.words[current];
            let same = |(index, other): &(usize, &Word)| {
                *index != current && other.group == word.group && other.position() == word.position()
            };
            let Some((other, _)) = self.words.iter().enumerate().find(same) else {
                return true;
            };
            let key = |index: usize| (self.words[index].start(), self.words[index].offset);
            if key(other) <= key(current) {
                current = other;
            }
            if !self.advance(current, end) {
                return false;
            }
        }
    }

    /// The word with the lowest start, the earlier in the phrase where two are level.
    fn lowest(&self, but: Option<usize>) -> Option<usize> {
        (0..self.words.len())
            .filter(|index| Some(*index) != but)
            .min_by_key(|index| (self.words[*index].start(), self.words[*index].offset))
    }
}

fn weight(length: i64) -> f32 {
    1.0 / (1.0 + length as f32)
}

impl DocSet for SloppyScorer {
    fn advance(&mut self) -> DocId {
        let candidate = self.candidates.advance();
        self.settle(candidate)
    }

    fn seek(&mut self, target: DocId) -> DocId {
        if self.doc() >= target {
            return self.doc();
        }
        let candidate = self.candidates.seek(target);
        self.settle(candidate)
    }

    fn doc(&self) -> DocId {
        self.candidates.doc()
    }

    fn size_hint(&self) -> u32 {
        self.candidates.size_hint()
    }
}

impl Scorer for SloppyScorer {
    fn score(&mut self) -> Score {
        let length = self.norms.fieldnorm(self.candidates.doc()) as f32;
        // In this order of operations the last digits are those of Lucene.
        let inverse_norm = 1.0 / (K1 * ((1.0 - B) + B * length / self.average_length));
        self.weight - self.weight / (1.0 + self.frequency * inverse_norm)
    }
}
