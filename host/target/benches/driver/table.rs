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

/// Says what machine this is.
pub fn machine() {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
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
}
