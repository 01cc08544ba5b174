//! The command `latchkey serve`.

use latchkey_store::Wait as _;
use std::io;
use std::num::NonZeroU32;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use jiff::Timestamp;
use latchkey_core::activity::Actor;
use latchkey_core::directory::{self, Directory};
use latchkey_core::instance::{Hosted, Instance};
use latchkey_core::{Error, ErrorCode};
use latchkey_gateway::{
    Certificate, ClientLimits, Gateway, Handle, InstanceSnapshot, Listener, metrics_router, run,
    serve as listen, serve_locally,
};
use latchkey_store::home::{GATEWAY_HOLDER, Home, require_here};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::args::ServeArguments;
use crate::context::Context;
use crate::failure::Failure;
use crate::keys::{self, Environment};
use crate::output::Output;
use crate::users::once_free;
use crate::{hints, input};

pub(crate) fn serve(
    arguments: &ServeArguments,
    context: &Context,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let home = context.home()?;
    let instance = instance(&home, arguments.instance.as_deref())?;
    require_here(&instance)?;
    let environment = Environment::beside(&instance);
    let given = keys::given(&arguments.secret, environment, context)?;
    let given = given.map(|given| given.key()).transpose()?;
    if let Some(key) = &given {
        key.require_strength(&instance.settings.url)?;
    }
    if given.is_none() {
        keys::unlock(&home, context)?;
        if environment == Environment::IsIgnored && keys::in_environment() {
            output.warn(&format!(
                "The secret in the environment is not used, because '{}' has a secret of its own.",
                instance.settings.name.as_str()
            ));
        }
    }
    // Reads the key now, so that an error shows at the start and not at the first visit.
    let key = given
        .clone()
        .map_or_else(|| home.signing_key(&instance), Ok)?;
    let short_key = key.short_for(instance.settings.algorithm);
    let certificate = certificate(arguments, &home, &instance, context, output)?;
    let listener = Listener::bind(arguments.listen)?;
    let address = listener.address()?;
    let scheme = if certificate.is_some() {
        "https"
    } else {
        "http"
    };
    if !address.ip().is_loopback() {
        let readable = if certificate.is_some() {
            ""
        } else {
            " Without TLS, codes and cookies can be read on the way."
        };
        output.warn(&format!(
            "The gateway listens on {address}. Everybody on that network can reach it.{readable}"
        ));
    }
    if scheme == "http" && instance.settings.url.is_https() {
        output.note(&format!(
            "Links lead to {}. A proxy there must speak https and forward requests to this gateway.",
            instance.settings.url
        ));
    }
    let directory = hold(&home, &instance)?;
    let administered = Arc::clone(&directory);
    let (shared, recorded) = (Arc::clone(&directory), Arc::clone(&directory));
    let home = Arc::new(home);
    let (id, others, own) = (instance.id.clone(), Arc::clone(&home), instance.id.clone());
    let local = Arc::clone(&home);
    let limits = ClientLimits {
        trusted_proxies: arguments.trusted_proxy.clone(),
        links_per_second: NonZeroU32::new(arguments.visits_per_second),
        api_requests_per_second: NonZeroU32::new(arguments.api_requests_per_second),
    };
    let gateway = Gateway::new(instance.id.clone(), directory, limits, move || {
        InstanceSnapshot::of(&home, &id, given.as_ref(), &*shared)
    })
    .with_others(move || others.other_instances(Some(&own)));
    let notices = directory::notices(&*recorded, Timestamp::now()).wait()?;
    for notice in short_key.into_iter().chain(notices) {
        let hint = hints::about(&notice, instance.id.as_str(), output.program());
        tracing::warn!(code = %notice.code, hint, "{}", notice.message);
    }
    let metrics = arguments.metrics.map(Listener::bind).transpose();
    let metrics = metrics.map_err(|refused| refused.about("metrics"))?;
    let name = instance.settings.name.as_str();
    let runtime = Runtime::new().map_err(no_threads)?;
    runtime.block_on(async {
        let handle = Handle::default();
        let signals = Signals::new().map_err(no_signals)?;
        tokio::spawn(signals.end(handle.clone()));
        let socket = serve_locally(local, &instance.id, GATEWAY_HOLDER, administered, None);
        // Without the socket, people can still sign in.
        let socket = socket
            .inspect_err(|cause| tracing::warn!(error = %cause.logged(), "other programs cannot administer the users while this one runs"))
            .ok();
        // The signal handlers are set up before this line is printed, because its reader may send
        // signals.
        announce(
            &format!("{scheme}://{address}"),
            output,
            name,
            || json!({ "instance": instance.id, "address": address.to_string(), "scheme": scheme }),
        );
        let gateway = Arc::new(gateway);
        if let Some(metrics) = metrics {
            let router = metrics_router(Arc::clone(&gateway));
            tokio::spawn(listen(router, metrics, None, handle.clone()));
        }
        let ended = run(gateway, listener, certificate, handle, Actor::CommandLine).await;
        if let Some(socket) = socket {
            socket.end().await;
        }
        ended?;
        Ok(ExitCode::SUCCESS)
    })
}

