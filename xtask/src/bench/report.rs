//! The CSV reports of rally and esrally: both have the columns Metric, Task, Value and Unit.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;

/// A report.
#[derive(Debug, Default)]
pub struct Report {
    /// By metric and task, as text: not all values are numbers.
    values: BTreeMap<(String, String), String>,
}

impl Report {
    /// Reads one.
    ///
    /// # Errors
    /// Where the file cannot be read or has other columns.
    pub fn read(path: &Path) -> anyhow::Result<Report> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("the race left no report in {}", path.display()))?;
        Report::parse(&text).with_context(|| format!("{} is not a report", path.display()))
    }

    fn parse(text: &str) -> anyhow::Result<Report> {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let header = reader.headers()?.clone();
        let column = |name: &str| {
            header
                .iter()
                .position(|known| known == name)
                .with_context(|| format!("there is no column '{name}'"))
        };
        let [metric, task, value] = [column("Metric")?, column("Task")?, column("Value")?];
        let mut values = BTreeMap::new();
        for record in reader.records() {
            let record = record?;
            let cell = |column: usize| record.get(column).unwrap_or_default().to_owned();
            values.insert((cell(metric), cell(task)), cell(value));
        }
        Ok(Report { values })
    }

    /// A figure of a task; `None` where the report has none.
    pub fn value(&self, metric: &str, task: &str) -> Option<f64> {
        self.values.get(&(metric.to_owned(), task.to_owned()))?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_found_by_metric_and_task() {
        let report = Report::parse(
            "Metric,Task,Value,Unit\nSegment count,,1,\nMean Throughput,index,3072.31,docs/s\nerror rate,index,0.00,%\n",
        )
        .unwrap();
        assert_eq!(report.value("Mean Throughput", "index"), Some(3072.31));
        assert_eq!(report.value("error rate", "index"), Some(0.0));
        assert_eq!(report.value("Mean Throughput", "search"), None);
    }

    #[test]
    fn other_columns_are_an_error() {
        assert!(Report::parse("a,b\n1,2\n").unwrap_err().to_string().contains("Metric"));
    }
}
