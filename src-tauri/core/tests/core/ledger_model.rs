//! A directory in memory of which all facts are known, for tests of decisions about links.

use jiff::Timestamp;
use latchkey_core::Result;
use latchkey_core::activity::{Actor, AuditContext};
use latchkey_core::directory::{Command, Decision, Facts, Redemption, decide, verdict};
use latchkey_core::instance::Policy;
use latchkey_core::ledger::{IssuedLink, Revocation, RevocationScope, TakenLink};
use latchkey_core::protocol::claims::Claims;
use latchkey_core::protocol::code::VerifiedCode;
use latchkey_core::protocol::metadata::Metadata;
use latchkey_core::protocol::payload::NewUser;
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::verdict::Verdict;
use serde_json::{Map, Value, json};

pub(crate) const START: i64 = 1_800_000_000;

pub(crate) struct Model {
    pub(crate) facts: Facts,
    pub(crate) now: i64,
}

pub(crate) fn ada() -> UserId {
    UserId::parse("ada", "id").unwrap()
}

fn object(members: &Value) -> Map<String, Value> {
    members.as_object().unwrap().clone()
}

/// Returns the members of a link for Ada.
fn for_ada(link: &str, issued_at: i64) -> Value {
    json!({ "user": { "id": "ada" }, "jti": link, "iat": issued_at })
}

impl Model {
    /// Returns a directory with Ada, whom an administrator has added.
    pub(crate) fn new() -> Self {
        let mut facts = Facts::default();
        facts.change = 1;
        let mut model = Self { facts, now: START };
        let ada = NewUser {
            id: ada(),
            email: None,
            metadata: Metadata::default(),
        };
        model.execute(&Command::Add(ada.into()));
        model
    }

    /// Decides a command and applies the effects.
    pub(crate) fn try_execute(&mut self, command: &Command) -> Result<Decision> {
        let at = Timestamp::from_second(self.now).unwrap();
        let mut facts = self.facts.clone();
        // The model knows all links, so a missing one does not exist.
        for id in command.needs(&facts).links {
            facts.set_link(id, None);
        }
        let decision = decide(command, facts, &AuditContext::new(Actor::Studio, at))?;
        for effect in &decision.effects {
            self.facts.apply(effect);
        }
        self.facts.change += 1;
        Ok(decision)
    }

    pub(crate) fn execute(&mut self, command: &Command) -> Decision {
        self.try_execute(command).unwrap()
    }

    /// Gives out a link with these members. It was signed with the key `key-1`.
    pub(crate) fn take_of(&mut self, members: &Value, supersedes: bool) -> Decision {
        let claims = Claims::from_signed(&object(members)).unwrap();
        self.execute(&Command::TakeLink(Box::new(TakenLink {
            supersedes,
            ..TakenLink::new(claims, Some("key-1".to_owned()))
        })))
    }

    pub(crate) fn take(&mut self, link: &str, supersedes: bool) -> Decision {
        self.take_of(&for_ada(link, self.now), supersedes)
    }

    pub(crate) fn show_of(&mut self, members: &Value) {
        let claims = Claims::from_signed(&object(members)).unwrap();
        self.execute(&Command::LinkShown(claims));
    }

    pub(crate) fn show(&mut self, link: &str) {
        self.show_of(&for_ada(link, self.now));
    }

    pub(crate) fn revoke_with(&mut self, scope: RevocationScope, ends_sessions: bool) -> Decision {
        self.execute(&Command::RevokeLinks(Revocation {
            scope,
            ends_sessions,
            allows_unknown: true,
        }))
    }

    pub(crate) fn revoke(&mut self, scope: RevocationScope) {
        self.revoke_with(scope, false);
    }

    /// Returns a code with these members, which Latchkey has made.
    pub(crate) fn code(&self, members: &Value) -> VerifiedCode {
        let members = object(members);
        let claims = Claims::from_signed(&members).unwrap();
        VerifiedCode {
            payload: claims.payload,
            link: claims.registered.id.clone().unwrap(),
            registered: claims.registered,
            members,
            judged_at: self.now,
            key_id: Some("key-1".to_owned()),
            is_made_here: true,
        }
    }

    fn redemption(&self, link: &str, issued_at: i64) -> Redemption {
        let code = self.code(&for_ada(link, issued_at));
        Redemption::new(Ok(&code), Policy::default())
    }

    /// Returns the verdict without redeeming.
    pub(crate) fn judge(&self, redemption: &Redemption) -> Verdict {
        let at = Timestamp::from_second(self.now).unwrap();
        verdict(redemption, &self.facts, at)
    }

    pub(crate) fn judge_code(&self, code: &VerifiedCode) -> Verdict {
        self.judge(&Redemption::new(Ok(code), Policy::default()))
    }

    pub(crate) fn verdict(&self, link: &str, issued_at: i64) -> &'static str {
        self.judge(&self.redemption(link, issued_at)).code()
    }

    pub(crate) fn redeem_by(&mut self, redemption: Redemption) -> Decision {
        self.execute(&Command::Redeem(std::sync::Arc::new(redemption)))
    }

    pub(crate) fn redeem_code(&mut self, code: &VerifiedCode) -> Decision {
        self.redeem_by(Redemption::new(Ok(code), Policy::default()))
    }

    pub(crate) fn redeem(&mut self, link: &str, issued_at: i64) {
        let redemption = self.redemption(link, issued_at);
        self.redeem_by(redemption);
    }

    /// Returns a link in the ledger.
    pub(crate) fn link(&self, id: &str) -> &IssuedLink {
        self.facts.link(id).unwrap().unwrap()
    }
}
