//! What Rally computes, against what we compute: who does what, when, and whether it counts. Deliberate differences
//! are named where they are made.

use crate::support::*;
use futures_util::FutureExt;
use rally_race::allocation::{allocate, clients_of, completing};
use rally_race::completion::Completion;
use rally_race::schedule::{ClientSchedule, Scheduled};
use rally_race::schedulers::{Deterministic, Poisson, built_in_due_times, built_in_scheduler};
use rally_race::*;
use rally_track::{Dialect, Element, Target};
use serde_json::{Value, json};

fn cases(text: &str) -> Vec<Value> {
    let file: Value = serde_json::from_str(text).unwrap();
    file["cases"].as_array().unwrap().clone()
}

fn id(case: &Value) -> &str {
    case["id"].as_str().unwrap()
}

fn close(left: f64, right: f64) -> bool {
    (left - right).abs() < 1e-6
}

/// A cell of Rally's matrix in its two notations: a join point, nothing, or the element, task and client within the task.
enum Cell {
    Join,
    Nothing,
    Task { name: String },
}

fn cell(cell: &Value, schedule: &[Element]) -> Cell {
    match cell {
        Value::Null => Cell::Nothing,
        Value::String(_) => Cell::Join,
        Value::Array(parts) if parts[0] == "J" => Cell::Join,
        Value::Array(parts) if parts[0] == "T" => Cell::Task { name: parts[1].as_str().unwrap().to_owned() },
        Value::Array(parts) => {
            let index = |part: &Value| part.as_u64().unwrap() as usize;
            Cell::Task { name: schedule[index(&parts[0])].tasks()[index(&parts[1])].name.clone() }
        }
        other => panic!("{other}"),
    }
}

/// Rally's matrix as rows per element: `[element][client]` = names of tasks.
fn rally_rows(matrix: &Value, schedule: &[Element]) -> Vec<Vec<Vec<String>>> {
    let mut elements = vec![Vec::new(); schedule.len()];
    for row in matrix.as_array().unwrap() {
        let mut column = 0;
        let mut names = Vec::new();
        for entry in row.as_array().unwrap().iter().skip(1) {
            match cell(entry, schedule) {
                Cell::Join => {
                    elements[column].push(std::mem::take(&mut names));
                    column += 1;
                }
                Cell::Nothing => {}
                Cell::Task { name, .. } => names.push(name),
            }
        }
    }
    elements
}

fn our_rows(element: &Element) -> Vec<Vec<String>> {
    let name = |assignment: &Assignment| element.tasks()[assignment.task].name.clone();
    allocate(element).iter().map(|row| row.iter().map(name).collect()).collect()
}

/// Clients that run the completing task, in the order of their index within it.
fn completing_clients(element: &Element) -> Vec<u64> {
    let Some(Completing::Task(completing)) = completing(element).unwrap() else { return Vec::new() };
    let mut clients = Vec::new();
    for (row, assignments) in allocate(element).iter().enumerate() {
        for assignment in assignments.iter().filter(|assignment| assignment.task == completing) {
            clients.push((assignment.client_index, row as u64));
        }
    }
    clients.sort_unstable();
    clients.into_iter().map(|(_, row)| row).collect()
}

fn check_allocation(case: &Value, differs: &[&str]) {
    let challenge = challenge_from_json(&case["input"]["schedule"]);
    let expected = rally_rows(&case["expected"]["matrix"], &challenge.schedule);
    for (index, (element, rally)) in challenge.schedule.iter().zip(&expected).enumerate() {
        let ours = our_rows(element);
        assert_eq!(ours.len(), clients_of(element) as usize, "{}", id(case));
        // Rally has a row for each client of the largest element, ours end with the clients of this one.
        let (rally, idle) = rally.split_at(ours.len());
        let join_point = &case["expected"]["join_points"][index + 1];
        let completing: Vec<u64> =
            serde_json::from_value(join_point["clients_executing_completing_task"].clone()).unwrap();
        if differs.contains(&id(case)) && !idle.iter().all(Vec::is_empty) {
            continue;
        }
        assert_eq!(ours, rally, "{} element {index}", id(case));
        assert!(idle.iter().all(Vec::is_empty), "{} element {index}", id(case));
        assert_eq!(completing_clients(element), completing, "{} element {index}", id(case));
        let any: Vec<usize> =
            serde_json::from_value(join_point["any_task_completes_parent"].clone()).unwrap_or_default();
        let first_client =
            rally_race::allocation::completing(element).unwrap() == Some(Completing::FirstClient);
        assert_eq!(any, if first_client { (0..ours.len()).collect() } else { Vec::new() }, "{}", id(case));
    }
}

