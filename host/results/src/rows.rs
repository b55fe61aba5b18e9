//! The rows of the report: Rally's in Rally's order, and beside them figures that Rally does not have.

use serde::{Deserialize, Serialize};

use crate::distribution::Figures;
use crate::percentiles::ordinal;
use crate::summary::{Lap, LapSummary, Summary, TaskSummary, Times};
use crate::throughput::Rates;
use crate::totals::TOTALS;

/// Whose report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Compat {
    /// Rally's rows and Rally's definitions: throughput is the running average with warm-up in it, times are those of all
    /// requests whether they failed or not.
    Rally,
}

/// One row of the report.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Which lap the row is about.
    pub lap: Lap,
    /// What was measured.
    pub metric: String,
    /// Name of the task; empty for what is about the whole cluster.
    pub task: String,
    /// How much.
    pub value: Cell,
    /// In which unit; empty for counts.
    pub unit: String,
}

/// A value of the report.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// A number.
    Number(f64),
    /// A number of which two decimals are shown.
    TwoDecimals(f64),
    /// A word.
    Text(&'static str),
}

impl Summary {
    /// All rows of the report, lap by lap.
    pub fn rows(&self, compat: Option<Compat>) -> Vec<Row> {
        self.laps.iter().flat_map(|lap| lap.rows(compat)).collect()
    }
}

impl LapSummary {
    fn rows(&self, compat: Option<Compat>) -> Vec<Row> {
        let mut rows = Rows { lap: self.lap, task: String::new(), rows: Vec::new() };
        for total in TOTALS.iter().flat_map(|total| total.rows(&self.metrics)) {
            rows.push(total.label, Cell::Number(total.value), total.unit);
        }
        for task in self.tasks.iter().filter(|task| task.is_reported()) {
            rows.task.clone_from(&task.info.name);
            match compat {
                Some(Compat::Rally) => rows.task_as_rally(task),
                None => rows.task(task),
            }
        }
        rows.rows
    }
}

impl Times {
    /// The times of the report's main rows: those of successful requests, and as Rally has it those of all.
    pub fn main(&self, compat: Option<Compat>) -> Option<&Figures> {
        match compat {
            Some(Compat::Rally) => self.all.as_ref(),
            None => self.success.as_ref(),
        }
    }
}

impl TaskSummary {
    /// The throughput under Rally's names: the true rate, and as Rally has it the running average.
    pub fn main_throughput(&self, compat: Option<Compat>) -> Option<&Rates> {
        match compat {
            Some(Compat::Rally) => self.rally_throughput.as_ref(),
            None => self.throughput.as_ref(),
        }
    }

    /// Whether the report shows it: as in Rally all tasks with errors, and those that are to be shown. Operations that only
    /// prepare others, such as `create-index`, are not, unless the track says so.
    pub fn is_reported(&self) -> bool {
        self.info.reported || self.error_rate > 0.0 || self.failed.is_some()
    }

    /// Whether requests were made and all of them failed, unexpectedly. Those of the warm-up decide where there are no others. A
    /// request counts as failed as a whole even where parts of it succeeded, so work that was done is success.
    pub fn nothing_succeeded(&self) -> bool {
        if self.info.may_fail || self.throughput.is_some() {
            return false;
        }
        match self.requests {
            0 => self.warmup_requests > 0 && self.warmup_failures == self.warmup_requests,
            _ => self.error_rate >= 1.0,
        }
    }

    /// Whether any request was made, warm-up included.
    pub fn was_run(&self) -> bool {
        self.requests + self.warmup_requests > 0
    }
}

/// Unit of tasks that count documents.
const DOCS: &str = "docs";

impl TaskSummary {
    /// Number of documents that failed; `None` where the task counts something else.
    pub fn failed_documents(&self) -> Option<f64> {
        (self.unit == DOCS).then_some(self.failed_work)
    }
}

struct Rows {
    lap: Lap,
    task: String,
    rows: Vec<Row>,
}

impl Rows {
    fn push(&mut self, metric: impl Into<String>, value: Cell, unit: &str) {
        self.rows.push(Row {
            lap: self.lap,
            metric: metric.into(),
            task: self.task.clone(),
            value,
            unit: unit.to_owned(),
        });
    }

    fn task_as_rally(&mut self, task: &TaskSummary) {
        let compat = Some(Compat::Rally);
        self.throughput(task, compat);
        self.percentiles("latency", task.latency.main(compat));
        self.percentiles("service time", task.service_time.main(compat));
        self.push("error rate", Cell::TwoDecimals(task.error_rate * 100.0), "%");
    }

    fn task(&mut self, task: &TaskSummary) {
        if task.was_run() {
            self.figures(task);
        }
        if task.failed.is_some() {
            self.push("task failed", Cell::Text("yes"), "");
        }
    }

    fn figures(&mut self, task: &TaskSummary) {
        self.throughput(task, None);
        for (name, times) in [("latency", &task.latency), ("service time", &task.service_time)] {
            self.percentiles(name, times.main(None));
            self.mean(name, times.main(None));
        }
        for (name, times) in [("failed latency", &task.latency), ("failed service time", &task.service_time)]
        {
            self.percentiles(name, times.failure.as_ref());
            self.mean(name, times.failure.as_ref());
        }
        self.push("error rate", Cell::TwoDecimals(task.error_rate * 100.0), "%");
        if let Some(documents) = task.failed_documents().filter(|documents| *documents > 0.0) {
            self.push("failed documents", Cell::Number(documents), DOCS);
        }
        if let Some(lateness) = &task.send_lateness {
            for percentile in [50.0, 99.0, 100.0] {
                if let Some(value) = lateness.percentile(percentile) {
                    self.push(
                        format!("{} percentile send lateness", ordinal(percentile)),
                        Cell::Number(value),
                        "ms",
                    );
                }
            }
        }
        if task.param_source_stalls > 0 {
            self.push("param source stalls", Cell::Number(task.param_source_stalls as f64), "");
        }
        if let Some(driver) = &task.driver {
            let limited = driver.verdict.driver_limited.is_some();
            self.push("driver-limited", Cell::Text(if limited { "yes" } else { "no" }), "");
            if driver.verdict.busy_machine.is_some() {
                self.push("busy machine", Cell::Text("yes"), "");
            }
        }
    }

    fn throughput(&mut self, task: &TaskSummary, compat: Option<Compat>) {
        let Some(rates) = task.main_throughput(compat) else { return };
        let unit = format!("{}/s", task.unit);
        for (name, rate) in
            [("Min", rates.min), ("Mean", rates.mean), ("Median", rates.median), ("Max", rates.max)]
        {
            // Two decimals, as Rally has it, would make 0 of a force-merge of some minutes.
            let two_decimals = compat.is_some() || rate >= 1.0;
            let cell = if two_decimals { Cell::TwoDecimals(rate) } else { Cell::Number(rate) };
            self.push(format!("{name} Throughput"), cell, &unit);
        }
    }

    fn percentiles(&mut self, name: &str, figures: Option<&Figures>) {
        for (percentile, value) in figures.iter().flat_map(|figures| &figures.percentiles) {
            self.push(format!("{} percentile {name}", ordinal(*percentile)), Cell::Number(*value), "ms");
        }
    }

    fn mean(&mut self, name: &str, figures: Option<&Figures>) {
        if let Some(figures) = figures {
            self.push(format!("Mean {name}"), Cell::Number(figures.mean), "ms");
        }
    }
}
