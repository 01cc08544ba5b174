//! The header `Idempotency-Key`: a client that has lost the response to a change sends the request
//! again, and gets the first response in place of a second change.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use sha2::{Digest as _, Sha256};

use super::kept_changes::{
    Answer, Begun, ChangeId, Changes, Fingerprint, MAX_ANSWER, Progress, Running,
};
use crate::api::key::KeyId;
use crate::api::problem::Problem;
use crate::body_limit;
use crate::request_scope::in_same_scope;

/// Header with the key that a client has chosen for a change.
pub(super) const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Header of a repeated request with the milliseconds since its first attempt.
pub(super) const AGE: HeaderName = HeaderName::from_static("idempotency-age");
/// Header of a response that is given again.
pub(super) const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// Maximum length of a key, in characters.
pub(super) const MAX_KEY: usize = 255;
/// Maximum size of a response to a change, in bytes.
const MAX_COLLECTED: usize = 32 * 1024 * 1024;

/// Mark of a response with a secret that must not be readable twice, so it is not kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct HoldsSecret;

/// Gives the response to a change again, if the request has an idempotency key that was used before.
/// A request with a key is finished even if its client leaves.
pub(super) async fn replay(
    State(changes): State<Arc<Changes>>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let Some(key) = key_in(request.headers())? else {
        return Ok(next.run(request).await);
    };
    let age = age_in(request.headers())?;
    let client = request.extensions().get::<KeyId>();
    let id = ChangeId {
        client: client.map(|KeyId(id)| id.clone()),
        key,
    };
    let (request, fingerprint) = read(request).await?;
    let running = match changes.begin(&id, fingerprint, age, Instant::now())? {
        Begun::Before(answer) => return Ok(replayed(answer)),
        Begun::First(running) => running,
    };
    let task = tokio::spawn(in_same_scope(async move {
        let answer = next.run(request).await;
        keep(answer, running).await
    }));
    task.await.unwrap_or_else(|cause| {
        tracing::error!(%cause, "a change of an administrator was not finished");
        Err(Problem::of(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Something went wrong here. Try again in a few minutes.",
        ))
    })
}

/// Returns the idempotency key of a request.
fn key_in(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut keys = headers.get_all(KEY).iter();
    let Some(key) = keys.next() else {
        return Ok(None);
    };
    let text = key.to_str().unwrap_or_default();
    let is_valid = (1..=MAX_KEY).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_graphic())
        && keys.next().is_none();
    if !is_valid {
        let message = format!(
            "The header Idempotency-Key has 1 to {MAX_KEY} visible ASCII characters, and is sent once."
        );
        return Err(Problem::of(StatusCode::BAD_REQUEST, &message));
    }
    Ok(Some(text.to_owned()))
}

/// Returns the time since the first attempt at a repeated request.
fn age_in(headers: &HeaderMap) -> Result<Option<Duration>, Problem> {
    let Some(age) = headers.get(AGE) else {
        return Ok(None);
    };
    let age = age.to_str().ok().and_then(|text| text.parse().ok());
    age.map(Duration::from_millis).map(Some).ok_or_else(|| {
        Problem::of(
            StatusCode::BAD_REQUEST,
            "The header Idempotency-Age has the milliseconds since the first attempt, a whole number.",
        )
    })
}

/// Reads a request as a whole.
async fn read(request: Request) -> Result<(Request, Fingerprint), Problem> {
    let (head, body) = body_limit::read(request).await?;
    let mut hash = Sha256::new();
    let path = head.uri.path_and_query();
    let path = path.map_or("", |path| path.as_str());
    for part in [head.method.as_str().as_bytes(), path.as_bytes(), &body] {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    let request = Request::from_parts(head, Body::from(body));
    Ok((request, hash.finalize().into()))
}

/// Keeps the response to a change. A failure of the gateway is not kept, so that the change can be
/// repeated.
async fn keep(answer: Response, running: Running) -> Result<Response, Problem> {
    let (head, body) = answer.into_parts();
    let body = to_bytes(body, MAX_COLLECTED).await.map_err(|cause| {
        tracing::error!(%cause, "a response to an administrator cannot be read");
        Problem::of(
            StatusCode::INTERNAL_SERVER_ERROR,
            "The change was made, and its response cannot be written.",
        )
    })?;
    let is_final = !head.status.is_server_error() && head.status != StatusCode::TOO_MANY_REQUESTS;
    if is_final {
        let is_kept = body.len() <= MAX_ANSWER && head.extensions.get::<HoldsSecret>().is_none();
        let progress = if is_kept {
            Progress::Answered(Answer {
                status: head.status,
                kind: head.headers.get(CONTENT_TYPE).cloned(),
                body: body.clone(),
            })
        } else {
            Progress::NotKept
        };
        running.finish(progress, Instant::now());
    }
    Ok(Response::from_parts(head, Body::from(body)))
}

fn replayed(answer: Answer) -> Response {
    let mut response = (answer.status, answer.body).into_response();
    let headers = response.headers_mut();
    headers.remove(CONTENT_TYPE);
    headers.extend(answer.kind.map(|kind| (CONTENT_TYPE, kind)));
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    response
}
