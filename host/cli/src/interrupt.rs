//! Ctrl-C: the first one ends the race cleanly, the second one ends the program. The end of the terminal counts as Ctrl-C, and so
//! does SIGTERM.

use std::io;

use rally_race::Cancel;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::ending::INTERRUPTED;

/// Cancels `cancel` on the first SIGINT, SIGTERM or SIGHUP, and ends the process on the second.
///
/// # Errors
/// Where signals cannot be listened to.
pub fn watch(cancel: &Cancel) -> io::Result<()> {
    let cancel = cancel.clone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let (mut interrupt, mut terminate, mut hangup) = {
        let _inside = runtime.enter();
        let hangup = if hangup_is_ignored() { None } else { Some(signal(SignalKind::hangup())?) };
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?, hangup)
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        runtime.block_on(async {
            any(&mut interrupt, &mut terminate, &mut hangup).await;
            cancel.cancel();
            any(&mut interrupt, &mut terminate, &mut hangup).await;
            std::process::exit(i32::from(INTERRUPTED));
        });
    })?;
    Ok(())
}

/// Waits for any of the signals.
async fn any(interrupt: &mut Signal, terminate: &mut Signal, hangup: &mut Option<Signal>) {
    let hung_up = async {
        match hangup {
            Some(hangup) => hangup.recv().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {}, _ = hung_up => {} }
}

/// Whether whoever started rally wants it to outlive the terminal (`nohup`).
fn hangup_is_ignored() -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| ignores_hangup(&status))
}

/// Signal 1 is the lowest bit of the mask.
fn ignores_hangup(status: &str) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::ignores_hangup;

    #[test]
    fn nohup_is_seen_in_the_mask_of_ignored_signals() {
        assert!(ignores_hangup("Name:\trally\nSigIgn:\t0000000000001001\n"));
        assert!(!ignores_hangup("Name:\trally\nSigIgn:\t0000000000001000\n"));
        assert!(!ignores_hangup("Name:\trally\n"));
    }
}
