//! Tables in Markdown, as docs/performance.md has them.

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

    /// Adds a row, and shows it as it comes.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let row: Vec<String> = cells.into_iter().collect();
        eprintln!("{}", row.join(" | "));
        self.rows.push(row);
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

/// A ratio over the rounds: the median, and the range.
pub struct Ratio {
    median: f64,
    low: f64,
    high: f64,
}

impl Ratio {
    /// Of the figures of each round to those of the base in the same round.
    pub fn of(mine: impl Iterator<Item = f64>, base: impl Iterator<Item = f64>) -> Ratio {
        let mut ratios: Vec<f64> = mine.zip(base).map(|(mine, base)| mine / base).collect();
        ratios.sort_by(f64::total_cmp);
        Ratio {
            median: Ratio::median(ratios.iter().copied()),
            low: ratios.first().copied().unwrap_or(f64::NAN),
            high: ratios.last().copied().unwrap_or(f64::NAN),
        }
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

impl fmt::Display for Ratio {
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
    /// Prints what machine this is, and begins to watch it.
    pub fn look() -> Machine {
        let model = read("/proc/cpuinfo")
            .lines()
            .find_map(|line| line.strip_prefix("model name"))
            .map_or("unknown CPU".to_owned(), |rest| rest.trim_start_matches([' ', '\t', ':']).to_owned());
        let memory = read("/proc/meminfo").lines().next().unwrap_or_default().to_owned();
        println!(
            "Machine: {} cores, {model}, {memory}, Linux {}",
            std::thread::available_parallelism().map_or(1, usize::from),
            read("/proc/sys/kernel/osrelease").trim()
        );
        Machine { ticks: ticks(), children: children() }
    }

    /// Prints how much of the CPUs others took meanwhile: who trusts the figures wants to know.
    pub fn print_load(&self) {
        let now = ticks();
        let [busy, stolen, all] = [0, 1, 2].map(|part| (now[part] - self.ticks[part]) as f64);
        let ours = (children() - self.children) as f64;
        println!(
            "\nOf the machine's CPU time this measurement took {:.0} %, other processes {:.1} %, other guests of the host {:.1} %.",
            ours / all * 100.0,
            (busy - ours).max(0.0) / all * 100.0,
            stolen / all * 100.0
        );
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
