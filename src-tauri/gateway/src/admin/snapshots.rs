//! Snapshots of the directory. A client reads one in parts, so that a slow client slows down nobody else.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use latchkey_core::admin::{SnapshotBegun, SnapshotRows};
use latchkey_core::session::random_text;
use latchkey_core::{Error, ErrorCode};
use tokio::time::{Instant, sleep_until};

use super::administration::Administration;
use super::open_snapshots::Open;
use super::refused::Refused;
use crate::api::answer;
use crate::api::problem::Problem;

/// Maximum number of snapshots at once.
const MAX_OPEN: usize = 4;
/// Time after which a snapshot ends of which no part is read.
const IDLE: Duration = Duration::from_mins(1);

type Admin = State<Arc<Administration>>;

/// Begin to read all rows of the directory
///
/// Later changes of the directory are not in the snapshot.
#[utoipa::path(
    post, path = "/snapshots", tag = "Server",
    responses(
        (status = 201, description = "The snapshot", body = SnapshotBegun),
        (status = 422, description = "Other programs are reading the whole directory"),
    ),
)]
pub(super) async fn begin(State(admin): Admin) -> Result<Response, Refused> {
    let is_full = |all: &mut HashMap<String, Open>| all.len() >= MAX_OPEN;
    if admin.snapshots.with(is_full) {
        let message = "Other programs are reading the whole directory. Try again later.";
        return Err(Error::new(ErrorCode::TooMany, message).into());
    }
    let snapshot = admin.directory.snapshot().await?;
    let id = random_text()?.to_string();
    admin.snapshots.put(&id, snapshot);
    tokio::spawn(end_when_idle(Arc::clone(&admin), id.clone()));
    Ok(answer(
        StatusCode::CREATED,
        &SnapshotBegun { snapshot: id },
    )?)
}

/// Read the next rows of a snapshot
///
/// There are none if the snapshot was read whole.
#[utoipa::path(
    post, path = "/snapshots/{id}/next", tag = "Server",
    params(("id" = String, Path, description = "ID of the snapshot")),
    responses((status = 200, description = "The rows", body = SnapshotRows)),
)]
pub(super) async fn next(
    State(admin): Admin,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, Refused> {
    let Path(id) = path.map_err(|_| unknown())?;
    let snapshot = admin
        .snapshots
        .with(|all| all.get_mut(&id)?.snapshot.take());
    let mut snapshot = snapshot.ok_or_else(unknown)?;
    let rows = match snapshot.next().await {
        Ok(Some(rows)) => {
            admin.snapshots.put(&id, snapshot);
            rows
        }
        Ok(None) => {
            admin.snapshots.remove(&id);
            Vec::new()
        }
        Err(refused) => {
            admin.snapshots.remove(&id);
            return Err(refused.into());
        }
    };
    Ok(answer(StatusCode::OK, &SnapshotRows { rows })?)
}

/// End a snapshot
#[utoipa::path(
    delete, path = "/snapshots/{id}", tag = "Server",
    params(("id" = String, Path, description = "ID of the snapshot")),
    responses((status = 204, description = "The snapshot has ended")),
)]
pub(super) async fn end(
    State(admin): Admin,
    path: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, Refused> {
    let Path(id) = path.map_err(|_| unknown())?;
    admin.snapshots.remove(&id).ok_or_else(unknown)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends a snapshot when its client has not read it for a while, also one whose client has gone.
async fn end_when_idle(admin: Arc<Administration>, id: String) {
    let mut closing = admin.is_closing.subscribe();
    loop {
        let used_at = admin
            .snapshots
            .with(|all| all.get(&id).map(|open| open.used_at));
        let Some(used_at) = used_at else {
            return;
        };
        let end = used_at + IDLE;
        if end <= Instant::now() {
            admin.snapshots.remove(&id);
            return;
        }
        tokio::select! {
            () = sleep_until(end) => {}
            _ = closing.wait_for(|is_closing| *is_closing) => {
                admin.snapshots.remove(&id);
                return;
            }
        }
    }
}

fn unknown() -> Problem {
    Problem::of(
        StatusCode::NOT_FOUND,
        "There is no such snapshot. It may have been read whole, or not for a minute.",
    )
    .code(ErrorCode::InvalidRequest)
}
