//! The command line as a script uses it: what is printed where, and the exit codes.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails says where by panicking"
)]

mod activity;
mod directory;
#[cfg(target_os = "linux")]
mod faults;
mod inspect;
mod instances;
mod links;
mod manual;
mod pasted;
#[cfg(unix)]
mod private_files;
#[cfg(unix)]
mod readme;
#[cfg(unix)]
mod records;
#[cfg(unix)]
mod root;
mod run;
mod serve;
#[cfg(target_os = "linux")]
mod service;
mod storage;
mod terminal;
#[cfg(target_os = "linux")]
mod terminal_qr;
