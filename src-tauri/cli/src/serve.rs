//! The command `latchkey serve`.

use latchkey_store::Wait as _;
use std::fmt::Write as _;
use std::io;
use std::num::NonZeroU32;
use std::process::ExitCode;
use std::sync::Arc;

use jiff::Timestamp;
use latchkey_core::activity::Actor;
use latchkey_core::directory::{self, Directory};
use latchkey_core::instance::{Hosted, Instance, InstanceId};
use latchkey_core::secret::SigningKey;
use latchkey_core::{Error, ErrorCode};
use latchkey_gateway::{
    Administration, Checks, ClientLimits, DailyBackups, Gateway, Handle, InstanceSnapshot,
    metrics_router, run, serve as listen, serve_locally,
};
use latchkey_store::home::{GATEWAY_HOLDER, Home, once_free, require_here};
#[cfg(unix)]
use nix::sys::signal::SIGXFSZ;
use serde_json::json;
use tokio::runtime::Runtime;
#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::args::ServeArguments;
use crate::context::Context;
use crate::failure::Failure;
use crate::hints;
use crate::keys::{self, Environment};
use crate::output::Output;
use crate::sockets::{AdminSocket, Sockets};

pub(crate) fn serve(
    arguments: &ServeArguments,
    context: &Context,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let home = context.home()?;
    let instance = instance(&home, arguments.instance.as_deref())?;
    require_here(&instance)?;
    let given = given_key(arguments, &home, &instance, context, output)?;
    // Reads the key now, so that an error shows at the start and not at the first visit.
    let key = given
        .clone()
        .map_or_else(|| home.signing_key(&instance), Ok)?;
    let short_key = key.short_for(instance.settings.algorithm);
    let sockets = Sockets::bind(arguments, &home, &instance, context, output)?;
    let directory = hold(&home, &instance)?;
    let home = Arc::new(home);
    let holder = GATEWAY_HOLDER;
    let administration = {
        let (home, directory) = (Arc::clone(&home), Arc::clone(&directory));
        Administration::new(home, &instance.id, holder, directory, None)
    };
    let notices = directory::notices(&*directory, Timestamp::now()).wait()?;
    for notice in short_key.into_iter().chain(notices) {
        let hint = hints::about(&notice, instance.id.as_str(), output.program());
        tracing::warn!(code = %notice.code, hint, "{}", notice.message);
    }
    let (kept, id) = (Arc::clone(&home), instance.id.clone());
    let backups = DailyBackups::start(kept, id, &directory, Checks::default())?;
    let gateway = gateway(arguments, home, &instance.id, given, directory);
    let runtime = Runtime::new().map_err(no_threads)?;
    let announce = |sockets: &Sockets| announce(sockets, &instance, output);
    let ended = runtime.block_on(run_until_signal(gateway, administration, sockets, announce));
    drop(backups);
    ended?;
    Ok(ExitCode::SUCCESS)
}

/// Returns the signing key that the arguments or the environment give in place of the instance's
/// own. Unlocks the sealed file if there is none.
fn given_key(
    arguments: &ServeArguments,
    home: &Home,
    instance: &Instance,
    context: &Context,
    output: &Output,
) -> Result<Option<SigningKey>, Failure> {
    let environment = Environment::beside(instance);
    let given = keys::given(&arguments.secret, environment, context)?;
    let given = given.map(|given| given.key()).transpose()?;
    if let Some(key) = &given {
        key.require_strength(&instance.settings.url)?;
        return Ok(given);
    }
    keys::unlock(home, context)?;
    if environment == Environment::IsIgnored && keys::in_environment() {
        output.warn(&format!(
            "The secret in the environment is not used, because '{}' has a secret of its own.",
            instance.settings.name.as_str()
        ));
    }
    Ok(None)
}

fn gateway(
    arguments: &ServeArguments,
    home: Arc<Home>,
    id: &InstanceId,
    given: Option<SigningKey>,
    directory: Arc<dyn Directory>,
) -> Gateway {
    let limits = ClientLimits {
        trusted_proxies: arguments.trusted_proxy.clone(),
        links_per_second: NonZeroU32::new(arguments.visits_per_second),
        api_requests_per_second: NonZeroU32::new(arguments.api_requests_per_second),
    };
    let (others, own) = (Arc::clone(&home), id.clone());
    let (users, used) = (Arc::clone(&home), id.clone());
    let (stamped, changed) = (Arc::clone(&home), id.clone());
    let (served, recorded) = (id.clone(), Arc::clone(&directory));
    Gateway::new(id.clone(), directory, limits, move || {
        InstanceSnapshot::of(&home, &served, given.as_ref(), &*recorded)
    })
    .with_others(move || others.other_instances(Some(&own), Timestamp::now()))
    .with_stamp(move || stamped.instances().stamp(&changed))
    .with_key_uses(move |written| users.note_key_uses(&used, written))
}

