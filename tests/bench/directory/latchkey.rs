use latchkey_store::Wait as _;
use std::path::Path;

use futures_util::future::join_all;
use jiff::Timestamp;
use latchkey_core::activity::{Actor, AuditContext};
use latchkey_core::directory::{Command, Directory, PageStart, Search, Sort, SortBy, UserQuery};
use latchkey_core::instance::Policy;
use latchkey_core::ledger::{
    LinkPageStart, LinkQuery, LinkSort, LinkSortBy, Revocation, RevocationScope, TakenLink,
};
use latchkey_core::protocol::claims::Claims;
use latchkey_core::protocol::code::VerifiedCode;
use latchkey_core::protocol::payload::NewUser;
use latchkey_core::protocol::user_id::UserId;
use latchkey_store::EmbeddedDirectory;

use crate::crowd::now;
use crate::engine::{Engine, Ledger, PAGE, Wanted};

pub(crate) struct Latchkey(EmbeddedDirectory);

impl Latchkey {
    pub(crate) fn open(folder: &Path) -> Self {
        Self(EmbeddedDirectory::open(folder, "the benchmark").unwrap())
    }
}

fn by() -> AuditContext {
    AuditContext::new(Actor::Visitor, now())
}

fn sort(by: SortBy) -> Sort {
    Sort {
        by,
        descending: false,
    }
}

impl Engine for Latchkey {
    fn import(&self, users: &[NewUser]) {
        self.0.import(users, &by()).wait().unwrap();
    }

    fn redeem(&self, code: &VerifiedCode) {
        let verdict = self
            .0
            .redeem(Ok(code), Policy::default(), &by())
            .wait()
            .unwrap();
        assert!(matches!(verdict.code(), "provisioned" | "signed_in"));
    }

    fn is_known(&self, id: &UserId) -> bool {
        self.0.user(id).wait().unwrap().is_some()
    }

    fn search(&self, word: &str) -> (usize, u64) {
        let query = UserQuery {
            search: Search::new(word),
            ..UserQuery::default()
        };
        let page = self
            .0
            .users(&query, sort(SortBy::Id), &PageStart::First, PAGE);
        let page = page.wait().unwrap();
        (page.users.len(), page.total)
    }

    fn pages(&self, by: SortBy, count: usize) -> usize {
        let (mut place, mut seen) = (PageStart::First, 0);
        for _ in 0..count {
            let page = self
                .0
                .users(&UserQuery::default(), sort(by), &place, PAGE)
                .wait();
            let page = page.unwrap();
            seen += page.users.len();
            let Some(next) = page.next else { break };
            place = PageStart::After(next);
        }
        seen
    }

    fn jump(&self, by: SortBy, row: u64) -> usize {
        let page = self
            .0
            .users(&UserQuery::default(), sort(by), &PageStart::Row(row), PAGE)
            .wait();
        page.unwrap().users.len()
    }
}

impl Latchkey {
    /// Verifies the activity. Returns the number of its entries.
    pub(crate) fn verify(&self) -> u64 {
        let verified = self.0.verify_activity(None).wait().unwrap();
        assert!(verified.is_sound());
        verified.entries
    }

    fn revoke_links(&self, scope: RevocationScope) {
        let revocation = Revocation {
            scope,
            ends_sessions: false,
            allows_unknown: false,
        };
        self.0.revoke_links(revocation, &by()).wait().unwrap();
    }
}

impl Ledger for Latchkey {
    fn give_out(&self, links: &[Claims]) {
        let take = |claims: &Claims| {
            let at = Timestamp::from_second(claims.registered.issued_at.unwrap()).unwrap();
            let by = AuditContext::new(Actor::CommandLine, at);
            let taken = TakenLink::new(claims.clone(), Some("key-1".to_owned()));
            async move {
                self.0
                    .execute(Command::TakeLink(Box::new(taken)), &by)
                    .await
            }
        };
        for outcome in join_all(links.iter().map(take)).wait() {
            outcome.unwrap();
        }
    }

    fn revoke(&self, id: &str) {
        self.revoke_links(RevocationScope::Link(id.to_owned()));
    }

    fn revoke_before(&self, before: i64) {
        self.revoke_links(RevocationScope::Before(before));
    }

    fn has_link(&self, id: &str) -> bool {
        self.0.link(id, now()).wait().unwrap().is_some()
    }

    fn links(&self, wanted: &Wanted<'_>, row: u64) -> (usize, u64) {
        let query = LinkQuery {
            search: Search::new(wanted.word),
            works: wanted.works.then_some(true),
            now: now().as_second(),
            ..LinkQuery::default()
        };
        let sort = LinkSort {
            by: LinkSortBy::Entered,
            descending: true,
        };
        let place = LinkPageStart::Row(row);
        let page = self.0.links(&query, sort, &place, PAGE).wait().unwrap();
        (page.links.len(), page.total)
    }

    fn count_working(&self) -> u64 {
        let counts = self.0.link_counts(now()).wait().unwrap();
        counts.not_used + counts.in_use
    }
}
