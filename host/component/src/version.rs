//! Versions of the interface.

use semver::Version;

/// Name of the interface's package.
pub const PACKAGE: &str = "rally:track";

/// The newest release of each line of versions that this rally offers. A line is what can be exchanged for each other: all
/// 0.1.x are one, 0.2.x another.
const OFFERED: &[Version] = &[Version::new(0, 1, 0)];

/// Interfaces that a component may import.
const IMPORTS: &[&str] =
    &["assets", "bodies", "client", "clock", "corpora", "data", "files", "log", "race", "types"];

/// The versions of the interface that this rally offers: the newest of each line, ascending.
pub fn offered_versions() -> &'static [Version] {
    OFFERED
}

/// Whether rally offers an interface of this name for import.
pub(crate) fn is_importable(interface: &str) -> bool {
    IMPORTS.contains(&interface)
}

/// What rally makes of the version that a component was built for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Offered,
    /// Newer than all that is offered, or than what is offered of its line.
    Newer,
    /// Never released, or given up.
    Unknown,
}

pub(crate) fn judge(version: &Version) -> Verdict {
    if !version.pre.is_empty() || !version.build.is_empty() {
        return Verdict::Unknown;
    }
    match OFFERED.iter().find(|offered| same_line(offered, version)) {
        Some(offered) if version <= offered => Verdict::Offered,
        Some(_) => Verdict::Newer,
        None if OFFERED.iter().all(|offered| version > offered) => Verdict::Newer,
        None => Verdict::Unknown,
    }
}

/// Before 1.0.0 the second number stands for what breaks, as in Cargo and in the component model.
fn same_line(one: &Version, other: &Version) -> bool {
    one.major == other.major && (one.major > 0 || one.minor == other.minor)
}

/// The offered versions for a message, e.g. "0.1.0".
pub(crate) fn offered_text() -> String {
    let texts: Vec<String> = OFFERED.iter().map(Version::to_string).collect();
    texts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_released_versions_up_to_the_newest_are_offered() {
        assert_eq!(judge(&Version::new(0, 1, 0)), Verdict::Offered);
        assert_eq!(judge(&Version::new(0, 1, 1)), Verdict::Newer);
        assert_eq!(judge(&Version::new(0, 2, 0)), Verdict::Newer);
        assert_eq!(judge(&Version::new(1, 0, 0)), Verdict::Newer);
        assert_eq!(judge(&Version::new(0, 0, 9)), Verdict::Unknown);
        assert_eq!(judge(&Version::parse("0.1.0-rc.1").expect("a version")), Verdict::Unknown);
    }

    #[test]
    fn the_interface_in_the_tree_is_offered() {
        let types = include_str!("../../../wit/0.1.0/types.wit");
        assert!(types.contains("package rally:track@0.1.0;"));
        assert_eq!(OFFERED.last(), Some(&Version::new(0, 1, 0)));
    }

    #[test]
    fn importable_interfaces_are_those_of_the_world_and_what_they_use() {
        let world = include_str!("../../../wit/0.1.0/world.wit");
        for line in world.lines().filter_map(|line| line.trim().strip_prefix("import ")) {
            assert!(is_importable(line.trim_end_matches(';')), "{line}");
        }
        assert!(IMPORTS.is_sorted());
    }
}
