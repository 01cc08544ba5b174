//! A directory in memory for tests of requests for new links.

use std::sync::Arc;

use jiff::Timestamp;
use latchkey_core::Error;
use latchkey_core::activity::{Actor, AuditContext};
use latchkey_core::directory::{
    Command, Decision, DueAccounts, Effect, EmailUsers, Facts, Needs, Person, Redemption, askable,
    decide, is_grantable,
};
use latchkey_core::instance::Policy;
use latchkey_core::ledger::{
    Asking, LinkPerson, NewLinkRequest, RequestReason, RequestRef, Revocation, RevocationScope,
    TakenLink,
};
use latchkey_core::protocol::claims::Claims;
use latchkey_core::protocol::code::{
    Algorithm, AskableCode, CodeRules, read_askable, sign, verify,
};
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::secret::SigningKey;
use serde_json::{Value, json};

pub(crate) const START: i64 = 1_800_000_000;
pub(crate) const RULES: CodeRules<'static> = CodeRules {
    algorithm: Algorithm::HS256,
    require_expiry: false,
    audiences: None,
};

/// A directory of which all facts are known.
pub(crate) struct Model {
    pub(crate) facts: Facts,
    pub(crate) now: i64,
    pub(crate) open: Vec<RequestRef>,
    pub(crate) key: SigningKey,
    pub(crate) policy: Policy,
}

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

pub(crate) fn id(text: &str) -> UserId {
    UserId::parse(text, "id").unwrap()
}

/// Returns the request of Ada, whose link with some claims has expired.
pub(crate) fn request_for(old: &Claims) -> NewLinkRequest {
    NewLinkRequest {
        number: 7,
        person: LinkPerson::User(id("ada")),
        name: None,
        link: "1".to_owned(),
        reason: RequestReason::Expired,
        asked_at: START,
        address: None,
        browser: None,
        claims: old.members(),
        key: None,
    }
}

/// Returns the claims of a link of a new user, with further members.
pub(crate) fn claims(user: &str, link: &str, more: &Value) -> Claims {
    let mut members = json!({ "user": { "id": user }, "jti": link, "iat": START });
    let all = members.as_object_mut().unwrap();
    all.extend(more.as_object().unwrap().clone());
    Claims::from_signed(all).unwrap()
}

pub(crate) fn week() -> Value {
    json!({ "exp": START + 7 * 86_400 })
}

impl Model {
    pub(crate) fn new() -> Self {
        let mut facts = Facts::default();
        facts.change = 1;
        Self {
            facts,
            now: START,
            open: Vec::new(),
            key: SigningKey::generate(Algorithm::HS256).unwrap(),
            policy: Policy::default(),
        }
    }

    pub(crate) fn complete(&self, needs: impl Fn(&Facts) -> Needs) -> Facts {
        let mut facts = self.facts.clone();
        loop {
            let needs = needs(&facts);
            if needs.is_empty() {
                return facts;
            }
            for id in needs.people {
                facts.set_person(id, Person::default());
            }
            for id in needs.links_since_edit {
                facts.set_links_since_edit(id, None);
            }
            for id in needs.recent_links {
                facts.set_recent_links(id, None);
            }
            for email in needs.emails {
                facts.set_email(&email, EmailUsers::default());
            }
            for link in needs.links {
                facts.set_link(link, None);
            }
            for key in needs.sessions {
                facts.set_session(key, None);
            }
            for link in needs.short_codes {
                facts.set_short_code(link, None);
            }
            if needs.due.is_some() {
                facts.due = Some(DueAccounts {
                    at: self.now,
                    ..DueAccounts::default()
                });
            }
            for person in needs.linked {
                facts.set_linked(person, true);
            }
            for person in needs.requests {
                facts.set_request(person, None);
            }
            if needs.open_requests {
                facts.open_requests = Some(self.open.len());
            }
        }
    }

    pub(crate) fn execute(&mut self, command: &Command) -> Result<Decision, Error> {
        let facts = self.complete(|facts| command.needs(facts));
        let by = AuditContext::new(Actor::Visitor, at(self.now));
        let decision = decide(command, facts, &by)?;
        for effect in &decision.effects {
            self.facts.apply(effect);
            match effect {
                Effect::PutRequest(request) => self.open.push(request.reference()),
                Effect::DeleteRequest(person) => self.open.retain(|open| open.person != *person),
                _ => {}
            }
        }
        self.facts.open_requests = None;
        self.facts.change += decision.entries.len().max(1) as u64;
        Ok(decision)
    }

    pub(crate) fn code(&self, claims: &Claims) -> AskableCode {
        let code = sign(claims, &self.key, Algorithm::HS256).unwrap();
        read_askable(code.expose(), &[&self.key], RULES, at(self.now)).unwrap()
    }

    pub(crate) fn asking(&self, claims: &Claims) -> Asking {
        Asking {
            code: self.code(claims),
            policy: self.policy,
            browser: Some("Mozilla/5.0 (iPhone)".to_owned()),
        }
    }

    pub(crate) fn reason(&self, claims: &Claims) -> Option<RequestReason> {
        let asking = self.asking(claims);
        let facts = self.complete(|facts| asking.needs(facts));
        askable(&asking, &facts, at(self.now))
    }

    pub(crate) fn ask(&mut self, claims: &Claims) -> Result<Decision, Error> {
        let command = Command::AskForLink(Box::new(self.asking(claims)));
        self.execute(&command)
    }

    pub(crate) fn take(&mut self, claims: &Claims, supersedes: bool) {
        let taken = TakenLink {
            supersedes,
            ..TakenLink::new(claims.clone(), Some("key-1".to_owned()))
        };
        self.execute(&Command::TakeLink(Box::new(taken))).unwrap();
    }

    pub(crate) fn redeem(&mut self, claims: &Claims) -> Decision {
        let code = sign(claims, &self.key, Algorithm::HS256).unwrap();
        let code = verify(code.expose(), &[&self.key], RULES, at(self.now)).unwrap();
        let redemption = Redemption::new(Ok(&code), self.policy);
        let command = Command::Redeem(Arc::new(redemption));
        self.execute(&command).unwrap()
    }

    pub(crate) fn revoke(&mut self, scope: RevocationScope) -> Decision {
        let revocation = Revocation {
            scope,
            ends_sessions: false,
            allows_unknown: true,
        };
        self.execute(&Command::RevokeLinks(revocation)).unwrap()
    }

    /// Makes a link that grants a request.
    pub(crate) fn grant(&mut self, request: &RequestRef, link: &str) -> Result<Decision, Error> {
        let claims = claims("ada", link, &json!({}));
        self.execute(&Command::TakeLink(Box::new(TakenLink {
            grants: Some(request.clone()),
            ..TakenLink::new(claims, None)
        })))
    }

    /// Returns whether the request of a user can be granted.
    pub(crate) fn is_open(&self, user: &str) -> bool {
        self.request_of(user).is_some_and(|request| {
            let facts = self.complete(|facts| request.needs(facts));
            is_grantable(request, &facts, self.now)
        })
    }

    pub(crate) fn request_of(&self, user: &str) -> Option<&NewLinkRequest> {
        let person = LinkPerson::User(id(user));
        self.facts.request(&person).flatten()
    }
}
