//! When the requests of throttled races arrive at the server, against when they were due.

use std::path::Path;

use serde::Serialize;

use crate::Options;
use crate::arrivals::lateness;
use crate::code::{Code, Load, Schedule};
use crate::race::Figures;
use crate::roles;
use crate::server::{Arrivals, Stub};
use crate::table::{Spread, Table};

const CLIENTS: u32 = 8;

/// Pairs of races, of some code beside native code.
#[derive(Serialize)]
pub struct Row {
    /// Requests per second of each race.
    rate: f64,
    schedule: Schedule,
    code: Code,
    /// Microseconds at 50 %, 99 % and 99.9 %.
    late: [Spread; 3],
    /// To the native race at the same time.
    ratio: [Spread; 3],
    /// Microseconds of CPU time of the process per request.
    cpu: Spread,
    /// To the native race at the same time.
    cpu_ratio: Spread,
}

/// Races in pairs at the same time, against a server each. They change places, so that what else the machine does hits both.
pub fn measure(options: &Options, folder: &Path) -> Vec<Row> {
    let mut rows = Vec::new();
    for (rate, schedule) in
        [(1_000.0, Schedule::BuiltIn), (5_000.0, Schedule::BuiltIn), (1_000.0, Schedule::Own)]
    {
        for code in [Code::NativeAgain, Code::Isolated, Code::PerClient] {
            let row = row(options, folder, rate, schedule, code);
            eprintln!("{rate}/s | {schedule:?} | {} | p99 {}", code.name(), row.ratio[1]);
            rows.push(row);
        }
    }
    rows
}

fn row(options: &Options, folder: &Path, rate: f64, schedule: Schedule, code: Code) -> Row {
    let load = Load { rate: Some(rate), schedule, ..Load::searches(CLIENTS, options.lateness_time) };
    let cache = folder.join("cache");
    let interval = f64::from(CLIENTS) / rate;
    let mut pairs: Vec<([f64; 3], [f64; 3])> = Vec::new();
    let mut cpu: Vec<(f64, f64)> = Vec::new();
    for round in 0..options.lateness_rounds {
        let servers = [Stub::start(Arrivals::Noted), Stub::start(Arrivals::Noted)];
        let mine = round % 2;
        let mut order = [Code::Native; 2];
        order[mine] = code;
        let start = |place: usize| roles::start_race(order[place], servers[place].address, load, &cache);
        let figures: [Figures; 2] = [start(0), start(1)].map(roles::finish);
        let seen = servers.each_ref().map(|server| lateness(&server.arrivals(), interval));
        let used = figures.map(|figures| figures.cpu_seconds * 1e6 / figures.requests as f64);
        pairs.push((seen[mine], seen[1 - mine]));
        cpu.push((used[mine], used[1 - mine]));
    }
    let mine = |quantile: usize| pairs.iter().map(move |(mine, _)| mine[quantile]);
    let base = |quantile: usize| pairs.iter().map(move |(_, native)| native[quantile]);
    Row {
        rate,
        schedule,
        code,
        late: [0, 1, 2].map(|quantile| Spread::of(mine(quantile))),
        ratio: [0, 1, 2].map(|quantile| Spread::of_ratios(mine(quantile), base(quantile))),
        cpu: Spread::of(cpu.iter().map(|(mine, _)| *mine)),
        cpu_ratio: Spread::of(cpu.iter().map(|(mine, native)| mine / native)),
    }
}

/// Prints the table.
pub fn print(rows: &[Row]) {
    let columns = [
        "rate/s each",
        "schedule",
        "pair",
        "p50 µs",
        "p99 µs",
        "p99.9 µs",
        "ratio p50",
        "ratio p99",
        "ratio p99.9",
        "CPU µs each",
        "ratio",
    ];
    let mut table = Table::new("Arrival lateness, 8 clients, pairs at the same time", &columns);
    for row in rows {
        let schedule = match row.schedule {
            Schedule::BuiltIn => "built-in",
            Schedule::Own => "own",
        };
        let mut cells =
            vec![format!("{:.0}", row.rate), schedule.to_owned(), format!("{} / native", row.code.name())];
        cells.extend(row.late.iter().map(|late| format!("{:.0}", late.median)));
        cells.extend(row.ratio.iter().map(Spread::to_string));
        cells.extend([format!("{:.1}", row.cpu.median), row.cpu_ratio.to_string()]);
        table.add(cells);
    }
    table.print();
}
