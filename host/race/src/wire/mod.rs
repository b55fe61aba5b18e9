//! How commands, events and figures are written where they cross to another process: as JSON, exactly.

pub(crate) mod cause;
pub(crate) mod figures;
