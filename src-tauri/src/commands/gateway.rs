//! The gateway that Studio runs.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use latchkey_core::instance::InstanceId;
use latchkey_core::{Error, ErrorCode, Result};
use latchkey_gateway::interfaces;
use serde::{Deserialize, Serialize};
use tauri::State;
use ts_rs::TS;

use crate::gateway::Running;
use crate::studio::blocking;
use crate::{Problem, Studio};

/// An address of this computer to listen on.
#[derive(Clone, Debug, Serialize, TS)]
pub struct ListenAddress {
    /// The address.
    pub ip: String,
    /// What it belongs to: `eth0`; nothing for this computer's own.
    pub interface: Option<String>,
}

/// A gateway that answers visitors.
#[derive(Clone, Debug, Serialize, TS)]
pub struct RunningGateway {
    /// Whose it is, by id.
    pub instance: String,
    /// Where people reach it.
    pub url: String,
    /// Whether other computers can.
    pub on_network: bool,
    /// How often somebody has signed in since it was started.
    pub sign_ins: u32,
}

/// What is known of the gateway.
#[derive(Clone, Debug, Serialize, TS)]
pub struct GatewayState {
    /// The one that runs, if one does.
    pub running: Option<RunningGateway>,
    /// Where one can listen: this computer alone first, then the likeliest for a phone.
    pub addresses: Vec<ListenAddress>,
}

/// Where a gateway is to listen, and for which instance.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct GatewayStart {
    /// The id.
    pub instance: String,
    /// An address of this computer.
    pub ip: String,
    /// 1 to 65535.
    pub port: u16,
}

/// How it is.
#[tauri::command]
pub async fn gateway(studio: State<'_, Arc<Studio>>, request: ()) -> Result<GatewayState, Problem> {
    let () = request;
    blocking(studio, state).await
}

/// Starts one; another that runs is ended first.
#[tauri::command]
pub async fn gateway_start(
    studio: State<'_, Arc<Studio>>,
    request: GatewayStart,
) -> Result<GatewayState, Problem> {
    blocking(studio, move |studio| start(studio, &request)).await
}

/// Ends the one that runs.
#[tauri::command]
pub async fn gateway_stop(
    studio: State<'_, Arc<Studio>>,
    request: (),
) -> Result<GatewayState, Problem> {
    let () = request;
    blocking(studio, |studio| {
        stop(studio);
        state(studio)
    })
    .await
}

fn start(studio: &Studio, request: &GatewayStart) -> Result<GatewayState> {
    let home = studio.home()?;
    let instance = home
        .instances()
        .get(&InstanceId::parse(&request.instance)?)?;
    let ip: IpAddr = request.ip.parse().map_err(|_| {
        let message = "This is not an address of this computer.";
        Error::new(ErrorCode::AddressInUse, message).about("listen")
    })?;
    let directory = studio.directory(&home, &instance)?;
    let listen = SocketAddr::new(ip, request.port);
    // Only one can be there; elsewhere the old one goes on until the new one is known to work.
    let is_there = studio
        .running()
        .as_ref()
        .is_some_and(|old| old.address == listen);
    if is_there {
        stop(studio);
    }
    let running = Running::begin(home, &instance, directory, listen)?;
    let replaced = studio.running().replace(running);
    if let Some(replaced) = replaced {
        replaced.end();
    }
    state(studio)
}

fn stop(studio: &Studio) {
    let running = studio.running().take();
    if let Some(running) = running {
        running.end();
    }
}

fn state(studio: &Studio) -> Result<GatewayState> {
    let running = studio.running().as_ref().map(described).transpose()?;
    let mut addresses = vec![ListenAddress {
        ip: Ipv4Addr::LOCALHOST.to_string(),
        interface: None,
    }];
    addresses.extend(interfaces().into_iter().map(|interface| ListenAddress {
        ip: interface.ip.to_string(),
        interface: Some(interface.name),
    }));
    Ok(GatewayState { running, addresses })
}

fn described(running: &Running) -> Result<RunningGateway> {
    Ok(RunningGateway {
        instance: running.instance.as_str().to_owned(),
        url: running.url()?.as_str().to_owned(),
        on_network: !running.address.ip().is_loopback(),
        sign_ins: running.sign_ins(),
    })
}
