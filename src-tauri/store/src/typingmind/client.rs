//! The HTTP client of TypingMind's API. A request blocks its thread.

use std::error::Error as StdError;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, StatusCode};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use latchkey_core::protocol::email::Email;
use latchkey_core::secret::Secret;
use latchkey_core::typingmind::{ListedUser, Region, parse_listing, parse_user, problem_in};
use latchkey_core::{Error, ErrorCode, Result};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;
use tokio::runtime::Builder;
use tokio::time::timeout;

/// Timeout of connecting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Limits of a request.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Timeout of a whole request. The list of all users comes in one answer.
    pub timeout: Duration,
    /// Maximum size of an answer in bytes.
    pub answer_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            timeout: Duration::from_mins(1),
            answer_bytes: 256 * 1024 * 1024,
        }
    }
}

/// A client for one account.
pub struct TypingMindClient<'a> {
    region: &'a Region,
    key: &'a Secret,
    limits: Limits,
}

/// A request below the URL of the API.
struct Call {
    method: Method,
    path: String,
    body: Option<Vec<u8>>,
}

/// An answer of any status.
struct Answer {
    status: StatusCode,
    body: Bytes,
}

impl<'a> TypingMindClient<'a> {
    /// Makes a client. Nothing is sent yet.
    #[must_use]
    pub fn new(region: &'a Region, key: &'a Secret, limits: Limits) -> Self {
        Self {
            region,
            key,
            limits,
        }
    }

    /// Returns all users.
    ///
    /// Fails with [`ErrorCode::Unreachable`], [`ErrorCode::KeyRefused`] or
    /// [`ErrorCode::UnexpectedAnswer`].
    pub fn users(&self) -> Result<Vec<ListedUser>> {
        let answer = self.call(Call {
            method: Method::GET,
            path: "/v2/users".to_owned(),
            body: None,
        });
        let answer = answer.map_err(|failed| failed.error)?;
        match answer.status {
            StatusCode::OK => parse_listing(&answer.body),
            StatusCode::NOT_FOUND => Err(Error::new(
                ErrorCode::UnexpectedAnswer,
                format!(
                    "{} has no list of users (404). Check the region of TypingMind.",
                    self.region.api_url()
                ),
            )),
            _ => Err(self.refused(&answer, "list its users")),
        }
    }

    /// Adds a user, who takes a seat there.
    ///
    /// Fails like [`users`](Self::users). After a connection that is lost or a failure there, it is
    /// not known whether the user was added; the message says so.
    pub fn add(&self, email: &Email) -> Result<ListedUser, ChangeFailed> {
        let body = json!({ "email": email }).to_string().into_bytes();
        let call = Call {
            method: Method::POST,
            path: "/v2/users".to_owned(),
            body: Some(body),
        };
        let answer = self.change(call, &format!("{email} was added"))?;
        if !answer.status.is_success() {
            return Err(self.not_changed(&answer, &format!("add {email}")));
        }
        parse_user(&answer.body).map_err(|mut odd| {
            odd.message = format!(
                "TypingMind says that {email} was added, but not as whom. Copy the users again."
            );
            ChangeFailed {
                error: odd,
                may_be_made: true,
            }
        })
    }

    /// Removes a user by TypingMind's ID.
    ///
    /// Fails like [`add`](Self::add), and with [`ErrorCode::UnknownUser`].
    pub fn remove(&self, id: &str) -> Result<(), ChangeFailed> {
        let call = Call {
            method: Method::DELETE,
            path: format!("/v2/users/{}", utf8_percent_encode(id, NON_ALPHANUMERIC)),
            body: None,
        };
        let answer = self.change(call, &format!("the user {id} was removed"))?;
        match answer.status {
            status if status.is_success() => Ok(()),
            StatusCode::NOT_FOUND => Err(ChangeFailed {
                error: Error::new(
                    ErrorCode::UnknownUser,
                    format!(
                        "TypingMind has no user with the ID {id} any more. Copy the users again."
                    ),
                )
                .about("id"),
                may_be_made: false,
            }),
            _ => Err(self.not_changed(&answer, &format!("remove the user {id}"))),
        }
    }

    /// Sends a request that changes something. If there is no answer, the error says that it is not
    /// known whether `done`.
    fn change(&self, call: Call, done: &str) -> Result<Answer, ChangeFailed> {
        self.call(call).map_err(|mut lost| {
            if lost.may_be_made {
                lost.error.message = format!(
                    "{} It is not known whether {done}. Copy the users again to see.",
                    lost.error.message
                );
            }
            lost
        })
    }

    /// Returns the failure for an answer to a change that is no success.
    fn not_changed(&self, answer: &Answer, what: &str) -> ChangeFailed {
        ChangeFailed {
            error: self.refused(answer, what),
            may_be_made: answer.status.is_server_error(),
        }
    }

