//! A model in memory of the state of a directory.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use latchkey_core::activity::{Actor, AuditContext};
use latchkey_core::directory::{
    Command, Decision, DueAccounts, Effect, Facts, MAX_DUE, Needs, User, decide,
};
use latchkey_core::ledger::{LinkPerson, RequestRef};
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::session::SessionKey;

use super::random::{Random, START};

/// A directory in memory.
pub(super) struct Model {
    /// All facts that were ever loaded or changed.
    pub(super) facts: Facts,
    pub(super) users: BTreeMap<String, User>,
    /// Index of due accounts.
    pub(super) due: BTreeSet<(i64, String)>,
    pub(super) sessions: Vec<SessionKey>,
    /// Open requests for new links.
    pub(super) requests: Vec<RequestRef>,
    /// People with claims of links.
    pub(super) linked: Vec<LinkPerson>,
    pub(super) now: i64,
    pub(super) random: Random,
}

pub(super) fn id(text: &str) -> UserId {
    UserId::parse(text, "id").unwrap()
}

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

impl Model {
    pub(super) fn new(seed: u64) -> Self {
        let mut facts = Facts::default();
        facts.change = 1;
        Self {
            facts,
            users: BTreeMap::new(),
            due: BTreeSet::new(),
            sessions: Vec::new(),
            requests: Vec::new(),
            linked: Vec::new(),
            now: START,
            random: Random(seed),
        }
    }

    /// Adds the facts that a command needs, like an engine.
    pub(super) fn load(&self, needs: Needs, facts: &mut Facts) {
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
        for person in needs.linked {
            let linked = self.linked.contains(&person);
            facts.set_linked(person, linked);
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

    pub(super) fn complete(&self, command: &Command, mut facts: Facts) -> Facts {
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
    pub(super) fn execute(&mut self, command: &Command) -> Result<Decision, String> {
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
                Effect::PutClaims(person, ..) => self.linked.push(person.clone()),
                Effect::BindClaims(email, user) => {
                    let person = LinkPerson::Email(email.clone());
                    self.linked.retain(|known| *known != person);
                    self.linked.push(LinkPerson::User(user.clone()));
                }
                Effect::ForgetClaims(person, _) => self.linked.retain(|known| known != person),
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
}
