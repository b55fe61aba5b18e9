//! Whatever a file holds, reading it ends with facts or an error.

use std::sync::LazyLock;

use crate::support::{component, module, source};
use proptest::prelude::*;
use rally_component::{Bounds, InspectError, encode, inspect};

static COMPONENTS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let full = ["extension", "param-sources", "runners", "schedulers", "processors", "validators"];
    vec![source(), component(&module("0.1.0", &["client", "data", "corpora", "clock", "log"], &full))]
});

/// A change of a file: bytes written over, taken out, put in, or repeated.
#[derive(Debug, Clone)]
enum Change {
    Write(usize, u8),
    Remove(usize, usize),
    Insert(usize, Vec<u8>),
    Repeat(usize, usize),
    Cut(usize),
}

fn change() -> impl Strategy<Value = Change> {
    let place = any::<prop::sample::Index>().prop_map(|index| index.index(1 << 20));
    prop_oneof![
        6 => (place.clone(), any::<u8>()).prop_map(|(at, byte)| Change::Write(at, byte)),
        1 => (place.clone(), 1_usize..64).prop_map(|(at, size)| Change::Remove(at, size)),
        1 => (place.clone(), prop::collection::vec(any::<u8>(), 1..16)).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        1 => (place.clone(), 1_usize..64).prop_map(|(at, size)| Change::Repeat(at, size)),
        1 => place.prop_map(Change::Cut),
    ]
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    if bytes.is_empty() {
        return;
    }
    let place = |at: &usize| at % bytes.len();
    match change {
        Change::Write(at, byte) => {
            let at = place(at);
            bytes[at] = *byte;
        }
        Change::Remove(at, size) => {
            let at = place(at);
            let end = (at + size).min(bytes.len());
            bytes.drain(at..end);
        }
        Change::Insert(at, more) => {
            let at = place(at);
            bytes.splice(at..at, more.iter().copied());
        }
        Change::Repeat(at, size) => {
            let at = place(at);
            let end = (at + size).min(bytes.len());
            let more = bytes[at..end].to_vec();
            bytes.splice(at..at, more);
        }
        Change::Cut(at) => {
            let at = place(at);
            bytes.truncate(at);
        }
    }
}

proptest! {

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        prop_assert!(inspect(&bytes, &Bounds::default()).is_err());
        prop_assert!(encode(&bytes).is_err());
    }

    #[test]
    fn arbitrary_content_of_a_component_never_panics(content in prop::collection::vec(any::<u8>(), 0..512)) {
        let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
        bytes.extend(content);
        prop_assert!(inspect(&bytes, &Bounds::default()).is_err());
    }

    #[test]
    fn changed_components_never_panic(
        which in 0_usize..2,
        changes in prop::collection::vec(change(), 1..6),
    ) {
        let mut bytes = COMPONENTS[which].clone();
        changes.iter().for_each(|change| apply(&mut bytes, change));
        match inspect(&bytes, &Bounds::default()) {
            Ok(facts) => prop_assert_eq!(facts.size, bytes.len() as u64),
            Err(error) => {
                let text = error.to_string();
                prop_assert!(!text.chars().any(char::is_control), "{:?}", text);
                if let InspectError::Truncated { size, .. } = error {
                    prop_assert_eq!(size, bytes.len() as u64);
                }
            }
        }
    }
}
