//! Finding a Java that a server runs on.

use std::collections::BTreeSet;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::variant::{JavaRange, Variant};
use crate::tool::MissingTool;

/// An installed Java.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Java {
    /// Its `JAVA_HOME`.
    pub home: PathBuf,
    /// Its release: 8, 11, 17 …
    pub version: u32,
}

/// The first Java that `variant` runs on: `JAVA_HOME`, `JAVA<version>_HOME`, the PATH, `/usr/lib/jvm`, in this order.
///
/// # Errors
/// [`MissingTool`] with the Javas that were found.
pub fn find(variant: Variant) -> Result<Java, MissingTool> {
    let range = variant.java();
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for program in programs() {
        let Some(java) = inspect(&program) else { continue };
        if range.contains(java.version) {
            return Ok(java);
        }
        if seen.insert(java.home.clone()) {
            found.push(java);
        }
    }
    Err(missing(variant, range, &found))
}

fn missing(variant: Variant, range: JavaRange, found: &[Java]) -> MissingTool {
    let found = if found.is_empty() {
        "no Java was found".to_owned()
    } else {
        let list: Vec<String> =
            found.iter().map(|java| format!("Java {} ({})", java.version, java.home.display())).collect();
        format!("found only {}", list.join(", "))
    };
    MissingTool {
        what: format!("{} needs Java {range}, {found}", variant.name()),
        remedy: format!(
            "install one and let JAVA_HOME or JAVA{}_HOME name its folder",
            range.newest.unwrap_or(range.oldest)
        ),
    }
}

/// The `java` programs to look at, in order of preference.
fn programs() -> Vec<PathBuf> {
    let mut homes: Vec<PathBuf> = Vec::new();
    homes.extend(env::var_os("JAVA_HOME").map(PathBuf::from));
    homes
        .extend((8..100).filter_map(|release| env::var_os(format!("JAVA{release}_HOME"))).map(PathBuf::from));
    let mut programs: Vec<PathBuf> = homes.iter().map(|home| home.join("bin/java")).collect();
    programs.push(PathBuf::from("java"));
    let mut installed: Vec<PathBuf> = Path::new("/usr/lib/jvm")
        .read_dir()
        .map(|entries| entries.flatten().map(|entry| entry.path().join("bin/java")).collect())
        .unwrap_or_default();
    installed.sort();
    programs.extend(installed);
    programs
}

/// What `program` says of itself; nothing if it is not there or is no Java.
fn inspect(program: &Path) -> Option<Java> {
    let output = Command::new(program).args(["-XshowSettings:properties", "-version"]).output().ok()?;
    parse_settings(&String::from_utf8_lossy(&output.stderr))
}

fn parse_settings(settings: &str) -> Option<Java> {
    let property = |name: &str| {
        settings
            .lines()
            .find_map(|line| Some(line.trim().strip_prefix(name)?.trim().strip_prefix('=')?.trim()))
    };
    let version = property("java.specification.version")?;
    // Up to 8 the release stands behind a "1.".
    let version = version.strip_prefix("1.").unwrap_or(version).parse().ok()?;
    Some(Java { home: PathBuf::from(property("java.home")?), version })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_tell_the_home_and_the_release() {
        let settings =
            "Property settings:\n    java.home = /opt/jdk 17\n    java.specification.version = 17\n";
        assert_eq!(parse_settings(settings), Some(Java { home: "/opt/jdk 17".into(), version: 17 }));
        let old = "    java.home = /opt/jre\n    java.specification.version = 1.8\n";
        assert_eq!(parse_settings(old).map(|java| java.version), Some(8));
        assert_eq!(parse_settings("not a Java"), None);
    }

    #[test]
    fn a_missing_java_names_what_was_found_and_what_to_do() {
        let found = [Java { home: "/opt/jdk".into(), version: 17 }];
        let error = missing(Variant::Es9, Variant::Es9.java(), &found).to_string();
        assert_eq!(
            error,
            "es9 needs Java 21 or newer, found only Java 17 (/opt/jdk); \
             install one and let JAVA_HOME or JAVA21_HOME name its folder"
        );
        let none = missing(Variant::Es2, Variant::Es2.java(), &[]).to_string();
        assert!(none.starts_with("es2 needs Java 11 to 17, no Java was found;"), "{none}");
    }
}
