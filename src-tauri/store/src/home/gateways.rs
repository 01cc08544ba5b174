//! Instances on a gateway on another computer.

use std::sync::{Arc, PoisonError};

use super::Home;
use crate::remote::{RemoteDirectory, RemoteGateway};
use crate::wait::Wait as _;
use latchkey_core::activity::AuditContext;
use latchkey_core::admin::{
    Connection, ConnectionString, Fingerprint, GatewayState, GatewayUrl, InstanceRecord, Link,
    LinkRequest,
};
use latchkey_core::directory::Directory;
use latchkey_core::inspect::{RefusedCode, Report};
use latchkey_core::instance::{Hosted, Instance, InstanceId, Name, Settings};
use latchkey_core::ledger::GivenAs;
use latchkey_core::link::BaseUrl;
use latchkey_core::secret::Secret;
use latchkey_core::sign_in;
use latchkey_core::verdict::{Refusal, Verdict};
use latchkey_core::{Error, ErrorCode, Result};

/// Beginning of an API key.
const KEY_PREFIX: &str = "lk_";
/// Number of characters of an API key's ID.
const KEY_ID_CHARS: usize = 8;

impl Home {
    /// Connects to a gateway: exchanges the pairing code for an API key, stores the key, and adds
    /// the instance. Without a `name`, it has the name that it has there. If this instance is
    /// connected under that name already, it gets the new key.
    ///
    /// Fails before the code is used up if the key or the name could not be stored.
    pub fn connect(
        &self,
        string: &ConnectionString,
        name: Option<&str>,
        by: &AuditContext,
    ) -> Result<Instance> {
        let name = name.map(Name::parse).transpose()?;
        if let Some(name) = &name {
            self.require_name(name, &string.url, Some(&string.instance))?;
        }
        let key = self.pair(string)?;
        let address = Address {
            url: &string.url,
            pin: string.fingerprint,
            instance: Some(&string.instance),
        };
        self.add_connected(&address, &key, name, by)
    }

    /// Connects to a gateway by its address and an API key. A gateway whose certificate is not of a
    /// public authority needs its fingerprint. Without a `name`, the instance has the name that it
    /// has there. If this instance is connected under that name already, it gets the new key.
    pub fn connect_with_key(
        &self,
        url: &GatewayUrl,
        pin: Option<Fingerprint>,
        key: &Secret,
        name: Option<&str>,
        by: &AuditContext,
    ) -> Result<Instance> {
        let name = name.map(Name::parse).transpose()?;
        if let Some(name) = &name {
            self.require_name(name, url, None)?;
        }
        self.keys.require_open()?;
        let key = typed_key(key)?;
        let address = Address {
            url,
            pin,
            instance: None,
        };
        self.add_connected(&address, &key, name, by)
    }

    /// Connects an instance again, because its API key was revoked or the key of the certificate
    /// was replaced.
    ///
    /// Fails if the connection string names another instance.
    pub fn reconnect(
        &self,
        id: &InstanceId,
        string: &ConnectionString,
        by: &AuditContext,
    ) -> Result<Instance> {
        let instance = self.instances.get(id)?;
        require_same(connection(&instance)?, &string.instance, "connection")?;
        let key = self.pair(string)?;
        let address = Address {
            url: &string.url,
            pin: string.fingerprint,
            instance: Some(&string.instance),
        };
        let new = self.connection(&address, string.instance.clone(), &key)?;
        self.replace_connection(id, new, by)
    }

    /// Connects an instance again by the address of its gateway and an API key.
    ///
    /// Fails if the key is for another instance.
    pub fn reconnect_with_key(
        &self,
        id: &InstanceId,
        url: &GatewayUrl,
        pin: Option<Fingerprint>,
        key: &Secret,
        by: &AuditContext,
    ) -> Result<Instance> {
        let instance = self.instances.get(id)?;
        let known = connection(&instance)?;
        self.keys.require_open()?;
        let key = typed_key(key)?;
        let about = RemoteGateway::new(url, pin, &key, None)?.about().wait()?;
        let there = InstanceId::parse(&about.instance)?;
        require_same(known, &there, "key")?;
        let address = Address {
            url,
            pin,
            instance: None,
        };
        let new = self.connection(&address, there, &key)?;
        self.replace_connection(id, new, by)
    }

