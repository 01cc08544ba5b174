//! The order of links, cutoffs and removals, decided from facts.

use jiff::Timestamp;
use latchkey_core::activity::{Actor, AuditContext};
use latchkey_core::directory::{Command, Facts, Redemption, decide, verdict};
use latchkey_core::instance::Policy;
use latchkey_core::ledger::{Revocation, RevocationScope, TakenLink};
use latchkey_core::protocol::claims::Claims;
use latchkey_core::protocol::code::VerifiedCode;
use latchkey_core::protocol::user_id::UserId;
use serde_json::{Map, Value, json};

const START: i64 = 1_800_000_000;

/// A directory of which all facts are known.
struct Model {
    facts: Facts,
    now: i64,
}

fn ada() -> UserId {
    UserId::parse("ada", "id").unwrap()
}

fn members(link: &str, issued_at: i64, more: &Value) -> Map<String, Value> {
    let mut members = json!({ "user": { "id": "ada" }, "jti": link, "iat": issued_at });
    let all = members.as_object_mut().unwrap();
    all.extend(more.as_object().unwrap().clone());
    all.clone()
}

impl Model {
    fn new() -> Self {
        let mut facts = Facts::default();
        facts.change = 1;
        let mut model = Self { facts, now: START };
        let ada = latchkey_core::protocol::payload::NewUser {
            id: ada(),
            email: None,
            metadata: latchkey_core::protocol::metadata::Metadata::default(),
        };
        model.execute(&Command::Add(ada.into()));
        model
    }

    fn execute(&mut self, command: &Command) {
        let at = Timestamp::from_second(self.now).unwrap();
        let mut facts = self.facts.clone();
        // The model knows all links, so a missing one does not exist.
        for id in command.needs(&facts).links {
            facts.set_link(id, None);
        }
        let decision = decide(command, facts, &AuditContext::new(Actor::Studio, at)).unwrap();
        for effect in &decision.effects {
            self.facts.apply(effect);
        }
        self.facts.change += 1;
    }

    fn take(&mut self, link: &str, supersedes: bool) {
        let claims = Claims::from_signed(&members(link, self.now, &json!({}))).unwrap();
        self.execute(&Command::TakeLink(Box::new(TakenLink {
            supersedes,
            ..TakenLink::new(claims, None)
        })));
    }

    fn show(&mut self, link: &str) {
        let claims = Claims::from_signed(&members(link, self.now, &json!({}))).unwrap();
        self.execute(&Command::LinkShown(claims));
    }

    fn revoke(&mut self, scope: RevocationScope) {
        self.execute(&Command::RevokeLinks(Revocation {
            scope,
            ends_sessions: false,
        }));
    }

    fn redemption(&self, link: &str, issued_at: i64) -> Redemption {
        let members = members(link, issued_at, &json!({}));
        let claims = Claims::from_signed(&members).unwrap();
        let code = VerifiedCode {
            payload: claims.payload,
            registered: claims.registered,
            members,
            judged_at: self.now,
            key_id: None,
            link: link.to_owned(),
            is_made_here: true,
        };
        Redemption::new(Ok(&code), Policy::default())
    }

    fn verdict(&self, link: &str, issued_at: i64) -> &'static str {
        let at = Timestamp::from_second(self.now).unwrap();
        verdict(&self.redemption(link, issued_at), &self.facts, at).code()
    }

    fn redeem(&mut self, link: &str, issued_at: i64) {
        let redemption = self.redemption(link, issued_at);
        self.execute(&Command::Redeem(std::sync::Arc::new(redemption)));
    }
}

#[test]
fn links_of_one_second_are_in_the_order_in_which_they_were_given_out() {
    let mut model = Model::new();
    model.take("a", false);
    model.take("b", true);
    model.take("c", false);
    assert_eq!(model.verdict("a", START), "link_superseded");
    assert_eq!(model.verdict("b", START), "signed_in");
    model.revoke(RevocationScope::Person(ada()));
    model.take("d", false);
    for link in ["a", "b", "c"] {
        assert_eq!(model.verdict(link, START), "link_revoked", "{link}");
    }
    assert_eq!(model.verdict("d", START), "signed_in");
}

#[test]
fn a_link_that_is_given_out_again_supersedes_others_and_not_itself() {
    let mut model = Model::new();
    model.take("a", false);
    model.take("b", false);
    model.take("a", true);
    assert_eq!(model.verdict("a", START), "signed_in");
    assert_eq!(model.verdict("b", START), "link_superseded");
}

#[test]
fn a_scanned_link_that_is_copied_afterwards_supersedes_others_and_not_itself() {
    let mut model = Model::new();
    model.take("a", false);
    model.show("b");
    model.redeem("b", START);
    model.take("b", true);
    assert_eq!(model.verdict("a", START), "link_superseded");
    assert_eq!(model.verdict("b", START), "signed_in");
}

#[test]
fn a_link_that_was_taken_back_does_not_work_again_because_it_is_copied() {
    for supersedes in [false, true] {
        let mut model = Model::new();
        model.take("a", false);
        model.show("b");
        model.redeem("b", START);
        model.revoke(RevocationScope::Person(ada()));
        model.take("a", supersedes);
        model.take("b", supersedes);
        assert_eq!(model.verdict("a", START), "link_revoked");
        assert_eq!(model.verdict("b", START), "link_revoked");
    }
}

#[test]
fn a_link_that_was_shown_after_the_cutoff_of_its_person_works_at_once() {
    let mut model = Model::new();
    model.show("before");
    model.revoke(RevocationScope::Person(ada()));
    model.show("after");
    assert_eq!(model.verdict("before", START), "link_revoked");
    assert_eq!(model.verdict("after", START), "signed_in");
}

#[test]
fn a_link_that_was_shown_before_all_links_were_revoked_does_not_work() {
    let mut model = Model::new();
    model.execute(&Command::Remove(ada()));
    model.show("shown");
    assert_eq!(model.verdict("shown", START), "provisioned");
    model.revoke(RevocationScope::Before(START));
    assert_eq!(model.verdict("shown", START), "link_revoked");
}

#[test]
fn a_code_of_another_system_is_before_a_cutoff_unless_it_is_surely_later() {
    let mut model = Model::new();
    model.revoke(RevocationScope::Person(ada()));
    assert_eq!(model.verdict("other", START + 60), "link_revoked");
    assert_eq!(model.verdict("other", START + 61), "signed_in");
}

#[test]
fn a_clock_that_is_set_back_does_not_bring_a_revoked_link_back() {
    let mut model = Model::new();
    model.take("a", false);
    model.now = START - 86_400;
    model.revoke(RevocationScope::Person(ada()));
    model.take("b", false);
    assert_eq!(model.verdict("a", START), "link_revoked");
    assert_eq!(model.verdict("b", model.now), "signed_in");
}
