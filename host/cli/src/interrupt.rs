//! Ctrl-C: the first one ends the race cleanly, the second one ends the program.

use std::io;

use rally_race::Cancel;
use tokio::signal::unix::{SignalKind, signal};

use crate::ending::INTERRUPTED;

/// Cancels `cancel` on the first SIGINT or SIGTERM, and ends the process on the second.
///
/// # Errors
/// Where signals cannot be listened to.
pub fn watch(cancel: &Cancel) -> io::Result<()> {
    let cancel = cancel.clone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let (mut interrupt, mut terminate) = {
        let _inside = runtime.enter();
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        runtime.block_on(async {
            tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
            cancel.cancel();
            tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
            std::process::exit(i32::from(INTERRUPTED));
        });
    })?;
    Ok(())
}
