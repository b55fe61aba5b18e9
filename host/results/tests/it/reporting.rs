//! The report, letter by letter.

use std::fs;
use std::path::Path;

use crate::common::{Request, recording, task};
use rally_race::{DriverLoad, Metric, names::PER_SHARD};
use rally_results::{
    Collector, Compat, RaceStatus, ReportFormat, ReportOptions, Summary, TaskInfo, render, write_report,
};
use serde_json::{Value, json};

const MARKDOWN: ReportOptions = ReportOptions { format: ReportFormat::Markdown, compat: None, width: None };
const CSV: ReportOptions = ReportOptions { format: ReportFormat::Csv, ..MARKDOWN };
const JSON: ReportOptions = ReportOptions { format: ReportFormat::Json, ..MARKDOWN };

/// A request in the warm-up and two that count, 250 ms each. The middle of the bucket that 250 ms fall into is 250.01984 ms, of
/// 0.25 ms it is 0.250048 ms.
fn requests() -> Vec<Request> {
    let mut requests = vec![
        Request { send_lateness: Some(250_000), ..Request::new(0.25, 0.5, 1.0) },
        Request { send_lateness: Some(250_000), ..Request::new(0.5, 0.75, 1.0) },
    ];
    requests.insert(0, Request::new(0.0, 0.25, 2.5).warmup());
    requests
}

fn metrics() -> Vec<Metric> {
    let metric = Metric::new;
    let shards = format!("indexing_total_time{PER_SHARD}");
    vec![
        metric("store_size_in_bytes", 1_610_612_736.0, "byte"),
        metric("indexing_total_time", 90_000.0, "ms"),
        metric(shards.as_str(), 30_000.0, "ms"),
        metric(shards.as_str(), 60_000.0, "ms"),
        metric("merges_total_time", 0.0, "ms"),
        metric("merges_total_count", 12.0, ""),
        metric("segments_count", 7.0, ""),
        metric("known_to_nobody", 1.0, ""),
    ]
}

fn one_lap() -> Summary {
    let mut collector =
        Collector::new([TaskInfo { target_throughput: Some(4.0), ..task(0, 1, "match-all") }]);
    collector.add(0, &recording(&requests(), "ops")).unwrap();
    collector.finish(0, DriverLoad { wall_time: 1, ..DriverLoad::default() }).unwrap();
    collector.add_metrics(1, metrics());
    collector.summary(RaceStatus::Complete)
}

fn two_laps() -> Summary {
    let mut collector = Collector::new([task(0, 1, "force-merge"), task(1, 2, "force-merge")]);
    for id in 0..2 {
        collector.add(id, &recording(&[Request::new(0.0, 4.0, 1.0)], "ops")).unwrap();
    }
    collector.summary(RaceStatus::Complete)
}

#[test]
fn a_table_looks_as_rallys() {
    let expected = "\
|                                                Metric |      Task |    Value |   Unit |
|------------------------------------------------------:|----------:|---------:|-------:|
|            Cumulative indexing time of primary shards |           |      1.5 |    min |
|    Min cumulative indexing time across primary shards |           |      0.5 |    min |
| Median cumulative indexing time across primary shards |           |     0.75 |    min |
|    Max cumulative indexing time across primary shards |           |        1 |    min |
|               Cumulative merge time of primary shards |           |        0 |    min |
|              Cumulative merge count of primary shards |           |       12 |        |
|                                            Store size |           |      1.5 |     GB |
|                                         Segment count |           |        7 |        |
|                                        Min Throughput | match-all |        4 |  ops/s |
|                                       Mean Throughput | match-all |        4 |  ops/s |
|                                     Median Throughput | match-all |        4 |  ops/s |
|                                        Max Throughput | match-all |        4 |  ops/s |
|                               50th percentile latency | match-all |   250.02 |     ms |
|                              100th percentile latency | match-all |   250.02 |     ms |
|                                          Mean latency | match-all |   250.02 |     ms |
|                          50th percentile service time | match-all |   250.02 |     ms |
|                         100th percentile service time | match-all |   250.02 |     ms |
|                                     Mean service time | match-all |   250.02 |     ms |
|                                            error rate | match-all |        0 |      % |
|                         50th percentile send lateness | match-all | 0.250048 |     ms |
|                        100th percentile send lateness | match-all | 0.250048 |     ms |
|                                        driver-limited | match-all |       no |        |
";
    assert_eq!(render(&one_lap(), &MARKDOWN), expected);
}

