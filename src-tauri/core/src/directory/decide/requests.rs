//! Asking for a new link, and what becomes of the request.

use jiff::Timestamp;

use super::super::command::{Outcome, Redemption};
use super::super::effect::Effect;
use super::super::facts::Facts;
use super::super::user::User;
use super::redeem::{known_to, taken_back};
use super::{Draft, not_loaded};
use crate::activity::{AuditContext, Event, EventData};
use crate::instance::Policy;
use crate::ledger::{
    Asking, IssuedLink, LinkPerson, LinkStatus, LinkTerms, MAX_REQUESTS, NewLinkRequest,
    REQUEST_SECS, RequestEnd, RequestReason, RequestRef, Standing, TakenLink, unknown_request,
};
use crate::protocol::claims::Claims;
use crate::protocol::code::VerifiedCode;
use crate::protocol::email::Email;
use crate::protocol::payload::Payload;
use crate::session::kept_browser;
use crate::verdict::{DirectoryFacts, LinkState, Refusal, Verdict, judge};
use crate::{Error, ErrorCode, Result};

/// Returns why the link of a code does not work any more, if its person may ask for a new one. A
/// new link must not be refused for a reason that the administrator has decided, such as a
/// suspension. `facts` must have everything that [`Asking::needs`] asks for.
#[must_use]
pub fn askable(asking: &Asking, facts: &Facts, now: Timestamp) -> Option<RequestReason> {
    let code = asking.code.content();
    let redemption = Redemption::new(Ok(code), asking.policy);
    let known = known_to(&redemption, code, facts, now.as_second());
    let expired_at = asking.code.expired_at();
    if expired_at.is_some_and(|at| now.as_second() >= at.saturating_add(REQUEST_SECS)) {
        return None;
    }
    let back = taken_back(code, facts);
    if known.link == LinkState::OfAnother || is_revoked(back) {
        return None;
    }
    let terms = LinkTerms {
        expires_at: expired_at,
        ..LinkTerms::default()
    };
    let had_expired = |back: Standing| back.ended_at.is_some_and(|at| terms.had_expired_at(at));
    let reason = match known.link {
        LinkState::Used => RequestReason::UsedUp,
        LinkState::Superseded if !back.is_some_and(had_expired) => RequestReason::Superseded,
        _ => expired_at.map(|_| RequestReason::Expired)?,
    };
    may_be_let_in(code, asking.policy, known, facts).then_some(reason)
}

/// Returns whether a request can still be granted: the link has not been revoked since, and its
/// person may still get a new one. A request that cannot be granted counts as closed. `facts` must
/// have everything that [`NewLinkRequest::needs`] asks for. `now` is in Unix seconds.
#[must_use]
pub fn is_grantable(request: &NewLinkRequest, facts: &Facts, now: i64) -> bool {
    // The policy of the instance does not count: the administrator decides.
    let policy = Policy::default();
    let Ok(code) = request.old_code(now) else {
        return false;
    };
    let redemption = Redemption::new(Ok(&code), policy);
    let known = known_to(&redemption, &code, facts, now);
    let is_over = known.link == LinkState::OfAnother || is_revoked(taken_back(&code, facts));
    !is_over && may_be_let_in(&code, policy, known, facts)
}

/// Returns whether a link was revoked. No new link replaces it then, even if it had ended by itself
/// before.
fn is_revoked(taken_back: Option<Standing>) -> bool {
    taken_back.is_some_and(|back| back.status == LinkStatus::Revoked)
}

/// Returns whether a new link could let the person of an old code in. What became of the old link
/// does not count.
fn may_be_let_in(
    code: &VerifiedCode,
    policy: Policy,
    known: DirectoryFacts,
    facts: &Facts,
) -> bool {
    let known = DirectoryFacts {
        link: LinkState::Open,
        ..known
    };
    match judge(Ok(code), policy, &known) {
        Verdict::SignedIn { .. }
        | Verdict::Provisioned { .. }
        // The administrator may make room, or let links create users.
        | Verdict::Refused(Refusal::NoSeats { .. } | Refusal::ProvisioningOff { .. }) => true,
        // The administrator may add the user, but not give a new link to a former one.
        Verdict::Refused(Refusal::UnknownUser { .. }) => match &code.payload {
            Payload::Email(email) => facts.email(email).is_some_and(|users| users.former.is_empty()),
            Payload::Id(_) | Payload::User(_) => true,
        },
        Verdict::Refused(_) => false,
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
        let known = self.facts.request(&person).ok_or_else(not_loaded)?;
        let has_closed = match known {
            Some(known) if is_grantable(known, &self.facts, self.now) => return Ok(Outcome::Done),
            known => known.is_some(),
        };
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
        if has_closed {
            self.push(Effect::DeleteRequest(person.clone()));
        }
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
            key: code.key_id.clone(),
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
    pub(super) fn withdraw_requests(&mut self, user: &User) {
        let person = LinkPerson::User(user.id.clone());
        for open in self.requests_of(&person, user.email.as_ref()) {
            self.push(Effect::DeleteRequest(open.person));
        }
    }

    /// Closes the requests of a person, because all links of that person are revoked. One that has
    /// closed by itself before gets no entry.
    pub(super) fn close_requests_of(&mut self, person: &LinkPerson) {
        let user = match person {
            LinkPerson::User(user) => self.facts.user(user),
            LinkPerson::Email(_) => None,
        };
        let email = user.and_then(|user| user.email.as_ref());
        for open in self.requests_of(person, email) {
            if is_grantable(&open, &self.facts, self.now) {
                self.close(open, RequestEnd::Revoked);
            } else {
                self.push(Effect::DeleteRequest(open.person));
            }
        }
    }

    /// Returns the requests of a person, and those of the address that the person has.
    fn requests_of(&self, person: &LinkPerson, email: Option<&Email>) -> Vec<NewLinkRequest> {
        let email = email.cloned().map(LinkPerson::Email);
        let people = [Some(person), email.as_ref()];
        let open = people.into_iter().flatten();
        let open = open.filter_map(|person| self.facts.request(person).flatten());
        open.cloned().collect()
    }

    /// Closes the request for a new link that somebody has made with a link, because that is revoked.
    pub(super) fn close_requests_by(&mut self, link: &IssuedLink) {
        for person in self.facts.people_of(link) {
            let open = self.facts.request(&person).flatten();
            let open = open
                .filter(|open| open.link == link.id && is_grantable(open, &self.facts, self.now));
            if let Some(open) = open.cloned() {
                self.close(open, RequestEnd::Revoked);
            }
        }
    }

    fn open_request(&self, request: &RequestRef) -> Result<NewLinkRequest> {
        let found = self.facts.request(&request.person).flatten();
        let found = found.filter(|open| {
            open.number == request.number && is_grantable(open, &self.facts, self.now)
        });
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
