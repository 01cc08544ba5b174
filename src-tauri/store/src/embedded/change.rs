//! What a change does to the rows: the rules of [`Directory`](super::Directory), one row at a time.

use std::collections::{BTreeMap, HashMap};
use std::mem;

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::catalogue::Update;
use super::journal::{View, Write, decoded, encoded};
use super::keys;
use super::order::known_as;
use super::record::{Counters, LinkRecord, UserRecord};
use latchkey_core::activity::{self, Event, OutboxEntry};
use latchkey_core::directory::unknown_user;
use latchkey_core::directory::{JudgedCode, Origin, Profile, Redemption, User};
use latchkey_core::instance::Policy;
use latchkey_core::protocol::code::VerifiedCode;
use latchkey_core::protocol::email::Email;
use latchkey_core::protocol::payload::{NewUser, Payload};
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::session::LinkUse;
use latchkey_core::verdict::{DirectoryFacts, LinkState, Refusal, Status, Verdict, judge};
use latchkey_core::{Error, ErrorCode, Result};

/// A change that is being put together; once it is [finished](Self::finish), the next one on top of it.
pub(super) struct Change<'a> {
    pub(super) rows: Rows<'a>,
    pub(super) counters: Counters,
    /// The counters before this change.
    settled: Counters,
    /// What the catalogue is to be told of afterwards.
    updates: Vec<Update>,
    recorded: Recorded,
    /// The user whom the event names by an e-mail address.
    named: Option<String>,
}

/// How a change stands in the activity.
#[derive(Default)]
enum Recorded {
    /// Nothing has changed: what was written is given up.
    #[default]
    Unchanged,
    /// The change has no entry.
    Silently,
    As(Event),
}

/// What a change has come to.
pub(super) struct Finished {
    /// Changes are numbered one after the other.
    pub(super) number: u64,
    pub(super) writes: Vec<Write>,
    pub(super) updates: Vec<Update>,
    /// The event in the activity, if the change has one.
    pub(super) event: Option<Event>,
    /// The user whom the event names by an e-mail address.
    pub(super) named: Option<String>,
}

/// The rows, and what the change has made of them.
pub(super) struct Rows<'a> {
    view: View<'a>,
    /// What changes before this one have made of them that are not in the journal yet.
    settled: HashMap<Vec<u8>, Option<Vec<u8>>>,
    writes: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
}

impl<'a> Rows<'a> {
    pub(super) fn new(view: View<'a>) -> Self {
        Self {
            view,
            settled: HashMap::new(),
            writes: BTreeMap::new(),
        }
    }

    pub(super) fn read<T: DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>> {
        match self.writes.get(key).or_else(|| self.settled.get(key)) {
            Some(Some(bytes)) => decoded(bytes).map(Some),
            Some(None) => Ok(None),
            None => self.view.read(key),
        }
    }

    pub(super) fn write(&mut self, key: Vec<u8>, value: &(impl Serialize + ?Sized)) -> Result<()> {
        self.writes.insert(key, Some(encoded(value)?));
        Ok(())
    }

    pub(super) fn remove(&mut self, key: Vec<u8>) {
        self.writes.insert(key, None);
    }

    /// What has been written, which the next change finds.
    fn settle(&mut self) -> Vec<Write> {
        let writes: Vec<Write> = mem::take(&mut self.writes).into_iter().collect();
        self.settled.extend(writes.iter().cloned());
        writes
    }

    pub(super) fn user(&self, id: &str) -> Result<Option<UserRecord>> {
        self.read(&keys::user(id))
    }

    pub(super) fn counters(&self) -> Result<Counters> {
        Ok(self.read(keys::COUNTERS)?.unwrap_or_default())
    }

    /// The user who has an address.
    pub(super) fn user_by_email(&self, email: &Email) -> Result<Option<User>> {
        let Some(owner) = self.owner_of(email)? else {
            return Ok(None);
        };
        let id = UserId::parse(&owner, "id")?;
        let user = self.user(&owner)?;
        user.map(|user| user.into_user(&id)).transpose()
    }

    /// What opening a code would do.
    pub(super) fn judge(&self, code: JudgedCode<'_>, policy: Policy) -> Result<Verdict> {
        self.judge_for(code, policy, &|_| false)
    }

