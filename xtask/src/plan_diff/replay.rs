//! Has rally plan a track with the inputs of somebody else's plan.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use rally_plan::{RejectedTrack, plan};
use rally_track::{BuildFlavor, LoadOptions, TrackSource};
use serde_json::{Map, Value};

use super::found::Expected;

/// Exit codes with which rally prints a plan: of a track that can be raced, and of one that is rejected.
const PLANNED: [i32; 2] = [0, 64];

/// Plans in this process.
pub fn in_process(track: &Path, expected: &Expected) -> Result<Value> {
    let inputs = Inputs::of(expected);
    let options = LoadOptions {
        now: inputs.now,
        any_names: true,
        test_mode: inputs.test_mode,
        track_params: inputs.track_params.clone(),
        build_flavor: if inputs.serverless { BuildFlavor::Serverless } else { BuildFlavor::Default },
        serverless_operator: inputs.serverless_operator,
        keep_unavailable: inputs.keep_unavailable,
        challenge: inputs.challenge.clone(),
        include_tasks: inputs.include_tasks.clone(),
        exclude_tasks: inputs.exclude_tasks.clone(),
        ..LoadOptions::default()
    };
    let source = TrackSource::from_path(track)?;
    let json = match plan(&source, &options, &inputs.variant) {
        Ok(made) => made.plan.to_json()?,
        Err(error) => RejectedTrack::new(&source, &options, &inputs.variant, &error).to_json()?,
    };
    Ok(serde_json::from_slice(&json)?)
}

/// Plans with a program.
pub fn with_program(program: &Path, track: &Path, expected: &Expected) -> Result<Value> {
    let inputs = Inputs::of(expected);
    let mut command = Command::new(program);
    command.arg("plan").arg("--format=json").arg("--track-path").arg(track);
    command.arg(format!("--now={}", inputs.now)).arg(format!("--variant={}", inputs.variant));
    if !inputs.track_params.is_empty() {
        command.arg(format!("--track-params={}", Value::Object(inputs.track_params.clone())));
    }
    for (given, flag) in [
        (inputs.test_mode, "--test-mode"),
        (inputs.serverless, "--build-flavor=serverless"),
        (inputs.serverless_operator, "--serverless-operator"),
        (inputs.keep_unavailable, "--keep-unavailable"),
    ] {
        if given {
            command.arg(flag);
        }
    }
    for (names, flag) in
        [(&inputs.include_tasks, "--include-tasks"), (&inputs.exclude_tasks, "--exclude-tasks")]
    {
        if !names.is_empty() {
            command.arg(format!("{flag}={}", names.join(",")));
        }
    }
    if let Some(challenge) = &inputs.challenge {
        command.arg(format!("--challenge={challenge}"));
    }
    let output = command.output().with_context(|| format!("cannot start {}", program.display()))?;
    ensure!(
        output.status.code().is_some_and(|code| PLANNED.contains(&code)),
        "{} ended with {}: {}",
        program.display(),
        output.status,
        String::from_utf8_lossy(&output.stderr).trim_end()
    );
    serde_json::from_slice(&output.stdout).with_context(|| {
        format!("it printed no plan: {}", String::from_utf8_lossy(&output.stderr).trim_end())
    })
}

/// What a plan was made with.
struct Inputs {
    now: f64,
    track_params: Map<String, Value>,
    serverless: bool,
    serverless_operator: bool,
    keep_unavailable: bool,
    test_mode: bool,
    challenge: Option<String>,
    include_tasks: Vec<String>,
    exclude_tasks: Vec<String>,
    variant: String,
}

impl Inputs {
    fn of(expected: &Expected) -> Inputs {
        let plan = &expected.plan;
        let input = |key: &str| expected.untold.get(key).or_else(|| plan["inputs"].get(key));
        let text = |key: &str| input(key).and_then(Value::as_str);
        let list = |key: &str| -> Vec<String> {
            let items = input(key).and_then(Value::as_array).into_iter().flatten();
            items.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let processors = list("processors");
        let runs = |name: &str| processors.iter().any(|processor| processor == name);
        let serverless = text("build_flavor") == Some("serverless");
        Inputs {
            now: input("now").and_then(Value::as_f64).unwrap_or_default(),
            track_params: input("track_params").and_then(Value::as_object).cloned().unwrap_or_default(),
            serverless,
            serverless_operator: input("serverless_operator").and_then(Value::as_bool).unwrap_or_default(),
            keep_unavailable: serverless && !runs("serverless"),
            test_mode: runs("test-mode"),
            challenge: text("challenge").map(str::to_owned),
            include_tasks: list("include_tasks"),
            exclude_tasks: list("exclude_tasks"),
            variant: plan["variant"].as_str().unwrap_or("default").to_owned(),
        }
    }
}
