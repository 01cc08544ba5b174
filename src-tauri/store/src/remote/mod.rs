//! The remote engine: a directory that another process holds, by its administration API.
//!
//! The other process decides, writes and records. Sessions are begun and kept by the gateway there,
//! so functions that only a gateway calls do nothing here.
//!
//! | concern | module |
//! |---|---|
//! | requests, answers and repeated attempts | `client` |
//! | the server: a local process, or a gateway on another computer | `server` |
//! | connection to the socket | `local` |
//! | connection to a gateway, and trust in its certificate | `gateway_tls` |
//! | links of the ledger | `ledger` |
//! | errors of a gateway | `failures` |
//! | settings, keys, links and state of a gateway | `gateway` |
//! | changes that the other process reports | `stream` |

mod client;
mod failures;
mod gateway;
mod gateway_tls;
mod ledger;
mod local;
mod server;
mod snapshot;
mod stream;

pub use gateway::RemoteGateway;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use hyper::Method;
use jiff::Timestamp;
use latchkey_core::activity::{
    ActivityPage, ActivityQuery, Actor, AuditContext, Event, Mark, Verification,
};
use latchkey_core::admin::{
    About, AccountEndChange, Addition, Additions, CopyRequest, Corrected, Edit, EventRecord,
    GatewayState, Judged, Link, LinkRequest, LookedUp, Page, RequestList, SeatLimit, SharedEmails,
    SignedClaims, SignedIn, Sought, Times, UserList, VerificationRecord, Waiting,
};
use latchkey_core::directory::{
    Command, Counts, Directory, Facts, Lookup, OnChange, Outcome, PageStart, Redemption,
    SharedEmail, Snapshot, Sort, SortBy, TimeAhead, User, UserPage, UserQuery,
};
use latchkey_core::instance::Retention;
use latchkey_core::ledger::{
    Asking, GivenAs, LinkCounts, LinkPage, LinkPageStart, LinkQuery, LinkSort, ListedLink,
    NewLinkRequest, ShortLink,
};
use latchkey_core::link::short_code::ShortCodeHash;
use latchkey_core::protocol::claims::Claims;
use latchkey_core::protocol::email::Email;
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::session::{
    Session, SessionHandle, SessionKey, SessionPage, SessionQuery, SessionRules,
};
use latchkey_core::verdict::{DirectoryFacts, Seats, Verdict, judge};
use latchkey_core::{Error, ErrorCode, Result, time};

use self::client::{Call, Client};
use self::server::Server;
use self::snapshot::RemoteSnapshot;
use crate::control;

/// Maximum number of rows that the other process returns at once.
const PAGE: usize = 1000;
/// Timeout of a verification, in which the other process reads all entries.
const VERIFICATION_TIMEOUT: Duration = Duration::from_mins(15);

/// A directory that another process holds.
#[derive(Debug)]
pub struct RemoteDirectory {
    client: Arc<Client>,
}

impl RemoteDirectory {
    /// Connects to the process that holds the directory of the instance in `folder`.
    ///
    /// Fails with [`ErrorCode::Unreachable`] if it has no local socket, or does not answer.
    pub async fn local(folder: &Path) -> Result<Self> {
        let socket = control::socket(folder).ok_or_else(server::absent)?;
        let client = Client::start(Server::local(socket))?;
        let _: About = client.send(Call::greeting()).await?;
        Ok(Self::over(Arc::new(client)))
    }

    /// Returns the directory that a client reaches.
    fn over(client: Arc<Client>) -> Self {
        Self { client }
    }

    /// Sends a request that changes a user. Its answer is the changed user.
    async fn change(&self, call: Call) -> Result<Outcome> {
        let user: User = self.client.send(call).await?;
        Ok(Outcome::User(Box::new(user)))
    }

    /// Makes a change without an answer.
    async fn act(&self, call: Call) -> Result<Outcome> {
        self.client.act(call).await?;
        Ok(Outcome::Done)
    }

