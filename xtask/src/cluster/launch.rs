//! What a server is started with: its settings file, its environment, its command line.

use std::env;
use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use super::folder::{self, UNPRIVILEGED};
use super::java::Java;
use super::variant::Variant;

/// What the launch of an instance depends on.
pub struct Launch<'a> {
    pub variant: Variant,
    /// The unpacked server.
    pub tree: &'a Path,
    /// The instance's folder.
    pub run: &'a Path,
    /// A word on the server's command line that tells this instance from any other process.
    pub marker: &'a str,
    pub port: u16,
    pub heap: &'a str,
    pub java: &'a Java,
}

/// Elasticsearch 2.4 reaches into these packages, which later Javas close.
const OPENED_PACKAGES: [&str; 7] = [
    "java.base/java.io",
    "java.base/java.lang",
    "java.base/java.nio",
    "java.base/java.util",
    "java.base/java.util.concurrent",
    "java.base/jdk.internal.ref",
    "java.base/sun.nio.ch",
];

impl Launch<'_> {
    /// Makes the folders of the instance: the server's configuration with our settings, empty data, logs.
    ///
    /// # Errors
    /// The first file that could not be written.
    pub fn prepare(&self) -> io::Result<()> {
        for folder in ["config", "data", "logs", "tmp", "snapshots"] {
            fs::create_dir_all(self.run.join(folder))?;
        }
        copy_folder(&self.tree.join("config"), &self.run.join("config"))?;
        let config = self.run.join("config");
        fs::write(config.join(format!("{}.yml", self.variant.product().file_name())), self.settings())?;
        let options = config.join("jvm.options");
        if options.is_file() {
            // Shipped are paths relative to the server's tree, which instances share.
            let run = self.run.display();
            let text = fs::read_to_string(&options)?
                .replace("logs/", &format!("{run}/logs/"))
                .replace("HeapDumpPath=data", &format!("HeapDumpPath={run}/data"));
            fs::write(&options, text)?;
        }
        folder::give_to_servers(self.run)
    }

    /// The text of `elasticsearch.yml` or `opensearch.yml`.
    fn settings(&self) -> String {
        let path = |name: &str| quoted(&self.run.join(name));
        let mut lines = vec![
            format!("cluster.name: {}", self.marker),
            "node.name: rally-node-0".to_owned(),
            format!("path.data: {}", path("data")),
            format!("path.logs: {}", path("logs")),
            format!("path.repo: [{}]", path("snapshots")),
            // Only loopback: otherwise the bootstrap checks of production become fatal.
            "network.host: 127.0.0.1".to_owned(),
            format!("http.port: {}", self.port),
            // A test must not depend on how full the disk is.
            "cluster.routing.allocation.disk.threshold_enabled: false".to_owned(),
        ];
        let further: &[&str] = match self.variant {
            Variant::Es2 => &["transport.tcp.port: 0", "discovery.zen.ping.multicast.enabled: false"],
            Variant::Es6 => &["transport.tcp.port: 0", "discovery.type: single-node"],
            Variant::Es7 | Variant::Os2 | Variant::Os3 => {
                &["transport.port: 0", "discovery.type: single-node"]
            }
            Variant::Es8 | Variant::Es9 => {
                &["transport.port: 0", "discovery.type: single-node", "xpack.security.enabled: false"]
            }
        };
        lines.extend(further.iter().map(|line| (*line).to_owned()));
        lines.join("\n") + "\n"
    }

    /// The command that runs the server in the foreground, with the environment it needs and no other.
    pub fn command(&self) -> Command {
        let pid_file = self.run.join("server.pid");
        let jvm_options = [
            format!("-Xms{}", self.heap),
            format!("-Xmx{}", self.heap),
            format!("-Drally.instance={}", self.marker),
        ];
        let mut command = if self.variant == Variant::Es2 {
            // Its launcher sets flags that no Java of today knows.
            let mut command = Command::new(self.java.home.join("bin/java"));
            command.args(&jvm_options).args(["-Djava.awt.headless=true", "-Dfile.encoding=UTF-8"]);
            command.args(["-Djna.nosys=true", &option("java.io.tmpdir", &self.run.join("tmp"))]);
            command.args(OPENED_PACKAGES.map(|package| format!("--add-opens={package}=ALL-UNNAMED")));
            command
                .args([option("es.path.home", self.tree), option("es.path.conf", &self.run.join("config"))]);
            command.arg(option("es.pidfile", &pid_file));
            command.arg("-cp").arg(self.tree.join("lib/*"));
            command.args(["org.elasticsearch.bootstrap.Elasticsearch", "start"]);
            command
        } else {
            let mut command = Command::new(self.tree.join("bin").join(self.variant.product().file_name()));
            command.arg("-p").arg(pid_file);
            command
        };
        let prefix = self.variant.product().variable_prefix();
        command
            .env_clear()
            .envs(env::var_os("PATH").map(|path| ("PATH", path)))
            .env("HOME", self.run.join("tmp"))
            .env("JAVA_HOME", &self.java.home)
            .env(format!("{prefix}_JAVA_HOME"), &self.java.home)
            .env(format!("{prefix}_JAVA_OPTS"), jvm_options.join(" "))
            .env(format!("{prefix}_PATH_CONF"), self.run.join("config"))
            .env(format!("{prefix}_TMPDIR"), self.run.join("tmp"))
            .current_dir(self.run);
        if folder::is_root() {
            command.uid(UNPRIVILEGED).gid(UNPRIVILEGED);
        }
        command
    }
}

