//! What Elastic Rally has and rally has not yet: named, so that nobody wonders about a typing error.

use clap::CommandFactory;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::args::Cli;

/// Flags of Elastic Rally, then and now, with what stands in for them today.
const FLAGS: &[(&str, &str)] = &[
    ("--advanced-config", "write what differs into rally.ini (docs/tracks.md)"),
    ("--assume-defaults", "rally asks nothing"),
    ("--auto-manage-indices", "say auto-managed in the track"),
    (
        "--car",
        "provisioning is not supported yet: start the cluster yourself and name it with --target-hosts",
    ),
    (
        "--car-params",
        "provisioning is not supported yet: start the cluster yourself and name it with --target-hosts",
    ),
    ("--cluster-name", "the name is read from the cluster"),
    ("--configuration-name", "there is one rally.ini; RALLY_HOME names the folder that it is in"),
    (
        "--distribution-repository",
        "provisioning is not supported yet: name a running cluster with --target-hosts",
    ),
    ("--effective-start-date", "the race is dated by the clock"),
    ("--elasticsearch-plugins", "provisioning is not supported yet: install plugins yourself"),
    ("--enable-assertions", "assertions of operations are not checked yet"),
    ("--enable-driver-profiling", "the report says by itself when the load driver was the limit"),
    ("--include-tasks-file", "list the tasks with --include-tasks"),
    ("--kill-running-processes", "races do not get in each other's way"),
    ("--load-driver-hosts", "remote load drivers are not supported yet: all clients run in this process"),
    ("--multi-cluster", "one cluster per race for now"),
    ("--plugin-params", "provisioning is not supported yet: install plugins yourself"),
    ("--preserve-install", "provisioning is not supported yet"),
    ("--race-id", "the race's id is drawn and printed"),
    ("--report-numbers-align", "numbers are aligned to the right"),
    ("--revision", "building from sources is not supported yet"),
    ("--runtime-jdk", "provisioning is not supported yet"),
    ("--show-in-report", "the report shows what there is; --report-format=json has everything"),
    ("--skip-rest-api-check", "the target's version is always read"),
    ("--source-build-method", "building from sources is not supported yet"),
    ("--target-arch", "provisioning is not supported yet"),
    ("--target-os", "provisioning is not supported yet"),
    ("--team-path", "provisioning is not supported yet"),
    ("--team-repository", "provisioning is not supported yet"),
    ("--team-revision", "provisioning is not supported yet"),
    ("--telemetry", "the report has the cluster's own figures; further devices are not supported yet"),
    ("--telemetry-params", "the report has the cluster's own figures; further devices are not supported yet"),
];

/// Sub-commands of Elastic Rally, then and now.
const COMMANDS: &[&str] = &[
    "add",
    "build",
    "cars",
    "compare",
    "configure",
    "delete",
    "download",
    "elasticsearch-plugins",
    "generate",
    "install",
    "start",
    "stop",
    "telemetry",
];

/// A sentence about a flag or sub-command that Elastic Rally has, if that is what the error is about.
pub fn explain(error: &clap::Error) -> Option<String> {
    let named = |kind: ContextKind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    match error.kind() {
        ErrorKind::UnknownArgument => {
            let flag = named(ContextKind::InvalidArg)?.split('=').next()?;
            match FLAGS.iter().find(|(name, _)| *name == flag) {
                Some((flag, instead)) => Some(format!(
                    "{flag} is a flag of Elastic Rally that rally does not have yet: {instead}."
                )),
                // Elastic Rally of 2017 raced where no sub-command was given.
                None => is_flag_of_run(flag).then(|| format!("{flag} is a flag of 'rally run'.")),
            }
        }
        ErrorKind::InvalidSubcommand => {
            let name = named(ContextKind::InvalidSubcommand)?;
            let command = COMMANDS.iter().find(|command| **command == name)?;
            Some(format!("'{command}' is a command of Elastic Rally that rally does not have yet."))
        }
        _ => None,
    }
}

fn is_flag_of_run(flag: &str) -> bool {
    let command = Cli::command();
    let long = flag.trim_start_matches("--");
    command
        .find_subcommand("run")
        .is_some_and(|run| run.get_arguments().any(|argument| argument.get_long() == Some(long)))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[test]
    fn a_flag_of_rally_is_named_with_what_stands_in_for_it() {
        let error =
            Cli::try_parse_from(["rally", "run", "--track=t", "--car=4gheap"]).expect_err("no such flag");
        let text = explain(&error).expect("known to Elastic Rally");
        assert!(
            text.contains("--car is a flag of Elastic Rally") && text.contains("--target-hosts"),
            "{text}"
        );
    }

    #[test]
    fn an_unheard_of_flag_is_left_to_the_parser() {
        let error =
            Cli::try_parse_from(["rally", "run", "--track=t", "--trakc-path=x"]).expect_err("no such flag");
        assert_eq!(explain(&error), None);
    }

    #[test]
    fn who_races_without_a_sub_command_is_told_which_one() {
        let error = Cli::try_parse_from(["rally", "--track=geonames"]).expect_err("no sub-command");
        assert!(explain(&error).expect("known").contains("'rally run'"));
    }

    #[test]
    fn a_command_of_rally_is_named() {
        let error = Cli::try_parse_from(["rally", "compare"]).expect_err("no such command");
        assert!(explain(&error).expect("known to Elastic Rally").contains("'compare'"));
    }

    #[test]
    fn no_flag_is_both_there_and_not_yet_there() {
        let command = Cli::command();
        let there: Vec<String> = command
            .get_subcommands()
            .flat_map(|sub| sub.get_arguments())
            .filter_map(|argument| argument.get_long().map(|long| format!("--{long}")))
            .collect();
        for (flag, _) in FLAGS {
            assert!(!there.contains(&(*flag).to_owned()), "{flag} is there");
        }
    }
}
