//! Reading of the parameters of a query.

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use url::form_urlencoded;

use super::refused::Refused;
use crate::api::problem::Problem;

/// Extractor for the parameters of a query. Refuses unknown parameters, parameters that are there
/// twice, and wrong values. The problem names the parameter.
pub(super) struct Params<T>(pub(super) T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        let query = parts.uri.query().unwrap_or_default();
        let pairs = form_urlencoded::parse(query.as_bytes());
        let read = serde_path_to_error::deserialize(serde_urlencoded::Deserializer::new(pairs));
        read.map(Self).map_err(|cause| {
            let parameter = cause.path().to_string();
            let message = format!("The query cannot be read: {}.", cause.inner());
            let problem = Problem::of(StatusCode::BAD_REQUEST, &message);
            Refused::from(if parameter == "." {
                problem
            } else {
                problem.about(&parameter)
            })
        })
    }
}
