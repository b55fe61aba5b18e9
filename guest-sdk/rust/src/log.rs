//! Lines in rally's log, marked with track and extension.

use std::fmt;

use crate::bindings::host::rally::track::log as wire;
use crate::handle;

pub use wire::Level;

/// Writes a line; [`info!`](crate::info) and its like do it with a format.
pub fn emit(level: Level, message: fmt::Arguments<'_>) {
    match message.as_str() {
        Some(message) => handle::log(level, message),
        None => handle::log(level, &message.to_string()),
    }
}

/// Writes a line for whoever looks for a fault.
#[macro_export]
macro_rules! debug {
    ($($message:tt)+) => { $crate::log::emit($crate::log::Level::Debug, format_args!($($message)+)) };
}

/// Writes a line for whoever wants to know what goes on.
#[macro_export]
macro_rules! info {
    ($($message:tt)+) => { $crate::log::emit($crate::log::Level::Info, format_args!($($message)+)) };
}

/// Writes a line about something that the user should look into.
#[macro_export]
macro_rules! warn {
    ($($message:tt)+) => { $crate::log::emit($crate::log::Level::Warn, format_args!($($message)+)) };
}

/// Writes a line about something that went wrong.
#[macro_export]
macro_rules! error {
    ($($message:tt)+) => { $crate::log::emit($crate::log::Level::Error, format_args!($($message)+)) };
}

/// Sends the message of a panic to the log: the trap that follows has none.
#[cfg(target_arch = "wasm32")]
pub(crate) fn report_panics() {
    use std::sync::Once;
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        std::panic::set_hook(Box::new(|panic| handle::log(Level::Error, &panic.to_string())));
    });
}
