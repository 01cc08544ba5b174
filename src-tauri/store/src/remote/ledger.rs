//! Links of the ledger, by the API of another process.

use hyper::Method;
use jiff::Timestamp;
use latchkey_core::activity::{Actor, AuditContext};
use latchkey_core::admin::{
    CopyRequest, LinkDetails, LinkList, RevocationRequest, TakenLinkRequest,
};
use latchkey_core::ledger::{
    GivenAs, LinkCounts, LinkPage, LinkPageStart, LinkQuery, LinkSort, ListedLink, Revocation,
    TakenLink,
};
use latchkey_core::protocol::claims::Claims;
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::{Error, ErrorCode, Result};

use super::client::{Call, Client, PAGE, encoded};

/// Returns links that match a query, in pages as large as an answer can be.
pub(super) async fn list(
    client: &Client,
    query: &LinkQuery,
    sort: LinkSort,
    place: &LinkPageStart,
    limit: usize,
) -> Result<LinkPage> {
    let mut page = one_page(client, query, sort, place, limit.min(PAGE)).await?;
    while page.links.len() < limit
        && let Some(next) = page.next.take()
    {
        let rest = (limit - page.links.len()).min(PAGE);
        let start = LinkPageStart::After(next);
        let more = one_page(client, query, sort, &start, rest).await?;
        page.links.extend(more.links);
        page.next = more.next;
    }
    Ok(page)
}

/// Returns one page of links, as large as an answer can be.
async fn one_page(
    client: &Client,
    query: &LinkQuery,
    sort: LinkSort,
    place: &LinkPageStart,
    limit: usize,
) -> Result<LinkPage> {
    let (search, limit) = (query.search.words().join(" "), limit.to_string());
    let mut pairs = vec![("search", search.as_str()), ("limit", &limit)];
    pairs.extend(query.status.map(|status| ("status", status.name())));
    let works = query
        .works
        .map(|works| if works { "true" } else { "false" });
    pairs.extend(works.map(|works| ("works", works)));
    let user = query.user.as_ref().map(UserId::as_str);
    pairs.extend(user.map(|user| ("user", user)));
    pairs.extend(query.key.as_deref().map(|key| ("key", key)));
    pairs.push(("sort", sort.by.name()));
    if sort.descending {
        pairs.push(("descending", "true"));
    }
    let (name, value) = match place {
        LinkPageStart::First => ("row", "0".to_owned()),
        LinkPageStart::After(cursor) => {
            cursor.position(sort)?;
            ("after", cursor.to_string())
        }
        LinkPageStart::Row(row) => ("row", (*row).min(i64::MAX.unsigned_abs()).to_string()),
    };
    pairs.push((name, &value));
    let call = Call::query("/links", &pairs).by(&at(query.now));
    let list: LinkList = client.send(call).await?;
    let page: LinkPage = list.try_into()?;
    if let (LinkPageStart::After(from), Some(next)) = (place, &page.next) {
        let order = sort.compare(from.position(sort)?, next.position(sort)?);
        if order.is_ge() {
            return Err(Error::new(
                ErrorCode::Internal,
                "The list of links does not go on, because its pages follow each other in a circle. Something is wrong with the gateway.",
            ));
        }
    }
    Ok(page)
}

/// Returns the numbers of links by their state.
pub(super) async fn counts(client: &Client, now: Timestamp) -> Result<LinkCounts> {
    let call = Call::query("/link-counts", &[]).by(&at(now.as_second()));
    client.send(call).await
}

/// Returns a link and its claims.
pub(super) async fn link(
    client: &Client,
    id: &str,
    now: Timestamp,
) -> Result<Option<(ListedLink, Option<Claims>)>> {
    let path = format!("/links/{}", encoded(id));
    let call = Call::new(Method::GET, &path).by(&at(now.as_second()));
    let found: Result<LinkDetails> = client.send(call).await;
    match found {
        Err(refused) if refused.code == ErrorCode::UnknownLink => Ok(None),
        found => found?.parse().map(Some),
    }
}

/// Returns the call that gives a link of the ledger out again.
pub(super) fn copying(id: &str, given: GivenAs) -> Result<Call> {
    let path = format!("/links/{}/copies", encoded(id));
    Call::new(Method::POST, &path).json(&CopyRequest { given })
}

/// Returns the call that enters a link in the ledger.
pub(super) fn taking(taken: &TakenLink, by: &AuditContext) -> Result<Call> {
    Call::new(Method::POST, "/taken-links")
        .by(by)
        .json(&TakenLinkRequest::from(taken))
}

/// Returns the call that revokes links.
pub(super) fn revoking(revocation: &Revocation, by: &AuditContext) -> Result<Call> {
    Call::new(Method::POST, "/revocations")
        .by(by)
        .json(&RevocationRequest::from(revocation))
}

/// Returns the context of a request at a time, in Unix seconds. A local process judges at that time.
fn at(secs: i64) -> AuditContext {
    let at = Timestamp::from_second(secs).unwrap_or_default();
    AuditContext::new(Actor::CommandLine, at)
}
