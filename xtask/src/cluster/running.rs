//! A server for the time of a measurement.

use std::time::Duration;

use super::fetch;
use super::folder::Servers;
use super::instance::{Instance, Options};
use super::variant::Variant;

/// How long a server may take to become healthy.
const PATIENCE: Duration = Duration::from_secs(120);

/// A server that stops when this is dropped.
pub struct Running {
    instance: Instance,
    /// Its `host:port`.
    pub address: String,
}

impl Running {
    /// Fetches the server if need be and starts it with empty data on a free port.
    ///
    /// # Errors
    /// As `cargo xtask cluster fetch` and `start`.
    pub fn start(variant: Variant, name: &str, heap: &str) -> anyhow::Result<Running> {
        let servers = Servers::open()?;
        fetch::fetch(&servers, variant)?;
        let instance = Instance::new(&servers, name);
        let options = Options { port: 0, heap, timeout: PATIENCE };
        let address = instance.start(&servers, variant, &options)?;
        Ok(Running { instance, address })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Err(error) = self.instance.stop() {
            eprintln!("{error:#}");
        }
    }
}
