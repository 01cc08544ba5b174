//! The HTTP client. Its requests run on a thread of its own, so that a program without an async
//! runtime can wait for them.

use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, RETRY_AFTER};
use hyper::{Method, Request, StatusCode};
use latchkey_core::activity::AuditContext;
use latchkey_core::admin::{About, CONTEXT, Context, ROOT};
use latchkey_core::directory::OnChange;
use latchkey_core::{Error, Result};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::Builder;
use tokio::sync::{OnceCell, Semaphore, mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout_at};

use super::failures::Failure;
use super::server::{Server, absent};
use super::stream;

/// Maximum number of rows that the other process returns at once.
pub(super) const PAGE: usize = 1000;

/// Timeout of a request with all its attempts.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Timeout of an attempt at a gateway on another computer.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(12);
/// Timeout of the first request, which shows whether the other process answers at all.
const GREETING_TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum number of attempts at a gateway on another computer.
const MAX_ATTEMPTS: u32 = 3;
/// Pause before the second attempt. It doubles for each further one, and is varied by half.
const PAUSE: Duration = Duration::from_millis(200);
/// Maximum number of requests at once. The other process accepts a limited number of connections.
const MAX_AT_ONCE: usize = 16;
/// Maximum size of an answer in bytes. A page of 1,000 users has up to 8 KiB of metadata each.
const MAX_ANSWER: usize = 32 * 1024 * 1024;
/// Header by which a gateway recognises a repeated request.
const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// Header of a repeated request with the milliseconds since the first attempt. A gateway that started
/// after it cannot know the key.
const IDEMPOTENCY_AGE: &str = "idempotency-age";

/// A request.
pub(super) struct Call {
    method: Method,
    /// Path and query below [`ROOT`].
    path: String,
    context: Option<Context>,
    body: Option<Vec<u8>>,
    timeout: Duration,
    /// Whether it is sent with a key that the gateway has refused.
    despite_refusal: bool,
    /// Whether it only asks, although its method is not one that does.
    only_asks: bool,
}

impl Call {
    pub(super) fn new(method: Method, path: &str) -> Self {
        Self {
            method,
            path: path.to_owned(),
            context: None,
            body: None,
            timeout: TIMEOUT,
            despite_refusal: false,
            only_asks: false,
        }
    }

    /// Returns a request for something that matches a query.
    pub(super) fn query(path: &str, query: &[(&str, &str)]) -> Self {
        let pairs: Vec<String> = query
            .iter()
            .map(|(name, value)| format!("{name}={}", encoded(value)))
            .collect();
        Self::new(Method::GET, &format!("{path}?{}", pairs.join("&")))
    }

    /// Returns the first request to a local process.
    pub(super) fn greeting() -> Self {
        Self::new(Method::GET, "").within(GREETING_TIMEOUT)
    }

