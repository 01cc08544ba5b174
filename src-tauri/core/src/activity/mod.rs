//! The activity of an instance: who did what, when, with what outcome.
//!
//! A directory records each redemption, refusal and change by an administrator in the transaction
//! of the change. An entry is stored as a code with parameters, and gets its words when it is read.
//!
//! | what | module |
//! |---|---|
//! | the events, with their kinds, codes and parameters | [`event`], [`changed_setting`] |
//! | the words of events | [`words`] |
//! | events that older formats stored in words | [`worded`], [`stored`] |
//! | entries, and searching them | [`entry`] |
//! | counting refusals that repeat | [`repeats`] |
//! | stored entries, their seals, and verifying them | [`row`], [`seal`], [`sealed_form`], [`verifier`], [`verification`] |

mod changed_setting;
mod context;
mod entry;
mod event;
mod kind;
mod reference;
mod repeats;
mod retention;
mod row;
pub mod seal;
mod sealed_form;
mod stored;
mod verification;
mod verifier;
mod worded;
mod words;

pub use changed_setting::{Change, ChangedSetting};
pub use context::{Actor, AuditContext};
pub use entry::{ActivityPage, ActivityQuery, Entry};
pub use event::{Event, EventData, OutboxEntry, ProfileField};
pub use kind::Kind;
pub use reference::Reference;
pub use repeats::{Counted, Refusals, Repeats};
pub use retention::Retention;
pub use row::EntryRow;
pub use seal::{Mark, Removal, Removed, SealRow, Sealing};
pub use verification::{Comparison, Fault, FaultKind, Place, Verification};
pub use verifier::Verifier;
pub use worded::WordedEvent;
