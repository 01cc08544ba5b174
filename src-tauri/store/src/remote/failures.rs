//! Errors of requests to a gateway on another computer: each says what is wrong and what to do.

use std::error::Error as StdError;
use std::io;

use hyper::StatusCode;
use hyper_util::client::legacy;
use latchkey_core::admin::{API_REVISION, About, Fingerprint, GatewayUrl, Problem};
use latchkey_core::{Error, ErrorCode};
use rustls::CertificateError;

use super::gateway_tls::{CONNECT_TIMEOUT, Distrusted, NotResolved};

/// Maximum length of a sentence of the server, in characters.
const MAX_SENTENCE: usize = 500;

/// Failure of an attempt.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: Error,
    /// Whether the request may have reached the server.
    pub(super) is_sent: bool,
    /// Whether another attempt may succeed.
    pub(super) is_passing: bool,
}

/// Returns the failure of a request that was not answered.
pub(super) fn unanswered(url: &GatewayUrl, cause: legacy::Error) -> Failure {
    let is_sent = !cause.is_connect();
    let (error, is_passing) = if let Some(distrusted) = find(&cause, in_tls) {
        (wrong_certificate(url, distrusted), false)
    } else {
        let (words, is_passing) = words_for(&cause, url, is_sent);
        (Error::new(ErrorCode::Unreachable, words), is_passing)
    };
    Failure {
        error: error.because(cause),
        is_sent,
        is_passing,
    }
}

/// Returns the fingerprint of the certificate that was not trusted.
pub(super) fn seen_fingerprint(cause: &legacy::Error) -> Option<Fingerprint> {
    find(cause, in_tls).map(|distrusted| distrusted.found)
}

/// Returns the failure of a request whose answer did not come in time.
pub(super) fn too_slow(url: &GatewayUrl) -> Failure {
    let message = format!(
        "The gateway {} does not answer in time. Check that it runs and that the network is not overloaded, and try again.",
        url.authority()
    );
    Failure {
        error: Error::new(ErrorCode::Unreachable, message),
        is_sent: true,
        is_passing: true,
    }
}

/// Returns the failure of a request whose answer is too long.
pub(super) fn too_long(url: &GatewayUrl) -> Failure {
    let message = format!(
        "The answer of the gateway {} is too long to be of a gateway. Check the address.",
        url.authority()
    );
    Failure {
        error: Error::new(ErrorCode::Unreachable, message),
        is_sent: true,
        is_passing: false,
    }
}

fn words_for(cause: &legacy::Error, url: &GatewayUrl, is_sent: bool) -> (String, bool) {
    let authority = url.authority();
    let host = url.url().host_str().unwrap_or_default();
    if find(cause, |error| error.downcast_ref::<NotResolved>()).is_some() {
        let words = format!(
            "The name {host} has no address. Check how it is written, and whether this computer is online."
        );
        return (words, false);
    }
    let tls = find(cause, |error| error.downcast_ref::<rustls::Error>());
    if tls.is_some_and(|tls| matches!(tls, rustls::Error::InvalidMessage(_))) {
        let words = format!(
            "{authority} answers, but not by TLS. Check the port: it must be the one for administrators, and not the one for visitors."
        );
        return (words, false);
    }
    if tls.is_some() {
        let words = format!(
            "{authority} and this computer do not agree on TLS. Check that it is the address of a gateway's administration."
        );
        return (words, false);
    }
    let kind = find(cause, |error| error.downcast_ref::<io::Error>()).map(io::Error::kind);
    let words = match kind {
        Some(io::ErrorKind::ConnectionRefused) => format!(
            "Nothing listens on {authority}. Check that the gateway runs there and listens for administrators, and check the port."
        ),
        Some(io::ErrorKind::TimedOut) if !is_sent => format!(
            "{authority} does not answer within {} seconds. Check that the computer is on, and that no firewall is in between.",
            CONNECT_TIMEOUT.as_secs()
        ),
        Some(io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable) => {
            format!("There is no way from this computer to {authority}. Check the network.")
        }
        _ => format!(
            "The connection to the gateway {authority} was interrupted. Check that it runs, and try again."
        ),
    };
    (words, true)
}

fn wrong_certificate(url: &GatewayUrl, distrusted: &Distrusted) -> Error {
    let (authority, found) = (url.authority(), distrusted.found);
    let message = match (&distrusted.known, &distrusted.cause) {
        (Some(known), _) => format!(
            "{authority} shows another certificate than the known one, so nothing was sent. The fingerprint of its key is {found}, and the known one is {known}. Somebody may be in between. If the key of the gateway was replaced, compare the fingerprint that it prints there, and connect again."
        ),
        (None, Some(cause)) => format!(
            "The certificate of {authority} is not trusted: {}. Nothing was sent. The fingerprint of its key is {found}. If the gateway prints the same one, connect with that fingerprint.",
            in_words(cause)
        ),
        (None, None) => format!("The fingerprint of {authority} is {found}."),
    };
    Error::new(ErrorCode::WrongCertificate, message)
}

