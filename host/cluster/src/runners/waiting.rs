//! Operations that ask again and again until something has come to its end: merges, snapshots, recoveries, values.

use std::time::Duration;

use rally_race::FailureKind;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::call::Call;
use super::calls;
use super::common::{mandatory, mandatory_text, names, seconds};
use super::session::{Done, Session, Stop};
use crate::http::encode_path;

const MILLISECONDS: f64 = 1000.0;

/// Throughput of work that the target did in this time.
fn per_second(work: f64, milliseconds: f64) -> Option<f64> {
    (milliseconds > 0.0).then(|| work / (milliseconds / MILLISECONDS))
}

/// `force-merge`. With `mode` `polling` the target goes on by itself and is asked for its task.
pub async fn force_merge(session: &mut Session<'_>) -> Result<Done, Stop> {
    if session.values.get("mode").and_then(Value::as_str) != Some("polling") {
        session.done(calls::force_merge(session.environment, session.values)?).await?;
        return Ok(Done::ops(1));
    }
    let period = seconds(session.values, &["poll-period"])?.unwrap_or(Duration::from_secs(10));
    let call = calls::force_merge(session.environment, session.values)?;
    if session.capabilities().force_merge_task {
        #[derive(Deserialize)]
        struct Started {
            task: Option<String>,
        }
        #[derive(Deserialize)]
        struct Task {
            #[serde(default)]
            completed: bool,
        }
        let started: Started = session.json(call.parameter("wait_for_completion", false)).await?;
        let Some(task) = started.task else { return Ok(Done::ops(1)) };
        loop {
            session.pause(period).await;
            let task: Task = session.json(Call::get(format!("/_tasks/{}", encode_path(&task)))).await?;
            if task.completed {
                return Ok(Done::ops(1));
            }
        }
    }
    match session.done(call).await {
        Ok(()) => return Ok(Done::ops(1)),
        // It takes longer than the client waits: the merge goes on.
        Err(Stop::Failed(failure)) if failure.kind == FailureKind::Transport && failure.status.is_none() => {}
        Err(stop) => return Err(stop),
    }
    loop {
        session.pause(period).await;
        #[derive(Deserialize)]
        struct Tasks {
            #[serde(default)]
            nodes: Map<String, Value>,
        }
        let call = Call::get("/_tasks").parameter("actions", "indices:admin/forcemerge");
        let tasks: Tasks = session.json(call).await?;
        if tasks.nodes.is_empty() {
            return Ok(Done::ops(1));
        }
    }
}

fn recheck(values: &Map<String, Value>) -> Result<Duration, String> {
    Ok(seconds(values, &["completion-recheck-wait-period"])?.unwrap_or(Duration::from_secs(1)))
}

#[derive(Deserialize)]
struct Current {
    #[serde(default)]
    snapshots: Vec<Named>,
    total: Option<u64>,
}

#[derive(Deserialize)]
struct Named {
    snapshot: String,
}

/// `wait-for-snapshot-create`: until a snapshot is complete, with its own figures.
pub async fn snapshot_create(session: &mut Session<'_>) -> Result<Done, Stop> {
    #[derive(Deserialize)]
    struct Status {
        snapshots: Option<Vec<Snapshot>>,
    }
    #[derive(Deserialize)]
    struct Snapshot {
        state: String,
        stats: Option<Stats>,
    }
    #[derive(Deserialize)]
    struct Stats {
        total: Total,
        start_time_in_millis: u64,
        time_in_millis: u64,
    }
    #[derive(Deserialize)]
    struct Total {
        size_in_bytes: u64,
        file_count: u64,
    }
    let repository = encode_path(mandatory_text(session.values, "repository")?);
    let name = mandatory_text(session.values, "snapshot")?;
    let wait = recheck(session.values)?;
    let stats = loop {
        let current = Call::get(format!("/_snapshot/{repository}/_current")).parameter("verbose", false);
        let current: Current = session.json(current).await?;
        if current.snapshots.iter().any(|snapshot| snapshot.snapshot == name) {
            session.pause(wait).await;
            continue;
        }
        let status = Call::get(format!("/_snapshot/{repository}/{}/_status", encode_path(name)))
            .parameter("ignore_unavailable", true);
        let status: Status = session.json(status).await?;
        match status.snapshots.and_then(|snapshots| snapshots.into_iter().next()) {
            Some(Snapshot { state, .. }) if state == "FAILED" => {
                return Err(Stop::answered("the snapshot failed"));
            }
            Some(Snapshot { state, stats: Some(stats) }) if state == "SUCCESS" => break stats,
            _ => session.pause(wait).await,
        }
    };
    let size = stats.total.size_in_bytes as f64;
    let mut done = Done::of(size, "byte")
        .with("start_time_millis", stats.start_time_in_millis)
        .with("stop_time_millis", stats.start_time_in_millis.saturating_add(stats.time_in_millis))
        .with("duration", stats.time_in_millis)
        .with("file_count", stats.total.file_count);
    done.throughput = per_second(size, stats.time_in_millis as f64);
    Ok(done)
}

/// `wait-for-current-snapshots-create`: until no snapshot of a repository is under way.
pub async fn current_snapshots_create(session: &mut Session<'_>) -> Result<Done, Stop> {
    let repository = encode_path(mandatory_text(session.values, "repository")?);
    let wait = recheck(session.values)?;
    let mut call = Call::get(format!("/_snapshot/{repository}/_current")).parameter("verbose", false);
    if session.environment.serverless || session.capabilities().snapshot_index_names {
        call = call.parameter("index_names", false);
    }
    loop {
        let current: Current = session.json(call.clone()).await?;
        if current.total.unwrap_or(current.snapshots.len() as u64) == 0 {
            return Ok(Done::ops(1));
        }
        session.pause(wait).await;
    }
}

