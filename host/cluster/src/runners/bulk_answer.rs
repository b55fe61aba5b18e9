//! The answer to a bulk request: read only as far as needed to know whether all items succeeded.

use std::collections::BTreeSet;

use memchr::memmem;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::answer::{describe_error, whole_reason};
use crate::http::{JsonObject, Sink};

/// `"errors"` stands before the items, after `took` and perhaps `ingest_took`. Where it is not in so many bytes, the
/// whole answer is kept and looked through.
const HEAD: usize = 1024;

/// The number of different causes that are named.
const CAUSES_NAMED: usize = 3;

/// Status of an item that the target had no room for.
const TOO_MANY_REQUESTS: u16 = 429;

/// The part of a reason that is shown.
const REASON_CHARACTERS: usize = 80;

/// Takes an answer in. Of one without errors only the head is looked at, the rest is dropped as it comes.
#[derive(Debug, Default)]
pub struct BulkAnswer {
    shape: JsonObject,
    state: State,
    kept: Vec<u8>,
    /// Whether an answer without errors is kept, too.
    keeps_all: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    /// `errors` has not come by yet.
    #[default]
    Searching,
    /// No item failed.
    Clean,
    /// Items failed: the rest is kept.
    Errors,
}

/// What the items of a bulk request came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BulkVerdict {
    /// All succeeded.
    Success,
    /// Some failed.
    ItemsFailed {
        /// How many.
        count: u64,
        /// Their statuses and kinds, in an order that does not depend on the answer's.
        description: String,
        /// The first failed item's error in full, where it has one.
        example: Option<String>,
        /// Positions of those that the target had no room for, which may have more luck another time.
        rejected: Vec<usize>,
    },
    /// This is not an answer to a bulk request.
    NotABulkAnswer(String),
}

impl Sink for BulkAnswer {
    fn begin(&mut self) {
        self.shape.begin();
        self.state = State::Searching;
        self.kept.clear();
    }

    fn data(&mut self, piece: &[u8]) {
        self.shape.data(piece);
        match self.state {
            State::Clean => {}
            State::Errors => self.kept.extend_from_slice(piece),
            State::Searching => {
                self.kept.extend_from_slice(piece);
                // Once the head is long enough and does not tell, everything is kept and parsed at the end.
                let head = &self.kept[..self.kept.len().min(HEAD)];
                match errors_in(head) {
                    Some(false) if !self.keeps_all => self.state = State::Clean,
                    Some(false) => {}
                    Some(true) => self.state = State::Errors,
                    None => {}
                }
            }
        }
    }
}

impl BulkAnswer {
    /// Keeps answers without errors as well from now on, or does not.
    pub fn keep_all(&mut self, keeps_all: bool) {
        self.keeps_all = keeps_all;
    }

    /// The answer, as far as it was kept.
    pub fn kept(&self) -> &[u8] {
        &self.kept
    }

    /// What the answer says, once it is complete.
    pub fn verdict(&self) -> BulkVerdict {
        if let Some(problem) = self.shape.problem() {
            return BulkVerdict::NotABulkAnswer(problem.to_owned());
        }
        if self.state == State::Clean {
            return BulkVerdict::Success;
        }
        match serde_json::from_slice::<Parsed>(&self.kept) {
            Err(_) => BulkVerdict::NotABulkAnswer(
                "the answer is not the JSON that a bulk request is answered with".to_owned(),
            ),
            Ok(Parsed { errors: None, .. }) => BulkVerdict::NotABulkAnswer(
                "the answer does not say whether items failed ('errors' is missing)".to_owned(),
            ),
            Ok(Parsed { errors: Some(false), .. }) => BulkVerdict::Success,
            Ok(Parsed { items, .. }) if items.count == 0 => BulkVerdict::NotABulkAnswer(
                "the answer says that items failed, but none of its items did".to_owned(),
            ),
            Ok(Parsed { items, .. }) => {
                let description = describe(&items.causes);
                let FailedItems { count, example, rejected, .. } = items;
                BulkVerdict::ItemsFailed { count, description, example, rejected }
            }
        }
    }
}