#[test]
fn a_compatible_report_has_rallys_rows_and_rallys_throughput() {
    let report = render(&one_lap(), &ReportOptions { compat: Some(Compat::Rally), ..CSV });
    let of_task: Vec<&str> = report.lines().filter(|line| line.contains("match-all")).collect();
    let expected = [
        // Work of 4.5, warm-up included, until the start of the last request after half a second, which Rally's clock calls
        // three quarters: it begins with the first request's end at a quarter of a second.
        "Min Throughput,match-all,6.00,ops/s",
        "Mean Throughput,match-all,6.00,ops/s",
        "Median Throughput,match-all,6.00,ops/s",
        "Max Throughput,match-all,6.00,ops/s",
        "50th percentile latency,match-all,250.01984,ms",
        "100th percentile latency,match-all,250.01984,ms",
        "50th percentile service time,match-all,250.01984,ms",
        "100th percentile service time,match-all,250.01984,ms",
        "error rate,match-all,0.00,%",
    ];
    assert_eq!(of_task, expected);
}

#[test]
fn csv_has_a_lap_column_where_there_are_several() {
    let expected = "\
Lap,Metric,Task,Value,Unit
1,Min Throughput,force-merge,0.25,ops/s
1,Mean Throughput,force-merge,0.25,ops/s
1,Median Throughput,force-merge,0.25,ops/s
1,Max Throughput,force-merge,0.25,ops/s
1,100th percentile latency,force-merge,4000.31744,ms
";
    let report = render(&two_laps(), &CSV);
    let laps: Vec<&str> = report.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(laps, [vec!["1"; 9], vec!["2"; 9], vec!["All"; 11]].concat());
    assert_eq!(report.lines().take(6).collect::<Vec<_>>(), expected.lines().collect::<Vec<_>>());
}

#[test]
fn csv_quotes_what_would_break_it_and_a_table_escapes_it() {
    let mut collector = Collector::new([task(0, 1, "a,\"b\"|c\nd")]);
    collector.add(0, &recording(&[Request::new(0.0, 1.0, 1.0)], "ops")).unwrap();
    let summary = collector.summary(RaceStatus::Complete);
    assert!(render(&summary, &CSV).contains("error rate,\"a,\"\"b\"\"|c\nd\",0.00,%\n"));
    let table = render(&summary, &MARKDOWN);
    assert!(table.contains("| a,\"b\"\\|c d |"), "{table}");
    let widths: Vec<usize> = table.lines().map(|line| line.chars().count()).collect();
    assert!(widths.iter().all(|width| *width == widths[0]), "{table}");
}

#[test]
fn a_table_fits_the_terminal_without_breaking_rows_or_figures() {
    let rows = render(&one_lap(), &MARKDOWN).lines().count();
    let table = render(&one_lap(), &ReportOptions { width: Some(72), ..MARKDOWN });
    assert!(table.lines().all(|line| line.chars().count() <= 72), "{table}");
    assert_eq!(table.lines().count(), rows);
    assert!(table.contains(" Cumulative indexing time |"), "{table}");
    assert!(table.contains("250.02"), "{table}");
    assert!(table.contains(" Median indexing per shard |"), "{table}");
    // Narrower than legible: names keep their least width.
    let table = render(&one_lap(), &ReportOptions { width: Some(10), ..MARKDOWN });
    assert!(table.contains("Median index…g per shard"), "{table}");
}

#[test]
fn large_and_small_figures_are_shown_without_an_exponent() {
    let value = |milliseconds| {
        let mut collector = Collector::default();
        let name = "indexing_total_time".to_owned();
        collector.add_metrics(1, [Metric::new(name, milliseconds, "ms")]);
        let report = render(&collector.summary(RaceStatus::Complete), &MARKDOWN);
        report.lines().last().unwrap().split('|').nth(3).unwrap().trim().to_owned()
    };
    assert_eq!(value(60_000.0 * 123_456_789.0), "123456789");
    assert_eq!(value(60_000.0 * 66_374.234), "66374.2");
    assert_eq!(value(60_000.0 * 1_234_567.8), "1234568");
    assert_eq!(value(0.6), "0.00001");
}

