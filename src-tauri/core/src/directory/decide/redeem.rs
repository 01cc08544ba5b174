//! Redeeming a code: turns the verdict into effects, such as a new user, a new session and a used link.

use jiff::Timestamp;

use super::super::command::Redemption;
use super::super::effect::Effect;
use super::super::facts::Facts;
use super::super::user::{Origin, User};
use super::{Draft, not_loaded};
use crate::Result;
use crate::activity::{AuditContext, Event};
use crate::ledger::{
    IssuedLink, LinkOrigin, LinkPerson, LinkStatus, LinkTerms, PersonCutoffs, Standing, Use,
};
use crate::protocol::code::VerifiedCode;
use crate::protocol::email::Email;
use crate::protocol::payload::{NewUser, Payload};
use crate::protocol::user_id::UserId;
use crate::session::{BrowserKey, LinkUse, NewSession, Session, kept_browser};
use crate::verdict::{DirectoryFacts, KnownUser, LinkState, Verdict, judge};

/// Returns the verdict on a code. `facts` must have everything that [`Redemption::needs`] asks for.
#[must_use]
pub fn verdict(redemption: &Redemption, facts: &Facts, now: Timestamp) -> Verdict {
    let known = match &redemption.code {
        Ok(code) => known_to(redemption, code, facts, now.as_second()),
        Err(_) => DirectoryFacts::default(),
    };
    judge(redemption.code.as_ref(), redemption.policy, &known)
}

/// Collects everything that the verdict on `code` depends on.
pub(super) fn known_to(
    redemption: &Redemption,
    code: &VerifiedCode,
    facts: &Facts,
    now: i64,
) -> DirectoryFacts {
    let mut known = DirectoryFacts {
        seats: facts.seats(),
        ..DirectoryFacts::default()
    };
    if let Payload::Email(email) = &code.payload {
        let users = facts.email(email);
        known.email_sharers = users.map(|users| users.sharers.clone()).unwrap_or_default();
    }
    let id = user_of(code, facts);
    if let Some(id) = id {
        let user = facts.user(id);
        // Only a link with a profile can be newer or older than the profile of a user.
        let links = match (user, &code.payload) {
            (Some(_), Payload::User(_)) => facts.links_since_edit(id).flatten(),
            _ => None,
        };
        known.user = user.map(|user| known_as(user, links.is_some(), now));
        let has_link = |links: &[String]| links.contains(&code.link);
        known.made_since_edit = links.is_some_and(has_link);
        known.removed_at = facts.removed_at(id);
        if let Payload::Email(email) = &code.payload {
            known.email_moved_at = facts.email(email).and_then(|users| users.moved_at(id));
        }
        if known.removed_at.max(known.email_moved_at).is_some() {
            known.made_since_removal = facts.recent_links(id).flatten().is_some_and(has_link);
        }
        if let Payload::User(NewUser {
            email: Some(email), ..
        }) = &code.payload
        {
            known.email_owner = foreign_owner(facts, email, id, user);
        }
    }
    known.link = state_of(code, id, redemption, facts, now);
    known
}

/// Returns the ID of the user whom a code names. `None` for an address that nobody has.
fn user_of<'a>(code: &'a VerifiedCode, facts: &'a Facts) -> Option<&'a UserId> {
    match &code.payload {
        Payload::Email(email) => facts.email(email)?.owner.as_ref(),
        Payload::Id(id) => Some(id.user_id()),
        Payload::User(user) => Some(&user.id),
    }
}

/// Returns another user who has an address. A user who shares an address with an older user keeps
/// it.
fn foreign_owner(facts: &Facts, email: &Email, id: &UserId, user: Option<&User>) -> Option<UserId> {
    if user.is_some_and(|user| user.email.as_ref() == Some(email)) {
        return None;
    }
    let owner = facts.email(email)?.owner.as_ref()?;
    (owner != id).then(|| owner.clone())
}

/// Returns the parts of a user that a verdict depends on.
pub(super) fn known_as(user: &User, was_edited: bool, now: i64) -> KnownUser {
    let was_added = user.origin != Origin::Link && user.profile_as_of == user.created_at;
    KnownUser {
        id: user.id.clone(),
        status: user.status_at(now),
        ends_at: user.ends_at,
        profile_as_of: user.profile_as_of,
        profile_set_here: was_added || was_edited,
    }
}

