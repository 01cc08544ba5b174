//! Scopes of API keys: what a key may be used for.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Error, ErrorCode, Result};

/// Permission of an API key for a group of requests.
///
/// The names are stored in the file of an instance. A new scope raises its format, because older
/// programs cannot read it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum Scope {
    /// Makes, inspects, lists and revokes login links, with the sessions that they began.
    #[serde(rename = "links")]
    Links,
    /// Reads users.
    #[serde(rename = "users:read")]
    UsersRead,
    /// Reads, adds, changes and removes users.
    #[serde(rename = "users")]
    Users,
    /// Reads the activity.
    #[serde(rename = "activity")]
    Activity,
    /// Includes all scopes, and changes settings and keys.
    #[serde(rename = "admin")]
    Admin,
}

impl Scope {
    /// Scopes that every administrator can give a new key. Only the command line on the server can
    /// give the others.
    pub const OFFERED: [Self; 4] = [Self::Links, Self::UsersRead, Self::Users, Self::Activity];

    /// Scopes of a new key unless others are chosen, and of each key that was made before keys had
    /// scopes.
    pub const DEFAULT: [Self; 2] = [Self::Links, Self::Users];

    /// Parses the name of a scope that the command line on the server can give a new key.
    pub fn on_server(text: &str) -> Result<Self> {
        if text == Self::Admin.name() {
            return Ok(Self::Admin);
        }
        text.parse().map_err(|_| {
            let message =
                "The scope of a key is 'links', 'users:read', 'users', 'activity' or 'admin'.";
            Error::new(ErrorCode::InvalidSetting, message).about("scopes")
        })
    }

    /// Returns the name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Links => "links",
            Self::UsersRead => "users:read",
            Self::Users => "users",
            Self::Activity => "activity",
            Self::Admin => "admin",
        }
    }

    /// Returns whether a key with this scope may be used where `needed` is needed.
    #[must_use]
    pub fn includes(self, needed: Self) -> bool {
        self == needed || self == Self::Admin || (self, needed) == (Self::Users, Self::UsersRead)
    }

    /// Returns the scopes without duplicates and without those that another one includes.
    #[must_use]
    pub fn reduced(scopes: &[Self]) -> Vec<Self> {
        let is_needed = |scope: &Self| {
            let mut others = scopes.iter().filter(|other| *other != scope);
            !others.any(|other| other.includes(*scope))
        };
        let mut reduced: Vec<Self> = scopes.iter().copied().filter(is_needed).collect();
        reduced.sort_unstable();
        reduced.dedup();
        reduced
    }

    /// Returns the names of several scopes, such as `links, users`.
    #[must_use]
    pub fn names(scopes: &[Self]) -> String {
        let names: Vec<&str> = scopes.iter().map(|scope| scope.name()).collect();
        names.join(", ")
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Parses the name of a scope that every administrator can give a new key.
impl FromStr for Scope {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut offered = Self::OFFERED.into_iter();
        offered.find(|scope| scope.name() == text).ok_or_else(|| {
            let message = "The scope of a key is 'links', 'users:read', 'users' or 'activity'.";
            Error::new(ErrorCode::InvalidSetting, message).about("scopes")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Scope; 5] = [
        Scope::Links,
        Scope::UsersRead,
        Scope::Users,
        Scope::Activity,
        Scope::Admin,
    ];

    #[test]
    fn a_scope_includes_itself_users_includes_reading_and_admin_includes_all() {
        for scope in ALL {
            for needed in ALL {
                let expected = scope == needed
                    || scope == Scope::Admin
                    || (scope == Scope::Users && needed == Scope::UsersRead);
                assert_eq!(scope.includes(needed), expected, "{scope} {needed}");
            }
        }
    }

    #[test]
    fn only_the_server_gives_the_scope_admin_and_all_scopes_are_stored() {
        for scope in ALL {
            let stored = serde_json::to_value(scope).unwrap();
            assert_eq!(stored, scope.name());
            assert_eq!(serde_json::from_value::<Scope>(stored).unwrap(), scope);
            let parsed = scope.name().parse::<Scope>();
            assert_eq!(parsed.is_ok(), scope != Scope::Admin, "{scope}");
            assert_eq!(Scope::on_server(scope.name()).unwrap(), scope);
        }
        for text in ["", "Users", "users:write", "links,users"] {
            let refused = text.parse::<Scope>().unwrap_err();
            assert_eq!(refused.field.as_deref(), Some("scopes"), "{text}");
        }
    }

    #[test]
    fn scopes_are_reduced_to_those_that_no_other_includes() {
        let reduced = |scopes: &[Scope]| Scope::names(&Scope::reduced(scopes));
        assert_eq!(
            reduced(&[Scope::Users, Scope::Links, Scope::UsersRead, Scope::Users]),
            "links, users"
        );
        assert_eq!(reduced(&ALL), "admin");
        assert_eq!(reduced(&[]), "");
    }
}
