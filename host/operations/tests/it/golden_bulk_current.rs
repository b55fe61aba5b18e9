//! Bulk bodies of the current dialect as Elastic Rally makes them. Where this program differs on purpose, the case is named
//! here together with the reason.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use crate::support::{byte_range, object};
use proptest::prelude::*;
use rally_operations::bulk::{
    BulkSourceFactory, Chances, ConflictRules, Conflicts, Draws, IdRules, IdSource, Permutation,
};
use rally_operations::{DocumentSet, documents_read};
use rally_race::{More, ParamSourceFactory as _, Params, Partition};
use rally_track::{Challenge, Corpus, Dialect, Documents, Element, Index, Meta, Operation, Task, Track};
use serde_json::{Map, Value, json};

fn golden(name: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    file["cases"].as_array().unwrap().clone()
}

fn operation(params: Value) -> Operation {
    Operation {
        name: "bulk".to_owned(),
        operation_type: "bulk".to_owned(),
        param_source: None,
        meta: Map::new(),
        params: object(params),
    }
}

fn corpus(name: &str, documents: Vec<Documents>) -> Corpus {
    Corpus { name: name.to_owned(), meta: Meta::new(), documents }
}

fn track(corpora: Vec<Corpus>) -> Track {
    Track { corpora, ..Track::new("unittest", Dialect::Current, "") }
}

/// The files of a track that lie in a directory.
fn sets(track: &Track, directory: &Path) -> Vec<Arc<DocumentSet>> {
    let set = |(corpus, documents): (&Corpus, &Documents)| {
        let path = directory.join(&documents.file_name);
        let range = byte_range(&std::fs::read(&path).unwrap());
        Arc::new(DocumentSet::of_track(corpus, documents, path, documents.document_count, range))
    };
    track.document_sets().map(set).collect()
}

fn into_index(name: &str, documents: Documents) -> Documents {
    Documents { target_index: Some(name.to_owned()), ..documents }
}

/// A track with one file of empty documents, which go to index `idx`.
fn one_file(directory: &Path, documents: u64) -> Track {
    std::fs::write(directory.join("documents.json"), "{}\n".repeat(documents as usize)).unwrap();
    track(vec![corpus("c", vec![into_index("idx", Documents::new("documents.json", documents))])])
}

fn factory(track: &Track, params: Value, clients: u32, directory: &Path) -> BulkSourceFactory {
    BulkSourceFactory::of_track(track, &operation(params), clients, &sets(track, directory), true).unwrap()
}

fn drain(source: &mut dyn rally_race::ParamSource) -> Vec<Params> {
    let mut all = Vec::new();
    while source.next(3, &mut all).unwrap() == More::Yes {}
    all
}

fn client(index: u32, total: u32) -> Partition {
    Partition { index, total, seed: 1 }
}

fn lines(bulks: &[Params]) -> Vec<String> {
    let bodies = bulks.iter().map(|bulk| String::from_utf8(bulk.body.to_vec()).unwrap());
    bodies.flat_map(|body| body.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}

fn refused(track: &Track, params: Value, directory: &Path) -> String {
    let sets = sets(track, directory);
    BulkSourceFactory::of_track(track, &operation(params), 1, &sets, true).err().unwrap().to_string()
}

#[test]
fn bulks_are_those_of_current_rally() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    for case in golden("bulk_bodies.json") {
        let (id, input) = (&case["id"], &case["input"]);
        let target = |name: &str| input["target"][name].as_str().map(str::to_owned);
        let documents = Documents {
            includes_action_and_meta_data: input["includes_action_and_meta_data"] == json!(true),
            target_index: target("index"),
            target_data_stream: target("data-stream"),
            ..Documents::new(input["file"].as_str().unwrap(), input["document_count"].as_u64().unwrap())
        };
        let track = track(vec![corpus("c", vec![documents])]);
        let clients = input["total_partitions"].as_u64().unwrap() as u32;
        let factory = factory(&track, input["operation"].clone(), clients, &directory);
        for index in 0..clients {
            let mut source = factory.open(client(index, clients)).unwrap();
            let expected = &case["expected"][index as usize];
            assert_eq!(json!(source.size()), expected["total_bulks"], "{id}");
            let found = drain(&mut *source);
            let expected = expected["bulks"].as_array().unwrap();
            assert_eq!(found.len(), expected.len(), "{id}");
            for (bulk, expected) in found.iter().zip(expected) {
                let mut expected = object(expected.clone());
                expected.remove("percent_completed_after");
                let body = expected.remove("body").unwrap().as_str().unwrap().to_owned();
                // On purpose: a file without a newline at its end makes a whole bulk as well; targets refuse others.
                let newline = if body.ends_with('\n') { "" } else { "\n" };
                assert_eq!(String::from_utf8(bulk.body.to_vec()).unwrap(), body + newline, "{id}");
                assert_eq!(Some(json!(bulk.documents)), expected.remove("bulk-size"), "{id}");
                // The map is shared by all bulks of a file, so the number of documents comes beside it.
                let mut values = (*bulk.values).clone();
                values.remove("bulk-size");
                assert_eq!(Value::Object(values), Value::Object(expected), "{id}");
            }
        }
    }
}

