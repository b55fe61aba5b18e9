//! The `rally` command.
fn main() {}
