//! Asking for a new link, and what becomes of the request.

use jiff::Timestamp;

use super::super::command::{Outcome, Redemption};
use super::super::effect::Effect;
use super::super::facts::Facts;
use super::super::user::User;
use super::redeem::known_to;
use super::{Draft, not_loaded};
use crate::activity::{AuditContext, Event, EventData};
use crate::ledger::{
    Asking, LinkPerson, MAX_REQUESTS, NewLinkRequest, REQUEST_SECS, RequestEnd, RequestReason,
    RequestRef, TakenLink, unknown_request,
};
use crate::protocol::claims::Claims;
use crate::protocol::payload::Payload;
use crate::protocol::user_id::UserId;
use crate::session::kept_browser;
use crate::verdict::{LinkState, Refusal, Verdict, judge};
use crate::{Error, ErrorCode, Result};

/// Returns why the link of a code does not work any more, if its person may ask for a new one. A
/// new link must not be refused for a reason that the administrator has decided, such as a
/// suspension. `facts` must have everything that [`Asking::needs`] asks for.
#[must_use]
pub fn askable(asking: &Asking, facts: &Facts, now: Timestamp) -> Option<RequestReason> {
    let code = asking.code.content();
    let redemption = Redemption::new(Ok(code), asking.policy);
    let mut known = known_to(&redemption, code, facts, now.as_second());
    let expired_at = asking.code.expired_at();
    if expired_at.is_some_and(|at| now.as_second() >= at.saturating_add(REQUEST_SECS)) {
        return None;
    }
    let reason = match known.link {
        LinkState::Revoked => return None,
        LinkState::Used => RequestReason::UsedUp,
        LinkState::Superseded => RequestReason::Superseded,
        LinkState::Open => expired_at.map(|_| RequestReason::Expired)?,
    };
    known.link = LinkState::Open;
    match judge(Ok(code), asking.policy, &known) {
        Verdict::SignedIn { .. }
        | Verdict::Provisioned { .. }
        // The administrator may add the user, make room, or let links create users.
        | Verdict::Refused(
            Refusal::UnknownUser { .. } | Refusal::NoSeats { .. } | Refusal::ProvisioningOff { .. },
        ) => Some(reason),
        Verdict::Refused(_) => None,
    }
}

impl Draft {
    /// Opens a request, unless the person has one.
    pub(super) fn ask_for_link(&mut self, asking: &Asking, by: &AuditContext) -> Result<Outcome> {
        let reason = askable(asking, &self.facts, self.at).ok_or_else(|| {
            let message = "No new link can be asked for with this code.";
            Error::new(ErrorCode::NotAskable, message)
        })?;
        let code = asking.code.content();
        let person = self.facts.link_person(&code.payload);
        if self
            .facts
            .request(&person)
            .ok_or_else(not_loaded)?
            .is_some()
        {
            return Ok(Outcome::Done);
        }
        if self.facts.open_requests.ok_or_else(not_loaded)? >= MAX_REQUESTS {
            let message =
                format!("There are {MAX_REQUESTS} open requests for new links. Answer some.");
            return Err(Error::new(ErrorCode::TooMany, message));
        }
        let user = match &person {
            LinkPerson::User(user) => Some(user.clone()),
            LinkPerson::Email(_) => None,
        };
        let claims = Claims {
            payload: code.payload.clone(),
            registered: code.registered.clone(),
        };
        let request = NewLinkRequest {
            number: self.facts.change,
            person,
            name: self.name_of(&code.payload, user.as_ref()),
            link: code.link.clone(),
            reason,
            asked_at: self.now,
            address: by.address,
            browser: asking.browser.as_deref().and_then(kept_browser),
            claims: claims.members(),
        };
        self.record(Event {
            data: EventData::LinkAsked { reason },
            subject: Some(code.payload.subject().to_owned()),
            link: Some(code.link.clone()),
        });
        if let (Payload::Email(_), Some(entry)) = (&code.payload, self.entries.last_mut()) {
            entry.user = user;
        }
        self.push(Effect::PutRequest(Box::new(request)));
        Ok(Outcome::Done)
    }

    /// Enters a link in the ledger, and closes the request that it grants.
    pub(super) fn give_out(&mut self, taken: &TakenLink, by: &AuditContext) -> Result<Outcome> {
        let granted = taken.grants.as_ref();
        let granted = granted.map(|request| self.open_request(request));
        let granted = granted.transpose()?;
        let outcome = self.take_link(taken, by)?;
        if let Some(request) = granted {
            self.close(request, RequestEnd::Granted);
        }
        Ok(outcome)
    }

    /// Closes a request without a new link.
    pub(super) fn dismiss_request(&mut self, request: &RequestRef) -> Result<Outcome> {
        let open = self.open_request(request)?;
        self.close(open, RequestEnd::Dismissed);
        Ok(Outcome::Done)
    }

    /// Closes the requests of a user, because a command has settled them. The entry of that command
    /// says so.
    pub(super) fn withdraw_requests(&mut self, user: &UserId, known: Option<&User>) {
        let email = known.and_then(|user| user.email.clone());
        let email = email.map(LinkPerson::Email);
        for person in [Some(LinkPerson::User(user.clone())), email] {
            if let Some(person) = person
                && self.facts.request(&person).flatten().is_some()
            {
                self.push(Effect::DeleteRequest(person));
            }
        }
    }

    fn open_request(&self, request: &RequestRef) -> Result<NewLinkRequest> {
        let found = self.facts.request(&request.person).flatten();
        let found = found.filter(|open| open.number == request.number);
        found.cloned().ok_or_else(unknown_request)
    }

    fn close(&mut self, request: NewLinkRequest, how: RequestEnd) {
        self.record(Event {
            data: EventData::LinkRequestClosed { how },
            subject: Some(request.subject().to_owned()),
            link: Some(request.link),
        });
        self.push(Effect::DeleteRequest(request.person));
    }
}