/// Random numbers recorded from Rally, and the calls that were made for them.
struct Recorded {
    random: Vec<f64>,
    integers: Vec<u64>,
    exponential: Vec<f64>,
    taken: [usize; 3],
    calls: Arc<Mutex<Vec<Value>>>,
}

impl Recorded {
    fn take(&mut self, list: usize) -> usize {
        self.taken[list] += 1;
        self.taken[list] - 1
    }
}

impl Chances for Recorded {
    fn uniform(&mut self) -> f64 {
        let at = self.take(0);
        let number = self.random[at];
        self.calls.lock().unwrap().push(json!(["random", number]));
        number
    }

    fn below(&mut self, bound: u64) -> u64 {
        let at = self.take(1);
        let number = self.integers[at] % bound;
        self.calls.lock().unwrap().push(json!(["randint", 0, bound - 1, number]));
        number
    }

    fn exponential(&mut self, rate: f64) -> f64 {
        let at = self.take(2);
        let number = self.exponential[at];
        self.calls.lock().unwrap().push(json!(["expovariate", rate, number]));
        number
    }
}

/// The action lines of documents whose ids come from elsewhere.
fn action_lines(params: Value, documents: u64, ids: impl FnOnce(IdRules) -> IdSource) -> Vec<String> {
    let directory = tempfile::tempdir().unwrap();
    let track = one_file(directory.path(), documents);
    let factory = factory(&track, params, 1, directory.path());
    let mut ids = Some(ids);
    let mut source =
        factory.open_with(client(0, 1), &mut |rules, _, _, _| ids.take().unwrap()(rules)).unwrap();
    lines(&drain(&mut source)).into_iter().step_by(2).collect()
}

fn check_conflicts(case: &Value) {
    let (id, input, expected) = (&case["id"], &case["input"], &case["expected"]);
    let mut items: Vec<&Value> = expected["items"].as_array().unwrap().iter().collect();
    let ends = items.last() == Some(&&json!("StopIteration"));
    items.truncate(items.len() - usize::from(ends));
    let or_zero = |name: &str| if input[name].is_null() { json!(0) } else { input[name].clone() };
    let params = json!({
        "bulk-size": 4,
        "conflicts": "sequential",
        "conflict-probability": or_zero("conflict_probability"),
        "on-conflict": input["on_conflict"],
        "recency": or_zero("recency"),
    });
    let numbers = |name: &str| input[name].as_array().unwrap().iter().map(|number| number.as_f64().unwrap());
    let calls = Arc::default();
    let recorded = Recorded {
        random: numbers("random").collect(),
        integers: numbers("ri").map(|number| number as u64).collect(),
        exponential: numbers("expovariate").collect(),
        taken: [0; 3],
        calls: Arc::clone(&calls),
    };
    let count = input["conflicting_ids"].as_array().unwrap().len() as u64;
    let found = action_lines(params, items.len() as u64, |rules| match rules {
        IdRules::Current(rules) => IdSource::ruled(rules, 100, count, recorded, Permutation::new(count, 1)),
        IdRules::Of2017(_) => unreachable!(),
    });
    let wanted: Vec<&str> = items.iter().map(|item| item[1].as_str().unwrap().trim_end()).collect();
    assert_eq!(found, wanted, "{id}");
    // Where ids run out Rally has drawn once more before it notices.
    let calls = calls.lock().unwrap();
    let mut wanted = expected["random_calls"].as_array().unwrap().clone();
    wanted.truncate(wanted.len() - usize::from(ends && !wanted.is_empty()));
    assert_eq!(*calls, wanted, "{id}");
}

