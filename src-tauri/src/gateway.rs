//! The gateway that Studio runs: one at a time, on threads of its own.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

use latchkey_core::activity::{ActivityQuery, Actor};
use latchkey_core::directory::{Directory as _, SledDirectory};
use latchkey_core::home::Home;
use latchkey_core::instance::{Instance, InstanceId};
use latchkey_core::{Result, link::BaseUrl};
use latchkey_gateway::{Certificate, Gateway, Handle, InstanceSnapshot, Listening, Visitors, run};
use tauri::async_runtime::{JoinHandle, block_on, spawn};

/// How many links are opened in a second from one address, and how many requests of the API are
/// answered.
const PER_SECOND: u32 = 50;

/// A gateway that answers visitors.
pub(crate) struct Running {
    pub(crate) instance: InstanceId,
    pub(crate) address: SocketAddr,
    pub(crate) directory: Arc<SledDirectory>,
    /// The fingerprint of the certificate's public key, where https is spoken.
    pub(crate) fingerprint: Option<String>,
    gateway: Arc<Gateway>,
    handle: Handle,
    serving: JoinHandle<()>,
}

impl Running {
    /// Begins to answer. What cannot be listened on is refused before anything else is done.
    pub(crate) fn begin(
        home: Arc<Home>,
        instance: &Instance,
        directory: Arc<SledDirectory>,
        listen: SocketAddr,
        certificate: Option<Certificate>,
    ) -> Result<Self> {
        // Better now than when the first visitor comes.
        home.signing_key(instance)?;
        let listening = Listening::on(listen)?;
        let address = listening.address()?;
        let id = instance.id.clone();
        let shared: Arc<SledDirectory> = Arc::clone(&directory);
        let recorded = Arc::clone(&directory);
        let (others, own) = (Arc::clone(&home), id.clone());
        let ask = move || InstanceSnapshot::of(&home, &id, None, &*recorded);
        let visitors = Visitors {
            opened_per_second: NonZeroU32::new(PER_SECOND),
            asked_per_second: NonZeroU32::new(PER_SECOND),
            ..Visitors::default()
        };
        let gateway = Gateway::new(instance.id.clone(), shared, visitors, ask)
            .with_others(move || others.other_instances(Some(&own)));
        let gateway = Arc::new(gateway);
        let fingerprint = certificate
            .as_ref()
            .map(|certificate| certificate.fingerprint().to_owned());
        let handle = Handle::default();
        let serving = run(
            Arc::clone(&gateway),
            listening,
            certificate,
            handle.clone(),
            Actor::Studio,
        );
        Ok(Self {
            instance: instance.id.clone(),
            address,
            directory,
            fingerprint,
            gateway,
            handle,
            serving: spawn(async move {
                if let Err(cause) = serving.await {
                    tracing::error!(error = %cause.logged(), "the gateway has ended");
                }
            }),
        })
    }

    /// Where people reach it.
    pub(crate) fn url(&self) -> Result<BaseUrl> {
        let scheme = self.fingerprint.as_ref().map_or("http", |_| "https");
        BaseUrl::parse(&format!("{scheme}://{}/", self.address))
    }

    pub(crate) fn sign_ins(&self) -> u32 {
        self.gateway.sign_ins()
    }

    /// The number of the newest entry of the activity; 0 where nothing has happened.
    pub(crate) fn newest_entry(&self) -> Result<u64> {
        let page = self
            .directory
            .activity(&ActivityQuery::default(), None, 1)?;
        Ok(page.entries.first().map_or(0, |entry| entry.number))
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.serving.inner().is_finished()
    }

    /// Takes no more visitors, and returns when the last one is served. Not to be called on a thread
    /// that must not wait.
    pub(crate) fn end(self) {
        self.handle.shut_down();
        if let Err(cause) = block_on(self.serving) {
            tracing::error!(%cause, "the gateway ended early");
        }
    }
}
