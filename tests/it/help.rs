//! The help of every command is under snapshots, so that a change of wording is seen in review.
//!
//! `SNAPSHOTS=overwrite cargo test -p rally --test it help` writes them again.

use std::path::{Path, PathBuf};

use snapbox::{Assert, Data};

use crate::support::Machine;

/// The help of a command, at 100 columns as clap prints it where there is no terminal.
fn help(machine: &Machine, command: &[String]) -> String {
    let arguments = command.iter().map(String::as_str).chain(["--help"]);
    let run = machine.rally(arguments);
    run.expect_code(0);
    run.output
}

/// The subcommands that a help text lists.
fn subcommands(help: &str) -> Vec<String> {
    let Some((_, list)) = help.split_once("Commands:\n") else { return Vec::new() };
    list.lines()
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|&name| name != "help")
        .map(str::to_owned)
        .collect()
}

/// Every command with its help, the command itself first.
fn commands(machine: &Machine, command: Vec<String>, all: &mut Vec<(String, String)>) {
    let text = help(machine, &command);
    for name in subcommands(&text) {
        let mut inner = command.clone();
        inner.push(name);
        commands(machine, inner, all);
    }
    let name = std::iter::once("rally".to_owned()).chain(command).collect::<Vec<_>>().join("-");
    all.push((name, text));
}

fn snapshot(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/it/snapshots/help").join(format!("{name}.txt"))
}

#[test]
fn the_help_of_every_command_is_its_snapshot() {
    let mut all = Vec::new();
    commands(&Machine::new(), Vec::new(), &mut all);
    assert!(all.len() > 15, "too few commands were found: {}", all.len());
    for (name, text) in &all {
        Assert::new().action_env("SNAPSHOTS").eq(text, Data::read_from(&snapshot(name), None));
    }
    let kept = std::fs::read_dir(snapshot("rally").parent().expect("a folder")).expect("snapshots");
    let mut kept: Vec<String> =
        kept.map(|entry| entry.expect("entry").file_name().to_string_lossy().into_owned()).collect();
    let mut known: Vec<String> = all.iter().map(|(name, _)| format!("{name}.txt")).collect();
    kept.sort();
    known.sort();
    assert_eq!(kept, known, "a snapshot of a command that is gone; remove it");
}
