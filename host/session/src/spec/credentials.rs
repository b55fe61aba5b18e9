//! Passwords and keys: what is kept apart from a specification.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Passwords and keys for the target: the client options that no specification, record, log or message may hold.
///
/// `Debug` does not show them. They serialize, so that they can be sent to a driver on a channel of their own.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Credentials(pub(super) Map<String, Value>);

impl Credentials {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not even the names: a misspelt option may be the password itself.
        formatter.write_str(if self.is_empty() { "Credentials(none)" } else { "Credentials(hidden)" })
    }
}
