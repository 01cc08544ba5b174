//! Instances on a gateway on another computer.

use std::sync::{Arc, PoisonError};

use super::Home;
use crate::remote::{RemoteDirectory, RemoteGateway};
use crate::wait::Wait as _;
use latchkey_core::activity::AuditContext;
use latchkey_core::admin::{Connection, GatewayState, InstanceRecord, Link, LinkRequest};
use latchkey_core::directory::Directory;
use latchkey_core::error::Warning;
use latchkey_core::inspect::{RefusedCode, Report};
use latchkey_core::instance::{Hosted, Instance, InstanceId, Name, Settings};
use latchkey_core::ledger::{GivenAs, not_entered};
use latchkey_core::protocol::code::CodeFault;
use latchkey_core::sign_in;
use latchkey_core::verdict::{Refusal, Verdict};
use latchkey_core::{Error, ErrorCode, Result};

impl Home {
    /// Returns the gateway of an instance, which is not asked before the first call. Later calls
    /// return the same one.
    ///
    /// Fails with [`ErrorCode::InvalidSetting`] for an instance that is not on a gateway, and with
    /// [`ErrorCode::KeyRefused`] if its API key is lost.
    pub fn gateway(&self, instance: &Instance) -> Result<Arc<RemoteGateway>> {
        let connection = connection(instance)?;
        let mut known = self.gateways.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, gateway)) = known.get(&instance.id)
            && of == connection
        {
            return Ok(Arc::clone(gateway));
        }
        let key = match &connection.key {
            Some(stored) => self.keys.read_secret(stored)?,
            None => None,
        };
        let key = key.ok_or_else(|| {
            let message = format!(
                "The API key for the gateway {} is not kept here any more. Make a new one on the server, and connect again.",
                connection.url.authority()
            );
            Error::new(ErrorCode::KeyRefused, message)
        })?;
        let pin = connection.fingerprint;
        let gateway = RemoteGateway::new(&connection.url, pin, &key, Some(&connection.instance))?;
        let gateway = Arc::new(gateway);
        let entry = (connection.clone(), Arc::clone(&gateway));
        known.insert(instance.id.clone(), entry);
        Ok(gateway)
    }

    /// Returns an instance with its current settings. Those of an instance on a gateway are read
    /// there, and are stored for the time when the gateway cannot be reached.
    pub fn refresh(
        &self,
        id: &InstanceId,
        by: &AuditContext,
    ) -> Result<(Instance, InstanceRecord)> {
        let instance = self.instances.get(id)?;
        if instance.settings.hosted != Hosted::Gateway {
            let record = InstanceRecord::from(&instance);
            return Ok((instance, record));
        }
        let record = self.gateway(&instance)?.settings().wait()?;
        self.stored(instance, record, by)
    }

    /// Stores settings that were read at a gateway. Returns the record with the ID and the name
    /// that the instance has here.
    pub(super) fn stored(
        &self,
        instance: Instance,
        record: InstanceRecord,
        by: &AuditContext,
    ) -> Result<(Instance, InstanceRecord)> {
        let settings = settings_here(&record.settings, instance.settings.name.clone());
        let connection = instance.connection.clone().map(|connection| Connection {
            name: Some(record.settings.name.clone()),
            settings_read: true,
            ..connection
        });
        let instance = if instance.settings == settings && instance.connection == connection {
            instance
        } else {
            self.instances.update(&instance.id, by, |instance| {
                instance.settings = settings;
                instance.connection = connection;
                Ok(())
            })?
        };
        let record = InstanceRecord {
            id: instance.id.clone(),
            settings: instance.settings.clone(),
            ..record
        };
        Ok((instance, record))
    }

    /// Returns the state of the gateway of an instance. Fails soon if it does not answer.
    pub fn gateway_state(&self, instance: &Instance) -> Result<GatewayState> {
        self.gateway(instance)?.state().wait()
    }

    /// Has the gateway of an instance make and record a login link. For an instance that is hosted
    /// here, this is the process that holds its directory.
    pub fn sign_link(
        &self,
        instance: &Instance,
        wanted: &LinkRequest,
        by: &AuditContext,
    ) -> Result<Link> {
        let made = if instance.connection.is_some() {
            self.gateway(instance)?.make_link(wanted).wait()
        } else {
            self.holder(instance)?.make_link(wanted, by).wait()
        };
        made.map_err(said_where_it_is)
    }

    /// Returns the process that holds the directory of an instance that is hosted here.
    fn holder(&self, instance: &Instance) -> Result<RemoteDirectory> {
        let folder = self.instances.folder(&instance.id);
        RemoteDirectory::local(&folder).wait()
    }

    /// Has the gateway of an instance sign a link of its ledger again and record that. For an
    /// instance that is hosted here, this is the process that holds its directory.
    ///
    /// Fails with [`NotCopyable`](latchkey_core::ErrorCode::NotCopyable) for a link that does not
    /// work any more or cannot be signed again.
    pub fn copy_link_there(
        &self,
        instance: &Instance,
        id: &str,
        given: GivenAs,
        by: &AuditContext,
    ) -> Result<Link> {
        if instance.connection.is_some() {
            return self.gateway(instance)?.copy_link(id, given).wait();
        }
        self.holder(instance)?.copy_link(id, given, by).wait()
    }

    /// Has the gateway of an instance make the link that a person has asked for and record that. For
    /// an instance that is hosted here, this is the process that holds its directory.
    ///
    /// Fails with [`UnknownRequest`](latchkey_core::ErrorCode::UnknownRequest).
    pub fn grant_request_there(
        &self,
        instance: &Instance,
        number: u64,
        given: GivenAs,
        by: &AuditContext,
    ) -> Result<Link> {
        let made = if instance.connection.is_some() {
            self.gateway(instance)?.grant_request(number, given).wait()
        } else {
            let holder = self.holder(instance)?;
            holder.grant_request(number, given, by).wait()
        };
        made.map_err(said_where_it_is)
    }

    /// Has the gateway of an instance verify a code and redeem it, without a session. Returns the
    /// reason if the code by itself is refused. The gateway records each refusal.
    pub fn redeem_there(
        &self,
        instance: &Instance,
        code: &str,
    ) -> Result<std::result::Result<Verdict, RefusedCode>> {
        self.gateway(instance)?.redeem(code).wait()
    }

    /// Redeems a code without a session, by the key of the instance or at its gateway on another
    /// computer. `directory` is the directory of an instance that is hosted here.
    pub fn redeem(
        &self,
        instance: &Instance,
        directory: &dyn Directory,
        code: &str,
        by: &AuditContext,
    ) -> Result<Verdict> {
        let settings = &instance.settings;
        if instance.connection.is_some() {
            return match self.redeem_there(instance, code)? {
                Ok(verdict) => Ok(verdict),
                Err(refused) => {
                    let refused = refused.shown(code, settings.code_rules(), by.at)?;
                    Ok(Verdict::Refused(Refusal::Code(refused)))
                }
            };
        }
        let keys = self.key_set(instance, by.at)?;
        sign_in::redeem(code, settings, &keys.usable(by.at), directory, by).wait()
    }

    /// Has the gateway of an instance inspect a text with a code.
    pub fn inspect_there(&self, instance: &Instance, text: &str) -> Result<Report> {
        self.gateway(instance)?.inspect(text).wait()
    }

    /// Returns the warning about a new link that the gateway of an instance would refuse now, such as
    /// one for a user whom it does not know. A start time in the future is not a refusal. There is none
    /// if the gateway cannot be asked any more, because the link is in its ledger and must be given out.
    #[must_use]
    pub fn refusal_there(&self, instance: &Instance, code: &str) -> Option<Warning> {
        let outcome = self.inspect_there(instance, code).ok()?.dry_run?;
        let starts_later = CodeFault::NotYetValid.code();
        let is_well = ["signed_in", "provisioned", starts_later].contains(&&*outcome.verdict);
        (!is_well).then_some(Warning {
            code: outcome.verdict,
            message: outcome.message,
        })
    }

    /// Deletes the API key of a connected instance. An error is only logged, because the key can
    /// still be revoked at the gateway.
    pub(super) fn forget_access(&self, connection: &Connection) {
        let Some(stored) = &connection.key else {
            return;
        };
        if let Err(refused) = self.keys.forget_secret(stored) {
            tracing::warn!(error = %refused.logged(), "the API key for a gateway was not removed");
        }
    }

    pub(super) fn forget_gateway(&self, id: &InstanceId) {
        self.gateways
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(id);
    }
}

/// Says in an error that leaves open whether a link was made where it can be found.
fn said_where_it_is(error: Error) -> Error {
    if error.is_in_doubt() {
        not_entered(error)
    } else {
        error
    }
}

/// Returns the connection of an instance. Fails with [`ErrorCode::InvalidSetting`] if it is not on
/// a gateway.
pub(super) fn connection(instance: &Instance) -> Result<&Connection> {
    instance.connection.as_ref().ok_or_else(|| {
        let message = format!(
            "'{}' is not on a gateway on another computer.",
            instance.settings.name.as_str()
        );
        Error::new(ErrorCode::InvalidSetting, message).about("instance")
    })
}

/// Returns the form in which settings that were read at a gateway are stored here. The name is this
/// computer's own, because it tells instances on several gateways apart.
pub(super) fn settings_here(there: &Settings, name: Name) -> Settings {
    Settings {
        name,
        hosted: Hosted::Gateway,
        ..there.clone()
    }
}
