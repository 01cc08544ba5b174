//! The `OpenAPI` description of the API.

use axum::http::StatusCode;
use axum::response::Response;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::openapi::{self, ContentBuilder, Ref, ResponseBuilder};
use utoipa::{Modify, OpenApi, ToSchema as _};

use super::body::answer;
use super::problem::{Problem, ProblemDetails};
use super::{inspect, links, users};

/// Parts of the description that all paths share.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Latchkey",
        description = "The users of an instance and its login links, for other systems. Each request sends a key in the header `X-API-KEY`. An administrator makes and revokes keys. Each operation lists the scope that a key needs for it. The scope `users` includes `users:read`. An operation without a request body refuses a request with one, unless it is `{}`. The response to a refused request is problem details (RFC 9457). The administrator limits the number of requests per second from one address. The response to further requests is 429, with `Retry-After`. Ten wrong keys from one address within a minute have the same response for a minute."
    ),
    paths(users::list, users::add, users::show, users::change, users::remove, links::make, inspect::inspect),
    modifiers(&Common),
    tags(
        (name = "Users", description = "The people who can sign in. Each active user takes a seat."),
        (name = "Links", description = "The login links that sign users in."),
    ),
)]
struct Description;

/// Statuses that every path may return, with their descriptions.
const EVERYWHERE: [(&str, &str); 5] = [
    (
        "401",
        "The key is missing, does not belong to this instance, or has expired",
    ),
    ("403", "The key lacks the scope that the operation needs"),
    (
        "429",
        "There are too many requests or wrong keys from this address",
    ),
    ("500", "Something went wrong here"),
    (
        "503",
        "Something does not work at the moment; nothing was changed",
    ),
];

/// Statuses of requests that have a body where none is taken.
const WITHOUT_BODY: [(&str, &str); 3] = [
    ("400", "The body is incomplete"),
    ("413", "The body is longer than 16 KiB"),
    ("422", "The request has a body"),
];

/// Adds the API key, and the responses that every path may return, to the description.
struct Common;

impl Modify for Common {
    fn modify(&self, document: &mut openapi::OpenApi) {
        let key = ApiKeyValue::with_description("X-API-KEY", "A key of the instance.");
        let scheme = SecurityScheme::ApiKey(ApiKey::Header(key));
        if let Some(components) = &mut document.components {
            components.add_security_scheme("key", scheme);
        }
        for path in document.paths.paths.values_mut() {
            let operations = [
                &mut path.get,
                &mut path.post,
                &mut path.patch,
                &mut path.delete,
            ];
            for operation in operations.into_iter().flatten() {
                for (status, why) in EVERYWHERE {
                    let answers = &mut operation.responses.responses;
                    answers.insert(status.to_owned(), problem(why).into());
                }
                if operation.request_body.is_some() {
                    continue;
                }
                for (status, why) in WITHOUT_BODY {
                    let answers = operation.responses.responses.entry(status.to_owned());
                    answers.or_insert_with(|| problem(why).into());
                }
            }
        }
    }
}

/// Returns the response to a refused request.
fn problem(why: &str) -> openapi::Response {
    let details = Ref::from_schema_name(ProblemDetails::name());
    let content = ContentBuilder::new().schema(Some(details)).build();
    ResponseBuilder::new()
        .description(why)
        .content("application/problem+json", content)
        .build()
}

/// Returns the description in the format of `OpenAPI` 3.1.
pub(super) async fn document() -> Result<Response, Problem> {
    answer(StatusCode::OK, &Description::openapi())
}
