//! The embedded search node as a process of its own: its CPU time and memory are not the load driver's, and it goes when its
//! race goes, however that ends.

use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::scratch::ScratchFolder;

/// A running embedded node. It stops when this is dropped.
pub struct EmbeddedNode {
    process: Child,
    address: SocketAddr,
    /// Its data goes with it: dropped after [`EmbeddedNode::drop`] has stopped the process.
    _data: ScratchFolder,
}

/// The embedded node could not be started.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedNodeError {
    /// No place for its data.
    #[error(
        "cannot create a folder for the embedded node's data in '{folder}'; free some space, or set RALLY_HOME to a writable folder"
    )]
    Data {
        /// Where.
        folder: String,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// No process.
    #[error("cannot start the embedded node")]
    Start(#[source] io::Error),
    /// It ended before it listened.
    #[error("the embedded node ended before it listened{}; `rally node` shows why", .said.as_deref().map(|said| format!(": {said}")).unwrap_or_default())]
    Ended {
        /// What it printed instead of its address.
        said: Option<String>,
    },
}

/// How the node's first line on standard output begins; its address follows.
pub const LISTENING: &str = "rally node listening on ";

impl EmbeddedNode {
    /// Starts a node on a free loopback port, with its data in a new folder below `folder`. `program` is a `rally` command.
    ///
    /// # Errors
    /// Where there is no place for its data, or it does not start.
    pub fn start(program: &Path, folder: &Path) -> Result<EmbeddedNode, EmbeddedNodeError> {
        let no_data = |cause| EmbeddedNodeError::Data { folder: folder.display().to_string(), cause };
        let data = ScratchFolder::create(folder).map_err(no_data)?;
        let mut process = Command::new(program)
            .args(["node", "--port=0", "--stop-with-stdin", "--data"])
            .arg(data.content())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // Ctrl-C at the terminal is for the race, which still asks the node for its figures.
            .process_group(0)
            .spawn()
            .map_err(EmbeddedNodeError::Start)?;
        let mut said = String::new();
        if let Some(output) = process.stdout.take() {
            BufReader::new(output).read_line(&mut said).map_err(EmbeddedNodeError::Start)?;
        }
        match said.trim().strip_prefix(LISTENING).and_then(|address| address.parse().ok()) {
            Some(address) => Ok(EmbeddedNode { process, address, _data: data }),
            None => {
                let _ = process.kill();
                let _ = process.wait();
                Err(EmbeddedNodeError::Ended {
                    said: Some(said.trim().to_owned()).filter(|said| !said.is_empty()),
                })
            }
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for EmbeddedNode {
    fn drop(&mut self) {
        // Its data is thrown away: there is nothing that it should still write.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
