//! Random documents and queries: what is found, counted and summed agrees with going through all documents by hand.

use crate::search_support::{TestIndex, properties};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const WORDS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

#[derive(Debug, Clone)]
struct Document {
    text: Vec<usize>,
    key: Option<usize>,
    numbers: Vec<i64>,
}

fn document() -> impl Strategy<Value = Document> {
    let text = prop::collection::vec(0..WORDS.len(), 0..9);
    let numbers = prop::collection::vec(-20_i64..20, 0..3);
    (text, prop::option::of(0..4_usize), numbers).prop_map(|(text, key, numbers)| Document {
        text,
        key,
        numbers,
    })
}

#[derive(Debug, Clone)]
enum Question {
    AnyWord(Vec<usize>),
    AtLeast(Vec<usize>, usize),
    AllWords(Vec<usize>),
    Phrase(Vec<usize>),
    Key(usize),
    Between(i64, i64),
    Both(Box<Question>, Box<Question>),
    Either(Box<Question>, Box<Question>),
    Not(Box<Question>),
}

fn question() -> impl Strategy<Value = Question> {
    let words = || prop::collection::vec(0..WORDS.len(), 1..4);
    let leaf = prop_oneof![
        words().prop_map(Question::AnyWord),
        (words(), 1..4_usize).prop_map(|(words, least)| Question::AtLeast(words, least)),
        words().prop_map(Question::AllWords),
        words().prop_map(Question::Phrase),
        (0..4_usize).prop_map(Question::Key),
        (-20_i64..20, 0..15_i64).prop_map(|(from, width)| Question::Between(from, from + width)),
    ];
    leaf.prop_recursive(3, 12, 2, |inner| {
        let boxed = || inner.clone().prop_map(Box::new);
        prop_oneof![
            (boxed(), boxed()).prop_map(|(left, right)| Question::Both(left, right)),
            (boxed(), boxed()).prop_map(|(left, right)| Question::Either(left, right)),
            boxed().prop_map(Question::Not),
        ]
    })
}

fn text(words: &[usize]) -> String {
    words.iter().map(|word| WORDS[*word]).collect::<Vec<_>>().join(" ")
}

impl Question {
    fn query(&self) -> Value {
        match self {
            Question::AnyWord(words) => json!({"match": {"text": text(words)}}),
            Question::AtLeast(words, least) => {
                json!({"match": {"text": {"query": text(words), "minimum_should_match": least}}})
            }
            Question::AllWords(words) => {
                json!({"match": {"text": {"query": text(words), "operator": "and"}}})
            }
            Question::Phrase(words) => json!({"match_phrase": {"text": text(words)}}),
            Question::Key(key) => json!({"term": {"key": format!("k{key}")}}),
            Question::Between(from, to) => json!({"range": {"number": {"gte": from, "lt": to}}}),
            Question::Both(left, right) => {
                json!({"bool": {"must": [left.query()], "filter": [right.query()]}})
            }
            Question::Either(left, right) => json!({"bool": {"should": [left.query(), right.query()]}}),
            Question::Not(inner) => json!({"bool": {"must_not": inner.query()}}),
        }
    }

    fn fits(&self, document: &Document) -> bool {
        let has = |word: &&usize| document.text.contains(word);
        match self {
            Question::AnyWord(words) => words.iter().any(|word| has(&word)),
            // One word alone is not counted; words given twice count twice.
            Question::AtLeast(words, _) if words.len() == 1 => has(&&words[0]),
            Question::AtLeast(words, least) => words.iter().filter(has).count() >= *least,
            Question::AllWords(words) => words.iter().all(|word| has(&word)),
            Question::Phrase(words) => {
                document.text.windows(words.len()).any(|window| window == words.as_slice())
            }
            Question::Key(key) => document.key == Some(*key),
            Question::Between(from, to) => document.numbers.iter().any(|number| (from..to).contains(&number)),
            Question::Both(left, right) => left.fits(document) && right.fits(document),
            Question::Either(left, right) => left.fits(document) || right.fits(document),
            Question::Not(inner) => !inner.fits(document),
        }
    }
}

