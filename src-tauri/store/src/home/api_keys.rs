//! The API keys of instances.

use super::{Home, require_here};
use latchkey_core::Result;
use latchkey_core::activity::AuditContext;
use latchkey_core::instance::api_key::{ApiKey, NewApiKey};
use latchkey_core::instance::{Instance, InstanceId};
use latchkey_core::secret::Secret;

impl Home {
    /// Makes an API key for another system. It is shown only once.
    ///
    /// Fails if the name is taken or not valid, if there is no scope, or with
    /// [`HostedElsewhere`](latchkey_core::ErrorCode::HostedElsewhere).
    pub fn make_api_key(
        &self,
        id: &InstanceId,
        new: &NewApiKey,
        by: &AuditContext,
    ) -> Result<(Instance, Secret)> {
        let (key, secret) = ApiKey::generate(new, by.at)?;
        let instance = self.instances.update(id, by, |instance| {
            require_here(instance)?;
            instance.add_api_key(key)
        })?;
        Ok((instance, secret))
    }

    /// Revokes an API key by its ID or name.
    ///
    /// Fails with [`UnknownApiKey`](latchkey_core::ErrorCode::UnknownApiKey).
    pub fn revoke_api_key(
        &self,
        id: &InstanceId,
        key: &str,
        by: &AuditContext,
    ) -> Result<Instance> {
        self.instances
            .update(id, by, |instance| instance.revoke_api_key(key))
    }
}
