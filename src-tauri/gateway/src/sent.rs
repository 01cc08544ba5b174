use std::sync::Arc;

use axum::Form;
use axum::extract::{FromRequest, Query, Request};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::de::DeserializeOwned;

use crate::gateway::Gateway;
use crate::refused::Refused;

/// What a form sends, in the body or the address. What cannot be read is refused as everything else is:
/// by a page, or a problem.
pub(crate) struct Sent<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Arc<Gateway>> for Sent<T> {
    type Rejection = Response;

    async fn from_request(request: Request, gateway: &Arc<Gateway>) -> Result<Self, Response> {
        let headers = request.headers().clone();
        let sent = Form::<T>::from_request(request, gateway).await;
        sent.map(|Form(sent)| Self(sent))
            .map_err(|unreadable| refused(unreadable.status(), gateway, &headers))
    }
}

/// What an address asks for behind its path.
#[expect(
    clippy::result_large_err,
    reason = "it is the one answer that a request gets"
)]
pub(crate) fn in_query<T: DeserializeOwned>(
    request: &Request,
    gateway: &Gateway,
) -> Result<T, Response> {
    Query::try_from_uri(request.uri())
        .map(|Query(asked)| asked)
        .map_err(|unreadable| refused(unreadable.status(), gateway, request.headers()))
}

fn refused(status: StatusCode, gateway: &Gateway, headers: &HeaderMap) -> Response {
    let sentence = "What was sent here cannot be read. Open your link again.";
    let hosted = gateway.hosted().ok();
    Refused::new(status, sentence).answer(hosted.as_deref(), headers)
}
