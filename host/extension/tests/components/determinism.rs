//! The same seed gives the same bytes, whatever the size of the batches, in every instance and on every machine: what the
//! shipped extensions make is held to golden hashes.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use rally_extension::{Extensions, Folder, HostEnvironment, Limits};
use rally_race::{Finished, More, Params, Partition, SchedulerBinding, SourceBinding};
use rally_support::hex::Hex;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::course::{Course, host, project};
use crate::recorder::Recorder;

const REQUESTS: usize = 10_000;
const SEEDS: [u64; 3] = [1, 7, 4_611_686_018_427_387_905];
const LIMITS: [usize; 4] = [1, 7, 64, 256];

/// All tracks that ship with a component.
fn tracks() -> Vec<PathBuf> {
    let mut tracks: Vec<PathBuf> = fs::read_dir(project().join("tracks"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir() && !rally_extension::components(path).unwrap().is_empty())
        .collect();
    tracks.sort();
    assert!(tracks.len() >= 3, "{tracks:?}");
    tracks
}

fn course(track: &PathBuf, seed: u64) -> Course {
    let around = HostEnvironment::before_race("shipped", Folder::open(track).unwrap());
    Course::at(track, around, &host(Limits::default()), seed, Recorder::start())
}

/// Name, role and first task of all that the components of a track register. Tasks of an endless source, where there is one.
fn registered(track: &PathBuf) -> Vec<(String, &'static str, String)> {
    let before = std::sync::Arc::new(HostEnvironment::before_race("shipped", Folder::open(track).unwrap()));
    let extensions = Extensions::discover(track, &host(Limits::default()), &before).unwrap();
    let course = course(track, 1);
    let tasks = || {
        course
            .track
            .challenges
            .iter()
            .flat_map(|challenge| challenge.schedule.iter().flat_map(|element| element.tasks().iter()))
    };
    let mut all = Vec::new();
    for extension in extensions.iter() {
        for source in &extension.description.sources {
            let task = tasks()
                .find(|task| task.operation.param_source.as_deref() == Some(&source.name))
                .unwrap_or_else(|| panic!("no task uses the source {}", source.name));
            all.push((source.name.clone(), "source", task.name.clone()));
        }
        for scheduler in &extension.description.schedulers {
            let task = tasks()
                .find(|task| task.schedule == scheduler.name)
                .unwrap_or_else(|| panic!("no task uses the scheduler {}", scheduler.name));
            all.push((scheduler.name.clone(), "scheduler", task.name.clone()));
        }
    }
    all
}

fn feed(hash: &mut Sha256, bytes: &[u8]) {
    hash.update((bytes.len() as u64).to_le_bytes());
    hash.update(bytes);
}

/// The hash of values, body and number of documents of each request.
fn hash_of(requests: &[Params]) -> String {
    let mut hash = Sha256::new();
    for params in requests {
        feed(&mut hash, Value::Object((*params.values).clone()).to_string().as_bytes());
        feed(&mut hash, &params.body);
        hash.update(params.documents.to_le_bytes());
    }
    Hex(hash.finalize()).to_string()
}

/// The requests of the last client of a task, in batches of this size; a fresh instance each time.
fn requests(course: &Course, task: &str, seed: u64, limit: usize) -> Vec<Params> {
    let binding = course.bind(task).unwrap();
    let task = course.task(task);
    let partition = Partition::of(seed, 1, &task, task.clients - 1);
    let SourceBinding::Ahead(factory) = binding.params else { panic!("a source that is asked ahead") };
    let mut source = factory.open(partition).unwrap();
    let mut all = Vec::new();
    while all.len() < REQUESTS {
        let wanted = limit.min(REQUESTS - all.len());
        if source.next(wanted, &mut all).unwrap() == More::Exhausted {
            break;
        }
    }
    assert_eq!(all.len(), REQUESTS, "a source that does not end");
    all
}

/// The hash of due times, each with the bits that it has.
fn due_times(course: &Course, task: &str, seed: u64) -> String {
    let binding = course.bind(task).unwrap();
    let task = course.task(task);
    let partition = Partition::of(seed, 1, &task, task.clients - 1);
    let SchedulerBinding::Own(factory) = binding.scheduler else { panic!("a scheduler of its own") };
    let mut scheduler = factory.open(&task, partition).unwrap();
    let mut hash = Sha256::new();
    let mut current = 0.0;
    for number in 0..REQUESTS {
        current = scheduler.next(current).unwrap();
        hash.update(current.to_le_bytes());
        scheduler.after_request(&Finished {
            started: current,
            finished: current + 0.001,
            weight: 1.0,
            unit: "ops",
            success: number % 7 != 0,
            meta: None,
        });
    }
    Hex(hash.finalize()).to_string()
}

#[test]
fn shipped_extensions_make_the_same_from_the_same_seed_on_every_machine() {
    let mut found = String::new();
    for track in tracks() {
        let track_name = track.file_name().unwrap().to_str().unwrap();
        for (name, role, task) in registered(&track) {
            let mut of_seeds = BTreeSet::new();
            for seed in SEEDS {
                let course = course(&track, seed);
                let made = |limit| match role {
                    "source" => hash_of(&requests(&course, &task, seed, limit)),
                    _ => due_times(&course, &task, seed),
                };
                let hash = made(LIMITS[0]);
                for limit in &LIMITS[1..] {
                    assert_eq!(made(*limit), hash, "{name} of {track_name}, seed {seed}, batches of {limit}");
                }
                found.push_str(&format!("{track_name} {role} {name} {seed} {hash}\n"));
                of_seeds.insert(hash);
            }
            // All of them draw random numbers.
            assert_eq!(of_seeds.len(), SEEDS.len(), "{name} of {track_name}: each seed gives something else");
        }
    }
    let golden = include_str!("golden/determinism.txt");
    assert_eq!(
        found, golden,
        "what a seed stands for must not change from release to release; found\n{found}"
    );
}

#[test]
fn clients_draw_numbers_of_their_own() {
    let track = project().join("tracks/random-profession");
    let course = course(&track, 7);
    let first = |index| hash_of(&course.requests("search-class", index, 100));
    assert_ne!(first(0), first(1));
}
