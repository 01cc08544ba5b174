//! Adding, editing, suspending and removing users.

use super::super::command::MAX_IMPORT;
use super::super::command::Outcome;
use super::super::effect::Effect;
use super::super::user::{Newcomer, Origin, Profile, SeenProfile, User, unknown_user};
use super::Draft;
use super::guests::must_be_extended;
use crate::activity::{Event, EventData, ProfileField};
use crate::ledger::LinkPerson;
use crate::protocol::email::Email;
use crate::protocol::payload::NewUser;
use crate::protocol::user_id::UserId;
use crate::verdict::{RecordedRefusal, Status};
use crate::{Error, ErrorCode, Result};

/// Maximum number of former users that are stored for an address.
const MAX_FORMER: usize = 20;

impl Draft {
    /// Returns a new user, who is added by [`insert`](Self::insert).
    pub(super) fn new_user(&self, user: &NewUser, origin: Origin, profile_as_of: i64) -> User {
        User {
            id: user.id.clone(),
            email: user.email.clone(),
            metadata: user.metadata.clone(),
            status: Status::Active,
            origin,
            created_at: self.now,
            last_sign_in: None,
            sign_ins: 0,
            profile_as_of,
            generation: self.facts.change,
            ends_at: None,
        }
    }

    /// Adds a user with the address and the seat.
    pub(super) fn insert(&mut self, user: &User) {
        if let Some(email) = &user.email {
            self.claim_email(email, &user.id);
        }
        self.forget_links_since_edit(&user.id);
        self.note_time(user.profile_as_of);
        self.take_seat();
        let mut counts = self.facts.counts;
        counts.users += 1;
        self.push(Effect::SetCounts(counts));
        self.put(user);
    }

    fn add(&mut self, newcomer: &Newcomer, origin: Origin) -> Result<User> {
        let Newcomer { user, ends_at } = newcomer;
        if let Some(at) = ends_at {
            self.require_later(*at)?;
        }
        if self.facts.user(&user.id).is_some() {
            let message = format!("There is a user {} already.", user.id);
            return Err(Error::new(ErrorCode::UserExists, message).about("user.id"));
        }
        if let Some(email) = &user.email {
            self.require_own(email, &user.id)?;
        }
        self.require_seat()?;
        let mut user = self.new_user(user, origin, self.now);
        user.ends_at = *ends_at;
        self.insert(&user);
        Ok(user)
    }

    pub(super) fn add_one(&mut self, newcomer: &Newcomer) -> Result<Outcome> {
        let added = self.add(newcomer, Origin::Added)?;
        self.record(Event::from(EventData::Added).of(&added.id));
        Ok(outcome(added))
    }

    pub(super) fn import(&mut self, users: &[Newcomer]) -> Result<Outcome> {
        if users.len() > MAX_IMPORT {
            let message = format!("At most {MAX_IMPORT} users are imported at once.");
            return Err(Error::new(ErrorCode::TooMany, message));
        }
        for newcomer in users {
            let user = self.add(newcomer, Origin::Import)?;
            let imported = EventData::Imported { users: 1 };
            self.record(Event::from(imported).of(&user.id));
        }
        Ok(Outcome::Done)
    }

    pub(super) fn edit(&mut self, id: &UserId, profile: &Profile) -> Result<Outcome> {
        let mut user = self.known_user(id)?;
        let mut changed = Vec::new();
        let metadata = user.metadata.merged(&profile.members)?;
        if let Some(email) = &profile.email
            && user.email.as_ref().map(Email::as_str) != email.as_ref().map(Email::as_str)
        {
            if let Some(email) = email
                && user.email.as_ref() != Some(email)
            {
                self.require_own(email, id)?;
            }
            self.set_email(&mut user, email.as_ref());
            changed.push(ProfileField::Email);
        }
        if metadata != user.metadata {
            user.metadata = metadata;
            changed.push(ProfileField::Metadata);
        }
        if !changed.is_empty() {
            // The profile in an older code must not replace this one.
            user.profile_as_of = user.profile_as_of.max(self.now);
            self.put(&user);
            self.push(Effect::SetLinksSinceEdit(id.clone(), Some(Vec::new())));
            self.push(Effect::NoteOrder(self.now));
            self.note_time(self.now);
            let event = Event::from(EventData::ProfileChanged { fields: changed });
            self.record(event.of(id));
        }
        Ok(outcome(user))
    }

    pub(super) fn edit_seen(
        &mut self,
        id: &UserId,
        profile: &Profile,
        seen: &SeenProfile,
    ) -> Result<Outcome> {
        if !seen.is_of(&self.known_user(id)?) {
            let message =
                format!("{id} was changed in the meantime. Look at the profile, and try again.");
            return Err(Error::new(ErrorCode::UserChanged, message));
        }
        self.edit(id, profile)
    }

    pub(super) fn suspend(&mut self, id: &UserId) -> Result<Outcome> {
        let known = self.known_user(id)?;
        let mut user = self.ended(known);
        if user.status != Status::Suspended {
            if user.status == Status::Active {
                self.free_seat();
            }
            user.status = Status::Suspended;
            user.generation = self.facts.change;
            self.put(&user);
            self.withdraw_requests(&user);
            self.record(Event::from(EventData::Suspended).of(id));
        }
        Ok(outcome(user))
    }

    pub(super) fn reactivate(&mut self, id: &UserId) -> Result<Outcome> {
        let mut user = self.known_user(id)?;
        let has_ended = |at: &i64| *at <= self.now || user.status == Status::Ended;
        if let Some(ended_at) = user.ends_at.filter(has_ended) {
            return Err(must_be_extended(&user, ended_at));
        }
        if user.status == Status::Suspended {
            self.require_seat()?;
            self.take_seat();
            user.status = Status::Active;
            self.put(&user);
            self.record(Event::from(EventData::Reactivated).of(id));
        }
        Ok(outcome(user))
    }

