//! Connecting instances to gateways on other computers.

use latchkey_core::activity::AuditContext;
use latchkey_core::admin::{Connection, ConnectionString, Fingerprint, GatewayUrl};
use latchkey_core::instance::{Hosted, Instance, InstanceId, Name, Settings};
use latchkey_core::link::BaseUrl;
use latchkey_core::secret::Secret;
use latchkey_core::{Error, ErrorCode, Result};

use super::Home;
use super::gateways::{connection, settings_here};
use crate::remote::RemoteGateway;
use crate::wait::Wait as _;

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

    /// Exchanges a pairing code for an API key.
    fn pair(&self, string: &ConnectionString) -> Result<Secret> {
        self.keys.require_open()?;
        let paired = RemoteGateway::pair(string).wait();
        let paired = paired.map_err(|mut refused| {
            if refused.code == ErrorCode::KeyRefused {
                refused.message = format!(
                    "The gateway {} refuses the pairing code: it is wrong, was used already, is older than 10 minutes or was replaced by a newer one. Make a new one on the server.",
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