    /// Sets the timeout.
    pub(super) fn within(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Sends it also if the gateway has refused the key before.
    pub(super) fn despite_refusal(self) -> Self {
        Self {
            despite_refusal: true,
            ..self
        }
    }

    /// Says that it changes nothing, although its method allows that.
    pub(super) fn only_asks(self) -> Self {
        Self {
            only_asks: true,
            ..self
        }
    }

    /// Sets who makes the request. Only a local process heeds it.
    pub(super) fn by(mut self, by: &AuditContext) -> Self {
        self.context = Some(by.into());
        self
    }

    /// Sets the body.
    pub(super) fn json(mut self, body: &impl Serialize) -> Result<Self> {
        self.body = Some(serde_json::to_vec(body).map_err(Error::internal)?);
        Ok(self)
    }

    /// Returns whether the request changes something.
    fn is_write(&self) -> bool {
        !self.method.is_safe() && !self.only_asks
    }

    fn request(self, server: &Server) -> Result<Request<Full<Bytes>>> {
        let is_write = self.is_write();
        let mut request = Request::builder()
            .method(self.method)
            .uri(server.at(&format!("{ROOT}{}", self.path)));
        if let Some(context) = &self.context {
            let context = serde_json::to_vec(context).map_err(Error::internal)?;
            request = request.header(CONTEXT, context);
        }
        if self.body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        if is_write && server.is_gateway() {
            let mut random = [0_u8; 16];
            getrandom::fill(&mut random).map_err(Error::internal)?;
            request = request.header(IDEMPOTENCY_KEY, URL_SAFE_NO_PAD.encode(random));
        }
        let body = Full::from(self.body.unwrap_or_default());
        request.body(body).map_err(Error::internal)
    }
}

/// Encodes a text for a segment of a path or for a query.
pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// Work for the thread of the client.
enum Job {
    Call {
        request: Box<Request<Full<Bytes>>>,
        is_write: bool,
        within: Duration,
        answer: oneshot::Sender<Result<Answer>>,
    },
    Follow(OnChange),
}

struct Answer {
    status: StatusCode,
    body: Bytes,
}

/// Handle of the thread that sends requests. The thread ends when all handles are dropped.
#[derive(Clone)]
pub(super) struct Client {
    server: Server,
    jobs: mpsc::UnboundedSender<Job>,
    /// Description of the gateway, after its first answer.
    about: OnceCell<About>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

impl Client {
    /// Starts the thread. Sends nothing yet.
    pub(super) fn start(server: Server) -> Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(Error::internal)?;
        let (jobs, mut waiting) = mpsc::unbounded_channel();
        let room = Arc::new(Semaphore::new(MAX_AT_ONCE));
        let target = server.clone();
        let work = move || {
            runtime.block_on(async move {
                while let Some(job) = waiting.recv().await {
                    match job {
                        Job::Call {
                            request,
                            is_write,
                            within,
                            answer,
                        } => {
                            let (server, room) = (target.clone(), Arc::clone(&room));
                            tokio::spawn(async move {
                                // It fails only if it is closed, which nobody does.
                                let _room = room.acquire().await;
                                let answered = answer_to(&server, *request, is_write, within).await;
                                // It fails if nobody waits for the answer any more.
                                let _ = answer.send(answered);
                            });
                        }
                        Job::Follow(call) => {
                            tokio::spawn(stream::follow(target.clone(), call));
                        }
                    }
                }
            });
        };
        let thread = thread::Builder::new().name("latchkey-remote".into());
        thread.spawn(work).map_err(Error::internal)?;
        Ok(Self {
            server,
            jobs,
            about: OnceCell::new(),
        })
    }

    /// Sends a request, and reads the answer.
    pub(super) async fn send<T: DeserializeOwned>(&self, call: Call) -> Result<T> {
        let is_write = call.is_write();
        let body = self.answer(call).await?;
        let unreadable = |cause| self.server.unreadable(cause, self.about.get(), is_write);
        serde_json::from_slice(&body).map_err(unreadable)
    }

    /// Sends a request whose answer has no content.
    pub(super) async fn act(&self, call: Call) -> Result<()> {
        self.answer(call).await.map(drop)
    }

    /// Sends a request whose answer nobody waits for.
    pub(super) fn send_unanswered(&self, call: Call) -> Result<()> {
        let (answer, _) = oneshot::channel();
        let (within, is_write) = (call.timeout, call.is_write());
        let request = Box::new(call.request(&self.server)?);
        let job = Job::Call {
            request,
            is_write,
            within,
            answer,
        };
        self.jobs.send(job).map_err(|_| absent())
    }

    /// Requests a path with a query.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<T> {
        self.send(Call::query(path, query)).await
    }

    /// Calls `call` after each change that the other process reports.
    pub(super) fn follow(&self, call: OnChange) {
        // It fails only after the thread has ended, and then there are no changes.
        let _ = self.jobs.send(Job::Follow(call));
    }

    /// Returns the description of the gateway. Asks for it once.
    pub(super) async fn about(&self, within: Duration) -> Result<&About> {
        self.greet(Call::new(Method::GET, "").within(within)).await
    }