    /// Redeems a code without a session.
    async fn redeem_here(&self, redemption: &Redemption, by: &AuditContext) -> Result<Verdict> {
        if redemption.session.is_some() {
            return Err(of_a_gateway());
        }
        match &redemption.code {
            Ok(code) => {
                let claims = SignedClaims::from(code);
                let call = Call::new(Method::POST, "/redemptions")
                    .by(by)
                    .json(&claims)?;
                let judged: Judged = self.client.send(call).await?;
                judged.try_into()
            }
            Err(refusal) => {
                let nothing = DirectoryFacts::default();
                let verdict = judge(Err(refusal), redemption.policy, &nothing);
                let event = Event::verdict(&verdict, None);
                self.act(recording(event, by)?).await?;
                Ok(verdict)
            }
        }
    }

    /// Returns one page of users, as large as an answer can be.
    async fn page(
        &self,
        query: &UserQuery,
        sort: Sort,
        place: &PageStart,
        limit: usize,
    ) -> Result<UserPage> {
        let (search, limit) = (query.search.words().join(" "), limit.to_string());
        let mut pairs = vec![("search", search.as_str()), ("limit", &limit)];
        let status = query.status.map(latchkey_core::verdict::Status::name);
        pairs.extend(status.map(|status| ("status", status)));
        let origin = query.origin.map(latchkey_core::directory::Origin::name);
        pairs.extend(origin.map(|origin| ("origin", origin)));
        pairs.push(("sort", SortBy::name(sort.by)));
        if sort.descending {
            pairs.push(("descending", "true"));
        }
        let (name, value) = match place {
            PageStart::First => ("row", "0".to_owned()),
            PageStart::After(cursor) => {
                // The other process would refuse the cursor with the same error.
                cursor.position(sort)?;
                ("after", cursor.to_string())
            }
            // The API counts rows with 63 bits.
            PageStart::Row(row) => ("row", (*row).min(i64::MAX.unsigned_abs()).to_string()),
        };
        pairs.push((name, &value));
        let list: UserList = self.client.get("/users", &pairs).await?;
        let page: UserPage = list.try_into()?;
        if let (PageStart::After(from), Some(next)) = (place, &page.next) {
            let order = sort.compare(from.position(sort)?, next.position(sort)?);
            if order.is_ge() {
                return Err(Error::new(
                    ErrorCode::Internal,
                    "The list of users does not go on, because its pages follow each other in a circle. Something is wrong with the gateway.",
                ));
            }
        }
        Ok(page)
    }

    /// Returns one page of the activity, as large as an answer can be.
    async fn entries(
        &self,
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
        let page: Page = self.client.get("/activity", &pairs).await?;
        Ok(page.into())
    }

    /// Returns the state of the gateway that the process runs.
    pub async fn gateway_state(&self) -> Result<GatewayState> {
        self.client.send(Call::new(Method::GET, "/gateway")).await
    }

    /// Makes a login link, which the process signs and records.
    pub async fn make_link(&self, wanted: &LinkRequest, by: &AuditContext) -> Result<Link> {
        self.client.send(link(wanted)?.by(by)).await
    }

    /// Gives a link of the ledger out again, which the process signs and records.
    pub async fn copy_link(&self, id: &str, given: GivenAs, by: &AuditContext) -> Result<Link> {
        self.client.send(ledger::copying(id, given)?.by(by)).await
    }

    /// Makes the link that a person has asked for, which the process signs and records.
    pub async fn grant_request(
        &self,
        number: u64,
        given: GivenAs,
        by: &AuditContext,
    ) -> Result<Link> {
        self.client.send(granting(number, given)?.by(by)).await
    }

    /// Asks the process that holds the directory to close it, because this one must hold it.
    ///
    /// Fails with [`ErrorCode::DirectoryHeld`] if that process needs it.
    pub async fn ask_to_give_way(&self) -> Result<()> {
        self.client.act(Call::new(Method::POST, "/give-way")).await
    }
}

/// Returns the call that makes a login link.
fn link(wanted: &LinkRequest) -> Result<Call> {
    Call::new(Method::POST, "/links").json(wanted)
}

/// Returns the call that makes the link that a person has asked for.
fn granting(number: u64, given: GivenAs) -> Result<Call> {
    Call::new(Method::POST, &format!("/requests/{number}/grant")).json(&CopyRequest { given })
}

