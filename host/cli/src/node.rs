//! `rally node`: the embedded search node on its own.

use std::io::{Read, Write};
use std::net::SocketAddr;

use rally_node::{Node, NodeConfig};
use tokio::signal::unix::{SignalKind, signal};

use crate::args::NodeArgs;
use crate::ending::CommandError;
use rally_session::embedded::LISTENING;

/// Runs a node until it is told to stop.
pub fn run(arguments: &NodeArgs) -> Result<(), CommandError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(CommandError::failure)?;
    runtime.block_on(serve(arguments))
}

async fn serve(arguments: &NodeArgs) -> Result<(), CommandError> {
    let listen = SocketAddr::new(arguments.host, arguments.port);
    let config = NodeConfig { listen, data_dir: arguments.data.clone() };
    let mut interrupt = signal(SignalKind::interrupt()).map_err(CommandError::failure)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(CommandError::failure)?;
    let node = Node::start(config).await.map_err(CommandError::failure)?;
    let mut output = std::io::stdout();
    writeln!(output, "{LISTENING}{}", node.address())
        .and_then(|()| output.flush())
        .map_err(CommandError::failure)?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        () = end_of_input(), if arguments.stop_with_stdin => {}
    }
    node.shutdown().await.map_err(CommandError::failure)
}

/// Completes when standard input has ended.
async fn end_of_input() {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    // A thread of its own: a read of standard input cannot be cancelled, and must not keep the runtime from ending.
    std::thread::spawn(move || {
        let mut sink = [0; 64];
        while std::io::stdin().read(&mut sink).is_ok_and(|read| read > 0) {}
        let _ = sender.send(());
    });
    let _ = receiver.await;
}