/// Serves all sockets until a signal. Calls `announce` when signals are handled, because the reader
/// of the announcement may send one.
async fn run_until_signal(
    gateway: Gateway,
    administration: Arc<Administration>,
    sockets: Sockets,
    announce: impl FnOnce(&Sockets),
) -> latchkey_core::Result<()> {
    let handle = Handle::default();
    let signals = Signals::new().map_err(no_signals)?;
    tokio::spawn(signals.end(handle.clone()));
    if let Some(admin) = &sockets.admin {
        administration.set_listener(admin.description());
    }
    let socket = serve_locally(Arc::clone(&administration));
    // Without the socket, people can still sign in.
    let socket = socket
        .inspect_err(|cause| tracing::warn!(error = %cause.logged(), "other programs cannot administer the users while this one runs"))
        .ok();
    announce(&sockets);
    let Sockets {
        listener,
        certificate,
        admin,
        metrics,
        ..
    } = sockets;
    let gateway = Arc::new(gateway);
    administration.set_gateway(&gateway);
    if let Some(metrics) = metrics {
        let router = metrics_router(Arc::clone(&gateway));
        tokio::spawn(listen(router, metrics, None, handle.clone()));
    }
    let admin =
        admin.map(|socket| socket.serve(Arc::clone(&gateway), administration, handle.clone()));
    let running = handle.clone();
    let ended = run(gateway, listener, certificate, running, Actor::CommandLine).await;
    if let Some(admin) = admin {
        // The gateway may have ended by an error.
        handle.shut_down();
        admin.end().await;
    }
    if let Some(socket) = socket {
        socket.end().await;
    }
    ended
}

/// Prints the addresses. If standard output cannot be written, they are in the log, and the gateway
/// still runs.
fn announce(sockets: &Sockets, instance: &Instance, output: &Output) {
    let name = instance.settings.name.as_str();
    let mut open = format!("{name} is open at {}", sockets.url());
    let admin = sockets.admin.as_ref().map(AdminSocket::description);
    if let Some(admin) = &admin {
        let _ = write!(open, ", and is administered at https://{}", admin.address);
    }
    let in_json = || {
        let admin = admin.as_ref().map(|admin| {
            json!({ "address": admin.address.to_string(), "fingerprint": admin.fingerprint })
        });
        json!({
            "instance": instance.id,
            "address": sockets.address().to_string(),
            "scheme": sockets.scheme(),
            "admin": admin,
        })
    };
    if let Err(Failure::Unwritten(refused)) = output.line(open.as_str(), in_json) {
        tracing::warn!("{open}. {}", refused.message);
    }
}

/// Opens the directory of an instance for its gateway. Studio closes it for that, unless it runs
/// the gateway itself.
fn hold(home: &Home, instance: &Instance) -> Result<Arc<dyn Directory>, Failure> {
    let held = once_free(|| {
        let opened = home.directory_to_serve(instance, GATEWAY_HOLDER);
        let is_held = |refused: &Error| refused.code == ErrorCode::DirectoryHeld;
        if opened.as_ref().is_err_and(is_held) {
            // If the other program agrees, the next attempt succeeds. If it does not, this error
            // names it.
            let _ = home.ask_to_give_way(instance);
        }
        opened
    });
    Ok(held?)
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

/// Signals that the gateway handles: SIGTERM and SIGINT end it, SIGHUP is ignored. After SIGXFSZ, which
/// would end it, it goes on like with a full disk: a change that needs more room is refused.
#[cfg(unix)]
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
    file_too_large: Signal,
}

#[cfg(unix)]
impl Signals {
    /// Installs the signal handlers.
    fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
            file_too_large: signal(SignalKind::from_raw(SIGXFSZ as i32))?,
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
                _ = self.file_too_large.recv() => {
                    tracing::error!("a file is as large as the limit of this process allows (ulimit -f), so it cannot be written");
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