    /// The verdict on a redemption, which may repeat the last one of its browser.
    pub(super) fn judge_redemption(&self, redemption: &Redemption<'_>) -> Result<Verdict> {
        let browser = redemption.session.and_then(|session| session.browser_key);
        let now = redemption.by.at.as_second();
        let may_repeat = |used: LinkUse| used.may_be_repeated(browser, now);
        self.judge_for(redemption.code, redemption.policy, &may_repeat)
    }

    fn judge_for(
        &self,
        code: JudgedCode<'_>,
        policy: Policy,
        may_repeat: &dyn Fn(LinkUse) -> bool,
    ) -> Result<Verdict> {
        let known = match code {
            Ok(code) => self.knowledge(code, may_repeat)?,
            Err(_) => DirectoryFacts::default(),
        };
        Ok(judge(code, policy, &known))
    }

    /// Everything that a verdict on `code` depends on.
    fn knowledge(
        &self,
        code: &VerifiedCode,
        may_repeat: &dyn Fn(LinkUse) -> bool,
    ) -> Result<DirectoryFacts> {
        let mut known = DirectoryFacts {
            seats: self.counters()?.seats(),
            ..DirectoryFacts::default()
        };
        let (id, email) = match &code.payload {
            Payload::Email(email) => {
                known.email_sharers = self.sharers_of(email)?;
                (self.owner_of(email)?, None)
            }
            Payload::Id(id) => (Some(id.user_id().as_str().to_owned()), None),
            Payload::User(user) => (Some(user.id.as_str().to_owned()), user.email.as_ref()),
        };
        let mut own_email = None;
        if let Some(id) = &id {
            let user_id = UserId::parse(id, "id")?;
            let user = self.user(id)?;
            own_email = user.as_ref().and_then(UserRecord::email);
            // Only the profile in a link can be newer or older than a user's.
            let links = match (&user, &code.payload) {
                (Some(_), Payload::User(_)) => self.newer_links(id)?,
                _ => None,
            };
            known.user = user.map(|user| known_as(user_id, &user, links.as_ref()));
            let link = code.registered.id.as_ref();
            let has_link = |links: Vec<String>| link.is_some_and(|link| links.contains(link));
            known.made_since_edit = links.is_some_and(has_link);
            known.removed_at = self.read(&keys::removal(id))?;
            if let Payload::Email(email) = &code.payload {
                known.email_moved_at = self.moved_at(email, id)?;
            }
            if known.removed_at.max(known.email_moved_at).is_some() {
                known.made_since_removal = self.recent_links(id)?.is_some_and(has_link);
            }
        }
        // Who shares an address with an older user keeps it.
        if let Some(email) = email.filter(|email| own_email.as_ref() != Some(*email)) {
            let owner = self
                .owner_of(email)?
                .filter(|owner| Some(owner) != id.as_ref());
            known.email_owner = owner.map(|owner| UserId::parse(&owner, "id")).transpose()?;
        }
        if let Some(link) = &code.registered.id {
            known.link = match self.read(&keys::link(link))? {
                None | Some(LinkRecord::Open) => LinkState::Open,
                Some(LinkRecord::UsedBy(used)) if may_repeat(used) && self.goes_on(used)? => {
                    LinkState::Open
                }
                Some(LinkRecord::Used | LinkRecord::UsedBy(_)) => LinkState::Used,
                Some(LinkRecord::Revoked) => LinkState::Revoked,
            };
        }
        Ok(known)
    }

    /// Whether the session that a use of a link began has not been signed out.
    fn goes_on(&self, used: LinkUse) -> Result<bool> {
        let Some(key) = used.session else {
            return Ok(false);
        };
        let session = self.session(&key)?;
        session.map_or(Ok(false), |session| self.may_go_on(&session))
    }
}

impl<'a> Change<'a> {
    pub(super) fn new(view: View<'a>) -> Result<Self> {
        let rows = Rows::new(view);
        let counters = rows.counters()?;
        Ok(Self {
            rows,
            counters,
            settled: counters,
            updates: Vec::new(),
            recorded: Recorded::default(),
            named: None,
        })
    }

