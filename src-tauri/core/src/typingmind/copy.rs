use std::cmp::Ordering;
use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::listed_user::{Group, ListedUser};
use crate::protocol::email::Email;
use crate::time;

/// A user in the copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopiedUser {
    /// TypingMind's ID of the user.
    pub id: String,
    /// E-mail address as written there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Time when the user was created, in Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<i64>,
    /// Positions of the user's groups in the copy's groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    groups: Vec<u32>,
}

/// A copy of the users at TypingMind, as of a time.
#[derive(Clone, Debug)]
pub struct UserCopy {
    /// Time of the list, in Unix seconds.
    pub at: i64,
    /// Users in the order of the list.
    users: Vec<CopiedUser>,
    /// Groups of all users, by name.
    groups: Vec<Group>,
    /// [Key](Email::key) of each user's address. Empty for none.
    keys: Vec<String>,
    /// Positions of the users in the order of their keys. Users without an address come last.
    by_email: Vec<u32>,
}

impl UserCopy {
    /// Makes a copy of a list.
    #[must_use]
    pub fn of_listing(at: i64, listed: Vec<ListedUser>) -> Self {
        let mut names: Vec<Group> = Vec::new();
        let mut known: HashMap<String, u32> = HashMap::new();
        for group in listed.iter().flat_map(|user| &user.groups) {
            if !known.contains_key(&group.id) {
                known.insert(group.id.clone(), 0);
                names.push(group.clone());
            }
        }
        names.sort_by(|a, b| (a.name.to_lowercase(), &a.id).cmp(&(b.name.to_lowercase(), &b.id)));
        for (group, at) in names.iter().zip(0..) {
            known.insert(group.id.clone(), at);
        }
        let users = listed.into_iter().map(|user| CopiedUser {
            groups: user
                .groups
                .iter()
                .filter_map(|group| known.get(&group.id).copied())
                .collect(),
            id: user.id,
            email: user.email,
            created_at: user.created_at,
        });
        Self::new(at, names, users.collect())
    }

    /// Makes a copy of its stored parts.
    #[must_use]
    pub fn new(at: i64, groups: Vec<Group>, users: Vec<CopiedUser>) -> Self {
        let key = |user: &CopiedUser| {
            let email = user.email.as_deref();
            email.map_or_else(String::new, |email| Email::from_kept(email).key())
        };
        let keys: Vec<String> = users.iter().map(key).collect();
        let mut by_email: Vec<u32> = (0..).take(users.len()).collect();
        let sort_key = |at: &u32| {
            let key = keys.get(*at as usize).map_or("", String::as_str);
            (key.is_empty(), key, *at)
        };
        by_email.sort_unstable_by(|a, b| sort_key(a).cmp(&sort_key(b)));
        Self {
            at,
            users,
            groups,
            keys,
            by_email,
        }
    }

    /// Returns the users in the order of the list.
    #[must_use]
    pub fn users(&self) -> &[CopiedUser] {
        &self.users
    }

    /// Returns the groups of all users, by name.
    #[must_use]
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// Returns the groups of a user.
    pub fn groups_of<'a>(&'a self, user: &'a CopiedUser) -> impl Iterator<Item = &'a Group> {
        let groups = user.groups.iter();
        groups.filter_map(|at| self.groups.get(*at as usize))
    }

    /// Returns the user with an ID of TypingMind.
    #[must_use]
    pub fn by_id(&self, id: &str) -> Option<&CopiedUser> {
        self.users.iter().find(|user| user.id == id)
    }

    /// Returns the user with an e-mail address.
    #[must_use]
    pub fn by_email(&self, email: &Email) -> Option<&CopiedUser> {
        let key = email.key();
        let found = self.by_email.binary_search_by(|at| {
            let other = self.keys.get(*at as usize).map_or("", String::as_str);
            if other.is_empty() {
                // Users without an address come last.
                Ordering::Greater
            } else {
                other.cmp(&key)
            }
        });
        self.in_email_order(found.ok()?)
    }

    /// Returns the copy with a user added after the list was made.
    #[must_use]
    pub fn with(&self, user: ListedUser) -> Self {
        let mut copy = self.without(&user.id);
        let added = Self::of_listing(self.at, vec![user]);
        for user in added.users() {
            let groups = added.groups_of(user).map(|group| {
                let known = copy.groups.iter().position(|other| other.id == group.id);
                let at = known.unwrap_or_else(|| {
                    copy.groups.push(group.clone());
                    copy.groups.len() - 1
                });
                u32::try_from(at).unwrap_or(u32::MAX)
            });
            let groups = groups.collect();
            copy.users.push(CopiedUser {
                groups,
                ..user.clone()
            });
        }
        Self::new(copy.at, copy.groups, copy.users)
    }

    /// Returns the copy without a user who was removed after the list was made.
    #[must_use]
    pub fn without(&self, id: &str) -> Self {
        let users = self.users.iter().filter(|user| user.id != id);
        Self::new(self.at, self.groups.clone(), users.cloned().collect())
    }

    /// Returns the age in words, such as `as of 3 minutes ago`.
    #[must_use]
    pub fn age(&self, now: jiff::Timestamp) -> String {
        format!("as of {}", time::relative(self.at, now))
    }

    /// Returns the positions of the users in the order of their addresses.
    pub(super) fn positions_by_email(&self) -> &[u32] {
        &self.by_email
    }

    fn in_email_order(&self, at: usize) -> Option<&CopiedUser> {
        self.users.get(*self.by_email.get(at)? as usize)
    }
}
