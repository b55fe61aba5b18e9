//! `cargo xtask cluster`: genuine Elasticsearch and OpenSearch servers on 127.0.0.1.
//!
//! [`variant`] says which servers there are and what each needs, [`fetch`] brings them here from Maven artifacts,
//! [`java`] finds a Java that suits, [`instance`] starts a server with empty data, waits for it and stops it again.
//! [`folder`] is where all that lies. Nothing of it is part of the repository or passed on.

mod fetch;
mod folder;
mod instance;
mod java;
mod launch;
mod maven;
mod running;
mod variant;

use std::time::Duration;

use clap::Subcommand;

use self::folder::Servers;
use self::instance::Instance;
pub use self::running::Running;
pub use self::variant::Variant;

/// Options of `cargo xtask cluster`.
#[derive(clap::Args)]
#[command(after_help = "\
Servers, their data and logs lie under .servers of the repository, or where RALLY_SERVERS points to.
Needed: Maven, and a Java that the server runs on: it is looked for in JAVA_HOME, JAVA<version>_HOME (JAVA17_HOME, \
say), on the PATH and in /usr/lib/jvm. Exit code 3 says that one of them is missing.")]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Download a server with Maven, unless it is there already
    Fetch {
        #[arg(value_enum)]
        variant: Variant,
    },
    /// Start a fetched server with empty data, wait until it is healthy and print its host:port
    Start {
        #[arg(value_enum)]
        variant: Variant,
        /// HTTP port on 127.0.0.1; 0 takes a free one
        #[arg(long, default_value_t = 39200)]
        port: u16,
        /// Java heap
        #[arg(long, value_name = "SIZE", default_value = "512m", value_parser = heap)]
        heap: String,
        /// Name of this instance, to run several of a variant [default: the variant]
        #[arg(long, value_parser = instance_name)]
        name: Option<String>,
        /// Seconds to wait for the server's health
        #[arg(long, default_value_t = 120)]
        timeout: u64,
    },
    /// Stop a server
    Stop {
        #[arg(value_enum)]
        variant: Variant,
        /// Name of the instance [default: the variant]
        #[arg(long, value_parser = instance_name)]
        name: Option<String>,
    },
    /// List the servers: version, Java, whether fetched, where running
    List,
}

/// Does what the command line asks.
///
/// # Errors
/// See the actions; a missing Java or Maven is a [`crate::tool::MissingTool`].
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let servers = Servers::open()?;
    match &arguments.action {
        Action::Fetch { variant } => fetch::fetch(&servers, *variant),
        Action::Start { variant, port, heap, name, timeout } => {
            let name = name.as_deref().unwrap_or(variant.name());
            let options = instance::Options { port: *port, heap, timeout: Duration::from_secs(*timeout) };
            let address = Instance::new(&servers, name).start(&servers, *variant, &options)?;
            println!("{address}");
            Ok(())
        }
        Action::Stop { variant, name } => {
            let name = name.as_deref().unwrap_or(variant.name());
            match Instance::new(&servers, name).stop()? {
                Some(pid) => eprintln!("{name} stopped (pid {pid})"),
                None => eprintln!("{name} is not running"),
            }
            Ok(())
        }
        Action::List => list(&servers),
    }
}

fn list(servers: &Servers) -> anyhow::Result<()> {
    println!("{:8} {:22} {:16} {:8} running", "variant", "server", "Java", "fetched");
    let instances = servers.instances()?;
    for variant in Variant::ALL {
        let fetched = if servers.tree(variant).is_dir() { "yes" } else { "no" };
        let running: Vec<String> = instances
            .iter()
            .filter_map(|name| {
                let instance = Instance::new(servers, name);
                let (of, address) = instance.running()?;
                (of == variant.name()).then(|| format!("{address} ({name})"))
            })
            .collect();
        let row = format!(
            "{:8} {:22} {:16} {fetched:8} {}",
            variant.name(),
            format!("{} {}", variant.product().title(), variant.version()),
            variant.java().to_string(),
            running.join(", ")
        );
        println!("{}", row.trim_end());
    }
    Ok(())
}

fn heap(text: &str) -> Result<String, String> {
    let digits = text.strip_suffix(['k', 'm', 'g', 'K', 'M', 'G']).unwrap_or_default();
    if digits.parse::<u32>().is_ok_and(|size| size > 0) {
        Ok(text.to_owned())
    } else {
        Err("a size such as 512m or 2g is needed".to_owned())
    }
}

fn instance_name(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !text.is_empty() && text.chars().all(plain) {
        Ok(text.to_owned())
    } else {
        Err("a name of letters, digits, - and _ is needed".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heap_is_a_number_with_a_unit() {
        assert!(heap("512m").is_ok() && heap("2g").is_ok());
        for wrong in ["", "m", "512", "0m", "-1g", "1m -XX:+Foo"] {
            assert!(heap(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn an_instance_name_cannot_leave_its_folder() {
        assert!(instance_name("es7-b").is_ok());
        for wrong in ["", "..", "a/b", "a b"] {
            assert!(instance_name(wrong).is_err(), "{wrong:?}");
        }
    }
}