    /// Sends a request and returns the whole answer.
    fn call(&self, call: Call) -> Result<Answer, ChangeFailed> {
        let client = client().map_err(before_sending)?;
        let request = self.request(call).map_err(before_sending)?;
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|cause| before_sending(Error::internal(cause)))?;
        let answering = async {
            let response = client.request(request).await;
            let response = response.map_err(|cause| ChangeFailed {
                may_be_made: !cause.is_connect(),
                error: self.unreachable(cause),
            })?;
            let status = response.status();
            let body = Limited::new(response.into_body(), self.limits.answer_bytes);
            let body = body.collect().await.map_err(|cause| ChangeFailed {
                error: self.cut(cause),
                may_be_made: true,
            })?;
            Ok(Answer {
                status,
                body: body.to_bytes(),
            })
        };
        // The timer needs the runtime, so it is made inside.
        let answered = runtime.block_on(async { timeout(self.limits.timeout, answering).await });
        // A name that is still being looked up is left behind.
        runtime.shutdown_background();
        answered.unwrap_or_else(|_| {
            let secs = self.limits.timeout.as_secs_f64();
            let message = format!(
                "TypingMind ({}) did not answer within {secs} seconds. Try again later.",
                self.region.host()
            );
            Err(ChangeFailed {
                error: Error::new(ErrorCode::Unreachable, message),
                may_be_made: true,
            })
        })
    }

    fn request(&self, call: Call) -> Result<Request<Full<Bytes>>> {
        let mut key = HeaderValue::from_str(self.key.expose()).map_err(Error::internal)?;
        key.set_sensitive(true);
        let mut request = Request::builder()
            .method(call.method)
            .uri(format!("{}{}", self.region.api_url(), call.path))
            .header("x-api-key", key)
            .header(ACCEPT, "application/json");
        if call.body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let body = Full::from(call.body.unwrap_or_default());
        request.body(body).map_err(Error::internal)
    }

    fn unreachable(&self, cause: impl StdError + Send + Sync + 'static) -> Error {
        let host = self.region.host();
        let why = root(&cause).to_string();
        let message = format!(
            "TypingMind ({host}) cannot be reached: {why}. Check the network connection and try again."
        );
        Error::new(ErrorCode::Unreachable, message).because(cause)
    }

    fn cut(&self, cause: Box<dyn StdError + Send + Sync>) -> Error {
        let what = if cause.is::<LengthLimitError>() {
            format!(
                "it is longer than {} MiB",
                self.limits.answer_bytes / (1024 * 1024)
            )
        } else {
            "it ends in the middle".to_owned()
        };
        let message = format!("The answer of TypingMind cannot be used: {what}. Try again later.");
        Error::new(ErrorCode::UnexpectedAnswer, message).because(cause)
    }

    /// Returns the error for an answer that is no success. `what` is what TypingMind was asked to do.
    fn refused(&self, answer: &Answer, what: &str) -> Error {
        let host = self.region.host();
        let status = answer.status.as_u16();
        let (code, message) = match status {
            401 | 403 => (
                ErrorCode::KeyRefused,
                format!(
                    "TypingMind ({host}) refuses the API key ({status}). Check the region, or make a new key there under Integrations, API Integration."
                ),
            ),
            429 => (
                ErrorCode::UnexpectedAnswer,
                format!("TypingMind ({host}) gets too many requests (429). Try again in a minute."),
            ),
            300..=399 => (
                ErrorCode::UnexpectedAnswer,
                format!(
                    "{host} leads to another address ({status}), which is not followed with an API key. Check the region of TypingMind."
                ),
            ),
            400..=499 => {
                let problem = problem_in(&answer.body, self.key);
                let problem = problem.map_or_else(String::new, |text| format!(": '{text}'"));
                (
                    ErrorCode::UnexpectedAnswer,
                    format!("TypingMind refuses to {what} ({status}){problem}."),
                )
            }
            _ => (
                ErrorCode::UnexpectedAnswer,
                format!("TypingMind ({host}) has failed to {what} ({status}). Try again later."),
            ),
        };
        let refused = Error::new(code, message);
        match code {
            ErrorCode::KeyRefused => refused.about("typingmind_key"),
            _ => refused,
        }
    }
}

/// Failure of a change at TypingMind.
#[derive(Debug)]
pub struct ChangeFailed {
    /// Description of the failure.
    pub error: Error,
    /// Whether the change may have been made.
    pub may_be_made: bool,
}

/// Returns the failure of a request that was not sent.
fn before_sending(error: Error) -> ChangeFailed {
    ChangeFailed {
        error,
        may_be_made: false,
    }
}

/// Returns the innermost cause, which names what has failed.
fn root<'a>(error: &'a (dyn StdError + 'static)) -> &'a (dyn StdError + 'static) {
    let mut root = error;
    while let Some(cause) = root.source() {
        root = cause;
    }
    root
}

/// Returns a client that checks certificates like the platform. Plain HTTP is only for a proxy on
/// this computer: [`Region`] refuses others.
fn client() -> Result<Client<HttpsConnector<HttpConnector>, Full<Bytes>>> {
    let mut http = HttpConnector::new();
    http.set_connect_timeout(Some(CONNECT_TIMEOUT));
    http.enforce_http(false);
    let provider = rustls::crypto::ring::default_provider();
    let https = HttpsConnectorBuilder::new()
        .with_provider_and_platform_verifier(provider)
        .map_err(|cause| {
            let message = "The certificates that this computer trusts cannot be read, so TypingMind cannot be asked.";
            Error::new(ErrorCode::Unreachable, message).because(cause)
        })?
        .https_or_http()
        .enable_http1()
        .wrap_connector(http);
    Ok(Client::builder(TokioExecutor::new()).build(https))
}
