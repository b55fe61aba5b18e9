//! Where servers lie: `<root>/<variant>` is an unpacked server, `<root>/run/<name>` the data and logs of an instance.

use std::env;
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::variant::Variant;
use crate::tool;

/// The user and group that servers run as when this program runs as root, which they refuse: nobody.
pub const UNPRIVILEGED: u32 = 65534;

/// The folder of all servers.
pub struct Servers {
    root: PathBuf,
}

impl Servers {
    /// Opens the folder: `RALLY_SERVERS`, else `.servers` of the repository, else, where servers could not get into
    /// the repository, a folder for temporary files.
    ///
    /// # Errors
    /// When the folder cannot be made, or lies where a server cannot get at it.
    pub fn open() -> anyhow::Result<Self> {
        let root = match env::var_os("RALLY_SERVERS") {
            Some(folder) => {
                let root = std::path::absolute(folder)?;
                if let Some(closed) = closed_to_servers(&root) {
                    bail!(
                        "RALLY_SERVERS={} lies below {}, which the servers' user (id {UNPRIVILEGED}) cannot enter",
                        root.display(),
                        closed.display()
                    );
                }
                root
            }
            None => {
                let root = tool::workspace().join(".servers");
                match closed_to_servers(&root) {
                    None => root,
                    Some(closed) => {
                        let other = env::temp_dir().join("rally-servers");
                        eprintln!(
                            "{} is closed to the servers' user (id {UNPRIVILEGED}): using {}",
                            closed.display(),
                            other.display()
                        );
                        other
                    }
                }
            }
        };
        fs::create_dir_all(&root).with_context(|| format!("{} could not be created", root.display()))?;
        Ok(Self { root })
    }

    /// A folder of servers at `root`.
    #[cfg(test)]
    pub fn at(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The unpacked server of a variant; it is there if the variant was fetched.
    pub fn tree(&self, variant: Variant) -> PathBuf {
        self.root.join(variant.name())
    }

    /// The folder of an instance.
    pub fn run(&self, name: &str) -> PathBuf {
        self.root.join("run").join(name)
    }

    /// The names of the instances that were ever started and not cleaned away.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn instances(&self) -> io::Result<Vec<String>> {
        let entries = match fs::read_dir(self.root.join("run")) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut names = entries
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect::<io::Result<Vec<_>>>()?;
        names.sort();
        Ok(names)
    }
}

/// Whether this program runs as root, so that servers have to run as somebody else.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The first folder on the way to `path` that the servers' user cannot enter; `None` when servers run as our own user.
fn closed_to_servers(path: &Path) -> Option<PathBuf> {
    if !is_root() {
        return None;
    }
    path.ancestors()
        .find(|folder| folder.metadata().is_ok_and(|found| !enterable(&found)))
        .map(Path::to_owned)
}

fn enterable(folder: &fs::Metadata) -> bool {
    let mode = folder.permissions().mode();
    if folder.uid() == UNPRIVILEGED { mode & 0o100 != 0 } else { mode & 0o001 != 0 }
}

/// Gives `path` and all in it to the servers' user, if this program runs as root.
///
/// # Errors
/// The first change that was refused.
pub fn give_to_servers(path: &Path) -> io::Result<()> {
    if !is_root() {
        return Ok(());
    }
    if path.is_dir() && !path.is_symlink() {
        for entry in fs::read_dir(path)? {
            give_to_servers(&entry?.path())?;
        }
    }
    if path.is_symlink() {
        return Ok(());
    }
    chown(path, Some(UNPRIVILEGED), Some(UNPRIVILEGED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_others_is_enterable_with_their_x_only() {
        let folder = tempfile::tempdir().unwrap();
        let with = |mode: u32| {
            fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
            enterable(&folder.path().metadata().unwrap())
        };
        assert!(with(0o701));
        assert!(!with(0o700) || folder.path().metadata().unwrap().uid() == UNPRIVILEGED);
    }

    #[test]
    fn instances_are_listed_by_name_and_none_is_no_error() {
        let root = tempfile::tempdir().unwrap();
        let servers = Servers::at(root.path());
        assert_eq!(servers.instances().unwrap(), Vec::<String>::new());
        for name in ["os2", "es7"] {
            fs::create_dir_all(servers.run(name)).unwrap();
        }
        assert_eq!(servers.instances().unwrap(), ["es7", "os2"]);
    }
}