fn errors_in(head: &[u8]) -> Option<bool> {
    let at = memmem::find(head, b"\"errors\"")? + b"\"errors\"".len();
    let value = head[at..].trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
    match value.first()? {
        b'f' => Some(false),
        b't' => Some(true),
        _ => None,
    }
}

fn describe(causes: &BTreeSet<(u16, String)>) -> String {
    let mut text = String::from("items failed: ");
    for (number, (status, kind)) in causes.iter().take(CAUSES_NAMED).enumerate() {
        if number > 0 {
            text.push_str(", ");
        }
        text.push_str(&format!("{status} {kind}"));
    }
    if causes.len() > CAUSES_NAMED {
        text.push_str(", …");
    }
    text
}

/// The beginning of a reason, as far as it is likely to be the same for the next item: before names, ids, numbers and paths.
fn common_part(reason: &str) -> &str {
    let reason = reason.lines().next().unwrap_or_default();
    let varies = |character: char| character.is_ascii_digit() || "[]{}()'\"@/".contains(character);
    let part = &reason[..reason.find(varies).unwrap_or(reason.len())];
    let part = match part.char_indices().nth(REASON_CHARACTERS) {
        Some((end, _)) => &part[..end],
        None => part,
    };
    part.trim_end_matches(|character: char| !character.is_alphabetic())
}

#[derive(Deserialize)]
struct Parsed {
    errors: Option<bool>,
    #[serde(default)]
    items: FailedItems,
}

/// Counts failed items while they are parsed; keeps none.
#[derive(Debug, Default)]
struct FailedItems {
    /// All items, whether they failed or not.
    seen: usize,
    count: u64,
    causes: BTreeSet<(u16, String)>,
    example: Option<String>,
    rejected: Vec<usize>,
}

#[derive(Deserialize)]
struct Item {
    #[serde(default)]
    status: u16,
    error: Option<Value>,
    #[serde(rename = "_shards")]
    shards: Option<Shards>,
}

#[derive(Deserialize)]
struct Shards {
    #[serde(default)]
    failed: u64,
}

impl FailedItems {
    fn take(&mut self, item: Item) {
        let position = self.seen;
        self.seen += 1;
        let shards_failed = item.shards.is_some_and(|shards| shards.failed > 0);
        if item.status <= 299 && !shards_failed {
            return;
        }
        self.count += 1;
        if item.status == TOO_MANY_REQUESTS {
            self.rejected.push(position);
        }
        if self.example.is_none() {
            self.example = item.error.as_ref().and_then(whole_reason);
        }
        let cause = match &item.error {
            Some(Value::Object(error)) => {
                let kind = error.get("type").and_then(Value::as_str).unwrap_or("without a type");
                match error.get("reason").and_then(Value::as_str).map(common_part) {
                    Some(reason) if !reason.is_empty() => format!("{kind}: {reason}"),
                    _ => kind.to_owned(),
                }
            }
            Some(error) => {
                // Before 2.0 an error is one text: `MapperParsingException[failed to parse …]`.
                let text = describe_error(&serde_json::json!({ "error": error })).unwrap_or_default();
                text.split('[').next().unwrap_or_default().to_owned()
            }
            None if shards_failed => "failed shards".to_owned(),
            None => "without an error".to_owned(),
        };
        if self.causes.len() <= CAUSES_NAMED {
            self.causes.insert((item.status, cause));
        }
    }
}

impl<'de> Deserialize<'de> for FailedItems {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ItemsVisitor)
    }
}

struct ItemsVisitor;

impl<'de> Visitor<'de> for ItemsVisitor {
    type Value = FailedItems;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("the items of a bulk request")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<FailedItems, A::Error> {
        let mut failed = FailedItems::default();
        while let Some(FirstOf(item)) = items.next_element::<FirstOf<Item>>()? {
            failed.take(item);
        }
        Ok(failed)
    }
}

