//! The gateway that Studio runs.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use latchkey_core::instance::{Instance, InstanceId};
use latchkey_core::link::qr::Qr;
use latchkey_core::{Error, ErrorCode, Result};
use latchkey_gateway::{Certificate, interfaces};
use latchkey_store::home::{Home, is_gateway};
use serde::{Deserialize, Serialize};
use tauri::{AppHandle, Runtime, State};
use ts_rs::TS;

use crate::commands::preview::QrPreview;
use crate::events::StudioEvent;
use crate::gateway::Running;
use crate::preferences::{self, Preferences, Tls};
use crate::studio::blocking;
use crate::{Problem, Studio, dialogs};

/// An address of this computer on which a gateway can listen.
#[derive(Clone, Debug, Serialize, TS)]
pub struct ListenAddress {
    /// IP address.
    pub ip: String,
    /// Name of the network interface, such as `eth0`. Null for the loopback address.
    pub interface: Option<String>,
}

/// A running gateway.
#[derive(Clone, Debug, Serialize, TS)]
pub struct RunningGateway {
    /// ID of its instance.
    pub instance: String,
    /// URL of the gateway.
    pub url: String,
    /// Whether other computers can reach it.
    pub on_network: bool,
    /// SHA-256 of the certificate's public key. Null without https.
    pub fingerprint: Option<String>,
    /// QR code of the gateway's URL. Null if a phone cannot reach it.
    pub qr: Option<QrPreview>,
    /// Number of sign-ins since the gateway was started.
    pub sign_ins: u32,
}

/// A gateway that another program runs.
#[derive(Clone, Debug, Serialize, TS)]
pub struct OtherGateway {
    /// ID of its instance.
    pub instance: String,
    /// Name of the program, such as `latchkey serve (process 4711)`.
    pub program: String,
}

/// Known gateways, and addresses for a new one.
#[derive(Clone, Debug, Serialize, TS)]
pub struct GatewayState {
    /// The gateway that Studio runs.
    pub running: Option<RunningGateway>,
    /// Gateways of other programs, for the instances whose users were requested.
    pub others: Vec<OtherGateway>,
    /// Addresses on which a gateway can listen: first the loopback address, then those that a phone
    /// most likely reaches.
    pub addresses: Vec<ListenAddress>,
}

/// Request to start a gateway. IP address and port are separate, because an administrator sets them
/// separately and an error can name the wrong one.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct GatewayStart {
    /// ID of the instance.
    pub instance: String,
    /// IP address of this computer.
    pub ip: String,
    /// Port, from 1 to 65535.
    pub port: u16,
    /// Use of https.
    pub tls: Tls,
}

impl GatewayStart {
    /// Returns the options with which a gateway was last started.
    pub(crate) fn remembered(instance: String, start: preferences::GatewayStart) -> Self {
        Self {
            instance,
            ip: start.listen.ip().to_string(),
            port: start.listen.port(),
            tls: start.tls,
        }
    }
}

/// A file of a certificate.
#[derive(Clone, Copy, Debug, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum CertificateFile {
    /// Certificate with its chain.
    Certificate,
    /// Private key of the certificate.
    Key,
}

/// A file that the user has chosen.
#[derive(Clone, Debug, Serialize, TS)]
pub struct ChosenFile {
    /// Path of the file. Null if the user cancelled.
    pub path: Option<String>,
}

/// Returns the state of the gateway.
#[tauri::command]
pub async fn gateway(studio: State<'_, Arc<Studio>>, request: ()) -> Result<GatewayState, Problem> {
    let () = request;
    blocking(studio, |studio| {
        // Opens the data folder first, because another Studio may run a gateway.
        studio.home()?;
        state(studio)
    })
    .await
}

/// Starts a gateway. If another one runs, ends it first.
#[tauri::command]
pub async fn gateway_start(
    studio: State<'_, Arc<Studio>>,
    request: GatewayStart,
) -> Result<GatewayState, Problem> {
    blocking(studio, move |studio| start(studio, &request)).await
}