/// Rally wraps at the most clients that any element of the challenge needs, so that `clients` of this `parallel` (3 for
/// 7 clients of tasks, beside an element with 5) does not limit it. Ours always does.
const LIMIT_OF_PARALLEL: &str = "parallel-limit-below-global-max-2";

#[test]
fn allocation_2017() {
    let mut differences = 0;
    for case in cases(include_str!("../golden/2017/allocator.json")) {
        check_allocation(&case, &[LIMIT_OF_PARALLEL]);
        if id(&case) == LIMIT_OF_PARALLEL {
            differences += 1;
            let challenge = challenge_from_json(&case["input"]["schedule"]);
            let ours = our_rows(&challenge.schedule[1]);
            assert_eq!(ours, [vec!["b", "c", "e"], vec!["b", "d"], vec!["c", "d"]]);
        }
        if let Some(elements) = case["expected"]["elements"].as_array() {
            let challenge = challenge_from_json(&case["input"]["schedule"]);
            let ours: Vec<_> = challenge.schedule.iter().map(|element| json!(clients_of(element))).collect();
            assert_eq!(&ours, elements, "{}", id(&case));
        }
    }
    assert_eq!(differences, 1);
}

#[test]
fn allocation_of_current_tracks() {
    for case in cases(include_str!("../golden/allocator.json")) {
        match id(&case) {
            "err-completed-by-ambiguous" => {
                let challenge = challenge_from_json(&case["input"]["schedule"]);
                let error = RacePlan::new(&track(), &challenge, PlanOptions::default()).unwrap_err();
                assert!(matches!(error, PlanError::AmbiguousCompletedBy { name } if name == "a"));
            }
            // Mixes that the loader of a track refuses, not the plan.
            "err-mix-warmup-time-iterations"
            | "err-mix-from-parallel-default"
            | "err-ramp-up-with-iterations"
            | "err-ramp-up-longer-than-warmup"
            | "err-ramp-up-on-subtask-only" => {}
            // A task that is itself named `any` does not change what `any` means. Rally's clients of that task signal the end
            // like all others, although it lists them as those of a completing task.
            "parallel-completed-by-any-and-task-named-any" => {
                let challenge = challenge_from_json(&case["input"]["schedule"]);
                assert_eq!(
                    our_rows(&challenge.schedule[0]),
                    rally_rows(&case["expected"]["matrix"], &challenge.schedule)[0]
                );
                assert_eq!(completing(&challenge.schedule[0]).unwrap(), Some(Completing::FirstClient));
            }
            _ => check_allocation(&case, &[]),
        }
    }
}

/// Steps reach their join points in the order of the case, one client per second.
#[test]
fn coordination_2017() {
    for case in cases(include_str!("../golden/2017/coordination.json")) {
        let challenge = challenge_from_json(&case["input"]["schedule"]);
        let arrivals: Vec<Vec<usize>> = serde_json::from_value(case["input"]["arrivals"].clone()).unwrap();
        let plan = RacePlan::new(&track(), &challenge, PlanOptions::default()).unwrap();
        // Ours has no join point before the first step, and no pause between steps: the next starts when all have reached
        // the end of the one before. Rally waits five seconds.
        let mut events = Vec::new();
        for (index, step) in plan.steps.iter().enumerate() {
            events.push(json!(["join_point", index + 1]));
            let completion = Completion::new(step, &(0..step.clients.len()).collect::<Vec<_>>());
            let mut left = 4;
            for client in &arrivals[index + 1] {
                events.push(json!(["reached", client]));
                left -= 1;
                let done: Vec<_> = step
                    .clients
                    .get(*client)
                    .into_iter()
                    .flatten()
                    .map(|assignment| completion.client_done(assignment.task))
                    .collect();
                if done.iter().any(|done| done.completes_element) && left > 0 {
                    events.extend((0..4).map(|client| json!(["complete_current_task", client])));
                }
            }
        }
        let rally: Vec<Value> = case["expected"]
            .as_array()
            .unwrap()
            .iter()
            .skip_while(|event| **event != json!(["join_point", 1]))
            .filter(|event| {
                !["task_finished", "continue", "benchmark_complete"].contains(&event[0].as_str().unwrap())
            })
            .cloned()
            .collect();
        assert_eq!(events, rally, "{}", id(&case));
    }
}

