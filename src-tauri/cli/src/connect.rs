//! The command `latchkey instance connect`.

use std::path::Path;

use latchkey_core::activity::AuditContext;
use latchkey_core::admin::{Connection, ConnectionString, GatewayUrl};
use latchkey_core::instance::{Hosted, Instance};
use latchkey_core::protocol::text;
use latchkey_core::secret::Secret;
use latchkey_core::{Error, ErrorCode};
use latchkey_store::home::Home;

use crate::args::ConnectArguments;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Output;
use crate::{input, keys};

/// Connects to an instance on a gateway. Connects a connected instance again if it is named, and says
/// that its earlier API key is left at the gateway.
pub(crate) fn connect(
    home: &Home,
    context: &Context,
    arguments: &ConnectArguments,
    output: &Output,
    by: &AuditContext,
) -> Result<Instance, Failure> {
    let name = arguments.name.as_deref();
    let known = name.and_then(|name| home.instances().find(name).ok());
    let known = known.filter(|known| known.settings.hosted == Hosted::Gateway);
    let left = known.as_ref().and_then(|known| known.connection.clone());
    let connected = connected(home, context, arguments, known, by)?;
    let now = connected.connection.as_ref();
    let is_left = |left: &Connection| now.is_some_and(|now| now.key_id != left.key_id);
    if let Some(left) = left.filter(is_left) {
        output.note(&left_key(&left));
    }
    Ok(connected)
}

/// Says how to revoke an API key that Latchkey does not use any more.
pub(crate) fn left_key(connection: &Connection) -> String {
    format!(
        "Its API key {} may still work at the gateway {}. To revoke it, run this there: latchkey api-key revoke --instance {} {}",
        connection.key_id,
        connection.url.authority(),
        connection.instance,
        connection.key_id
    )
}

/// Connects to an instance on a gateway, or again to a known one.
fn connected(
    home: &Home,
    context: &Context,
    arguments: &ConnectArguments,
    connected: Option<Instance>,
    by: &AuditContext,
) -> Result<Instance, Failure> {
    let name = arguments.name.as_deref();
    let (Some(url), Some(key_file)) = (&arguments.url, &arguments.key_file) else {
        let string: ConnectionString = connection_string(context, arguments)?.expose().parse()?;
        keys::unlock_or_create(home, context)?;
        return Ok(match connected {
            Some(known) => home.reconnect(&known.id, &string, by)?,
            None => home.connect(&string, name, by)?,
        });
    };
    let url = GatewayUrl::parse(url)?;
    let pin = arguments.fingerprint.as_deref().map(str::parse);
    let pin = pin.transpose()?;
    let key = read(context, key_file).map_err(|failure| failure.about("key-file"))?;
    keys::unlock_or_create(home, context)?;
    let connected = match connected {
        Some(known) => home.reconnect_with_key(&known.id, &url, pin, &key, by),
        None => home.connect_with_key(&url, pin, &key, name, by),
    };
    Ok(connected.map_err(|refused| match refused.field.as_deref() {
        Some("key") => refused.about("key-file"),
        _ => refused,
    })?)
}

/// Returns the text of the argument, of the file that it names, or of standard input.
fn connection_string(context: &Context, arguments: &ConnectArguments) -> Result<Secret, Failure> {
    let given = arguments.connection.as_deref().unwrap_or_default();
    match arguments.connection_file() {
        Some(file) if given == "-" || context.is_file(&file) => {
            read(context, &file).map_err(|failure| failure.about("connection"))
        }
        _ => Ok(Secret::new(given.to_owned())),
    }
}

fn read(context: &Context, path: &Path) -> Result<Secret, Failure> {
    let text = text::decode(context.read(path, input::SECRET)?);
    text.map(Secret::new).ok_or_else(|| {
        let message = "The file is not a text in UTF-8.";
        Error::new(ErrorCode::InvalidSetting, message).into()
    })
}
