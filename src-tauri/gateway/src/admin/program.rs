//! The program that serves the API.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use latchkey_core::admin::About;
use latchkey_core::{Error, ErrorCode};

use super::administration::Administration;
use super::refused::Refused;
use crate::api::answer;

/// Describe the program that serves the API
#[utoipa::path(
    get, path = "", tag = "Gateway",
    responses((status = 200, description = "The program", body = About)),
)]
pub(super) async fn about(
    State(administration): State<Arc<Administration>>,
) -> Result<Response, Refused> {
    let settings = administration.stored().await?.settings;
    let about = About {
        name: Some(settings.name.as_str().to_owned()),
        url: Some(settings.url.as_str().to_owned()),
        ..administration.about.clone()
    };
    Ok(answer(StatusCode::OK, &about)?)
}

/// Close the directory
///
/// For a program that must hold it, such as a gateway that starts.
#[utoipa::path(
    post, path = "/give-way", tag = "Server",
    responses(
        (status = 202, description = "The directory is being closed"),
        (status = 409, description = "The program needs the directory"),
    ),
)]
pub(super) async fn give_way(
    State(administration): State<Arc<Administration>>,
) -> Result<StatusCode, Refused> {
    if administration.give_way() {
        return Ok(StatusCode::ACCEPTED);
    }
    let holder = &administration.about.holder;
    let message = format!("{holder} has the directory open, and needs it.");
    Err(Error::new(ErrorCode::DirectoryHeld, message).into())
}