/// A scheduler of a track with scripted steps in milliseconds.
struct Scripted(std::vec::IntoIter<f64>);

impl Scheduler for Scripted {
    fn next(&mut self, current: f64) -> Result<f64, Cause> {
        Ok(current + self.0.next().ok_or("the script is over")? / 1000.0)
    }
}

fn scripted(input: &Value, task: &rally_track::Task) -> Option<Box<dyn Scheduler>> {
    let numbers = |key: &str| -> Vec<f64> {
        input[key].as_array().into_iter().flatten().filter_map(Value::as_f64).collect()
    };
    if let Some(kind) = input["schedule_kind"].as_str() {
        let bound = |key: &str, default: f64| {
            f64::from(task.clients) * input["task"][key].as_f64().unwrap_or(default)
        };
        let (lower, upper) = (bound("lower-bound-millis", 10.0), bound("upper-bound-millis", 900.0));
        let script = numbers("schedule_script").into_iter();
        let steps: Vec<f64> = match kind {
            "function" => script.collect(),
            _ => script.map(|part| lower + part * (upper - lower)).collect(),
        };
        return Some(Box::new(Scripted(steps.into_iter())));
    }
    if task.schedule == "poisson" {
        let target = task.target.as_ref()?.per_second();
        let mut draws = numbers("uniform_draws").into_iter();
        let draw = move || -(1.0 - draws.next().unwrap()).ln();
        return Some(Box::new(Poisson::new(f64::from(task.clients) / target, draw)));
    }
    None
}

/// These schedulers answer at once.
fn next(schedule: &mut ClientSchedule, elapsed: f64) -> Option<Scheduled> {
    schedule.next(elapsed).now_or_never().unwrap().unwrap()
}

/// One client with a fake clock: what Rally's golden cases describe.
struct Simulated {
    rows: Vec<Value>,
    started_at: Vec<f64>,
}

fn simulate(mut schedule: ClientSchedule, input: &Value, finite: Option<u64>) -> Simulated {
    let service_times: Vec<f64> = input["service_time"]
        .as_array()
        .map_or(vec![0.25], |times| times.iter().filter_map(Value::as_f64).collect());
    let limit = input["complete_after"].as_u64().or(input["cancel_after"].as_u64()).unwrap_or(200);
    let (mut now, mut rows, mut started_at) = (0.0_f64, Vec::new(), Vec::new());
    while (rows.len() as u64) < limit.min(finite.unwrap_or(u64::MAX)) {
        let Some(scheduled) = next(&mut schedule, now) else { break };
        now = now.max(scheduled.due.unwrap_or(0.0));
        started_at.push(now);
        let service_time = service_times[rows.len() % service_times.len()];
        now += service_time;
        let latency = scheduled.due.map_or(service_time, |due| now - due);
        let sample_type = if scheduled.sample_type == SampleType::Warmup { "warmup" } else { "normal" };
        rows.push(json!([sample_type, latency * 1000.0, service_time * 1000.0, now, scheduled.fraction]));
    }
    Simulated { rows, started_at }
}

fn same_row(ours: &Value, rally: &Value) -> bool {
    let number = |row: &Value, index: usize| row[index].as_f64();
    ours[0] == rally[0]
        && (1..5).all(|index| match (number(ours, index), number(rally, index)) {
            (Some(left), Some(right)) => close(left, right),
            (left, right) => left == right,
        })
}

