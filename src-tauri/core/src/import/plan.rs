//! The decision about a row: what importing it does.

use std::fmt;

use jiff::Timestamp;
use serde_json::Value;

use super::row::ImportRow;
use crate::directory::{Facts, Lookup, Profile, User};
use crate::protocol::email::Email;
use crate::protocol::payload::NewUser;
use crate::protocol::user_id::UserId;
use crate::verdict::Status;
use crate::{Error, time};

/// Choices of an import.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImportOptions {
    /// Whether existing users get the profile of their row. By default, their profiles are unchanged.
    pub update: bool,
    /// Whether people who were removed are added again. By default their rows are problems.
    pub add_removed: bool,
}

/// Plan for a row.
#[derive(Clone, Debug, PartialEq)]
pub struct RowPlan {
    /// Effect of the import.
    pub action: Action,
    /// Existing user whom the row describes.
    pub user: Option<UserId>,
    /// Whether that user is suspended. An import never changes that.
    pub is_suspended: bool,
}

/// Effect of an import on a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Adds a user.
    Add,
    /// Adds a user who was removed at a time, in Unix seconds.
    AddAgain(i64),
    /// Nothing, because the user exists with this profile.
    Same,
    /// Nothing, although the profile of the existing user differs in these fields.
    Keep(Vec<String>),
    /// Changes these fields of an existing user.
    Change(Vec<String>),
    /// Nothing, because the row has a problem.
    Problem(RowProblem),
}

impl Action {
    /// Returns whether it changes the directory.
    #[must_use]
    pub const fn changes(&self) -> bool {
        matches!(self, Self::Add | Self::AddAgain(_) | Self::Change(_))
    }

    /// Returns the stable name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::AddAgain(_) => "add_again",
            Self::Same => "same",
            Self::Keep(_) => "keep",
            Self::Change(_) => "change",
            Self::Problem(_) => "problem",
        }
    }
}

/// Reason why a row is not imported. It is displayed as a sentence with the way out.
#[derive(Clone, Debug, PartialEq)]
pub enum RowProblem {
    /// A cell breaks a rule.
    Invalid {
        /// Field.
        field: Option<String>,
        /// Message that names the broken rule.
        message: String,
    },
    /// An earlier row has the same ID.
    SameId {
        /// Number of the earlier row.
        row: usize,
    },
    /// An earlier row has the same address.
    SameEmail {
        /// Number of the earlier row.
        row: usize,
    },
    /// The address belongs to another user.
    EmailInUse {
        /// ID of the other user.
        owner: UserId,
    },
    /// The derived ID belongs to another user.
    DerivedIdTaken {
        /// The ID.
        id: UserId,
    },
    /// A user with the ID was removed.
    Removed {
        /// Time of the removal, in Unix seconds.
        at: i64,
    },
    /// The user is suspended where the file comes from.
    SuspendedInFile,
    /// The account has ended where the file comes from, or its end has passed.
    EndedInFile,
    /// No seat is left.
    NoSeat {
        /// Number of all seats.
        limit: u64,
    },
    /// The user was added, changed or removed after the plan was made.
    Stale,
}

impl RowProblem {
    /// Returns the stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "invalid",
            Self::SameId { .. } => "same_id",
            Self::SameEmail { .. } => "same_email",
            Self::EmailInUse { .. } => "email_in_use",
            Self::DerivedIdTaken { .. } => "derived_id_taken",
            Self::Removed { .. } => "removed",
            Self::SuspendedInFile => "suspended_in_file",
            Self::EndedInFile => "ended_in_file",
            Self::NoSeat { .. } => "no_seat",
            Self::Stale => "stale",
        }
    }

    /// Returns the field that it is about.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Invalid { field, .. } => field.as_deref(),
            Self::SameId { .. } | Self::DerivedIdTaken { .. } | Self::Removed { .. } => Some("id"),
            Self::SameEmail { .. } | Self::EmailInUse { .. } => Some("email"),
            Self::SuspendedInFile | Self::EndedInFile => Some("status"),
            Self::NoSeat { .. } | Self::Stale => None,
        }
    }
}

impl fmt::Display for RowProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid { message, .. } => f.write_str(message),
            Self::SameId { row } => {
                write!(f, "The same person as row {row}. Remove one of the rows, or correct the ID.")
            }
            Self::SameEmail { row } => {
                write!(f, "The same e-mail as row {row}. Remove one of the rows, or correct the e-mail.")
            }
            Self::EmailInUse { owner } => {
                write!(f, "The e-mail belongs to {owner}. Correct it, or give the row that ID.")
            }
            Self::DerivedIdTaken { id } => {
                write!(f, "The row has no ID, and {id} is somebody else. Add an ID.")
            }
            Self::Removed { at } => {
                let at = time::exact(*at);
                write!(f, "Was removed at {at}. Remove the row, or choose to add removed people again.")
            }
            Self::SuspendedInFile => f.write_str(
                "Suspended where the file comes from, and an import adds active users. Remove the row, or change its status to active.",
            ),
            Self::EndedInFile => f.write_str(
                "The account has ended where the file comes from. Remove the row, or change its status and its end.",
            ),
            Self::NoSeat { limit } => {
                write!(f, "No seat is left of {limit}. Raise the number of seats, or suspend somebody.")
            }
            Self::Stale => f.write_str(
                "Somebody changed this user after the preview. Import the file again to see what differs.",
            ),
        }
    }
}

