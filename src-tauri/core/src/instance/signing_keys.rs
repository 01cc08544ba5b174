//! The life of an instance's signing keys: active, then retiring until a date, then dropped.
//!
//! A dropped key no longer verifies. It stays in the record until its secret is deleted from the
//! keychain or the sealed file, so that an interruption leaves no secret behind.

use jiff::Timestamp;

use super::{Hosted, Instance, Name};
use crate::secret::{DroppedKey, KeyRecord, RetireAfter, RetiringKey, SecretSource};
use crate::{Error, ErrorCode, Result};

/// Maximum number of retiring keys of an instance. Each one costs a signature for a code that no
/// key has signed.
pub const MAX_RETIRING: usize = 8;

impl Instance {
    /// Fails with [`ErrorCode::NoSigningKey`] for an instance that is hosted here and has none. Its
    /// gateway may have a secret of its own, which a key from here would not replace.
    pub fn require_key_to_rotate(&self) -> Result<()> {
        if self.settings.hosted != Hosted::Here || self.key.is_some() {
            return Ok(());
        }
        let message = format!(
            "'{}' has no signing key here. If its gateway was started with a secret of its own, start it with another one. Otherwise give the instance a key.",
            self.settings.name.as_str()
        );
        Err(Error::new(ErrorCode::NoSigningKey, message).about("instance"))
    }

    /// Fails with [`ErrorCode::HostedElsewhere`] if a face that shows no secret would generate one
    /// for an instance that is hosted elsewhere. Nobody could enter that secret at the application.
    pub fn require_known_secret(name: &Name, hosted: Hosted, source: &SecretSource) -> Result<()> {
        if hosted != Hosted::Elsewhere || !matches!(source, SecretSource::Generate) {
            return Ok(());
        }
        let message = format!(
            "'{}' is hosted elsewhere, so its secret must be entered there, too. A generated secret is not shown here, and nobody could enter it. Write a new secret into a file, enter it at the application, and give the file.",
            name.as_str()
        );
        Err(Error::new(ErrorCode::HostedElsewhere, message).about("secret"))
    }

    /// Makes a key the active one. The key before it retires after `retire_after`, by default after
    /// [`RetireAfter::default`]. At an instance that is hosted elsewhere it is dropped at once,
    /// because the application decides which keys verify.
    ///
    /// Fails with [`ErrorCode::TooMany`] beyond [`MAX_RETIRING`] retiring keys.
    pub fn set_signing_key(
        &mut self,
        new: KeyRecord,
        retire_after: Option<RetireAfter>,
        now: Timestamp,
    ) -> Result<()> {
        let retire_after = self.retirement(retire_after)?;
        self.drop_retired(now);
        let retires_at = retire_after.retires_at(now);
        let is_full = self.retiring.len() >= MAX_RETIRING;
        if self.key.is_some() && retires_at.is_some() && is_full {
            let message = format!(
                "{MAX_RETIRING} signing keys are retiring already, and no more are kept. Retire one of them first, or let this one retire at once."
            );
            return Err(Error::new(ErrorCode::TooMany, message).about("retire_after"));
        }
        match (self.key.replace(new), retires_at) {
            (Some(key), Some(retires_at)) => self.retiring.push(RetiringKey { key, retires_at }),
            (Some(key), None) => self.drop_key(key, false),
            (None, _) => {}
        }
        Ok(())
    }

    /// Returns the time after which a replaced key retires.
    fn retirement(&self, wanted: Option<RetireAfter>) -> Result<RetireAfter> {
        match (self.settings.hosted, wanted) {
            (Hosted::Elsewhere, Some(RetireAfter::Secs(_))) => {
                let message = format!(
                    "'{}' is hosted elsewhere, so the application decides how long its old secret still works there. Here the secret is only replaced.",
                    self.settings.name.as_str()
                );
                Err(Error::new(ErrorCode::HostedElsewhere, message).about("retire_after"))
            }
            (Hosted::Elsewhere, _) => Ok(RetireAfter::Now),
            (_, wanted) => Ok(wanted.unwrap_or_default()),
        }
    }

