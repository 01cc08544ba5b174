//! API request that makes a login link.

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

/// Request for a login link.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct LinkRequest {
    /// Payload of the code, which says who signs in. `{"email": …}` or `{"id": …}` names an
    /// existing user. `{"user": {"id": …}}` names a new or returning user, with an optional `email`
    /// and metadata.
    #[schema(value_type = Who, example = json!({"user": {"id": "ada", "email": "ada@yourcompany.com"}}))]
    payload: Map<String, Value>,
    /// Lifetime of the link, such as `7 days`, `12h` or `never`. Defaults to the setting of the
    /// instance.
    #[schema(example = "7 days", nullable = false)]
    #[serde(default, deserialize_with = "some")]
    expires_in: Option<String>,
    /// Whether the first sign-in uses the link up.
    #[serde(default)]
    single_use: bool,
}

/// The three payloads of the protocol. Only the `OpenAPI` description uses this type; core reads
/// payloads.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only the description uses it")]
enum Who {
    Email(ByEmail),
    Id(ById),
    User(ByUser),
}

/// An existing user, named by address.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only the description uses it")]
struct ByEmail {
    #[schema(min_length = 3, max_length = 254)]
    email: String,
}

/// An existing user, named by ID. An address beside the ID is ignored and is not in the code.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only the description uses it")]
struct ById {
    id: IdText,
    #[schema(nullable = false, min_length = 3, max_length = 254)]
    email: Option<String>,
}

/// A text or a whole number. `"1234"` and `1234` name the same user.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only the description uses it")]
enum IdText {
    Text(String),
    Number(i64),
}

/// A new or returning user.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only the description uses it")]
struct ByUser {
    user: NewUser,
}

/// A user who is created by the first sign-in. Further members are metadata.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only the description uses it")]
struct NewUser {
    #[schema(min_length = 1, max_length = 255)]
    id: String,
    #[schema(min_length = 3, max_length = 254)]
    email: Option<String>,
}

/// A login link. Anybody who has it can sign in.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Link {
    /// URL that opens the link.
    url: String,
    /// Code in the URL.
    code: String,
    /// Script tag for a page that shows the widget.
    widget: String,
    /// ID of the code (`jti`), by which the activity names the link.
    id: Option<String>,
    /// Time at which the link expires. `null` if it never does.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// Warnings to read before giving the link away.
    warnings: Vec<Warning>,
}

/// Make a login link
#[utoipa::path(
    post, path = "/api/v1/links", tag = "Links", security(("key" = ["links"])), request_body = LinkRequest,
    responses(
        (status = 200, description = "The link", body = Link),
        (status = 400, description = "The body is no JSON", body = ProblemDetails, content_type = "application/problem+json"),
        (status = 413, description = "The body is longer than 16 KiB"),
        (status = 415, description = "The header Content-Type does not say JSON", body = ProblemDetails, content_type = "application/problem+json"),
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
    let spec = LinkSpec {
        single_use: wanted.single_use,
        ..LinkSpec::new(payload, lifetime)
    };
    let composed = compose(&config.settings.target(), &config.key, spec, by.at)?;
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