#[test]
fn schedules_2017() {
    let mut differences = Vec::new();
    for case in cases(include_str!("../golden/2017/schedule.json")) {
        let input = &case["input"];
        let task = task_from_json(&input["task"], &Value::Null);
        let known = scripted(input, &task);
        if case["expected"]["message"]
            .as_str()
            .is_some_and(|message| message.starts_with("No scheduler available"))
        {
            let partition = Partition::of(0, 1, &task, 0);
            let error = built_in_scheduler(&task, Timing::Rally, partition).err().unwrap();
            assert!(known.is_none() && error.to_string().contains(&task.schedule), "{}", id(&case));
            continue;
        }
        let finite = (input["operation"]["param-source"] == "finite")
            .then(|| input["operation"]["n"].as_u64().unwrap());
        let size = finite.filter(|_| input["operation"]["known-size"] != json!(false));
        let extent = Extent::of(Dialect::Rally2017, &task, finite.is_some(), false);
        // Rally gives each client iterations / clients, rounded down, and fails where that is none. Ours performs exactly
        // as many as the track says; the remainder goes to the first clients, and some may be left idle.
        if id(&case) == "iterations-fewer-than-clients" {
            let idle = (0..8).filter(|client| extent.share(*client, 8).is_empty()).count();
            assert_eq!(idle, 5);
            differences.push(id(&case).to_owned());
            continue;
        }
        for client in case["expected"].as_array().unwrap() {
            let index = client["client"].as_u64().unwrap() as u32;
            let mut share = extent.share(index, task.clients);
            if id(&case) == "iterations-10-clients-4" {
                let ours = if index == 0 { Some(3) } else { Some(2) };
                assert_eq!(share, Extent::Iterations { warmup: 1, measured: ours });
                share = Extent::Iterations { warmup: 1, measured: Some(2) };
                differences.push(format!("{}/{index}", id(&case)));
            }
            let scheduler = scripted(input, &task).or_else(|| {
                built_in_scheduler(&task, Timing::Rally, Partition::of(0, 1, &task, index))
                    .unwrap_or_default()
            });
            let simulated =
                simulate(ClientSchedule::new(share, Timing::Rally, scheduler, size), input, finite);
            assert_eq!(simulated.rows.len() as u64, client["invocations"].as_u64().unwrap(), "{}", id(&case));
            let samples = client["samples"].as_array().unwrap();
            for (number, (ours, rally)) in simulated.rows.iter().zip(samples).enumerate() {
                let mut rally = rally.clone();
                if input["complete_after"].as_u64() == Some(number as u64 + 1) {
                    // Rally reports the request in flight when the element is completed as 100 %. Here the end of the
                    // task says that.
                    assert_eq!(rally[4], json!(1.0));
                    rally[4] = ours[4].clone();
                    differences.push(format!("{}/progress", id(&case)));
                }
                assert!(same_row(ours, &rally), "{} request {number}: {ours} instead of {rally}", id(&case));
            }
            let starts = client["started_at"].as_array().unwrap();
            for (ours, rally) in simulated.started_at.iter().zip(starts) {
                assert!(close(*ours, rally.as_f64().unwrap()), "{}: {ours} instead of {rally}", id(&case));
            }
        }
    }
    assert_eq!(
        differences,
        [
            "iterations-10-clients-4/0",
            "iterations-10-clients-4/3",
            "iterations-fewer-than-clients",
            "warmup-only-eternal-completed/progress",
            "iterations-completed-externally/progress"
        ]
    );
}

#[test]
fn loop_control_of_current_tracks() {
    for case in cases(include_str!("../golden/loop_control.json")) {
        let input = &case["input"];
        let mut task = task("t");
        let number = |key: &str| input["task"][key].as_u64();
        task.clients = number("clients").unwrap_or(1) as u32;
        task.iterations = number("iterations");
        task.warmup_iterations = number("warmup_iterations");
        task.warmup_time_period = input["task"]["warmup_time_period"].as_f64();
        task.time_period = input["task"]["time_period"].as_f64();
        task.target = target_from_json(&input["task"]["params"]);
        let (finite, reports_progress) = match input["param_source"].as_str().unwrap() {
            "infinite" => (None, false),
            "finite-4" => (Some(4), false),
            "finite-4-progress" => (Some(4), true),
            other => panic!("{other}"),
        };
        let completes = !input["runner_completed"].is_null();
        let extent = Extent::of(Dialect::Current, &task, finite.is_some(), completes);
        assert_eq!(json!(extent.unbounded()), case["expected"]["infinite"], "{}", id(&case));
        let partition = Partition::of(0, 1, &task, 0);
        let due_times = built_in_due_times(Dialect::Current, &task, Timing::Rally, partition, None).unwrap();
        let size = finite.filter(|_| reports_progress);
        let mut schedule = ClientSchedule::new(extent.share(0, task.clients), Timing::Rally, due_times, size);
        let seconds_per_request = input["seconds_per_request"].as_f64().unwrap();
        let most = finite.unwrap_or(input["max_invocations"].as_u64().unwrap());
        let expected = case["expected"]["invocations"].as_array().unwrap();
        let mut count = 0;
        while count < most {
            // The fake clock of the cases stands while Rally waits for the due time.
            let now = count as f64 * seconds_per_request;
            let Some(scheduled) = next(&mut schedule, now) else { break };
            let finished = Finished {
                started: now,
                finished: now + seconds_per_request,
                weight: 1.0,
                unit: "ops",
                success: true,
                meta: None,
            };
            schedule.after_request(|| finished).unwrap();
            let rally = &expected[count as usize];
            let context = format!("{} request {count}: {scheduled:?} instead of {rally}", id(&case));
            assert!(close(scheduled.due.unwrap_or(0.0), rally[0].as_f64().unwrap()), "{context}");
            let sample_type = if scheduled.sample_type == SampleType::Warmup { "warmup" } else { "normal" };
            assert_eq!(rally[1], sample_type, "{context}");
            match (scheduled.fraction, rally[2].as_f64()) {
                // Rally's sources report how far they were before the request, its iterations how far they are with it.
                // Ours count the request in both cases, as Rally did in 2017.
                (Some(ours), Some(rally)) if reports_progress && extent.unbounded() => {
                    assert!(close(ours, rally + 0.25), "{context}");
                }
                (Some(ours), Some(rally)) => assert!(close(ours, rally), "{context}"),
                (ours, rally) => assert_eq!(ours, rally, "{context}"),
            }
            count += 1;
        }
        assert_eq!(count as usize, expected.len(), "{}", id(&case));
    }
}

