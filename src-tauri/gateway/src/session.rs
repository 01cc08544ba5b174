//! Who is signed in, by the session whose id is in a cookie. The directory keeps the session.

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
    /// The session in which somebody is signed in at a place.
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

    /// Who is signed in at a place, as the directory has them now.
    pub(crate) async fn signed_in(
        &self,
        config: &GatewayConfig,
        place: SessionScope,
        headers: &HeaderMap,
    ) -> Result<Option<User>> {
        let found = self.session(config, place, headers).await?;
        Ok(found.map(|found| found.user))
    }

    /// Ends the sessions of a browser at a place, if it has any.
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
