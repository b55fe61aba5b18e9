//! Small helpers that several crates share. It depends on no other crate of rally.

pub mod disk;
pub mod file_lock;
pub mod hex;
pub mod home;
pub mod loopback;
pub mod numbers;
pub mod option_value;
pub mod printable;
pub mod python;
pub mod suggest;
pub mod whole_file;
pub mod whole_folder;
