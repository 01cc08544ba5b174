//! Content security policies.

use axum::http::HeaderValue;
use latchkey_core::instance::Settings;
use latchkey_core::session::return_address::WebOrigin;

/// Policy of a page that loads nothing and sends nothing.
pub(crate) const CLOSED_POLICY: &str =
    "default-src 'none'; base-uri 'none'; frame-ancestors 'none'";

/// Returns the policy for the pages of an instance: the resources that they load and the targets of
/// their forms. Browsers check `form-action` also against the target of a redirect after the form.
pub(crate) fn content_security_policy(settings: &Settings) -> HeaderValue {
    let targets = sources("'self'", &settings.visiting.return_to);
    policy(&format!(
        "default-src 'none'; style-src 'self'; form-action {targets}; base-uri 'none'; frame-ancestors 'none'"
    ))
}

/// Returns the policy for the widget's frame: the resources that it loads and the pages that may
/// show it.
pub(crate) fn frame_security_policy(settings: &Settings) -> HeaderValue {
    let embed_in = &settings.visiting.embed_in;
    let ancestors = match embed_in.as_slice() {
        [] => "'none'".to_owned(),
        [first, others @ ..] => sources(&first.to_string(), others),
    };
    policy(&format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors {ancestors}"
    ))
}

fn sources(first: &str, others: &[WebOrigin]) -> String {
    let mut sources = first.to_owned();
    for origin in others {
        sources.push(' ');
        sources.push_str(&origin.to_string());
    }
    sources
}

/// Converts the text of a policy to a header. It cannot fail, because origins are ASCII.
fn policy(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(CLOSED_POLICY))
}
