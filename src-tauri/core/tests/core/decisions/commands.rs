//! Random commands.

use latchkey_core::activity::{Actor, Event, EventData, OutboxEntry};
use latchkey_core::directory::{Command, Newcomer, Profile, Redemption, TimeAhead};
use latchkey_core::instance::Policy;
use latchkey_core::ledger::{Asking, RequestRef, Revocation, RevocationScope, TakenLink};
use latchkey_core::protocol::account_end::AccountEnd;
use latchkey_core::protocol::claims::{Claims, Registered};
use latchkey_core::protocol::code::{CodeRefusal, VerifiedCode};
use latchkey_core::protocol::email::Email;
use latchkey_core::protocol::metadata::Metadata;
use latchkey_core::protocol::payload::{NewUser, Payload};
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::protocol::uses::Uses;
use latchkey_core::session::{NewSession, SessionId, SessionKey, SessionRules, SessionScope};
use serde_json::{Map, Value, json};

use super::model::{Model, at, id};

const IDS: [&str; 5] = ["ada", "bob", "cyd", "eve", "ada@acme.example"];
pub(super) const EMAILS: [&str; 4] = [
    "ada@acme.example",
    "ADA@ACME.EXAMPLE",
    "bob@acme.example",
    "b\u{fc}cher@b\u{fc}cher.example",
];
const LINKS: [&str; 3] = ["link-1", "link-2", "link-3"];
impl Model {
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
            0 => RevocationScope::Person(self.user_id()),
            1 => RevocationScope::Person(id(self.email().as_str())),
            2 => RevocationScope::Before(self.now - 300),
            3 => RevocationScope::Key("key".to_owned()),
            _ => RevocationScope::Link(self.random.of(&LINKS).to_owned()),
        };
        Revocation {
            scope,
            ends_sessions: self.random.one_in(2),
            allows_unknown: true,
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
        let time = |user: UserId, is_removal, is_cutoff, at| TimeAhead {
            user,
            is_removal,
            is_cutoff,
            at,
        };
        let removals = IDS.iter().map(|name| {
            let at = self.facts.removed_at(&id(name)).filter(ahead)?;
            Some(time(id(name), true, false, at))
        });
        let profiles = self.users.values().map(|user| {
            let at = Some(user.profile_as_of).filter(ahead)?;
            Some(time(user.id.clone(), false, false, at))
        });
        let cutoffs = IDS.iter().map(|name| {
            let cutoffs = &self.facts.person(&id(name))?.cutoffs;
            let at = cutoffs.latest().filter(ahead)?;
            Some(time(id(name), false, true, at))
        });
        let all = removals.chain(profiles).chain(cutoffs);
        all.flatten().collect()
    }

    pub(super) fn command(&mut self) -> Command {
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
                event: match self.random.below(3) {
                    0 => EventData::KeyRetired { key: "key".into() }.into(),
                    _ => Event::link_made(&self.claims()),
                },
            }),
        }
    }
}
