//! Login links, for another system.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use latchkey_core::activity::AuditContext;
use latchkey_core::error::Warning;
use latchkey_core::inspect::preview;
use latchkey_core::link::compose::{LinkSpec, compose};
use latchkey_core::protocol::payload::Payload;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::body::{Body, answer, some};
use super::problem::{Problem, ProblemDetails};

use crate::gateway::Gateway;

/// A link that is to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct LinkRequest {
    /// Who signs in, as the code says it: `{"email": …}` or `{"id": …}` for a user who is there,
    /// `{"user": {"id": …}}` for one who is created the first time, with `email` and metadata if there
    /// are any.
    #[schema(value_type = Who, example = json!({"user": {"id": "ada", "email": "ada@yourcompany.com"}}))]
    payload: Map<String, Value>,
    /// How long the link works: `7 days`, `12h`, `never`. As the instance says, if it is left out.
    #[schema(example = "7 days", nullable = false)]
    #[serde(default, deserialize_with = "some")]
    expires_in: Option<String>,
    /// Whether the first sign-in uses it up.
    #[serde(default)]
    single_use: bool,
}

/// Who signs in: one of the protocol's three payloads. For the description alone; core reads them.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it is only described")]
enum Who {
    Email(ByEmail),
    Id(ById),
    User(ByUser),
}

/// A user who is there, by address.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it is only described")]
struct ByEmail {
    #[schema(min_length = 3, max_length = 254)]
    email: String,
}

/// A user who is there, by id. An address beside it does not decide, and is not in the code.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it is only described")]
struct ById {
    id: IdText,
    #[schema(nullable = false, min_length = 3, max_length = 254)]
    email: Option<String>,
}

/// A text or a whole number, which name the same user.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it is only described")]
enum IdText {
    Text(String),
    Number(i64),
}

/// A new or returning user.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it is only described")]
struct ByUser {
    user: NewUser,
}

/// A user who is created the first time. Further members are metadata.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is only described")]
struct NewUser {
    #[schema(min_length = 1, max_length = 255)]
    id: String,
    #[schema(min_length = 3, max_length = 254)]
    email: Option<String>,
}

/// A link. Whoever has it signs in.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Link {
    /// The address to open.
    url: String,
    /// The code in it.
    code: String,
    /// The tag for a page that has the widget.
    widget: String,
    /// The code's own id (`jti`), under which the activity records what becomes of it.
    id: Option<String>,
    /// Until when it works; for ever, if nothing.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// Warnings to read before the link is given out.
    warnings: Vec<Warning>,
}

/// Make a login link
#[utoipa::path(
    post, path = "/api/v1/links", tag = "Links", request_body = LinkRequest,
    responses(
        (status = 200, description = "The link", body = Link),
        (status = 400, description = "The body is no JSON", body = ProblemDetails, content_type = "application/problem+json"),
        (status = 413, description = "The body is longer than 16 KiB"),
        (status = 415, description = "The body is not said to be JSON", body = ProblemDetails, content_type = "application/problem+json"),
        (status = 422, description = "A member breaks a rule", body = ProblemDetails, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn make(
    State(gateway): State<Arc<Gateway>>,
    Extension(by): Extension<AuditContext>,
    Body(wanted): Body<LinkRequest>,
) -> Result<Response, Problem> {
    let config = gateway.config().await?;
    let payload = Payload::from_request(&wanted.payload)?;
    let lifetime = match &wanted.expires_in {
        Some(text) => text.parse()?,
        None => config.settings.lifetime,
    };
    let composition = LinkSpec {
        single_use: wanted.single_use,
        ..LinkSpec::new(payload, lifetime)
    };
    let composed = compose(&config.settings.target(), &config.key, composition, by.at)?;
    let registered = &composed.claims.registered;
    let link = Link {
        url: composed.link.url(),
        code: composed.code.expose().to_owned(),
        widget: composed.widget.clone(),
        id: registered.id.clone(),
        expires_at: registered
            .expires_at
            .and_then(|at| Timestamp::from_second(at).ok())
            .map(|at| at.to_string()),
        warnings: preview::warnings(&composed, &config.settings, &config.key)
            .into_iter()
            .chain(preview::refusal(
                &composed,
                &config.settings,
                &config.key,
                by.at,
            ))
            .collect(),
    };
    let claims = composed.claims;
    gateway.directory.link_made(&claims, &by).await?;
    answer(StatusCode::OK, &link)
}
