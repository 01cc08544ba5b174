//! The users of an instance that is hosted here, and the seats they take.
//!
//! A change is a [`Command`]. The function [`decide`](decide()) gets the command and the [`Facts`]
//! that it depends on, and returns a list of [`Effect`]s. An engine implements [`Directory`]: it
//! loads the facts, calls `decide`, and writes the effects and the entry of the activity in one
//! transaction. Every change is made as a whole or not at all, and is on the disk when its function
//! returns.

mod changed;
mod command;
mod decide;
mod due;
mod effect;
mod engine;
mod facts;
mod notices;
pub mod query;
mod snapshot;
mod user;

pub use changed::{Changed, OnChange};
pub use command::{Command, JudgedCode, MAX_IMPORT, MAX_PRUNED, MAX_TIMES, Outcome, Redemption};
pub use decide::{askable, decide, is_grantable, verdict};
pub use due::{DueAccounts, DueScan, MAX_DUE};
pub use effect::{Decision, Effect, NewEntry};
pub use engine::Directory;
pub use facts::{Counts, EmailUsers, Facts, Lookup, Needs, Person};
pub use notices::{TIMES_AHEAD, notices};
pub use query::{Cursor, PageStart, Search, Sort, SortBy, UserPage, UserQuery};
pub use snapshot::{Row, Snapshot, Totals};
pub use user::{
    Newcomer, Origin, Profile, SeenProfile, SharedEmail, TimeAhead, User, unknown_user,
};
