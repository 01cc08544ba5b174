//! The server of the administration API, and how it is reached.

use std::path::PathBuf;
use std::sync::Arc;

use http_body_util::{Full, LengthLimitError};
use hyper::body::Bytes;
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Request, StatusCode};
use hyper_util::client::legacy::{self, ResponseFuture};
use latchkey_core::admin::{API_REVISION, About, Fingerprint, GatewayUrl, Problem};
use latchkey_core::instance::InstanceId;
use latchkey_core::secret::Secret;
use latchkey_core::{Error, ErrorCode, Result};
use tokio::sync::watch;

use super::failures::{self, Failure};
use super::{gateway_tls, local};

/// Header with the API key.
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Server of the administration API.
#[derive(Clone)]
pub(super) enum Server {
    /// A process on this computer, by its local socket.
    Local(local::Http),
    /// A gateway on another computer.
    Gateway(Gateway),
}

/// A gateway on another computer.
#[derive(Clone)]
pub(super) struct Gateway {
    http: gateway_tls::Http,
    url: GatewayUrl,
    /// API key. `None` while a pairing code is exchanged for one.
    key: Option<HeaderValue>,
    /// Instance that it must have. `None` if the first answer tells.
    instance: Option<InstanceId>,
    /// The last refusal of the key, until the gateway accepts it.
    refusal: Arc<watch::Sender<Option<Error>>>,
}

impl Server {
    pub(super) fn local(socket: PathBuf) -> Self {
        Self::Local(local::client(socket))
    }

    pub(super) fn gateway(
        url: GatewayUrl,
        pin: Option<Fingerprint>,
        key: Option<&Secret>,
        instance: Option<InstanceId>,
    ) -> Result<Self> {
        let key = key.map(|key| {
            let value = HeaderValue::from_str(key.expose().trim());
            value.map(|mut value| {
                value.set_sensitive(true);
                value
            })
        });
        let key = key.transpose().map_err(|_| {
            let message =
                "This is not an API key: it has characters that no key has. Copy it again.";
            Error::new(ErrorCode::InvalidSetting, message).about("key")
        })?;
        Ok(Self::Gateway(Gateway {
            http: gateway_tls::client(pin)?,
            url,
            key,
            instance,
            refusal: Arc::new(watch::Sender::new(None)),
        }))
    }

    /// Returns whether the server is on another computer.
    pub(super) fn is_gateway(&self) -> bool {
        matches!(self, Self::Gateway(_))
    }

    /// Returns whether the first request must be [`About`].
    pub(super) fn needs_greeting(&self) -> bool {
        matches!(self, Self::Gateway(gateway) if gateway.key.is_some())
    }

    /// Returns the URL of a path.
    pub(super) fn at(&self, path: &str) -> String {
        match self {
            // The host has no meaning on a local socket.
            Self::Local(_) => format!("http://localhost{path}"),
            Self::Gateway(gateway) => format!("https://{}{path}", gateway.url.authority()),
        }
    }

    /// Sends a request.
    pub(super) fn request(&self, mut request: Request<Full<Bytes>>) -> ResponseFuture {
        match self {
            Self::Local(http) => http.request(request),
            Self::Gateway(gateway) => {
                if let Some(key) = &gateway.key {
                    request.headers_mut().insert(API_KEY, key.clone());
                }
                gateway.http.request(request)
            }
        }
    }

    /// Returns the failure of a request that was not answered.
    pub(super) fn unanswered(&self, cause: legacy::Error) -> Failure {
        match self {
            Self::Local(_) => Failure {
                is_sent: !cause.is_connect(),
                ..no_answer(cause)
            },
            Self::Gateway(gateway) => failures::unanswered(&gateway.url, cause),
        }
    }

    /// Returns the failure of a request whose answer was not complete.
    pub(super) fn cut_off(&self, cause: Box<dyn std::error::Error + Send + Sync>) -> Failure {
        match self {
            Self::Local(_) => no_answer(cause),
            Self::Gateway(gateway) if cause.is::<LengthLimitError>() => {
                failures::too_long(&gateway.url)
            }
            Self::Gateway(gateway) => {
                let mut failure = failures::too_slow(&gateway.url);
                failure.error = failure.error.because(cause);
                failure
            }
        }
    }

