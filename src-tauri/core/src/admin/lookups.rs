//! Looking up many people and addresses at once.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Result;
use crate::directory::{Counts, EmailUsers, Facts, Lookup, Person, User};
use crate::protocol::email::Email;
use crate::protocol::user_id::UserId;

/// People and addresses to look up.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Sought {
    /// IDs, at most [`MAX_IMPORT`](crate::directory::MAX_IMPORT).
    #[serde(default)]
    #[schema(max_items = 250)]
    pub ids: Vec<String>,
    /// Addresses, at most [`MAX_IMPORT`](crate::directory::MAX_IMPORT).
    #[serde(default)]
    #[schema(max_items = 250)]
    pub emails: Vec<String>,
}

/// Users, removals and owners of addresses.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct LookedUp {
    /// Users with one of the IDs, and owners of the addresses.
    pub users: Vec<User>,
    /// Last removals of the IDs.
    pub removals: Vec<Removal>,
    /// Owners of the addresses. An address that nobody has is missing.
    pub owners: Vec<Owner>,
    /// Numbers of users and seats.
    pub counts: Counts,
}

/// Last removal of an ID. A user may have the ID again.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Removal {
    /// The ID.
    #[schema(value_type = String)]
    pub id: UserId,
    /// Time of the removal.
    #[serde(with = "crate::time::rfc3339")]
    pub at: i64,
}

/// Owner of an address.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Owner {
    /// The address, in the spelling of the request.
    pub email: String,
    /// ID of the user.
    #[schema(value_type = String)]
    pub user: UserId,
}

impl From<&Lookup> for Sought {
    fn from(lookup: &Lookup) -> Self {
        let ids = lookup.ids.iter().map(|id| id.as_str().to_owned());
        let emails = lookup.emails.iter().map(|email| email.as_str().to_owned());
        Self {
            ids: ids.collect(),
            emails: emails.collect(),
        }
    }
}

impl Sought {
    /// Checks the members.
    pub fn parse(self) -> Result<Lookup> {
        let ids = self.ids.iter().map(|id| UserId::parse(id, "ids"));
        let emails = self
            .emails
            .iter()
            .map(|email| Email::parse(email, "emails"));
        let lookup = Lookup {
            ids: ids.collect::<Result<_>>()?,
            emails: emails.collect::<Result<_>>()?,
        };
        lookup.require_limits()?;
        Ok(lookup)
    }
}

impl LookedUp {
    /// Collects the facts of a lookup.
    #[must_use]
    pub fn new(lookup: &Lookup, facts: &Facts) -> Self {
        let owners = lookup.emails.iter().filter_map(|email| {
            let user = facts.email(email)?.owner.clone()?;
            Some(Owner {
                email: email.as_str().to_owned(),
                user,
            })
        });
        let owners: Vec<Owner> = owners.collect();
        let mut ids: Vec<&UserId> = lookup.ids.iter().collect();
        ids.extend(owners.iter().map(|owner| &owner.user));
        ids.sort_unstable();
        ids.dedup();
        let users = ids.iter().filter_map(|id| facts.user(id).cloned());
        let removals = ids.iter().filter_map(|id| {
            let at = facts.removed_at(id)?;
            Some(Removal {
                id: (*id).clone(),
                at,
            })
        });
        Self {
            users: users.collect(),
            removals: removals.collect(),
            counts: facts.counts,
            owners,
        }
    }

    /// Returns the facts of the lookup that it answers.
    #[must_use]
    pub fn into_facts(self, lookup: &Lookup) -> Facts {
        let mut facts = Facts::default();
        facts.counts = self.counts;
        for id in &lookup.ids {
            facts.set_person(id.clone(), Person::default());
        }
        for email in &lookup.emails {
            facts.set_email(email, EmailUsers::default());
        }
        for user in self.users {
            let person = Person {
                user: Some(user.clone()),
                ..Person::default()
            };
            facts.set_person(user.id, person);
        }
        for Removal { id, at } in self.removals {
            let mut person = facts.person(&id).cloned().unwrap_or_default();
            person.removed_at = Some(at);
            facts.set_person(id, person);
        }
        for Owner { email, user } in self.owners {
            let users = EmailUsers {
                owner: Some(user),
                ..EmailUsers::default()
            };
            facts.set_email(&Email::from_kept(&email), users);
        }
        facts
    }
}
