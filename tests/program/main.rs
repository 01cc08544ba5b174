//! Tests of the whole program without a window.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a test panics when it fails"
)]

mod boundary;
#[path = "../../src-tauri/store/tests/store/directory/copied.rs"]
mod copied;
mod directory;
mod events;
mod gateway;
mod generated_types;
mod imports;
mod interop;
mod ledger;
mod notices;
mod peer;
mod photo;
mod photographs;
mod qr_codes;
mod readers;
mod scenes;
mod secrets;
mod settings;
mod shown_links;
#[path = "../soak.rs"]
mod soak;
mod sources;
#[path = "../typingmind/stand_in.rs"]
mod stand_in;
mod typingmind;
mod visitor;
