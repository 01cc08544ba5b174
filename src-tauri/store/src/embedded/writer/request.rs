//! Requests to the writer.

use jiff::Timestamp;
use latchkey_core::Result;
use latchkey_core::activity::AuditContext;
use latchkey_core::directory::{Command, Outcome};
use latchkey_core::instance::Retention;
use tokio::sync::oneshot;

use super::super::row_snapshot::Begun;
use super::super::seals::SealedPart;

/// Channel for the answer to a request.
pub(super) type Answer<T> = oneshot::Sender<Result<T>>;

/// A request to the writer.
pub(super) enum Request {
    Execute(Box<(Command, AuditContext)>, Answer<Outcome>),
    /// Records the refusals that were counted in periods that ended by a time. `None` records all
    /// of them.
    RecordCounted(Option<i64>, Answer<()>),
    /// Removes entries of the activity, links and requests. Returns whether there may be more to remove.
    Prune(Retention, Timestamp, Answer<bool>),
    /// Writes everything that is pending into the rows.
    Checkpoint(Answer<()>),
    /// Begins a snapshot.
    Snapshot(Answer<Begun>),
    /// Begins a verification of the activity.
    Sealed(Answer<SealedPart>),
    #[cfg(test)]
    Panic(Answer<()>),
}