/// Returns whether the link of a code still works for the person with an ID. The state that came
/// first stays, as in [`Standing::of`].
///
/// A code gets no more uses than the ledger gives its link, because an attacker with the secret can
/// sign the ID of a link again.
fn state_of(
    code: &VerifiedCode,
    id: Option<&UserId>,
    redemption: &Redemption,
    facts: &Facts,
    now: i64,
) -> LinkState {
    let link = facts.link(&code.link).flatten();
    if link.is_some_and(|link| link.is_for_another(code.payload.subject(), id)) {
        return LinkState::OfAnother;
    }
    let taken_back = taken_back(code, facts);
    let used = link.map_or(0, |link| link.used);
    let allowed = link.map_or(code.registered.uses, |link| {
        code.registered.uses.min(link.uses)
    });
    let repeats = || {
        let used = link.and_then(|link| link.repeatable_use(browser_of(redemption), now));
        used.is_some_and(|used| goes_on(used, facts, now))
    };
    if allowed.are_spent_by(used) && (taken_back.is_some() || !repeats()) {
        return LinkState::Used;
    }
    match taken_back.map(|back| back.status) {
        None => LinkState::Open,
        Some(LinkStatus::Superseded) => LinkState::Superseded,
        Some(_) => LinkState::Revoked,
    }
}

/// Returns how the link of a code was revoked or superseded, whether or not it had ended by itself
/// before. `None` if it was neither.
pub(super) fn taken_back(code: &VerifiedCode, facts: &Facts) -> Option<Standing> {
    let (link, id) = (facts.link(&code.link).flatten(), user_of(code, facts));
    let person = id.cloned().map(LinkPerson::User);
    let address = match &code.payload {
        Payload::Email(email) => Some(LinkPerson::Email(email.clone())),
        Payload::Id(_) | Payload::User(_) => None,
    };
    let people = person.iter().chain(&address);
    let mut cutoffs: Vec<_> = people.map(|person| facts.cutoffs_of(person)).collect();
    let recent = id.and_then(|id| facts.recent_links(id).flatten());
    let is_recent = recent.is_some_and(|recent| recent.contains(&code.link));
    if is_recent && link.is_none() {
        // The link was shown after the cutoffs of the person.
        cutoffs.clear();
    }
    if cutoffs.is_empty() {
        cutoffs.push(PersonCutoffs::default());
    }
    let unknown = LinkTerms {
        key: code.key_id.as_deref(),
        ..LinkTerms::unknown(code.registered.issued_at)
    };
    let terms = link.map_or(unknown, IssuedLink::terms);
    let found = cutoffs
        .iter()
        .filter_map(|cutoffs| Standing::taken_back(&terms, cutoffs, &facts.cutoffs));
    found.min_by_key(|back| (back.status == LinkStatus::Superseded, back.ended_at))
}

fn browser_of(redemption: &Redemption) -> Option<BrowserKey> {
    redemption.session.as_ref()?.browser_key
}

/// Returns whether the session that a use of a link began is still signed in.
fn goes_on(used: LinkUse, facts: &Facts, now: i64) -> bool {
    let session = used.session.and_then(|key| facts.session(&key).flatten());
    session.is_some_and(|session| facts.goes_on(session, now))
}

impl Draft {
    /// Judges a code, applies the verdict, and records it.
    pub(super) fn redeem(&mut self, redemption: &Redemption, by: &AuditContext) -> Result<Verdict> {
        let verdict = verdict(redemption, &self.facts, self.at);
        match &redemption.code {
            Ok(code) => self.let_in(&verdict, code, redemption, by)?,
            Err(_) => self.record(Event::verdict(&verdict, None)),
        }
        Ok(verdict)
    }