fn source(id: usize, document: &Document) -> Value {
    let mut source = json!({"id": id, "text": text(&document.text), "number": document.numbers});
    if let Some(key) = document.key {
        source["key"] = format!("k{key}").into();
    }
    source
}

#[test]
fn searches_agree_with_a_walk_through_all_documents() {
    let mut runner = TestRunner::new(Config { cases: 24, failure_persistence: None, ..Config::default() });
    let documents = prop::collection::vec(document(), 1..60);
    let questions = prop::collection::vec(question(), 20);
    runner
        .run(&(documents, questions), |(documents, questions)| {
            let index = TestIndex::new(
                "random",
                &properties(json!({
                    "text": {"type": "text"}, "key": {"type": "keyword"}, "number": {"type": "long"},
                })),
            );
            let sources: Vec<Value> =
                documents.iter().enumerate().map(|(id, document)| source(id, document)).collect();
            for batch in sources.chunks(25) {
                index.add(batch, |source| source["id"].to_string());
            }
            for question in questions {
                check(&index, &documents, &question)?;
            }
            Ok(())
        })
        .unwrap();
}

fn check(index: &TestIndex, documents: &[Document], question: &Question) -> Result<(), TestCaseError> {
    let fitting: Vec<usize> = (0..documents.len()).filter(|id| question.fits(&documents[*id])).collect();
    let answer = index.search(&json!({
        "query": question.query(),
        "size": 100,
        "sort": "id",
        "aggs": {
            "keys": {"terms": {"field": "key"}, "aggs": {"numbers": {"value_count": {"field": "number"}}}},
            "sum": {"sum": {"field": "number"}},
            "tens": {"histogram": {"field": "number", "interval": 10, "min_doc_count": 1}},
            "distinct": {"cardinality": {"field": "number"}},
        },
    }));
    let expected: Vec<String> = fitting.iter().map(ToString::to_string).collect();
    prop_assert_eq!(crate::search_support::ids(&answer), expected, "{}", question.query());
    prop_assert_eq!(&answer["hits"]["total"], &json!({"value": fitting.len(), "relation": "eq"}));

    // The same without sort: other ways through the segments.
    let mut by_score = index.ids(&json!({"query": question.query(), "size": 100}));
    by_score.sort_by_key(|id| id.parse::<usize>().unwrap());
    prop_assert_eq!(by_score, fitting.iter().map(ToString::to_string).collect::<Vec<_>>());

    let found = || fitting.iter().map(|id| &documents[*id]);
    let aggregations = &answer["aggregations"];
    let mut keys: BTreeMap<String, (u64, usize)> = BTreeMap::new();
    for document in found() {
        if let Some(key) = document.key {
            let entry = keys.entry(format!("k{key}")).or_default();
            *entry = (entry.0 + 1, entry.1 + document.numbers.len());
        }
    }
    let mut buckets: Vec<Value> = keys
        .into_iter()
        .map(|(key, (count, numbers))| json!({"key": key, "doc_count": count, "numbers": {"value": numbers}}))
        .collect();
    buckets.sort_by_key(|bucket| std::cmp::Reverse(bucket["doc_count"].as_u64()));
    prop_assert_eq!(&aggregations["keys"]["buckets"], &Value::Array(buckets));

    let sum: i64 = found().flat_map(|document| &document.numbers).sum();
    prop_assert_eq!(aggregations["sum"]["value"].as_f64(), Some(sum as f64));
    let mut distinct: Vec<i64> = found().flat_map(|document| document.numbers.clone()).collect();
    distinct.sort_unstable();
    distinct.dedup();
    prop_assert_eq!(aggregations["distinct"]["value"].as_u64(), Some(distinct.len() as u64));
    let mut tens: BTreeMap<i64, u64> = BTreeMap::new();
    for document in found() {
        let mut places: Vec<i64> = document.numbers.iter().map(|number| number.div_euclid(10)).collect();
        places.sort_unstable();
        places.dedup();
        for place in places {
            *tens.entry(place).or_default() += 1;
        }
    }
    let tens: Vec<Value> = tens
        .into_iter()
        .map(|(place, count)| json!({"key": place as f64 * 10.0, "doc_count": count}))
        .collect();
    prop_assert_eq!(&aggregations["tens"]["buckets"], &Value::Array(tens));
    Ok(())
}
