//! Check of the API key of a request.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use jiff::Timestamp;
use latchkey_core::activity::{Actor, AuditContext, EventData};
use latchkey_core::instance::api_key::{KeyRefusal, authorize};
use latchkey_core::instance::scope::Scope;

use super::problem::Problem;
use crate::gateway::Gateway;

/// Header that carries the API key.
const KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Refuses a request whose API key is missing or unknown, has expired or lacks a scope, and records
/// the refusal. Refuses any request from an address that is locked out. Passes the name of the key on to the handler otherwise.
pub(super) async fn check(
    State((gateway, needed)): State<(Arc<Gateway>, Scope)>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let config = gateway.config().await?;
    let address = gateway.client_address(&request);
    if let Some(remaining) = gateway.lockout.remaining(address, Instant::now()) {
        return Err(locked_out(remaining));
    }
    let by = |actor| AuditContext {
        address,
        ..AuditContext::new(actor, Timestamp::now())
    };
    let sent = request.headers().get(KEY);
    let sent = sent.and_then(|sent| sent.to_str().ok()).unwrap_or_default();
    let name = match authorize(&config.api_keys, sent, needed, Timestamp::now()) {
        Ok(key) => key.name.clone(),
        Err(refusal) => {
            if refusal == KeyRefusal::Unknown && !sent.is_empty() {
                gateway.lockout.count(address, Instant::now());
            }
            let (actor, event) = recorded(&refusal);
            gateway.directory.record(event.into(), &by(actor)).await?;
            return Err(problem(&refusal));
        }
    };
    request.extensions_mut().insert(by(Actor::ApiKey(name)));
    Ok(next.run(request).await)
}

fn locked_out(remaining: Duration) -> Problem {
    let secs = remaining.as_secs() + 1;
    Problem::of(
        StatusCode::TOO_MANY_REQUESTS,
        "There were too many wrong API keys from this address. Wait a minute, then send the right key.",
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
        ),
    }
}
