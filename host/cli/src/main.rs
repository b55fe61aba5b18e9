//! The `rally` command.

mod args;
mod embedded;
mod home;
mod not_yet;
mod shipped;

fn main() {}
