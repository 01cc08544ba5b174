//! The signing keys of an instance that can be used.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::SigningKey;
use crate::protocol::link_id;
use crate::time;

/// Signing keys of an instance: the active one, which signs, and the retiring ones, which verify
/// until their retirement dates.
#[derive(Clone, Debug)]
pub struct KeySet {
    active: SigningKey,
    /// Retiring keys with their retirement dates in Unix seconds.
    retiring: Vec<(SigningKey, i64)>,
}

/// Signing key of an instance that has signed a code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct SignedBy {
    /// ID of the key. Null for a key that was given for one call.
    #[schema(required)]
    pub key: Option<String>,
    /// Time at which the key retires. Null for the active key.
    #[serde(with = "time::rfc3339_if_any")]
    #[schema(required, value_type = Option<String>, format = DateTime)]
    #[cfg_attr(feature = "ts", ts(type = "string | null"))]
    pub retires_at: Option<i64>,
}

impl SignedBy {
    /// Returns a sentence that names the key. `None` for a key without an ID.
    #[must_use]
    pub fn sentence(&self) -> Option<String> {
        let key = self.key.as_ref()?;
        Some(match self.retires_at {
            None => format!("Signed with the active key {key}."),
            Some(at) => format!(
                "Signed with the key {key}, which retires at {}. The code is then refused.",
                time::exact(at)
            ),
        })
    }
}

impl From<SigningKey> for KeySet {
    fn from(active: SigningKey) -> Self {
        Self {
            active,
            retiring: Vec::new(),
        }
    }
}

impl KeySet {
    /// Adds a key that verifies until `retires_at`, in Unix seconds.
    #[must_use]
    pub fn with_retiring(mut self, key: SigningKey, retires_at: i64) -> Self {
        self.retiring.push((key, retires_at));
        self
    }

    /// Returns the key that signs.
    #[must_use]
    pub fn active(&self) -> &SigningKey {
        &self.active
    }

    /// Returns the keys that verify at a time, the active one first.
    #[must_use]
    pub fn usable(&self, now: Timestamp) -> Vec<&SigningKey> {
        let retiring = self.retiring.iter();
        let retiring = retiring.filter(|(_, retires_at)| now.as_second() < *retires_at);
        std::iter::once(&self.active)
            .chain(retiring.map(|(key, _)| key))
            .collect()
    }

    /// Returns the time at which the key that has signed a link retires, in Unix seconds. `None` for
    /// the active key and for others.
    pub(crate) fn retires_at(&self, link: &str) -> Option<i64> {
        let mut retiring = self.retiring.iter();
        let signer = retiring.find(|(key, _)| link_id::is_made_with(link, key));
        signer.map(|(_, retires_at)| *retires_at)
    }

    /// Returns the key that has signed a code, if `is_signer` accepts one.
    pub(crate) fn signer(
        &self,
        now: Timestamp,
        is_signer: impl Fn(&SigningKey) -> bool,
    ) -> Option<SignedBy> {
        let signer = self.usable(now).into_iter().find(|key| is_signer(key))?;
        let mut retiring = self.retiring.iter();
        let retiring = retiring.find(|(key, _)| std::ptr::eq(key, signer));
        Some(SignedBy {
            key: signer.id().map(str::to_owned),
            retires_at: retiring.map(|(_, retires_at)| *retires_at),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::code::Algorithm;

    #[test]
    fn a_retiring_key_verifies_until_its_date_and_not_at_it() {
        let key = |id| {
            SigningKey::generate(Algorithm::default())
                .unwrap()
                .with_id(id)
        };
        let keys = KeySet::from(key("new")).with_retiring(key("old"), 1_000);
        let usable = |secs| {
            let now = Timestamp::from_second(secs).unwrap();
            let usable = keys.usable(now).into_iter();
            usable.filter_map(SigningKey::id).collect::<Vec<_>>()
        };
        assert_eq!(usable(999), ["new", "old"]);
        assert_eq!(usable(1_000), ["new"]);
        assert_eq!(keys.active().id(), Some("new"));
    }
}
