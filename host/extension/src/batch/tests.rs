use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// More than any of these take.
const MEMORY: usize = 1 << 20;

/// A batch, right or wrong, from a few small numbers: so that what is nearly right comes often.
fn raw_batch() -> impl Strategy<Value = RawBatch> {
    let text = prop_oneof![
        6 => (0u8..4).prop_map(|number| format!("{{\"n\":{number}}}")),
        1 => Just("{}".to_owned()),
        1 => "[\\[{\"a:1}\\] ]{0,6}",
    ];
    let slot = prop_oneof![8 => 0u32..4, 1 => 250u32..260, 1 => any::<u32>()];
    let kind = prop_oneof![Just(BodyKind::Json), Just(BodyKind::Text), Just(BodyKind::Bytes)];
    let end = prop_oneof![12 => 0u32..4, 1 => any::<u32>()];
    let held = prop_oneof![12 => Just(0u32), 1 => any::<u32>()];
    let item = (slot.clone(), end, kind.clone(), any::<u32>(), held, 0u8..12);
    let position = prop_oneof![8 => 0u32..6, 1 => any::<u32>()];
    let host_body = (position, kind, vec(any::<u8>(), 0..8));
    (
        vec((slot, text), 0..4),
        vec(item, 0..6),
        any::<bool>(),
        vec(host_body, 0..3),
        prop_oneof![4 => Just(false), 1 => Just(true)],
    )
        .prop_map(|(new_shapes, items, fits, bodies, exhausted)| {
            let mut end = 0u32;
            let items: Vec<RawItem> = items
                .into_iter()
                .map(|(shape, more, body_kind, documents, held, backwards)| {
                    end = if backwards == 0 { end.wrapping_sub(more) } else { end.wrapping_add(more) };
                    RawItem { shape, arena_end: end, body_kind, documents, held }
                })
                .collect();
            let size = if fits { end.min(1 << 16) } else { 5 };
            RawBatch {
                new_shapes,
                items,
                arena: (0..size).map(|byte| byte as u8).collect(),
                bodies: bodies
                    .into_iter()
                    .map(|(position, kind, bytes)| (position, kind, Bytes::from(bytes)))
                    .collect(),
                exhausted,
            }
        })
}

fn lies_in(body: &Bytes, whole: &[u8]) -> bool {
    let (inner, outer) = (body.as_ptr_range(), whole.as_ptr_range());
    outer.start <= inner.start && inner.end <= outer.end
}

/// What a request is, to compare.
fn shown(params: &Params) -> (String, Vec<u8>, u32, Option<u32>) {
    let values = Value::Object((*params.values).clone()).to_string();
    (values, params.body.to_vec(), params.documents, params.held.map(std::num::NonZeroU32::get))
}

