//! Giving links out, and taking them back.

use super::super::command::Outcome;
use super::super::effect::Effect;
use super::Draft;
use crate::activity::{AuditContext, Event, EventData};
use crate::ledger::{
    Cutoff, GivenOut, InstanceCutoffs, IssuedLink, LinkOrigin, LinkPerson, PersonCutoffs,
    Revocation, RevocationScope, Standing, TakenLink, not_revoked,
};
use crate::protocol::payload::Payload;
use crate::protocol::user_id::UserId;
use crate::{Error, ErrorCode, Result};

/// Maximum number of signing keys whose links were revoked. The oldest cutoff becomes one by time,
/// because a short link works without its key.
const MAX_KEYS: usize = 32;

/// Maximum length of the ID of a link to revoke, in bytes. The ledger keeps each one, whether or not
/// there is such a link.
const MAX_LINK_ID: usize = 1024;

/// Maximum length of the ID of a key whose links are revoked, in bytes.
const MAX_KEY_ID: usize = 255;

impl Draft {
    /// Enters a link in the ledger. A link that is given out again keeps its first entry.
    pub(super) fn take_link(&mut self, taken: &TakenLink, by: &AuditContext) -> Result<Outcome> {
        let registered = &taken.claims.registered;
        let id = registered.id.clone().ok_or_else(|| {
            Error::internal("a link without an ID cannot be entered in the ledger")
        })?;
        let given = GivenOut {
            given: taken.given,
            at: self.now,
            by: by.actor.clone(),
        };
        self.put_short_link(&id, taken)?;
        let person = self.facts.link_person(&taken.claims.payload);
        let found = self.facts.link(&id).flatten().cloned();
        // A link that was taken back keeps its place before the cutoff.
        let is_taken_back = found
            .as_ref()
            .is_some_and(|link| self.is_taken_back(link, &person));
        if taken.supersedes && !is_taken_back {
            let cutoff = self.cutoff(false);
            self.cut_off(&person, |cutoffs| cutoffs.supersede(cutoff));
        }
        let is_taken = |link: &IssuedLink| link.origin == LinkOrigin::Taken;
        if let Some(mut link) = found.clone().filter(is_taken) {
            link.give_out(given);
            link.note = taken.note.clone().or(link.note);
            link.has_short |= taken.short.is_some();
            if taken.supersedes && !is_taken_back {
                link.taken_in = Some(self.facts.change);
            }
            self.push(Effect::PutLink(Box::new(link)));
            return Ok(self.record_event(Event {
                data: EventData::LinkGivenOut { given: taken.given },
                ..Event::link_made(&taken.claims)
            }));
        }
        if found.is_none() {
            self.note_link(&taken.claims);
        }
        let user = match &person {
            LinkPerson::User(user) => Some(user.clone()),
            LinkPerson::Email(_) => None,
        };
        let new = || IssuedLink::new(id.clone(), LinkOrigin::Taken, self.now);
        // The link may have been scanned from the screen before it was copied.
        let mut link = found.unwrap_or_else(new);
        link.origin = LinkOrigin::Taken;
        link.name = self.name_of(&taken.claims.payload, user.as_ref());
        link.user = user;
        link.subject = Some(taken.claims.payload.subject().to_owned());
        link.note.clone_from(&taken.note);
        link.key.clone_from(&taken.key);
        link.issued_at = registered.issued_at;
        link.not_before = registered.not_before;
        link.expires_at = registered.expires_at;
        link.uses = registered.uses;
        link.has_short |= taken.short.is_some();
        if !is_taken_back {
            link.taken_in = Some(self.facts.change);
        }
        link.give_out(given);
        self.push(Effect::PutLink(Box::new(link)));
        self.push(Effect::PutClaims(person, id, taken.claims.members()));
        Ok(self.record_event(Event::link_made(&taken.claims)))
    }

    /// Adds the short link of a link. A link has only one, because an earlier one may be in use.
    fn put_short_link(&mut self, id: &str, taken: &TakenLink) -> Result<()> {
        let Some(code) = taken.short else {
            return Ok(());
        };
        match self.facts.short_code(id).flatten() {
            Some(known) if known == code => {}
            Some(_) => {
                let message = "This link has a short link already, of which only a hash is kept. Give the long link out again, or make a new link.";
                return Err(Error::new(ErrorCode::NotCopyable, message).about("short"));
            }
            None => self.push(Effect::PutShortLink(code, id.to_owned())),
        }
        Ok(())
    }

