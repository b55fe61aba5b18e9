//! Races on disk, and the histogram log.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use crate::common::{Request, recording, task};
use base64::Engine;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
use rally_race::Recording;
use rally_results::{
    ClusterRecord, Collector, Compat, HistogramLog, RaceRecord, RaceStatus, RaceStore, RaceStoreError,
    ReportFormat, ReportOptions, parse_user_tags, render_race,
};
use serde_json::{Map, Value, json};

fn record(id: &str) -> RaceRecord {
    RaceRecord {
        rally_version: "0.1.0".to_owned(),
        rally_revision: None,
        environment: "local".to_owned(),
        race_id: id.to_owned(),
        race_timestamp: "2017-01-01T12:00:00Z".parse().unwrap(),
        status: RaceStatus::Running,
        failure: None,
        failed_tasks: Vec::new(),
        pipeline: "benchmark-only".to_owned(),
        user_tags: parse_user_tags("intention:baseline").unwrap(),
        track: "tutorial".to_owned(),
        challenge: Some("index-and-query".to_owned()),
        car: vec!["external".to_owned()],
        total_laps: 1,
        cluster: ClusterRecord {
            distribution_version: Some("7.10.2".to_owned()),
            ..ClusterRecord::default()
        },
        seed: Some(u64::MAX.to_string()),
        track_digests: [("track.json".to_owned(), "sha256:00".to_owned())].into(),
        options: Map::new(),
        load_driver: Map::new(),
        meta: Map::new(),
        schema_version: None,
        compat: None,
        results: None,
        lap_results: Vec::new(),
        warnings: Vec::new(),
    }
}

#[test]
fn a_race_is_kept_from_its_start_and_completed_at_its_end() {
    let home = tempfile::tempdir().unwrap();
    let store = RaceStore::new(home.path().join("benchmarks/races"));
    let mut race = record("one");
    let folder = store.create(&race).unwrap();
    assert_eq!(store.read("one").unwrap(), race);

    let mut collector = Collector::new([task(0, 1, "search")]);
    collector.add(0, &recording(&[Request::new(0.0, 0.25, 1.0)], "ops")).unwrap();
    race.take_in(&collector.summary(RaceStatus::Interrupted), None);
    folder.write(&race).unwrap();
    assert_eq!(store.read("one").unwrap(), race);

    let text = fs::read_to_string(folder.path().join("race.json")).unwrap();
    let json: Value = serde_json::from_str(&text).unwrap();
    for (name, expected) in [
        ("rally-version", json!("0.1.0")),
        ("race-id", json!("one")),
        ("race-timestamp", json!("20170101T120000Z")),
        ("user-tags", json!({"intention": "baseline"})),
        ("status", json!("interrupted")),
        ("seed", json!("18446744073709551615")),
        ("warnings", json!(["the race was interrupted; its figures are partial"])),
    ] {
        assert_eq!(json[name], expected, "{name}");
    }
    assert_eq!(json["cluster"]["distribution-version"], "7.10.2");
    assert_eq!(json["results"]["op_metrics"][0]["task"], "search");
}

#[test]
fn races_are_listed_latest_first_and_unreadable_ones_are_named() {
    let home = tempfile::tempdir().unwrap();
    let store = RaceStore::new(home.path());
    assert!(RaceStore::new(home.path().join("nothing")).races().unwrap().0.is_empty());
    store.create(&record("early")).unwrap();
    store
        .create(&RaceRecord { race_timestamp: "2018-01-01T00:00:00Z".parse().unwrap(), ..record("late") })
        .unwrap();
    fs::create_dir(home.path().join("broken")).unwrap();
    fs::write(home.path().join("broken/race.json"), "{\"race-id\":").unwrap();
    let (races, problems) = store.races().unwrap();
    let listed: Vec<(&str, &str)> =
        races.iter().map(|race| (race.race_id.as_str(), race.race_timestamp.as_str())).collect();
    assert_eq!(listed, [("late", "20180101T000000Z"), ("early", "20170101T120000Z")]);
    assert_eq!(problems.len(), 1);
    assert!(
        problems[0].to_string().contains("broken/race.json' is not the record of a race"),
        "{}",
        problems[0]
    );
}

#[test]
fn a_race_that_rally_kept_can_be_read() {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join("old")).unwrap();
    let rallys = json!({
        "rally-version": "2.13.0", "rally-revision": null, "environment": "local", "race-id": "old",
        "race-timestamp": "20160131T000000Z", "pipeline": "benchmark-only", "multi-cluster": false, "user-tags": {},
        "track": "geonames", "car": "defaults", "challenge": "append-no-conflicts",
        "cluster": {"revision": "abc", "distribution-version": "8.15.0", "distribution-flavor": "default", "team-revision": null},
        "results": {"op_metrics": []}, "track-params": {"p": 1},
    });
    fs::write(home.path().join("old/race.json"), rallys.to_string()).unwrap();
    let race = RaceStore::new(home.path()).read("old").unwrap();
    assert_eq!((race.car, race.status), (vec!["defaults".to_owned()], RaceStatus::Complete));
    assert_eq!(race.cluster.distribution_version.as_deref(), Some("8.15.0"));
}

