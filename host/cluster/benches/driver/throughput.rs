//! Requests and documents per second, and CPU time for each.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::Options;
use crate::roles::{self, Driver, Load};
use crate::server::{Arrivals, Stub};
use crate::table::{Spread, Table};
use crate::work::Figures;

/// Prints the tables.
pub fn measure(options: &Options, corpus: &Path) {
    let mut table = Table::new(
        "Unthrottled, stub on the same cores",
        &["work", "clients", "driver", "per second", "ratio", "CPU µs each", "ratio", "own memory MiB"],
    );
    for bulk in [None, Some(1000), Some(5000)] {
        for clients in [1, 8, 64] {
            rows(&mut table, options, corpus, bulk, clients);
        }
    }
    table.print();
}

fn rows(table: &mut Table, options: &Options, corpus: &Path, bulk: Option<usize>, clients: usize) {
    let load = Load { clients, bulk, rate: None, time: options.time };
    let stub = Stub::start(Arrivals::Forgotten);
    let mut drivers = vec![("bare", Driver::Bare), ("bare again", Driver::Bare), ("rally", Driver::Rally)];
    if bulk.is_some() && clients == 8 {
        drivers.push(("bare, bodies made before", Driver::Premade));
    }
    let mut all: Vec<Vec<Figures>> = vec![Vec::new(); drivers.len()];
    let mut wrk = Vec::new();
    for round in 0..options.rounds {
        // Every driver has every place in the order.
        for place in 0..drivers.len() {
            let number = (round + place) % drivers.len();
            all[number].push(roles::run(drivers[number].1, stub.address, load, corpus));
        }
        if bulk.is_none() {
            wrk.extend(run_wrk(stub.address, clients, options.time));
        }
    }
    let work = match bulk {
        Some(size) => format!("bulk {size}"),
        None => "search".to_owned(),
    };
    let rate = |figures: &Figures| figures.documents as f64 / figures.seconds;
    let cpu = |figures: &Figures| figures.cpu_seconds * 1e6 / figures.documents as f64;
    for (number, (name, _)) in drivers.iter().enumerate() {
        let mine = &all[number];
        let memory = mine.iter().map(|figures| figures.resident_anonymous).max().unwrap_or(0) as f64
            / (1 << 20) as f64;
        crate::show(
            table,
            [
                work.clone(),
                clients.to_string(),
                (*name).to_owned(),
                format!("{:.0}", Spread::median(mine.iter().map(rate))),
                Spread::of_ratios(mine.iter().map(rate), all[0].iter().map(rate)).to_string(),
                format!("{:.3}", Spread::median(mine.iter().map(cpu))),
                Spread::of_ratios(mine.iter().map(cpu), all[0].iter().map(cpu)).to_string(),
                format!("{memory:.0}"),
            ],
        );
    }
    if !wrk.is_empty() {
        crate::show(
            table,
            [
                work,
                clients.to_string(),
                "wrk".to_owned(),
                format!("{:.0}", Spread::median(wrk.iter().copied())),
                Spread::of_ratios(wrk.iter().copied(), all[0].iter().map(rate)).to_string(),
                "-".to_owned(),
                "-".to_owned(),
                "-".to_owned(),
            ],
        );
    }
}

/// Requests per second of `wrk`, where it is installed.
fn run_wrk(server: std::net::SocketAddr, clients: usize, time: Duration) -> Option<f64> {
    let output = Command::new("wrk")
        .args([
            format!("-t{}", clients.min(2)),
            format!("-c{clients}"),
            format!("-d{}s", time.as_secs().max(1)),
            format!("http://{server}/bench/_search"),
        ])
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().find_map(|line| line.strip_prefix("Requests/sec:"))?.trim().parse().ok()
}
