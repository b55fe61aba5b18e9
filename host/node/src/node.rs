//! The node: starting it, what its handlers share, stopping it.

use crate::api;
use crate::cluster::Cluster;
use crate::cluster::state::short_uuid;
use crate::error::EsError;
use crate::http::{Class, Router, server};
use crate::pool::Pool;
use crate::scroll::Scrolls;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How often refreshes, idle writers and old scrolls are looked after.
const TICK: Duration = Duration::from_millis(100);
/// How often the merge policy looks for work.
const MERGE_TICK: Duration = Duration::from_millis(250);
/// How long a writer stays open without a write.
const WRITER_IDLE: Duration = Duration::from_secs(60);
/// How long requests may take to end when the node shuts down.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(10);

/// How a node is started.
#[derive(Debug, Clone)]
pub struct NodeConfig {
    /// Where it listens; port 0 for a free one.
    pub listen: SocketAddr,
    /// Where its data are; None for a temporary folder that goes with the node.
    pub data_dir: Option<PathBuf>,
}

impl Default for NodeConfig {
    fn default() -> Self {
        NodeConfig { listen: SocketAddr::from(([127, 0, 0, 1], 0)), data_dir: None }
    }
}

/// Why a node did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Something listens there already.
    #[error("port {} of {} is in use: choose another with --port, or stop what listens there", .address.port(), .address.ip())]
    PortInUse {
        /// Where the node was to listen.
        address: SocketAddr,
        /// What the operating system says.
        #[source]
        source: std::io::Error,
    },
    /// It cannot listen there for another reason.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Where the node was to listen.
        address: SocketAddr,
        /// What the operating system says.
        #[source]
        source: std::io::Error,
    },
    /// Another node uses the data folder.
    #[error("data folder {folder} is in use by another node")]
    DataInUse {
        /// The folder.
        folder: PathBuf,
    },
    /// The data folder cannot be used.
    #[error("data folder {folder}: {source}")]
    Data {
        /// The folder.
        folder: PathBuf,
        /// What is wrong.
        #[source]
        source: EsError,
    },
    /// No threads or no event loop.
    #[error("the operating system gives no threads: {0}")]
    Threads(#[source] std::io::Error),
}

/// The thread pools.
pub struct Pools {
    /// Indexing.
    pub write: Pool,
    /// Searching.
    pub search: Pool,
    /// Indices, statistics and the like.
    pub manage: Pool,
    /// Force merge.
    pub merge: Pool,
}

impl Pools {
    fn new() -> std::io::Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Ok(Pools {
            // Two more than cores: writers also wait, for the gate and for commits.
            write: Pool::new("write", cores + 2, 1000)?,
            search: Pool::new("search", cores * 3 / 2 + 1, 1000)?,
            manage: Pool::new("management", 4, 1000)?,
            merge: Pool::new("force_merge", 1, 100)?,
        })
    }

    /// The pool for handlers of `class`.
    pub fn of(&self, class: Class) -> &Pool {
        match class {
            Class::Write => &self.write,
            Class::Search => &self.search,
            Class::Manage | Class::Wait => &self.manage,
            Class::Merge => &self.merge,
        }
    }
}

/// What the handlers share.
pub struct State {
    /// Indices, templates, cluster settings.
    pub cluster: Cluster,
    /// Open scrolls.
    pub scrolls: Scrolls,
    /// Thread pools.
    pub pools: Pools,
    /// The id of the node, 22 characters.
    pub node_id: String,
    /// The id of the cluster.
    pub cluster_id: String,
    /// Where it listens.
    pub address: SocketAddr,
    /// Where its data are.
    pub data_dir: PathBuf,
    /// When it started.
    pub started: Instant,
    /// Bytes of request bodies in memory.
    pub bodies_in_flight: Arc<AtomicUsize>,
    /// Connections open now.
    pub connections_open: AtomicU64,
    /// Connections opened so far.
    pub connections_opened: AtomicU64,
}

/// The embedded search node.
pub struct Node;

impl Node {
    /// Starts a node with threads of its own; it serves until it is shut down or dropped.
    ///
    /// # Errors
    /// Where the port or the data folder is in use, or the operating system refuses something.
    pub async fn start(config: NodeConfig) -> Result<RunningNode, StartError> {
        Self::launch(config)
    }