/// New ids from the last to the first.
struct Reversed;

impl Draws for Reversed {
    fn new_id(&mut self, index: u64, count: u64) -> u64 {
        count - 1 - index
    }

    fn repeats(&mut self) -> bool {
        false
    }

    fn pick(&mut self, _used: u64) -> u64 {
        unreachable!()
    }
}

#[test]
fn action_lines_and_ids_are_those_of_current_rally() {
    for case in golden("action_metadata.json") {
        let (id, input, expected) = (case["id"].as_str().unwrap(), &case["input"], &case["expected"]);
        if id.starts_with("conflicts/") {
            check_conflicts(&case);
            continue;
        }
        if id == "no-conflicts" {
            let items: Vec<&str> = expected["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item[1].as_str().unwrap().trim_end())
                .collect();
            assert_eq!(action_lines(json!({"bulk-size": 2}), 3, |_| unreachable!()), items);
            continue;
        }
        let (count, first) = (input["docs_to_index"].as_u64().unwrap(), input["offset"].as_u64().unwrap());
        let conflicts = input["conflicts"].as_str().unwrap();
        let params = json!({"bulk-size": 2, "conflicts": conflicts, "conflict-probability": 0});
        let found = action_lines(params, count, |rules| match id {
            "ids/random-reversed" => IdSource::new(Conflicts::Random, first, count, Box::new(Reversed)),
            _ => IdSource::seeded(rules, first, count, 1, 0),
        });
        let wanted: Vec<String> = expected
            .as_array()
            .unwrap()
            .iter()
            .map(|id| format!("{{\"index\": {{\"_index\": \"idx\", \"_id\": {id}}}}}"))
            .collect();
        assert_eq!(found, wanted, "{id}");
    }
}

#[test]
fn documents_whose_ids_come_again_update_those_before() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("d.json"), "{\"n\":0}\n  {\"n\":1} \t\n{\"n\":2}").unwrap();
    let track = track(vec![corpus("c", vec![into_index("i", Documents::new("d.json", 3))])]);
    let params =
        json!({"bulk-size": 2, "conflicts": "random", "conflict-probability": 100, "on-conflict": "update"});
    let factory = factory(&track, params, 1, directory.path());
    let first = drain(&mut *factory.open(client(0, 1)).unwrap());
    let lines = lines(&first);
    assert_eq!(lines[1], "{\"n\":0}");
    let id = lines[0].strip_prefix("{\"index\": ").unwrap();
    assert_eq!(
        lines[2..],
        [
            format!("{{\"update\": {id}"),
            "{\"doc\":{\"n\":1}}".into(),
            format!("{{\"update\": {id}"),
            "{\"doc\":{\"n\":2}}".into()
        ]
    );
}