/// Returns the call that records an event.
fn recording(event: Event, by: &AuditContext) -> Result<Call> {
    Call::new(Method::POST, "/activity")
        .by(by)
        .json(&EventRecord { event })
}

/// Returns the error for what only a gateway does with its own directory.
fn of_a_gateway() -> Error {
    Error::internal("a gateway needs a directory of its own")
}

#[async_trait]
impl Directory for RemoteDirectory {
    async fn execute(&self, command: Command, by: &AuditContext) -> Result<Outcome> {
        let of_user = |method: Method, id: &UserId, rest: &str| {
            Call::new(
                method,
                &format!("/users/{}{rest}", client::encoded(id.as_str())),
            )
            .by(by)
        };
        match command {
            Command::Redeem(redemption) => {
                let verdict = self.redeem_here(&redemption, by).await?;
                Ok(Outcome::Verdict(verdict))
            }
            Command::Add(user) => {
                let call = Call::new(Method::POST, "/users").by(by);
                self.change(call.json(&Addition::from(&user))?).await
            }
            Command::Import(users) => {
                let users = users.iter().map(Addition::from).collect();
                let call = Call::new(Method::POST, "/imports").by(by);
                self.act(call.json(&Additions { users })?).await
            }
            Command::Edit(id, profile) => {
                let call = of_user(Method::PATCH, &id, "");
                self.change(call.json(&Edit::from(&profile))?).await
            }
            Command::EditSeen(id, profile, seen) => {
                let call = of_user(Method::PATCH, &id, "");
                let edit = Edit::of_seen(&profile, &seen);
                self.change(call.json(&edit)?).await
            }
            Command::Suspend(id) => self.change(of_user(Method::POST, &id, "/suspend")).await,
            Command::Reactivate(id) => self.change(of_user(Method::POST, &id, "/reactivate")).await,
            Command::SetAccountEnd(id, end) => {
                let call = of_user(Method::PUT, &id, "/account-end");
                self.change(call.json(&AccountEndChange::new(end))?).await
            }
            // The process that holds the directory does that by itself.
            Command::EndDueAccounts => Ok(Outcome::Count(0)),
            Command::SignOut(id) => self.change(of_user(Method::POST, &id, "/sign-out")).await,
            Command::Remove(id) => self.act(of_user(Method::DELETE, &id, "")).await,
            Command::SetSeatLimit(limit) => {
                let call = Call::new(Method::PUT, "/seats").by(by);
                let seats: Seats = self.client.send(call.json(&SeatLimit { limit })?).await?;
                Ok(Outcome::Seats(seats))
            }
            Command::TakeLink(taken) => self.act(ledger::taking(&taken, by)?).await,
            Command::LinkShown(claims) => {
                let call = Call::new(Method::POST, "/shown-links").by(by);
                self.act(call.json(&SignedClaims::from(&claims))?).await
            }
            Command::RevokeLinks(revocation) => self.act(ledger::revoking(&revocation, by)?).await,
            Command::DismissRequest(request) => {
                let path = format!("/requests/{}/dismiss", request.number);
                self.act(Call::new(Method::POST, &path).by(by)).await
            }
            Command::CorrectTimes(times) => {
                let call = Call::new(Method::POST, "/times-ahead/correct").by(by);
                let done: Corrected = self.client.send(call.json(&Times { times })?).await?;
                Ok(Outcome::Count(done.corrected))
            }
            Command::Record(event) => self.act(recording(event, by)?).await,
            Command::RecordOutbox(change) => {
                let call = Call::new(Method::POST, "/activity/outbox").by(by);
                self.act(call.json(&Waiting { change })?).await
            }
            Command::EndSession(_)
            | Command::NoteSessionsSeen(_)
            | Command::PruneSessions(..)
            | Command::AskForLink(_) => Err(of_a_gateway()),
        }
    }

