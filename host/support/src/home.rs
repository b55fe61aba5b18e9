//! `~` at the beginning of a path, where no shell has expanded it: bash leaves `--option=~/path` as it is.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The path with the user's home folder (`HOME`) in place of a leading `~`. `~name`, which stands for another user's home, stays
/// as it is, and so does everything where `HOME` is not set.
pub fn expand(path: &Path) -> PathBuf {
    below(path, std::env::var_os("HOME").filter(|home| !home.is_empty()))
}

fn below(path: &Path, home: Option<OsString>) -> PathBuf {
    match (path.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) if rest.as_os_str().is_empty() => home.into(),
        (Ok(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(path: &str) -> PathBuf {
        below(Path::new(path), Some("/home/me".into()))
    }

    #[test]
    fn a_leading_tilde_is_the_home_folder() {
        assert_eq!(expanded("~"), Path::new("/home/me"));
        assert_eq!(expanded("~/"), Path::new("/home/me"));
        assert_eq!(expanded("~/tracks/own.json"), Path::new("/home/me/tracks/own.json"));
    }

    #[test]
    fn a_tilde_elsewhere_and_other_homes_stay() {
        for path in ["./~/x", "/~/x", "~other/x", "a~", "", "x/~"] {
            assert_eq!(expanded(path), Path::new(path));
        }
        assert_eq!(below(Path::new("~/x"), None), Path::new("~/x"));
    }
}
