//! When requests arrive at the server, against when they were due.

use std::path::Path;

use crate::Options;
use crate::roles::{self, Arrivals, Driver, Load, Stub};
use crate::table::{Ratio, Table};

const CLIENTS: usize = 8;

/// Quantiles of one run in microseconds.
#[derive(Debug, Clone, Copy)]
struct Lateness([f64; 3]);

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
                let seen = [lateness(&first.arrivals(), rate), lateness(&second.arrivals(), rate)];
                let mine = usize::from(swapped);
                pairs.push((seen[mine], seen[1 - mine]));
                cpu.push(figures[mine].cpu_seconds * 1e6 / figures[mine].requests as f64);
            }
            let column = |quantile: usize| pairs.iter().map(move |(mine, _)| mine.0[quantile]);
            let base = |quantile: usize| pairs.iter().map(move |(_, bare)| bare.0[quantile]);
            let mut row = vec![format!("{rate:.0}"), name.to_owned()];
            row.extend((0..3).map(|quantile| format!("{:.0}", Ratio::median(column(quantile)))));
            row.extend((0..3).map(|quantile| Ratio::of(column(quantile), base(quantile)).to_string()));
            row.push(format!("{:.1}", Ratio::median(cpu.into_iter())));
            table.row(row);
        }
    }
    table.print();
}

/// Per connection the due times are an interval apart; the earliest arrival relative to them is taken as punctual.
fn lateness(connections: &[Vec<u64>], rate: f64) -> Lateness {
    let interval = CLIENTS as f64 / rate * 1e9;
    let mut late: Vec<f64> = Vec::new();
    for arrivals in connections {
        let relative: Vec<f64> =
            arrivals.iter().enumerate().map(|(number, at)| *at as f64 - number as f64 * interval).collect();
        let anchor = relative.iter().copied().fold(f64::INFINITY, f64::min);
        late.extend(relative.iter().map(|at| (at - anchor) / 1000.0));
    }
    late.sort_by(f64::total_cmp);
    assert!(!late.is_empty(), "nothing arrived");
    let at = |quantile: f64| late[((late.len() - 1) as f64 * quantile) as usize];
    Lateness([at(0.5), at(0.99), at(0.999)])
}
