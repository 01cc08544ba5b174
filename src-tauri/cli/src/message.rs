//! The message in which a person gets a link.

use jiff::tz::TimeZone;
use latchkey_core::instance::Instance;
use latchkey_core::link::BaseUrl;
use latchkey_core::link::compose::Composed;
use latchkey_core::link::message::{Handover, MessageTemplate};

use crate::args::{FormArguments, Shape};

/// Returns the message about a link of an instance, if it is wanted. `url` is its long or its short URL,
/// and `name` the known name of the person.
pub(crate) fn message(
    form: &FormArguments,
    instance: &Instance,
    url: &str,
    composed: &Composed,
    name: Option<&str>,
) -> Option<String> {
    (form.shape == Shape::Message).then(|| {
        let name = name.unwrap_or_else(|| composed.claims.payload.display_name());
        instance.message_to(name, url, composed, &TimeZone::system())
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
            elsewhere: Some(at.authority()),
            zone: &TimeZone::system(),
        })
    })
}