#[test]
fn types_are_named_where_the_track_and_the_target_have_them() {
    let directory = tempfile::tempdir().unwrap();
    let mut track = one_file(directory.path(), 1);
    track.corpora[0].documents[0].target_type = Some("doc".to_owned());
    let sets = sets(&track, directory.path());
    for (typed, wanted) in [
        (true, r#"{"index": {"_index": "idx", "_type": "doc"}}"#),
        (false, r#"{"index": {"_index": "idx"}}"#),
    ] {
        let operation = operation(json!({"bulk-size": 2}));
        let factory = BulkSourceFactory::of_track(&track, &operation, 1, &sets, typed).unwrap();
        assert_eq!(lines(&drain(&mut *factory.open(client(0, 1)).unwrap()))[0], wanted);
    }
}

#[test]
fn runners_are_handed_what_the_operation_says() {
    let directory = tempfile::tempdir().unwrap();
    let track = one_file(directory.path(), 3);
    let params = json!({
        "bulk-size": "2", "pipeline": "p", "refresh": "wait_for", "timeout": "60s", "request-params": {"x": "y"},
        "detailed-results": true, "retries_on_429": 3, "request-timeout": 10, "name": "bulk"
    });
    let factory = factory(&track, params.clone(), 1, directory.path());
    let bulks = drain(&mut *factory.open(client(0, 1)).unwrap());
    let mut wanted = object(params);
    wanted.extend(object(
        json!({"bulk-size": 2, "index": "idx", "type": null, "action-metadata-present": true, "unit": "docs"}),
    ));
    assert_eq!(*bulks[0].values, wanted);
    assert!(Arc::ptr_eq(&bulks[0].values, &bulks[1].values), "runners keep what they made of it");
    assert_eq!([bulks[0].documents, bulks[1].documents], [2, 1]);
}

#[test]
fn a_part_of_the_bulks_is_sent_where_the_operation_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let track = one_file(directory.path(), 1000);
    for (params, wanted) in [
        (json!({"bulk-size": 100, "ingest-percentage": 50}), [3, 3]),
        (json!({"bulk-size": 100, "ingest-percentage": 0.1}), [1, 1]),
        (json!({"bulk-size": 100, "ingest-doc-count": 400}), [2, 2]),
    ] {
        let factory = factory(&track, params.clone(), 2, directory.path());
        let found = [0, 1].map(|index| {
            let mut source = factory.open(client(index, 2)).unwrap();
            let size = source.size();
            let bulks = drain(&mut *source).len();
            assert_eq!(size, Some(bulks as u64));
            bulks
        });
        assert_eq!(found, wanted, "{params}");
    }
}

#[test]
fn an_ingest_doc_count_is_not_waited_for_where_a_client_has_fewer_documents() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("d.json"), "{}\n").unwrap();
    let files = (0..4).map(|_| into_index("i", Documents::new("d.json", 1))).collect();
    let track = track(vec![corpus("c", files)]);
    let factory = factory(&track, json!({"bulk-size": 1, "ingest-doc-count": 4}), 2, directory.path());
    // One document over two clients goes to the second one.
    for (index, wanted) in [(0, 0), (1, 2)] {
        let mut source = factory.open(client(index, 2)).unwrap();
        assert_eq!(source.size(), Some(wanted));
        assert_eq!(drain(&mut *source).len() as u64, wanted);
    }
}

#[test]
fn a_looped_operation_begins_again_with_the_same_documents_and_other_choices() {
    let directory = tempfile::tempdir().unwrap();
    let mut text = String::new();
    (0..50).for_each(|number| text.push_str(&format!("{{\"n\":{number}}}\n")));
    std::fs::write(directory.path().join("d.json"), text).unwrap();
    let track = track(vec![corpus("c", vec![into_index("i", Documents::new("d.json", 50))])]);
    let params = json!({"bulk-size": 7, "looped": true, "conflicts": "random", "conflict-probability": 0});
    let factory = factory(&track, params, 1, directory.path());
    let mut source = factory.open(client(0, 1)).unwrap();
    assert_eq!(source.size(), None);
    let mut bulks = Vec::new();
    while bulks.len() < 24 {
        assert_eq!(source.next(24 - bulks.len(), &mut bulks).unwrap(), More::Yes);
    }
    let rounds: Vec<Vec<String>> = bulks.chunks(8).map(lines).collect();
    let documents = |round: &[String]| round.iter().skip(1).step_by(2).cloned().collect::<Vec<_>>();
    let ids = |round: &[String]| round.iter().step_by(2).cloned().collect::<Vec<_>>();
    assert_eq!(documents(&rounds[0]), documents(&rounds[1]));
    assert_ne!(ids(&rounds[0]), ids(&rounds[1]));
    let sorted = |mut ids: Vec<String>| {
        ids.sort();
        ids
    };
    assert_eq!(sorted(ids(&rounds[0])), sorted(ids(&rounds[2])), "each round writes the same ids");
}

