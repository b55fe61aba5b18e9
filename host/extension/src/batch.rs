//! Turns what a source returned into requests. Nothing of it is believed: positions, ends and slots come from the guest.

use std::sync::Arc;

use bytes::Bytes;
use rally_race::{BodyKind, More, Params};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// Number of slots for shapes.
pub const SLOTS: u32 = 256;

/// Requests as a source gave them, before anything of it was looked at.
#[derive(Debug, Clone, Default)]
pub struct RawBatch {
    /// Slots with the JSON objects to put into them.
    pub new_shapes: Vec<(u32, String)>,
    /// The requests.
    pub items: Vec<RawItem>,
    /// Bodies, one after the other.
    pub arena: Vec<u8>,
    /// Bodies that the host has, by position.
    pub bodies: Vec<(u32, BodyKind, Bytes)>,
    /// Nothing more will come.
    pub exhausted: bool,
}

/// One request as a source gave it.
#[derive(Debug, Clone, Copy, Default)]
pub struct RawItem {
    /// Slot of its parameters.
    pub shape: u32,
    /// End of its body in the arena.
    pub arena_end: u32,
    /// What that body is.
    pub body_kind: BodyKind,
    /// Documents in it.
    pub documents: u32,
    /// Number of an object that the guest keeps, or 0.
    pub held: u32,
}

/// Reads the batches of one source, in order.
#[derive(Debug, Default)]
pub struct BatchReader {
    slots: Vec<Option<Arc<Map<String, Value>>>>,
    exhausted: bool,
    /// Whether guest and runner share an instance, so that objects may stay with the guest.
    may_hold: bool,
    /// The parameters of the line before without its body, as text, and what they are.
    last_line: Option<(String, Arc<Map<String, Value>>)>,
}

impl BatchReader {
    /// A reader that has seen nothing. `may_hold`: source and runner share an instance.
    pub fn new(may_hold: bool) -> BatchReader {
        BatchReader { may_hold, ..BatchReader::default() }
    }

    /// Appends the requests of a batch that was to have at most `limit`.
    ///
    /// # Errors
    /// What is wrong with the batch; then nothing of it is used.
    pub fn read(&mut self, batch: RawBatch, limit: usize, out: &mut Vec<Params>) -> Result<More, String> {
        if self.exhausted && !(batch.items.is_empty() && batch.exhausted) {
            return Err("more requests after it had said that it is exhausted".to_owned());
        }
        if batch.items.len() > limit {
            return Err(format!("{} requests when asked for at most {limit}", batch.items.len()));
        }
        if batch.items.is_empty() && !batch.exhausted {
            return Err("no request, but did not say that it is exhausted".to_owned());
        }
        let mut shapes = Vec::with_capacity(batch.new_shapes.len());
        for (slot, text) in batch.new_shapes {
            if slot >= SLOTS {
                return Err(format!(
                    "a shape for slot {slot}, but there are {SLOTS} slots (0 to {})",
                    SLOTS - 1
                ));
            }
            let values: Map<String, Value> = serde_json::from_str(&text).map_err(|problem| {
                format!("parameters that are not a JSON object ({problem}): {}", excerpt(&text))
            })?;
            shapes.push((slot as usize, Arc::new(values)));
        }
        // What a batch that is wrong has put into the slots is taken out again.
        let slots_before = (!shapes.is_empty()).then(|| self.slots.clone());
        for (slot, values) in shapes {
            if self.slots.len() <= slot {
                self.slots.resize(slot + 1, None);
            }
            self.slots[slot] = Some(values);
        }
        let arena = Bytes::from(batch.arena);
        let mut bodies = batch.bodies.into_iter().peekable();
        let mut begin = 0;
        let before = out.len();
        let mut read = || {
            for (position, item) in batch.items.iter().enumerate() {
                let end = item.arena_end as usize;
                if end < begin || end > arena.len() {
                    return Err(format!(
                        "a body of request {position} from {begin} to {end}, but its arena has {} bytes",
                        arena.len()
                    ));
                }
                let values =
                    self.slots.get(item.shape as usize).and_then(Option::as_ref).ok_or_else(|| {
                        format!(
                            "request {position} with the parameters of slot {}, which is empty",
                            item.shape
                        )
                    })?;
                let mut params = Params { documents: item.documents, ..Params::of(Arc::clone(values)) };
                if end > begin {
                    params.body = arena.slice(begin..end);
                    params.body_kind = item.body_kind;
                }
                begin = end;
                if let Some((_, kind, body)) = bodies.next_if(|(at, ..)| *at as usize == position) {
                    if !params.body.is_empty() {
                        return Err(format!("two bodies for request {position}"));
                    }
                    (params.body, params.body_kind) = (body, kind);
                }
                params.held = std::num::NonZeroU32::new(item.held);
                if params.held.is_some() && !self.may_hold {
                    return Err(format!(
                        "request {position} by reference, but its source and its runner do not share an instance"
                    ));
                }
                out.push(params);
            }
            if let Some((at, ..)) = bodies.next() {
                return Err(format!("a body for request {at}, out of order or out of range"));
            }
            if begin != arena.len() {
                return Err(format!("{} bytes of bodies that belong to no request", arena.len() - begin));
            }
            Ok(())
        };
        if let Err(problem) = read() {
            out.truncate(before);
            if let Some(slots) = slots_before {
                self.slots = slots;
            }
            return Err(problem);
        }
        self.exhausted = batch.exhausted;
        Ok(if batch.exhausted { More::Exhausted } else { More::Yes })
    }

