//! Revoking the links of a key.

use jiff::Timestamp;

use super::query::{LinkPageStart, LinkQuery, LinkSort};
use super::revocation::{Revocation, RevocationScope};
use crate::activity::AuditContext;
use crate::directory::Directory;
use crate::instance::Instance;
use crate::{Error, ErrorCode, Result};

impl Revocation {
    /// Revokes the links. The key whose links are revoked must be known.
    ///
    /// Fails with [`ErrorCode::UnknownSigningKey`] otherwise, and like
    /// [`require_possible`](Self::require_possible) and [`revoke_links`](Directory::revoke_links).
    pub async fn revoke(
        self,
        instance: &Instance,
        ledger: &dyn Directory,
        by: &AuditContext,
    ) -> Result<()> {
        self.require_possible(&instance.settings)?;
        self.require_known_key(instance, ledger, by.at).await?;
        ledger.revoke_links(self, by).await
    }

    /// Checks that the key whose links are revoked is one of the instance, or that a link in the
    /// ledger was signed with it. A gateway on another computer checks that itself.
    ///
    /// Fails with [`ErrorCode::UnknownSigningKey`] otherwise.
    async fn require_known_key(
        &self,
        instance: &Instance,
        ledger: &dyn Directory,
        now: Timestamp,
    ) -> Result<()> {
        let RevocationScope::Key(key) = &self.scope else {
            return Ok(());
        };
        let retiring = instance.retiring.iter().map(|retiring| &retiring.key);
        let mut known = instance.key.iter().chain(retiring);
        if instance.connection.is_some() || known.any(|known| known.key_id() == key) {
            return Ok(());
        }
        let query = LinkQuery {
            key: Some(key.clone()),
            now: now.as_second(),
            ..LinkQuery::default()
        };
        let (sort, start) = (LinkSort::default(), LinkPageStart::First);
        if ledger.links(&query, sort, &start, 1).await?.total > 0 {
            return Ok(());
        }
        let message = "The instance has no signing key with this ID, and no link in the ledger was signed with it. Nothing was revoked. Look the ID up in the list of signing keys or links.";
        Err(Error::new(ErrorCode::UnknownSigningKey, message).about("key"))
    }
}