#[test]
fn json_has_both_throughputs_and_says_which_is_which() {
    let report: Value = serde_json::from_str(&render(&one_lap(), &JSON)).unwrap();
    assert_eq!(report["schema-version"], 1);
    assert_eq!((&report["status"], &report["compat"]), (&json!("complete"), &Value::Null));
    let results = &report["results"];
    assert_eq!(results["total_time"], 90_000);
    assert_eq!(
        results["total_time_per_shard"],
        json!({"min": 30000, "median": 45000, "max": 60000, "unit": "ms"})
    );
    assert_eq!(results["store_size"], 1_610_612_736_u64);
    assert_eq!(results["metrics"].as_array().unwrap().len(), metrics().len());
    let task = &results["op_metrics"][0];
    assert_eq!((&task["throughput"]["mean"], &task["rally_throughput"]["mean"]), (&json!(4.0), &json!(6.0)));
    assert!(task["throughput"]["definition"].as_str().unwrap().contains("warm-up excluded"));
    assert!(task["rally_throughput"]["definition"].as_str().unwrap().contains("warm-up included"));
    assert_eq!((&task["requests"], &task["warmup-requests"]), (&json!(2), &json!(1)));
    assert_eq!(
        task["service_time"],
        json!({"50_0": 250.01984, "100_0": 250.01984, "mean": 250.01984, "unit": "ms", "count": 2})
    );
    assert_eq!(task["driver_limited"], false);

    let compatible = one_lap().to_json(Some(Compat::Rally));
    assert_eq!(compatible["compat"], "rally");
    let task = &compatible["results"]["op_metrics"][0];
    assert_eq!((&task["throughput"]["mean"], &task["true_throughput"]["mean"]), (&json!(6.0), &json!(4.0)));
}

#[test]
fn names_in_json_stay_what_they_are() {
    let report = one_lap().to_json(None);
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(
        names(&report),
        ["schema-version", "status", "compat", "results", "lap-results", "failed-tasks", "warnings"]
    );
    let task = &report["results"]["op_metrics"][0];
    #[rustfmt::skip]
    assert_eq!(
        names(task),
        [
            "task", "operation", "operation-type", "clients", "target-throughput", "requests", "warmup-requests",
            "throughput", "rally_throughput", "latency", "service_time", "processing_time", "error_rate", "failed_documents",
            "duration", "send_lateness", "driver_lag", "failures", "param_source_stalls", "driver", "driver_limited",
            "driver_limited_reason", "busy_machine", "busy_machine_evidence", "latency_holds_up_to", "request_meta", "request_meta_dropped", "ended_early", "failed", "failed_reason", "meta",
        ]
    );
    assert_eq!(names(&task["throughput"]), ["min", "mean", "median", "max", "unit", "definition"]);
    assert_eq!(
        names(&task["driver"]),
        [
            "busiest_thread",
            "longest_burst",
            "cpu_time",
            "wall_time",
            "run_queue_delay",
            "steal",
            "load_average",
            "unit"
        ]
    );
    assert_eq!(task["target-throughput"], 4.0);
}

#[test]
fn failed_requests_have_rows_of_their_own() {
    let mut collector = Collector::new([task(0, 1, "search")]);
    let requests =
        [Request::new(0.0, 0.25, 1.0), Request::new(0.25, 0.5, 1.0), Request::new(0.5, 2.5, 0.0).failed()];
    collector.add(0, &recording(&requests, "ops")).unwrap();
    let summary = collector.summary(RaceStatus::Complete);
    let report = render(&summary, &CSV);
    for row in [
        "50th percentile service time,search,250.01984,ms",
        "100th percentile service time,search,250.01984,ms",
        "100th percentile failed service time,search,2000.15872,ms",
        "error rate,search,33.33,%",
    ] {
        assert!(report.lines().any(|line| line == row), "{row} is not in\n{report}");
    }
    assert_eq!(
        summary.warnings(None),
        [
            "the error rate of task 'search' is 33.33 %: 1 x HTTP 429 too many requests",
            "latency and service time of task 'search' cover its 2 successful requests; its 1 failed requests have rows of their own",
        ]
    );
    // As Rally has it there is one set of percentiles, over all requests.
    let report = render(&summary, &ReportOptions { compat: Some(Compat::Rally), ..CSV });
    assert!(report.contains("100th percentile service time,search,2000.15872,ms"), "{report}");
    assert!(!report.contains("failed"), "{report}");
}

#[test]
fn a_task_that_ended_during_its_warmup_is_named() {
    let mut collector = Collector::new([task(0, 1, "search"), task(1, 1, "never"), task(2, 1, "nor this")]);
    collector.add(0, &recording(&[Request::new(0.0, 1.0, 1.0).warmup()], "ops")).unwrap();
    let warnings = collector.summary(RaceStatus::Complete).warnings(None);
    assert_eq!(
        warnings,
        [
            "no requests were sent for 'never', 'nor this'",
            "task 'search' has no throughput: it ended during its warmup",
        ]
    );
}

#[test]
fn a_partial_report_says_so() {
    let collector = Collector::default();
    assert_eq!(collector.summary(RaceStatus::Complete).warnings(None), Vec::<String>::new());
    let warnings = collector.summary(RaceStatus::Interrupted).warnings(None);
    assert_eq!(warnings, ["the race was interrupted; its figures are partial"]);
}

