//! Tests of decisions on random commands, without an engine. A model in memory has the state of the
//! directory. Each command is decided twice: from the whole model, and from the facts that it asks
//! for. After each command, invariants are checked.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use latchkey_core::activity::{Actor, AuditContext, Event, EventData, OutboxEntry};
use latchkey_core::directory::{
    Command, Counts, Decision, DueAccounts, Effect, Facts, MAX_DUE, Needs, Newcomer, Outcome,
    Profile, Redemption, TimeAhead, User, decide,
};
use latchkey_core::instance::Policy;
use latchkey_core::ledger::{
    Asking, LinkPerson, RequestRef, Revocation, RevocationScope, TakenLink,
};
use latchkey_core::protocol::account_end::AccountEnd;
use latchkey_core::protocol::claims::{Claims, Registered};
use latchkey_core::protocol::code::{CodeRefusal, VerifiedCode};
use latchkey_core::protocol::email::Email;
use latchkey_core::protocol::metadata::Metadata;
use latchkey_core::protocol::payload::{NewUser, Payload};
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::protocol::uses::Uses;
use latchkey_core::session::{NewSession, SessionId, SessionKey, SessionRules, SessionScope};
use latchkey_core::verdict::{Status, Verdict};
use serde_json::{Map, Value, json};

const IDS: [&str; 5] = ["ada", "bob", "cyd", "eve", "ada@acme.example"];
const EMAILS: [&str; 4] = [
    "ada@acme.example",
    "ADA@ACME.EXAMPLE",
    "bob@acme.example",
    "b\u{fc}cher@b\u{fc}cher.example",
];
const LINKS: [&str; 3] = ["link-1", "link-2", "link-3"];
const START: i64 = 1_795_300_000;
const ROUNDS: u64 = 60;
const COMMANDS: usize = 250;

