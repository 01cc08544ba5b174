//! Exchange of a pairing code for an API key.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::instance::scope::Scope;
use crate::secret::{Secret, exposed};
use crate::time;

/// Request to exchange a pairing code for an API key.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PairingRequest {
    /// Pairing code.
    #[serde(serialize_with = "exposed::serialize")]
    #[schema(value_type = String)]
    pub code: Secret,
    /// ID of the instance that the client expects. If it is another one, the code is not used up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
}

/// The API key for a pairing code. It is sent once.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Paired {
    /// The key.
    #[serde(serialize_with = "exposed::serialize")]
    #[schema(value_type = String)]
    pub key: Secret,
    /// Name of the key.
    pub name: String,
    /// Scopes of the key.
    pub scopes: Vec<Scope>,
    /// Time at which the key expires. Null if it never does.
    #[serde(with = "time::rfc3339_if_any")]
    #[schema(required, value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<i64>,
    /// ID of the instance.
    pub instance: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wire_has_the_secrets_that_debug_output_hides() {
        let paired = Paired {
            key: Secret::new("lk_0123".into()),
            name: "laptop".into(),
            scopes: vec![Scope::Admin],
            expires_at: Some(0),
            instance: "acme".into(),
        };
        let sent = serde_json::to_value(&paired).unwrap();
        assert_eq!(sent["key"], "lk_0123");
        assert_eq!(sent["expires_at"], "1970-01-01T00:00:00Z");
        assert!(!format!("{paired:?}").contains("lk_"));
        let code = Secret::new("AAAAA-BBBBB".into());
        let sent = serde_json::to_string(&PairingRequest {
            code,
            instance: Some("acme".into()),
        })
        .unwrap();
        let read: PairingRequest = serde_json::from_str(&sent).unwrap();
        assert_eq!(read.code.expose(), "AAAAA-BBBBB");
        assert!(!format!("{read:?}").contains("AAAAA"));
    }
}