#[test]
fn a_race_id_names_one_folder() {
    let home = tempfile::tempdir().unwrap();
    let store = RaceStore::new(home.path().join("races"));
    for id in ["", ".", "..", "a/b", "/tmp", "../up", "a/"] {
        let error = store.create(&record(id)).unwrap_err();
        assert!(matches!(error, RaceStoreError::Id { .. }), "{id}: {error}");
    }
    store.create(&record("same")).unwrap();
    let error = store.create(&record("same")).unwrap_err();
    assert!(error.to_string().contains("already exists"), "{error}");
    let error = store.read("other").unwrap_err();
    assert!(error.to_string().contains("unknown race 'other'"), "{error}");
}

#[test]
fn a_folder_that_cannot_be_written_is_a_clear_error() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("races"), "a file where a folder should be").unwrap();
    let error = RaceStore::new(home.path().join("races")).create(&record("one")).unwrap_err();
    assert!(error.to_string().contains("set RALLY_HOME"), "{error}");
}

#[test]
fn a_record_that_cannot_be_replaced_stays_as_it_was() {
    let home = tempfile::tempdir().unwrap();
    let store = RaceStore::new(home.path());
    let folder = store.create(&record("one")).unwrap();
    fs::remove_file(folder.path().join("race.json")).unwrap();
    fs::create_dir(folder.path().join("race.json")).unwrap();
    folder.write(&record("one")).unwrap_err();
    let mut left: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["lock", "race.json"]);
}

#[test]
fn a_histogram_log_holds_every_sample_in_the_standard_format() {
    let home = tempfile::tempdir().unwrap();
    let folder = RaceStore::new(home.path()).create(&record("one")).unwrap();
    let mut log = folder.histogram_log(SystemTime::UNIX_EPOCH + Duration::from_secs(1_483_272_000)).unwrap();
    let first = recording(&[Request::new(0.0, 0.25, 1.0), Request::new(0.0, 0.5, 1.0).failed()], "ops");
    let second = recording(&[Request::new(1.0, 1.25, 1.0), Request::new(1.0, 1.125, 1.0).warmup()], "ops");
    log.add(1, "a, b", &first);
    log.add(1, "a, b", &second);
    log.write_interval(Duration::from_millis(1_000)).unwrap();
    log.write_interval(Duration::from_millis(2_000)).unwrap();
    log.add(2, "a, b", &second);
    log.write_interval(Duration::from_millis(3_500)).unwrap();

    let bytes = fs::read(folder.path().join("histograms.hlog")).unwrap();
    let text = String::from_utf8(bytes.clone()).unwrap();
    let header: Vec<&str> = text.lines().take(6).collect();
    assert_eq!(
        header,
        [
            "#[Histogram log format version 1.3]",
            "#[rally: times in nanoseconds]",
            "#[StartTime: 1483272000.000 (seconds since epoch)]",
            "#[BaseTime: 1483272000.000 (seconds since epoch)]",
            "#[MaxValueDivisor: 1000000.000]",
            "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"",
        ]
    );
    assert_eq!(text.matches("MaxValueDivisor").count(), 1);

    let read = intervals(&bytes);
    let service_times: Vec<(&str, f64, f64, u64)> = read
        .iter()
        .filter(|interval| interval.tag.contains("service_time"))
        .map(|interval| (interval.tag.as_str(), interval.start, interval.length, interval.histogram.len()))
        .collect();
    assert_eq!(
        service_times,
        [
            ("lap-1/a%2C%20b/service_time/normal/failure", 0.0, 1.0, 1),
            ("lap-1/a%2C%20b/service_time/normal/success", 0.0, 1.0, 2),
            ("lap-1/a%2C%20b/service_time/warmup/success", 0.0, 1.0, 1),
            ("lap-2/a%2C%20b/service_time/normal/success", 2.0, 1.5, 1),
            ("lap-2/a%2C%20b/service_time/warmup/success", 2.0, 1.5, 1),
        ]
    );
    let kinds = 3;
    assert_eq!(read.iter().map(|interval| interval.histogram.len()).sum::<u64>(), kinds * 6);
    let slowest = read.iter().find(|interval| interval.tag.ends_with("service_time/normal/failure")).unwrap();
    assert!(slowest.histogram.equivalent(slowest.histogram.max(), 500_000_000));
}

struct Interval {
    tag: String,
    start: f64,
    length: f64,
    histogram: Histogram<u64>,
}

fn intervals(log: &[u8]) -> Vec<Interval> {
    IntervalLogIterator::new(log)
        .filter_map(|entry| match entry.unwrap() {
            LogEntry::Interval(interval) => Some(interval),
            LogEntry::StartTime(_) | LogEntry::BaseTime(_) => None,
        })
        .map(|interval| {
            let bytes =
                base64::engine::general_purpose::STANDARD.decode(interval.encoded_histogram()).unwrap();
            Interval {
                tag: interval.tag().unwrap().as_str().to_owned(),
                start: interval.start_timestamp().as_secs_f64(),
                length: interval.duration().as_secs_f64(),
                histogram: Deserializer::new().deserialize(&mut bytes.as_slice()).unwrap(),
            }
        })
        .collect()
}

