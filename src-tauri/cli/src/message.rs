//! The message in which a person gets a link.

use jiff::tz::TimeZone;
use latchkey_core::instance::Instance;
use latchkey_core::link::BaseUrl;
use latchkey_core::link::compose::Composed;
use latchkey_core::link::message::{Handover, MessageTemplate};

use crate::args::{FormArguments, Shape};

/// Returns the message about a link of an instance, if it is wanted. `url` is its long or its short URL,
/// `name` the known name of the person, and `used` the number of sign-ins by it, if that is known.
pub(crate) fn message(
    form: &FormArguments,
    instance: &Instance,
    url: &str,
    composed: &Composed,
    name: Option<&str>,
    used: Option<u64>,
) -> Option<String> {
    (form.shape == Shape::Message).then(|| {
        let name = name.unwrap_or_else(|| composed.claims.payload.display_name());
        instance.message_to(name, url, composed, used, &TimeZone::system())
    })
}

/// Returns the message about a link without an instance, if it is wanted.
pub(crate) fn message_without_instance(
    form: &FormArguments,
    at: &BaseUrl,
    composed: &Composed,
) -> Option<String> {
    (form.shape == Shape::Message).then(|| {
        MessageTemplate::default().fill(&Handover {
            name: composed.claims.payload.display_name(),
            instance: at.authority(),
            url: &composed.link.url(),
            claims: &composed.claims,
            used: Some(0),
            elsewhere: Some(at.authority()),
            zone: &TimeZone::system(),
        })
    })
}
