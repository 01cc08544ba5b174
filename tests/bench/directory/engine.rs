//! The operations that both engines are measured by.

use latchkey_core::directory::SortBy;
use latchkey_core::protocol::code::VerifiedCode;
use latchkey_core::protocol::payload::NewUser;
use latchkey_core::protocol::user_id::UserId;

/// Number of users on a page.
pub(crate) const PAGE: usize = 100;

/// A directory, with the operations that are measured.
pub(crate) trait Engine: Send + Sync {
    /// Adds users in one transaction.
    fn import(&self, users: &[NewUser]);
    /// Signs in, or creates the user who takes a seat. Returns when the change is on the disk.
    fn redeem(&self, code: &VerifiedCode);
    /// Returns whether there is a user with this ID.
    fn is_known(&self, id: &UserId) -> bool;
    /// Returns the size of the first page of users that contain `word`, and the number of all of
    /// them.
    fn search(&self, word: &str) -> (usize, u64);
    /// Reads `count` pages one after the other. Returns the number of users on them.
    fn pages(&self, by: SortBy, count: usize) -> usize;
    /// Reads the page that begins at a row, as after a move of the scroll bar. Returns the number
    /// of users on it.
    fn jump(&self, by: SortBy, row: u64) -> usize;
}
