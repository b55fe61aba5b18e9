//! What a stranger's component can do: nothing but fail, in words that say who, where and why.
//!
//! Each case in `components` is raced as `rally run` races a track, with an honest task beside the hostile one. How it ended
//! is held to `expected.txt`; `RALLY_RECORD_HOSTILE=1` writes that file anew, for somebody to read.

mod guest;
mod logged;
mod process;
mod race;
mod target;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use guest::{Case, cases, folder};
use race::{Course, Ended, Entry, HONEST};

/// When a case is given up as stuck: far above every limit, for a machine under load.
const STUCK: Duration = Duration::from_secs(120);

/// What a round of all races may leave behind, bytes. The allocator's own ups and downs are some 50 MiB; what each of the
/// races may take, were it left behind, comes to 4 GiB.
const MARGIN: u64 = 256 << 20;

/// Longest text that a user is shown, bytes: no component floods a terminal.
const LONGEST: usize = 16 * 1024;

/// A file that is no case of its own, and how its race ended.
struct Recorded {
    name: String,
    says: Vec<String>,
    ended: Ended,
    logged: Vec<String>,
}

/// Races in a thread of its own and gives up where that does not end.
fn watched(name: &str, run: impl FnOnce() -> Recorded + Send + 'static) -> Recorded {
    let (sender, receiver) = channel();
    let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
        // Nobody waits for it any more where it was given up.
        _ = sender.send(run());
    });
    let thread = thread.expect("a thread");
    match receiver.recv_timeout(STUCK) {
        Ok(recorded) => {
            _ = thread.join();
            recorded
        }
        Err(RecvTimeoutError::Timeout) => panic!("{name} is stuck"),
        Err(RecvTimeoutError::Disconnected) => panic!("{name} has brought the host down"),
    }
}

fn record(course: &Arc<Course>, case: &Case) -> Recorded {
    let role = case.races.clone().unwrap_or_else(|| case.roles.join(" "));
    let entry = Entry { role, clients: case.clients, iterations: case.iterations };
    record_files(course, &case.name, case.says.clone(), vec![("hostile.wasm", case.bytes())], entry)
}