#[test]
fn a_task_that_the_driver_held_back_is_marked_with_reason_and_remedy() {
    let mut collector = Collector::new([task(0, 1, "search")]);
    collector.add(0, &recording(&[Request::new(0.0, 1.0, 1.0)], "ops")).unwrap();
    collector.finish(0, DriverLoad { busiest_thread: 0.97, ..DriverLoad::default() }).unwrap();
    let summary = collector.summary(RaceStatus::Complete);
    assert!(render(&summary, &CSV).contains("driver-limited,search,yes,\n"));
    let warnings = summary.warnings(None);
    assert!(warnings[0].starts_with("task 'search' is driver-limited ("), "{warnings:?}");
    assert!(warnings[0].contains("97 %") && warnings[0].contains("fewer clients"), "{warnings:?}");
    let task = &summary.results(None)["op_metrics"][0];
    assert_eq!(task["driver_limited"], true);
    assert!(task["driver_limited_reason"].as_str().unwrap().contains("97 %"));
}

/// 300 requests of 4 ms of which the last 60 were sent 3 ms late: 1 % and more, on a machine whose CPUs others had.
#[test]
fn a_task_on_a_busy_machine_says_which_percentiles_hold() {
    let requests: Vec<Request> = (0..300_u32)
        .map(|number| {
            let late = if number < 240 { 0 } else { 6_000_000 };
            let start = f64::from(number) / 100.0;
            Request { send_lateness: Some(late), ..Request::new(start, start + 0.004, 1.0) }
        })
        .collect();
    let load = DriverLoad { wall_time: 3_000_000_000, run_queue_delay: 600_000_000, ..DriverLoad::default() };
    let mut collector = Collector::new([task(0, 1, "search")]);
    collector.add(0, &recording(&requests, "ops")).unwrap();
    collector.finish(0, load).unwrap();
    let summary = collector.summary(RaceStatus::Complete);
    let csv = render(&summary, &CSV);
    assert!(csv.contains("driver-limited,search,no,\nbusy machine,search,yes,\n"), "{csv}");
    let warnings = summary.warnings(None);
    assert!(warnings[0].starts_with("task 'search' ran on a busy machine ("), "{warnings:?}");
    assert!(warnings[0].contains("20.0 % of the time"), "{warnings:?}");
    assert!(warnings[0].contains("holds up to the 50th percentile"), "{warnings:?}");
    let task = &summary.results(None)["op_metrics"][0];
    assert_eq!((&task["busy_machine"], &task["latency_holds_up_to"]), (&json!(true), &json!(50.0)));
}

#[test]
fn a_report_file_is_appended_to_as_in_rally() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/reports/report.csv");
    write_report(&path, &render(&one_lap(), &CSV), CSV.format).unwrap();
    write_report(&path, &render(&one_lap(), &CSV), CSV.format).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), render(&one_lap(), &CSV).repeat(2));
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "temporary files are left");
}

#[test]
fn a_json_report_file_stays_json() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.json");
    write_report(&path, &render(&one_lap(), &JSON), JSON.format).unwrap();
    write_report(&path, &render(&one_lap(), &JSON), JSON.format).unwrap();
    serde_json::from_str::<Value>(&fs::read_to_string(&path).unwrap()).unwrap();
}

#[test]
fn a_report_that_cannot_be_written_is_an_error_that_names_the_file() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let path = folder.path().join("file/report.md");
    let error = write_report(&path, &render(&one_lap(), &MARKDOWN), MARKDOWN.format).unwrap_err().to_string();
    assert!(error.contains("file/report.md") && error.contains("stored with the race"), "{error}");
    let error =
        write_report(folder.path(), &render(&one_lap(), &MARKDOWN), MARKDOWN.format).unwrap_err().to_string();
    assert!(error.contains("directory"), "{error}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_an_error_that_names_it() {
    let error = write_report(Path::new("/dev/full"), &render(&one_lap(), &MARKDOWN), MARKDOWN.format)
        .unwrap_err()
        .to_string();
    assert!(error.contains("/dev/full") && error.contains("No space left"), "{error}");
}

#[test]
#[cfg(unix)]
fn a_link_and_the_permissions_of_a_report_file_are_kept() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let (path, link) = (folder.path().join("report.md"), folder.path().join("link.md"));
    fs::write(&path, "before\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink(&path, &link).unwrap();
    write_report(&link, &render(&one_lap(), &MARKDOWN), MARKDOWN.format).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(fs::read_to_string(&path).unwrap().starts_with("before\n|"));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
}

#[test]
fn formats_are_named_as_on_the_command_line() {
    for format in [ReportFormat::Markdown, ReportFormat::Csv, ReportFormat::Json] {
        assert_eq!(format.to_string().parse(), Ok(format));
    }
    let error = "html".parse::<ReportFormat>().unwrap_err().to_string();
    assert_eq!(error, "unknown report format 'html'; use markdown, csv or json");
}