    fn launch(config: NodeConfig) -> Result<RunningNode, StartError> {
        let runtime = EventLoop::new().map_err(StartError::Threads)?;
        let listener = listen(config.listen, &runtime.handle)?;
        let address =
            listener.local_addr().map_err(|source| StartError::Listen { address: config.listen, source })?;
        let (data_dir, temporary, lock) = data_folder(config.data_dir)?;
        let cluster = Cluster::open(&data_dir)
            .map_err(|source| StartError::Data { folder: data_dir.clone(), source })?;
        let state = Arc::new(State {
            cluster,
            scrolls: Scrolls::default(),
            pools: Pools::new().map_err(StartError::Threads)?,
            node_id: short_uuid(),
            cluster_id: short_uuid(),
            address,
            data_dir,
            started: Instant::now(),
            bodies_in_flight: Arc::default(),
            connections_open: AtomicU64::new(0),
            connections_opened: AtomicU64::new(0),
        });
        let stopping = Arc::new(AtomicBool::new(false));
        let background = vec![
            background("node-refresh", &state, &stopping, TICK, look_after).map_err(StartError::Threads)?,
            background("node-merge", &state, &stopping, MERGE_TICK, merge).map_err(StartError::Threads)?,
        ];
        let (stop, stopped) = watch::channel(false);
        let router = Arc::new(Router::new(api::routes()));
        let serving = runtime.handle.spawn(server::serve(listener, Arc::clone(&state), router, stopped));
        Ok(RunningNode {
            state,
            stop,
            stopping,
            serving: Some(serving),
            background,
            _runtime: runtime,
            _lock: lock,
            _temporary: temporary,
        })
    }
}

/// The threads that read and write sockets.
struct EventLoop {
    runtime: Option<tokio::runtime::Runtime>,
    handle: tokio::runtime::Handle,
}

impl EventLoop {
    fn new() -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("node-http")
            .enable_all()
            .build()?;
        Ok(EventLoop { handle: runtime.handle().clone(), runtime: Some(runtime) })
    }
}

impl Drop for EventLoop {
    fn drop(&mut self) {
        // Waiting for its threads is not allowed where the node itself is dropped inside another event loop.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn listen(
    address: SocketAddr,
    runtime: &tokio::runtime::Handle,
) -> Result<tokio::net::TcpListener, StartError> {
    let failed = |source: std::io::Error| match source.kind() {
        std::io::ErrorKind::AddrInUse => StartError::PortInUse { address, source },
        _ => StartError::Listen { address, source },
    };
    let _context = runtime.enter();
    let socket =
        if address.is_ipv4() { tokio::net::TcpSocket::new_v4() } else { tokio::net::TcpSocket::new_v6() };
    let socket = socket.map_err(failed)?;
    // A port whose last connections are still in TIME_WAIT is free all the same.
    socket.set_reuseaddr(true).map_err(failed)?;
    socket.bind(address).map_err(failed)?;
    socket.listen(1024).map_err(failed)
}

/// The data folder, made if need be, and the lock on it.
#[allow(clippy::type_complexity)]
fn data_folder(
    given: Option<PathBuf>,
) -> Result<(PathBuf, Option<tempfile::TempDir>, std::fs::File), StartError> {
    let failed = |folder: &Path, source: std::io::Error| StartError::Data {
        folder: folder.to_path_buf(),
        source: source.into(),
    };
    let (folder, temporary) = match given {
        Some(folder) => {
            std::fs::create_dir_all(&folder).map_err(|error| failed(&folder, error))?;
            (folder, None)
        }
        None => {
            let temporary = tempfile::Builder::new()
                .prefix("rally-node-")
                .tempdir()
                .map_err(|error| failed(&std::env::temp_dir(), error))?;
            (temporary.path().to_path_buf(), Some(temporary))
        }
    };
    let lock = std::fs::File::create(folder.join("node.lock")).map_err(|error| failed(&folder, error))?;
    lock.try_lock().map_err(|error| match error {
        std::fs::TryLockError::WouldBlock => StartError::DataInUse { folder: folder.clone() },
        std::fs::TryLockError::Error(error) => failed(&folder, error),
    })?;
    Ok((folder, temporary, lock))
}

fn background(
    name: &str,
    state: &Arc<State>,
    stopping: &Arc<AtomicBool>,
    tick: Duration,
    work: fn(&State),
) -> std::io::Result<JoinHandle<()>> {
    let (state, stopping) = (Arc::clone(state), Arc::clone(stopping));
    std::thread::Builder::new().name(name.to_string()).spawn(move || {
        while !stopping.load(Ordering::Acquire) {
            work(&state);
            std::thread::park_timeout(tick);
        }
    })
}

fn look_after(state: &State) {
    state.scrolls.expire();
    for handle in state.cluster.indices() {
        if handle.shard.is_refresh_due()
            && let Err(error) = handle.shard.refresh()
        {
            tracing::error!(index = %handle.name, %error, "refresh failed");
        }
        handle.shard.close_idle_writer(WRITER_IDLE);
    }
}

fn merge(state: &State) {
    for handle in state.cluster.indices() {
        if let Err(error) = handle.shard.merge_if_due()
            && !handle.shard.is_closed()
        {
            tracing::error!(index = %handle.name, %error, "merge failed");
        }
    }
}

/// A node that serves.
pub struct RunningNode {
    state: Arc<State>,
    stop: watch::Sender<bool>,
    stopping: Arc<AtomicBool>,
    serving: Option<tokio::task::JoinHandle<()>>,
    background: Vec<JoinHandle<()>>,
    _runtime: EventLoop,
    _lock: std::fs::File,
    _temporary: Option<tempfile::TempDir>,
}

impl RunningNode {
    /// Where it listens, with the port it got.
    pub fn address(&self) -> SocketAddr {
        self.state.address
    }