fn good() -> RawBatch {
    RawBatch {
        new_shapes: vec![(7, "{\"good\":true}".to_owned())],
        items: vec![RawItem { shape: 7, arena_end: 2, ..RawItem::default() }],
        arena: b"ok".to_vec(),
        ..RawBatch::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn whatever_a_source_returns_is_read_as_it_says_or_leaves_nothing(
        batches in vec(raw_batch(), 1..6),
        limit in 1usize..8,
        may_hold in any::<bool>(),
    ) {
        let mut reader = BatchReader::new(may_hold);
        let mut out = Vec::new();
        // What the slots hold, by what was accepted.
        let mut slots: std::collections::HashMap<u32, String> = Default::default();
        for batch in batches {
            let before: Vec<_> = out.iter().map(shown).collect();
            let was_exhausted = reader.exhausted;
            let arena_at = batch.arena.as_ptr();
            let arena = batch.arena.len();
            let RawBatch { new_shapes, items, bodies, exhausted, .. } = batch.clone();
            match reader.read(batch, limit, MEMORY, &mut out) {
                Err(BatchError::Memory) => prop_assert!(false, "there is room"),
                Err(BatchError::Nonsense(problem)) => {
                    prop_assert!(!problem.is_empty() && problem.len() < 1000);
                    let after: Vec<_> = out.iter().map(shown).collect();
                    prop_assert_eq!(&before, &after);
                    prop_assert_eq!(reader.exhausted, was_exhausted);
                    let kept: std::collections::HashMap<u32, String> = (0u32..)
                        .zip(&reader.slots)
                        .filter_map(|(slot, values)| {
                            Some((slot, Value::Object((**values.as_ref()?).clone()).to_string()))
                        })
                        .collect();
                    prop_assert_eq!(&kept, &slots, "slots of a batch that was refused");
                }
                Ok(more) => {
                    prop_assert!(items.len() <= limit);
                    prop_assert!(!was_exhausted || items.is_empty());
                    prop_assert_eq!(more == More::Exhausted, exhausted);
                    prop_assert_eq!(out.len(), before.len() + items.len());
                    for (slot, text) in new_shapes {
                        let values: Value = serde_json::from_str(&text).unwrap();
                        slots.insert(slot, values.to_string());
                    }
                    let mut begin = 0;
                    for (position, (params, item)) in out[before.len()..].iter().zip(&items).enumerate() {
                        prop_assert_eq!(&Value::Object((*params.values).clone()).to_string(), &slots[&item.shape]);
                        prop_assert_eq!(params.documents, item.documents);
                        prop_assert_eq!(params.held.map_or(0, |held| held.get()), item.held);
                        prop_assert!(may_hold || params.held.is_none());
                        let end = item.arena_end as usize;
                        let own = bodies.iter().find(|(at, ..)| *at as usize == position);
                        if end > begin {
                            prop_assert_eq!(params.body.as_ptr() as usize, arena_at as usize + begin);
                            prop_assert_eq!(params.body.len(), end - begin);
                            prop_assert!(end <= arena);
                            prop_assert_eq!(params.body_kind, item.body_kind);
                        } else if let Some((_, kind, bytes)) = own {
                            prop_assert!(lies_in(&params.body, bytes));
                            prop_assert_eq!(params.body.len(), bytes.len());
                            prop_assert_eq!(params.body_kind, *kind);
                        } else {
                            prop_assert!(params.body.is_empty());
                        }
                        begin = end;
                    }
                    prop_assert_eq!(begin, arena, "every byte of the arena belongs to a request");
                }
            }
        }
        // Whatever came before, a batch in order is read.
        let before = out.len();
        match reader.read(good(), limit, MEMORY, &mut out) {
            Ok(more) => {
                prop_assert_eq!(more, More::Yes);
                prop_assert_eq!(&out[before].body[..], b"ok");
                prop_assert!(out[before].values.contains_key("good"));
            }
            Err(problem) => prop_assert!(reader.exhausted, "{}", problem),
        }
    }

    #[test]
    fn lines_are_read_as_a_plain_json_reader_reads_them(
        lines in vec(line(), 0..6),
        newline in prop_oneof![Just("\n"), Just("\r\n"), Just("\n\n \t\n")],
        last_newline in any::<bool>(),
        exhausted in any::<bool>(),
        limit in 1usize..8,
    ) {
        let mut text = lines.join(newline);
        if last_newline {
            text.push_str(newline);
        }
        let lines: Vec<&str> = lines.iter().map(String::as_str).filter(|line| !line.trim().is_empty()).collect();
        let naive: Option<Vec<Naive>> = lines.iter().map(|line| Naive::read(line)).collect();
        let mut reader = BatchReader::new(false);
        let mut out = vec![Params::of(Arc::default())];
        match reader.read_lines(&text, exhausted, limit, MEMORY, &mut out) {
            Ok(more) => {
                prop_assert_eq!(more == More::Exhausted, exhausted);
                let naive = naive.expect("lines that a plain reader reads as well");
                prop_assert!(naive.len() <= limit && (exhausted || !naive.is_empty()));
                let read: Vec<Naive> = out[1..].iter().map(Naive::of).collect();
                prop_assert_eq!(read, naive);
            }
            Err(problem) => {
                prop_assert!(problem.to_string().len() < 2000);
                let wrong = naive.is_none() || lines.len() > limit || (lines.is_empty() && !exhausted);
                prop_assert!(wrong, "{}", problem);
                prop_assert_eq!(out.len(), 1);
                let good = reader.read_lines("{\"good\":true}", true, 1, MEMORY, &mut out);
                prop_assert_eq!(good, Ok(More::Exhausted));
                prop_assert!(out[1].values.contains_key("good"));
            }
        }
    }

    #[test]
    fn any_text_is_read_as_lines_or_refused(text in "(?s).{0,80}", limit in 1usize..4) {
        let mut out = Vec::new();
        if BatchReader::new(false).read_lines(&text, true, limit, MEMORY, &mut out).is_err() {
            prop_assert!(out.is_empty());
        }
        prop_assert!(out.len() <= limit);
    }
}

/// A line as somebody might write it: keys with escapes, blanks, values of all kinds, and now and then nonsense.
fn line() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just(" -12.5e1 ".to_owned()),
        (0u64..5000).prop_map(|number| number.to_string()),
        Just("\"text \\u00e9\\n\\\"\"".to_owned()),
        Just("\"\"".to_owned()),
        Just("[1, {\"body\": null}]".to_owned()),
        Just("{\"query\" : {\"match_all\":{}}}".to_owned()),
    ];
    let key = prop_oneof![
        4 => Just("body".to_owned()),
        1 => Just("b\\u006fdy".to_owned()),
        2 => Just("bulk-size".to_owned()),
        2 => Just("index".to_owned()),
        1 => Just("a\\\"b".to_owned()),
        1 => Just("ä".to_owned()),
    ];
    let object = vec((key, value), 0..4).prop_map(|fields| {
        let fields: Vec<String> = fields.iter().map(|(key, value)| format!("\"{key}\" :{value}")).collect();
        format!(" {{{}}}", fields.join(" , "))
    });
    prop_oneof![12 => object, 1 => Just(String::new()), 1 => "[\\[{\"a:1}\\], ]{0,6}"]
}

