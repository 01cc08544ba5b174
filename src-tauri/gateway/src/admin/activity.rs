//! Entries of the activity.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use latchkey_core::activity::{ActivityQuery, AuditContext, Kind, Mark};
use latchkey_core::admin::{EventRecord, Page, VerificationRecord, Waiting};
use latchkey_core::directory::Command;
use latchkey_core::time;
use serde::Deserialize;
use utoipa::IntoParams;

use super::administration::Administration;
use super::paging::{page_size, position};
use super::params::Params;
use super::refused::Refused;
use crate::api::{Body, answer};

/// Default and maximum number of entries on a page.
const PAGE: u32 = 1000;

/// Selection and beginning of a page of entries.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Only entries of this kind.
    kind: Option<Kind>,
    /// Only entries about this user, by the whole ID or address.
    subject: Option<String>,
    /// Only entries about the link with this ID.
    link: Option<String>,
    /// Only entries from this time on, in RFC 3339.
    #[param(format = DateTime)]
    from: Option<String>,
    /// Only entries before this time, in RFC 3339.
    #[param(format = DateTime)]
    to: Option<String>,
    /// Only entries that contain this text.
    #[serde(default)]
    text: String,
    /// Only entries before the one with this number: `before` of the page before.
    #[param(minimum = 0)]
    before: Option<i64>,
    /// Maximum number of entries to return.
    #[param(minimum = 1, maximum = 1000, default = 1000)]
    limit: Option<u32>,
}

/// List entries of the activity
///
/// Newest first. A page may have fewer entries than `limit` although more follow.
#[utoipa::path(
    get, path = "/activity", tag = "Activity", params(Wanted),
    responses(
        (status = 200, description = "The page", body = Page),
    ),
)]
pub(super) async fn list(
    State(admin): State<Arc<Administration>>,
    Params(wanted): Params<Wanted>,
) -> Result<Response, Refused> {
    let limit = page_size(wanted.limit, PAGE)?;
    let time = |text: Option<String>, field: &str| {
        let at = text.map(|text| time::parse(&text, &TimeZone::UTC, field));
        at.transpose().map(|at| at.map(Timestamp::as_second))
    };
    let query = ActivityQuery {
        kind: wanted.kind,
        subject: wanted.subject,
        link: wanted.link,
        from: time(wanted.from, "from")?,
        to: time(wanted.to, "to")?,
        text: wanted.text,
    };
    let before = wanted.before.map(|before| position(before, "before"));
    let before = before.transpose()?;
    let page = admin.directory.activity(&query, before, limit);
    Ok(answer(StatusCode::OK, &Page::from(page.await?))?)
}

/// Seal that a verification compares.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Expected {
    /// Number and hash of a seal that an earlier verification returned as `last`, with a colon
    /// between them.
    expect: Option<String>,
}

/// Verify the activity
///
/// Reads all entries and computes their seals. Takes some seconds for a million entries.
#[utoipa::path(
    get, path = "/activity/verification", tag = "Activity", params(Expected),
    responses(
        (status = 200, description = "The result", body = VerificationRecord),
    ),
)]
pub(super) async fn verify(
    State(admin): State<Arc<Administration>>,
    Params(Expected { expect }): Params<Expected>,
) -> Result<Response, Refused> {
    let expected = expect.map(|mark| mark.parse::<Mark>()).transpose();
    let expected = expected.map_err(|refused| refused.about("expect"))?;
    let verified = admin.directory.verify_activity(expected).await?;
    let record = VerificationRecord::new(verified, expected.as_ref());
    Ok(answer(StatusCode::OK, &record)?)
}

/// Record an event
///
/// For programs of the server that have done what the event says.
#[utoipa::path(
    post, path = "/activity", tag = "Server", request_body = EventRecord,
    responses(
        (status = 204, description = "The event is recorded"),
    ),
)]
pub(super) async fn record(
    State(admin): State<Arc<Administration>>,
    Extension(by): Extension<AuditContext>,
    Body(EventRecord { event }): Body<EventRecord>,
) -> Result<Response, Refused> {
    admin.directory.record(event, &by).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Record a waiting change of the settings
///
/// Records each change once.
#[utoipa::path(
    post, path = "/activity/outbox", tag = "Server", request_body = Waiting,
    responses(
        (status = 204, description = "The change is recorded"),
    ),
)]
pub(super) async fn record_outbox(
    State(admin): State<Arc<Administration>>,
    Extension(by): Extension<AuditContext>,
    Body(Waiting { change }): Body<Waiting>,
) -> Result<Response, Refused> {
    let command = Command::RecordOutbox(change);
    admin.directory.execute(command, &by).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
