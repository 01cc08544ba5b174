//! The trait of a directory. The other process keeps sessions, so functions that only a gateway
//! calls do nothing here.

use async_trait::async_trait;
use hyper::Method;
use jiff::Timestamp;
use latchkey_core::activity::{
    ActivityPage, ActivityQuery, Actor, AuditContext, Mark, Verification,
};
use latchkey_core::admin::{
    LookedUp, RequestList, SharedEmails, SignedIn, Sought, TimesAhead, UserList,
};
use latchkey_core::directory::{
    Command, Counts, Directory, Facts, Lookup, OnChange, Outcome, PageStart, Redemption,
    SharedEmail, Snapshot, Sort, TimeAhead, User, UserPage, UserQuery,
};
use latchkey_core::instance::Retention;
use latchkey_core::ledger::{
    Asking, LinkCounts, LinkPage, LinkPageStart, LinkQuery, LinkSort, ListedLink, NewLinkRequest,
    ShortLink,
};
use latchkey_core::link::short_code::ShortCodeHash;
use latchkey_core::protocol::claims::Claims;
use latchkey_core::protocol::email::Email;
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::session::{
    Session, SessionHandle, SessionKey, SessionPage, SessionQuery, SessionRules,
};
use latchkey_core::verdict::Verdict;
use latchkey_core::{ErrorCode, Result};

use super::client::{Call, encoded};
use super::snapshot::RemoteSnapshot;
use super::{RemoteDirectory, activity, commands, ledger, of_a_gateway, sessions, users};

#[async_trait]
impl Directory for RemoteDirectory {
    async fn execute(&self, command: Command, by: &AuditContext) -> Result<Outcome> {
        commands::execute(&self.client, command, by).await
    }

    async fn dry_run_of(&self, redemption: &Redemption, now: Timestamp) -> Result<Verdict> {
        commands::dry_run(&self.client, redemption, now).await
    }

    async fn user(&self, id: &UserId) -> Result<Option<User>> {
        let path = format!("/users/{}", encoded(id.as_str()));
        match self.client.get(&path, &[]).await {
            Err(refused) if refused.code == ErrorCode::UnknownUser => Ok(None),
            found => found.map(Some),
        }
    }

    async fn user_by_email(&self, email: &Email) -> Result<Option<User>> {
        let found: UserList = self
            .client
            .get("/users", &[("email", email.as_str())])
            .await?;
        Ok(found.users.into_iter().next())
    }

    async fn look_up(&self, lookup: &Lookup, now: Timestamp) -> Result<Facts> {
        lookup.require_limits()?;
        let by = AuditContext::new(Actor::CommandLine, now);
        let call = Call::new(Method::POST, "/lookups").only_asks().by(&by);
        let call = call.json(&Sought::from(lookup))?;
        let found: LookedUp = self.client.send(call).await?;
        Ok(found.into_facts(lookup))
    }

    async fn shared_emails(&self) -> Result<Vec<SharedEmail>> {
        let found: SharedEmails = self.client.get("/shared-emails", &[]).await?;
        Ok(found.shared_emails)
    }

    async fn users(
        &self,
        query: &UserQuery,
        sort: Sort,
        place: &PageStart,
        limit: usize,
    ) -> Result<UserPage> {
        users::list(&self.client, query, sort, place, limit).await
    }

    async fn counts(&self, now: Timestamp) -> Result<Counts> {
        let by = AuditContext::new(Actor::CommandLine, now);
        let call = Call::new(Method::GET, "/counts").by(&by);
        self.client.send(call).await
    }

    async fn session(&self, _: &SessionKey) -> Result<Option<Session>> {
        Err(of_a_gateway())
    }

    async fn sessions_of(&self, query: &SessionQuery, _: Timestamp) -> Result<SessionPage> {
        sessions::list(&self.client, query).await
    }

    async fn end_session_of(
        &self,
        user: &UserId,
        session: SessionHandle,
        by: &AuditContext,
    ) -> Result<()> {
        sessions::end(&self.client, user, session, by).await
    }

    async fn ended_sessions(&self, _: SessionRules, _: Timestamp) -> Result<Vec<SessionKey>> {
        Ok(Vec::new())
    }

    async fn count_signed_in(&self, _: SessionRules, _: Timestamp) -> Result<u64> {
        let signed_in: SignedIn = self.client.get("/signed-in", &[]).await?;
        Ok(signed_in.users)
    }

    async fn is_ended_with_link(&self, _: &Session) -> Result<bool> {
        Err(of_a_gateway())
    }

    async fn links(
        &self,
        query: &LinkQuery,
        sort: LinkSort,
        place: &LinkPageStart,
        limit: usize,
    ) -> Result<LinkPage> {
        ledger::list(&self.client, query, sort, place, limit).await
    }

    async fn link_counts(&self, now: Timestamp) -> Result<LinkCounts> {
        ledger::counts(&self.client, now).await
    }

    async fn link(&self, id: &str, now: Timestamp) -> Result<Option<(ListedLink, Option<Claims>)>> {
        ledger::link(&self.client, id, now).await
    }

    async fn short_link(&self, _: &ShortCodeHash) -> Result<Option<ShortLink>> {
        Err(of_a_gateway())
    }

    async fn link_requests(&self, _: Timestamp) -> Result<Vec<NewLinkRequest>> {
        let list: RequestList = self.client.get("/requests", &[]).await?;
        list.requests.into_iter().map(TryInto::try_into).collect()
    }

    async fn can_ask(&self, _: &Asking, _: Timestamp) -> Result<bool> {
        Err(of_a_gateway())
    }

    async fn times_ahead(&self, now: Timestamp) -> Result<Vec<TimeAhead>> {
        let by = AuditContext::new(Actor::CommandLine, now);
        let call = Call::new(Method::GET, "/times-ahead").by(&by);
        let found: TimesAhead = self.client.send(call).await?;
        Ok(found.times)
    }

    async fn cutoff_ahead(&self, now: Timestamp) -> Result<Option<i64>> {
        let by = AuditContext::new(Actor::CommandLine, now);
        let call = Call::new(Method::GET, "/times-ahead").by(&by);
        let found: TimesAhead = self.client.send(call).await?;
        Ok(found.all_links)
    }

    async fn activity(
        &self,
        query: &ActivityQuery,
        before: Option<u64>,
        limit: usize,
    ) -> Result<ActivityPage> {
        activity::list(&self.client, query, before, limit).await
    }

    async fn verify_activity(&self, expected: Option<Mark>) -> Result<Verification> {
        activity::verify(&self.client, expected).await
    }

    async fn record_counted(&self, _: Timestamp) -> Result<()> {
        Ok(())
    }

    async fn prune(&self, _: Retention, _: Timestamp) -> Result<bool> {
        Ok(false)
    }

    async fn snapshot(&self) -> Result<Box<dyn Snapshot>> {
        Ok(Box::new(RemoteSnapshot::begin(&self.client).await?))
    }

    fn on_change(&self, call: OnChange) {
        self.client.follow(call);
    }
}
