//! The sessions of a user, by the API of another process.

use hyper::Method;
use latchkey_core::activity::AuditContext;
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::session::{SessionHandle, SessionPage, SessionQuery};
use latchkey_core::{ErrorCode, Result};

use super::client::{Call, Client, PAGE, encoded};

/// Returns the sessions of a user, in pages as large as an answer can be.
pub(super) async fn list(client: &Client, query: &SessionQuery) -> Result<SessionPage> {
    let path = format!("/users/{}/sessions", encoded(query.user.as_str()));
    let (mut page, mut after) = (SessionPage::default(), query.after);
    loop {
        let limit = (query.limit - page.sessions.len()).min(PAGE).to_string();
        let cursor = after.map(|after| after.to_string());
        let mut pairs = vec![("limit", limit.as_str())];
        pairs.extend(cursor.as_deref().map(|cursor| ("after", cursor)));
        let more: Result<SessionPage> = client.get(&path, &pairs).await;
        let more = match more {
            Err(refused) if refused.code == ErrorCode::UnknownUser => return Ok(page),
            more => more?,
        };
        page.sessions.extend(more.sessions);
        (page.total, page.next) = (more.total, more.next);
        // The positions of a list only go up.
        let goes_on = page.next > after && page.sessions.len() < query.limit;
        if !goes_on {
            return Ok(page);
        }
        after = page.next;
    }
}

/// Ends a session of a user.
pub(super) async fn end(
    client: &Client,
    user: &UserId,
    session: SessionHandle,
    by: &AuditContext,
) -> Result<()> {
    let path = format!("/users/{}/sessions/{session}", encoded(user.as_str()));
    client.act(Call::new(Method::DELETE, &path).by(by)).await
}
