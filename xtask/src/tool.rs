//! Running the tools that chores lean on (pip, Maven, Java), with errors that name the tool and the remedy.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, bail};

/// A tool that this machine does not have, or has in a version that cannot do the chore.
#[derive(Debug, thiserror::Error)]
#[error("{what}; {remedy}")]
pub struct MissingTool {
    /// What is missing, with the version that was found where there is one.
    pub what: String,
    /// What to install or set.
    pub remedy: String,
}

/// Runs `command` to its end and returns what it printed.
///
/// # Errors
/// [`MissingTool`] when the program is not installed (`remedy` says what to do), else a message with the last lines
/// that the program printed.
pub fn run(command: &mut Command, remedy: &str) -> anyhow::Result<Output> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = match command.output() {
        Ok(output) => output,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(MissingTool {
                what: format!("{program} is not installed"),
                remedy: remedy.to_owned(),
            }
            .into());
        }
        Err(error) => return Err(error).with_context(|| format!("{program} could not be started")),
    };
    if !output.status.success() {
        let printed = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
        bail!("{program} failed ({}); it said:\n{}", output.status, last_lines(&printed, 12));
    }
    Ok(output)
}

/// The last `count` lines of a program's output or log that are not empty, indented for an error message.
pub fn last_lines(text: &[u8], count: usize) -> String {
    let text = String::from_utf8_lossy(text);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let tail = &lines[lines.len().saturating_sub(count)..];
    if tail.is_empty() {
        return "  (nothing)".to_owned();
    }
    tail.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

/// The root folder of the workspace that this program was built from.
pub fn workspace() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_path_buf()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_not_installed_is_a_missing_tool_with_its_remedy() {
        let error = run(&mut Command::new("rally-xtask-no-such-program"), "install it").unwrap_err();
        let missing = error.downcast_ref::<MissingTool>().expect("a missing tool");
        assert_eq!(missing.what, "rally-xtask-no-such-program is not installed");
        assert_eq!(missing.remedy, "install it");
    }

    #[test]
    fn a_program_that_fails_is_an_error_with_its_last_lines() {
        let error = run(Command::new("sh").args(["-c", "echo one; echo two >&2; exit 4"]), "").unwrap_err();
        assert!(error.downcast_ref::<MissingTool>().is_none());
        let text = error.to_string();
        assert!(text.contains("exit status: 4") && text.ends_with("  one\n  two"), "{text}");
    }

    #[test]
    fn last_lines_leaves_out_earlier_and_empty_lines() {
        assert_eq!(last_lines(b"a\nb\n\nc\n\n", 2), "  b\n  c");
        assert_eq!(last_lines(b"\n", 2), "  (nothing)");
    }
}
