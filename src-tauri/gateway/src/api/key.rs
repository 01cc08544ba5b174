//! Check of the API key of a request.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use jiff::Timestamp;
use latchkey_core::ErrorCode;
use latchkey_core::activity::{Actor, AuditContext, EventData};
use latchkey_core::instance::api_key::{KeyRefusal, authorize};
use latchkey_core::instance::scope::Scope;

use super::problem::Problem;
use crate::gateway::Gateway;

/// Header that carries the API key.
const KEY: HeaderName = HeaderName::from_static("x-api-key");

/// ID of the API key of a request.
#[derive(Clone, Debug)]
pub(crate) struct KeyId(pub(crate) String);

/// Refuses a request whose API key is missing or unknown, has expired or lacks the needed scope, and
/// records the refusal. Refuses any request from an address that is locked out. Passes the ID of
/// the key and the context of the request on to the handler otherwise. Without a needed scope, any
/// key is accepted.
pub(crate) async fn check(
    State((gateway, needed)): State<(Arc<Gateway>, Option<Scope>)>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let config = gateway.config().await?;
    let address = gateway.client_address(&request);
    require_not_locked_out(&gateway, address)?;
    let by = |actor| AuditContext {
        address,
        ..AuditContext::new(actor, Timestamp::now())
    };
    let sent = request.headers().get(KEY);
    let sent = sent.and_then(|sent| sent.to_str().ok()).unwrap_or_default();
    let now = Timestamp::now();
    let (id, by) = match authorize(&config.api_keys, sent, needed, now) {
        Ok(key) => {
            gateway.key_uses.note(key, now);
            (KeyId(key.id.clone()), by(Actor::ApiKey(key.name.clone())))
        }
        Err(refusal) => {
            let (actor, event) = recorded(&refusal);
            let by = by(actor);
            if refusal == KeyRefusal::Unknown && !sent.is_empty() {
                gateway.lockout.count(address, Instant::now());
            }
            gateway.directory.record(event.into(), &by).await?;
            return Err(problem(&refusal));
        }
    };
    request.extensions_mut().insert(id);
    request.extensions_mut().insert(by);
    Ok(next.run(request).await)
}

/// Fails with 429 if an address is locked out.
pub(crate) fn require_not_locked_out(
    gateway: &Gateway,
    address: Option<IpAddr>,
) -> Result<(), Problem> {
    match gateway.lockout.remaining(address, Instant::now()) {
        Some(remaining) => Err(locked_out(remaining)),
        None => Ok(()),
    }
}

fn locked_out(remaining: Duration) -> Problem {
    let secs = remaining.as_secs() + 1;
    Problem::of(
        StatusCode::TOO_MANY_REQUESTS,
        "There were too many wrong API keys or pairing codes from this address. Wait a minute, then send the right one.",
    )
    .with(RETRY_AFTER, HeaderValue::from(secs))
}

/// Returns the actor and the event for the activity.
fn recorded(refusal: &KeyRefusal) -> (Actor, EventData) {
    match refusal {
        KeyRefusal::Unknown => (Actor::Visitor, EventData::ApiKeyRefused),
        KeyRefusal::Expired { name } => (Actor::ApiKey(name.clone()), EventData::ApiKeyExpired),
        KeyRefusal::ScopeMissing { name, needed } => (
            Actor::ApiKey(name.clone()),
            EventData::ApiKeyScopeMissing { scope: *needed },
        ),
    }
}

fn problem(refusal: &KeyRefusal) -> Problem {
    match refusal {
        KeyRefusal::Unknown => Problem::of(
            StatusCode::UNAUTHORIZED,
            "The header X-API-KEY is missing, or does not contain a key of this instance.",
        ),
        KeyRefusal::Expired { .. } => Problem::of(
            StatusCode::UNAUTHORIZED,
            "The API key has expired. Ask the administrator for a new one.",
        ),
        KeyRefusal::ScopeMissing { needed, .. } => Problem::of(
            StatusCode::FORBIDDEN,
            &format!(
                "The API key lacks the scope '{needed}'. Ask the administrator for a key with this scope."
            ),
        )
        .code(ErrorCode::ScopeMissing),
    }
}