    /// The same for requests as lines of JSON.
    ///
    /// # Errors
    /// What is wrong with the lines; then none of them is used.
    pub fn read_lines(
        &mut self,
        text: &str,
        exhausted: bool,
        limit: usize,
        out: &mut Vec<Params>,
    ) -> Result<More, String> {
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim_ascii().is_empty()).collect();
        if self.exhausted && !(lines.is_empty() && exhausted) {
            return Err("more requests after it had said that it is exhausted".to_owned());
        }
        if lines.len() > limit {
            return Err(format!("{} requests when asked for at most {limit}", lines.len()));
        }
        if lines.is_empty() && !exhausted {
            return Err("no request, but did not say that it is exhausted".to_owned());
        }
        let before = out.len();
        for line in lines {
            match self.line(line) {
                Ok(params) => out.push(params),
                Err(problem) => {
                    out.truncate(before);
                    return Err(problem);
                }
            }
        }
        self.exhausted = exhausted;
        Ok(if exhausted { More::Exhausted } else { More::Yes })
    }

    fn line(&mut self, line: &str) -> Result<Params, String> {
        let wrong = |problem: serde_json::Error| {
            format!("a line that is not a JSON object ({problem}): {}", excerpt(line))
        };
        let fields: indexmap::IndexMap<&str, &RawValue> = match serde_json::from_str(line) {
            Ok(fields) => fields,
            // Keys with escapes cannot be borrowed.
            Err(_) => return self.escaped_line(line, wrong),
        };
        let (mut body, mut body_kind) = (Bytes::new(), BodyKind::default());
        let mut rest = String::with_capacity(64);
        for (name, value) in &fields {
            if *name == "body" {
                (body, body_kind) = line_body(value.get()).map_err(wrong)?;
                continue;
            }
            rest.push_str(if rest.is_empty() { "{\"" } else { ",\"" });
            rest.push_str(name);
            rest.push_str("\":");
            rest.push_str(value.get());
        }
        rest.push_str(if rest.is_empty() { "{}" } else { "}" });
        let values = match &self.last_line {
            Some((text, values)) if *text == rest => Arc::clone(values),
            _ => {
                let values: Arc<Map<String, Value>> = Arc::new(serde_json::from_str(&rest).map_err(wrong)?);
                self.last_line = Some((rest, Arc::clone(&values)));
                values
            }
        };
        Ok(with_body(values, body, body_kind))
    }

    fn escaped_line(
        &mut self,
        line: &str,
        wrong: impl Fn(serde_json::Error) -> String,
    ) -> Result<Params, String> {
        let fields: indexmap::IndexMap<String, &RawValue> = serde_json::from_str(line).map_err(&wrong)?;
        let (mut body, mut kind) = (Bytes::new(), BodyKind::default());
        let mut values = Map::new();
        for (name, value) in fields {
            if name == "body" {
                (body, kind) = line_body(value.get()).map_err(&wrong)?;
            } else {
                values.insert(name, serde_json::from_str(value.get()).map_err(&wrong)?);
            }
        }
        Ok(with_body(Arc::new(values), body, kind))
    }
}

