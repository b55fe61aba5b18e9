//! What all phases of a session share.

use std::time::Duration;

use rally_race::{Cancel, OnError};
use tokio::runtime::Runtime;

use crate::error::SessionError;
use crate::home::Home;
use crate::observer::SessionObserver;
use crate::spec::{Credentials, RaceSpec, SpecError};
use crate::target::Connector;

/// A session: whose files, who follows it, who may end it, and the secrets that no specification holds.
pub struct Session<'a> {
    /// Where files are kept.
    pub home: &'a Home,
    /// Passwords and keys for the target.
    pub credentials: Credentials,
    /// Who is told what happens.
    pub observer: &'a dyn SessionObserver,
    /// Ends the session from outside.
    pub cancel: &'a Cancel,
    runtime: Runtime,
}

impl<'a> Session<'a> {
    /// A session that has done nothing yet.
    ///
    /// # Errors
    /// Where there is no runtime for calls to the target.
    pub fn new(
        home: &'a Home,
        credentials: Credentials,
        observer: &'a dyn SessionObserver,
        cancel: &'a Cancel,
    ) -> Result<Session<'a>, SessionError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Ok(Session { home, credentials, observer, cancel, runtime: runtime.map_err(SessionError::failure)? })
    }

    /// Runs calls to the target that are not part of the load.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Connects as a specification says.
    pub(crate) fn connector(&'a self, spec: &RaceSpec) -> Result<Connector<'a>, SpecError> {
        let client_options = spec.client_options(&self.credentials)?;
        let waits_for_hosts = spec.on_error == OnError::ContinueOnNetwork;
        Ok(Connector { session: self, client_options, waits_for_hosts })
    }
}

/// Completes when the session is cancelled.
pub async fn cancelled(cancel: &Cancel) {
    while !cancel.is_cancelled() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
