//! How long it takes until instances are there, and how much memory they hold.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::Options;
use crate::clock::process_cpu_nanoseconds;
use crate::code::{Code, Connected, Load, Schedule};
use crate::roles;
use crate::server::{Arrivals, Stub};
use crate::subject::{Calls, Stage};
use crate::table::{Spread, Table};

/// Times of one start, milliseconds.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Start {
    /// The engine.
    pub engine: f64,
    /// Reading, checking, compiling or taking from the cache, linking, asking what it is.
    pub load: f64,
    /// The first source, runner and scheduler, opened.
    pub open: f64,
    /// CPU time of all that.
    pub cpu: f64,
    /// Source, runner and scheduler of a further client, each.
    pub further: [f64; 3],
}

/// How a component starts.
#[derive(Serialize)]
pub struct StartRow {
    code: Code,
    /// Whether the compiled code was in the cache.
    cached: bool,
    engine: Spread,
    load: Spread,
    open: Spread,
    /// Engine, load and open together.
    total: Spread,
    cpu: Spread,
    further: [Spread; 3],
}

/// Clients that come after the first.
const FURTHER: u32 = 64;

fn stage() -> Stage {
    let load = Load {
        runner: "nothing",
        schedule: Schedule::Own,
        rate: Some(1000.0),
        ..Load::searches(1, Duration::from_secs(1))
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
    Stage { runtime: Rc::new(runtime), task: load.task() }
}

/// Starts once, in this process.
pub fn start(code: Code, server: SocketAddr, cache: &Path) -> Start {
    let stage = stage();
    let target = Connected::to(server, stage.task.clone());
    let milliseconds = |since: Instant| since.elapsed().as_secs_f64() * 1e3;
    let cpu = process_cpu_nanoseconds();
    let begin = Instant::now();
    let engine = code.engine();
    let engine_time = milliseconds(begin);
    let begin = Instant::now();
    let extensions = code.load(engine.as_ref(), cache);
    let load = milliseconds(begin);
    let begin = Instant::now();
    // Binding opens what the task's only client needs.
    let binding = code.bindings(extensions, &target, false).bind(&stage.task).expect("it binds");
    let open = milliseconds(begin);
    let cpu = (process_cpu_nanoseconds() - cpu) as f64 / 1e6;
    let mut kept: Vec<Calls> = Vec::new();
    let mut each = |open: &dyn Fn(u32) -> Calls| {
        let mut times = Vec::new();
        for client in 1..=FURTHER {
            let begin = Instant::now();
            kept.push(open(client));
            times.push(milliseconds(begin));
        }
        Spread::median(times.into_iter())
    };
    let further = [
        each(&|client| stage.source(&binding, client, 1)),
        each(&|client| stage.runner(&binding, client, Vec::new())),
        each(&|client| stage.scheduler(&binding, client)),
    ];
    Start { engine: engine_time, load, open, cpu, further }
}

/// Measures starts with an empty cache and with a filled one.
pub fn measure_start(options: &Options, folder: &Path) -> Vec<StartRow> {
    let stub = Stub::start(Arrivals::Forgotten);
    let warm = folder.join("cache");
    let mut rows = Vec::new();
    let mut all = [const { [const { Vec::new() }; 2] }; 2];
    for round in 0..=options.starts {
        for (number, code) in Code::COMPONENTS.into_iter().enumerate() {
            let cold = folder.join(format!("cold-{round}-{number}"));
            let figures = [
                roles::start_instances(code, stub.address, &cold),
                roles::start_instances(code, stub.address, &warm),
            ];
            // The first round fills the cache, and warms up what the machine caches of files.
            if round > 0 {
                for (figures, all) in figures.into_iter().zip(&mut all[number]) {
                    all.push(figures);
                }
            }
        }
    }
    for (code, all) in Code::COMPONENTS.into_iter().zip(&all) {
        for (cached, starts) in [false, true].into_iter().zip(all) {
            let of = |figure: &dyn Fn(&Start) -> f64| Spread::of(starts.iter().map(figure));
            let row = StartRow {
                code,
                cached,
                engine: of(&|start| start.engine),
                load: of(&|start| start.load),
                open: of(&|start| start.open),
                total: of(&|start| start.engine + start.load + start.open),
                cpu: of(&|start| start.cpu),
                further: [0, 1, 2].map(|role| of(&|start| start.further[role])),
            };
            eprintln!("start | {} | cached: {cached} | {:.1} ms", code.name(), row.total.median);
            rows.push(row);
        }
    }
    rows
}

/// Prints the table.
pub fn print_start(rows: &[StartRow]) {
    let columns = [
        "code",
        "cache",
        "engine ms",
        "load ms",
        "first instances ms",
        "together ms",
        "CPU ms",
        "further source µs",
        "further runner µs",
        "further scheduler µs",
    ];
    let mut table = Table::new("Start of a component", &columns);
    for row in rows {
        let mut cells =
            vec![row.code.name().to_owned(), if row.cached { "filled" } else { "empty" }.to_owned()];
        cells.extend([row.engine, row.load, row.open].map(|spread| format!("{:.2}", spread.median)));
        cells.extend([row.total.to_string(), format!("{:.2}", row.cpu.median)]);
        cells.extend(row.further.map(|spread| format!("{:.0}", spread.median * 1e3)));
        table.add(cells);
    }
    table.print();
}

/// Which roles are opened for each client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Roles {
    Source,
    Runner,
    All,
}

