//! TypingMind's users of an instance that is hosted elsewhere: the connection, the copy, and what an
//! administrator does there.

use std::fs::File;
use std::sync::Arc;

use jiff::Timestamp;

use super::Home;
use crate::files;
use crate::typingmind::{self, ChangeFailed, Limits, TypingMindClient};
use latchkey_core::activity::{AuditContext, Event, EventData};
use latchkey_core::instance::{Hosted, Instance, InstanceId};
use latchkey_core::protocol::email::Email;
use latchkey_core::secret::Secret;
use latchkey_core::typingmind::{KeptKey, ListedUser, Region, TypingMind, UserCopy, parse_key};
use latchkey_core::{Error, ErrorCode, Result};

/// Name of the file that is locked while an instance's copy changes.
const LOCK: &str = ".typingmind.lock";

impl Home {
    /// Sets the region, the API key or both. Nothing is sent to TypingMind.
    ///
    /// Fails with [`ErrorCode::InvalidSetting`] for an instance that is not hosted elsewhere or has
    /// no region yet, and with the errors of storing a key.
    pub fn connect_typingmind(
        &self,
        id: &InstanceId,
        region: Option<Region>,
        key: Option<&Secret>,
        by: &AuditContext,
    ) -> Result<Instance> {
        let before = self.instances.get(id)?;
        require_elsewhere(&before)?;
        let key = key.map(parse_key).transpose()?;
        let known = before.typingmind.as_ref();
        let Some(region) = region.or_else(|| known.map(|known| known.region.clone())) else {
            let message = "Say in which region the TypingMind account is: us or eu.";
            return Err(Error::new(ErrorCode::InvalidSetting, message).about("typingmind_region"));
        };
        let kept = match key {
            Some(key) => Some(KeptKey {
                stored: self.keys.store_secret(&key)?,
                set_at: by.at.as_second(),
            }),
            None => None,
        };
        let mut replaced = None;
        let written = self.instances.update(id, by, |instance| {
            require_elsewhere(instance)?;
            let old = instance.typingmind.take().and_then(|known| known.key);
            let key = match &kept {
                Some(new) => {
                    replaced = old;
                    Some(new.clone())
                }
                None => old,
            };
            instance.typingmind = Some(TypingMind {
                region: region.clone(),
                key,
            });
            Ok(())
        });
        let orphan = if written.is_ok() { replaced } else { kept };
        self.forget_typingmind_key(orphan.as_ref());
        written
    }

    /// Removes the region, the API key and the copy.
    pub fn disconnect_typingmind(&self, id: &InstanceId, by: &AuditContext) -> Result<Instance> {
        let mut old = None;
        let written = self.instances.update(id, by, |instance| {
            old = instance.typingmind.take();
            Ok(())
        })?;
        self.forget_typingmind_key(old.and_then(|old| old.key).as_ref());
        let _lock = self.lock_copy(id)?;
        typingmind::remove(&self.instances.folder(id))?;
        Ok(written)
    }

    /// Returns the copy of the users, if there is one.
    ///
    /// Fails with [`ErrorCode::NotConnected`].
    pub fn typingmind_users(&self, instance: &Instance) -> Result<Option<Arc<UserCopy>>> {
        let connection = connection(instance)?;
        let folder = self.instances.folder(&instance.id);
        self.copies.get(&folder, &connection.region)
    }

    /// Copies the users from TypingMind. If that fails, the last copy stays, and the message says so.
    ///
    /// Fails with [`ErrorCode::NotConnected`], [`ErrorCode::Unreachable`],
    /// [`ErrorCode::KeyRefused`] or [`ErrorCode::UnexpectedAnswer`].
    pub fn sync_typingmind(&self, instance: &Instance, now: Timestamp) -> Result<Arc<UserCopy>> {
        let region = &connection(instance)?.region;
        let key = self.typingmind_key(instance)?;
        let lock = self.lock_copy(&instance.id)?;
        let listed = TypingMindClient::new(region, &key, Limits::default()).users();
        let listed = listed.map_err(|mut failed| {
            if let Ok(Some(copy)) = self.typingmind_users(instance) {
                failed.message = format!(
                    "{} The copy of the users {} is kept.",
                    failed.message,
                    copy.age(now)
                );
            }
            failed
        })?;
        let copy = UserCopy::of_listing(now.as_second(), listed);
        self.write_copy(instance, region, &copy, lock)?;
        Ok(Arc::new(copy))
    }

    /// Adds a user at TypingMind. Records it here before, and confirms the entry afterwards.
    ///
    /// Fails with the errors of [`TypingMindClient::add`].
    pub fn add_at_typingmind(
        &self,
        instance: &Instance,
        email: &Email,
        by: &AuditContext,
    ) -> Result<ListedUser> {
        let region = &connection(instance)?.region;
        let key = self.typingmind_key(instance)?;
        let lock = self.lock_copy(&instance.id)?;
        let added = |id: &str, unconfirmed| Event {
            subject: Some(email.as_str().to_owned()),
            ..EventData::TypingMindUserAdded {
                id: id.to_owned(),
                unconfirmed,
            }
            .into()
        };
        let number = self.instances.note(&instance.id, added("", true), by)?;
        let done = TypingMindClient::new(region, &key, Limits::default()).add(email);
        let user = done.map_err(|failed| self.forget_if_not_made(instance, number, failed, by))?;
        let confirmed = added(&user.id, false);
        self.confirm(
            instance,
            number,
            confirmed,
            by,
            &format!("{email} was added"),
        )?;
        if let Some(copy) = self.typingmind_users(instance)? {
            self.write_copy(instance, region, &copy.with(user.clone()), lock)?;
        }
        Ok(user)
    }

