//! The activity of an instance: who did what, when, with what outcome.
//!
//! A directory records each redemption, each refusal and each act of an administrator together with
//! what it changes: either both are on disk or neither is.

mod entry;
mod event;
mod reference;
mod repeats;
mod retention;

pub use entry::{ActivityPage, ActivityQuery, Entry};
pub use event::{Actor, AuditContext, Event, Kind, LINK_MADE, OutboxEntry};
pub use reference::Reference;
pub use repeats::{Counted, Refusals, Repeats};
pub use retention::Retention;
