//! Links that the gateway of an instance signs and records.

use jiff::Timestamp;
use latchkey_core::ErrorCode;
use latchkey_core::activity::AuditContext;
use latchkey_core::admin::Link;
use latchkey_core::error::Warning;
use latchkey_core::instance::Instance;
use latchkey_core::link::compose::Composed;
use latchkey_core::link::message::person_name;
use latchkey_store::Wait as _;
use latchkey_store::home::{Home, is_gateway};

use crate::args::{FormArguments, SecretArguments, Shape};
use crate::context::Context;
use crate::failure::Failure;
use crate::made_link::MadeLink;
use crate::message::message;
use crate::{keys, users};

/// Returns whether the gateway of an instance must sign its links: one on another computer, or
/// `latchkey serve` here if it alone has the secret.
pub(crate) fn signs(
    home: &Home,
    instance: &Instance,
    secret: &SecretArguments,
    context: &Context,
) -> Result<bool, Failure> {
    if instance.connection.is_none() {
        let is_secret_known =
            instance.key.is_some() || secret.secret_file.is_some() || keys::in_environment();
        let holder = home.directory_holder(instance);
        let is_served = holder.is_some_and(|holder| is_gateway(&holder));
        return Ok(!is_secret_known && is_served);
    }
    keys::unlock_access(home, instance, context)?;
    keys::refuse_given(secret, instance)?;
    Ok(true)
}

/// Returns an instance whose gateway signs, with the settings that it has there.
pub(crate) fn instance_there(
    home: &Home,
    instance: &Instance,
    by: &AuditContext,
) -> Result<Instance, Failure> {
    match home.refresh(&instance.id, by) {
        Ok((current, _)) => Ok(current),
        // A key for links only cannot read the settings. Then those count that were read before.
        Err(refused) if refused.code == ErrorCode::ScopeMissing => Ok(instance.clone()),
        Err(refused) => Err(refused.into()),
    }
}

/// Returns the output for a link that a gateway has signed. `used` is the number of sign-ins by it, or
/// `None` if the ledger must be asked.
pub(crate) fn made(
    link: Link,
    used: Option<u64>,
    form: &FormArguments,
    home: &Home,
    instance: &Instance,
    context: &Context,
    now: Timestamp,
) -> Result<MadeLink, Failure> {
    let message = message_about(&link, used, form, home, instance, context, now)?;
    let mut made = MadeLink::of_gateway(link, &instance.settings, now);
    let connection = instance.connection.as_ref();
    if message.is_some() && connection.is_some_and(|connection| !connection.settings_read) {
        made.warn(Some(Warning::new(
            "settings_not_known",
            "The message has Latchkey's own text. The instance may have another one, but the API key may not read its settings.",
        )));
    }
    made.message = message;
    Ok(made)
}

/// Returns the message about a link, if it is wanted. A key that cannot read users leaves the name to
/// the payload, and the number of uses that are left out.
fn message_about(
    link: &Link,
    used: Option<u64>,
    form: &FormArguments,
    home: &Home,
    instance: &Instance,
    context: &Context,
    now: Timestamp,
) -> Result<Option<String>, Failure> {
    if form.shape != Shape::Message {
        return Ok(None);
    }
    let composed = Composed::try_from(link.clone())?;
    let payload = &composed.claims.payload;
    let directory = users::ledger(home, instance, context, now).ok();
    let name = directory.as_ref();
    let name = name.map(|directory| person_name(payload, &**directory).wait());
    let used = used.or_else(|| {
        let known = directory?.link(link.id.as_deref()?, now).wait();
        known.ok().flatten().map(|(listed, _)| listed.link.used)
    });
    let url = link.short_url.as_ref().unwrap_or(&link.url);
    Ok(message(
        form,
        instance,
        url,
        &composed,
        name.as_deref(),
        used,
    ))
}