/// Random numbers that are the same in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }

    fn of(&mut self, all: &[&'static str]) -> &'static str {
        all[usize::try_from(self.below(all.len() as u64)).unwrap()]
    }
}

/// A directory in memory.
struct Model {
    /// All facts that were ever loaded or changed.
    facts: Facts,
    users: BTreeMap<String, User>,
    /// Index of due accounts.
    due: BTreeSet<(i64, String)>,
    sessions: Vec<SessionKey>,
    /// Open requests for new links.
    requests: Vec<RequestRef>,
    now: i64,
    random: Random,
}

fn id(text: &str) -> UserId {
    UserId::parse(text, "id").unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

impl Model {
    fn new(seed: u64) -> Self {
        let mut facts = Facts::default();
        facts.change = 1;
        Self {
            facts,
            users: BTreeMap::new(),
            due: BTreeSet::new(),
            sessions: Vec::new(),
            requests: Vec::new(),
            now: START,
            random: Random(seed),
        }
    }

    /// Adds the facts that a command needs, like an engine.
    fn load(&self, needs: Needs, facts: &mut Facts) {
        let all = &self.facts;
        for id in needs.people {
            let person = all.person(&id).cloned().unwrap_or_default();
            facts.set_person(id, person);
        }
        for id in needs.links_since_edit {
            let links = all.links_since_edit(&id).flatten().map(<[String]>::to_vec);
            facts.set_links_since_edit(id, links);
        }
        for id in needs.recent_links {
            let links = all.recent_links(&id).flatten().map(<[String]>::to_vec);
            facts.set_recent_links(id, links);
        }
        for email in needs.emails {
            facts.set_email(&email, all.email(&email).cloned().unwrap_or_default());
        }
        for link in needs.links {
            let known = all.link(&link).flatten().cloned();
            facts.set_link(link, known);
        }
        for person in needs.requests {
            let known = all.request(&person).flatten().cloned();
            facts.set_request(person, known);
        }
        if needs.open_requests {
            facts.open_requests = Some(self.requests.len());
        }
        for key in needs.sessions {
            facts.set_session(key, all.session(&key).flatten().cloned());
        }
        if needs.due.is_some() {
            let due = self.due.iter().take_while(|(at, _)| *at <= self.now);
            facts.due = Some(DueAccounts {
                at: self.now,
                count: due.clone().count() as u64,
                first: due.take(MAX_DUE).map(|(_, user)| id(user)).collect(),
            });
        }
    }

    fn complete(&self, command: &Command, mut facts: Facts) -> Facts {
        for _ in 0..10 {
            let needs = command.needs(&facts);
            if needs.is_empty() {
                return facts;
            }
            self.load(needs, &mut facts);
        }
        panic!("{command:?} never has enough");
    }

    /// Decides a command and applies its effects.
    fn execute(&mut self, command: &Command) -> Result<Decision, String> {
        let by = AuditContext::new(Actor::Studio, at(self.now));
        let mut few = Facts::default();
        few.counts = self.facts.counts;
        few.change = self.facts.change;
        few.latest_time = self.facts.latest_time;
        few.cutoffs = self.facts.cutoffs.clone();
        few.last_outbox_entry = self.facts.last_outbox_entry;
        let few = decide(command, self.complete(command, few), &by);
        let all = decide(command, self.complete(command, self.facts.clone()), &by);
        let (few, all) = (
            few.map_err(|e| e.to_string()),
            all.map_err(|e| e.to_string()),
        );
        assert_eq!(
            few, all,
            "{command:?} depends on facts that it does not ask for"
        );
        let decision = few?;
        for effect in &decision.effects {
            self.facts.apply(effect);
            match effect {
                Effect::PutUser(user) | Effect::SignIn(user) => {
                    self.users
                        .insert(user.id.as_str().to_owned(), User::clone(user));
                }
                Effect::RemoveUser(id) => {
                    self.users.remove(id.as_str());
                }
                Effect::AddDue(id, at) => {
                    assert!(
                        self.due.insert((*at, id.as_str().to_owned())),
                        "{command:?}"
                    );
                }
                Effect::DropDue(id, at) => {
                    assert!(
                        self.due.remove(&(*at, id.as_str().to_owned())),
                        "{command:?}"
                    );
                }
                Effect::PutSession(key, _) => self.sessions.push(*key),
                Effect::PutRequest(request) => {
                    let new = request.reference();
                    let mut open = self.requests.iter();
                    assert!(open.all(|open| open.person != new.person), "{command:?}");
                    self.requests.push(new);
                }
                Effect::DeleteRequest(person) => {
                    self.requests.retain(|open| open.person != *person);
                }
                _ => {}
            }
        }
        if !decision.effects.is_empty() || !decision.entries.is_empty() {
            self.facts.change += decision.entries.len().max(1) as u64;
        }
        Ok(decision)
    }

    fn check(&self, command: &Command, before: Counts, decision: &Decision) {
        let counts = self.facts.counts;
        assert_eq!(counts.users, self.users.len() as u64, "{command:?}");
        let active = self
            .users
            .values()
            .filter(|user| user.status == Status::Active);
        assert_eq!(counts.active, active.count() as u64, "{command:?}");
        let due = self.users.values().filter_map(|user| {
            let at = user.due_at()?;
            Some((at, user.id.as_str().to_owned()))
        });
        assert_eq!(due.collect::<BTreeSet<_>>(), self.due, "{command:?}");
        if counts.active > before.active {
            let limit = before.seat_limit.unwrap_or(u64::MAX);
            let now_active = self
                .users
                .values()
                .filter(|user| user.status_at(self.now) == Status::Active);
            assert!(
                now_active.count() as u64 <= limit,
                "{command:?} took a seat that is not there"
            );
        }
        for user in self.users.values() {
            assert!(user.generation < self.facts.change, "{command:?}");
            if let Some(email) = &user.email {
                let owner = self
                    .facts
                    .email(email)
                    .and_then(|users| users.owner.as_ref());
                assert_eq!(owner, Some(&user.id), "{command:?}: {email}");
            }
        }
        for text in EMAILS {
            let email = Email::parse(text, "email").unwrap();
            if let Some(owner) = self
                .facts
                .email(&email)
                .and_then(|users| users.owner.as_ref())
            {
                let has = self
                    .users
                    .get(owner.as_str())
                    .and_then(|user| user.email.as_ref());
                assert_eq!(has, Some(&email), "{command:?}: {owner}");
            }
        }
        for open in &self.requests {
            let LinkPerson::User(user) = &open.person else {
                continue;
            };
            let user = self.users.get(user.as_str());
            assert!(
                user.is_none_or(|user| user.status != Status::Suspended),
                "{command:?} keeps the request of a suspended user"
            );
        }
        let most = match command {
            Command::Import(users) => users.len(),
            Command::TakeLink(taken) if taken.grants.is_some() => 2,
            _ => 1,
        };
        let acts = decision.entries.iter().filter(|entry| !entry.is_due);
        assert!(acts.count() <= most, "{command:?}");
        match &decision.outcome {
            Outcome::Verdict(Verdict::Refused(_)) => {
                assert!(decision.effects.is_empty(), "{command:?} was refused");
                assert_eq!(decision.entries.len(), 1, "{command:?} is recorded");
            }
            Outcome::Verdict(verdict) => {
                self.check_order(command, verdict.user().unwrap());
                for effect in &decision.effects {
                    if let Effect::PutSession(_, session) = effect {
                        assert!(self.facts.goes_on(session, self.now), "{command:?}");
                        assert!(self.facts.is_active(&session.user), "{command:?}");
                    }
                }
            }
            _ => {}
        }
    }

    /// Checks that a code from before the removal of its user signs nobody in.
    fn check_order(&self, command: &Command, user: &UserId) {
        let Command::Redeem(redemption) = command else {
            return;
        };
        let code = redemption.code.as_ref().unwrap();
        let Some(removed_at) = self.facts.removed_at(user) else {
            return;
        };
        let link = code.registered.id.as_ref();
        let recent = self.facts.recent_links(user).flatten().unwrap_or_default();
        let is_noted = link.is_some_and(|link| recent.contains(link));
        let is_ahead = removed_at > self.now + 60;
        assert!(
            is_noted || is_ahead || code.is_issued_after(removed_at),
            "{command:?} brings {user} back"
        );
    }

    fn email(&mut self) -> Email {
        Email::parse(self.random.of(&EMAILS), "email").unwrap()
    }

    fn user_id(&mut self) -> UserId {
        id(self.random.of(&IDS))
    }

    fn new_user(&mut self) -> NewUser {
        let email = self.random.one_in(2).then(|| self.email());
        let team = self.random.below(3);
        NewUser {
            id: self.user_id(),
            email,
            metadata: Metadata::from_fields([("team", team.to_string().as_str())], "metadata")
                .unwrap(),
        }
    }

    fn payload(&mut self) -> Payload {
        match self.random.below(4) {
            0 => Payload::Email(self.email()),
            1 => {
                let claims = json!({ "id": self.user_id().as_str() });
                Payload::from_claims(claims.as_object().unwrap()).unwrap()
            }
            _ => Payload::User(self.new_user()),
        }
    }

    /// Returns a distance of some commands from now, mostly in the future.
    fn distance(&mut self) -> i64 {
        i64::try_from(self.random.below(300)).unwrap() - 20
    }

    fn newcomer(&mut self) -> Newcomer {
        Newcomer {
            user: self.new_user(),
            ends_at: self.random.one_in(4).then(|| self.now + self.distance()),
        }
    }

    fn uses(&mut self) -> Uses {
        match self.random.below(6) {
            0 | 1 => Uses::ONCE,
            2 => Uses::limited(3).unwrap(),
            _ => Uses::UNLIMITED,
        }
    }

    fn taken_link(&mut self) -> TakenLink {
        let open = self.request();
        TakenLink {
            grants: open.filter(|_| self.random.one_in(3)),
            note: self.random.one_in(3).then(|| "a note".to_owned()),
            supersedes: self.random.one_in(3),
            ..TakenLink::new(self.claims(), Some("key".to_owned()))
        }
    }

    fn revocation(&mut self) -> Revocation {
        let scope = match self.random.below(8) {
            0 | 1 => RevocationScope::Person(self.user_id()),
            2 => RevocationScope::Before(self.now - 300),
            3 => RevocationScope::Key("key".to_owned()),
            _ => RevocationScope::Link(self.random.of(&LINKS).to_owned()),
        };
        Revocation {
            scope,
            ends_sessions: self.random.one_in(2),
        }
    }

    fn registered(&mut self) -> Registered {
        let shift = i64::try_from(self.random.below(400)).unwrap() - 340;
        Registered {
            issued_at: (!self.random.one_in(6)).then_some(self.now + shift),
            id: self
                .random
                .one_in(2)
                .then(|| self.random.of(&LINKS).to_owned()),
            uses: self.uses(),
            account_end: self
                .random
                .one_in(3)
                .then(|| AccountEnd::At(self.now + self.distance())),
            ..Registered::default()
        }
    }

    fn redemption(&mut self) -> Redemption {
        let registered = self.registered();
        let link = registered.id.clone();
        let code = VerifiedCode {
            payload: self.payload(),
            registered,
            members: Map::new(),
            judged_at: self.now,
            key_id: None,
            link: link.unwrap_or_else(|| "sha256-1".to_owned()),
            is_made_here: self.random.one_in(2),
        };
        let replaces = self.session_key();
        let session = self.random.one_in(2).then(|| NewSession {
            key: SessionId::new(at(self.now)).unwrap().key(),
            place: SessionScope::Page,
            browser: None,
            browser_key: None,
            replaces,
        });
        Redemption {
            code: if self.random.one_in(12) {
                Err(CodeRefusal::BadSignature)
            } else {
                Ok(code)
            },
            policy: Policy {
                provisioning: !self.random.one_in(8),
                ..Policy::default()
            },
            session,
        }
    }

    /// Returns a request that is open or was.
    fn request(&mut self) -> Option<RequestRef> {
        let count = self.requests.len() as u64;
        let known = (count > 0).then(|| self.random.below(count))?;
        let open = self.requests[usize::try_from(known).unwrap()].clone();
        let number = open.number - u64::from(self.random.one_in(4));
        Some(RequestRef { number, ..open })
    }

    fn asking(&mut self) -> Option<Asking> {
        let redemption = self.redemption();
        Some(Asking {
            code: redemption.code.ok()?.into(),
            policy: redemption.policy,
            browser: None,
        })
    }

    fn session_key(&mut self) -> Option<SessionKey> {
        let known =
            (!self.sessions.is_empty()).then(|| self.random.below(self.sessions.len() as u64))?;
        Some(self.sessions[usize::try_from(known).unwrap()])
    }

    fn claims(&mut self) -> Claims {
        let payload = self.payload();
        let registered = Registered {
            issued_at: Some(self.now),
            id: Some(self.random.of(&LINKS).to_owned()),
            ..Registered::default()
        };
        Claims {
            payload,
            registered,
        }
    }

    fn profile(&mut self) -> Profile {
        let email = match self.random.below(3) {
            0 => None,
            1 => Some(None),
            _ => Some(Some(self.email())),
        };
        let mut members = Map::new();
        if self.random.one_in(2) {
            members.insert("team".to_owned(), Value::from(self.random.below(3)));
        }
        Profile { email, members }
    }

    fn times_ahead(&self) -> Vec<TimeAhead> {
        let ahead = |at: &i64| *at > self.now + 60;
        let removals = IDS.iter().map(|name| {
            let at = self.facts.removed_at(&id(name)).filter(ahead)?;
            let (user, is_removal) = (id(name), true);
            Some(TimeAhead {
                user,
                is_removal,
                at,
            })
        });
        let profiles = self.users.values().map(|user| {
            let at = Some(user.profile_as_of).filter(ahead)?;
            let (user, is_removal) = (user.id.clone(), false);
            Some(TimeAhead {
                user,
                is_removal,
                at,
            })
        });
        removals.chain(profiles).flatten().collect()
    }

    fn command(&mut self) -> Command {
        match self.random.below(29) {
            0..=8 => Command::Redeem(self.redemption().into()),
            9 | 10 => Command::Add(self.newcomer()),
            11 => {
                let count = self.random.below(4);
                Command::Import((0..count).map(|_| self.newcomer()).collect())
            }
            12 => Command::Edit(self.user_id(), self.profile()),
            13 => Command::Suspend(self.user_id()),
            14 => Command::Reactivate(self.user_id()),
            15 => Command::SignOut(self.user_id()),
            16 | 17 => Command::Remove(self.user_id()),
            18 => {
                let limit = self.random.below(5);
                Command::SetSeatLimit((limit > 0).then_some(limit))
            }
            19 => match self.session_key() {
                Some(key) if self.random.one_in(2) => Command::EndSession(key),
                Some(key) => Command::NoteSessionsSeen(vec![(key, self.now)]),
                None => Command::Record(EventData::GatewayRecovered.into()),
            },
            20 => Command::PruneSessions(self.sessions.clone(), SessionRules::default()),
            21 if self.random.one_in(2) => Command::TakeLink(Box::new(self.taken_link())),
            21 => Command::LinkShown(self.claims()),
            22 if self.random.one_in(2) => Command::RevokeLinks(self.revocation()),
            22 => Command::CorrectTimes(self.times_ahead()),
            23 => {
                let end = (!self.random.one_in(4)).then(|| self.now + self.distance());
                Command::SetAccountEnd(self.user_id(), end)
            }
            24 => Command::EndDueAccounts,
            25 => match self.request() {
                Some(request) => Command::DismissRequest(request),
                None => Command::LinkShown(self.claims()),
            },
            26 | 27 => match self.asking() {
                Some(asking) => Command::AskForLink(Box::new(asking)),
                None => Command::LinkShown(self.claims()),
            },
            _ => Command::RecordOutbox(OutboxEntry {
                number: self.random.below(20),
                at: self.now,
                actor: Actor::CommandLine,
                address: None,
                event: Event::link_made(&self.claims()),
            }),
        }
    }
}

#[test]
fn every_decision_asks_for_what_it_depends_on_and_keeps_the_rules() {
    let (mut made, mut refused) = (0, 0);
    for seed in 0..ROUNDS {
        let mut model = Model::new(seed);
        for _ in 0..COMMANDS {
            // Sometimes the clock is put back, or was far ahead.
            model.now += match model.random.below(40) {
                0 => -90,
                1 if seed.is_multiple_of(5) => 4000,
                2 if seed.is_multiple_of(5) => -4000,
                _ => 7,
            };
            let (command, before) = (model.command(), model.facts.counts);
            match model.execute(&command) {
                Ok(decision) => {
                    made += 1;
                    model.check(&command, before, &decision);
                }
                Err(_) => refused += 1,
            }
        }
    }
    assert!(
        made > 8_000 && refused > 500,
        "{made} made, {refused} refused"
    );
}

#[test]
fn each_imported_user_has_an_entry_of_their_own() {
    let mut model = Model::new(0);
    let users = ["ada", "bob"].map(|name| {
        Newcomer::from(NewUser {
            id: id(name),
            email: None,
            metadata: Metadata::default(),
        })
    });
    let decision = model.execute(&Command::Import(users.to_vec())).unwrap();
    let entries = decision.entries.into_iter().map(|entry| entry.event);
    let imported =
        |newcomer: &Newcomer| Event::from(EventData::Imported { users: 1 }).of(&newcomer.user.id);
    assert_eq!(entries.collect::<Vec<_>>(), users.each_ref().map(imported));
}