#[test]
fn a_looped_client_without_documents_ends() {
    let directory = tempfile::tempdir().unwrap();
    let track = one_file(directory.path(), 1);
    let factory = factory(&track, json!({"bulk-size": 7, "looped": true}), 2, directory.path());
    assert_eq!(drain(&mut *factory.open(client(0, 2)).unwrap()).len(), 0);
}

#[test]
fn the_same_seed_sends_the_same_bytes() {
    let directory = tempfile::tempdir().unwrap();
    let track = one_file(directory.path(), 200);
    let params = json!({"bulk-size": 10, "conflicts": "random", "on-conflict": "update", "recency": 0.3});
    let factory = factory(&track, params, 1, directory.path());
    let of = |seed| lines(&drain(&mut *factory.open(Partition { index: 0, total: 1, seed }).unwrap()));
    assert_eq!(of(5), of(5));
    assert_ne!(of(5), of(6));
}

#[test]
fn action_lines_in_a_file_are_sent_as_they_are_without_a_copy() {
    let directory = tempfile::tempdir().unwrap();
    let text = "{\"index\": {\"_index\": \"x\", \"_type\": \"t\"}}\n{\"n\": 1}\n".repeat(4);
    std::fs::write(directory.path().join("d.json"), &text).unwrap();
    let documents = Documents { includes_action_and_meta_data: true, ..Documents::new("d.json", 4) };
    let track = track(vec![corpus("c", vec![documents])]);
    let sets = sets(&track, directory.path());
    let factory =
        BulkSourceFactory::of_track(&track, &operation(json!({"bulk-size": 2})), 1, &sets, false).unwrap();
    let bulks = drain(&mut *factory.open(client(0, 1)).unwrap());
    let file = sets[0].bytes().unwrap();
    assert_eq!(bulks[0].body.as_ptr(), file.as_ptr());
    assert_eq!(bulks.iter().map(|bulk| bulk.body.len()).sum::<usize>(), text.len());
}

#[test]
fn mistakes_are_found_before_the_race() {
    let directory = tempfile::tempdir().unwrap();
    let mut track = one_file(directory.path(), 5);
    let error = refused(&track, json!({"bulk-size": 5_000_000_000_u64}), directory.path());
    assert_eq!(error, "operation 'bulk': 'bulk-size' is 5000000000, which is too large");
    track.corpora[0].documents[0].document_count = 6;
    let error = refused(&track, json!({"bulk-size": 5}), directory.path());
    assert!(error.contains("documents.json has no line 6"), "{error}");
    track.corpora[0].documents[0] = Documents::new("documents.json", 5);
    let error = refused(&track, json!({"bulk-size": 5}), directory.path());
    assert!(error.contains("neither 'target-index' nor 'target-data-stream'"), "{error}");
    track.corpora[0].documents[0].target_data_stream = Some("d".to_owned());
    let error = refused(&track, json!({"bulk-size": 5, "conflicts": "random"}), directory.path());
    assert!(error.contains("append only data streams"), "{error}");
    let unprepared = BulkSourceFactory::of_track(&track, &operation(json!({"bulk-size": 5})), 1, &[], true);
    assert!(unprepared.err().unwrap().to_string().contains("documents.json of corpus 'c' was not prepared"));
}

