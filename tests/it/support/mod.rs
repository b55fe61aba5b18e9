//! Runs the built command as a user would, with a home of its own.

pub mod node;
pub mod recorder;
pub mod server;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use serde_json::Value;

/// A user's machine: a home folder and the command.
pub struct Machine {
    home: tempfile::TempDir,
}

/// What a run left behind.
pub struct Run {
    /// Exit code; -1 where a signal ended it.
    pub code: i32,
    /// Standard output.
    pub output: String,
    /// Standard error.
    pub errors: String,
}

impl Machine {
    /// A fresh one.
    pub fn new() -> Machine {
        Machine { home: tempfile::tempdir().expect("home") }
    }

    /// RALLY_HOME.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// The command with these arguments, not started yet.
    pub fn command<S: AsRef<std::ffi::OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rally"));
        command.args(arguments).env("RALLY_HOME", self.home()).stdin(Stdio::null());
        command
    }

    /// Runs the command to its end.
    pub fn rally<S: AsRef<std::ffi::OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Run {
        let output = self.command(arguments).output().expect("rally runs");
        Run {
            code: code(output.status),
            output: String::from_utf8_lossy(&output.stdout).into_owned(),
            errors: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Starts the command and leaves it running.
    pub fn start<S: AsRef<std::ffi::OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Running {
        let process = self
            .command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("rally starts");
        Running { process }
    }

    /// The one race that was run here.
    pub fn only_race(&self) -> (PathBuf, Value) {
        let races = self.home().join("benchmarks").join("races");
        let mut folders: Vec<_> =
            std::fs::read_dir(&races).expect("races").map(|entry| entry.expect("entry").path()).collect();
        assert_eq!(folders.len(), 1, "one race in {folders:?}");
        let folder = folders.remove(0);
        let text = std::fs::read_to_string(folder.join("race.json")).expect("race.json");
        (folder, serde_json::from_str(&text).expect("valid JSON"))
    }
}

/// A running command.
pub struct Running {
    process: Child,
}

impl Running {
    /// Sends SIGINT, as Ctrl-C does.
    pub fn interrupt(&self) {
        let id = self.process.id().to_string();
        let sent = Command::new("kill").args(["-INT", &id]).status().expect("kill runs");
        assert!(sent.success());
    }

    /// Ends it as the kernel does when memory is short.
    pub fn kill(mut self) {
        self.process.kill().expect("killed");
        self.process.wait().expect("ends");
    }

    /// Nobody reads its standard output and standard error any more.
    pub fn hang_up(mut self) -> i32 {
        drop(self.process.stdout.take());
        drop(self.process.stderr.take());
        code(self.process.wait().expect("ends"))
    }

    /// Waits until it ends.
    pub fn wait(mut self) -> Run {
        let mut output = String::new();
        let mut errors = String::new();
        let mut stdout = self.process.stdout.take().expect("piped");
        let mut stderr = self.process.stderr.take().expect("piped");
        std::thread::scope(|scope| {
            scope.spawn(|| stdout.read_to_string(&mut output).expect("text"));
            scope.spawn(|| stderr.read_to_string(&mut errors).expect("text"));
        });
        let status = self.process.wait().expect("ends");
        Run { code: code(status), output, errors }
    }
}

fn code(status: ExitStatus) -> i32 {
    status.code().unwrap_or(-1)
}

impl Run {
    /// Asserts the exit code, and shows everything if it is another.
    #[track_caller]
    pub fn expect_code(&self, code: i32) -> &Run {
        assert_eq!(self.code, code, "\n--- output\n{}\n--- errors\n{}", self.output, self.errors);
        self
    }

    /// Asserts that the error text contains each of these; a guest may have panicked, rally itself must not.
    #[track_caller]
    pub fn expect_error_of_guest(&self, parts: &[&str]) -> &Run {
        for part in parts {
            assert!(self.errors.contains(part), "no {part:?} in\n{}", self.errors);
        }
        assert!(!self.errors.contains("\nthread '"), "{}", self.errors);
        self
    }

    /// Asserts that the error text contains each of these, and looks like a message for people.
    #[track_caller]
    pub fn expect_error(&self, parts: &[&str]) -> &Run {
        for part in parts {
            assert!(self.errors.contains(part), "no {part:?} in\n{}", self.errors);
        }
        assert!(!self.errors.contains("panicked"), "{}", self.errors);
        self
    }
}

/// A track in a folder of its own, with these files.
pub fn track(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("folder");
    for (name, content) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("parent")).expect("folder");
        std::fs::write(path, content).expect("file");
    }
    folder
}

/// A track with ten documents and these operations and schedule.
pub fn small_track(operations: &str, schedule: &str) -> tempfile::TempDir {
    let documents: String =
        (0..10).map(|number| format!("{{\"name\":\"place {number}\",\"rank\":{number}}}\n")).collect();
    track(&[
        (
            "track.json",
            &format!(
                r#"{{
  "short-description": "ten places",
  "description": "ten places",
  "indices": [{{"name": "places", "types": [{{
    "name": "place", "mapping": "mapping.json", "documents": "documents.json", "document-count": 10
  }}]}}],
  "operations": {operations},
  "challenges": [{{"name": "only", "description": "the only one", "schedule": {schedule}}}]
}}"#
            ),
        ),
        (
            "mapping.json",
            r#"{"place": {"dynamic": "strict", "properties": {"name": {"type": "text"}, "rank": {"type": "integer"}}}}"#,
        ),
        ("documents.json", &documents),
    ])
}

/// The operations that most tests need.
pub const OPERATIONS: &str = r#"[
    {"name": "index", "operation-type": "index", "bulk-size": 3},
    {"name": "match-all", "operation-type": "search", "body": {"query": {"match_all": {}}}}
  ]"#;
