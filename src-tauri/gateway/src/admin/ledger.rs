//! The ledger of issued links.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use jiff::tz::TimeZone;
use latchkey_core::activity::AuditContext;
use latchkey_core::admin::{
    LinkDetails, LinkList, LinkRevocationRequest, RevocationRequest, SignedClaims, TakenLinkRequest,
};
use latchkey_core::ledger::{
    LinkCounts, LinkQuery, LinkSort, LinkSortBy, LinkStatus, TakenLink, unknown_link,
};
use latchkey_core::paging::Search;
use latchkey_core::protocol::user_id::UserId;
use serde::Deserialize;
use utoipa::IntoParams;

use super::administration::Administration;
use super::paging::{page_size, page_start};
use super::params::Params;
use super::refused::Refused;
use crate::api::{Body, answer};

/// Default and maximum number of links on a page.
const PAGE: u32 = 1000;

type Admin = State<Arc<Administration>>;
type By = Extension<AuditContext>;

/// Selection, order and beginning of a page of links.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Words that must all occur in the ID, the user, the name or the note. Case does not count.
    #[serde(default)]
    search: String,
    /// Only links with this state.
    status: Option<LinkStatus>,
    /// Only links that work, or only those that do not.
    works: Option<bool>,
    /// Only links of the person with this ID or address.
    #[param(min_length = 1, max_length = 255)]
    user: Option<String>,
    /// Only links that were signed with the key with this ID.
    key: Option<String>,
    /// Field to sort by.
    #[serde(default)]
    #[param(inline)]
    sort: LinkSortBy,
    /// Whether the order is reversed.
    #[serde(default)]
    descending: bool,
    /// Begins after this link: `next` of the page before. It belongs to one order.
    after: Option<String>,
    /// Begins at this row, counted from 0.
    #[param(minimum = 0)]
    row: Option<i64>,
    /// Maximum number of links to return.
    #[param(minimum = 1, maximum = 1000, default = 1000)]
    limit: Option<u32>,
}

/// List links
///
/// Returns the links of the ledger in the requested order, a page at a time.
#[utoipa::path(
    get, path = "/links", tag = "Links", params(Wanted),
    responses(
        (status = 200, description = "The page", body = LinkList),
    ),
)]
pub(super) async fn list(
    State(admin): Admin,
    Extension(by): By,
    Params(wanted): Params<Wanted>,
) -> Result<Response, Refused> {
    let limit = page_size(wanted.limit, PAGE)?;
    let user = wanted.user.as_deref();
    let query = LinkQuery {
        search: Search::new(&wanted.search),
        status: wanted.status,
        works: wanted.works,
        user: user.map(|user| UserId::parse(user, "user")).transpose()?,
        key: wanted.key,
        now: by.at.as_second(),
    };
    let sort = LinkSort {
        by: wanted.sort,
        descending: wanted.descending,
    };
    let start = page_start(wanted.after.as_deref(), wanted.row)?;
    let page = admin.directory.links(&query, sort, &start, limit).await?;
    Ok(answer(StatusCode::OK, &LinkList::from(page))?)
}

/// Count links
///
/// Returns the numbers of links by their state.
#[utoipa::path(
    get, path = "/link-counts", tag = "Links",
    responses(
        (status = 200, description = "The numbers", body = LinkCounts),
    ),
)]
pub(super) async fn counts(State(admin): Admin, Extension(by): By) -> Result<Response, Refused> {
    let counts = admin.directory.link_counts(by.at).await?;
    Ok(answer(StatusCode::OK, &counts)?)
}

/// Show a link
#[utoipa::path(
    get, path = "/links/{id}", tag = "Links", params(("id" = String, Path, max_length = 1024, description = "ID of the link")),
    responses(
        (status = 200, description = "The link", body = LinkDetails),
        (status = 404, description = "The ledger has no such link"),
    ),
)]
pub(super) async fn show(
    State(admin): Admin,
    Extension(by): By,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, Refused> {
    let Path(id) = path.map_err(|_| unknown_link())?;
    let found = admin.directory.link(&id, by.at).await?;
    let found = found.ok_or_else(unknown_link)?;
    Ok(answer(StatusCode::OK, &LinkDetails::from(found))?)
}

/// Enter a link in the ledger
///
/// The client has signed it, and gives it out.
#[utoipa::path(
    post, path = "/taken-links", tag = "Server", request_body = TakenLinkRequest,
    responses(
        (status = 204, description = "The link is in the ledger"),
        (status = 404, description = "The request that the link grants is not open"),
    ),
)]
pub(super) async fn take(
    State(admin): Admin,
    Extension(by): By,
    Body(request): Body<TakenLinkRequest>,
) -> Result<Response, Refused> {
    let settings = admin.recorded().await?.settings;
    let granted = match request.grants {
        Some(number) => Some(
            admin
                .directory
                .link_request(number, by.at)
                .await?
                .reference(),
        ),
        None => None,
    };
    let taken = TakenLink {
        grants: granted,
        ..settings.giving_out(request.parse()?)?
    };
    admin.directory.take_link(taken, &by).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Note a link that the client shows
///
/// It enters the ledger when it is first used.
#[utoipa::path(
    post, path = "/shown-links", tag = "Server", request_body = SignedClaims,
    responses(
        (status = 204, description = "The link is noted"),
    ),
)]
pub(super) async fn note_shown(
    State(admin): Admin,
    Extension(by): By,
    Body(claims): Body<SignedClaims>,
) -> Result<Response, Refused> {
    admin.directory.link_shown(&claims.signed()?, &by).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Revoke a link
///
/// The link signs nobody in any more. Sessions that it began go on, unless `end_sessions` ends them.
/// The code of another system that was not used yet is not in the ledger: `/revocations` revokes it,
/// too.
#[utoipa::path(
    post, path = "/links/{id}/revoke", tag = "Links", params(("id" = String, Path, max_length = 1024, description = "ID of the link")), request_body = LinkRevocationRequest,
    responses(
        (status = 204, description = "The link is revoked"),
        (status = 404, description = "The ledger has no such link"),
        (status = 409, description = "The instance is hosted elsewhere, where its sessions are"),
        (status = 422, description = "The ID is too long, or a member breaks a rule"),
    ),
)]
pub(super) async fn revoke_one(
    State(admin): Admin,
    Extension(by): By,
    path: Result<Path<String>, PathRejection>,
    body: Option<Body<LinkRevocationRequest>>,
) -> Result<Response, Refused> {
    let Path(link) = path.map_err(|_| unknown_link())?;
    let request = body.map_or_else(LinkRevocationRequest::default, |Body(request)| request);
    let instance = admin.stored().await?;
    let revoked = request.of(link).revoke(&instance, &*admin.directory, &by);
    revoked.await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Revoke links
///
/// One link, all links of a person, all that were issued before a time, or all that a key has
/// signed. They sign nobody in from the next request on.
#[utoipa::path(
    post, path = "/revocations", tag = "Links", request_body = RevocationRequest,
    responses(
        (status = 204, description = "The links are revoked"),
        (status = 404, description = "The ledger has no such link, no user and no link has the ID or the address, or the instance and the ledger have no such signing key"),
    ),
)]
pub(super) async fn revoke(
    State(admin): Admin,
    Extension(by): By,
    Body(request): Body<RevocationRequest>,
) -> Result<Response, Refused> {
    let (revocation, directory) = (request.parse(&TimeZone::UTC)?, &*admin.directory);
    let instance = admin.stored().await?;
    revocation.revoke(&instance, directory, &by).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
