//! Settings of an instance.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::keys::{KeySummary, SigningKeyRecord};
use crate::error::Warning;
use crate::instance::{Instance, InstanceId, Settings};

/// An instance with its settings: the answer of `GET /settings` and of `latchkey instance show
/// --json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InstanceRecord {
    /// ID of the instance.
    #[schema(value_type = String)]
    pub id: InstanceId,
    /// Settings of the instance.
    #[serde(flatten)]
    pub settings: Settings,
    /// Warnings about settings that are allowed but probably mistakes.
    pub warnings: Vec<Warning>,
    /// Active signing key, without the secret. Null if the instance has none.
    #[schema(required)]
    pub secret: Option<KeySummary>,
    /// Signing keys that retire at a date, the oldest first.
    #[serde(default)]
    #[schema(required)]
    pub retiring: Vec<SigningKeyRecord>,
}

impl From<&Instance> for InstanceRecord {
    fn from(instance: &Instance) -> Self {
        let settings = instance.settings.clone();
        let key = instance.key.as_ref();
        Self {
            id: instance.id.clone(),
            warnings: settings.warnings(),
            secret: key.map(|key| KeySummary::new(key, settings.algorithm)),
            retiring: instance
                .retiring
                .iter()
                .map(|key| SigningKeyRecord::retiring(key, settings.algorithm))
                .collect(),
            settings,
        }
    }
}
