//! Parameters beside the body are the same in most requests. They cross to rally once, as a shape in a slot; each request then
//! names the slot.

use serde_json::{Map, Value};

use crate::bindings::sources::exports::rally::track::param_sources::Shape;
use crate::parameter::{Parameter, equal};

/// Slots that rally keeps for a source, as the interface says.
const SLOTS: usize = 256;

/// The shapes that rally knows, and the one that is being set.
pub(super) struct Shapes {
    slots: Vec<Slot>,
    /// Slot of the request before: the next one is compared with it while it is set.
    current: usize,
    /// How many entries of `current` the request has set so far, all equal, or `text` has what it has set.
    matched: Option<usize>,
    /// JSON text of what was set, without the brace at the end, where the request differs from the one before.
    text: Vec<u8>,
    /// Number of parameters in `text`.
    count: usize,
    /// Where to look for the next slot to use again.
    hand: usize,
    /// Number of the batch: slots that were used in it must stay until it has gone.
    batch: u64,
    used_in_batch: usize,
    announced: Vec<Shape>,
}

struct Slot {
    hash: u64,
    text: String,
    /// Empty where the text names a parameter twice: then requests are compared by their text only.
    entries: Vec<Entry>,
    /// Whether `entries` says all.
    comparable: bool,
    used_in: u64,
}

struct Entry {
    name: Box<str>,
    value: Value,
    /// Where the entry ends in the slot's text.
    end: usize,
}

impl Shapes {
    pub(super) fn new() -> Shapes {
        Shapes {
            slots: Vec::new(),
            current: 0,
            matched: None,
            text: Vec::new(),
            count: 0,
            hand: 0,
            batch: 0,
            used_in_batch: 0,
            announced: Vec::new(),
        }
    }

    pub(super) fn begin_batch(&mut self) {
        self.batch += 1;
        self.used_in_batch = 0;
    }

    /// Whether the batch has to end: one more shape would overwrite one that an earlier request of the batch names.
    pub(super) fn batch_is_full(&self) -> bool {
        self.used_in_batch >= SLOTS
    }

    /// What the batch announces.
    pub(super) fn take_announced(&mut self) -> Vec<Shape> {
        std::mem::take(&mut self.announced)
    }

    /// Begins a request. `compare`: whether it becomes a shape at all.
    pub(super) fn begin_request(&mut self, compare: bool) {
        let comparable = compare && self.slots.get(self.current).is_some_and(|slot| slot.comparable);
        self.matched = comparable.then_some(0);
        self.text.clear();
        self.count = 0;
    }

    pub(super) fn set(&mut self, name: &str, parameter: &(impl Parameter + ?Sized)) {
        if let Some(matched) = self.matched {
            let entry = self.slots[self.current].entries.get(matched);
            if entry.is_some_and(|entry| equal(&entry.name, name) && parameter.equals(&entry.value)) {
                self.matched = Some(matched + 1);
                return;
            }
            self.differs(matched);
        }
        self.text.push(if self.text.is_empty() { b'{' } else { b',' });
        name.write(&mut self.text);
        self.text.push(b':');
        parameter.write(&mut self.text);
        self.count += 1;
    }

    /// Leaves the comparison: what was equal so far becomes text.
    fn differs(&mut self, matched: usize) {
        let slot = &self.slots[self.current];
        let end = if matched == 0 { 0 } else { slot.entries[matched - 1].end };
        self.text.extend_from_slice(&slot.text.as_bytes()[..end]);
        self.count = matched;
        self.matched = None;
    }

    /// Ends the text of a request that does not become a shape: the parameters as JSON, without the brace at the end.
    pub(super) fn text(&mut self) -> &[u8] {
        if self.text.is_empty() {
            self.text.push(b'{');
        }
        &self.text
    }

    /// The slot of the request that was set, announced if rally does not know it.
    pub(super) fn finish(&mut self) -> u32 {
        if let Some(matched) = self.matched {
            if matched == self.slots[self.current].entries.len() {
                return self.using(self.current);
            }
            self.differs(matched);
        }
        if self.text.is_empty() {
            self.text.push(b'{');
        }
        self.text.push(b'}');
        let hash = hash(&self.text);
        let known = self.slots.iter().position(|slot| slot.hash == hash && slot.text.as_bytes() == self.text);
        let slot = known.unwrap_or_else(|| self.announce(hash));
        self.using(slot)
    }

    fn using(&mut self, slot: usize) -> u32 {
        self.current = slot;
        let used_in = &mut self.slots[slot].used_in;
        if *used_in != self.batch {
            *used_in = self.batch;
            self.used_in_batch += 1;
        }
        slot as u32
    }

    fn announce(&mut self, hash: u64) -> usize {
        let text = String::from_utf8_lossy(&self.text).into_owned();
        let entries = entries(&text, self.count);
        let comparable = entries.len() == self.count;
        let slot = Slot { hash, text: text.clone(), entries, comparable, used_in: 0 };
        let place = if self.slots.len() < SLOTS {
            self.slots.push(slot);
            self.slots.len() - 1
        } else {
            // `batch_is_full` was asked before the request: one of the slots is not in use.
            while self.slots[self.hand].used_in == self.batch {
                self.hand = (self.hand + 1) % SLOTS;
            }
            let place = self.hand;
            self.slots[place] = slot;
            self.hand = (self.hand + 1) % SLOTS;
            place
        };
        self.announced.push(Shape { slot: place as u32, params: text });
        place
    }
}