    fn let_in(
        &mut self,
        verdict: &Verdict,
        code: &VerifiedCode,
        redemption: &Redemption,
        by: &AuditContext,
    ) -> Result<()> {
        self.record(Event::verdict(verdict, Some(code)));
        if let (None, Payload::Email(email)) = (verdict.user(), &code.payload)
            && let Some(entry) = self.entries.last_mut()
        {
            entry.user = self
                .facts
                .email(email)
                .and_then(|users| users.owner.clone());
        }
        // A code with an `iat` in the future must not keep later codes from refreshing the profile.
        let issued_at = code.registered.issued_at;
        let as_of = issued_at.map_or(0, |issued_at| issued_at.min(self.now));
        let user = match (verdict, &code.payload) {
            (Verdict::Provisioned { .. }, Payload::User(new)) => {
                let mut user = self.new_user(new, Origin::Link, as_of);
                user.sign_in(self.now);
                let end = code.registered.account_end;
                user.ends_at = end.map(|end| end.ends_at(self.now));
                self.insert(&user);
                user
            }
            (
                Verdict::SignedIn {
                    user: id,
                    refreshes_profile,
                },
                payload,
            ) => {
                let mut user = self.facts.user(id).cloned().ok_or_else(not_loaded)?;
                user.sign_in(self.now);
                if let (true, Payload::User(profile)) = (*refreshes_profile, payload) {
                    self.refresh(&mut user, profile);
                    user.profile_as_of = as_of;
                    self.forget_links_since_edit(id);
                    self.note_time(as_of);
                    self.put(&user);
                } else {
                    self.push(Effect::SignIn(Box::new(user.clone())));
                }
                user
            }
            // A refusal changes nothing, and only the payload of a new user provisions one.
            (Verdict::Refused(_) | Verdict::Provisioned { .. }, _) => return Ok(()),
        };
        // A new session may replace the one of the use that is repeated.
        self.use_link(code, &user, redemption, by);
        if let Some(session) = &redemption.session {
            self.begin_session(session, code, &user, by);
        }
        Ok(())
    }

    /// Takes over the profile of a code. Members that the code lacks stay.
    fn refresh(&mut self, user: &mut User, profile: &NewUser) {
        if let Some(email) = &profile.email {
            self.set_email(user, Some(email));
        }
        if !profile.metadata.members().is_empty() {
            user.metadata = profile.metadata.clone();
        }
    }

    fn begin_session(
        &mut self,
        new: &NewSession,
        code: &VerifiedCode,
        user: &User,
        by: &AuditContext,
    ) {
        if let Some(replaced) = &new.replaces
            && self.facts.session(replaced).flatten().is_some()
        {
            self.push(Effect::DeleteSession(*replaced));
        }
        let session = Session {
            user: user.id.clone(),
            generation: user.generation,
            place: new.place,
            link: Some(code.link.clone()),
            browser: new.browser.as_deref().and_then(kept_browser),
            address: by.address,
            created_at: self.now,
            last_seen: self.now,
            code_expires_at: code.registered.expires_at,
        };
        self.push(Effect::PutSession(new.key, Box::new(session)));
    }

    /// Notes a sign-in in the ledger. A code that is not there enters it.
    fn use_link(
        &mut self,
        code: &VerifiedCode,
        user: &User,
        redemption: &Redemption,
        by: &AuditContext,
    ) {
        let known = self.facts.link(&code.link).flatten().cloned();
        let mut link = known.unwrap_or_else(|| self.unknown_link(code));
        link.user = Some(user.id.clone());
        let session = redemption.session.as_ref();
        let browser = session.and_then(|session| session.browser.as_deref());
        let sign_in = Use {
            at: self.now,
            address: by.address,
            browser: browser.and_then(kept_browser),
        };
        let new = LinkUse {
            at: self.now,
            browser: browser_of(redemption),
            session: session.map(|session| session.key),
        };
        let repeats = link.repeatable_use(new.browser, self.now);
        let repeats = repeats.filter(|used| goes_on(*used, &self.facts, self.now));
        link.sign_in(sign_in, new, repeats);
        self.push(Effect::PutLink(Box::new(link)));
    }

    /// Returns the record of a code that enters the ledger with its first sign-in.
    fn unknown_link(&self, code: &VerifiedCode) -> IssuedLink {
        let origin = if code.is_made_here {
            LinkOrigin::Scanned
        } else {
            LinkOrigin::Foreign
        };
        let registered = &code.registered;
        IssuedLink {
            issued_at: registered.issued_at,
            not_before: registered.not_before,
            expires_at: registered.expires_at,
            uses: registered.uses,
            key: code.key_id.clone(),
            // It works now, so it is after all cutoffs so far, even within the same second.
            taken_in: code.is_made_here.then_some(self.facts.change),
            ..IssuedLink::new(code.link.clone(), origin, self.now)
        }
    }
}
