//! Over any number of clients every document is sent exactly once, and the same seed sends the same bytes.

use std::collections::BTreeMap;

use crate::support::{document_set, object};
use proptest::prelude::*;
use rally_operations::bulk::BulkSourceFactory;
use rally_race::{More, ParamSourceFactory as _, Params, Partition};
use rally_track::Operation;
use serde_json::{Map, Value, json};

fn operation(params: Value) -> Operation {
    Operation {
        name: "bulk".to_owned(),
        operation_type: "index".to_owned(),
        param_source: None,
        meta: Map::new(),
        params: object(params),
    }
}

fn bulks(factory: &BulkSourceFactory, partition: Partition, limit: usize) -> Vec<Params> {
    let mut source = factory.open(partition).unwrap();
    let mut all = Vec::new();
    let size = source.size().unwrap();
    if size > 0 {
        while source.next(limit, &mut all).unwrap() == More::Yes {}
    }
    assert_eq!(all.len() as u64, size);
    all
}

/// A file of numbered documents of different lengths, pairs or not, with or without a newline at its end.
fn write(path: &std::path::Path, file: usize, documents: u64, pairs: bool, newline: bool) {
    let mut text = String::new();
    for number in 0..documents {
        if pairs {
            text.push_str(&format!("{{\"index\":{{\"_id\":\"{file}-{number}\"}}}}\n"));
        }
        let padding = "x".repeat((number * 7 % 23) as usize);
        text.push_str(&format!("{{\"file\":{file},\"n\":{number},\"p\":\"{padding}\"}}\n"));
    }
    if !newline {
        text.pop();
    }
    std::fs::write(path, text).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn every_document_is_sent_exactly_once(
        clients in 1u32..=17,
        files in proptest::collection::vec((0u64..200, any::<bool>(), any::<bool>()), 1..4),
        bulk_size in 1u32..40,
        limit in 1usize..5,
        typed in any::<bool>(),
    ) {
        let directory = tempfile::tempdir().unwrap();
        let mut sets = Vec::new();
        let mut expected = 0;
        for (number, (documents, pairs, newline)) in files.iter().enumerate() {
            let path = directory.path().join(format!("{number}.json"));
            write(&path, number, *documents, *pairs, *newline);
            sets.push(document_set(&path, &format!("i{number}"), "t", *documents, *pairs));
            expected += documents;
        }
        let factory = BulkSourceFactory::new(&operation(json!({"bulk-size": bulk_size})), &sets, typed).unwrap();
        let mut seen: BTreeMap<(u64, u64), u32> = BTreeMap::new();
        for index in 0..clients {
            let mut last = None;
            for bulk in bulks(&factory, Partition { index, total: clients, seed: 1 }, limit) {
                prop_assert!(bulk.documents > 0 && bulk.documents <= bulk_size);
                prop_assert_eq!(bulk.body.last(), Some(&b'\n'));
                let lines: Vec<Value> =
                    bulk.body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(|line| serde_json::from_slice(line).unwrap()).collect();
                prop_assert_eq!(lines.len(), bulk.documents as usize * 2);
                for pair in lines.chunks(2) {
                    let key = (pair[1]["file"].as_u64().unwrap(), pair[1]["n"].as_u64().unwrap());
                    prop_assert!(pair[0]["index"].is_object());
                    if let Some(id) = pair[0]["index"]["_id"].as_str() {
                        prop_assert_eq!(id, format!("{}-{}", key.0, key.1));
                    }
                    prop_assert!(last < Some(key), "documents come in the order of the files");
                    last = Some(key);
                    *seen.entry(key).or_default() += 1;
                }
            }
        }
        prop_assert_eq!(seen.len() as u64, expected);
        prop_assert!(seen.values().all(|times| *times == 1));
    }

    #[test]
    fn the_same_seed_sends_the_same_bytes(seed in any::<u64>(), clients in 1u32..5, random in any::<bool>(), limits in (1usize..9, 1usize..9)) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("d.json");
        write(&path, 0, 300, false, true);
        let sets = [document_set(&path, "i", "t", 300, false)];
        let conflicts = if random { "random" } else { "sequential" };
        let factory =
            BulkSourceFactory::new(&operation(json!({"bulk-size": 7, "conflicts": conflicts})), &sets, true).unwrap();
        for index in 0..clients {
            let bodies = |seed, limit| -> Vec<_> {
                bulks(&factory, Partition { index, total: clients, seed }, limit).into_iter().map(|bulk| bulk.body).collect()
            };
            // However many are asked for at once.
            prop_assert_eq!(bodies(seed, limits.0), bodies(seed, limits.1));
            prop_assert_ne!(bodies(seed, 1), bodies(seed ^ 1, 1));
        }
    }
}

#[test]
fn bodies_that_stand_in_the_file_are_not_copied() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("d.json");
    write(&path, 0, 10, true, true);
    let set = document_set(&path, "i", "t", 10, true);
    let mapped = set.bytes().unwrap();
    let factory = BulkSourceFactory::new(&operation(json!({"bulk-size": 4})), &[set], true).unwrap();
    for bulk in bulks(&factory, Partition { index: 0, total: 1, seed: 1 }, 1) {
        assert!(mapped.as_ptr_range().contains(&bulk.body.as_ptr()));
    }
}

#[test]
fn lines_that_are_no_documents_are_named_with_file_and_line() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("d.json");
    let problem = |text: &str, pairs: bool| {
        std::fs::write(&path, text).unwrap();
        let lines = text.lines().count() as u64;
        let set = document_set(&path, "i", "t", if pairs { lines / 2 } else { lines }, pairs);
        let factory = BulkSourceFactory::new(&operation(json!({"bulk-size": 10})), &[set], true).unwrap();
        let mut source = factory.open(Partition { index: 0, total: 1, seed: 1 }).unwrap();
        source.next(10, &mut Vec::new()).unwrap_err().to_string().replace(path.to_str().unwrap(), "d.json")
    };
    assert!(problem("{}\n\n{}\n", false).starts_with("d.json:2: this line is empty"));
    assert!(problem("{}\n[1]\n", false).starts_with("d.json:2: this is not a document"));
    assert!(
        problem("{\"index\":{}}\n{}\n{\"a\":1}\n{}\n", true)
            .starts_with("d.json:3: this is not a line with action")
    );
    assert!(problem("{}\n{\"index\":{}}\n", true).starts_with("d.json:1: "));
    assert!(problem("{\"delete\":{}}\n{}\n", true).starts_with("d.json:1: 'delete' has no document"));
}