    /// Revokes links. Revoking them again changes nothing, unless it also ends their sessions.
    pub(super) fn revoke_links(&mut self, revocation: &Revocation) -> Result<Outcome> {
        let ends_sessions = revocation.ends_sessions;
        let cutoff = self.cutoff(ends_sessions);
        let mut event = Event::from(EventData::LinksRevoked {
            scope: revocation.scope.clone(),
            ends_sessions,
        });
        match &revocation.scope {
            RevocationScope::Link(id) => {
                require_length(id, "link", MAX_LINK_ID)?;
                let is_known = self.facts.link(id).flatten().is_some();
                if !is_known && !revocation.allows_unknown {
                    return Err(not_revoked(id));
                }
                return Ok(self.revoke_link(id, ends_sessions));
            }
            RevocationScope::Person(named) => {
                let person = self
                    .facts
                    .named(named)
                    .ok_or_else(|| unknown_person(named))?;
                event = match &person {
                    LinkPerson::User(user) => event.of(user),
                    LinkPerson::Email(_) => event.of(named),
                };
                let outcome = self.record_event(event);
                // After the cutoff, they count as closed already.
                self.close_requests_of(&person);
                self.cut_off(&person, |cutoffs| cutoffs.revoke(cutoff));
                self.note_session_end(ends_sessions);
                return Ok(outcome);
            }
            RevocationScope::Before(before) => {
                if *before > self.now {
                    let message =
                        "Links are revoked up to now, and not up to a time in the future.";
                    return Err(Error::new(ErrorCode::InvalidSetting, message).about("before"));
                }
                let mut cutoffs = self.facts.cutoffs.clone();
                cutoffs.revoke(Cutoff {
                    before: Some(*before),
                    ..cutoff
                });
                self.set_instance_cutoffs(cutoffs);
            }
            RevocationScope::Key(key) => {
                require_length(key, "key", MAX_KEY_ID)?;
                self.revoke_key(key, ends_sessions);
            }
        }
        self.note_session_end(ends_sessions);
        Ok(self.record_event(event))
    }

    /// Returns a cutoff for all links until now.
    const fn cutoff(&self, ends_sessions: bool) -> Cutoff {
        Cutoff {
            at: self.now,
            before: None,
            change: self.facts.change,
            ends_sessions,
        }
    }

    /// Revokes the links that a key has signed.
    pub(super) fn revoke_key(&mut self, key: &str, ends_sessions: bool) {
        let mut cutoffs = self.facts.cutoffs.clone();
        if cutoffs.of_key(key).is_none()
            && cutoffs.keys.len() >= MAX_KEYS
            && let Some(all) = cutoffs.drop_first_key()
        {
            let event = EventData::LinksRevoked {
                scope: RevocationScope::Before(all.before.unwrap_or(all.at)),
                ends_sessions: all.ends_sessions,
            };
            self.record(event.into());
        }
        cutoffs.revoke_key(key, self.cutoff(ends_sessions));
        self.set_instance_cutoffs(cutoffs);
    }

    /// Notes from when a key does not verify any more, in Unix seconds. `None` if it verifies.
    pub(super) fn set_retirement(&mut self, key: &str, at: Option<i64>) {
        if self.facts.cutoffs.retires_at(key) != at {
            let mut cutoffs = self.facts.cutoffs.clone();
            cutoffs.set_retirement(key, at);
            self.push(Effect::SetInstanceCutoffs(cutoffs));
        }
    }

    fn set_instance_cutoffs(&mut self, cutoffs: InstanceCutoffs) {
        self.push(Effect::SetInstanceCutoffs(cutoffs));
        self.note_time(self.now);
    }

