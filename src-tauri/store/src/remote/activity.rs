//! The activity, by the API of another process.

use std::time::Duration;

use hyper::Method;
use latchkey_core::activity::{ActivityPage, ActivityQuery, Mark, Verification};
use latchkey_core::admin::{Page, VerificationRecord};
use latchkey_core::{Result, time};

use super::client::{Call, Client, PAGE, encoded};

/// Timeout of a verification, in which the other process reads all entries.
const VERIFICATION_TIMEOUT: Duration = Duration::from_mins(15);

/// Returns entries that match a query, in pages as large as an answer can be.
pub(super) async fn list(
    client: &Client,
    query: &ActivityQuery,
    before: Option<u64>,
    limit: usize,
) -> Result<ActivityPage> {
    let mut page = one_page(client, query, before, limit.min(PAGE)).await?;
    // A short page that is not the last one has come to the end of what one search reads.
    let mut is_full = page.entries.len() == limit.min(PAGE);
    while is_full
        && page.entries.len() < limit
        && let Some(before) = page.before
    {
        let rest = (limit - page.entries.len()).min(PAGE);
        let more = one_page(client, query, Some(before), rest).await?;
        is_full = more.entries.len() == rest;
        page.entries.extend(more.entries);
        page.before = more.before;
    }
    Ok(page)
}

/// Returns one page of the activity, as large as an answer can be.
async fn one_page(
    client: &Client,
    query: &ActivityQuery,
    before: Option<u64>,
    limit: usize,
) -> Result<ActivityPage> {
    let (limit, before) = (limit.to_string(), before.map(|before| before.to_string()));
    let mut pairs = vec![("text", query.text.as_str()), ("limit", &limit)];
    let kind = query.kind.map(latchkey_core::activity::Kind::name);
    pairs.extend(kind.map(|kind| ("kind", kind)));
    pairs.extend(query.subject.as_deref().map(|subject| ("subject", subject)));
    pairs.extend(query.link.as_deref().map(|link| ("link", link)));
    let (from, to) = (query.from.map(time::exact), query.to.map(time::exact));
    pairs.extend(from.as_deref().map(|from| ("from", from)));
    pairs.extend(to.as_deref().map(|to| ("to", to)));
    pairs.extend(before.as_deref().map(|before| ("before", before)));
    let page: Page = client.get("/activity", &pairs).await?;
    Ok(page.into())
}

/// Verifies the seals of the activity, which the other process reads.
pub(super) async fn verify(client: &Client, expected: Option<Mark>) -> Result<Verification> {
    let expected = expected.map(|mark| format!("?expect={}", encoded(&mark.to_string())));
    let path = format!("/activity/verification{}", expected.unwrap_or_default());
    let call = Call::new(Method::GET, &path).within(VERIFICATION_TIMEOUT);
    let verified: VerificationRecord = client.send(call).await?;
    Ok(verified.verification)
}