fn option(name: &str, path: &Path) -> String {
    format!("-D{name}={}", path.display())
}

/// A path as a YAML string: JSON's strings are such.
fn quoted(path: &Path) -> String {
    serde_json::Value::from(path.display().to_string()).to_string()
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn launch<'a>(variant: Variant, root: &'a Path, java: &'a Java) -> Launch<'a> {
        Launch { variant, tree: root, run: root, marker: "rally-x-39200", port: 39200, heap: "256m", java }
    }

    #[test]
    fn every_server_listens_on_loopback_at_the_port_asked_for() {
        let java = Java { home: "/opt/jdk".into(), version: 17 };
        for variant in Variant::ALL {
            let settings = launch(variant, Path::new("/srv/a b"), &java).settings();
            for line in ["network.host: 127.0.0.1", "http.port: 39200", "path.data: \"/srv/a b/data\""] {
                assert!(settings.lines().any(|found| found == line), "{line} for {variant:?}:\n{settings}");
            }
        }
    }

    #[test]
    fn the_environment_has_the_variables_of_the_product_and_nothing_inherited() {
        let java = Java { home: "/opt/jdk".into(), version: 17 };
        for (variant, prefix) in [(Variant::Es7, "ES"), (Variant::Os2, "OPENSEARCH")] {
            let command = launch(variant, Path::new("/srv"), &java).command();
            let variable = |name: &str| {
                let found = command.get_envs().find(|(key, _)| *key == name);
                found.and_then(|(_, value)| value).map(|value| value.to_string_lossy().into_owned())
            };
            assert_eq!(variable(&format!("{prefix}_JAVA_HOME")).as_deref(), Some("/opt/jdk"));
            assert_eq!(
                variable(&format!("{prefix}_JAVA_OPTS")).as_deref(),
                Some("-Xms256m -Xmx256m -Drally.instance=rally-x-39200")
            );
            assert_eq!(variable("CARGO_MANIFEST_DIR"), None);
        }
    }

    #[test]
    fn logs_and_heap_dumps_of_the_jvm_lie_with_the_instance() {
        let root = tempfile::tempdir().unwrap();
        let (tree, run) = (root.path().join("tree"), root.path().join("run"));
        fs::create_dir_all(tree.join("config")).unwrap();
        fs::write(tree.join("config/jvm.options"), "9-:-Xlog:gc*:file=logs/gc.log\n-XX:HeapDumpPath=data\n")
            .unwrap();
        let java = Java { home: "/opt/jdk".into(), version: 17 };
        let launch = Launch { tree: &tree, run: &run, ..launch(Variant::Es7, &tree, &java) };
        launch.prepare().unwrap();
        let options = fs::read_to_string(run.join("config/jvm.options")).unwrap();
        let run_folder = run.display();
        assert_eq!(
            options,
            format!("9-:-Xlog:gc*:file={run_folder}/logs/gc.log\n-XX:HeapDumpPath={run_folder}/data\n")
        );
        assert!(run.join("config/elasticsearch.yml").is_file() && run.join("data").is_dir());
    }
}
