//! API keys and pairings of an instance.

use jiff::Timestamp;

use super::Instance;
use super::api_key::{ApiKey, MAX_KEYS};
use super::pairing::{self, Pairing};
use crate::secret::{Secret, outlives};
use crate::{Error, ErrorCode, Result};

impl Instance {
    /// Returns whether the key with an ID is kept here, or is the gateway's own affair.
    #[must_use]
    pub fn has_key(&self, key_id: &str) -> bool {
        let retiring = self.retiring.iter().map(|retiring| &retiring.key);
        let mut kept = self.key.iter().chain(retiring);
        self.connection.is_some() || kept.any(|key| key.key_id() == key_id)
    }

    /// Returns the time at which the key of a link will retire, in Unix seconds, if that is before the
    /// link expires. `None` for the active key, and for a key of a gateway on another computer.
    #[must_use]
    pub fn retires_before(
        &self,
        key_id: &str,
        expires_at: Option<i64>,
        now: Timestamp,
    ) -> Option<i64> {
        let mut retiring = self.retiring.iter();
        let found = retiring.find(|retiring| retiring.key.key_id() == key_id)?;
        let retires_at = Some(found.retires_at).filter(|at| *at > now.as_second())?;
        outlives(expires_at, retires_at).then_some(retires_at)
    }

    /// Adds an API key.
    pub fn add_api_key(&mut self, key: ApiKey) -> Result<()> {
        if self.api_keys.len() >= MAX_KEYS {
            let message =
                format!("There are {MAX_KEYS} API keys, and no more are kept. Revoke one first.");
            return Err(Error::new(ErrorCode::TooMany, message));
        }
        self.require_free_name(&key.name)?;
        self.api_keys.push(key);
        Ok(())
    }

    /// Adds a pairing. It replaces one with the same name, whose code is probably lost. Returns
    /// whether one was replaced whose code still worked.
    pub fn add_pairing(&mut self, pairing: Pairing, now: Timestamp) -> Result<bool> {
        self.require_free_name(&pairing.name)?;
        pairing::add(&mut self.pairings, pairing, now)
    }

    /// Makes the key of a pairing, whose code then works no more.
    ///
    /// Fails with [`ErrorCode::KeyRefused`] for a code that is wrong, was used, has expired or was
    /// replaced.
    pub fn exchange(&mut self, code: &str, now: Timestamp) -> Result<(ApiKey, Secret)> {
        let new = pairing::take(&mut self.pairings, code, now)?;
        let (key, secret) = ApiKey::generate(&new, now)?;
        self.add_api_key(key.clone())?;
        Ok((key, secret))
    }

    /// Fails if an API key has the name.
    fn require_free_name(&self, name: &str) -> Result<()> {
        if self.api_keys.iter().any(|other| other.name == name) {
            let message = format!(
                "There is an API key '{name}' already. Choose another name, or revoke that key first."
            );
            return Err(Error::new(ErrorCode::InvalidSetting, message).about("name"));
        }
        Ok(())
    }

    /// Notes uses of API keys: the ID of each key, and the time in Unix seconds. Returns whether
    /// that changes anything.
    pub fn note_key_uses(&mut self, uses: &[(String, i64)]) -> bool {
        let mut is_changed = false;
        for (id, at) in uses {
            let key = self.api_keys.iter_mut().find(|key| key.id == *id);
            let Some(key) = key else {
                continue;
            };
            if key.last_used_at.is_none_or(|known| known < *at) {
                key.last_used_at = Some(*at);
                is_changed = true;
            }
        }
        is_changed
    }

    /// Revokes an API key by its ID or name, or a pairing by its name.
    pub fn revoke_api_key(&mut self, key: &str) -> Result<()> {
        let at = self
            .api_keys
            .iter()
            .position(|known| known.id == key || known.name == key);
        let Some(at) = at else {
            let waiting = self.pairings.iter().position(|waiting| waiting.name == key);
            if let Some(waiting) = waiting {
                self.pairings.remove(waiting);
                return Ok(());
            }
            let message = format!("There is no API key '{key}'.");
            return Err(Error::new(ErrorCode::UnknownApiKey, message).about("key"));
        };
        self.api_keys.remove(at);
        Ok(())
    }
}