/// The parameters of a text with where each ends; none where a name stands twice, or a number is not written as it is read.
fn entries(text: &str, count: usize) -> Vec<Entry> {
    let Ok(map) = serde_json::from_str::<Map<String, Value>>(text) else { return Vec::new() };
    if map.len() != count {
        return Vec::new();
    }
    let mut written = vec![b'{'];
    let mut entries = Vec::with_capacity(count);
    for (name, value) in map {
        if !entries.is_empty() {
            written.push(b',');
        }
        name.as_str().write(&mut written);
        written.push(b':');
        value.write(&mut written);
        entries.push(Entry { name: name.into_boxed_str(), value, end: written.len() });
    }
    written.push(b'}');
    if written == text.as_bytes() { entries } else { Vec::new() }
}

/// FNV-1a: shapes are short and few.
fn hash(text: &[u8]) -> u64 {
    text.iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn request(shapes: &mut Shapes, params: &[(&str, Value)]) -> u32 {
        shapes.begin_request(true);
        for (name, value) in params {
            shapes.set(name, value);
        }
        shapes.finish()
    }

    fn announced(shapes: &mut Shapes) -> Vec<(u32, String)> {
        shapes.take_announced().into_iter().map(|shape| (shape.slot, shape.params)).collect()
    }

    #[test]
    fn equal_parameters_are_announced_once() {
        let mut shapes = Shapes::new();
        shapes.begin_batch();
        for _ in 0..3 {
            assert_eq!(request(&mut shapes, &[("index", json!("a")), ("cache", json!(false))]), 0);
        }
        assert_eq!(announced(&mut shapes), [(0, r#"{"index":"a","cache":false}"#.to_owned())]);
    }

    #[test]
    fn a_shape_that_returns_is_found_again() {
        let mut shapes = Shapes::new();
        shapes.begin_batch();
        let indices = ["a", "b", "a", "c", "b"];
        let slots: Vec<u32> = indices
            .iter()
            .map(|index| request(&mut shapes, &[("size", json!(1.5)), ("index", json!(index))]))
            .collect();
        assert_eq!(slots, [0, 1, 0, 2, 1]);
        assert_eq!(announced(&mut shapes)[2].1, r#"{"size":1.5,"index":"c"}"#);
    }

    #[test]
    fn a_request_with_fewer_or_more_parameters_is_another_shape() {
        let mut shapes = Shapes::new();
        shapes.begin_batch();
        request(&mut shapes, &[("a", json!(1)), ("b", json!(2))]);
        request(&mut shapes, &[("a", json!(1))]);
        request(&mut shapes, &[]);
        request(&mut shapes, &[("a", json!(1)), ("b", json!(2)), ("c", json!(3))]);
        let texts: Vec<String> = announced(&mut shapes).into_iter().map(|(_, text)| text).collect();
        assert_eq!(texts, [r#"{"a":1,"b":2}"#, r#"{"a":1}"#, "{}", r#"{"a":1,"b":2,"c":3}"#]);
    }

    #[test]
    fn a_parameter_that_is_set_twice_is_no_trap() {
        let mut shapes = Shapes::new();
        shapes.begin_batch();
        let twice = [("a", json!(1)), ("a", json!(2))];
        assert_eq!(request(&mut shapes, &twice), 0);
        assert_eq!(request(&mut shapes, &twice), 0);
        assert_eq!(request(&mut shapes, &[]), 1);
        assert_eq!(announced(&mut shapes).len(), 2);
    }

    #[test]
    fn more_shapes_than_slots_never_touch_a_slot_that_the_batch_uses() {
        let mut shapes = Shapes::new();
        let mut known: Vec<Option<String>> = vec![None; SLOTS];
        for batch in 0..5_u32 {
            shapes.begin_batch();
            let mut wanted = Vec::new();
            let mut number = 0;
            while !shapes.batch_is_full() {
                let value = json!(batch * 1000 + number);
                let slot = request(&mut shapes, &[("number", value.clone())]);
                wanted.push((slot as usize, format!("{{\"number\":{value}}}")));
                number += 1;
            }
            assert_eq!(number, SLOTS as u32);
            for shape in shapes.take_announced() {
                known[shape.slot as usize] = Some(shape.params);
            }
            for (slot, text) in wanted {
                assert_eq!(known[slot].as_deref(), Some(text.as_str()));
            }
        }
    }

    #[test]
    fn a_request_that_is_no_shape_is_only_text() {
        let mut shapes = Shapes::new();
        shapes.begin_request(false);
        assert_eq!(shapes.text(), b"{");
        shapes.begin_request(false);
        shapes.set("a", &1_u64);
        shapes.set("b", "x");
        assert_eq!(shapes.text(), br#"{"a":1,"b":"x""#);
    }
}