fn in_words(cause: &rustls::Error) -> &'static str {
    match cause {
        rustls::Error::InvalidCertificate(cause) => match cause {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired",
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "it is not valid yet, or the clock of this computer is behind"
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "it is for another name"
            }
            CertificateError::Revoked => "it was revoked",
            _ => "no authority that this computer trusts has issued it",
        },
        _ => "no authority that this computer trusts has issued it",
    }
}

fn in_tls<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a Distrusted> {
    error.downcast_ref().and_then(Distrusted::in_error)
}

/// Returns the first cause that `wanted` recognises. An [`io::Error`] may contain another error.
fn find<'a, T>(
    error: &'a (dyn StdError + 'static),
    wanted: impl Fn(&'a (dyn StdError + 'static)) -> Option<T>,
) -> Option<T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = wanted(error) {
            return Some(found);
        }
        let inner = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        next = match inner {
            Some(inner) => Some(inner as &(dyn StdError + 'static)),
            None => error.source(),
        };
    }
    None
}

/// Returns the error for an answer that refuses a request. `is_write` is whether the request changes
/// something.
pub(super) fn refused(
    url: &GatewayUrl,
    status: StatusCode,
    body: &[u8],
    about: Option<&About>,
    is_write: bool,
) -> Error {
    let authority = url.authority();
    let Ok(mut problem) = serde_json::from_slice::<Problem>(body) else {
        return if status == StatusCode::NOT_FOUND || status.is_redirection() || about.is_none() {
            not_a_gateway(url)
        } else {
            unreadable(url, about, is_write)
        };
    };
    problem.detail = shortened(&problem.detail);
    match status {
        StatusCode::UNAUTHORIZED => Error::new(
            ErrorCode::KeyRefused,
            format!(
                "The gateway {authority} refuses the API key: it was revoked or has expired. Make a new one on the server, and connect again."
            ),
        ),
        StatusCode::FORBIDDEN => {
            let detail = problem.detail;
            Error::new(
                ErrorCode::ScopeMissing,
                format!("The gateway {authority} refuses this. {detail}"),
            )
        }
        StatusCode::NOT_FOUND if problem.code.is_none() => older(url, about),
        _ => {
            let code = problem.code;
            let mut error = problem.into_error();
            if code.is_none() {
                error.code = match status {
                    StatusCode::REQUEST_TIMEOUT
                    | StatusCode::TOO_MANY_REQUESTS
                    | StatusCode::SERVICE_UNAVAILABLE => ErrorCode::Busy,
                    _ => ErrorCode::Internal,
                };
            }
            error
        }
    }
}

/// Returns a sentence of the server, cut to a length that can be read.
fn shortened(sentence: &str) -> String {
    let mut rest = sentence.chars();
    let mut short: String = rest.by_ref().take(MAX_SENTENCE).collect();
    if rest.next().is_some() {
        short.push('…');
    }
    short
}

/// Returns the error for a gateway that lacks what this program needs.
pub(super) fn older(url: &GatewayUrl, about: Option<&About>) -> Error {
    let version = about.map_or_else(String::new, |about| format!(" {}", about.version));
    let message = format!(
        "The gateway {} runs an older Latchkey{version}, which lacks what this one needs. Update Latchkey on the server.",
        url.authority()
    );
    Error::new(ErrorCode::OlderGateway, message)
}

/// Returns the error for an answer that cannot be read. The change of a request that changes something
/// may have been made.
pub(super) fn unreadable(url: &GatewayUrl, about: Option<&About>, is_write: bool) -> Error {
    let error = match about {
        Some(about) if about.api < API_REVISION => older(url, Some(about)),
        Some(about) if about.version == env!("CARGO_PKG_VERSION") => Error::new(
            ErrorCode::Unreachable,
            format!(
                "The answer of the gateway {} cannot be read, although both run the same version of Latchkey. Something in between may have changed the answer.",
                url.authority()
            ),
        ),
        Some(about) => Error::new(
            ErrorCode::NewerGateway,
            format!(
                "The answer of the gateway {} cannot be read. It runs Latchkey {}, and this is {}. Update Latchkey here.",
                url.authority(),
                about.version,
                env!("CARGO_PKG_VERSION")
            ),
        ),
        None => not_a_gateway(url),
    };
    if is_write { error.in_doubt() } else { error }
}

fn not_a_gateway(url: &GatewayUrl) -> Error {
    let message = format!(
        "{} answers, but not as the administration of a Latchkey gateway. Check the address: it must be the one for administrators.",
        url.authority()
    );
    Error::new(ErrorCode::Unreachable, message)
}