fn record_files(
    course: &Arc<Course>,
    name: &str,
    says: Vec<String>,
    files: Vec<(&'static str, Vec<u8>)>,
    entry: Entry,
) -> Recorded {
    let (course, owned) = (Arc::clone(course), name.to_owned());
    watched(name, move || {
        logged::take();
        let threads = process::threads();
        let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
        let ended = course.race(&files, &entry);
        // Instances go with the threads of the race, and say so in the log.
        process::settles("threads", || process::threads() <= threads);
        Recorded { name: owned, says, ended, logged: logged::take() }
    })
}

/// Files that are made, not written.
fn made(course: &Arc<Course>) -> Vec<Recorded> {
    let good = good().bytes();
    let large = {
        // A custom section of two megabytes, which nobody has to look at.
        let mut bytes = good.clone();
        bytes.extend([0, 0x84, 0x80, 0x80, 0x01, 3]);
        bytes.extend(b"fat");
        bytes.extend(vec![0; 2 << 20]);
        bytes
    };
    let mut flipped = good.clone();
    let middle = flipped.len() / 2;
    flipped.iter_mut().skip(middle).take(64).for_each(|byte| *byte ^= 0xff);
    let files: Vec<(&str, &str, Vec<u8>)> = vec![
        ("file-empty", "An empty file.", Vec::new()),
        ("file-of-text", "The text of a component.", b"(component)".to_vec()),
        (
            "file-of-machine-code",
            "A compiled component, which nobody can check.",
            b"\x7fELF\x02\x01\x01".to_vec(),
        ),
        (
            "file-of-noise",
            "Four kilobytes of noise.",
            (0..4096_u32).map(|at| ((at * at) >> 3) as u8).collect(),
        ),
        ("file-too-large", "A good component with two megabytes more than are allowed.", large),
        (
            "loops-without-number",
            "A function of 10,000 locals in 500 loops: 100 kB to compile in gigabytes.",
            bomb(10_000, 500, 1),
        ),
        (
            "jumps-without-number",
            "A function of 2,000 locals and 50,000 jumps: 75 kB to compile in gigabytes.",
            bomb(2_000, 1, 50_000),
        ),
        (
            "values-without-number",
            "A function of 100 loops that each pass on 1,000 values: 7 kB to compile in half a gigabyte.",
            bomb_of_values("loop (type $t)", 1_000, 100),
        ),
        (
            "conditions-without-number",
            "A function of 200 conditions that each pass on 1,000 values: 7 kB to compile in half a gigabyte.",
            bomb_of_values("local.get 0 if (type $t)", 1_000, 200),
        ),
        (
            "branches-without-number",
            "A function of 2,000 locals and 5,000 conditional branches: seconds to compile.",
            bomb_of_branches(2_000, 5_000),
        ),
        ("file-damaged", "A good component with damaged bytes in its middle.", flipped),
        ("file-cut-short", "The first half of a good component.", good[..good.len() / 2].to_vec()),
    ];
    let mut recorded: Vec<Recorded> = files
        .into_iter()
        .map(|(name, says, bytes)| {
            record_files(
                course,
                name,
                vec![says.to_owned()],
                vec![("hostile.wasm", bytes)],
                Entry::of("source"),
            )
        })
        .collect();
    recorded.push(record_files(
        course,
        "two-components-of-one-name",
        vec!["Two components that register the same source.".to_owned()],
        vec![("a.wasm", good.clone()), ("b.wasm", good)],
        Entry::of("source"),
    ));
    recorded
}

/// A component that is small, and takes a compiler more memory than there is.
fn bomb(locals: usize, loops: usize, jumps: usize) -> Vec<u8> {
    let change: String = (0..locals)
        .map(|local| format!("(local.set {local} (i32.add (local.get {local}) (i32.const 1)))"))
        .collect();
    let text = format!(
        "(component (core module (func (local {}) {} {change} (br_table {} (local.get 0)) {})))",
        "i32 ".repeat(locals),
        "loop ".repeat(loops),
        "0 ".repeat(jumps + 1),
        "end ".repeat(loops),
    );
    wat::parse_str(text).expect("a component")
}

/// The same with blocks that pass on values.
fn bomb_of_values(block: &str, values: usize, blocks: usize) -> Vec<u8> {
    let types = "i32 ".repeat(values);
    let text = format!(
        "(component (core module
            (type $t (func (param {types}) (result {types})))
            (func (param i32) {} {} {} {})))",
        "i32.const 0 ".repeat(values),
        format!("{block} ").repeat(blocks),
        "local.get 0 br_if 0 end ".repeat(blocks),
        "drop ".repeat(values),
    );
    wat::parse_str(text).expect("a component")
}

/// The same with branches.
fn bomb_of_branches(locals: usize, branches: usize) -> Vec<u8> {
    let text = format!(
        "(component (core module (func (local {}) block {} end)))",
        "i32 ".repeat(locals),
        "local.get 0 i32.const 1 i32.add local.set 1 local.get 0 br_if 0 ".repeat(branches),
    );
    wat::parse_str(text).expect("a component")
}

/// A component that does nothing hostile.
fn good() -> Case {
    Case::read(&folder().join("good.wat"))
}

fn shown(recorded: &Recorded) -> String {
    let Recorded { name, says, ended, logged } = recorded;
    let mut text = format!("## {name}\n");
    for line in says {
        _ = writeln!(text, "; {line}");
    }
    _ = writeln!(text, "{}", ended.text);
    for head in &ended.asked {
        _ = writeln!(text, "the target was asked: {}", head.escape_debug());
    }
    for line in logged {
        _ = writeln!(text, "logged: {line}");
    }
    text.push('\n');
    text
}

