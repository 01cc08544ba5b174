//! The header `Idempotency-Key`: a client that has lost the response to a change sends the request
//! again, and gets the first response in place of a second change.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequest as _, Request, State};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use sha2::{Digest as _, Sha256};

use crate::api::key::KeyId;
use crate::api::problem::Problem;
use crate::request_scope::in_same_scope;

/// Header with the key that a client has chosen for a change.
const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Header of a response that is given again.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// Maximum length of a key, in characters.
const MAX_KEY: usize = 255;
/// Time for which a response is kept.
const KEPT: Duration = Duration::from_hours(24);
/// Maximum number of kept responses. The oldest ones are dropped first.
const MAX_ANSWERS: usize = 10_000;
/// Maximum size of all kept responses, in bytes.
const MAX_BYTES: usize = 16 * 1024 * 1024;
/// Maximum size of a kept response, in bytes. Longer ones are not given again.
const MAX_ANSWER: usize = 64 * 1024;
/// Maximum size of a response to a change, in bytes.
const MAX_COLLECTED: usize = 32 * 1024 * 1024;

/// Mark of a response with a secret that must not be readable twice, so it is not kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct HoldsSecret;

/// Client and key of a change. A key of one client means nothing for another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct ChangeId {
    /// ID of the API key. `None` for the local socket.
    client: Option<String>,
    key: String,
}

/// SHA-256 of the method, the path and the body of a request.
type Fingerprint = [u8; 32];

/// The changes of the last 24 hours that have an idempotency key. They are in memory only, so a
/// restart forgets them.
#[derive(Default)]
pub(super) struct Idempotency(Mutex<Changes>);

#[derive(Default)]
struct Changes {
    by_id: HashMap<ChangeId, Change>,
    /// Finished changes, the oldest first.
    finished: VecDeque<(ChangeId, Instant)>,
    /// Size of the kept responses.
    bytes: usize,
}

struct Change {
    fingerprint: Fingerprint,
    progress: Progress,
}

#[derive(Clone)]
enum Progress {
    Running,
    Answered(Answer),
    /// The change was made, and its response is not kept.
    NotKept,
}

/// A kept response.
#[derive(Clone)]
struct Answer {
    status: StatusCode,
    kind: Option<HeaderValue>,
    body: Bytes,
}

impl Answer {
    fn size(&self) -> usize {
        self.body.len()
    }
}

impl Idempotency {
    /// Begins a change. Returns its progress if it was begun before.
    fn begin(
        self: &Arc<Self>,
        id: &ChangeId,
        fingerprint: Fingerprint,
        now: Instant,
    ) -> Result<Begun, Problem> {
        let mut changes = self.changes();
        changes.forget_old(now);
        let Some(known) = changes.by_id.get(id) else {
            let change = Change {
                fingerprint,
                progress: Progress::Running,
            };
            changes.by_id.insert(id.clone(), change);
            return Ok(Begun::First(Running {
                id: id.clone(),
                changes: Arc::clone(self),
                is_finished: false,
            }));
        };
        if known.fingerprint != fingerprint {
            return Err(Problem::of(
                StatusCode::UNPROCESSABLE_ENTITY,
                "Another request had this Idempotency-Key. Choose a new key for each change.",
            ));
        }
        match &known.progress {
            Progress::Running => Err(Problem::of(
                StatusCode::CONFLICT,
                "The first request with this Idempotency-Key is still running. Try again in a second.",
            )
            .with(RETRY_AFTER, HeaderValue::from_static("1"))),
            Progress::NotKept => Err(Problem::of(
                StatusCode::CONFLICT,
                "The change was made, and its response is not given again, because it had a secret or was too long. Look at the current state, and repeat the change with a new Idempotency-Key if you need its response.",
            )),
            Progress::Answered(answer) => Ok(Begun::Before(answer.clone())),
        }
    }

    fn changes(&self) -> MutexGuard<'_, Changes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Changes {
    /// Drops responses that are too old or too many.
    fn forget_old(&mut self, now: Instant) {
        let is_over = |changes: &Self, at: Instant| {
            now.saturating_duration_since(at) >= KEPT
                || changes.finished.len() > MAX_ANSWERS
                || changes.bytes > MAX_BYTES
        };
        while let Some((_, at)) = self.finished.front()
            && is_over(self, *at)
        {
            let Some((id, _)) = self.finished.pop_front() else {
                break;
            };
            if let Some(Change {
                progress: Progress::Answered(answer),
                ..
            }) = self.by_id.remove(&id)
            {
                self.bytes = self.bytes.saturating_sub(answer.size());
            }
        }
    }