    /// Ends all sessions of a user, also those that begin in the same second: a generation is never
    /// used twice for an ID.
    pub(super) fn sign_out(&mut self, id: &UserId) -> Result<Outcome> {
        let mut user = self.known_user(id)?;
        user.generation = self.facts.change;
        self.put(&user);
        self.record(Event::from(EventData::SignedOutEverywhere).of(id));
        Ok(outcome(user))
    }

    /// Removes a user. The recorded time is never earlier than a time at which the user was known
    /// to exist, because the clock may be behind.
    pub(super) fn remove(&mut self, id: &UserId) -> Result<Outcome> {
        let user = self.known_user(id)?;
        let at = self.now.max(user.last_known_at());
        self.cut_off_removed(id, at);
        if let Some(email) = &user.email {
            self.release_email(email, id, at);
        }
        self.set_due(id, user.due_at(), None);
        self.push(Effect::RemoveUser(id.clone()));
        self.push(Effect::SetRemoval(id.clone(), Some(at)));
        self.push(Effect::NoteOrder(at));
        self.forget_links_since_edit(id);
        self.push(Effect::SetRecentLinks(id.clone(), None));
        self.push(Effect::ForgetClaims(
            LinkPerson::User(id.clone()),
            id.clone(),
        ));
        if let Some(email) = &user.email {
            let person = LinkPerson::Email(email.clone());
            self.push(Effect::ForgetClaims(person, id.clone()));
        }
        self.withdraw_requests(&user);
        self.note_time(at);
        let mut counts = self.facts.counts;
        counts.users = counts.users.saturating_sub(1);
        self.push(Effect::SetCounts(counts));
        if user.status == Status::Active {
            self.free_seat();
        }
        self.record(Event::from(EventData::Removed).of(id));
        Ok(Outcome::Done)
    }

    /// Gives a user an address that nobody else has, or none.
    pub(super) fn set_email(&mut self, user: &mut User, email: Option<&Email>) {
        let old = user.email.take();
        if old.as_ref() != email {
            if let Some(old) = old {
                self.release_email(&old, &user.id, self.now);
                self.bind_links(old, &user.id);
            }
            if let Some(email) = email {
                self.claim_email(email, &user.id);
            }
        }
        user.email = email.cloned();
    }

    /// Makes `id` the owner of an address that nobody else has. Links that were given out for it are
    /// links of the user then.
    fn claim_email(&mut self, email: &Email, id: &UserId) {
        let mut users = self.facts.email(email).cloned().unwrap_or_default();
        users.owner = Some(id.clone());
        self.push(Effect::SetEmail(email.clone(), users));
        let person = LinkPerson::Email(email.clone());
        if self.facts.has_links(&person) == Some(true) {
            let mut cutoffs = self.facts.cutoffs_of(&person);
            cutoffs.add(&self.facts.cutoffs_of(&LinkPerson::User(id.clone())));
            self.push(Effect::SetPersonCutoffs(person, Box::new(cutoffs)));
        }
    }

    /// Keeps the links that were given out for an address with the user who gives it up, because the
    /// next user of the address gets other ones.
    fn bind_links(&mut self, email: Email, id: &UserId) {
        let has_owner = self
            .facts
            .email(&email)
            .is_some_and(|users| users.owner.is_some());
        let has_links = self.facts.has_links(&LinkPerson::Email(email.clone()));
        if !has_owner && has_links == Some(true) {
            self.push(Effect::BindClaims(email, id.clone()));
        }
    }

    /// Takes an address from a user at a time. Other users who share the address keep it.
    fn release_email(&mut self, email: &Email, id: &UserId, at: i64) {
        let mut users = self.facts.email(email).cloned().unwrap_or_default();
        if users.sharers.is_empty() {
            users.owner = None;
            users.former.retain(|(other, _)| other != id);
            if users.former.len() >= MAX_FORMER {
                users.former.remove(0);
            }
            users.former.push((id.clone(), at));
        } else {
            users.sharers.retain(|other| other != id);
            users.owner = users.sharers.first().cloned();
            if users.sharers.len() < 2 {
                users.sharers.clear();
            }
        }
        self.push(Effect::SetEmail(email.clone(), users));
    }

    /// Counts a user who becomes active. Accounts that are due are ended first.
    pub(super) fn take_seat(&mut self) {
        self.end_due_accounts();
        let mut counts = self.facts.counts;
        counts.active += 1;
        self.push(Effect::SetCounts(counts));
    }

    pub(super) fn free_seat(&mut self) {
        let mut counts = self.facts.counts;
        counts.active = counts.active.saturating_sub(1);
        self.push(Effect::SetCounts(counts));
    }

    pub(super) fn known_user(&self, id: &UserId) -> Result<User> {
        self.facts.user(id).cloned().ok_or_else(|| unknown_user(id))
    }

    /// Fails if an address belongs to another user.
    fn require_own(&self, email: &Email, id: &UserId) -> Result<()> {
        let owner = self
            .facts
            .email(email)
            .and_then(|users| users.owner.as_ref());
        match owner {
            Some(owner) if owner != id => {
                let message = format!("The email belongs to {owner} already.");
                Err(Error::new(ErrorCode::EmailInUse, message).about("user.email"))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn require_seat(&self) -> Result<()> {
        let seats = self.facts.seats();
        if seats.has_free() {
            return Ok(());
        }
        let message = RecordedRefusal::NoSeats { seats }.to_string();
        Err(Error::new(ErrorCode::NoSeats, message))
    }
}

fn outcome(user: User) -> Outcome {
    Outcome::User(Box::new(user))
}