/// Prints the address of the gateway. If standard output cannot be written, the address is in the
/// log, and the gateway still runs.
fn announce(url: &str, output: &Output, name: &str, json: impl FnOnce() -> Value) {
    let open = format!("{name} is open at {url}");
    if let Err(Failure::Unwritten(refused)) = output.line(open.as_str(), json) {
        tracing::warn!("{open}. {}", refused.message);
    }
}

/// Opens the directory of an instance for its gateway. Studio closes it for that, unless it runs
/// the gateway itself.
fn hold(home: &Home, instance: &Instance) -> Result<Arc<dyn Directory>, Failure> {
    once_free(|| {
        let opened = home.directory_to_serve(instance, GATEWAY_HOLDER);
        let is_held = |refused: &Error| refused.code == ErrorCode::DirectoryHeld;
        if opened.as_ref().is_err_and(is_held) {
            // If the other program agrees, the next attempt succeeds. If it does not, this error
            // names it.
            let _ = home.ask_to_give_way(instance);
        }
        opened
    })
}

/// Returns the certificate that the options ask for. Prints the fingerprint of a self-signed one.
fn certificate(
    arguments: &ServeArguments,
    home: &Home,
    instance: &Instance,
    context: &Context,
    output: &Output,
) -> Result<Option<Certificate>, Failure> {
    Ok(match (&arguments.tls_cert, &arguments.tls_key) {
        (Some(certificate), Some(key)) => Some(certificate_in(certificate, key, context)?),
        _ if arguments.tls_self_signed => {
            let folder = home.instances().folder(&instance.id);
            let url = &instance.settings.url;
            let certificate = Certificate::self_signed(&folder, url, arguments.listen)?;
            let fingerprint = certificate.fingerprint();
            output.note(&format!(
                "The SHA-256 fingerprint of the certificate's public key: {fingerprint}"
            ));
            Some(certificate)
        }
        _ => None,
    })
}

/// Reads a certificate and its key. An error names both files.
fn certificate_in(
    certificate: &Path,
    key: &Path,
    context: &Context,
) -> Result<Certificate, Failure> {
    let pem = context
        .read(certificate, input::CERTIFICATE)
        .map_err(|failure| failure.about("tls-cert"))?;
    let key_pem = context
        .read(key, input::CERTIFICATE)
        .map_err(|failure| failure.about("tls-key"))?;
    Certificate::from_pem(&pem, &key_pem).map_err(|mut refused| {
        refused.message = format!(
            "{} The certificate is {}, its key is {}.",
            refused.message,
            certificate.display(),
            key.display()
        );
        refused.into()
    })
}

/// Returns the instance to serve. Fails unless it is hosted here.
fn instance(home: &Home, name: Option<&str>) -> Result<Instance, Failure> {
    if let Some(name) = name {
        return Ok(home.instances().find(name)?);
    }
    let all = home.instances().list()?.instances.into_iter();
    let mut here: Vec<Instance> = all
        .filter(|instance| instance.settings.hosted == Hosted::Here)
        .collect();
    let names: Vec<String> = here
        .iter()
        .map(|one| format!("'{}'", one.settings.name.as_str()))
        .collect();
    match (here.pop(), here.len()) {
        (Some(only), 0) => Ok(only),
        (Some(_), _) => Err(Failure::usage(format!(
            "Several instances are hosted here: {}. Name one with --instance.",
            names.join(", ")
        ))
        .about("instance")),
        (None, _) => Err(Failure::usage(
            "No instance is hosted here yet. Add one: latchkey instance add NAME --url URL.",
        )
        .about("instance")),
    }
}

/// Signals that the gateway handles: SIGTERM and SIGINT end it, SIGHUP is ignored.
#[cfg(unix)]
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

#[cfg(unix)]
impl Signals {
    /// Installs the signal handlers.
    fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    async fn end(mut self, handle: Handle) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => break,
                _ = self.interrupt.recv() => break,
                _ = self.hang_up.recv() => {
                    tracing::info!("SIGHUP is ignored, because changed settings are read by themselves");
                }
            }
        }
        handle.shut_down();
    }
}

/// Interrupt of the terminal, which ends the gateway.
#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn end(self, handle: Handle) {
        if tokio::signal::ctrl_c().await.is_ok() {
            handle.shut_down();
        }
    }
}

fn no_signals(cause: io::Error) -> Error {
    let message = "The operating system does not let this program handle signals.";
    Error::new(ErrorCode::Internal, message).because(cause)
}

fn no_threads(cause: io::Error) -> Error {
    let message = "The operating system does not let this program start threads.";
    Error::new(ErrorCode::Internal, message).because(cause)
}