/// A disk with room for some bytes.
#[derive(Clone)]
struct SmallDisk {
    room: usize,
    content: Arc<Mutex<Vec<u8>>>,
}

impl Write for SmallDisk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut content = self.content.lock().unwrap();
        if content.len() + bytes.len() > self.room {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        content.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_is_told_once_and_what_was_logged_stays_readable() {
    let disk = SmallDisk { room: 2_000, content: Arc::default() };
    let mut log = HistogramLog::with_writer(
        Path::new("histograms.hlog"),
        Box::new(disk.clone()),
        SystemTime::UNIX_EPOCH,
    )
    .unwrap();
    let part = recording(&[Request::new(0.0, 0.25, 1.0)], "ops");
    let mut errors = Vec::new();
    for second in 1..=50 {
        log.add(1, "search", &part);
        errors.extend(log.write_interval(Duration::from_secs(second)).err());
    }
    assert_eq!(errors.len(), 1);
    assert!(errors[0].to_string().contains("histograms.hlog"), "{}", errors[0]);
    let written = disk.content.lock().unwrap();
    assert!(intervals(&written).iter().all(|interval| interval.histogram.len() == 1));
    assert!(intervals(&written).len() >= 3);
}

#[test]
fn an_interval_without_samples_leaves_no_line() {
    let disk = SmallDisk { room: 2_000, content: Arc::default() };
    let mut log = HistogramLog::with_writer(
        Path::new("histograms.hlog"),
        Box::new(disk.clone()),
        SystemTime::UNIX_EPOCH,
    )
    .unwrap();
    log.add(1, "search", &Recording::default());
    log.write_interval(Duration::from_secs(1)).unwrap();
    assert_eq!(intervals(&disk.content.lock().unwrap()).len(), 0);
}

/// A report of an interrupted race, in each format: what its reader must know before believing it.
#[test]
fn a_report_says_in_every_format_which_race_it_is_of_and_how_that_ended() {
    let record = RaceRecord { seed: Some("7".to_owned()), ..record("one") };
    let summary = Collector::new([task(0, 1, "a|b")]).summary(RaceStatus::Interrupted);
    let report =
        |format| render_race(&record, &summary, &ReportOptions { format, ..ReportOptions::default() });

    let csv = report(ReportFormat::Csv);
    assert!(csv.contains("race status,,interrupted,\nrace id,,one,\nrace timestamp,,"), "{csv}");
    assert!(csv.contains("\nseed,,7,\nwarning,,"), "{csv}");
    let width = csv.lines().next().unwrap().split(',').count();
    let plain = csv.lines().filter(|line| !line.contains('"'));
    assert!(plain.into_iter().all(|line| line.split(',').count() == width), "{csv}");

    let markdown = report(ReportFormat::Markdown);
    assert!(markdown.contains("\nrace status: interrupted\nrace id: one\n"), "{markdown}");
    assert!(markdown.contains("\nwarning: the race was interrupted"), "{markdown}");

    let json: Value = serde_json::from_str(&report(ReportFormat::Json)).unwrap();
    let kept = serde_json::to_value(&record).unwrap();
    for name in ["race-id", "race-timestamp", "track", "challenge", "cluster", "seed"] {
        assert_eq!(json[name], kept[name], "{name}");
    }
    assert_eq!(json["status"], "interrupted");
}

#[test]
fn race_json_has_all_of_the_json_report() {
    let mut record = record("one");
    let summary = Collector::new([task(0, 1, "a")]).summary(RaceStatus::Failed);
    record.take_in(&summary, Some(Compat::Rally));
    let options = ReportOptions { format: ReportFormat::Json, compat: Some(Compat::Rally), width: None };
    let report: Value = serde_json::from_str(&render_race(&record, &summary, &options)).unwrap();
    let kept = serde_json::to_value(&record).unwrap();
    for (name, value) in report.as_object().unwrap() {
        // Lists without entries are left out of race.json.
        if value.as_array().is_none_or(|list| !list.is_empty()) {
            assert_eq!(kept[name], *value, "{name}");
        }
    }
}

#[test]
fn a_race_whose_process_has_gone_is_shown_as_killed_and_one_that_runs_as_running() {
    let home = tempfile::tempdir().unwrap();
    let store = RaceStore::new(home.path());
    let running = store.create(&record("running")).unwrap();
    // The kernel takes the lock from a process that ends; dropping the folder does the same.
    drop(store.create(&record("killed")).unwrap());
    let mut complete = record("complete");
    complete.status = RaceStatus::Complete;
    drop(store.create(&complete).unwrap());
    let (races, _) = store.races().unwrap();
    let status = |id: &str| races.iter().find(|race| race.race_id == id).unwrap().status;
    assert_eq!(
        ["running", "killed", "complete"].map(status),
        [RaceStatus::Running, RaceStatus::Killed, RaceStatus::Complete]
    );
    assert_eq!(store.read("killed").unwrap().status, RaceStatus::Killed);
    drop(running);
    assert_eq!(store.read("running").unwrap().status, RaceStatus::Killed);
}