    /// What is to be written, if anything has changed. The next change begins.
    pub(super) fn finish(&mut self) -> Result<Option<Finished>> {
        let event = match mem::take(&mut self.recorded) {
            Recorded::Unchanged => {
                self.give_up();
                return Ok(None);
            }
            Recorded::Silently => None,
            Recorded::As(event) => Some(event),
        };
        self.counters.changes += 1;
        self.rows.write(keys::COUNTERS.to_vec(), &self.counters)?;
        self.settled = self.counters;
        Ok(Some(Finished {
            number: self.counters.changes,
            writes: self.rows.settle(),
            updates: mem::take(&mut self.updates),
            event,
            named: self.named.take(),
        }))
    }

    /// Nothing has changed. The next change begins.
    pub(super) fn give_up(&mut self) {
        self.rows.writes.clear();
        self.counters = self.settled;
        self.updates.clear();
        self.recorded = Recorded::Unchanged;
        self.named = None;
    }

    /// Says what is recorded of it.
    pub(super) fn record(&mut self, event: Event) {
        self.recorded = Recorded::As(event);
    }

    /// Says that it is made without an entry in the activity.
    pub(super) fn leave_unrecorded(&mut self) {
        if matches!(self.recorded, Recorded::Unchanged) {
            self.recorded = Recorded::Silently;
        }
    }

