//! Rules that hold after each command.

use std::collections::BTreeSet;

use latchkey_core::directory::{Command, Counts, Decision, Effect, Outcome};
use latchkey_core::ledger::{LinkPerson, RevocationScope};
use latchkey_core::protocol::email::Email;
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::verdict::{Status, Verdict};

use super::commands::EMAILS;
use super::model::Model;

impl Model {
    pub(super) fn check(&self, command: &Command, before: Counts, decision: &Decision) {
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
            // The request that was made with the link closes.
            Command::RevokeLinks(revocation)
                if matches!(revocation.scope, RevocationScope::Link(_)) =>
            {
                2
            }
            // So do those of the person, by the ID and by the address.
            Command::RevokeLinks(revocation)
                if matches!(revocation.scope, RevocationScope::Person(_)) =>
            {
                3
            }
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
    pub(super) fn check_order(&self, command: &Command, user: &UserId) {
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
}
