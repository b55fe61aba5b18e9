//! The log of a command: what is of use when something has to be found out afterwards. It is no place for what the user has
//! to know.

use std::fs::{OpenOptions, create_dir_all};
use std::sync::Mutex;

use rally_session::Home;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// Appends to the log file in rally's home; `RALLY_LOG` says how much (`warn`, `debug`, `rally_cluster=trace`, ...). A log that
/// cannot be written is no reason not to race.
pub fn start(home: &Home) {
    let path = home.log_file();
    let opened = path
        .parent()
        .map_or(Ok(()), create_dir_all)
        .and_then(|()| OpenOptions::new().create(true).append(true).open(&path));
    let Ok(file) = opened else { return };
    let filter = EnvFilter::builder()
        .with_default_directive(LevelFilter::INFO.into())
        .with_env_var("RALLY_LOG")
        .from_env_lossy();
    let started = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(Mutex::new(file))
        .try_init();
    if started.is_ok() {
        let arguments: Vec<String> =
            std::env::args().skip(1).map(|argument| hide_secrets(&argument)).collect();
        tracing::info!(version = env!("CARGO_PKG_VERSION"), ?arguments, "rally starts");
    }
}

/// Client options may hold passwords and keys.
fn hide_secrets(argument: &str) -> String {
    match argument.split_once('=') {
        Some((flag @ "--client-options", _)) => format!("{flag}=…"),
        _ if argument.contains("basic_auth") || argument.contains("api_key") => "…".to_owned(),
        _ => argument.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_stay_out_of_the_log() {
        assert_eq!(hide_secrets("--client-options=basic_auth_password:'x'"), "--client-options=…");
        assert_eq!(hide_secrets("basic_auth_user:me,basic_auth_password:x"), "…");
        assert_eq!(hide_secrets("--track=tutorial"), "--track=tutorial");
    }
}
