//! A telemetry device: something that watches the target while a lap runs.

use futures_util::future::LocalBoxFuture;
use rally_race::Metric;

use crate::cluster::{CallError, Cluster};

/// Where a device does its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vantage {
    /// Where the race is coordinated: it asks the target over HTTP.
    Coordinator,
    /// On the machine of a node that rally has provisioned.
    Node,
}

/// Watches the target over one lap: [`start`](Device::start), [`sample`](Device::sample) any number of times, then
/// [`stop`](Device::stop).
pub trait Device {
    /// Its name, as Rally calls it where Rally has it.
    fn name(&self) -> &'static str;

    /// What it contributes to the report, in words: named where it cannot.
    fn contributes(&self) -> &'static str;

    /// Where it does its work.
    fn vantage(&self) -> Vantage {
        Vantage::Coordinator
    }

    /// The lap begins; its indices have been created.
    ///
    /// # Errors
    /// Where the target does not answer. Figures that need the state at the start are then left out.
    fn start<'a>(&'a mut self, cluster: &'a Cluster) -> LocalBoxFuture<'a, Result<(), CallError>>;

    /// Something is about to happen after which the target will have forgotten figures: an index is deleted.
    ///
    /// # Errors
    /// Where the target does not answer. What happened since the last time may be missing from the figures.
    fn sample<'a>(&'a mut self, _cluster: &'a Cluster) -> LocalBoxFuture<'a, Result<(), CallError>> {
        Box::pin(async { Ok(()) })
    }

    /// The lap is over.
    ///
    /// # Errors
    /// Where the target does not answer.
    fn stop<'a>(&'a mut self, cluster: &'a Cluster) -> LocalBoxFuture<'a, Result<Vec<Metric>, CallError>>;
}