    /// Sets the retirement date of a retiring key, or retires it at once.
    ///
    /// Fails with [`ErrorCode::UnknownSigningKey`], or with [`ErrorCode::InvalidSetting`] for the
    /// active key.
    pub fn retire_key(&mut self, id: &str, after: RetireAfter, now: Timestamp) -> Result<()> {
        self.drop_retired(now);
        if self.key.as_ref().is_some_and(|key| key.key_id() == id) {
            let message = "This is the active signing key, which does not retire. Make another key active first: this one then retires by itself. If others may know it, say that it has leaked.";
            return Err(Error::new(ErrorCode::InvalidSetting, message).about("key"));
        }
        let at = self.retiring_at(id)?;
        let mut key = self.retiring.remove(at);
        if let Some(retires_at) = after.retires_at(now) {
            key.retires_at = retires_at;
            self.retiring.insert(at, key);
        } else {
            self.drop_key(key.key, false);
        }
        Ok(())
    }

    /// Drops a key that others may know. If it is the active one, `replacement` becomes active in
    /// the same change.
    ///
    /// Fails with [`ErrorCode::UnknownSigningKey`], or with [`ErrorCode::InvalidSetting`] without
    /// a replacement for the active key.
    pub fn give_up_key(
        &mut self,
        id: &str,
        replacement: Option<KeyRecord>,
        now: Timestamp,
    ) -> Result<()> {
        self.drop_retired(now);
        if self.key.as_ref().is_some_and(|key| key.key_id() == id) {
            let Some(new) = replacement else {
                let message = "The active signing key is replaced when it is given up, and there is no new one.";
                return Err(Error::new(ErrorCode::InvalidSetting, message).about("key"));
            };
            if let Some(old) = self.key.replace(new) {
                self.drop_key(old, true);
            }
            return Ok(());
        }
        let at = self.retiring_at(id)?;
        let leaked = self.retiring.remove(at);
        self.drop_key(leaked.key, true);
        Ok(())
    }

    /// Drops the retiring keys whose dates have passed. Returns whether there are any.
    pub fn drop_retired(&mut self, now: Timestamp) -> bool {
        let is_retired = |retiring: &mut RetiringKey| retiring.retires_at <= now.as_second();
        let retired: Vec<_> = self.retiring.extract_if(.., is_retired).collect();
        let any = !retired.is_empty();
        for retired in retired {
            self.drop_key(retired.key, false);
        }
        any
    }

    /// Returns whether a key must be dropped, or its secret must be deleted.
    #[must_use]
    pub fn has_retired_keys(&self, now: Timestamp) -> bool {
        let mut retiring = self.retiring.iter();
        !self.dropped.is_empty() || retiring.any(|key| key.retires_at <= now.as_second())
    }

    /// Returns the records of all keys that are still in a store.
    pub fn key_records(&self) -> impl Iterator<Item = &KeyRecord> {
        let retiring = self.retiring.iter().map(|retiring| &retiring.key);
        let dropped = self.dropped.iter().map(|dropped| &dropped.key);
        self.key.iter().chain(retiring).chain(dropped)
    }

    /// Drops a key: it no longer verifies, and its secret will be deleted.
    pub fn drop_key(&mut self, key: KeyRecord, leaked: bool) {
        self.dropped.push(DroppedKey { key, leaked });
    }

    fn retiring_at(&self, id: &str) -> Result<usize> {
        let mut retiring = self.retiring.iter();
        let at = retiring.position(|retiring| retiring.key.key_id() == id);
        at.ok_or_else(|| {
            let message = format!(
                "There is no signing key '{id}' that is active or retiring. It may have retired already."
            );
            Error::new(ErrorCode::UnknownSigningKey, message).about("key")
        })
    }
}
