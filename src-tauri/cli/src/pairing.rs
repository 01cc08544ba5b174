//! A key with the scope `admin`: `latchkey api-key make --scope admin` prints a connection string,
//! whose pairing code a client exchanges for the key.

use std::net::SocketAddr;
use std::process::ExitCode;

use latchkey_core::activity::AuditContext;
use latchkey_core::admin::{AdminListener, ConnectionString, Fingerprint, GatewayUrl};
use latchkey_core::instance::Instance;
use latchkey_core::instance::api_key::NewApiKey;
use latchkey_core::{Error, ErrorCode, time};
use latchkey_store::home::Home;
use serde_json::json;

use crate::failure::Failure;
use crate::output::Output;

/// Begins a pairing, and prints the connection string.
pub(crate) fn make(
    home: &Home,
    instance: &Instance,
    new: &NewApiKey,
    url: Option<&GatewayUrl>,
    by: &AuditContext,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let listener = home.local_gateway_state(instance);
    let listener = listener.ok().and_then(|state| state.administration);
    let url = match (url, &listener) {
        (Some(url), _) => url.clone(),
        (None, Some(listener)) => reached_at(listener.address, instance)?,
        (None, None) => {
            let message = format!(
                "The gateway of '{}' is not administered from other computers at the moment, so its address is not known. \
                 Start it with 'latchkey serve --admin-listen ADDRESS:PORT', or give the address with --url.",
                instance.settings.name.as_str()
            );
            return Err(Error::new(ErrorCode::Unreachable, message)
                .about("url")
                .into());
        }
    };
    let fingerprint = listener.as_ref().and_then(pinned).transpose()?;
    let begun = home.make_pairing(&instance.id, new, by)?;
    let (pairing, replaced) = (begun.pairing, begun.replaced);
    let string = ConnectionString {
        url,
        instance: instance.id.clone(),
        fingerprint,
        pair: begun.code,
    };
    let text = string.to_text();
    output.print(text.expose(), || {
        json!({
            "connection": text.expose(),
            "name": pairing.name,
            "scopes": pairing.scopes,
            "code_expires_at": time::exact(pairing.expires_at),
            "replaced": replaced,
        })
    })?;
    if replaced {
        output.note(&format!(
            "The line that was made before for '{}' does not work any more. This one replaces it.",
            pairing.name
        ));
    }
    output.note("Paste this line in Studio, 'Connect a Latchkey gateway', or give it to 'latchkey instance connect'. It works once, for ten minutes.");
    if string.url.is_loopback() {
        output.note("Only this computer can reach that address. Name another one with --url.");
    }
    if string.fingerprint.is_none() {
        output.note("The line has no fingerprint, so the other computer must trust the authority that issued the certificate.");
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns the URL by which clients reach a listener. If it listens on all addresses, that is the
/// host of the instance.
fn reached_at(address: SocketAddr, instance: &Instance) -> Result<GatewayUrl, Error> {
    if !address.ip().is_unspecified() {
        return GatewayUrl::parse(&format!("https://{address}"));
    }
    let url = instance.settings.url.at("");
    let host = url.host_str().unwrap_or("localhost");
    GatewayUrl::parse(&format!("https://{host}:{}", address.port()))
}

/// Returns the fingerprint of a certificate that no public authority vouches for.
fn pinned(listener: &AdminListener) -> Option<Result<Fingerprint, Error>> {
    listener.is_pinned.then(|| listener.fingerprint.parse())
}