/// Races all there is.
fn all(course: &Arc<Course>) -> Vec<Recorded> {
    let mut recorded: Vec<Recorded> = cases().iter().map(|case| record(course, case)).collect();
    recorded.extend(made(course));
    recorded
}

/// The sections of a file of expectations, by name.
fn sections(text: &str) -> BTreeMap<&str, &str> {
    text.split("## ")
        .skip(1)
        .map(|section| section.split_once('\n').expect("a name and a text"))
        .map(|(name, text)| (name, text.trim_end()))
        .collect()
}

/// The course, for one test at a time: they look at what the whole process holds and logs.
fn course() -> MutexGuard<'static, Arc<Course>> {
    static COURSE: LazyLock<Mutex<Arc<Course>>> = LazyLock::new(|| {
        logged::listen();
        let course = Arc::new(Course::new());
        // Threads and descriptors that stay for good are there after the first race.
        let good = good();
        course.race(&[("hostile.wasm", &good.bytes())], &Entry::of("source"));
        Mutex::new(course)
    });
    COURSE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One test, for it looks at the whole process: what the components leave behind, too.
#[test]
fn every_hostile_component_ends_in_its_own_error_and_leaves_nothing_behind() {
    let course = &course();
    let good_race = || {
        let recorded = record(course, &good());
        assert_eq!(recorded.ended.text, "the race went on to its end");
        assert_eq!(recorded.ended.honest, Some(HONEST));
    };
    good_race();
    let descriptors = process::descriptors();
    let recorded = all(course);
    good_race();

    let text: String = recorded.iter().map(shown).collect();
    let path = folder().join("expected.txt");
    if std::env::var_os("RALLY_RECORD_HOSTILE").is_some() {
        std::fs::write(&path, &text).expect("written");
    }
    let expected = std::fs::read_to_string(&path).expect("expected.txt");
    let (found, expected) = (sections(&text), sections(&expected));
    let mut wrong = String::new();
    for (name, found) in &found {
        match expected.get(name) {
            Some(expected) if expected == found => {}
            Some(expected) => _ = writeln!(wrong, "## {name}\n{found}\n-- expected --\n{expected}\n"),
            None => _ = writeln!(wrong, "## {name}\n{found}\n-- not expected at all --\n"),
        }
    }
    for name in expected.keys().filter(|name| !found.contains_key(*name)) {
        _ = writeln!(wrong, "## {name} is expected, but there is no such case\n");
    }
    assert!(wrong.is_empty(), "{wrong}");

    for each in &recorded {
        let name = &each.name;
        // The race began: whoever is honest was not disturbed.
        assert!(each.ended.honest.is_none_or(|honest| honest == HONEST), "{name}: {:?}", each.ended.honest);
        assert!(each.ended.text.len() < LONGEST, "{name} is told in {} bytes", each.ended.text.len());
        let printable = |text: &str| text.chars().all(|each| each == '\n' || !each.is_control());
        assert!(printable(&each.ended.text), "{name}: {:?}", each.ended.text);
        assert!(each.logged.iter().all(|line| printable(line)), "{name}: {:?}", each.logged);
    }

    process::settles("open descriptors", || process::descriptors() <= descriptors);
    // The allocator keeps some of what was freed; what a component leaves behind would be there again in a second round.
    let memory = process::memory();
    all(course);
    let grown = process::memory().saturating_sub(memory);
    println!("a second round of the same races took {} KiB more", grown >> 10);
    assert!(grown < MARGIN, "a second round of the same races left {grown} bytes behind");
    process::settles("open descriptors", || process::descriptors() <= descriptors);
}

#[test]
fn a_component_cut_short_anywhere_is_refused() {
    let course = &course();
    let bytes = good().bytes();
    for size in (0..bytes.len()).step_by(bytes.len() / 97) {
        let cut = bytes[..size].to_vec();
        let recorded =
            record_files(course, "cut", Vec::new(), vec![("hostile.wasm", cut)], Entry::of("source"));
        assert!(recorded.ended.text.starts_with("refused at load: "), "{size}: {}", recorded.ended.text);
    }
}
