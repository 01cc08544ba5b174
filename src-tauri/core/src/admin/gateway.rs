//! State of the gateway.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::EntryRecord;
use crate::time;

/// State of the program that holds the directory, and of its gateway.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct GatewayState {
    /// ID of the instance.
    pub instance: String,
    /// Name of the program that holds the directory, such as `latchkey serve`.
    pub holder: String,
    /// Version of the program.
    pub version: String,
    /// The running gateway. Null if the program runs none, as Studio does while its gateway is
    /// closed.
    #[schema(required)]
    pub gateway: Option<RunningGateway>,
    /// Address of the administration API on the network. Null if it is served only locally.
    #[schema(required)]
    pub administration: Option<AdminListener>,
    /// Number of sign-ins since midnight, in UTC.
    pub sign_ins_today: u64,
    /// Latest refusals of codes and API keys, newest first. At most ten.
    pub refusals: Vec<EntryRecord>,
}

/// A running gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RunningGateway {
    /// URL of the gateway, with the address on which it listens.
    #[schema(example = "https://192.0.2.1:8443")]
    pub url: String,
    /// Address on which it listens.
    #[schema(value_type = String, example = "192.0.2.1:8443")]
    pub address: SocketAddr,
    /// SHA-256 of the certificate's public key. Null without TLS.
    #[schema(required)]
    pub fingerprint: Option<String>,
    /// Time when it was started.
    #[serde(with = "time::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub started_at: i64,
    /// Seconds since it was started.
    pub uptime_secs: u64,
    /// Number of sign-ins since it was started.
    pub sign_ins: u32,
    /// Whether links can be opened, as far as the gateway knows.
    pub is_healthy: bool,
}

/// Listener of the administration API on the network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AdminListener {
    /// Address on which it listens.
    #[schema(value_type = String, example = "192.0.2.1:8444")]
    pub address: SocketAddr,
    /// SHA-256 of the certificate's public key.
    pub fingerprint: String,
    /// Whether clients recognise the certificate by its fingerprint, because no public authority
    /// vouches for it.
    pub is_pinned: bool,
}
