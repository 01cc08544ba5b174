//! Links that Latchkey makes: are they newer than the last edit or removal of a user? The claim
//! `iat` answers that only if all clocks agree. Therefore the directory records which links Latchkey
//! made afterwards.

use super::super::command::Outcome;
use super::super::effect::Effect;
use super::super::facts::LinkRecord;
use super::Draft;
use super::redeem::known_as;
use crate::activity::{Event, EventData};
use crate::protocol::claims::Claims;
use crate::protocol::email::Email;
use crate::protocol::payload::Payload;
use crate::protocol::user_id::UserId;
use crate::time;

/// Maximum number of links that are stored for a user. The oldest are dropped first.
const MAX_LINKS: usize = 100;

impl Draft {
    pub(super) fn link_made(&mut self, claims: &Claims) -> Outcome {
        self.note_link(claims);
        self.record_event(Event::link_made(claims))
    }

    /// Notes a shown link. It has no entry in the activity.
    pub(super) fn link_shown(&mut self, claims: &Claims) -> Outcome {
        self.note_link(claims);
        Outcome::Done
    }

    pub(super) fn revoke_link(&mut self, link: &str) -> Outcome {
        self.push(Effect::SetLink(link.to_owned(), LinkRecord::Revoked));
        self.record_event(Event {
            link: Some(link.to_owned()),
            ..EventData::LinkRevoked.into()
        })
    }

    /// Drops the links since the last edit, because the user was removed or a code set the profile.
    pub(super) fn forget_links_since_edit(&mut self, id: &UserId) {
        if self.facts.links_since_edit(id).flatten().is_some() {
            self.push(Effect::SetLinksSinceEdit(id.clone(), None));
        }
    }

    /// Notes that a link was made, unless its `iat` proves that it is newer than the recorded
    /// times.
    fn note_link(&mut self, claims: &Claims) {
        let registered = &claims.registered;
        let (Some(link), Some(at)) = (&registered.id, registered.issued_at) else {
            return;
        };
        if let Payload::User(user) = &claims.payload {
            self.note_link_of(&user.id, link, at);
        }
        self.note_recent(claims.payload.subject(), link, at);
    }

    /// Notes a link with a profile for a user who was edited.
    pub(super) fn note_link_of(&mut self, id: &UserId, link: &str, issued_at: i64) {
        let links = self.facts.links_since_edit(id).flatten();
        let Some(user) = self.facts.user(id) else {
            return;
        };
        let known = known_as(user, links.is_some());
        if known.profile_set_here && !time::is_surely_after(issued_at, known.profile_as_of) {
            let links = with_link(links, link);
            self.push(Effect::SetLinksSinceEdit(id.clone(), Some(links)));
        }
    }

    /// Notes a link for an ID or an address, if a user with that ID was removed or the address has
    /// moved.
    pub(super) fn note_recent(&mut self, subject: &str, link: &str, issued_at: i64) {
        let mut moments = Vec::new();
        if let Ok(id) = UserId::parse(subject, "id") {
            let removed_at = self.facts.removed_at(&id);
            moments.push((id, removed_at));
        }
        if let Ok(email) = Email::parse(subject, "email")
            && let Some(users) = self.facts.email(&email)
            && let Some(owner) = &users.owner
        {
            let moved_at = users.moved_at(owner);
            moments.push((owner.clone(), self.facts.removed_at(owner).max(moved_at)));
        }
        for (id, moment) in moments {
            if moment.is_some_and(|at| !time::is_surely_after(issued_at, at)) {
                let links = with_link(self.facts.recent_links(&id).flatten(), link);
                self.push(Effect::SetRecentLinks(id, Some(links)));
            }
        }
    }
}

fn with_link(links: Option<&[String]>, link: &str) -> Vec<String> {
    let mut links = links.unwrap_or_default().to_vec();
    if links.len() >= MAX_LINKS {
        links.remove(0);
    }
    links.push(link.to_owned());
    links
}