    fn finish(&mut self, id: &ChangeId, progress: Progress, now: Instant) {
        let Some(change) = self.by_id.get_mut(id) else {
            return;
        };
        if let Progress::Answered(answer) = &progress {
            self.bytes = self.bytes.saturating_add(answer.size());
        }
        change.progress = progress;
        self.finished.push_back((id.clone(), now));
        self.forget_old(now);
    }
}

/// Outcome of beginning a change.
enum Begun {
    /// This request is the first one.
    First(Running),
    /// The change was made before, with this response.
    Before(Answer),
}

/// A change that is running. If it is dropped before it is finished, nothing is known of it any
/// more, and the next request makes the change.
struct Running {
    id: ChangeId,
    changes: Arc<Idempotency>,
    is_finished: bool,
}

impl Running {
    fn finish(mut self, progress: Progress, now: Instant) {
        self.is_finished = true;
        self.changes.changes().finish(&self.id, progress, now);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.is_finished {
            self.changes.changes().by_id.remove(&self.id);
        }
    }
}

/// Gives the response to a change again, if the request has an idempotency key that was used before.
/// A request with a key is finished even if its client leaves.
pub(super) async fn replay(
    State(changes): State<Arc<Idempotency>>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return Ok(next.run(request).await);
    }
    let Some(key) = key_in(request.headers())? else {
        return Ok(next.run(request).await);
    };
    let client = request.extensions().get::<KeyId>();
    let id = ChangeId {
        client: client.map(|KeyId(id)| id.clone()),
        key,
    };
    let (request, fingerprint) = read(request).await?;
    let running = match changes.begin(&id, fingerprint, Instant::now())? {
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

/// Reads a request as a whole.
async fn read(request: Request) -> Result<(Request, Fingerprint), Problem> {
    let (head, body) = request.into_parts();
    let mut limited = Request::new(body);
    *limited.extensions_mut() = head.extensions.clone();
    let body = Bytes::from_request(limited, &()).await.map_err(|refused| {
        let message = format!("{}.", refused.body_text());
        Problem::of(refused.status(), &message)
    })?;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn id(key: usize) -> ChangeId {
        ChangeId {
            client: None,
            key: key.to_string(),
        }
    }

    fn answer(bytes: usize) -> Progress {
        Progress::Answered(Answer {
            status: StatusCode::OK,
            kind: None,
            body: Bytes::from(vec![0; bytes]),
        })
    }

    fn finish(changes: &Arc<Idempotency>, key: usize, progress: Progress, now: Instant) {
        match changes.begin(&id(key), [0; 32], now) {
            Ok(Begun::First(running)) => running.finish(progress, now),
            _ => panic!("{key} is new"),
        }
    }

    fn is_known(changes: &Arc<Idempotency>, key: usize, now: Instant) -> bool {
        matches!(changes.begin(&id(key), [0; 32], now), Ok(Begun::Before(_)))
    }

    #[test]
    fn a_response_is_kept_for_24_hours() {
        let (changes, now) = (Arc::new(Idempotency::default()), Instant::now());
        finish(&changes, 1, answer(10), now);
        let almost = KEPT.saturating_sub(Duration::from_secs(1));
        assert!(is_known(&changes, 1, now + almost));
        assert!(!is_known(&changes, 1, now + KEPT));
        assert_eq!(changes.changes().bytes, 0);
    }

    #[test]
    fn the_oldest_responses_make_room() {
        let (changes, now) = (Arc::new(Idempotency::default()), Instant::now());
        for key in 0..=MAX_ANSWERS {
            finish(&changes, key, answer(1), now);
        }
        assert!(!is_known(&changes, 0, now) && is_known(&changes, 1, now));
        assert_eq!(changes.changes().finished.len(), MAX_ANSWERS);
        let large = Arc::new(Idempotency::default());
        for key in 0..=MAX_BYTES / MAX_ANSWER {
            finish(&large, key, answer(MAX_ANSWER), now);
        }
        assert!(!is_known(&large, 0, now) && is_known(&large, 1, now));
        assert!(large.changes().bytes <= MAX_BYTES);
    }

    #[test]
    fn a_running_change_is_not_begun_again_and_one_that_failed_is() {
        let (changes, now) = (Arc::new(Idempotency::default()), Instant::now());
        let Ok(Begun::First(running)) = changes.begin(&id(1), [0; 32], now) else {
            panic!("it is new");
        };
        assert!(changes.begin(&id(1), [0; 32], now).is_err(), "it runs");
        assert!(
            changes.begin(&id(1), [1; 32], now).is_err(),
            "another request"
        );
        drop(running);
        assert!(matches!(
            changes.begin(&id(1), [0; 32], now),
            Ok(Begun::First(_))
        ));
    }
}