/// A line as serde_json reads it when nothing has to be fast.
#[derive(Debug, PartialEq)]
struct Naive {
    values: String,
    /// Its body as JSON has it.
    body: Value,
    documents: u32,
}

impl Naive {
    fn read(line: &str) -> Option<Naive> {
        let mut values: Map<String, Value> = serde_json::from_str(line).ok()?;
        let mut body = values.shift_remove("body").unwrap_or(Value::Null);
        if body == "" {
            // An empty body is none.
            body = Value::Null;
        }
        let documents = values.get("bulk-size").and_then(Value::as_u64).unwrap_or(0) as u32;
        Some(Naive { values: Value::Object(values).to_string(), body, documents })
    }

    fn of(params: &Params) -> Naive {
        let body = match params.body_kind {
            _ if params.body.is_empty() => Value::Null,
            BodyKind::Json => serde_json::from_slice(&params.body).unwrap(),
            _ => Value::from(std::str::from_utf8(&params.body).unwrap()),
        };
        let values = Value::Object((*params.values).clone()).to_string();
        Naive { values, body, documents: params.documents }
    }
}

#[test]
fn a_body_in_a_line_stays_as_it_is_written() {
    let body = "{\"n\": 123456789012345678901234567890, \"e\":1.0E5}";
    for key in ["index", "\\u0069ndex", "in\\\"dex"] {
        let (mut reader, mut out) = (BatchReader::new(false), Vec::new());
        let line = format!("{{\"{key}\":1,\"body\":{body}}}");
        assert_eq!(reader.read_lines(&line, false, 1, MEMORY, &mut out), Ok(More::Yes));
        assert_eq!(std::str::from_utf8(&out[0].body), Ok(body), "{key}");
    }
}

#[test]
fn lines_that_differ_in_their_bodies_only_share_their_parameters() {
    let (mut reader, mut out) = (BatchReader::new(false), Vec::new());
    let text =
        "{\"index\":\"a\",\"body\":{\"n\":1}}\n{\"index\":\"a\",\"body\":{\"n\":2}}\n{\"index\":\"b\"}\n";
    assert_eq!(reader.read_lines(text, false, 3, MEMORY, &mut out), Ok(More::Yes));
    assert!(Arc::ptr_eq(&out[0].values, &out[1].values));
    assert!(!Arc::ptr_eq(&out[1].values, &out[2].values));
    assert_eq!(&out[1].body[..], b"{\"n\":2}");
}

fn announcing(slot: u32, params: String) -> RawBatch {
    RawBatch {
        new_shapes: vec![(slot, params)],
        items: vec![RawItem { shape: slot, ..RawItem::default() }],
        ..RawBatch::default()
    }
}

#[test]
fn parameters_count_as_memory_while_a_slot_or_a_request_has_them() {
    let list = format!("{{\"a\":[{}0]}}", "0,".repeat(1000));
    let mut reader = BatchReader::new(false);
    let mut out = Vec::new();
    reader.read(announcing(0, list.clone()), 1, MEMORY, &mut out).unwrap();
    let one = reader.memory();
    assert!(one > 20 * list.len(), "{one}");
    reader.read(announcing(0, list.clone()), 1, MEMORY, &mut out).unwrap();
    assert_eq!(reader.memory(), 2 * one, "the first is in no slot, but part of a request");
    out.clear();
    reader.read(announcing(0, "{}".to_owned()), 1, MEMORY, &mut out).unwrap();
    reader.read(announcing(0, "{}".to_owned()), 1, MEMORY, &mut out).unwrap();
    assert!(reader.memory() < one);
}

#[test]
fn parameters_without_room_are_refused_and_nothing_is_used() {
    let list = format!("{{\"a\":[{}0]}}", "0,".repeat(1000));
    let mut reader = BatchReader::new(false);
    let mut out = Vec::new();
    assert_eq!(reader.read(announcing(0, list.clone()), 1, 10_000, &mut out), Err(BatchError::Memory));
    assert_eq!(reader.read_lines(&list, false, 1, 10_000, &mut out), Err(BatchError::Memory));
    assert!(out.is_empty());
    assert_eq!(reader.memory(), 0);
    assert_eq!(reader.read(announcing(0, list), 1, MEMORY, &mut out), Ok(More::Yes));
}

#[test]
fn a_line_of_very_many_fields_is_refused() {
    let fields: Vec<String> = (0..=lines::MOST_FIELDS).map(|number| format!("\"{number}\":0")).collect();
    let line = format!("{{{}}}", fields.join(","));
    let read = BatchReader::new(false).read_lines(&line, false, 1, 1 << 30, &mut Vec::new());
    assert!(matches!(read, Err(BatchError::Nonsense(problem)) if problem.contains("fields")));
}