    /// Trusts another certificate from now on, whose fingerprint the administrator has compared.
    pub fn trust(
        &self,
        id: &InstanceId,
        fingerprint: Fingerprint,
        by: &AuditContext,
    ) -> Result<Instance> {
        let trusted = self.instances.update(id, by, |instance| {
            connection(instance)?;
            if let Some(connection) = &mut instance.connection {
                connection.fingerprint = Some(fingerprint);
            }
            Ok(())
        });
        self.forget_gateway(id);
        trusted
    }

    /// Returns the fingerprint of the certificate that the gateway of an instance shows now.
    pub fn seen_fingerprint(&self, instance: &Instance) -> Result<Fingerprint> {
        let url = &connection(instance)?.url;
        RemoteGateway::seen_fingerprint(url).wait()
    }

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
        if instance.connection.is_some() {
            return self.gateway(instance)?.make_link(wanted).wait();
        }
        self.holder(instance)?.make_link(wanted, by).wait()
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
        if instance.connection.is_some() {
            return self.gateway(instance)?.grant_request(number, given).wait();
        }
        self.holder(instance)?
            .grant_request(number, given, by)
            .wait()
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

    /// Exchanges a pairing code for an API key.
    fn pair(&self, string: &ConnectionString) -> Result<Secret> {
        self.keys.require_open()?;
        let paired = RemoteGateway::pair(string).wait();
        let paired = paired.map_err(|mut refused| {
            if refused.code == ErrorCode::KeyRefused {
                refused.message = format!(
                    "The gateway {} refuses the pairing code: it is wrong, was used already or is older than 10 minutes. Make a new one on the server.",
                    string.url.authority()
                );
                refused = refused.about("connection");
            }
            refused
        })?;
        if paired.instance != string.instance.as_str() {
            let message = format!(
                "The gateway {} has paired another instance than the connection string names, so its answer cannot be trusted. Revoke the key there.",
                string.url.authority()
            );
            return Err(Error::new(ErrorCode::UnknownInstance, message).about("connection"));
        }
        Ok(paired.key)
    }

    fn add_connected(
        &self,
        address: &Address<'_>,
        key: &Secret,
        name: Option<Name>,
        by: &AuditContext,
    ) -> Result<Instance> {
        let gateway = RemoteGateway::new(address.url, address.pin, key, address.instance)?;
        let about = gateway.about().wait()?;
        let instance = InstanceId::parse(&about.instance)?;
        let (settings, settings_read) = match gateway.settings().wait() {
            Ok(record) => (record.settings, true),
            // The key is for users, links or the activity only.
            Err(refused) if refused.code == ErrorCode::ScopeMissing => {
                let (Some(name), Some(url)) = (&about.name, &about.url) else {
                    return Err(refused.about("key"));
                };
                let name = Name::parse(name)?;
                let settings = Settings::new(name, BaseUrl::parse(url)?, Hosted::Gateway);
                (settings, false)
            }
            Err(refused) => return Err(refused),
        };
        let name = name.unwrap_or_else(|| settings.name.clone());
        let known = self.connected_as(&name, address.url, Some(&instance))?;
        let connection = Connection {
            name: Some(settings.name.clone()),
            settings_read,
            ..self.connection(address, instance, key)?
        };
        if let Some(known) = known {
            return self.replace_connection(&known.id, connection, by);
        }
        self.instances
            .add_connected(settings_here(&settings, name), connection.clone(), by)
            .inspect_err(|_| self.forget_access(&connection))
    }

    /// Stores an API key, and returns the connection that uses it. The settings are not read yet.
    fn connection(
        &self,
        address: &Address<'_>,
        instance: InstanceId,
        key: &Secret,
    ) -> Result<Connection> {
        Ok(Connection {
            url: address.url.clone(),
            instance,
            fingerprint: address.pin,
            key_id: key_id(key),
            key: Some(self.keys.store_secret(key)?),
            name: None,
            settings_read: false,
        })
    }

