//! Whole races that are not throttled.

use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use crate::Options;
use crate::code::{Code, Load};
use crate::race::Figures;
use crate::roles;
use crate::server::{Arrivals, Stub};
use crate::table::{Spread, Table};

/// Races of one code.
#[derive(Serialize)]
pub struct Row {
    clients: u32,
    /// For how long the server computes before it answers a search, microseconds.
    computing: u64,
    code: Code,
    /// Requests per second.
    rate: Spread,
    /// To the native rate of the same round.
    rate_ratio: Spread,
    /// Microseconds of CPU time of the process per request.
    cpu: Spread,
    /// To the native CPU time of the same round.
    cpu_ratio: Spread,
    /// How often a request was due and none was ready, per thousand requests.
    stalls: f64,
}

/// What Elasticsearch takes of two CPUs for the cheapest search there is (docs/performance.md: 9,000 per second), microseconds.
const SEARCH: u64 = 200;

/// Races all in turns: against a server that takes next to nothing, where each microsecond of the driver shows, and against one
/// that works as little as a real one can.
pub fn measure(options: &Options, folder: &Path) -> Vec<Row> {
    [(8, 0), (64, 0), (8, SEARCH)]
        .into_iter()
        .flat_map(|(clients, computing)| rows(options, folder, clients, computing))
        .collect()
}

fn rows(options: &Options, folder: &Path, clients: u32, computing: u64) -> Vec<Row> {
    let load = Load::searches(clients, options.race_time);
    let cache = folder.join("cache");
    let stub = Stub::computing(Arrivals::Forgotten, Duration::from_micros(computing));
    for code in Code::COMPONENTS {
        // What is compiled is kept, so that no race of the measurement compiles.
        roles::start_instances(code, stub.address, &cache);
    }
    let mut all: Vec<Vec<Figures>> = vec![Vec::new(); Code::ALL.len()];
    for round in 0..options.races {
        for place in 0..Code::ALL.len() {
            let number = (round + place) % Code::ALL.len();
            all[number].push(roles::race(Code::ALL[number], stub.address, load, &cache));
        }
    }
    let rate = |figures: &Figures| figures.requests as f64 / figures.seconds;
    let cpu = |figures: &Figures| figures.cpu_seconds * 1e6 / figures.requests as f64;
    Code::ALL
        .into_iter()
        .zip(&all)
        .map(|(code, mine)| {
            let requests: u64 = mine.iter().map(|figures| figures.requests).sum();
            let stalls: u64 = mine.iter().map(|figures| figures.stalls).sum();
            let row = Row {
                clients,
                computing,
                code,
                rate: Spread::of(mine.iter().map(rate)),
                rate_ratio: Spread::of_ratios(mine.iter().map(rate), all[0].iter().map(rate)),
                cpu: Spread::of(mine.iter().map(cpu)),
                cpu_ratio: Spread::of_ratios(mine.iter().map(cpu), all[0].iter().map(cpu)),
                stalls: stalls as f64 * 1000.0 / requests as f64,
            };
            eprintln!(
                "{clients} clients | search {computing} µs | {} | {:.0}/s | {}",
                code.name(),
                row.rate.median,
                row.rate_ratio
            );
            row
        })
        .collect()
}

/// Prints the table.
pub fn print(rows: &[Row]) {
    let columns =
        ["clients", "search µs", "code", "per second", "ratio", "CPU µs each", "ratio", "stalls of 1000"];
    let mut table = Table::new("Races, unthrottled, stub on the same cores", &columns);
    for row in rows {
        table.add([
            row.clients.to_string(),
            row.computing.to_string(),
            row.code.name().to_owned(),
            format!("{:.0}", row.rate.median),
            row.rate_ratio.to_string(),
            format!("{:.2}", row.cpu.median),
            row.cpu_ratio.to_string(),
            format!("{:.2}", row.stalls),
        ]);
    }
    table.print();
}
