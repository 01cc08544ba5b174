use std::borrow::Cow;
use std::fmt;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::catalogue::Row;
use crate::Result;
use crate::directory::{Origin, User, is_name};
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

/// What the catalogue needs of a row, read without building all of it.
#[derive(Deserialize)]
pub(super) struct Summary<'a> {
    #[serde(borrow)]
    email: Option<Text<'a>>,
    metadata: Names,
    pub(super) status: Status,
    origin: Origin,
    created_at: i64,
    last_sign_in: Option<i64>,
}

/// A text that stays where it was read, unless it has escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The texts of the name-like metadata, one after the other.
#[derive(Default)]
struct Names(String);

impl Names {
    fn add(&mut self, name: &str) {
        if !self.0.is_empty() {
            self.0.push(' ');
        }
        self.0.push_str(name);
    }
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_map(NamesVisitor)
    }
}

/// The name of a metadata member.
struct Member {
    is_name: bool,
}

impl<'de> Deserialize<'de> for Member {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let Text(member) = Text::deserialize(deserializer)?;
        Ok(Self {
            is_name: is_name(&member),
        })
    }
}

struct NamesVisitor;

impl<'de> Visitor<'de> for NamesVisitor {
    type Value = Names;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the metadata of a user")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> std::result::Result<Names, A::Error> {
        let mut names = Names::default();
        while let Some(Member { is_name }) = members.next_key()? {
            if is_name {
                if let Value::String(name) = members.next_value()? {
                    names.add(&name);
                }
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(names)
    }
}

impl<'a> Summary<'a> {
    pub(super) fn into_row(self, id: &'a str) -> Row<'a> {
        Row {
            id: id.into(),
            email: self.email.map(|Text(email)| email),
            names: self.metadata.0.into(),
            status: self.status,
            origin: self.origin,
            created_at: self.created_at,
            last_sign_in: self.last_sign_in,
        }
    }
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

    /// The user as the catalogue knows it.
    pub(super) fn row(&self, id: &str) -> Row<'static> {
        let mut names = Names::default();
        for (member, value) in &self.metadata {
            if let (true, Value::String(name)) = (is_name(member), value) {
                names.add(name);
            }
        }
        Row {
            id: id.to_owned().into(),
            email: self.email.clone().map(Into::into),
            names: names.0.into(),
            status: self.status,
            origin: self.origin,
            created_at: self.created_at,
            last_sign_in: self.last_sign_in,
        }
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
