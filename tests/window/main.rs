//! Tests of the real window, on a real display, with a real keychain or none.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a test panics when it fails, and prints figures"
)]

mod chromium;
mod composing;
mod connected;
#[allow(dead_code, reason = "the benchmarks use the rest")]
mod driver;
mod ended;
mod environment;
mod events;
mod gateway;
mod guests;
mod journey;
mod ledger;
mod lifecycle;
mod monday;
#[path = "../program/peer.rs"]
mod peer;
mod phone;
#[path = "../program/photo.rs"]
mod photo;
mod preferences;
mod prepared;
mod preview;
#[path = "../program/readers.rs"]
mod readers;
mod requests;
mod revoked;
mod server;
mod signing_keys;
#[path = "../typingmind/stand_in.rs"]
mod stand_in;
mod tour;
mod transfers;
mod typingmind;
mod users;
#[allow(dead_code, reason = "the program's tests use the rest")]
#[path = "../program/visitor.rs"]
mod visitor;
mod webkit;
mod wire;

/// Runs a test on this thread.
pub(crate) fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(async {
            let limit = std::time::Duration::from_mins(5);
            let ended = tokio::time::timeout(limit, test).await;
            ended.expect("the test ended within five minutes");
        });
}
