//! Content security policies.

use axum::http::HeaderValue;
use latchkey_core::instance::Settings;
use latchkey_core::session::return_address::WebOrigin;

/// Policy of a page that loads and sends nothing.
pub(crate) const CLOSED_POLICY: &str =
    "default-src 'none'; base-uri 'none'; frame-ancestors 'none'";

/// Policy for the pages of an instance: which resources they load, and where their forms lead. A browser holds what a form
/// is redirected to against `form-action`, too.
pub(crate) fn content_security_policy(settings: &Settings) -> HeaderValue {
    let targets = sources("'self'", &settings.visiting.return_to);
    policy(&format!(
        "default-src 'none'; style-src 'self'; form-action {targets}; base-uri 'none'; frame-ancestors 'none'"
    ))
}

/// Policy for the widget's frame: which resources it loads, and which pages show it.
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

/// An origin is plain ASCII, and so is a policy.
fn policy(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(CLOSED_POLICY))
}
