//! The certificates that the options of `latchkey serve` name.

use std::net::SocketAddr;
use std::path::Path;

use latchkey_core::instance::Instance;
use latchkey_gateway::Certificate;
use latchkey_store::home::Home;

use crate::args::ServeArguments;
use crate::context::Context;
use crate::failure::Failure;
use crate::input;
use crate::output::Output;

/// Returns the certificate of the gateway. Prints the fingerprint of a self-signed one.
pub(crate) fn of_gateway(
    arguments: &ServeArguments,
    home: &Home,
    instance: &Instance,
    context: &Context,
    output: &Output,
) -> Result<Option<Certificate>, Failure> {
    Ok(match (&arguments.tls_cert, &arguments.tls_key) {
        (Some(certificate), Some(key)) => Some(in_files(
            certificate,
            key,
            ["tls-cert", "tls-key"],
            context,
        )?),
        _ if arguments.tls_self_signed => {
            Some(self_signed(home, instance, arguments.listen, output)?)
        }
        _ => None,
    })
}

/// Returns the certificate of the administration API: its own, else the gateway's, else a
/// self-signed one, whose fingerprint is printed.
pub(crate) fn of_administration(
    arguments: &ServeArguments,
    gateway: Option<&Certificate>,
    listen: SocketAddr,
    home: &Home,
    instance: &Instance,
    context: &Context,
    output: &Output,
) -> Result<Certificate, Failure> {
    match (&arguments.admin_tls_cert, &arguments.admin_tls_key, gateway) {
        (Some(certificate), Some(key), _) => {
            let options = ["admin-tls-cert", "admin-tls-key"];
            in_files(certificate, key, options, context)
        }
        (_, _, Some(gateway)) => Ok(gateway.clone()),
        _ => self_signed(home, instance, listen, output),
    }
}

fn self_signed(
    home: &Home,
    instance: &Instance,
    listen: SocketAddr,
    output: &Output,
) -> Result<Certificate, Failure> {
    let folder = home.instances().folder(&instance.id);
    let certificate = Certificate::self_signed(&folder, &instance.settings.url, listen)?;
    output.note(&format!(
        "The SHA-256 fingerprint of the certificate's public key: {}",
        certificate.fingerprint()
    ));
    Ok(certificate)
}

/// Reads a certificate and its key, which two options name. An error names both files.
fn in_files(
    certificate: &Path,
    key: &Path,
    [certificate_option, key_option]: [&str; 2],
    context: &Context,
) -> Result<Certificate, Failure> {
    let pem = context
        .read(certificate, input::CERTIFICATE)
        .map_err(|failure| failure.about(certificate_option))?;
    let key_pem = context
        .read(key, input::CERTIFICATE)
        .map_err(|failure| failure.about(key_option))?;
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