#[test]
fn schedulers_of_current_tracks() {
    for case in cases(include_str!("../golden/schedulers.json")) {
        let input = &case["input"];
        let target = input["target_throughput"].as_f64().unwrap_or(1.0);
        let mut scheduler: Box<dyn Scheduler> = match input["scheduler"].as_str() {
            Some("deterministic") => Box::new(Deterministic::lockstep(1.0 / target)),
            Some("poisson") => {
                let draws: Vec<f64> = serde_json::from_value(input["uniform_random"].clone()).unwrap();
                let mut draws = draws.into_iter();
                Box::new(Poisson::new(1.0 / target, move || -(1.0 - draws.next().unwrap()).ln()))
            }
            _ if id(&case) == "unknown-scheduler" => {
                let mut task = task("t");
                task.schedule = "nope".to_owned();
                let error =
                    built_in_scheduler(&task, Timing::Rally, Partition::of(0, 1, &task, 0)).err().unwrap();
                assert!(error.to_string().contains("nope"));
                continue;
            }
            _ => {
                assert!(id(&case).starts_with("unit-aware/"), "{}", id(&case));
                check_unit_aware(&case);
                continue;
            }
        };
        let mut current = 0.0;
        for expected in case["expected"].as_array().unwrap() {
            current = scheduler.next(current).unwrap();
            assert!(
                close(current, expected.as_f64().unwrap()),
                "{}: {current} instead of {expected}",
                id(&case)
            );
        }
    }
}

/// A target in units of work: the script of a case, request by request.
fn check_unit_aware(case: &Value) {
    let mut task = task("t");
    task.clients = case["input"]["clients"].as_u64().unwrap() as u32;
    task.target = Some(match &case["input"]["params"]["target-throughput"] {
        Value::String(text) => {
            let (rate, unit) = text.split_once(' ').unwrap();
            Target::Work { rate: rate.parse().unwrap(), unit: unit.to_owned() }
        }
        number => Target::Throughput(number.as_f64().unwrap()),
    });
    let partition = Partition::of(0, 1, &task, 0);
    let due_times = built_in_due_times(Dialect::Current, &task, Timing::Rally, partition, None).unwrap();
    let endless = Extent::Iterations { warmup: 0, measured: None };
    let mut schedule = ClientSchedule::new(endless, Timing::Rally, due_times, None);
    let results = case["expected"]["results"].as_array().unwrap();
    for (step, expected) in case["input"]["script"].as_array().unwrap().iter().zip(results) {
        if step[0] == "next" {
            let due = next(&mut schedule, 0.0).unwrap().due.unwrap_or(0.0);
            assert!(close(due, expected.as_f64().unwrap()), "{}: {due} instead of {expected}", id(case));
            continue;
        }
        let finished = Finished {
            started: 0.0,
            finished: 0.0,
            weight: step[1].as_f64().unwrap(),
            unit: step[2].as_str().unwrap(),
            success: true,
            meta: None,
        };
        match (schedule.after_request(|| finished), expected["error"]["message"].as_str()) {
            (Ok(()), None) => {}
            (Err(error), Some(rally)) => {
                for unit in [&error.expected, &format!("{}/s", error.actual)] {
                    assert!(rally.contains(&format!("[{unit}]")), "{error} instead of {rally}");
                    assert!(error.to_string().contains(&format!("'{unit}'")), "{error}");
                }
            }
            (ours, rally) => panic!("{}: {ours:?} instead of {rally:?}", id(case)),
        }
    }
}