    /// Where its data are.
    pub fn data_dir(&self) -> &Path {
        &self.state.data_dir
    }

    /// Lets requests that are going on end, commits every index, and stops.
    ///
    /// # Errors
    /// Where an index cannot be committed: what was not refreshed of it is lost.
    pub async fn shutdown(mut self) -> Result<(), EsError> {
        self.stop_background();
        if let Some(serving) = self.serving.take() {
            _ = tokio::time::timeout(SHUTDOWN_GRACE, serving).await;
        }
        let state = Arc::clone(&self.state);
        let background = std::mem::take(&mut self.background);
        let (sender, closed) = tokio::sync::oneshot::channel();
        // A thread of its own: committing may take seconds, which the caller's event loop is not to wait for.
        let closing = std::thread::Builder::new().name("node-close".to_string()).spawn(move || {
            for thread in background {
                _ = thread.join();
            }
            _ = sender.send(state.cluster.close());
        });
        match closing {
            Ok(_) => closed.await.unwrap_or_else(|_| Err(EsError::internal("closing the indices failed"))),
            Err(_) => self.state.cluster.close(),
        }
    }

    fn stop_background(&mut self) {
        self.stopping.store(true, Ordering::Release);
        _ = self.stop.send(true);
        for thread in &self.background {
            thread.thread().unpark();
        }
    }
}

impl Drop for RunningNode {
    fn drop(&mut self) {
        self.stop_background();
        for thread in self.background.drain(..) {
            _ = thread.join();
        }
    }
}

/// Runs a node until it is interrupted; prints where it listens and what it is.
///
/// # Errors
/// Where it does not start; a failure to commit at the end is printed.
pub fn run(config: NodeConfig) -> Result<(), StartError> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(StartError::Threads)?;
    let temporary = config.data_dir.is_none();
    let node = Node::launch(config)?;
    let kept = if temporary { "removed when the node stops" } else { "kept" };
    println!("rally's embedded search node listens on http://{}", node.address());
    println!(
        "It answers as Elasticsearch {} does where it answers; data in {} ({kept}).",
        api::VERSION,
        node.data_dir().display()
    );
    println!(
        "It has no transaction log: a crash loses what came since the last refresh. Interrupt it to stop."
    );
    runtime.block_on(async {
        interrupted().await;
        if let Err(error) = node.shutdown().await {
            eprintln!("not everything could be committed: {error}");
        }
    });
    Ok(())
}

async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminated) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminated.recv() => {}
            }
        }
        Err(_) => _ = tokio::signal::ctrl_c().await,
    }
}
