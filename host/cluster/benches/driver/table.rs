//! Tables in Markdown, as docs/performance.md has them, and the machine. Used by more than one benchmark.

use std::fmt;

/// A table that is printed as a whole.
pub struct Table {
    title: String,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty one.
    pub fn new(title: &str, columns: &[&str]) -> Table {
        Table {
            title: title.to_owned(),
            rows: vec![columns.iter().map(|&column| column.to_owned()).collect()],
        }
    }

    /// Adds a row.
    pub fn add(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Prints it to standard output.
    pub fn print(&self) {
        println!("\n### {}\n", self.title);
        for (number, row) in self.rows.iter().enumerate() {
            println!("| {} |", row.join(" | "));
            if number == 0 {
                println!("|{}", "---|".repeat(row.len()));
            }
        }
    }
}

/// A figure over the rounds: the median, and the range.
#[derive(Debug, Clone, Copy, serde::Serialize)]
pub struct Spread {
    /// The median.
    pub median: f64,
    /// The smallest.
    pub low: f64,
    /// The largest.
    pub high: f64,
}

impl Spread {
    /// Of the figures of the rounds.
    pub fn of(figures: impl Iterator<Item = f64>) -> Spread {
        let mut figures: Vec<f64> = figures.collect();
        figures.sort_by(f64::total_cmp);
        Spread {
            median: Spread::median(figures.iter().copied()),
            low: figures.first().copied().unwrap_or(f64::NAN),
            high: figures.last().copied().unwrap_or(f64::NAN),
        }
    }

    /// Of the ratios of each round's figure to that of the base in the same round.
    pub fn of_ratios(mine: impl Iterator<Item = f64>, base: impl Iterator<Item = f64>) -> Spread {
        Spread::of(mine.zip(base).map(|(mine, base)| mine / base))
    }

    /// The median of some figures.
    pub fn median(figures: impl Iterator<Item = f64>) -> f64 {
        let mut figures: Vec<f64> = figures.collect();
        figures.sort_by(f64::total_cmp);
        match figures.len() {
            0 => f64::NAN,
            count if count % 2 == 1 => figures[count / 2],
            count => (figures[count / 2 - 1] + figures[count / 2]) / 2.0,
        }
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:.2} ({:.2}-{:.2})", self.median, self.low, self.high)
    }
}

/// The machine: what it is, and how busy it is with other things.
pub struct Machine {
    /// Busy, stolen and all time of the CPUs since boot, in ticks.
    ticks: [u64; 3],
    /// CPU time of this program's children so far, in ticks.
    children: u64,
}

impl Machine {
    /// Begins to watch it.
    pub fn look() -> Machine {
        Machine { ticks: ticks(), children: children() }
    }

    /// What machine this is.
    pub fn description(&self) -> String {
        let model = read("/proc/cpuinfo")
            .lines()
            .find_map(|line| line.strip_prefix("model name"))
            .map_or("unknown CPU".to_owned(), |rest| rest.trim_start_matches([' ', '\t', ':']).to_owned());
        let memory = read("/proc/meminfo").lines().next().unwrap_or_default().to_owned();
        format!(
            "Machine: {} cores, {model}, {memory}, Linux {}",
            std::thread::available_parallelism().map_or(1, usize::from),
            read("/proc/sys/kernel/osrelease").trim()
        )
    }

    /// How much of the CPUs others took meanwhile: who trusts the figures wants to know.
    pub fn load(&self) -> String {
        let now = ticks();
        let [busy, stolen, all] = [0, 1, 2].map(|part| (now[part] - self.ticks[part]) as f64);
        let ours = (children() - self.children) as f64;
        format!(
            "Of the machine's CPU time this measurement took {:.0} %, other processes {:.1} %, other guests of the host {:.1} %.",
            ours / all * 100.0,
            (busy - ours).max(0.0) / all * 100.0,
            stolen / all * 100.0
        )
    }
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

/// Busy, stolen and all time of the CPUs, in ticks.
fn ticks() -> [u64; 3] {
    // user nice system idle iowait irq softirq steal
    let fields: Vec<u64> = read("/proc/stat")
        .lines()
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .skip(1)
        .take(8)
        .filter_map(|field| field.parse().ok())
        .collect();
    let at = |field: usize| fields.get(field).copied().unwrap_or(0);
    [at(0) + at(1) + at(2) + at(5) + at(6), at(7), fields.iter().sum()]
}

/// CPU time of children that have ended and of this process, in ticks.
fn children() -> u64 {
    let stat = read("/proc/self/stat");
    // After the name, which may hold anything: state is field 3, utime to cstime are fields 14 to 17.
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().skip(11).take(4);
    fields.filter_map(|field| field.parse::<u64>().ok()).sum()
}
