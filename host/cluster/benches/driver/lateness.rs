//! When requests arrive at the server, against when they were due.

use std::path::Path;

use crate::Options;
use crate::arrivals::lateness;
use crate::roles::{self, Driver, Load};
use crate::server::{Arrivals, Stub};
use crate::table::{Spread, Table};

const CLIENTS: usize = 8;

/// Prints the table. Drivers run in pairs at the same time, against a server each, and change places, so that what else the
/// machine does hits both; the pair of two bare loops shows how far two equal programs differ.
pub fn measure(options: &Options, corpus: &Path) {
    let mut table = Table::new(
        "Arrival lateness, 8 clients, pairs at the same time (bare: threads with clock_nanosleep)",
        &[
            "rate/s each",
            "pair",
            "p50 µs",
            "p99 µs",
            "p99.9 µs",
            "ratio p50",
            "ratio p99",
            "ratio p99.9",
            "CPU µs each",
        ],
    );
    for rate in [1_000.0, 5_000.0, 20_000.0] {
        for (name, other) in [("bare / bare", Driver::Bare), ("rally / bare", Driver::Rally)] {
            let load = Load { clients: CLIENTS, bulk: None, rate: Some(rate), time: options.lateness_time };
            let mut pairs = Vec::new();
            let mut cpu = Vec::new();
            for round in 0..options.lateness_rounds {
                let (first, second) = (Stub::start(Arrivals::Noted), Stub::start(Arrivals::Noted));
                let swapped = round % 2 == 1;
                let order = if swapped { [Driver::Bare, other] } else { [other, Driver::Bare] };
                let running = [
                    roles::start(order[0], first.address, load, corpus),
                    roles::start(order[1], second.address, load, corpus),
                ];
                let figures = running.map(roles::finish);
                let interval = CLIENTS as f64 / rate;
                let seen = [lateness(&first.arrivals(), interval), lateness(&second.arrivals(), interval)];
                let mine = usize::from(swapped);
                pairs.push((seen[mine], seen[1 - mine]));
                cpu.push(figures[mine].cpu_seconds * 1e6 / figures[mine].requests as f64);
            }
            let column = |quantile: usize| pairs.iter().map(move |(mine, _)| mine[quantile]);
            let base = |quantile: usize| pairs.iter().map(move |(_, bare)| bare[quantile]);
            let mut row = vec![format!("{rate:.0}"), name.to_owned()];
            row.extend((0..3).map(|quantile| format!("{:.0}", Spread::median(column(quantile)))));
            row.extend(
                (0..3).map(|quantile| Spread::of_ratios(column(quantile), base(quantile)).to_string()),
            );
            row.push(format!("{:.1}", Spread::median(cpu.into_iter())));
            crate::show(&mut table, row);
        }
    }
    table.print();
}
