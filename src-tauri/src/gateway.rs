//! The gateway that Studio runs. There is at most one, on its own threads.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use latchkey_core::activity::Actor;
use latchkey_core::instance::Instance;
use latchkey_core::{Result, link::BaseUrl};
use latchkey_gateway::{
    Certificate, ClientLimits, Gateway, Handle, InstanceSnapshot, Listener, run,
};
use latchkey_store::home::Home;
use tauri::async_runtime::{JoinHandle, block_on, spawn};

use crate::open_directory::OpenDirectory;

/// Maximum number of links opened, and of API requests, per second from one address.
const PER_SECOND: u32 = 50;

/// A running gateway.
pub(crate) struct Running {
    /// Directory of its instance.
    pub(crate) open: OpenDirectory,
    pub(crate) address: SocketAddr,
    /// SHA-256 of the certificate's public key. `None` without https.
    pub(crate) fingerprint: Option<String>,
    gateway: Arc<Gateway>,
    handle: Handle,
    serving: JoinHandle<()>,
    has_ended: Arc<AtomicBool>,
}

impl Running {
    /// Starts a gateway. Fails before anything else if the address cannot be listened on. Calls
    /// `ended` when the gateway has stopped, also after an error.
    pub(crate) fn begin(
        home: Arc<Home>,
        instance: &Instance,
        open: OpenDirectory,
        listen: SocketAddr,
        certificate: Option<Certificate>,
        ended: impl FnOnce() + Send + 'static,
    ) -> Result<Self> {
        // Reads the key now, so that an error shows at the start and not at the first visit.
        home.signing_key(instance)?;
        let listener = Listener::bind(listen)?;
        let address = listener.address()?;
        let id = instance.id.clone();
        let shared = Arc::clone(&open.directory);
        let recorded = Arc::clone(&open.directory);
        let (others, own) = (Arc::clone(&home), id.clone());
        let (stamped, changed) = (Arc::clone(&home), id.clone());
        let (users, used) = (Arc::clone(&home), id.clone());
        let load_snapshot = move || InstanceSnapshot::of(&home, &id, None, &*recorded);
        let limits = ClientLimits {
            links_per_second: NonZeroU32::new(PER_SECOND),
            api_requests_per_second: NonZeroU32::new(PER_SECOND),
            ..ClientLimits::default()
        };
        let gateway = Gateway::new(instance.id.clone(), shared, limits, load_snapshot)
            .with_others(move || others.other_instances(Some(&own), Timestamp::now()))
            .with_stamp(move || stamped.instances().stamp(&changed))
            .with_key_uses(move |written| users.note_key_uses(&used, written));
        let gateway = Arc::new(gateway);
        open.set_gateway(&gateway);
        let fingerprint = certificate
            .as_ref()
            .map(|certificate| certificate.fingerprint().to_owned());
        let handle = Handle::default();
        let serving = run(
            Arc::clone(&gateway),
            listener,
            certificate,
            handle.clone(),
            Actor::Studio,
        );
        let has_ended = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&has_ended);
        Ok(Self {
            open,
            address,
            fingerprint,
            gateway,
            handle,
            serving: spawn(async move {
                if let Err(cause) = serving.await {
                    tracing::error!(error = %cause.logged(), "the gateway has ended");
                }
                over.store(true, Ordering::Release);
                ended();
            }),
            has_ended,
        })
    }

    /// Returns the URL of the gateway.
    pub(crate) fn url(&self) -> Result<BaseUrl> {
        let scheme = self.fingerprint.as_ref().map_or("http", |_| "https");
        BaseUrl::parse(&format!("{scheme}://{}/", self.address))
    }

    pub(crate) fn sign_ins(&self) -> u32 {
        self.gateway.sign_ins()
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Acquire)
    }

    /// Accepts no more visitors, and waits until open requests are finished. Blocks the thread.
    pub(crate) fn end(self) {
        self.handle.shut_down();
        if let Err(cause) = block_on(self.serving) {
            tracing::error!(%cause, "the gateway ended early");
        }
    }
}
