//! The HTTP client. Its requests run on a thread of its own, so that a program without an async
//! runtime can wait for them.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request, Response};
use hyper_util::client::legacy;
use latchkey_core::activity::AuditContext;
use latchkey_core::admin::{CONTEXT, Context, Problem, ROOT};
use latchkey_core::directory::OnChange;
use latchkey_core::{Error, ErrorCode, Result};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::Builder;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::timeout;

use super::http::{self, Http};
use super::stream;

/// Timeout of a request.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Timeout of the first request, which shows whether the other process answers at all.
const GREETING_TIMEOUT: Duration = Duration::from_secs(2);
/// Maximum number of requests at once. The other process accepts a limited number of connections.
const MAX_AT_ONCE: usize = 16;
/// Maximum size of an answer in bytes. A page of 1,000 users has up to 8 KiB of metadata each.
const MAX_ANSWER: usize = 32 * 1024 * 1024;

/// A request.
pub(super) struct Call {
    method: Method,
    /// Path and query below [`ROOT`].
    path: String,
    context: Option<Context>,
    body: Option<Vec<u8>>,
    timeout: Duration,
}

impl Call {
    pub(super) fn new(method: Method, path: &str) -> Self {
        Self {
            method,
            path: path.to_owned(),
            context: None,
            body: None,
            timeout: TIMEOUT,
        }
    }

    /// Returns the first request to a process.
    pub(super) fn greeting() -> Self {
        Self {
            timeout: GREETING_TIMEOUT,
            ..Self::new(Method::GET, "")
        }
    }

    /// Sets who makes the request.
    pub(super) fn by(mut self, by: &AuditContext) -> Self {
        self.context = Some(by.into());
        self
    }

    /// Sets the body.
    pub(super) fn json(mut self, body: &impl Serialize) -> Result<Self> {
        self.body = Some(serde_json::to_vec(body).map_err(Error::internal)?);
        Ok(self)
    }

    fn request(self) -> Result<Request<Full<Bytes>>> {
        let mut request = Request::builder()
            .method(self.method)
            // The host has no meaning on a local socket.
            .uri(format!("http://localhost{ROOT}{}", self.path))
            .header(HOST, "localhost");
        if let Some(context) = &self.context {
            let context = serde_json::to_vec(context).map_err(Error::internal)?;
            request = request.header(CONTEXT, context);
        }
        if self.body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
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
        within: Duration,
        answer: oneshot::Sender<Result<Answer>>,
    },
    Follow(OnChange),
}

struct Answer {
    is_success: bool,
    body: Bytes,
}

/// Handle of the thread that sends requests. The thread ends when all handles are dropped.
#[derive(Clone)]
pub(super) struct Client {
    jobs: mpsc::UnboundedSender<Job>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

impl Client {
    /// Starts the thread.
    pub(super) fn start(socket: PathBuf) -> Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(Error::internal)?;
        let (jobs, mut waiting) = mpsc::unbounded_channel();
        let http = http::client(socket);
        let room = Arc::new(Semaphore::new(MAX_AT_ONCE));
        let work = move || {
            runtime.block_on(async move {
                while let Some(job) = waiting.recv().await {
                    match job {
                        Job::Call {
                            request,
                            within,
                            answer,
                        } => {
                            let (http, room) = (http.clone(), Arc::clone(&room));
                            tokio::spawn(async move {
                                // It fails only if it is closed, which nobody does.
                                let _room = room.acquire().await;
                                let answered = timeout(within, answer_to(&http, *request)).await;
                                let answered = answered
                                    .unwrap_or_else(|cause| Err(no_answer().because(cause)));
                                // It fails if nobody waits for the answer any more.
                                let _ = answer.send(answered);
                            });
                        }
                        Job::Follow(call) => {
                            tokio::spawn(stream::follow(http.clone(), call));
                        }
                    }
                }
            });
        };
        let thread = thread::Builder::new().name("latchkey-remote".into());
        thread.spawn(work).map_err(Error::internal)?;
        Ok(Self { jobs })
    }

    /// Sends a request, and reads the answer.
    pub(super) async fn send<T: DeserializeOwned>(&self, call: Call) -> Result<T> {
        let body = self.answer(call).await?;
        serde_json::from_slice(&body).map_err(other_version)
    }

    /// Sends a request whose answer has no content.
    pub(super) async fn act(&self, call: Call) -> Result<()> {
        self.answer(call).await.map(drop)
    }

    /// Sends a request whose answer nobody waits for.
    pub(super) fn send_unanswered(&self, call: Call) -> Result<()> {
        let (answer, _) = oneshot::channel();
        let within = call.timeout;
        let request = Box::new(call.request()?);
        let job = Job::Call {
            request,
            within,
            answer,
        };
        self.jobs.send(job).map_err(|_| no_answer())
    }

    /// Requests a path with a query.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<T> {
        let pairs: Vec<String> = query
            .iter()
            .map(|(name, value)| format!("{name}={}", encoded(value)))
            .collect();
        let path = format!("{path}?{}", pairs.join("&"));
        self.send(Call::new(Method::GET, &path)).await
    }

    /// Calls `call` after each change that the other process reports.
    pub(super) fn follow(&self, call: OnChange) {
        // It fails only after the thread has ended, and then there are no changes.
        let _ = self.jobs.send(Job::Follow(call));
    }

    async fn answer(&self, call: Call) -> Result<Bytes> {
        let (sender, answer) = oneshot::channel();
        let within = call.timeout;
        let job = Job::Call {
            request: Box::new(call.request()?),
            within,
            answer: sender,
        };
        self.jobs.send(job).map_err(|_| no_answer())?;
        let Answer { is_success, body } = answer.await.map_err(|_| no_answer())??;
        if is_success {
            return Ok(body);
        }
        let problem: Problem = serde_json::from_slice(&body).map_err(other_version)?;
        Err(problem.into_error())
    }
}

async fn answer_to(http: &Http, request: Request<Full<Bytes>>) -> Result<Answer> {
    let response: Response<Incoming> = http.request(request).await.map_err(unreachable)?;
    let is_success = response.status().is_success();
    let body = Limited::new(response.into_body(), MAX_ANSWER)
        .collect()
        .await;
    let body = body.map_err(|cause| no_answer().because(cause))?.to_bytes();
    Ok(Answer { is_success, body })
}

fn unreachable(cause: legacy::Error) -> Error {
    no_answer().because(cause)
}

/// Returns the error for a process that does not answer.
pub(super) fn no_answer() -> Error {
    Error::new(
        ErrorCode::Unreachable,
        "The program that holds the directory does not answer. It may have just ended. Try again.",
    )
}

fn other_version(cause: serde_json::Error) -> Error {
    Error::new(
        ErrorCode::Unreachable,
        "The program that holds the directory is of another version of Latchkey, and its answer cannot be read. Use the same version.",
    )
    .because(cause)
}
