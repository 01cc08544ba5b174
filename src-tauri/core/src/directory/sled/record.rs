use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Result;
use crate::directory::{Origin, User};
use crate::email::Email;
use crate::metadata::Metadata;
use crate::payload::NewUser;
use crate::user_id::UserId;
use crate::verdict::{Seats, Status};

/// A user as a row holds it; the id is in the key.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct UserRecord {
    pub(super) email: Option<String>,
    pub(super) metadata: Map<String, Value>,
    pub(super) status: Status,
    origin: Origin,
    created_at: i64,
    last_sign_in: Option<i64>,
    sign_ins: u64,
    pub(super) profile_as_of: i64,
}

/// What is counted in each transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counters {
    pub(super) users: u64,
    pub(super) active: u64,
    pub(super) seat_limit: Option<u64>,
    /// Every change counts, so that a tree that has lost some is told from a whole one.
    pub(super) changes: u64,
}

impl UserRecord {
    pub(super) fn new(user: &NewUser, origin: Origin, now: i64, profile_as_of: i64) -> Self {
        Self {
            email: user.email.as_ref().map(|email| email.as_str().to_owned()),
            metadata: user.metadata.members().clone(),
            status: Status::Active,
            origin,
            created_at: now,
            last_sign_in: None,
            sign_ins: 0,
            profile_as_of,
        }
    }

    pub(super) fn sign_in(&mut self, now: i64) {
        self.last_sign_in = Some(now);
        self.sign_ins += 1;
    }

    pub(super) fn email(&self) -> Result<Option<Email>> {
        let email = self.email.as_deref();
        email.map(|email| Email::parse(email, "email")).transpose()
    }

    pub(super) fn into_user(self, id: &UserId) -> Result<User> {
        Ok(User {
            id: id.clone(),
            email: self.email()?,
            metadata: Metadata::new(self.metadata, "metadata")?,
            status: self.status,
            origin: self.origin,
            created_at: self.created_at,
            last_sign_in: self.last_sign_in,
            sign_ins: self.sign_ins,
            profile_as_of: self.profile_as_of,
        })
    }
}

impl Counters {
    pub(super) fn seats(&self) -> Seats {
        Seats {
            used: self.active,
            limit: self.seat_limit,
        }
    }
}