    /// Removes a user at TypingMind. Records it here before, and confirms the entry afterwards.
    ///
    /// Fails with the errors of [`TypingMindClient::remove`].
    pub fn remove_at_typingmind(
        &self,
        instance: &Instance,
        id: &str,
        by: &AuditContext,
    ) -> Result<()> {
        let region = &connection(instance)?.region;
        let key = self.typingmind_key(instance)?;
        let lock = self.lock_copy(&instance.id)?;
        let copy = self.typingmind_users(instance)?;
        let known = copy.as_ref().and_then(|copy| copy.by_id(id));
        let email = known.and_then(|user| user.email.clone());
        let subject = email.unwrap_or_else(|| id.to_owned());
        let removed = |unconfirmed| Event {
            subject: Some(subject.clone()),
            ..EventData::TypingMindUserRemoved {
                id: id.to_owned(),
                unconfirmed,
            }
            .into()
        };
        let number = self.instances.note(&instance.id, removed(true), by)?;
        let done = TypingMindClient::new(region, &key, Limits::default()).remove(id);
        done.map_err(|failed| self.forget_if_not_made(instance, number, failed, by))?;
        let what = format!("The user {id} was removed");
        self.confirm(instance, number, removed(false), by, &what)?;
        match copy {
            Some(copy) => self.write_copy(instance, region, &copy.without(id), lock),
            None => Ok(()),
        }
    }

    /// Drops the entry of a change that TypingMind has refused.
    fn forget_if_not_made(
        &self,
        instance: &Instance,
        number: u64,
        failed: ChangeFailed,
        by: &AuditContext,
    ) -> Error {
        if !failed.may_be_made
            && let Err(cause) = self.instances.amend(&instance.id, number, None, by)
        {
            tracing::warn!(error = %cause.logged(), "a change that TypingMind has refused stays recorded as not confirmed");
        }
        failed.error
    }

    /// Records that a change was made at TypingMind. Its entry was recorded before as not confirmed,
    /// so that a crash leaves a trace. A failure says that the change was made.
    fn confirm(
        &self,
        instance: &Instance,
        number: u64,
        confirmed: Event,
        by: &AuditContext,
        done: &str,
    ) -> Result<()> {
        let recorded = self
            .instances
            .amend(&instance.id, number, Some(confirmed), by);
        recorded.map_err(|mut failed| {
            failed.message = format!(
                "{done} at TypingMind, but the activity here has it as not confirmed. {}",
                failed.message
            );
            failed
        })
    }

    fn write_copy(
        &self,
        instance: &Instance,
        region: &Region,
        copy: &UserCopy,
        _lock: File,
    ) -> Result<()> {
        typingmind::write(&self.instances.folder(&instance.id), region, copy)
    }

    /// Waits until no other process changes the copy of an instance.
    fn lock_copy(&self, id: &InstanceId) -> Result<File> {
        files::lock(&self.instances.folder(id).join(LOCK))
    }

    /// Locks the copy of an instance. Returns `None` while a process changes it.
    pub(super) fn try_lock_copy(&self, id: &InstanceId) -> Result<Option<File>> {
        files::try_lock(&self.instances.folder(id).join(LOCK))
    }

    fn typingmind_key(&self, instance: &Instance) -> Result<Secret> {
        let kept = connection(instance)?.key.as_ref();
        let kept = kept.ok_or_else(|| not_connected(instance))?;
        let key = self.keys.read_secret(&kept.stored)?;
        key.ok_or_else(|| {
            let message = "The API key of TypingMind is not where it was kept. Set it again.";
            Error::new(ErrorCode::NotConnected, message).about("typingmind_key")
        })
    }

    /// Deletes a key. An error is only logged, because a key that nothing refers to does no harm.
    pub(super) fn forget_typingmind_key(&self, kept: Option<&KeptKey>) {
        if let Some(kept) = kept
            && let Err(refused) = self.keys.forget_secret(&kept.stored)
        {
            tracing::warn!(error = %refused.logged(), "a replaced API key of TypingMind was not removed");
        }
    }
}

fn connection(instance: &Instance) -> Result<&TypingMind> {
    require_elsewhere(instance)?;
    let connection = instance.typingmind.as_ref();
    connection.ok_or_else(|| not_connected(instance))
}

fn not_connected(instance: &Instance) -> Error {
    Error::new(
        ErrorCode::NotConnected,
        format!(
            "'{}' has no API key of TypingMind, so its users are not known here. Make a key at TypingMind under Integrations, API Integration, and set it here.",
            instance.settings.name.as_str()
        ),
    )
    .about("typingmind_key")
}

fn require_elsewhere(instance: &Instance) -> Result<()> {
    if instance.settings.hosted == Hosted::Elsewhere {
        return Ok(());
    }
    let message = format!(
        "'{}' has its users in a directory of Latchkey. TypingMind's users are for an instance that is hosted elsewhere.",
        instance.settings.name.as_str()
    );
    Err(Error::new(ErrorCode::InvalidSetting, message).about("hosted"))
}
