use latchkey_store::Wait as _;
use std::path::Path;

use latchkey_core::activity::{Actor, AuditContext};
use latchkey_core::directory::{Directory, PageStart, Search, Sort, SortBy, UserQuery};
use latchkey_core::instance::Policy;
use latchkey_core::protocol::code::VerifiedCode;
use latchkey_core::protocol::payload::NewUser;
use latchkey_core::protocol::user_id::UserId;
use latchkey_store::EmbeddedDirectory;

use crate::crowd::now;
use crate::engine::{Engine, PAGE};

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
