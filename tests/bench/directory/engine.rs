//! The operations that both engines are measured by.

use latchkey_core::directory::SortBy;
use latchkey_core::protocol::claims::Claims;
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

/// A ledger, with the operations that are measured.
pub(crate) trait Ledger: Engine {
    /// Enters links. Returns when they are on the disk.
    fn give_out(&self, links: &[Claims]);
    /// Revokes a link.
    fn revoke(&self, id: &str);
    /// Revokes the links that were issued before a time, in Unix seconds.
    fn revoke_before(&self, before: i64);
    /// Returns whether there is a link with this ID.
    fn has_link(&self, id: &str) -> bool;
    /// Reads the page that begins at a row, the latest link first. Returns the number of links on
    /// it, and the number of all that match.
    fn links(&self, wanted: &Wanted<'_>, row: u64) -> (usize, u64);
    /// Returns the number of links that work.
    fn count_working(&self) -> u64;
}

/// Links that are listed. By default all.
#[derive(Default)]
pub(crate) struct Wanted<'a> {
    pub(crate) word: &'a str,
    /// Only links that work.
    pub(crate) works: bool,
}
