//! Results as JSON, for `--report-format json` and `race.json`.

use rally_race::{Metric, RequestMeta};
use serde_json::{Map, Value, json};

use crate::distribution::Figures;
use crate::percentiles::encode_float_key;
use crate::rows::Compat;
use crate::summary::{LapSummary, Summary, TaskSummary, Times};
use crate::throughput::Rates;
use crate::totals::{TOTALS, number};

/// Version of the JSON report: it changes when a name or a meaning does, not when something is added.
pub const SCHEMA_VERSION: u32 = 1;

impl Summary {
    /// The JSON report: `schema-version`, `status`, `compat` (`rally` or null), `results` over the whole race, `lap-results` (one
    /// per lap with its number `lap`, where there are several), `failed-tasks` (those that could not go on, with `lap`, `task` and `reason`)
    /// and `warnings`.
    ///
    /// Results have Rally's names from `race.json` where Rally has the figure: `op_metrics` with `task`, `operation`,
    /// `throughput`, `latency`, `service_time`, `processing_time`, `error_rate` (0 to 1), `duration` and `meta`, and totals such as
    /// `merge_time` in milliseconds or bytes. `metrics` are all figures of the cluster. Beside them each task has:
    ///
    /// - `operation-type`, `clients`, `target-throughput` (requests/s or null), `requests`, `warmup-requests`;
    /// - `throughput` has a `definition`; the other definition stands beside it: `rally_throughput` by default, and
    ///   `true_throughput` where a report as Rally's is asked for;
    /// - `latency` and its like are over successful requests; where some failed, `failed_latency` and `all_latency` stand
    ///   beside it. In a report as Rally's they are over all requests, and `failed_latency` and `successful_latency` stand beside;
    /// - where the runner gives a throughput itself, both throughputs are what it gives;
    /// - `request_meta`: by key `count`, `sum`, `min`, `max` and `mean` of the numbers that the runner reported for successful measured
    ///   requests, and `request_meta_dropped`: how many numbers under further keys are in no figure;
    /// - `ended_early` (null, or how many `clients` ran out of parameters, the `first` and the `last` of them after so many
    ///   seconds of `planned` ones);
    /// - `failed` (whether the task could not go on: its figures are partial) and `failed_reason`;
    /// - `send_lateness`, `driver_lag`, `failed_documents` (of measured requests; null where the task counts
    ///   something else), `failures` (`status`, `description`, `count` and `example`: what the target itself said, in full), `param_source_stalls`, `driver` (what the
    ///   driver saw of itself), `driver_limited` (null where it is not known) and `driver_limited_reason`, `busy_machine` and
    ///   `busy_machine_evidence`, and `latency_holds_up_to`: the highest percentile that a verdict leaves alone (0: not one; null:
    ///   there is no verdict about lateness).
    ///
    /// All times are in milliseconds. A figure that does not exist is null, or its group is an empty object, as in Rally.
    pub fn to_json(&self, compat: Option<Compat>) -> Value {
        json!({
            "schema-version": SCHEMA_VERSION,
            "status": self.status,
            "compat": compat.map(|Compat::Rally| "rally"),
            "results": self.results(compat),
            "lap-results": self.lap_results(compat),
            "failed-tasks": self.failed_tasks(),
            "warnings": self.warnings(compat),
        })
    }

    /// The results over the whole race, as the field `results` of race.json has them.
    pub fn results(&self, compat: Option<Compat>) -> Value {
        self.whole_race().map_or_else(|| json!({"op_metrics": []}), |race| race.record(compat))
    }

    /// The results of each lap with its number; empty where there is only one.
    pub fn lap_results(&self, compat: Option<Compat>) -> Vec<Value> {
        let laps = if self.has_laps() { &self.laps[..self.laps.len() - 1] } else { &[] };
        laps.iter()
            .map(|lap| {
                let mut record = lap.record(compat);
                record["lap"] = json!(lap.lap);
                record
            })
            .collect()
    }
}

impl LapSummary {
    fn record(&self, compat: Option<Compat>) -> Value {
        let mut record = Map::new();
        record.insert("op_metrics".to_owned(), self.tasks.iter().map(|task| task.record(compat)).collect());
        for total in TOTALS {
            total.record(&self.metrics, &mut record);
        }
        record.insert("metrics".to_owned(), self.metrics.iter().flatten().map(metric).collect());
        Value::Object(record)
    }
}

