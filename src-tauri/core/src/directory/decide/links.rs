//! Links that Latchkey makes: are they newer than the last edit or removal of a user? The claim
//! `iat` answers that only if all clocks agree. Therefore the directory records which links Latchkey
//! made afterwards.

use super::super::command::Outcome;
use super::super::effect::Effect;
use super::Draft;
use super::redeem::known_as;
use crate::protocol::claims::Claims;
use crate::protocol::email::Email;
use crate::protocol::payload::Payload;
use crate::protocol::user_id::UserId;
use crate::time;

/// Maximum number of links that are stored for a user. The oldest are dropped first.
const MAX_LINKS: usize = 100;

impl Draft {
    /// Notes a shown link. It has no entry in the activity.
    pub(super) fn link_shown(&mut self, claims: &Claims) -> Outcome {
        self.note_link(claims);
        Outcome::Done
    }

    /// Drops the links since the last edit, because the user was removed or a code set the profile.
    pub(super) fn forget_links_since_edit(&mut self, id: &UserId) {
        if self.facts.links_since_edit(id).flatten().is_some() {
            self.push(Effect::SetLinksSinceEdit(id.clone(), None));
        }
    }

    /// Notes that a link was made, unless its `iat` proves that it is newer than the recorded
    /// times.
    pub(super) fn note_link(&mut self, claims: &Claims) {
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
        let known = known_as(user, links.is_some(), self.now);
        if known.profile_set_here && !time::is_surely_after(issued_at, known.profile_as_of) {
            let links = with_link(links, link);
            self.push(Effect::SetLinksSinceEdit(id.clone(), Some(links)));
        }
    }

    /// Notes a link for an ID or an address, if a user with that ID was removed, the address has
    /// moved, or earlier links were cut off.
    pub(super) fn note_recent(&mut self, subject: &str, link: &str, issued_at: i64) {
        let mut moments = Vec::new();
        if let Ok(id) = UserId::parse(subject, "id") {
            let moment = self.facts.removed_at(&id).max(self.cut_off_at(&id));
            moments.push((id, moment));
        }
        if let Ok(email) = Email::parse(subject, "email")
            && let Some(users) = self.facts.email(&email)
            && let Some(owner) = &users.owner
        {
            let removed_at = self.facts.removed_at(owner).max(users.moved_at(owner));
            moments.push((owner.clone(), removed_at.max(self.cut_off_at(owner))));
        }
        for (id, moment) in moments {
            if moment.is_some_and(|at| !time::is_surely_after(issued_at, at)) {
                let links = with_link(self.facts.recent_links(&id).flatten(), link);
                self.push(Effect::SetRecentLinks(id, Some(links)));
            }
        }
    }
}

impl Draft {
    /// Returns the time of the last cutoff that a shown link of a person must follow, in Unix
    /// seconds.
    fn cut_off_at(&self, id: &UserId) -> Option<i64> {
        let cutoffs = &self.facts.person(id)?.cutoffs;
        let all = [cutoffs.revoked, cutoffs.superseded].into_iter().flatten();
        all.map(|cutoff| cutoff.at).max()
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
