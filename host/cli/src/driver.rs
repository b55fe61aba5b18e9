//! `rally driver`: a load driver for another process, which speaks to it through standard input and output.

use rally_session::{Home, serve_driver};

use crate::ending::CommandError;
use crate::logging;

/// Performs races until standard input ends.
pub fn run() -> Result<(), CommandError> {
    let home = Home::from_environment().map_err(CommandError::user)?;
    logging::start(&home);
    serve_driver(home, std::io::stdin(), std::io::stdout()).map_err(CommandError::failure)
}
