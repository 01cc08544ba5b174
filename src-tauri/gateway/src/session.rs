//! Lookup of the session whose ID is in a cookie. The directory keeps the sessions.

use axum::http::HeaderMap;
use jiff::Timestamp;
use latchkey_core::Result;
use latchkey_core::activity::AuditContext;
use latchkey_core::directory::User;
use latchkey_core::protocol::lifetime::Lifetime;
use latchkey_core::session::{SessionKey, SessionScope};
use latchkey_core::sign_in::{SignedIn, find_session};

use crate::config::GatewayConfig;
use crate::gateway::Gateway;

impl Gateway {
    /// Returns the valid session of a browser in a scope.
    pub(crate) async fn session(
        &self,
        config: &GatewayConfig,
        place: SessionScope,
        headers: &HeaderMap,
    ) -> Result<Option<SignedIn>> {
        let (directory, now) = (&*self.directory, Timestamp::now());
        let has_idle = config.settings.session_rules().idle != Lifetime::Never;
        for id in config.cookie_key.session_ids(place, headers) {
            let key = id.key();
            let last_use = has_idle.then(|| self.last_seen.last_use(&key)).flatten();
            let found =
                find_session(directory, key, place, &config.settings, last_use, now).await?;
            if let Some(SignedIn { session, .. }) = &found {
                self.last_seen.note(key, session, now.as_second(), has_idle);
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Returns the user who is signed in in a scope, as the directory has them now.
    pub(crate) async fn signed_in(
        &self,
        config: &GatewayConfig,
        place: SessionScope,
        headers: &HeaderMap,
    ) -> Result<Option<User>> {
        let found = self.session(config, place, headers).await?;
        Ok(found.map(|found| found.user))
    }

    /// Ends all sessions of a browser in a scope.
    pub(crate) async fn sign_out(
        &self,
        config: &GatewayConfig,
        place: SessionScope,
        headers: &HeaderMap,
        by: AuditContext,
    ) -> Result<()> {
        let ids = config.cookie_key.session_ids(place, headers);
        let keys: Vec<SessionKey> = ids.map(|id| id.key()).collect();
        for key in keys {
            self.directory.end_session(&key, &by).await?;
        }
        Ok(())
    }
}
