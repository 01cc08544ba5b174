//! Settings of the instance.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use latchkey_core::activity::AuditContext;
use latchkey_core::admin::InstanceRecord;
use latchkey_core::instance::{Hosted, SettingsChange};
use latchkey_core::{Error, ErrorCode, Result};

use super::administration::Administration;
use super::refused::Refused;
use crate::api::{Body, answer};

/// Show the settings
///
/// Describes the signing key without its secret.
#[utoipa::path(
    get, path = "/settings", tag = "Instance",
    responses((status = 200, description = "The instance with its settings", body = InstanceRecord)),
)]
pub(super) async fn show(State(admin): State<Arc<Administration>>) -> Result<Response, Refused> {
    let instance = admin.instance().await?;
    Ok(answer(StatusCode::OK, &InstanceRecord::from(&instance))?)
}

/// Change settings
///
/// Settings that are left out keep their values. The change takes effect at once. Whether the
/// instance is hosted here can be changed only on the server.
#[utoipa::path(
    patch, path = "/settings", tag = "Instance", request_body = SettingsChange,
    responses(
        (status = 200, description = "The instance as it is now", body = InstanceRecord),
        (status = 409, description = "Another instance has the name"),
    ),
)]
pub(super) async fn change(
    State(admin): State<Arc<Administration>>,
    Extension(by): Extension<AuditContext>,
    Body(change): Body<SettingsChange>,
) -> Result<Response, Refused> {
    require_hosted_here(&change)?;
    let instance = admin
        .change(move |home, id| home.change(id, |settings| change.apply(settings), None, &by))
        .await?;
    Ok(answer(StatusCode::OK, &InstanceRecord::from(&instance))?)
}

/// Refuses to end the sign-ins of this gateway, because this API would end with them.
fn require_hosted_here(change: &SettingsChange) -> Result<()> {
    if change.hosted != Some(Hosted::Elsewhere) {
        return Ok(());
    }
    let message = "This gateway would sign nobody in any more, and could not be administered. Change that on the server, by 'latchkey instance set --hosted elsewhere'.";
    Err(Error::new(ErrorCode::InvalidSetting, message).about("hosted"))
}
