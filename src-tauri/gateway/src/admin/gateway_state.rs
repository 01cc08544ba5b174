//! State of the gateway.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use latchkey_core::activity::{ActivityQuery, Kind};
use latchkey_core::admin::{GatewayState, RunningGateway};

use super::administration::Administration;
use super::refused::Refused;
use crate::api::answer;
use crate::gateway::Gateway;

/// Number of refusals in the state.
const REFUSALS: usize = 10;

/// Show the state of the gateway
///
/// `gateway` is null if the program that holds the directory runs no gateway, as Studio does while
/// its gateway is closed.
#[utoipa::path(
    get, path = "/gateway", tag = "Gateway",
    responses((status = 200, description = "The state", body = GatewayState)),
)]
pub(super) async fn show(State(admin): State<Arc<Administration>>) -> Result<Response, Refused> {
    let directory = &*admin.directory;
    let refusals = ActivityQuery {
        kind: Some(Kind::Refusal),
        ..ActivityQuery::default()
    };
    let refusals = directory.activity(&refusals, None, REFUSALS).await?;
    let running = match admin.gateway() {
        Some(gateway) => running(&gateway).await,
        None => None,
    };
    let about = admin.about.clone();
    let state = GatewayState {
        instance: about.instance,
        holder: about.holder,
        version: about.version,
        gateway: running,
        administration: admin.listener().cloned(),
        sign_ins_today: admin.sign_ins.today(directory, Timestamp::now()).await?,
        refusals: refusals.entries.into_iter().map(Into::into).collect(),
    };
    Ok(answer(StatusCode::OK, &state)?)
}

async fn running(gateway: &Gateway) -> Option<RunningGateway> {
    let listening = gateway.listening()?;
    Some(RunningGateway {
        url: listening.url(),
        address: listening.address,
        started_at: listening.started_at.as_second(),
        uptime_secs: listening.since.elapsed().as_secs(),
        fingerprint: listening.fingerprint,
        sign_ins: gateway.sign_ins(),
        is_healthy: gateway.is_healthy().await,
    })
}
