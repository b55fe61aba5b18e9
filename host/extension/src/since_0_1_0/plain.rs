//! Imports that only tell or note something: `race`, `log`, `clock`, and the interfaces of types.

use wasmtime::component::Resource;

use crate::context::RaceContext;
use crate::limits::LONGEST_LOG_LINE;
use crate::since_0_1_0::bindings::imports::{clock, files, log, race, types};
use crate::since_0_1_0::state::HostState;
use crate::since_0_1_0::{VERSION, track_view};

impl types::Host for HostState {}
impl files::Host for HostState {}
impl race::Host for HostState {}

impl HostState {
    fn context(&self, handle: &Resource<RaceContext>) -> wasmtime::Result<&RaceContext> {
        Ok(self.table.get(handle)?)
    }
}

impl race::HostContext for HostState {
    fn track_name(&mut self, handle: Resource<RaceContext>) -> wasmtime::Result<String> {
        Ok(self.context(&handle)?.task.track.track.name.clone())
    }

    fn track(&mut self, handle: Resource<RaceContext>) -> wasmtime::Result<String> {
        let track = &self.context(&handle)?.task.track;
        Ok(track.view(VERSION, track_view::show).to_string())
    }

    fn challenge(&mut self, handle: Resource<RaceContext>) -> wasmtime::Result<String> {
        Ok(self.context(&handle)?.task.challenge.clone())
    }

    fn task(&mut self, handle: Resource<RaceContext>) -> wasmtime::Result<String> {
        Ok(self.context(&handle)?.task.task.clone())
    }

    fn params(&mut self, handle: Resource<RaceContext>) -> wasmtime::Result<String> {
        Ok(self.context(&handle)?.task.params.clone())
    }

    fn task_params(&mut self, handle: Resource<RaceContext>) -> wasmtime::Result<String> {
        Ok(self.context(&handle)?.task.task_params.clone())
    }

    fn target_throughput(&mut self, handle: Resource<RaceContext>) -> wasmtime::Result<Option<f64>> {
        Ok(self.context(&handle)?.task.target_throughput)
    }

    fn partition(&mut self, handle: Resource<RaceContext>) -> wasmtime::Result<types::Partition> {
        let context = self.context(&handle)?;
        Ok(types::Partition { index: context.index, total: context.total })
    }

    fn seed(&mut self, handle: Resource<RaceContext>) -> wasmtime::Result<u64> {
        Ok(self.context(&handle)?.seed)
    }

    fn clusters(&mut self, handle: Resource<RaceContext>) -> wasmtime::Result<Vec<String>> {
        Ok(self.context(&handle)?.task.clusters.clone())
    }

    fn drop(&mut self, handle: Resource<RaceContext>) -> wasmtime::Result<()> {
        self.table.delete(handle)?;
        Ok(())
    }
}

impl log::Host for HostState {
    fn emit(&mut self, level: log::Level, message: String) -> wasmtime::Result<()> {
        if level == log::Level::Error {
            self.remember_words(&message);
        }
        if !self.may_log() {
            return Ok(());
        }
        let mut end = message.len().min(LONGEST_LOG_LINE);
        while !message.is_char_boundary(end) {
            end -= 1;
        }
        // What comes from a guest must not forge lines of the log.
        let line = message[..end].escape_debug().to_string().replace("\\\"", "\"").replace("\\'", "'");
        let (track, extension) = (&self.environment.track_name, &self.component);
        match level {
            log::Level::Debug => tracing::debug!(track, %extension, "{line}"),
            log::Level::Info => tracing::info!(track, %extension, "{line}"),
            log::Level::Warn => tracing::warn!(track, %extension, "{line}"),
            log::Level::Error => tracing::error!(track, %extension, "{line}"),
        }
        Ok(())
    }
}

impl clock::Host for HostState {
    fn wall(&mut self) -> wasmtime::Result<u64> {
        Ok(self.environment.clock.wall())
    }

    fn monotonic(&mut self) -> wasmtime::Result<u64> {
        Ok(self.environment.clock.monotonic())
    }
}
