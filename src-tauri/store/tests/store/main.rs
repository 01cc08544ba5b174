//! Tests of the engines and the data folder by their public functions.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    reason = "a test panics when it fails"
)]

mod backups;
mod directory;
mod elsewhere;
mod forecasts;
mod opening;
mod refused_changes;
mod rotation;
#[path = "../../../core/tests/core/signed.rs"]
mod signed;
#[path = "../../../../tests/soak.rs"]
mod soak;
#[path = "../../../../tests/typingmind/stand_in.rs"]
mod stand_in;
mod typingmind;

use jiff::Timestamp;
use latchkey_core::activity::{Actor, AuditContext};
use latchkey_core::directory::Directory;
use latchkey_core::ledger::{Revocation, RevocationScope};
use latchkey_store::Wait as _;

/// Returns the context of an administrator who acts at a time.
fn by(at: Timestamp) -> AuditContext {
    AuditContext::new(Actor::Studio, at)
}

/// Revokes a link, which need not be in the ledger. Its sessions go on.
fn revoke_link(directory: &dyn Directory, id: &str, at: Timestamp) {
    let revocation = Revocation {
        scope: RevocationScope::Link(id.to_owned()),
        ends_sessions: false,
        allows_unknown: true,
    };
    directory.revoke_links(revocation, &by(at)).wait().unwrap();
}
