//! The facts that each command depends on. An engine loads them before it calls `decide`.

use super::super::command::{Command, Redemption};
use super::super::due::DueScan;
use super::super::facts::{EmailUsers, Facts, Lookup, Needs};
use super::wanted::Wanted;
use crate::ledger::{Asking, NewLinkRequest, RevocationScope};
use crate::protocol::email::Email;
use crate::session::Session;

impl Command {
    /// Returns the facts that the command depends on and that `facts` lacks. The loaded facts may
    /// show that more are needed, so an engine asks again until nothing is missing.
    #[must_use]
    pub fn needs(&self, facts: &Facts) -> Needs {
        let mut wanted = Wanted::new(facts);
        match self {
            Self::Redeem(redemption) => wanted.redemption(redemption),
            Self::Add(newcomer) => wanted.new_user(&newcomer.user),
            Self::Import(users) => users
                .iter()
                .for_each(|newcomer| wanted.new_user(&newcomer.user)),
            Self::Edit(id, profile) | Self::EditSeen(id, profile, _) => {
                wanted.links_since_edit(id);
                wanted.user_with_email(id);
                if let Some(email) = &profile.email {
                    wanted.address_given_up(id);
                    if let Some(email) = email {
                        wanted.address_got(email, id);
                    }
                }
            }
            Self::Remove(id) => {
                wanted.links_since_edit(id);
                wanted.requests_of(id);
                wanted.cutoffs_of(id);
            }
            Self::Suspend(id) => {
                wanted.requests_of(id);
            }
            Self::SignOut(id) => {
                wanted.person(id);
            }
            Self::Reactivate(id) | Self::SetAccountEnd(id, _) => {
                wanted.person(id);
                wanted.seat();
            }
            Self::EndDueAccounts => wanted.due(DueScan::First),
            Self::SetSeatLimit(_) => wanted.seat(),
            Self::EndSession(key) => {
                wanted.session(key);
            }
            Self::NoteSessionsSeen(seen) => {
                for (key, _) in seen {
                    wanted.session(key);
                }
            }
            Self::PruneSessions(keys, _) => {
                for key in keys {
                    wanted.session_with_user(key);
                }
            }
            Self::TakeLink(taken) => {
                wanted.made_link(&taken.claims);
                if let Some(id) = &taken.claims.registered.id {
                    wanted.link(id);
                    if taken.short.is_some() {
                        wanted.short_code(id);
                    }
                }
                if taken.supersedes {
                    wanted.superseded(&taken.claims.payload);
                }
                if let Some(request) = &taken.grants {
                    wanted.request_to_judge(&request.person);
                }
            }
            Self::LinkShown(claims) => wanted.made_link(claims),
            Self::RevokeLinks(revocation) => match &revocation.scope {
                RevocationScope::Link(id) => wanted.link_with_requests(id),
                RevocationScope::Person(named) => wanted.named(named),
                RevocationScope::Before(_) | RevocationScope::Key(_) => {}
            },
            Self::AskForLink(asking) => wanted.request_of_code(asking),
            Self::DismissRequest(request) => {
                wanted.request_to_judge(&request.person);
            }
            Self::CorrectTimes(times) => {
                for time in times {
                    wanted.person(&time.user);
                    wanted.links_since_edit(&time.user);
                    if let Ok(email) = Email::parse(time.user.as_str(), "user") {
                        wanted.email(&email);
                    }
                }
            }
            Self::RecordOutbox(entry) => wanted.outbox_entry(entry),
            Self::Record(_) => {}
        }
        wanted.needs
    }
}

impl Redemption {
    /// Returns the facts that the verdict and the redemption depend on, like [`Command::needs`].
    #[must_use]
    pub fn needs(&self, facts: &Facts) -> Needs {
        let mut wanted = Wanted::new(facts);
        wanted.redemption(self);
        wanted.needs
    }
}

impl Asking {
    /// Returns the facts that [`askable`](super::askable) depends on, like [`Command::needs`].
    #[must_use]
    pub fn needs(&self, facts: &Facts) -> Needs {
        let mut wanted = Wanted::new(facts);
        wanted.asking(self);
        wanted.needs
    }
}

impl Session {
    /// Returns the facts that [`Facts::goes_on`] depends on, like [`Command::needs`].
    #[must_use]
    pub fn needs(&self, facts: &Facts) -> Needs {
        let mut wanted = Wanted::new(facts);
        wanted.going_on(self);
        wanted.needs
    }
}

impl NewLinkRequest {
    /// Returns the facts that [`is_grantable`](super::is_grantable) depends on, like
    /// [`Command::needs`].
    #[must_use]
    pub fn needs(&self, facts: &Facts) -> Needs {
        let mut wanted = Wanted::new(facts);
        wanted.granting(self);
        wanted.needs
    }
}

impl Lookup {
    /// Returns the facts that are looked up and that `facts` lacks, like [`Command::needs`].
    #[must_use]
    pub fn needs(&self, facts: &Facts) -> Needs {
        let mut wanted = Wanted::new(facts);
        for id in &self.ids {
            wanted.person(id);
        }
        for email in &self.emails {
            if let Some(EmailUsers {
                owner: Some(owner), ..
            }) = wanted.email(email)
            {
                wanted.person(owner);
            }
        }
        wanted.seat();
        wanted.needs
    }
}
