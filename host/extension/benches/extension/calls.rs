//! What one call costs.

use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use rally_race::Binding;
use serde::Serialize;

use crate::Options;
use crate::code::{Code, Connected, Load, Schedule};
use crate::server::{Arrivals, Stub};
use crate::subject::{Calls, Stage, compare, with_other_params};
use crate::table::{Spread, Table};

/// A call of one code.
#[derive(Serialize)]
pub struct Row {
    what: &'static str,
    code: Code,
    /// Nanoseconds per request that passed.
    wall: Spread,
    /// Nanoseconds of CPU time of the calling thread per request.
    cpu: Spread,
    /// CPU nanoseconds more than native in the same round.
    cpu_more: Spread,
}

/// Requests that runners are called with.
const REQUESTS: usize = 64;

/// Clients that send at the same time, on one thread.
const CLIENTS: u32 = 8;

/// Measures sources, schedulers and runners.
pub fn measure(options: &Options, folder: &Path) -> Vec<Row> {
    let stub = Stub::start(Arrivals::Forgotten);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
    let lab = Lab { options, folder, stub, runtime: Rc::new(runtime) };
    let formatted = lab.load("formatted", "nothing");
    let constant = Load { source: "constant", ..formatted };
    let mut rows = Vec::new();
    // A shared instance is asked for one request at a time, whoever asks.
    for (what, batch) in [
        ("request of a source, one by one", 1),
        ("request of a source, 16 at once", 16),
        ("request of a source, 64 at once", 64),
        ("request of a source, 256 at once", 256),
    ] {
        let codes = if batch == 1 { &Code::ALL[..] } else { &Code::ALL[..3] };
        rows.extend(lab.rows(what, codes, formatted, |stage, binding| stage.source(binding, 0, batch)));
    }
    rows.extend(lab.rows("the same request, 64 at once", &Code::ALL[..3], constant, |stage, binding| {
        stage.source(binding, 0, 64)
    }));
    rows.extend(lab.rows("due time of a scheduler", &Code::ALL, formatted, |stage, binding| {
        stage.scheduler(binding, 0)
    }));
    rows.extend(lab.rows("run that sends nothing (ready)", &Code::ALL, formatted, |stage, binding| {
        let requests = stage.requests(binding, 1, REQUESTS);
        stage.runner(binding, 0, requests)
    }));
    rows.extend(lab.rows("the same, other parameters each time", &Code::ALL, formatted, |stage, binding| {
        let requests = with_other_params(&stage.requests(binding, 1, REQUESTS));
        stage.runner(binding, 0, requests)
    }));
    let sending = lab.load("formatted", "send");
    // Most of it is the kernel's, and differs from round to round: more of them.
    let longer = Options { rounds: options.rounds * 3, ..*options };
    let lab = Lab { options: &longer, ..lab };
    rows.extend(lab.rows("run that sends and waits (pending)", &Code::ALL, sending, |stage, binding| {
        let requests = stage.requests(binding, CLIENTS, REQUESTS);
        stage.runners(binding, CLIENTS, requests)
    }));
    rows
}

/// Where all are measured.
struct Lab<'a> {
    options: &'a Options,
    folder: &'a Path,
    stub: Stub,
    runtime: Rc<tokio::runtime::Runtime>,
}

impl Lab<'_> {
    fn load(&self, source: &'static str, runner: &'static str) -> Load {
        let time = Duration::from_secs(1);
        let schedule = Schedule::Own;
        Load { source, runner, schedule, clients: CLIENTS + 1, rate: Some(1000.0), time }
    }

    fn rows(
        &self,
        what: &'static str,
        codes: &[Code],
        load: Load,
        make: impl Fn(&Stage, &Binding) -> Calls,
    ) -> Vec<Row> {
        let stage = Stage { runtime: Rc::clone(&self.runtime), task: load.task() };
        let target = Connected::to(self.stub.address, load.task());
        let mut engines = Vec::new();
        let mut subjects: Vec<(Code, Calls)> = Vec::new();
        for &code in codes {
            let engine = code.engine();
            let extensions = code.load(engine.as_ref(), &self.folder.join("cache"));
            let binding = code.bindings(extensions, &target, true).bind(&stage.task).expect("it binds");
            engines.extend(engine);
            subjects.push((code, make(&stage, &binding)));
        }
        let all = compare(self.options, &mut subjects);
        let native = &all[0];
        subjects
            .iter()
            .zip(&all)
            .map(|((code, _), mine)| {
                let more = mine.iter().zip(native).map(|(mine, native)| mine.cpu - native.cpu);
                let row = Row {
                    what,
                    code: *code,
                    wall: Spread::of(mine.iter().map(|each| each.wall)),
                    cpu: Spread::of(mine.iter().map(|each| each.cpu)),
                    cpu_more: Spread::of(more),
                };
                eprintln!(
                    "{what} | {} | {:.0} ns | CPU {:.0} ns",
                    code.name(),
                    row.wall.median,
                    row.cpu.median
                );
                row
            })
            .collect()
    }
}

/// Prints the table.
pub fn print(rows: &[Row]) {
    let mut table = Table::new("Calls", &["what", "code", "ns", "CPU ns", "CPU ns more than native"]);
    let show = |spread: &Spread| format!("{:.0} ({:.0} to {:.0})", spread.median, spread.low, spread.high);
    for row in rows {
        let more = if row.code == Code::Native { "-".to_owned() } else { show(&row.cpu_more) };
        table.add([row.what.to_owned(), row.code.name().to_owned(), show(&row.wall), show(&row.cpu), more]);
    }
    table.print();
}