/// Ends the running gateway.
#[tauri::command]
pub async fn gateway_stop(
    studio: State<'_, Arc<Studio>>,
    request: (),
) -> Result<GatewayState, Problem> {
    let () = request;
    blocking(studio, |studio| {
        studio.stop_gateway();
        state(studio)
    })
    .await
}

/// Asks for a file of a certificate.
#[tauri::command]
pub async fn gateway_file_choose<R: Runtime>(
    app: AppHandle<R>,
    request: CertificateFile,
) -> Result<ChosenFile, Problem> {
    let title = match request {
        CertificateFile::Certificate => "Choose the certificate",
        CertificateFile::Key => "Choose its private key",
    };
    let path = dialogs::open(&app, title).await.map(|path| {
        path.into_os_string().into_string().map_err(|_| {
            let message =
                "The name of this file is not in Unicode. Rename it, then choose it again.";
            Error::new(ErrorCode::InvalidSetting, message).about("tls")
        })
    });
    let path = path.transpose()?;
    Ok(ChosenFile { path })
}

fn start(studio: &Studio, request: &GatewayStart) -> Result<GatewayState> {
    let home = studio.home()?;
    let instance = home
        .instances()
        .get(&InstanceId::parse(&request.instance)?)?;
    let ip: IpAddr = request.ip.parse().map_err(|_| {
        let message = "This is not an address of this computer.";
        Error::new(ErrorCode::InvalidSetting, message).about("listen")
    })?;
    let open = studio.open_directory(&home, &instance)?;
    let open = open.require_held(&home, &instance)?;
    let listen = SocketAddr::new(ip, request.port);
    // Errors are found before the running gateway is ended.
    let certificate = certificate(&home, &instance, listen, &request.tls)?;
    home.signing_key(&instance)?;
    // At the same address, the running gateway must end first. Otherwise it runs until the new one
    // is started.
    let is_there = studio
        .running()
        .as_ref()
        .is_some_and(|old| old.address == listen);
    if is_there {
        studio.stop_gateway();
    }
    let events = Arc::clone(studio.events());
    let running = Running::begin(
        Arc::clone(&home),
        &instance,
        open,
        listen,
        certificate,
        move || events.publish(StudioEvent::Gateway),
    )?;
    let started = preferences::GatewayStart {
        listen,
        tls: request.tls.clone(),
    };
    let replaced = studio.running().replace(running);
    if let Some(replaced) = replaced {
        replaced.end();
    }
    let remembered = Preferences::change(home.data_dir(), |preferences| {
        preferences
            .gateways
            .insert(request.instance.clone(), started);
    });
    if let Err(cause) = remembered {
        // The gateway runs even if this cannot be stored.
        tracing::warn!(error = %cause.logged(), "the options of the gateway were not stored");
    }
    state(studio)
}

fn certificate(
    home: &Home,
    instance: &Instance,
    listen: SocketAddr,
    tls: &Tls,
) -> Result<Option<Certificate>> {
    match tls {
        Tls::Off => Ok(None),
        Tls::SelfSigned => {
            let folder = home.instances().folder(&instance.id);
            Certificate::self_signed(&folder, &instance.settings.url, listen).map(Some)
        }
        Tls::Files { certificate, key } => {
            let (certificate, key) = (certificate.trim(), key.trim());
            Certificate::from_files(certificate.as_ref(), key.as_ref()).map(Some)
        }
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
    let others = studio
        .held_elsewhere()
        .into_iter()
        .filter_map(|(instance, holder)| {
            Some(OtherGateway {
                instance: instance.as_str().to_owned(),
                program: holder.filter(|holder| is_gateway(holder))?,
            })
        });
    let others = others.collect();
    Ok(GatewayState {
        running,
        others,
        addresses,
    })
}

fn described(running: &Running) -> Result<RunningGateway> {
    let (url, on_network) = (running.url()?, !running.address.ip().is_loopback());
    Ok(RunningGateway {
        instance: running.open.instance.as_str().to_owned(),
        qr: on_network
            .then(|| Qr::for_url(url.as_str()))
            .transpose()?
            .as_ref()
            .map(Into::into),
        url: url.as_str().to_owned(),
        on_network,
        fingerprint: running.fingerprint.clone(),
        sign_ins: running.sign_ins(),
    })
}
