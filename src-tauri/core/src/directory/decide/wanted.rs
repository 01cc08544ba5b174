//! Collecting the facts that a command needs and that are not loaded yet.

use super::super::command::Redemption;
use super::super::due::DueScan;
use super::super::facts::{EmailUsers, Facts, Needs, Person};
use crate::activity::{EventData, OutboxEntry};
use crate::instance::Policy;
use crate::ledger::{Asking, IssuedLink, LinkPerson, NewLinkRequest, PersonCutoffs};
use crate::protocol::claims::Claims;
use crate::protocol::email::Email;
use crate::protocol::payload::{NewUser, Payload};
use crate::protocol::user_id::UserId;
use crate::session::{Session, SessionKey};

/// Needs that are being collected. Each function adds a need, and returns the fact if it is known.
pub(super) struct Wanted<'a> {
    facts: &'a Facts,
    pub(super) needs: Needs,
}

fn add<T: PartialEq + Clone>(list: &mut Vec<T>, wanted: &T) {
    if !list.contains(wanted) {
        list.push(wanted.clone());
    }
}

impl<'a> Wanted<'a> {
    pub(super) fn new(facts: &'a Facts) -> Self {
        Self {
            facts,
            needs: Needs::default(),
        }
    }

    pub(super) fn person(&mut self, id: &UserId) -> Option<&'a Person> {
        let known = self.facts.person(id);
        if known.is_none() {
            add(&mut self.needs.people, id);
        }
        known
    }

    pub(super) fn email(&mut self, email: &Email) -> Option<&'a EmailUsers> {
        let known = self.facts.email(email);
        if known.is_none() {
            add(&mut self.needs.emails, email);
        }
        known
    }

    pub(super) fn session(&mut self, key: &SessionKey) -> Option<&'a Session> {
        let known = self.facts.session(key);
        if known.is_none() {
            add(&mut self.needs.sessions, key);
        }
        known.flatten()
    }

    pub(super) fn link(&mut self, id: &str) -> Option<&'a IssuedLink> {
        let known = self.facts.link(id);
        if known.is_none() {
            add(&mut self.needs.links, &id.to_owned());
        }
        known.flatten()
    }

    pub(super) fn short_code(&mut self, link: &str) {
        if self.facts.short_code(link).is_none() {
            add(&mut self.needs.short_codes, &link.to_owned());
        }
    }

    fn request(&mut self, person: &LinkPerson) -> Option<&'a NewLinkRequest> {
        let known = self.facts.request(person);
        if known.is_none() {
            add(&mut self.needs.requests, person);
        }
        known.flatten()
    }

    /// Adds the open requests of a user, by the ID and by the address.
    pub(super) fn requests_of(&mut self, id: &UserId) -> [Option<&'a NewLinkRequest>; 2] {
        let by_id = self.request(&LinkPerson::User(id.clone()));
        let person = self.person(id);
        let user = person.and_then(|person| person.user.as_ref());
        let email = user.and_then(|user| user.email.as_ref());
        let by_email = email.and_then(|email| self.request(&LinkPerson::Email(email.clone())));
        [by_id, by_email]
    }

    /// Adds the open requests of a user, and the facts that decide whether they can be granted.
    fn requests_to_judge(&mut self, id: &UserId) {
        for request in self.requests_of(id).into_iter().flatten() {
            self.granting(request);
        }
    }

    /// Adds the cutoffs of a user, by the ID and by the address.
    pub(super) fn cutoffs_of(&mut self, id: &UserId) {
        self.user_with_email(id);
        self.recent_links(id);
        let person = self.facts.person(id);
        let user = person.and_then(|person| person.user.as_ref());
        if let Some(email) = user.and_then(|user| user.email.as_ref()) {
            self.linked(&LinkPerson::Email(email.clone()));
        }
    }

    /// Adds the person of a link whose older links stop working.
    pub(super) fn superseded(&mut self, payload: &Payload) {
        let person = match payload {
            Payload::Email(email) => match self.email(email) {
                Some(_) => self.facts.link_person(payload),
                None => return,
            },
            Payload::Id(_) | Payload::User(_) => self.facts.link_person(payload),
        };
        match &person {
            LinkPerson::User(id) => self.cutoffs_of(id),
            LinkPerson::Email(_) => {}
        }
    }

    /// Adds the person whom an ID or an address names.
    pub(super) fn named(&mut self, named: &UserId) {
        self.linked(&LinkPerson::User(named.clone()));
        self.requests_to_judge(named);
        self.cutoffs_of(named);
        let Ok(email) = Email::parse(named.as_str(), "user") else {
            return;
        };
        let person = LinkPerson::Email(email.clone());
        self.linked(&person);
        self.request_to_judge(&person);
        if let Some(EmailUsers {
            owner: Some(owner), ..
        }) = self.email(&email)
        {
            self.requests_to_judge(owner);
            self.cutoffs_of(owner);
        }
    }

    fn linked(&mut self, person: &LinkPerson) {
        if self.facts.has_links(person).is_none() {
            add(&mut self.needs.linked, person);
        }
    }

    /// Adds a link, and the requests of its person.
    pub(super) fn link_with_requests(&mut self, id: &str) {
        let Some(link) = self.link(id) else {
            return;
        };
        if let Some(user) = &link.user {
            self.user_with_email(user);
        }
        for person in self.facts.people_of(link) {
            self.request_to_judge(&person);
        }
    }

    pub(super) fn asking(&mut self, asking: &Asking) {
        let code = asking.code.content();
        self.redemption(&Redemption::new(Ok(code), asking.policy));
    }

    /// Adds the open request of a person, and the facts that decide whether it can be granted.
    pub(super) fn request_to_judge(&mut self, person: &LinkPerson) -> Option<&'a NewLinkRequest> {
        let request = self.request(person);
        if let Some(request) = request {
            self.granting(request);
        }
        request
    }

    pub(super) fn granting(&mut self, request: &NewLinkRequest) {
        // Only the time of the judgement depends on the clock, and no fact.
        if let Ok(code) = request.old_code(0) {
            self.redemption(&Redemption::new(Ok(&code), Policy::default()));
        }
    }

    /// Adds the request of the person whom a code names, and the number of requests if a new one
    /// may be opened.
    pub(super) fn request_of_code(&mut self, asking: &Asking) {
        self.asking(asking);
        if !self.needs.is_empty() {
            return;
        }
        let person = self.facts.link_person(&asking.code.content().payload);
        self.request_to_judge(&person);
        if self.facts.open_requests.is_none() {
            self.needs.open_requests = true;
        }
    }

    pub(super) fn links_since_edit(&mut self, id: &UserId) {
        if self.facts.links_since_edit(id).is_none() {
            add(&mut self.needs.links_since_edit, id);
        }
    }

    fn recent_links(&mut self, id: &UserId) {
        if self.facts.recent_links(id).is_none() {
            add(&mut self.needs.recent_links, id);
        }
    }

    pub(super) fn session_with_user(&mut self, key: &SessionKey) {
        if let Some(session) = self.session(key) {
            self.going_on(session);
        }
    }

    /// Adds the facts that show whether a session goes on.
    pub(super) fn going_on(&mut self, session: &Session) {
        self.person(&session.user);
        if let Some(link) = &session.link
            && self.facts.cutoffs.any_ends_sessions
        {
            self.link(link);
        }
    }

    pub(super) fn user_with_email(&mut self, id: &UserId) {
        if let Some(Person {
            user: Some(user), ..
        }) = self.person(id)
            && let Some(email) = &user.email
        {
            self.email(email);
        }
    }

    pub(super) fn new_user(&mut self, user: &NewUser) {
        self.person(&user.id);
        self.links_since_edit(&user.id);
        if let Some(email) = &user.email {
            self.address_got(email, &user.id);
        }
        self.seat();
    }

    /// Adds an address that a user gets. If links of the user were taken back, also adds whether
    /// links were given out for the address.
    pub(super) fn address_got(&mut self, email: &Email, id: &UserId) {
        self.email(email);
        let person = self.facts.person(id);
        if person.is_some_and(|person| person.cutoffs != PersonCutoffs::default()) {
            self.linked(&LinkPerson::Email(email.clone()));
        }
    }

    /// Adds the address that a user may give up, and whether links were given out for it.
    pub(super) fn address_given_up(&mut self, id: &UserId) {
        self.user_with_email(id);
        let user = self.facts.user(id);
        if let Some(email) = user.and_then(|user| user.email.as_ref()) {
            self.linked(&LinkPerson::Email(email.clone()));
        }
    }

    /// Adds the accounts that are due. They free their seats in the command that takes one.
    pub(super) fn seat(&mut self) {
        self.due(DueScan::Counted);
    }

    pub(super) fn due(&mut self, scan: DueScan) {
        match &self.facts.due {
            None => self.needs.due = Some(scan),
            Some(due) => due.first.iter().for_each(|id| {
                self.person(id);
            }),
        }
    }

    pub(super) fn redemption(&mut self, redemption: &Redemption) {
        let Ok(code) = &redemption.code else {
            return;
        };
        match &code.payload {
            Payload::Id(id) => self.redeemer(id.user_id()),
            Payload::Email(email) => {
                if let Some(EmailUsers {
                    owner: Some(owner), ..
                }) = self.email(email)
                {
                    self.redeemer(owner);
                    self.recent_links(owner);
                }
            }
            Payload::User(new) => {
                self.redeemer(&new.id);
                self.links_since_edit(&new.id);
                self.profile_email(new);
                if let Some(Person { user: None, .. }) = self.facts.person(&new.id) {
                    self.seat();
                }
            }
        }
        if let Some(link) = self.link(&code.link) {
            let browser = redemption.session.as_ref();
            let browser = browser.and_then(|session| session.browser_key);
            let repeatable = link
                .recent
                .iter()
                .filter(|used| browser.is_some() && used.browser == browser);
            for key in repeatable.filter_map(|used| used.session) {
                self.session_with_user(&key);
            }
        }
        if let Some(session) = &redemption.session
            && let Some(replaced) = &session.replaces
        {
            self.session(replaced);
        }
    }

    /// Adds the user whom a code names.
    fn redeemer(&mut self, id: &UserId) {
        if self
            .person(id)
            .is_some_and(|person| person.removed_at.is_some() || !person.cutoffs.is_empty())
        {
            self.recent_links(id);
        }
    }

    /// Adds the address in a profile, and the address that it replaces.
    fn profile_email(&mut self, new: &NewUser) {
        let (Some(email), Some(person)) = (&new.email, self.facts.person(&new.id)) else {
            return;
        };
        let old = person.user.as_ref().and_then(|user| user.email.as_ref());
        if old.map(Email::as_str) != Some(email.as_str()) {
            self.address_got(email, &new.id);
            self.address_given_up(&new.id);
        }
    }

    pub(super) fn made_link(&mut self, claims: &Claims) {
        let Payload::User(user) = &claims.payload else {
            return self.recent_of(claims.payload.subject());
        };
        self.person(&user.id);
        self.links_since_edit(&user.id);
        self.recent_of(claims.payload.subject());
    }

    pub(super) fn outbox_entry(&mut self, entry: &OutboxEntry) {
        if entry.event.data == EventData::LinkMade
            && let Some(subject) = &entry.event.subject
        {
            if let Ok(id) = UserId::parse(subject, "id") {
                self.person(&id);
                self.links_since_edit(&id);
            }
            self.recent_of(subject);
        }
    }

    /// Adds the facts that show whether a link for an ID or an address follows a removal or a move.
    fn recent_of(&mut self, subject: &str) {
        if let Ok(id) = UserId::parse(subject, "id") {
            self.person(&id);
            self.recent_links(&id);
        }
        if let Ok(email) = Email::parse(subject, "email")
            && let Some(EmailUsers {
                owner: Some(owner), ..
            }) = self.email(&email)
        {
            self.person(owner);
            self.recent_links(owner);
        }
    }
}