impl From<Error> for RowProblem {
    fn from(error: Error) -> Self {
        Self::Invalid {
            field: error.field,
            message: error.message,
        }
    }
}

/// Returns the people and addresses on which the decisions about some rows depend.
#[must_use]
pub fn lookup<'a>(rows: impl IntoIterator<Item = &'a ImportRow>) -> Lookup {
    let mut lookup = Lookup::default();
    for user in rows.into_iter().filter_map(|row| row.content.as_ref().ok()) {
        lookup.ids.push(user.id.clone());
        lookup.emails.extend(user.email.clone());
    }
    lookup
}

/// Decides what importing a row does. `facts` must have what [`lookup`] asks for. The seats in
/// `facts` count.
///
/// Only the row itself and the directory count: [`Import`](super::Import) compares the rows of a
/// file with each other.
#[must_use]
pub fn decide(row: &ImportRow, facts: &Facts, options: ImportOptions, now: Timestamp) -> RowPlan {
    let new = match &row.content {
        Ok(new) => new,
        Err(invalid) => return RowPlan::problem(invalid.error.clone().into()),
    };
    match existing(row, new, facts) {
        Err(problem) => RowPlan::problem(problem),
        Ok(Some(user)) => RowPlan {
            action: of_existing(user, new, facts, options),
            user: Some(user.id.clone()),
            is_suspended: user.status == Status::Suspended,
        },
        Ok(None) => {
            let added = of_new(row, new, facts, options, now);
            RowPlan {
                action: added.unwrap_or_else(Action::Problem),
                user: None,
                is_suspended: false,
            }
        }
    }
}

impl RowPlan {
    pub(super) fn problem(problem: RowProblem) -> Self {
        Self {
            action: Action::Problem(problem),
            user: None,
            is_suspended: false,
        }
    }
}

/// Returns the existing user whom a row describes: the one with its ID. If the row has none, the one
/// with its address.
fn existing<'a>(
    row: &ImportRow,
    new: &NewUser,
    facts: &'a Facts,
) -> Result<Option<&'a User>, RowProblem> {
    let by_id = facts.user(&new.id);
    if !row.has_derived_id {
        return Ok(by_id);
    }
    let owner = owner(new, facts).and_then(|owner| facts.user(owner));
    if owner.is_some() {
        return Ok(owner);
    }
    match by_id {
        // The row has only a name, and so has the user.
        Some(user) if new.email.is_none() && is_same_name(user, new) => Ok(Some(user)),
        Some(user) => Err(RowProblem::DerivedIdTaken {
            id: user.id.clone(),
        }),
        None => Ok(None),
    }
}

fn is_same_name(user: &User, new: &NewUser) -> bool {
    user.email.is_none() && user.metadata.display_name() == new.metadata.display_name()
}

fn owner<'a>(new: &NewUser, facts: &'a Facts) -> Option<&'a UserId> {
    facts.email(new.email.as_ref()?)?.owner.as_ref()
}

fn of_new(
    row: &ImportRow,
    new: &NewUser,
    facts: &Facts,
    options: ImportOptions,
    now: Timestamp,
) -> Result<Action, RowProblem> {
    if let Some(owner) = owner(new, facts) {
        return Err(RowProblem::EmailInUse {
            owner: owner.clone(),
        });
    }
    let removed_at = facts.removed_at(&new.id);
    if let Some(at) = removed_at
        && !options.add_removed
    {
        return Err(RowProblem::Removed { at });
    }
    if row.is_suspended {
        return Err(RowProblem::SuspendedInFile);
    }
    if row.is_ended || row.ends_at.is_some_and(|at| at <= now.as_second()) {
        return Err(RowProblem::EndedInFile);
    }
    let seats = facts.seats();
    if let Some(limit) = seats.limit
        && !seats.has_free()
    {
        return Err(RowProblem::NoSeat { limit });
    }
    Ok(removed_at.map_or(Action::Add, Action::AddAgain))
}

fn of_existing(user: &User, new: &NewUser, facts: &Facts, options: ImportOptions) -> Action {
    let profile = differences(user, new);
    let fields = fields(&profile);
    if fields.is_empty() {
        return Action::Same;
    }
    if !options.update {
        return Action::Keep(fields);
    }
    if let (Some(Some(_)), Some(owner)) = (&profile.email, owner(new, facts))
        && *owner != user.id
    {
        return Action::Problem(RowProblem::EmailInUse {
            owner: owner.clone(),
        });
    }
    match user.metadata.merged(&profile.members) {
        Ok(_) => Action::Change(fields),
        Err(error) => Action::Problem(error.into()),
    }
}

/// Returns the changes that give an existing user the profile of a row. A missing address or member
/// changes nothing; `null` removes a member.
#[must_use]
pub fn differences(user: &User, new: &NewUser) -> Profile {
    let text = |email: &Email| email.as_str().to_owned();
    let is_other = user.email.as_ref().map(text) != new.email.as_ref().map(text);
    let kept = user.metadata.members();
    let members = new.metadata.members().iter().filter(|(name, value)| {
        let old = kept.get(*name);
        old != Some(*value) && !(value.is_null() && old.is_none())
    });
    Profile {
        email: new.email.clone().filter(|_| is_other).map(Some),
        members: members
            .map(|(name, value): (&String, &Value)| (name.clone(), value.clone()))
            .collect(),
    }
}

fn fields(profile: &Profile) -> Vec<String> {
    let email = profile.email.iter().map(|_| "email".to_owned());
    email.chain(profile.members.keys().cloned()).collect()
}