#[test]
fn only_files_that_an_operation_reads_are_asked_for() {
    let file = |name: &str, index: &str| into_index(index, Documents::new(name, 10));
    let corpora = vec![
        corpus("a", vec![file("a1", "i"), file("a2", "j")]),
        corpus("b", vec![file("b1", "i"), Documents::new("b2", 0)]),
        corpus("c", vec![file("c1", "j")]),
    ];
    let track = track(corpora);
    let read = |params: &[Value]| {
        let tasks =
            params.iter().map(|params| Element::Task(Arc::new(Task::new("t", operation(params.clone())))));
        documents_read(&track, &Challenge::new("c", tasks.collect()))
    };
    let of_i = json!({"bulk-size": 1, "indices": ["i"]});
    let of_c = json!({"bulk-size": 1, "corpora": "c"});
    assert_eq!(read(&[]).unwrap(), [false; 5]);
    assert_eq!(read(std::slice::from_ref(&of_i)).unwrap(), [true, false, true, false, false]);
    assert_eq!(read(&[of_i, of_c]).unwrap(), [true, false, true, false, true]);
    assert!(read(&[json!({})]).unwrap_err().to_string().contains("'bulk-size' is missing"));
}

#[test]
fn conflicts_have_the_defaults_of_rally() {
    let directory = tempfile::tempdir().unwrap();
    let track = one_file(directory.path(), 3);
    let factory = factory(&track, json!({"bulk-size": 5, "conflicts": "random"}), 1, directory.path());
    let mut found = None;
    factory
        .open_with(client(0, 1), &mut |rules, first, count, file| {
            found = Some(rules);
            IdSource::seeded(rules, first, count, 0, file)
        })
        .unwrap();
    let wanted = ConflictRules { kind: Conflicts::Random, probability: 0.25, updates: false, recency: 0.0 };
    assert_eq!(found, Some(IdRules::Current(wanted)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]
    #[test]
    fn every_document_of_every_corpus_is_sent_once(
        corpora in prop::collection::vec(prop::collection::vec((0u64..40, prop::bool::ANY), 1..4), 1..4),
        clients in 1u32..9,
        bulk_size in 1u64..12,
    ) {
        let directory = tempfile::tempdir().unwrap();
        let mut track = track(Vec::new());
        track.indices.push(Index::new("i"));
        let mut wanted: BTreeMap<String, u32> = BTreeMap::new();
        for (number, files) in corpora.iter().enumerate() {
            let mut documents = Vec::new();
            for (file, (count, pairs)) in files.iter().enumerate() {
                let name = format!("{number}-{file}.json");
                let mut text = String::new();
                for line in 0..*count {
                    let document = format!("{{\"d\":\"{name}-{line}\"}}");
                    text.push_str(if *pairs { "{\"index\":{\"_index\":\"i\"}}\n" } else { "" });
                    text.push_str(&document);
                    text.push('\n');
                    wanted.insert(document, 1);
                }
                std::fs::write(directory.path().join(&name), text).unwrap();
                let file = Documents { includes_action_and_meta_data: *pairs, ..Documents::new(name, *count) };
                documents.push(if *pairs { file } else { into_index("i", file) });
            }
            track.corpora.push(corpus(&number.to_string(), documents));
        }
        prop_assume!(!wanted.is_empty());
        let factory = factory(&track, json!({"bulk-size": bulk_size}), clients, directory.path());
        let mut found: BTreeMap<String, u32> = BTreeMap::new();
        for index in 0..clients {
            let mut source = factory.open(client(index, clients)).unwrap();
            let planned = factory.plan().partition(index..=index);
            prop_assert_eq!(source.size(), Some(planned.total_bulks));
            let bulks = drain(&mut *source);
            prop_assert_eq!(bulks.len() as u64, planned.total_bulks);
            let sent: Vec<String> = lines(&bulks).into_iter().skip(1).step_by(2).collect();
            // In the order that the plan has.
            let names: Vec<&str> = planned.in_reading_order().map(|reader| reader.file_name.as_str()).collect();
            let mut order: Vec<&str> =
                sent.iter().map(|line| line[6..].rsplit_once('-').unwrap().0).collect();
            order.dedup();
            prop_assert_eq!(order, names);
            for document in sent {
                *found.entry(document).or_default() += 1;
            }
        }
        prop_assert_eq!(found, wanted);
    }
}