    async fn dry_run_of(&self, redemption: &Redemption, now: Timestamp) -> Result<Verdict> {
        let code = match &redemption.code {
            Ok(code) => code,
            Err(refusal) => {
                let nothing = DirectoryFacts::default();
                return Ok(judge(Err(refusal), redemption.policy, &nothing));
            }
        };
        let claims = SignedClaims::from(code);
        // A code that was verified earlier is judged as of then.
        let at = Timestamp::from_second(code.judged_at).unwrap_or(now);
        let by = AuditContext::new(Actor::CommandLine, at);
        let call = Call::new(Method::POST, "/dry-runs").by(&by).json(&claims)?;
        let judged: Judged = self.client.send(call).await?;
        judged.try_into()
    }

    async fn user(&self, id: &UserId) -> Result<Option<User>> {
        let path = format!("/users/{}", client::encoded(id.as_str()));
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
        let call = Call::new(Method::POST, "/lookups").by(&by);
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
        let mut page = self.page(query, sort, place, limit.min(PAGE)).await?;
        while page.users.len() < limit
            && let Some(next) = page.next.take()
        {
            let rest = (limit - page.users.len()).min(PAGE);
            let more = self
                .page(query, sort, &PageStart::After(next), rest)
                .await?;
            page.users.extend(more.users);
            page.next = more.next;
        }
        Ok(page)
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
        let path = format!("/users/{}/sessions", client::encoded(query.user.as_str()));
        let (mut page, mut after) = (SessionPage::default(), query.after);
        loop {
            let limit = (query.limit - page.sessions.len()).min(PAGE).to_string();
            let cursor = after.map(|after| after.to_string());
            let mut pairs = vec![("limit", limit.as_str())];
            pairs.extend(cursor.as_deref().map(|cursor| ("after", cursor)));
            let more: Result<SessionPage> = self.client.get(&path, &pairs).await;
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

    async fn end_session_of(
        &self,
        user: &UserId,
        session: SessionHandle,
        by: &AuditContext,
    ) -> Result<()> {
        let path = format!(
            "/users/{}/sessions/{session}",
            client::encoded(user.as_str())
        );
        self.client
            .act(Call::new(Method::DELETE, &path).by(by))
            .await
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
        let mut page = ledger::page(&self.client, query, sort, place, limit.min(PAGE)).await?;
        while page.links.len() < limit
            && let Some(next) = page.next.take()
        {
            let rest = (limit - page.links.len()).min(PAGE);
            let start = LinkPageStart::After(next);
            let more = ledger::page(&self.client, query, sort, &start, rest).await?;
            page.links.extend(more.links);
            page.next = more.next;
        }
        Ok(page)
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

    async fn link_requests(&self) -> Result<Vec<NewLinkRequest>> {
        let list: RequestList = self.client.get("/requests", &[]).await?;
        list.requests.into_iter().map(TryInto::try_into).collect()
    }

    async fn can_ask(&self, _: &Asking, _: Timestamp) -> Result<bool> {
        Err(of_a_gateway())
    }

    async fn times_ahead(&self, now: Timestamp) -> Result<Vec<TimeAhead>> {
        let by = AuditContext::new(Actor::CommandLine, now);
        let call = Call::new(Method::GET, "/times-ahead").by(&by);
        let found: Times = self.client.send(call).await?;
        Ok(found.times)
    }

    async fn activity(
        &self,
        query: &ActivityQuery,
        before: Option<u64>,
        limit: usize,
    ) -> Result<ActivityPage> {
        let mut page = self.entries(query, before, limit.min(PAGE)).await?;
        // A short page that is not the last one has come to the end of what one search reads.
        let mut is_full = page.entries.len() == limit.min(PAGE);
        while is_full
            && page.entries.len() < limit
            && let Some(before) = page.before
        {
            let rest = (limit - page.entries.len()).min(PAGE);
            let more = self.entries(query, Some(before), rest).await?;
            is_full = more.entries.len() == rest;
            page.entries.extend(more.entries);
            page.before = more.before;
        }
        Ok(page)
    }

    async fn verify_activity(&self, expected: Option<Mark>) -> Result<Verification> {
        let expected =
            expected.map(|mark| format!("?expect={}", client::encoded(&mark.to_string())));
        let path = format!("/activity/verification{}", expected.unwrap_or_default());
        let call = Call::new(Method::GET, &path).within(VERIFICATION_TIMEOUT);
        let verified: VerificationRecord = self.client.send(call).await?;
        Ok(verified.verification)
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