    async fn greet(&self, greeting: Call) -> Result<&About> {
        let greet = || async {
            let body = self.answer_ungreeted(greeting).await?;
            let about = serde_json::from_slice::<About>(&body);
            let about = about.map_err(|cause| self.server.unreadable(cause, None, false))?;
            self.server.check(&about)?;
            Ok(about)
        };
        self.about.get_or_try_init(greet).await
    }

    async fn answer(&self, call: Call) -> Result<Bytes> {
        if self.server.needs_greeting() {
            let greeting = Call::new(Method::GET, "").within(call.timeout);
            self.greet(Call {
                despite_refusal: call.despite_refusal,
                ..greeting
            })
            .await?;
        }
        self.answer_ungreeted(call).await
    }

    async fn answer_ungreeted(&self, call: Call) -> Result<Bytes> {
        if !call.despite_refusal {
            self.server.require_accepted()?;
        }
        let (sender, answer) = oneshot::channel();
        let (within, is_write) = (call.timeout, call.is_write());
        let job = Job::Call {
            request: Box::new(call.request(&self.server)?),
            is_write,
            within,
            answer: sender,
        };
        self.jobs.send(job).map_err(|_| absent())?;
        let Answer { status, body } = answer.await.map_err(|_| absent())??;
        if status.is_success() {
            self.server.accepted();
            return Ok(body);
        }
        let about = self.about.get();
        Err(self.server.refused(status, &body, about, is_write))
    }
}

/// Sends a request. Repeats it to a gateway on another computer if no answer comes. A repeated
/// change has the same idempotency key, so it is made once. If the gateway has started again since the
/// first attempt, it makes nothing and says so.
async fn answer_to(
    server: &Server,
    mut request: Request<Full<Bytes>>,
    is_write: bool,
    within: Duration,
) -> Result<Answer> {
    let begun = Instant::now();
    let end = begun + within;
    let (mut attempt, mut is_sent) = (1, false);
    loop {
        let attempt_end = if server.is_gateway() {
            end.min(Instant::now() + ATTEMPT_TIMEOUT.max(within / MAX_ATTEMPTS))
        } else {
            end
        };
        let answered = timeout_at(attempt_end, answer_once(server, request.clone())).await;
        let failure = match answered.unwrap_or_else(|_| Err(server.too_slow())) {
            Ok(answer) => return Ok(answer),
            Err(failure) => failure,
        };
        is_sent |= failure.is_sent;
        let is_last = !server.is_gateway() || !failure.is_passing || attempt == MAX_ATTEMPTS;
        let pause = pause(attempt);
        if is_last || Instant::now() + pause >= end {
            return Err(if is_write && is_sent {
                failure.error.in_doubt()
            } else {
                failure.error
            });
        }
        sleep(pause).await;
        attempt += 1;
        if is_sent && request.headers().contains_key(IDEMPOTENCY_KEY) {
            let age = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
            request.headers_mut().insert(IDEMPOTENCY_AGE, age.into());
        }
    }
}

/// Returns the pause after an attempt. It is random, so that several clients do not come back at
/// the same moment.
fn pause(attempt: u32) -> Duration {
    let mut random = [0_u8; 1];
    // Without randomness the pause is only less varied.
    let _ = getrandom::fill(&mut random);
    let [random] = random;
    let base = PAUSE * 2_u32.pow(attempt - 1);
    base / 2 + base * u32::from(random) / 256
}

async fn answer_once(
    server: &Server,
    request: Request<Full<Bytes>>,
) -> std::result::Result<Answer, Failure> {
    let response = server.request(request).await;
    let response = response.map_err(|cause| server.unanswered(cause))?;
    let status = response.status();
    let is_running = status == StatusCode::CONFLICT && response.headers().contains_key(RETRY_AFTER);
    if is_running && server.is_gateway() {
        // The first attempt at this change is still running there.
        return Err(server.too_slow());
    }
    let body = Limited::new(response.into_body(), MAX_ANSWER)
        .collect()
        .await;
    let body = body.map_err(|cause| server.cut_off(cause))?.to_bytes();
    Ok(Answer { status, body })
}
