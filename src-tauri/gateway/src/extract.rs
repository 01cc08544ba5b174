//! Extractors that handlers share.

use std::sync::Arc;

use axum::Form;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::response::Response;
use serde::de::DeserializeOwned;

use crate::config::GatewayConfig;
use crate::error_page::ErrorPage;
use crate::gateway::Gateway;

/// Fields of a form, from the body or the query. Unreadable fields are refused with an
/// [`ErrorPage`].
pub(crate) struct FormInput<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Arc<Gateway>> for FormInput<T> {
    type Rejection = Response;

    async fn from_request(request: Request, gateway: &Arc<Gateway>) -> Result<Self, Response> {
        let headers = request.headers().clone();
        let form = Form::<T>::from_request(request, gateway).await;
        form.map(|Form(fields)| Self(fields)).map_err(|unreadable| {
            let sentence = "The form that was sent cannot be read. Open your link again.";
            let config = gateway.last_config();
            ErrorPage::new(unreadable.status(), sentence).answer(config.as_deref(), &headers)
        })
    }
}

/// Configuration of the instance for the current request.
pub(crate) struct CurrentConfig(pub(crate) Arc<GatewayConfig>);

impl FromRequestParts<Arc<Gateway>> for CurrentConfig {
    type Rejection = Response;

    async fn from_request_parts(
        parts: &mut Parts,
        gateway: &Arc<Gateway>,
    ) -> Result<Self, Response> {
        let config = gateway.config().await;
        config
            .map(Self)
            .map_err(|cause| ErrorPage::failure(&cause).answer(None, &parts.headers))
    }
}
