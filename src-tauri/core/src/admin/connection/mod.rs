//! The connection of this computer to a gateway on another: the connection string that a person
//! pastes, and the part of it that stays stored.

mod connection_string;
mod fingerprint;
mod gateway_url;

use serde::{Deserialize, Serialize};

pub use connection_string::ConnectionString;
pub use fingerprint::Fingerprint;
pub use gateway_url::GatewayUrl;

use crate::instance::{InstanceId, Name};
use crate::secret::StoredSecret;

/// Stored connection to a gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// Address of the gateway's administration.
    pub url: GatewayUrl,
    /// ID of the instance at the gateway.
    pub instance: InstanceId,
    /// Fingerprint of its certificate. `None` if a public authority vouches for the certificate.
    pub fingerprint: Option<Fingerprint>,
    /// ID of the API key, by which it can be revoked at the gateway.
    pub key_id: String,
    /// Location of the API key. `None` after the sealed file was lost.
    pub key: Option<StoredSecret>,
    /// Name of the instance at the gateway. `None` until it is read there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// Whether the settings of the instance were read at the gateway. Without that, only its name and
    /// its URL are known, and the other settings on this computer are defaults.
    #[serde(default = "is_read_by_default")]
    pub settings_read: bool,
}

/// Returns the value for records without the member. Nearly all of them have settings that were read.
const fn is_read_by_default() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_connection_is_read_as_it_was_written() {
        let connection = Connection {
            url: GatewayUrl::parse("https://gateway.example:8443").unwrap(),
            instance: InstanceId::parse("acme").unwrap(),
            fingerprint: Some(Fingerprint::of(b"a public key")),
            key_id: "BvoFLKnf".into(),
            key: None,
            name: Some(Name::parse("Acme").unwrap()),
            settings_read: false,
        };
        let stored = serde_json::to_string(&connection).unwrap();
        let read: Connection = serde_json::from_str(&stored).unwrap();
        assert_eq!(read, connection);
        let older = stored.replace(r#","name":"Acme","settings_read":false"#, "");
        let read: Connection = serde_json::from_str(&older).unwrap();
        assert_eq!((read.name, read.settings_read), (None, true));
        let plain = stored.replace("https:", "http:");
        assert!(serde_json::from_str::<Connection>(&plain).is_err());
    }
}
