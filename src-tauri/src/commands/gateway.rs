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

use crate::commands::compose::QrPreview;
use crate::events::StudioEvent;
use crate::gateway::Running;
use crate::preferences::{self, Preferences, Tls};
use crate::studio::blocking;
use crate::{Problem, Studio, dialogs};

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
    /// The id of its instance.
    pub instance: String,
    /// Where people reach it.
    pub url: String,
    /// Whether other computers can.
    pub on_network: bool,
    /// SHA-256 of the certificate's public key, where https is spoken.
    pub fingerprint: Option<String>,
    /// A QR code of its address, where a phone can reach it: to try that.
    pub qr: Option<QrPreview>,
    /// How often somebody has signed in since it was started.
    pub sign_ins: u32,
}

/// A gateway that another program runs.
#[derive(Clone, Debug, Serialize, TS)]
pub struct OtherGateway {
    /// The id of its instance.
    pub instance: String,
    /// The program: `latchkey serve (process 4711)`.
    pub program: String,
}

/// What is known of the gateway.
#[derive(Clone, Debug, Serialize, TS)]
pub struct GatewayState {
    /// The one that runs, if one does.
    pub running: Option<RunningGateway>,
    /// Those that other programs run, for instances whose users were asked for.
    pub others: Vec<OtherGateway>,
    /// Where one can listen: this computer alone first, then the likeliest for a phone.
    pub addresses: Vec<ListenAddress>,
}

/// Where a gateway is to listen, and for which instance. The address is in two parts, which an administrator
/// chooses one by one, so that an error can name the wrong one.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct GatewayStart {
    /// The id.
    pub instance: String,
    /// An address of this computer.
    pub ip: String,
    /// 1 to 65535.
    pub port: u16,
    /// How https is spoken.
    pub tls: Tls,
}

impl GatewayStart {
    /// As it was started last.
    pub(crate) fn remembered(instance: String, start: preferences::GatewayStart) -> Self {
        Self {
            instance,
            ip: start.listen.ip().to_string(),
            port: start.listen.port(),
            tls: start.tls,
        }
    }
}

/// One of a certificate's files.
#[derive(Clone, Copy, Debug, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum CertificateFile {
    /// The certificate with its chain.
    Certificate,
    /// Its private key.
    Key,
}

/// What a person has chosen.
#[derive(Clone, Debug, Serialize, TS)]
pub struct ChosenFile {
    /// Where it is; nothing, where none was chosen.
    pub path: Option<String>,
}

/// How it is.
#[tauri::command]
pub async fn gateway(studio: State<'_, Arc<Studio>>, request: ()) -> Result<GatewayState, Problem> {
    let () = request;
    blocking(studio, |studio| {
        // Another Studio may run one.
        studio.home()?;
        state(studio)
    })
    .await
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
        studio.stop_gateway();
        state(studio)
    })
    .await
}

/// Asks for one of a certificate's files.
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
    let directory = studio.directory(&home, &instance)?;
    let listen = SocketAddr::new(ip, request.port);
    // What is wrong with it is found before another one ends for it.
    let certificate = certificate(&home, &instance, listen, &request.tls)?;
    home.signing_key(&instance)?;
    // Only one can be there; elsewhere the old one goes on until the new one is known to work.
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
        directory,
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
        // It runs all the same.
        tracing::warn!(error = %cause.logged(), "how the gateway was started will not be remembered");
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
    let others = studio.taken().into_iter().filter_map(|(instance, holder)| {
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
        instance: running.instance.as_str().to_owned(),
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