    /// Returns the failure of a request whose answer did not come in time.
    pub(super) fn too_slow(&self) -> Failure {
        match self {
            Self::Local(_) => no_answer("a timeout"),
            Self::Gateway(gateway) => failures::too_slow(&gateway.url),
        }
    }

    /// Returns the error for an answer that refuses a request. `is_write` is whether the request
    /// changes something.
    pub(super) fn refused(
        &self,
        status: StatusCode,
        body: &[u8],
        about: Option<&About>,
        is_write: bool,
    ) -> Error {
        match self {
            Self::Local(_) => match serde_json::from_slice::<Problem>(body) {
                Ok(problem) => problem.into_error(),
                Err(cause) => other_version(cause, is_write),
            },
            Self::Gateway(gateway) => {
                let error = failures::refused(&gateway.url, status, body, about, is_write);
                if gateway.key.is_some() && error.code == ErrorCode::KeyRefused {
                    gateway.refusal.send_replace(Some(error.clone()));
                }
                error
            }
        }
    }

    /// Notes that the server has accepted the key.
    pub(super) fn accepted(&self) {
        if let Self::Gateway(gateway) = self {
            gateway
                .refusal
                .send_if_modified(|refusal| refusal.take().is_some());
        }
    }

    /// Fails if the gateway has refused the key. A gateway locks an address out that sends a refused
    /// key again and again.
    pub(super) fn require_accepted(&self) -> Result<()> {
        match self {
            Self::Local(_) => Ok(()),
            Self::Gateway(gateway) => gateway.refusal.borrow().clone().map_or(Ok(()), Err),
        }
    }

    /// Waits while the key counts as refused.
    pub(super) async fn until_accepted(&self) {
        if let Self::Gateway(gateway) = self {
            // It fails only if the sender is dropped, which `gateway` holds.
            let _ = gateway.refusal.subscribe().wait_for(Option::is_none).await;
        }
    }

    /// Returns the error for an answer that cannot be read. `is_write` is whether the request changes
    /// something.
    pub(super) fn unreadable(
        &self,
        cause: serde_json::Error,
        about: Option<&About>,
        is_write: bool,
    ) -> Error {
        match self {
            Self::Local(_) => other_version(cause, is_write),
            Self::Gateway(gateway) => {
                failures::unreadable(&gateway.url, about, is_write).because(cause)
            }
        }
    }

    /// Fails if the server is older than this program, or serves another instance.
    pub(super) fn check(&self, about: &About) -> Result<()> {
        let Self::Gateway(gateway) = self else {
            return Ok(());
        };
        if about.api < API_REVISION {
            return Err(failures::older(&gateway.url, Some(about)));
        }
        match &gateway.instance {
            Some(instance) if instance.as_str() != about.instance => Err(Error::new(
                ErrorCode::UnknownInstance,
                format!(
                    "The gateway {} has the instance '{}' and not '{instance}'. Check the address.",
                    gateway.url.authority(),
                    about.instance.escape_debug()
                ),
            )),
            _ => Ok(()),
        }
    }
}

/// Returns the fingerprint of the certificate at an address, whether or not it is trusted. No
/// request is sent.
pub(super) async fn seen_fingerprint(url: &GatewayUrl) -> Result<Fingerprint> {
    let request = Request::get(url.as_str()).body(Full::default());
    let asked = gateway_tls::distrusting_client()?.request(request.map_err(Error::internal)?);
    match asked.await {
        Ok(_) => Err(Error::internal("no certificate is trusted here")),
        Err(cause) => match failures::seen_fingerprint(&cause) {
            Some(fingerprint) => Ok(fingerprint),
            None => Err(failures::unanswered(url, cause).error),
        },
    }
}

fn no_answer(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Failure {
    Failure {
        error: absent().because(cause),
        is_sent: true,
        is_passing: false,
    }
}

/// Returns the error for a local process that does not answer.
pub(super) fn absent() -> Error {
    Error::new(
        ErrorCode::Unreachable,
        "The program that holds the directory does not answer. It may have just ended.",
    )
}

fn other_version(cause: serde_json::Error, is_write: bool) -> Error {
    let error = Error::new(
        ErrorCode::Unreachable,
        "The program that holds the directory is of another version of Latchkey, and its answer cannot be read. Use the same version.",
    );
    let error = error.because(cause);
    if is_write { error.in_doubt() } else { error }
}
