//! Changes of a directory, by the API of another process.

use hyper::Method;
use jiff::Timestamp;
use latchkey_core::Result;
use latchkey_core::activity::{Actor, AuditContext, Event};
use latchkey_core::admin::{
    AccountEndChange, Addition, Additions, Corrected, Edit, EventRecord, Judged, SeatLimit,
    SignedClaims, Times, Waiting,
};
use latchkey_core::directory::{Command, Outcome, Redemption, User};
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::verdict::{DirectoryFacts, Seats, Verdict, judge};

use super::client::{Call, Client, encoded};
use super::{ledger, of_a_gateway};

/// Has the other process decide and make a change.
pub(super) async fn execute(
    client: &Client,
    command: Command,
    by: &AuditContext,
) -> Result<Outcome> {
    let of_user = |method: Method, id: &UserId, rest: &str| {
        Call::new(method, &format!("/users/{}{rest}", encoded(id.as_str()))).by(by)
    };
    match command {
        Command::Redeem(redemption) => {
            let verdict = redeem(client, &redemption, by).await?;
            Ok(Outcome::Verdict(verdict))
        }
        Command::Add(user) => {
            let call = Call::new(Method::POST, "/users").by(by);
            change(client, call.json(&Addition::from(&user))?).await
        }
        Command::Import(users) => {
            let users = users.iter().map(Addition::from).collect();
            let call = Call::new(Method::POST, "/imports").by(by);
            act(client, call.json(&Additions { users })?).await
        }
        Command::Edit(id, profile) => {
            let call = of_user(Method::PATCH, &id, "");
            change(client, call.json(&Edit::from(&profile))?).await
        }
        Command::EditSeen(id, profile, seen) => {
            let call = of_user(Method::PATCH, &id, "");
            let edit = Edit::of_seen(&profile, &seen);
            change(client, call.json(&edit)?).await
        }
        Command::Suspend(id) => change(client, of_user(Method::POST, &id, "/suspend")).await,
        Command::Reactivate(id) => change(client, of_user(Method::POST, &id, "/reactivate")).await,
        Command::SetAccountEnd(id, end) => {
            let call = of_user(Method::PUT, &id, "/account-end");
            change(client, call.json(&AccountEndChange::new(end))?).await
        }
        // The process that holds the directory does that by itself.
        Command::EndDueAccounts => Ok(Outcome::Count(0)),
        Command::SignOut(id) => change(client, of_user(Method::POST, &id, "/sign-out")).await,
        Command::Remove(id) => act(client, of_user(Method::DELETE, &id, "")).await,
        Command::SetSeatLimit(limit) => {
            let call = Call::new(Method::PUT, "/seats").by(by);
            let seats: Seats = client.send(call.json(&SeatLimit { limit })?).await?;
            Ok(Outcome::Seats(seats))
        }
        Command::TakeLink(taken) => act(client, ledger::taking(&taken, by)?).await,
        Command::LinkShown(claims) => {
            let call = Call::new(Method::POST, "/shown-links").by(by);
            act(client, call.json(&SignedClaims::from(&claims))?).await
        }
        Command::RevokeLinks(revocation) => act(client, ledger::revoking(&revocation, by)?).await,
        Command::DismissRequest(request) => {
            let path = format!("/requests/{}/dismiss", request.number);
            act(client, Call::new(Method::POST, &path).by(by)).await
        }
        Command::CorrectTimes(times) => {
            let call = Call::new(Method::POST, "/times-ahead/correct").by(by);
            let done: Corrected = client.send(call.json(&Times { times })?).await?;
            Ok(Outcome::Count(done.corrected))
        }
        Command::Record(event) => act(client, recording(event, by)?).await,
        Command::RecordOutbox(change) => {
            let call = Call::new(Method::POST, "/activity/outbox").by(by);
            act(client, call.json(&Waiting { change })?).await
        }
        Command::EndSession(_)
        | Command::NoteSessionsSeen(_)
        | Command::PruneSessions(..)
        | Command::AskForLink(_) => Err(of_a_gateway()),
    }
}

/// Returns the verdict for a code, which the other process judges.
pub(super) async fn dry_run(
    client: &Client,
    redemption: &Redemption,
    now: Timestamp,
) -> Result<Verdict> {
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
    let call = Call::new(Method::POST, "/dry-runs")
        .only_asks()
        .by(&by)
        .json(&claims)?;
    let judged: Judged = client.send(call).await?;
    judged.try_into()
}

/// Sends a request that changes a user. Its answer is the changed user.
async fn change(client: &Client, call: Call) -> Result<Outcome> {
    let user: User = client.send(call).await?;
    Ok(Outcome::User(Box::new(user)))
}

/// Makes a change without an answer.
async fn act(client: &Client, call: Call) -> Result<Outcome> {
    client.act(call).await?;
    Ok(Outcome::Done)
}

/// Redeems a code without a session.
async fn redeem(client: &Client, redemption: &Redemption, by: &AuditContext) -> Result<Verdict> {
    if redemption.session.is_some() {
        return Err(of_a_gateway());
    }
    match &redemption.code {
        Ok(code) => {
            let claims = SignedClaims::from(code);
            let call = Call::new(Method::POST, "/redemptions")
                .by(by)
                .json(&claims)?;
            let judged: Judged = client.send(call).await?;
            judged.try_into()
        }
        Err(refusal) => {
            let nothing = DirectoryFacts::default();
            let verdict = judge(Err(refusal), redemption.policy, &nothing);
            let event = Event::verdict(&verdict, None);
            act(client, recording(event, by)?).await?;
            Ok(verdict)
        }
    }
}

/// Returns the call that records an event.
fn recording(event: Event, by: &AuditContext) -> Result<Call> {
    Call::new(Method::POST, "/activity")
        .by(by)
        .json(&EventRecord { event })
}
