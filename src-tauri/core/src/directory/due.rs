//! Due accounts: accounts that have ended while their users are still stored as active.

use crate::protocol::user_id::UserId;

/// Maximum number of accounts that one command ends. It limits the size of a transaction.
pub const MAX_DUE: usize = 64;

/// Extent to which due accounts are loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DueScan {
    /// Only the first, which are counted.
    First,
    /// The first, and the number of all.
    Counted,
}

/// Accounts that are due at a time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DueAccounts {
    /// The time, in Unix seconds.
    pub at: i64,
    /// Number of all due accounts.
    pub count: u64,
    /// Users whose accounts ended first, at most [`MAX_DUE`].
    pub first: Vec<UserId>,
}

impl DueAccounts {
    /// Adds an account that ends at a time, if it is due.
    pub(super) fn add(&mut self, user: &UserId, ends_at: i64) {
        if ends_at <= self.at {
            self.count += 1;
            if self.first.len() < MAX_DUE {
                self.first.push(user.clone());
            }
        }
    }

    /// Removes an account that ends at a time, if it is due.
    pub(super) fn remove(&mut self, user: &UserId, ends_at: i64) {
        if ends_at <= self.at {
            self.count = self.count.saturating_sub(1);
            self.first.retain(|due| due != user);
        }
    }
}
