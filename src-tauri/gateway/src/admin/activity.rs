//! Entries of the activity.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use latchkey_core::activity::{ActivityQuery, AuditContext, Kind};
use latchkey_core::admin::{EventRecord, Page, Waiting};
use latchkey_core::directory::Command;
use serde::Deserialize;

use super::administration::Administration;
use super::paging::{bad_query, page_size};
use super::refused::Refused;
use crate::api::{Body, answer};

/// Default and maximum number of entries on a page.
const PAGE: u32 = 1000;

/// Selection and beginning of a page of entries.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    kind: Option<Kind>,
    subject: Option<String>,
    #[serde(default)]
    text: String,
    before: Option<u64>,
    limit: Option<u32>,
}

pub(super) async fn list(
    State(admin): State<Arc<Administration>>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, Refused> {
    let Query(wanted) = wanted.map_err(|cause| bad_query(&cause))?;
    let limit = page_size(wanted.limit, PAGE)?;
    let query = ActivityQuery {
        kind: wanted.kind,
        subject: wanted.subject,
        text: wanted.text,
    };
    let page = admin.directory.activity(&query, wanted.before, limit);
    Ok(answer(StatusCode::OK, &Page::from(page.await?))?)
}

pub(super) async fn record(
    State(admin): State<Arc<Administration>>,
    Extension(by): Extension<AuditContext>,
    Body(EventRecord { event }): Body<EventRecord>,
) -> Result<Response, Refused> {
    admin.directory.record(event, &by).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub(super) async fn record_outbox(
    State(admin): State<Arc<Administration>>,
    Extension(by): Extension<AuditContext>,
    Body(Waiting { change }): Body<Waiting>,
) -> Result<Response, Refused> {
    let command = Command::RecordOutbox(change);
    admin.directory.execute(command, &by).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
