//! The engines of the directory and the data folder, from outside.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    reason = "a test that fails says where by panicking"
)]

mod directory;
mod forecasts;
mod opening;
mod refused_changes;
#[path = "../../../core/tests/core/signed.rs"]
mod signed;
#[path = "../../../../tests/soak.rs"]
mod soak;

use jiff::Timestamp;
use latchkey_core::activity::{Actor, AuditContext};

/// An administrator's act at a time.
fn by(at: Timestamp) -> AuditContext {
    AuditContext::new(Actor::Studio, at)
}
