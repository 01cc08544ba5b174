//! What is asked of both.

use latchkey_core::directory::SortBy;
use latchkey_core::protocol::code::VerifiedCode;
use latchkey_core::protocol::payload::NewUser;
use latchkey_core::protocol::user_id::UserId;

/// How many users a page shows.
pub(crate) const PAGE: usize = 100;

/// A directory, as far as it is measured.
pub(crate) trait Engine: Send + Sync {
    /// Adds users in one transaction.
    fn import(&self, users: &[NewUser]);
    /// Signs in, or creates the user and takes a seat; on disk when it returns.
    fn redeem(&self, code: &VerifiedCode);
    /// Whether there is a user with this id.
    fn is_known(&self, id: &UserId) -> bool;
    /// The first page of those in whom `word` occurs, and how many there are.
    fn search(&self, word: &str) -> (usize, u64);
    /// So many pages, one after the other, and how many users were on them.
    fn pages(&self, by: SortBy, count: usize) -> usize;
    /// A page from a row on: where a scroll bar was let go.
    fn jump(&self, by: SortBy, row: u64) -> usize;
}
