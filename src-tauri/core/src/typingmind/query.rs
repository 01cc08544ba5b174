//! Filter, order and pages of the copy.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

use super::copy::{CopiedUser, UserCopy};
use crate::directory::Search;
use crate::directory::query::folded;
use crate::protocol::email::searchable;

/// Filter of the users in a copy. By default it matches all users.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CopyQuery {
    /// Words that must all occur in the ID or the address.
    pub search: Search,
    /// Only users in the group with this ID.
    pub group: Option<String>,
}

/// Field by which the users in a copy are sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum CopySortBy {
    /// E-mail address, by its key.
    #[default]
    Email,
    /// TypingMind's ID. Numbers are compared as numbers.
    Id,
    /// Time when the user was created.
    Created,
}

/// Order of the users in a copy. Users without an address, or without a time, come last in both
/// directions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CopySort {
    /// Field to sort by.
    pub by: CopySortBy,
    /// Whether the order is reversed.
    pub descending: bool,
}

/// A page of the users in a copy.
#[derive(Debug)]
pub struct CopyPage<'a> {
    /// Users of the page.
    pub users: Vec<&'a CopiedUser>,
    /// Number of users that match the filter.
    pub total: usize,
}

impl UserCopy {
    /// Returns a page of the users that match a filter, from the row `first` on.
    #[must_use]
    pub fn page(
        &self,
        query: &CopyQuery,
        sort: CopySort,
        first: usize,
        limit: usize,
    ) -> CopyPage<'_> {
        let users = self.positions_by_email().iter();
        let users = users.filter_map(|at| self.users().get(*at as usize));
        let mut found: Vec<&CopiedUser> = users.filter(|user| self.matches(user, query)).collect();
        match sort.by {
            CopySortBy::Email => in_order(&mut found, sort.descending, |user| user.email.is_none()),
            CopySortBy::Id => {
                found.sort_by_cached_key(|user| id_key(&user.id));
                in_order(&mut found, sort.descending, |_| false);
            }
            CopySortBy::Created => {
                found.sort_by_key(|user| (user.created_at.is_none(), user.created_at));
                in_order(&mut found, sort.descending, |user| {
                    user.created_at.is_none()
                });
            }
        }
        let total = found.len();
        let users = found.into_iter().skip(first).take(limit).collect();
        CopyPage { users, total }
    }

    fn matches(&self, user: &CopiedUser, query: &CopyQuery) -> bool {
        let in_group = |id: &String| self.groups_of(user).any(|group| group.id == *id);
        if !query.group.as_ref().is_none_or(in_group) {
            return false;
        }
        let words = query.search.words();
        if words.is_empty() {
            return true;
        }
        let mut text: String = folded(&user.id).collect();
        text.push(' ');
        text.extend(folded(&searchable(user.email.as_deref().unwrap_or(""))));
        words.iter().all(|word| text.contains(word))
    }
}

/// Reverses an ascending order if `descending`. Users whom `is_last` names stay last.
fn in_order(users: &mut Vec<&CopiedUser>, descending: bool, is_last: impl Fn(&CopiedUser) -> bool) {
    if descending {
        users.reverse();
        users.sort_by_key(|user| is_last(user));
    }
}

/// Key by which IDs are sorted: numbers by value before other texts.
fn id_key(id: &str) -> (Reverse<bool>, u64, String) {
    let number: Option<u64> = id.parse().ok();
    (
        Reverse(number.is_some()),
        number.unwrap_or_default(),
        folded(id).collect(),
    )
}