impl TaskSummary {
    fn record(&self, compat: Option<Compat>) -> Value {
        let mut record = Map::new();
        let mut put = |name: &str, value: Value| record.insert(name.to_owned(), value);
        put("task", json!(self.info.name));
        put("operation", json!(self.info.operation));
        put("operation-type", json!(self.info.operation_type));
        put("clients", json!(self.info.clients));
        put("target-throughput", json!(self.info.target_throughput));
        put("requests", json!(self.requests));
        put("warmup-requests", json!(self.warmup_requests));
        let unit = if self.unit.is_empty() { Value::Null } else { json!(format!("{}/s", self.unit)) };
        let [truth, rally] = match self.throughput_given {
            true => ["as its runner gives it"; 2],
            false => [
                "work per second of completion, warm-up excluded",
                "running average since the task's start, warm-up included",
            ],
        };
        let truth = rates(self.throughput.as_ref(), &unit, truth);
        let rally = rates(self.rally_throughput.as_ref(), &unit, rally);
        let (main, other, other_name) = match compat {
            None => (truth, rally, "rally_throughput"),
            Some(Compat::Rally) => (rally, truth, "true_throughput"),
        };
        put("throughput", main);
        put(other_name, other);
        for (name, times) in [
            ("latency", &self.latency),
            ("service_time", &self.service_time),
            ("processing_time", &self.processing_time),
        ] {
            put(name, figures(times.main(compat)));
            for (ending, figures_of_ending) in beside(times, compat) {
                put(&format!("{ending}_{name}"), figures(figures_of_ending));
            }
        }
        put("error_rate", json!(self.error_rate));
        put("failed_documents", json!(self.failed_documents().map(number)));
        put("duration", json!(self.duration));
        put("send_lateness", figures(self.send_lateness.as_ref()));
        put("driver_lag", figures(self.driver_lag.as_ref()));
        put("failures", json!(self.failures));
        put("param_source_stalls", json!(self.param_source_stalls));
        let driver = self.driver;
        put(
            "driver",
            driver.map_or(Value::Null, |driver| {
                json!({
                    "busiest_thread": driver.load.busiest_thread,
                    "longest_burst": driver.load.longest_burst as f64 / 1e6,
                    "cpu_time": driver.load.cpu_time as f64 / 1e6,
                    "wall_time": driver.load.wall_time as f64 / 1e6,
                    "run_queue_delay": driver.load.run_queue_delay as f64 / 1e6,
                    "steal": driver.load.steal,
                    "load_average": driver.load.load_average,
                    "unit": "ms",
                })
            }),
        );
        let verdict = driver.map(|driver| driver.verdict);
        put("driver_limited", json!(verdict.map(|verdict| verdict.driver_limited.is_some())));
        let reason = verdict.and_then(|verdict| verdict.driver_limited).map(|reason| reason.to_string());
        put("driver_limited_reason", json!(reason));
        put("busy_machine", json!(verdict.map(|verdict| verdict.busy_machine.is_some())));
        let evidence = verdict.and_then(|verdict| verdict.busy_machine).map(|evidence| evidence.to_string());
        put("busy_machine_evidence", json!(evidence));
        put("latency_holds_up_to", json!(verdict.and_then(|verdict| verdict.holds_up_to)));
        put("request_meta", request_meta(&self.request_meta));
        put("request_meta_dropped", json!(self.request_meta.dropped));
        let early = self.ran_out.map(|early| {
            json!({
                "clients": early.clients,
                "first": early.first,
                "last": early.last,
                "planned": early.planned,
                "unit": "s",
            })
        });
        put("ended_early", json!(early));
        put("failed", json!(self.failed.is_some()));
        put("failed_reason", json!(self.failed));
        put("meta", Value::Object(self.info.meta.clone()));
        Value::Object(record)
    }
}

/// The times that are not in the main group, where some requests failed.
fn beside(times: &Times, compat: Option<Compat>) -> Vec<(&'static str, Option<&Figures>)> {
    if times.failure.is_none() {
        return Vec::new();
    }
    let second = match compat {
        None => ("all", times.all.as_ref()),
        Some(Compat::Rally) => ("successful", times.success.as_ref()),
    };
    vec![("failed", times.failure.as_ref()), second]
}

fn rates(rates: Option<&Rates>, unit: &Value, definition: &str) -> Value {
    json!({
        "min": rates.map(|rates| rates.min),
        "mean": rates.map(|rates| rates.mean),
        "median": rates.map(|rates| rates.median),
        "max": rates.map(|rates| rates.max),
        "unit": unit,
        "definition": definition,
    })
}

fn figures(figures: Option<&Figures>) -> Value {
    let mut record = Map::new();
    if let Some(figures) = figures {
        for (percentile, value) in &figures.percentiles {
            record.insert(encode_float_key(*percentile), json!(value));
        }
        record.insert("mean".to_owned(), json!(figures.mean));
        record.insert("unit".to_owned(), json!("ms"));
        record.insert("count".to_owned(), json!(figures.count));
    }
    Value::Object(record)
}

fn request_meta(meta: &RequestMeta) -> Value {
    let figures = meta.figures.iter().map(|(key, figure)| {
        let figures = json!({
            "count": figure.count,
            "sum": number(figure.sum),
            "min": number(figure.min),
            "max": number(figure.max),
            "mean": number(figure.mean()),
        });
        (key.clone(), figures)
    });
    Value::Object(figures.collect())
}

fn metric(metric: &Metric) -> Value {
    json!({"name": metric.name, "value": number(metric.value), "unit": metric.unit})
}
