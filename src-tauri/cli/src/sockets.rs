//! The sockets on which `latchkey serve` listens.

use std::net::SocketAddr;
use std::sync::Arc;

use latchkey_core::admin::AdminListener;
use latchkey_core::instance::Instance;
use latchkey_gateway::{Administration, Certificate, Gateway, Handle, Listener, serve_admin};
use latchkey_store::home::Home;
use tokio::task::JoinHandle;

use crate::args::ServeArguments;
use crate::certificates;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Output;

/// Sockets that accept no connections yet.
pub(crate) struct Sockets {
    /// Socket for visitors.
    pub(crate) listener: Listener,
    address: SocketAddr,
    /// Certificate for visitors. `None` without TLS.
    pub(crate) certificate: Option<Certificate>,
    /// Socket for administrators.
    pub(crate) admin: Option<AdminSocket>,
    /// Socket for Prometheus.
    pub(crate) metrics: Option<Listener>,
}

impl Sockets {
    /// Binds the sockets that the arguments ask for. Warns of those that other computers can reach.
    pub(crate) fn bind(
        arguments: &ServeArguments,
        home: &Home,
        instance: &Instance,
        context: &Context,
        output: &Output,
    ) -> Result<Self, Failure> {
        let certificate = certificates::of_gateway(arguments, home, instance, context, output)?;
        let listener = Listener::bind(arguments.listen)?;
        let address = listener.address()?;
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
        let url = &instance.settings.url;
        if certificate.is_none() && url.is_https() {
            output.note(&format!(
                "Links lead to {url}. A proxy there must speak https and forward requests to this gateway."
            ));
        }
        let gateway = certificate.as_ref();
        let admin = AdminSocket::bind(arguments, gateway, home, instance, context, output)?;
        let metrics = arguments.metrics.map(Listener::bind).transpose();
        Ok(Self {
            listener,
            address,
            certificate,
            admin,
            metrics: metrics.map_err(|refused| refused.about("metrics"))?,
        })
    }

    /// Returns the address for visitors.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the scheme of URLs for visitors.
    pub(crate) fn scheme(&self) -> &'static str {
        if self.certificate.is_some() {
            "https"
        } else {
            "http"
        }
    }

    /// Returns the URL for visitors, with the address of the socket.
    pub(crate) fn url(&self) -> String {
        format!("{}://{}", self.scheme(), self.address)
    }
}

/// A socket for the administration API that accepts no connections yet.
pub(crate) struct AdminSocket {
    listener: Listener,
    certificate: Certificate,
    description: AdminListener,
}

impl AdminSocket {
    /// Binds the socket that the arguments ask for. `gateway` is the certificate of the gateway.
    pub(crate) fn bind(
        arguments: &ServeArguments,
        gateway: Option<&Certificate>,
        home: &Home,
        instance: &Instance,
        context: &Context,
        output: &Output,
    ) -> Result<Option<Self>, Failure> {
        let Some(listen) = arguments.admin_listen else {
            return Ok(None);
        };
        let certificate = certificates::of_administration(
            arguments, gateway, listen, home, instance, context, output,
        )?;
        let listener = Listener::bind(listen).map_err(|refused| refused.about("admin-listen"))?;
        let address = listener.address()?;
        if !address.ip().is_loopback() {
            output.warn(&format!(
                "The administration API listens on {address}. Everybody on that network can reach it, and needs an API key."
            ));
        }
        let description = AdminListener {
            address,
            fingerprint: certificate.fingerprint().to_owned(),
            is_pinned: certificate.is_pinned(),
        };
        Ok(Some(Self {
            listener,
            certificate,
            description,
        }))
    }

    /// Returns the description of the listener.
    pub(crate) fn description(&self) -> AdminListener {
        self.description.clone()
    }

    /// Serves the API until `handle` ends it.
    pub(crate) fn serve(
        self,
        gateway: Arc<Gateway>,
        administration: Arc<Administration>,
        handle: Handle,
    ) -> ServedAdmin {
        let Self {
            listener,
            certificate,
            ..
        } = self;
        let serving = serve_admin(gateway, administration, listener, certificate, handle);
        ServedAdmin(tokio::spawn(async {
            if let Err(cause) = serving.await {
                tracing::error!(error = %cause.logged(), "the administration API has ended");
            }
        }))
    }
}

/// The administration API, which is served.
pub(crate) struct ServedAdmin(JoinHandle<()>);

impl ServedAdmin {
    /// Waits until open requests have ended. The handle must have been shut down.
    pub(crate) async fn end(self) {
        if let Err(cause) = self.0.await {
            tracing::error!(%cause, "the administration API has ended early");
        }
    }
}
