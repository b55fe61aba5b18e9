//! The engine that all components of a process share, and the clock that interrupts guests.

use std::thread;
use std::time::Duration;

use wasmtime::{Config, OptLevel};

/// Stack of a call, bytes. Threads that call guests must have more: the operating system gives 2 MiB by default.
pub(crate) const STACK: usize = 1 << 20;

/// How often guests are looked at, and so how exactly time limits hold. A millisecond would wake a core a thousand times a
/// second that the load driver needs.
pub(crate) const TICK: Duration = Duration::from_millis(5);

/// Compiles and runs components.
#[derive(Clone)]
pub struct Engine {
    pub(crate) wasmtime: wasmtime::Engine,
}

/// The engine cannot run on this machine.
#[derive(Debug, thiserror::Error)]
#[error("components cannot run on this machine")]
pub struct EngineError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl Engine {
    /// Starts the engine and its clock; the clock ends with the engine.
    ///
    /// # Errors
    /// Where the machine cannot run what the compiler makes, or has no thread left.
    pub fn start() -> Result<Engine, EngineError> {
        let wasmtime =
            wasmtime::Engine::new(&config()).map_err(|error| EngineError(error.into_boxed_dyn_error()))?;
        let weak = wasmtime.weak();
        thread::Builder::new()
            .name("rally-epochs".to_owned())
            .spawn(move || {
                loop {
                    thread::sleep(TICK);
                    match weak.upgrade() {
                        Some(engine) => engine.increment_epoch(),
                        None => return,
                    }
                }
            })
            .map_err(|error| EngineError(error.into()))?;
        Ok(Engine { wasmtime })
    }
}

/// What decides whether the same component does the same everywhere, and what it may do.
fn config() -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .max_wasm_stack(STACK)
        .async_stack_size(2 * STACK)
        .cranelift_opt_level(OptLevel::Speed)
        // The bits of a NaN are the only thing in which processors differ.
        .cranelift_nan_canonicalization(true)
        .wasm_relaxed_simd(false)
        .wasm_memory64(false)
        .wasm_custom_page_sizes(false)
        .wasm_tail_call(false)
        .memory_init_cow(true)
        .generate_address_map(true)
        // What a guest of a stranger says about its source is not read.
        .native_unwind_info(false)
        .wasm_backtrace_details(wasmtime::WasmBacktraceDetails::Disable);
    config
}

/// How many ticks make at least this time: a tick that has begun does not count.
pub(crate) fn ticks(time: Duration) -> u64 {
    (time.as_nanos().div_ceil(TICK.as_nanos()) as u64).saturating_add(1)
}