    fn revoke_link(&mut self, id: &str, ends_sessions: bool) -> Outcome {
        let known = self.facts.link(id).flatten().cloned();
        let new = || IssuedLink::new(id.to_owned(), LinkOrigin::Foreign, self.now);
        let mut link = known.unwrap_or_else(new);
        if link.revoked_at.is_some() && (link.revoked_ends_sessions || !ends_sessions) {
            return Outcome::Done;
        }
        link.revoked_at.get_or_insert(self.now);
        link.revoked_ends_sessions |= ends_sessions;
        let subject = link.user.as_ref().map(UserId::to_string);
        let data = if ends_sessions {
            let scope = RevocationScope::Link(id.to_owned());
            EventData::LinksRevoked {
                scope,
                ends_sessions,
            }
        } else {
            EventData::LinkRevoked
        };
        let event = Event {
            data,
            subject: subject.or_else(|| link.subject.clone()),
            link: Some(id.to_owned()),
        };
        let outcome = self.record_event(event);
        self.close_requests_by(&link);
        self.push(Effect::PutLink(Box::new(link)));
        self.note_session_end(ends_sessions);
        outcome
    }

    /// Returns whether a link was revoked or superseded, or its person was removed.
    fn is_taken_back(&self, link: &IssuedLink, person: &LinkPerson) -> bool {
        let (cutoffs, terms) = (self.facts.cutoffs_of(person), link.terms());
        let is_removed = cutoffs.removed.is_some_and(|cutoff| cutoff.covers(&terms));
        is_removed || Standing::taken_back(&terms, &cutoffs, &self.facts.cutoffs).is_some()
    }

    /// Notes that the links of a removed user are revoked, by the ID and by the address.
    pub(super) fn cut_off_removed(&mut self, user: &UserId, at: i64) {
        let cutoff = Cutoff {
            at,
            ..self.cutoff(false)
        };
        let person = LinkPerson::User(user.clone());
        self.cut_off(&person, |cutoffs| cutoffs.remove(cutoff));
    }

    /// Changes the cutoffs of a person, and those of the address if links were given out for it
    /// before the person had it. Links that were only shown until now are before them.
    fn cut_off(&mut self, person: &LinkPerson, change: impl Fn(&mut PersonCutoffs)) {
        let mut people = vec![person.clone()];
        if let LinkPerson::User(user) = person {
            let email = self.facts.user(user).and_then(|user| user.email.clone());
            let email = email.map(LinkPerson::Email);
            people.extend(email.filter(|email| self.facts.has_links(email) == Some(true)));
            if self.facts.recent_links(user).flatten().is_some() {
                self.push(Effect::SetRecentLinks(user.clone(), None));
            }
        }
        for person in people {
            let mut cutoffs = self.facts.cutoffs_of(&person);
            change(&mut cutoffs);
            self.push(Effect::SetPersonCutoffs(person, Box::new(cutoffs)));
        }
        self.note_time(self.now);
    }

    /// Notes that sessions must be compared with their links from now on.
    fn note_session_end(&mut self, ends_sessions: bool) {
        if ends_sessions && !self.facts.cutoffs.any_ends_sessions {
            let mut cutoffs = self.facts.cutoffs.clone();
            cutoffs.any_ends_sessions = true;
            self.push(Effect::SetInstanceCutoffs(cutoffs));
        }
    }

    /// Returns the display name of the person whom a payload names. A new user has it in the
    /// payload.
    pub(super) fn name_of(&self, payload: &Payload, user: Option<&UserId>) -> Option<String> {
        let name = match payload {
            Payload::User(new) => new.metadata.display_name(),
            Payload::Email(_) | Payload::Id(_) => None,
        };
        let user = user.and_then(|user| self.facts.user(user));
        let name = name.or_else(|| user?.metadata.display_name());
        name.map(str::to_owned)
    }
}

/// Fails with [`ErrorCode::InvalidRequest`] for an ID that is empty or too long, because the directory
/// keeps it.
fn require_length(id: &str, what: &str, max: usize) -> Result<()> {
    if (1..=max).contains(&id.len()) {
        return Ok(());
    }
    let message = format!("The ID of a {what} has 1 to {max} bytes.");
    Err(Error::new(ErrorCode::InvalidRequest, message).about(what))
}

/// Returns the error for a person whom no user and no link names.
fn unknown_person(named: &UserId) -> Error {
    let message = format!(
        "No user has the ID or the address '{named}', and no link was given out for it. Nothing was revoked. Look the ID up in the list of links or users."
    );
    Error::new(ErrorCode::UnknownUser, message).about("user")
}