    /// Returns the instance with a name, if it is connected to the gateway at `url`, and to
    /// `instance` there if that is known.
    fn connected_as(
        &self,
        name: &Name,
        url: &GatewayUrl,
        instance: Option<&InstanceId>,
    ) -> Result<Option<Instance>> {
        let is_there = |one: &Instance| {
            one.settings.name.matches(name.as_str())
                && one.connection.as_ref().is_some_and(|known| {
                    known.url == *url && instance.is_none_or(|there| known.instance == *there)
                })
        };
        Ok(self.instances.list()?.instances.into_iter().find(is_there))
    }

    /// Fails with [`ErrorCode::InstanceExists`] if a name is taken by another instance than the one
    /// at a gateway.
    fn require_name(
        &self,
        name: &Name,
        url: &GatewayUrl,
        instance: Option<&InstanceId>,
    ) -> Result<()> {
        match self.connected_as(name, url, instance)? {
            Some(_) => Ok(()),
            None => self.instances.require_free(name),
        }
    }

    fn replace_connection(
        &self,
        id: &InstanceId,
        new: Connection,
        by: &AuditContext,
    ) -> Result<Instance> {
        let mut old: Option<Connection> = None;
        let replaced = self.instances.update(id, by, |instance| {
            // The settings stay those that were read last, until they are read again.
            let read = instance.connection.as_ref();
            let kept = Connection {
                settings_read: new.settings_read || read.is_some_and(|read| read.settings_read),
                name: new
                    .name
                    .clone()
                    .or_else(|| read.and_then(|read| read.name.clone())),
                ..new.clone()
            };
            old = instance.connection.replace(kept);
            Ok(())
        });
        let orphan = if replaced.is_ok() { &old } else { &Some(new) };
        if let Some(orphan) = orphan {
            self.forget_access(orphan);
        }
        self.forget_gateway(id);
        replaced
    }
}

/// Address of a gateway and of an instance there.
struct Address<'a> {
    url: &'a GatewayUrl,
    pin: Option<Fingerprint>,
    instance: Option<&'a InstanceId>,
}

/// Returns the connection of an instance. Fails with [`ErrorCode::InvalidSetting`] if it is not on
/// a gateway.
fn connection(instance: &Instance) -> Result<&Connection> {
    instance.connection.as_ref().ok_or_else(|| {
        let message = format!(
            "'{}' is not on a gateway on another computer.",
            instance.settings.name.as_str()
        );
        Error::new(ErrorCode::InvalidSetting, message).about("instance")
    })
}

/// Fails with [`ErrorCode::InvalidSetting`] unless a connection leads to the instance that the
/// `field` is for.
fn require_same(connection: &Connection, there: &InstanceId, field: &str) -> Result<()> {
    if connection.instance == *there {
        return Ok(());
    }
    let what = match field {
        "key" => "API key",
        _ => "connection string",
    };
    let message = format!(
        "The {what} is for the instance '{there}', and this one is '{}' at its gateway. Add that one under another name instead.",
        connection.instance
    );
    Err(Error::new(ErrorCode::InvalidSetting, message).about(field))
}

/// Returns the form in which settings that were read at a gateway are stored here. The name is this
/// computer's own, because it tells instances on several gateways apart.
fn settings_here(there: &Settings, name: Name) -> Settings {
    Settings {
        name,
        hosted: Hosted::Gateway,
        ..there.clone()
    }
}

/// Parses an API key that a person has pasted.
fn typed_key(key: &Secret) -> Result<Secret> {
    let text = key.expose().trim();
    if text.starts_with(KEY_PREFIX) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(Secret::new(text.to_owned()));
    }
    let message = "This is not an API key of a gateway: one begins with lk_. Copy all of it.";
    Err(Error::new(ErrorCode::InvalidSetting, message).about("key"))
}

/// Returns the ID of an API key.
fn key_id(key: &Secret) -> String {
    let text = key.expose();
    let text = text.strip_prefix(KEY_PREFIX).unwrap_or(text);
    text.chars().take(KEY_ID_CHARS).collect()
}