/// The value of an object's first key: `{"index": {…}}`, whatever the action is called.
struct FirstOf<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for FirstOf<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FirstVisitor<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for FirstVisitor<T> {
            type Value = FirstOf<T>;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("an item of a bulk request")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<FirstOf<T>, A::Error> {
                let first = match map.next_entry::<IgnoredAny, T>()? {
                    Some((_, value)) => value,
                    None => return Err(serde::de::Error::invalid_length(0, &self)),
                };
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(FirstOf(first))
            }
        }
        deserializer.deserialize_map(FirstVisitor(std::marker::PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(text: &str, piece: usize) -> BulkVerdict {
        let mut answer = BulkAnswer::default();
        answer.begin();
        for piece in text.as_bytes().chunks(piece) {
            answer.data(piece);
        }
        answer.verdict()
    }

    #[test]
    fn an_answer_without_errors_is_a_success_however_it_is_cut() {
        let text = r#"{"took":3,"errors":false,"items":[{"index":{"_id":"1","status":201}}]}"#;
        for piece in [1, 2, 7, 20, 1000] {
            assert_eq!(verdict(text, piece), BulkVerdict::Success);
        }
    }

    #[test]
    fn an_answer_without_errors_is_not_kept() {
        let items = r#"{"index":{"status":201}},"#.repeat(10_000);
        let text = format!(r#"{{"took":3,"errors":false,"items":[{}]}}"#, items.trim_end_matches(','));
        let mut answer = BulkAnswer::default();
        answer.begin();
        for piece in text.as_bytes().chunks(4096) {
            answer.data(piece);
        }
        assert_eq!(answer.verdict(), BulkVerdict::Success);
        assert_eq!(answer.kept.len(), 4096);
    }

    #[test]
    fn failed_items_are_counted_and_their_causes_named() {
        let text = r#"{"took":3,"errors":true,"items":[
            {"index":{"status":201,"_shards":{"total":2,"successful":1,"failed":1}}},
            {"create":{"status":429,"error":{"type":"es_rejected_execution_exception","reason":"rejected execution of [bulk] \"error\":{ }"}}},
            {"index":{"status":400,"error":"MapperParsingException[failed to parse [x]]"}},
            {"index":{"status":201,"_shards":{"failed":0}}}]}"#;
        assert_eq!(
            verdict(text, 9),
            BulkVerdict::ItemsFailed {
                count: 3,
                description: "items failed: 201 failed shards, 400 MapperParsingException, 429 es_rejected_execution_exception: rejected execution of"
                    .to_owned(),
                example: Some(
                    r#"es_rejected_execution_exception: rejected execution of [bulk] "error":{ }"#.to_owned()
                ),
                rejected: vec![1],
            }
        );
    }

    #[test]
    fn of_a_reason_only_what_items_have_in_common_is_kept() {
        assert_eq!(common_part("No space left on device (os error 28)"), "No space left on device");
        assert_eq!(common_part("failed to parse field [rank] of type [long]"), "failed to parse field");
        assert_eq!(common_part("[7]: version conflict"), "");
        assert_eq!(common_part(&"é".repeat(200)).chars().count(), REASON_CHARACTERS);
    }

    #[test]
    fn errors_behind_the_items_are_found() {
        let items = r#"{"index":{"status":201}},"#.repeat(1000);
        let text = format!(r#"{{"took":3,"items":[{items}{{"index":{{"status":500}}}}],"errors":true}}"#);
        assert_eq!(
            verdict(&text, 100),
            BulkVerdict::ItemsFailed {
                count: 1,
                description: "items failed: 500 without an error".to_owned(),
                example: None,
                rejected: Vec::new(),
            }
        );
    }

    #[test]
    fn what_is_no_bulk_answer_is_named() {
        let problem = |text: &str| match verdict(text, 10) {
            BulkVerdict::NotABulkAnswer(problem) => problem,
            other => panic!("{other:?}"),
        };
        assert!(problem("<html>").contains("HTML"));
        assert!(problem("").contains("empty"));
        assert!(problem(r#"{"took":1,"errors":false,"items":["#).contains("cut off"));
        assert!(problem(r#"{"took":1}"#).contains("'errors' is missing"));
        assert!(problem(r#"{"errors":true,"items":[]}"#).contains("none of its items"));
        assert!(problem(r#"{"errors":true,"items":[{}]}"#).contains("not the JSON"));
    }
}