fn with_body(values: Arc<Map<String, Value>>, body: Bytes, body_kind: BodyKind) -> Params {
    let documents = values.get("bulk-size").and_then(Value::as_u64).unwrap_or(0);
    let documents = u32::try_from(documents).unwrap_or(u32::MAX);
    Params { body, body_kind, documents, ..Params::of(values) }
}

/// A body as JSON has it: text stands for itself, `null` for none.
fn line_body(raw: &str) -> Result<(Bytes, BodyKind), serde_json::Error> {
    match raw.as_bytes().first() {
        Some(b'"') => {
            let text: String = serde_json::from_str(raw)?;
            Ok((Bytes::from(text), BodyKind::Text))
        }
        Some(b'n') => Ok((Bytes::new(), BodyKind::default())),
        _ => Ok((Bytes::copy_from_slice(raw.as_bytes()), BodyKind::Json)),
    }
}

fn excerpt(text: &str) -> String {
    match text.char_indices().nth(120) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

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
                match reader.read(batch, limit, &mut out) {
                    Err(problem) => {
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
            match reader.read(good(), limit, &mut out) {
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
            match reader.read_lines(&text, exhausted, limit, &mut out) {
                Ok(more) => {
                    prop_assert_eq!(more == More::Exhausted, exhausted);
                    let naive = naive.expect("lines that a plain reader reads as well");
                    prop_assert!(naive.len() <= limit && (exhausted || !naive.is_empty()));
                    let read: Vec<Naive> = out[1..].iter().map(Naive::of).collect();
                    prop_assert_eq!(read, naive);
                }
                Err(problem) => {
                    prop_assert!(!problem.is_empty() && problem.len() < 2000);
                    let wrong = naive.is_none() || lines.len() > limit || (lines.is_empty() && !exhausted);
                    prop_assert!(wrong, "{}", problem);
                    prop_assert_eq!(out.len(), 1);
                    let good = reader.read_lines("{\"good\":true}", true, 1, &mut out);
                    prop_assert_eq!(good, Ok(More::Exhausted));
                    prop_assert!(out[1].values.contains_key("good"));
                }
            }
        }

        #[test]
        fn any_text_is_read_as_lines_or_refused(text in "(?s).{0,80}", limit in 1usize..4) {
            let mut out = Vec::new();
            if BatchReader::new(false).read_lines(&text, true, limit, &mut out).is_err() {
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
            let fields: Vec<String> =
                fields.iter().map(|(key, value)| format!("\"{key}\" :{value}")).collect();
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
            assert_eq!(reader.read_lines(&line, false, 1, &mut out), Ok(More::Yes));
            assert_eq!(std::str::from_utf8(&out[0].body), Ok(body), "{key}");
        }
    }

    #[test]
    fn lines_that_differ_in_their_bodies_only_share_their_parameters() {
        let (mut reader, mut out) = (BatchReader::new(false), Vec::new());
        let text =
            "{\"index\":\"a\",\"body\":{\"n\":1}}\n{\"index\":\"a\",\"body\":{\"n\":2}}\n{\"index\":\"b\"}\n";
        assert_eq!(reader.read_lines(text, false, 3, &mut out), Ok(More::Yes));
        assert!(Arc::ptr_eq(&out[0].values, &out[1].values));
        assert!(!Arc::ptr_eq(&out[1].values, &out[2].values));
        assert_eq!(&out[1].body[..], b"{\"n\":2}");
    }
}
