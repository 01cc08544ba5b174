use std::sync::Arc;

use axum::Form;
use axum::extract::{FromRequest, Request};
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
        sent.map(|Form(sent)| Self(sent)).map_err(|unreadable| {
            let sentence = "What was sent here cannot be read. Open your link again.";
            let hosted = gateway.hosted().ok();
            Refused::new(unreadable.status(), sentence).answer(hosted.as_deref(), &headers)
        })
    }
}