/// `wait-for-recovery`: until all shards of an index have recovered, with their own figures.
pub async fn recovery(session: &mut Session<'_>) -> Result<Done, Stop> {
    #[derive(Deserialize)]
    struct Index {
        #[serde(default)]
        shards: Vec<Shard>,
    }
    #[derive(Deserialize)]
    struct Shard {
        stage: String,
        #[serde(default)]
        start_time_in_millis: u64,
        #[serde(default)]
        stop_time_in_millis: u64,
        index: Option<Files>,
    }
    #[derive(Deserialize)]
    struct Files {
        size: Size,
    }
    #[derive(Deserialize)]
    struct Size {
        recovered_in_bytes: u64,
    }
    let index = names(session.values, "index")?.ok_or("'index' is mandatory and missing")?;
    let wait = recheck(session.values)?;
    let shards = loop {
        let indices: std::collections::BTreeMap<String, Index> =
            session.json(Call::get(format!("/{index}/_recovery"))).await?;
        let shards: Vec<Shard> = indices.into_values().flat_map(|index| index.shards).collect();
        // There may be none yet: the recovery is still to be scheduled.
        if !shards.is_empty() && shards.iter().all(|shard| shard.stage == "DONE") {
            break shards;
        }
        session.pause(wait).await;
    };
    let start = shards.iter().map(|shard| shard.start_time_in_millis).min().unwrap_or_default();
    let stop = shards.iter().map(|shard| shard.stop_time_in_millis).max().unwrap_or_default();
    let recovered: u64 = shards
        .iter()
        .filter_map(|shard| shard.index.as_ref())
        .map(|index| index.size.recovered_in_bytes)
        .sum();
    let mut done =
        Done::of(recovered as f64, "byte").with("start_time_millis", start).with("stop_time_millis", stop);
    done.throughput = per_second(recovered as f64, stop.saturating_sub(start) as f64);
    Ok(done)
}

/// `run-until`: any request, until a value in its answer is as wanted.
pub async fn run_until(session: &mut Session<'_>) -> Result<Done, Stop> {
    let values = session.values;
    let path = mandatory_text(values, "json-path")?;
    let criterion = Criterion::of(mandatory(values, "criterion")?)?;
    let wait = seconds(values, &["retry-wait-interval"])?.unwrap_or(Duration::from_secs(60));
    let call = calls::raw_request(session.environment, values)?;
    loop {
        let answer: Value = session.json(call.clone()).await?;
        let value = path.split('.').try_fold(&answer, |value, key| value.get(key));
        if criterion.holds(value) {
            return Ok(Done::ops(1));
        }
        session.pause(wait).await;
    }
}

/// What a value is waited for to be.
#[derive(Debug, Clone, Copy)]
enum Criterion {
    Exists,
    NotExists,
    Compares(fn(i128, i128) -> bool, i128),
}

impl Criterion {
    fn of(criterion: &Value) -> Result<Criterion, String> {
        let operator = criterion.get("operator").and_then(Value::as_str);
        let compares: fn(i128, i128) -> bool = match operator {
            Some("exists") => return Ok(Criterion::Exists),
            Some("not_exists") => return Ok(Criterion::NotExists),
            Some("gte") => |value, target| value >= target,
            Some("lte") => |value, target| value <= target,
            Some("eq") => |value, target| value == target,
            Some("neq") => |value, target| value != target,
            _ => {
                return Err(format!(
                    "the operator of 'criterion' is {} but must be one of exists, not_exists, gte, lte, eq, neq",
                    criterion.get("operator").unwrap_or(&Value::Null)
                ));
            }
        };
        let target = criterion.get("value").and_then(whole);
        let target = target.ok_or("'criterion' needs a 'value', a number to compare with")?;
        Ok(Criterion::Compares(compares, target))
    }

    fn holds(self, value: Option<&Value>) -> bool {
        let value = value.filter(|value| !value.is_null());
        match self {
            Criterion::Exists => value.is_some(),
            Criterion::NotExists => value.is_none(),
            Criterion::Compares(compares, target) => {
                value.and_then(whole).is_some_and(|value| compares(value, target))
            }
        }
    }
}

/// A number without its fraction.
fn whole(value: &Value) -> Option<i128> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(number), _, _) => Some(i128::from(number)),
            (_, Some(number), _) => Some(i128::from(number)),
            (_, _, Some(number)) => Some(number.trunc() as i128),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_criterion_compares_whole_numbers() {
        let holds = |criterion: Value, value: Value| Criterion::of(&criterion).unwrap().holds(Some(&value));
        assert!(holds(json!({"operator": "gte", "value": 3}), json!("3")));
        assert!(holds(json!({"operator": "eq", "value": "3"}), json!(3.7)));
        assert!(!holds(json!({"operator": "lte", "value": 3}), json!(4)));
        assert!(holds(json!({"operator": "neq", "value": 3}), json!(4)));
        assert!(holds(json!({"operator": "not_exists"}), json!(null)));
        assert!(holds(json!({"operator": "exists"}), json!(0)));
        assert!(Criterion::of(&json!({"operator": "eq"})).unwrap_err().contains("'value'"));
        assert!(Criterion::of(&json!({"operator": "like"})).unwrap_err().contains("\"like\""));
    }
}
