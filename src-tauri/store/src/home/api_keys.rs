//! The API keys of instances.

use super::{Home, require_here};
use crate::wait::Wait as _;
use jiff::Timestamp;
use latchkey_core::activity::AuditContext;
use latchkey_core::admin::ApiKeys;
use latchkey_core::instance::api_key::{ApiKey, NewApiKey};
use latchkey_core::instance::pairing::{BegunPairing, Pairing};
use latchkey_core::instance::{Instance, InstanceId};
use latchkey_core::secret::Secret;
use latchkey_core::{Error, Result};

impl Home {
    /// Returns the API keys of an instance, and those that wait for their clients. Those of an
    /// instance on a gateway are read there.
    pub fn api_keys(&self, instance: &Instance, now: Timestamp) -> Result<ApiKeys> {
        if instance.connection.is_some() {
            return self.gateway(instance)?.api_keys().wait();
        }
        Ok(ApiKeys::of(instance, now))
    }

    /// Makes an API key for another system. It is shown only once. The gateway of an instance on
    /// another computer makes it there.
    ///
    /// Fails if the name is taken or not valid, if there is no scope, or with
    /// [`HostedElsewhere`](latchkey_core::ErrorCode::HostedElsewhere).
    pub fn make_api_key(
        &self,
        id: &InstanceId,
        new: &NewApiKey,
        by: &AuditContext,
    ) -> Result<(Instance, Secret)> {
        let instance = self.instances.get(id)?;
        if instance.connection.is_some() {
            let made = self.gateway(&instance)?.make_api_key(new).wait()?;
            return Ok((instance, made.key));
        }
        let (key, secret) = ApiKey::generate(new, by.at)?;
        let instance = self.instances.update(id, by, |instance| {
            require_here(instance)?;
            instance.add_api_key(key)
        })?;
        Ok((instance, secret))
    }

    /// Begins a pairing: makes a code that a client exchanges for its key. The code is shown only
    /// once.
    ///
    /// Fails as [`make_api_key`](Self::make_api_key) does.
    pub fn make_pairing(
        &self,
        id: &InstanceId,
        new: &NewApiKey,
        by: &AuditContext,
    ) -> Result<BegunPairing> {
        let (pairing, code) = Pairing::begin(new, by.at)?;
        let mut replaced = false;
        self.instances.update(id, by, |instance| {
            require_here(instance)?;
            replaced = instance.add_pairing(pairing.clone(), by.at)?;
            Ok(())
        })?;
        Ok(BegunPairing {
            pairing,
            code,
            replaced,
        })
    }

    /// Exchanges a pairing code for its key. If several clients send a code at the same time, one of
    /// them gets the key. If the process ends before the client has the key, the key stays unused,
    /// and the administrator revokes it and makes a new pairing.
    ///
    /// Fails with [`KeyRefused`](latchkey_core::ErrorCode::KeyRefused).
    pub fn exchange_pairing(
        &self,
        id: &InstanceId,
        code: &Secret,
        by: &AuditContext,
    ) -> Result<(ApiKey, Secret)> {
        let mut made = None;
        self.instances.update(id, by, |instance| {
            made = Some(instance.exchange(code.expose(), by.at)?);
            Ok(())
        })?;
        made.ok_or_else(|| Error::internal("a pairing without a key"))
    }

    /// Notes uses of API keys: the ID of each key, and the time in Unix seconds.
    pub fn note_key_uses(&self, id: &InstanceId, uses: &[(String, i64)]) -> Result<()> {
        self.instances.note_key_uses(id, uses)
    }

    /// Revokes an API key by its ID or name, or a pairing by its name.
    ///
    /// Fails with [`UnknownApiKey`](latchkey_core::ErrorCode::UnknownApiKey).
    pub fn revoke_api_key(
        &self,
        id: &InstanceId,
        key: &str,
        by: &AuditContext,
    ) -> Result<Instance> {
        let instance = self.instances.get(id)?;
        if instance.connection.is_some() {
            let gateway = self.gateway(&instance)?;
            let keys = gateway.api_keys().wait()?.api_keys.into_iter();
            let mut named = keys.filter(|known| known.id == key || known.name == key);
            // Without such a key, the gateway says so.
            let id = named
                .next()
                .map_or_else(|| key.to_owned(), |known| known.id);
            gateway.revoke_api_key(&id).wait()?;
            return Ok(instance);
        }
        self.instances
            .update(id, by, |instance| instance.revoke_api_key(key))
    }
}