    pub(super) fn rows(&self) -> &Rows<'a> {
        &self.rows
    }

    pub(super) fn write(&mut self, key: Vec<u8>, value: &impl Serialize) -> Result<()> {
        self.rows.write(key, value)
    }

    pub(super) fn remove_row(&mut self, key: Vec<u8>) {
        self.rows.remove(key);
    }

    /// The number that the change will have.
    fn number(&self) -> u64 {
        self.counters.changes + 1
    }

    /// Leaves unrecorded what `admit` does not admit. It must have changed nothing else.
    pub(super) fn record_if(&mut self, admit: impl FnOnce(&Event) -> bool) {
        if let Recorded::As(event) = &self.recorded
            && !admit(event)
        {
            self.recorded = Recorded::Unchanged;
        }
    }

    fn known_user(&self, id: &UserId) -> Result<UserRecord> {
        self.rows.user(id.as_str())?.ok_or_else(|| unknown_user(id))
    }

    pub(super) fn put_user(&mut self, id: &str, user: &UserRecord) -> Result<()> {
        self.updates.push(Update::Put(Box::new(user.row(id))));
        self.rows.write(keys::user(id), user)
    }

    /// Judges a code, does what the verdict says, and records it.
    pub(super) fn redeem(&mut self, redemption: &Redemption<'_>) -> Result<Verdict> {
        let verdict = self.rows.judge_redemption(redemption)?;
        match redemption.code {
            Ok(code) => self.apply(&verdict, code, redemption)?,
            Err(_) => self.record(Event::verdict(&verdict, None)),
        }
        Ok(verdict)
    }

    /// Does what a verdict says, and records it.
    fn apply(
        &mut self,
        verdict: &Verdict,
        code: &VerifiedCode,
        redemption: &Redemption<'_>,
    ) -> Result<()> {
        self.record(Event::verdict(verdict, Some(code)));
        if let (None, Payload::Email(email)) = (verdict.user(), &code.payload) {
            self.named = self.rows.owner_of(email)?;
        }
        let now = redemption.by.at.as_second();
        // A code that claims to be from the future does not keep later ones from refreshing.
        let as_of = code
            .registered
            .issued_at
            .map_or(0, |issued_at| issued_at.min(now));
        match (verdict, &code.payload) {
            (Verdict::Provisioned { .. }, Payload::User(new)) => {
                let mut user = UserRecord::new(new, Origin::Link, now, as_of, self.number());
                user.sign_in(now);
                self.insert(new.id.as_str(), &user)?;
                self.begin_session(redemption, code, &new.id, &user)?;
            }
            (
                Verdict::SignedIn {
                    user: id,
                    refreshes_profile,
                },
                payload,
            ) => {
                let mut user = self.known_user(id)?;
                user.sign_in(now);
                if let (true, Payload::User(profile)) = (*refreshes_profile, payload) {
                    self.refresh(id.as_str(), &mut user, profile, now)?;
                    user.profile_as_of = as_of;
                    self.forget_order(id.as_str())?;
                    self.note_time(as_of)?;
                    self.put_user(id.as_str(), &user)?;
                } else {
                    let id = id.as_str().to_owned();
                    self.rows.write(keys::user(&id), &user)?;
                    self.updates.push(Update::SignIn { id, at: now });
                }
                self.begin_session(redemption, code, id, &user)?;
            }
            // A refusal changes nothing, and only the payload of a new user is ever provisioned.
            (Verdict::Refused(_) | Verdict::Provisioned { .. }, _) => return Ok(()),
        }
        if let (true, Some(link)) = (code.registered.single_use, &code.registered.id) {
            self.use_link(link, redemption)?;
        }
        Ok(())
    }

    /// Notes who used a link. A repeated use keeps its time.
    fn use_link(&mut self, link: &str, redemption: &Redemption<'_>) -> Result<()> {
        let key = keys::link(link);
        let session = redemption.session;
        let mut used = LinkUse {
            at: redemption.by.at.as_second(),
            browser: session.and_then(|session| session.browser_key),
            session: session.map(|session| session.key),
        };
        if let Some(LinkRecord::UsedBy(before)) = self.rows.read(&key)? {
            used.at = before.at;
        }
        self.rows.write(key, &LinkRecord::UsedBy(used))
    }

    /// Adds a user whom no code named.
    pub(super) fn add(
        &mut self,
        user: &NewUser,
        origin: Origin,
        now: Timestamp,
    ) -> Result<UserRecord> {
        let id = user.id.as_str();
        if self.rows.user(id)?.is_some() {
            let message = format!("There is a user {id} already.");
            return Err(Error::new(ErrorCode::UserExists, message).about("user.id"));
        }
        if let Some(email) = &user.email {
            self.require_own(email, &user.id)?;
        }
        self.require_seat()?;
        let now = now.as_second();
        let record = UserRecord::new(user, origin, now, now, self.number());
        self.insert(id, &record)?;
        Ok(record)
    }

    /// Adds a user with the address and the seat.
    fn insert(&mut self, id: &str, user: &UserRecord) -> Result<()> {
        if let Some(email) = user.email() {
            self.rows.claim_email(&email, id)?;
        }
        self.forget_order(id)?;
        self.note_time(user.profile_as_of)?;
        self.counters.users += 1;
        self.counters.active += 1;
        self.put_user(id, user)
    }

    /// What the code brings replaces what there is; what it leaves out stays.
    fn refresh(
        &mut self,
        id: &str,
        user: &mut UserRecord,
        profile: &NewUser,
        now: i64,
    ) -> Result<()> {
        if let Some(email) = &profile.email {
            self.set_email(id, user, Some(email), now)?;
        }
        if !profile.metadata.members().is_empty() {
            user.set_metadata(&profile.metadata);
        }
        Ok(())
    }

    /// Gives a user an address that nobody else has, or none.
    fn set_email(
        &mut self,
        id: &str,
        user: &mut UserRecord,
        email: Option<&Email>,
        now: i64,
    ) -> Result<()> {
        let old = user.email();
        if old.as_ref() != email {
            if let Some(old) = old {
                self.rows.release_email(&old, id, now)?;
            }
            if let Some(email) = email {
                self.rows.claim_email(email, id)?;
            }
        }
        user.email = email.map(|email| email.as_str().to_owned());
        Ok(())
    }

    pub(super) fn suspend(&mut self, id: &UserId) -> Result<User> {
        let mut user = self.known_user(id)?;
        if user.status == Status::Active {
            self.counters.active = self.counters.active.saturating_sub(1);
            user.status = Status::Suspended;
            self.end_sessions(&mut user);
            self.put_user(id.as_str(), &user)?;
            self.record(Event::act("suspended", "Suspended").of(id));
        }
        user.into_user(id)
    }

    pub(super) fn reactivate(&mut self, id: &UserId) -> Result<User> {
        let mut user = self.known_user(id)?;
        if user.status == Status::Suspended {
            self.require_seat()?;
            self.counters.active += 1;
            user.status = Status::Active;
            self.put_user(id.as_str(), &user)?;
            self.record(Event::act("reactivated", "Reactivated").of(id));
        }
        user.into_user(id)
    }

    /// Ends all sessions of a user, also those that begin in the same second.
    fn end_sessions(&self, user: &mut UserRecord) {
        user.generation = self.number();
    }

    pub(super) fn sign_out(&mut self, id: &UserId) -> Result<User> {
        let mut user = self.known_user(id)?;
        self.end_sessions(&mut user);
        self.put_user(id.as_str(), &user)?;
        self.record(Event::act("signed_out", "Signed out everywhere").of(id));
        user.into_user(id)
    }

    pub(super) fn edit(&mut self, id: &UserId, profile: &Profile, now: Timestamp) -> Result<User> {
        let mut user = self.known_user(id)?;
        let mut changed = Vec::new();
        if let Some(email) = &profile.email
            && user.email.as_deref() != email.as_ref().map(Email::as_str)
        {
            if let Some(email) = email
                && user.email().as_ref() != Some(email)
            {
                self.require_own(email, id)?;
            }
            self.set_email(id.as_str(), &mut user, email.as_ref(), now.as_second())?;
            changed.push("email");
        }
        let metadata = user.metadata()?;
        let merged = metadata.merged(&profile.members)?;
        if merged != metadata {
            user.set_metadata(&merged);
            changed.push("metadata");
        }
        if !changed.is_empty() {
            // What an older code says of the person does not come back.
            user.profile_as_of = user.profile_as_of.max(now.as_second());
            self.put_user(id.as_str(), &user)?;
            self.edited(id.as_str(), now.as_second())?;
            let event = Event::act("profile_changed", "Profile changed").of(id);
            self.record(event.with(changed.join(", ")));
        }
        user.into_user(id)
    }

    /// Removes a user. Returns the recorded time, which is never before the user was there: the clock may
    /// be behind.
    pub(super) fn remove(&mut self, id: &UserId, now: Timestamp) -> Result<i64> {
        let user = self.known_user(id)?;
        let at = now.as_second().max(user.last_known_at());
        if let Some(email) = user.email() {
            self.rows.release_email(&email, id.as_str(), at)?;
        }
        self.rows.remove(keys::user(id.as_str()));
        self.rows.write(keys::removal(id.as_str()), &at)?;
        self.forget_order(id.as_str())?;
        self.rows.remove(keys::recent_links(id.as_str()));
        self.note_time(at)?;
        self.updates.push(Update::Remove(id.as_str().to_owned()));
        self.counters.users = self.counters.users.saturating_sub(1);
        if user.status == Status::Active {
            self.counters.active = self.counters.active.saturating_sub(1);
        }
        self.record(Event::act("removed", "Removed").of(id));
        Ok(at)
    }

    pub(super) fn revoke_link(&mut self, link: &str) -> Result<()> {
        self.rows.write(keys::link(link), &LinkRecord::Revoked)?;
        let mut event = Event::act("revoked", "Link revoked");
        event.link = Some(link.to_owned());
        self.record(event);
        Ok(())
    }

    /// Records an act on the settings; `false` if it was recorded before.
    pub(super) fn take_act(&mut self, act: &OutboxEntry) -> Result<bool> {
        let recorded: u64 = self.rows.read(keys::ACTS)?.unwrap_or_default();
        if act.number > recorded {
            self.rows.write(keys::ACTS.to_vec(), &act.number)?;
            self.record(act.event.clone());
            // A link that was made while this directory was held, for a user.
            if act.event.code == activity::LINK_MADE
                && let (Some(user), Some(link)) = (&act.event.subject, &act.event.link)
            {
                self.note_link_of(&UserId::parse(user, "id")?, link, act.at)?;
                self.note_recent(user, link, act.at)?;
            }
        }
        Ok(act.number > recorded)
    }

    /// Refuses an address that belongs to somebody else.
    fn require_own(&self, email: &Email, id: &UserId) -> Result<()> {
        match self.rows.owner_of(email)? {
            Some(owner) if owner != id.as_str() => {
                let message = format!("The email belongs to {owner} already.");
                Err(Error::new(ErrorCode::EmailInUse, message).about("user.email"))
            }
            _ => Ok(()),
        }
    }

    fn require_seat(&self) -> Result<()> {
        let seats = self.counters.seats();
        if seats.has_free() {
            return Ok(());
        }
        let message = Refusal::NoSeats { seats }.to_string();
        Err(Error::new(ErrorCode::NoSeats, message))
    }
}