impl Roles {
    /// The roles of that name.
    pub fn named(name: &str) -> Roles {
        match name {
            "Source" => Roles::Source,
            "Runner" => Roles::Runner,
            _ => Roles::All,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Roles::Source => "source",
            Roles::Runner => "runner",
            Roles::All => "source, runner, scheduler",
        }
    }
}

/// What this process holds of memory, bytes.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Memory {
    /// Resident; what is shared with others counts in full.
    pub resident: f64,
    /// Resident and of this process alone.
    pub own: f64,
}

impl Memory {
    fn now() -> Memory {
        let text = fs::read_to_string("/proc/self/smaps_rollup").unwrap_or_default();
        let of = |name: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(name))
                .and_then(|rest| rest.trim().trim_end_matches(" kB").trim().parse::<f64>().ok())
                .map_or(0.0, |kilobytes| kilobytes * 1024.0)
        };
        Memory { resident: of("Rss:"), own: of("Private_Clean:") + of("Private_Dirty:") }
    }
}

/// Clients whose memory is looked at.
const CLIENTS: u32 = 256;

/// Memory of one client's instances after their first calls, in this process.
pub fn memory(code: Code, roles: Roles, server: SocketAddr, cache: &Path) -> Memory {
    let stage = stage();
    let target = Connected::to(server, stage.task.clone());
    let engine = code.engine();
    let extensions = code.load(engine.as_ref(), cache);
    let binding = code.bindings(extensions, &target, false).bind(&stage.task).expect("it binds");
    let requests = stage.requests(&binding, 0, 1);
    let open = |client: u32| {
        let mut calls: Vec<Calls> = Vec::new();
        if roles != Roles::Runner {
            calls.push(stage.source(&binding, client, 64));
        }
        if roles != Roles::Source {
            calls.push(stage.runner(&binding, client, requests.clone()));
        }
        if roles == Roles::All {
            calls.push(stage.scheduler(&binding, client));
        }
        for call in &mut calls {
            call(64);
        }
        calls
    };
    // What the first one brings along for all of them does not count.
    let mut kept = vec![open(CLIENTS)];
    let before = Memory::now();
    kept.extend((0..CLIENTS).map(open));
    let after = Memory::now();
    drop(kept);
    let each = |after: f64, before: f64| (after - before) / f64::from(CLIENTS);
    Memory { resident: each(after.resident, before.resident), own: each(after.own, before.own) }
}

/// Memory of a client's instances.
#[derive(Serialize)]
pub struct MemoryRow {
    code: Code,
    roles: Roles,
    /// Bytes that are resident.
    resident: Spread,
    /// Bytes of the process alone.
    own: Spread,
}

/// Measures the memory of instances.
pub fn measure_memory(options: &Options, folder: &Path) -> Vec<MemoryRow> {
    let stub = Stub::start(Arrivals::Forgotten);
    let cache = folder.join("cache");
    let mut rows = Vec::new();
    for (code, roles) in [
        (Code::Native, Roles::All),
        (Code::Isolated, Roles::Source),
        (Code::Isolated, Roles::Runner),
        (Code::Isolated, Roles::All),
        (Code::PerClient, Roles::All),
    ] {
        let measured: Vec<Memory> = (0..options.starts.min(5))
            .map(|_| roles::fill_memory(code, roles, stub.address, &cache))
            .collect();
        let row = MemoryRow {
            code,
            roles,
            resident: Spread::of(measured.iter().map(|memory| memory.resident)),
            own: Spread::of(measured.iter().map(|memory| memory.own)),
        };
        eprintln!("memory | {} | {} | {:.0} kB", code.name(), roles.name(), row.resident.median / 1e3);
        rows.push(row);
    }
    rows
}

/// Prints the table.
pub fn print_memory(rows: &[MemoryRow]) {
    let columns = ["code", "of one client", "resident KiB", "own KiB"];
    let mut table = Table::new("Memory of instances after their first calls", &columns);
    let kibibytes = |spread: &Spread| format!("{:.0}", spread.median / 1024.0);
    for row in rows {
        table.add([
            row.code.name().to_owned(),
            row.roles.name().to_owned(),
            kibibytes(&row.resident),
            kibibytes(&row.own),
        ]);
    }
    table.print();
}
