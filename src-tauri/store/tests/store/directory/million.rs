//! Proof: a directory of a million users works like a small one.

use latchkey_store::Wait as _;
use std::collections::HashSet;

use latchkey_core::directory::{
    Directory as _, MAX_IMPORT, PageStart, Search, Sort, SortBy, UserQuery,
};
use latchkey_core::instance::Policy;
use latchkey_core::protocol::payload::NewUser;
use latchkey_store::EmbeddedDirectory;

use super::{new_user, person};
use crate::by;
use crate::signed::now;
use crate::soak::{figure, share};

/// Number of users on a page.
const PAGE: usize = 1_000;

fn member(number: usize) -> NewUser {
    let email = format!("m{number}@acme.example");
    person(&format!("user-{number:07}"), Some(&email))
}

/// Reads all pages. Returns the number of users on them. Fails if two users are out of order.
fn count_in_order(directory: &EmbeddedDirectory, by: SortBy) -> usize {
    let sort = Sort {
        by,
        descending: false,
    };
    let (mut start, mut ids) = (PageStart::First, HashSet::new());
    let mut last = None;
    loop {
        let page = directory
            .users(&UserQuery::default(), sort, &start, PAGE)
            .wait();
        let page = page.unwrap();
        for user in page.users {
            let key = match by {
                SortBy::Email => user.email.as_ref().map(ToString::to_string),
                _ => Some(user.id.to_string()),
            };
            assert!(last < key, "{last:?} is before {key:?}");
            last = key;
            ids.insert(user.id);
        }
        let Some(next) = page.next else {
            return ids.len();
        };
        start = PageStart::After(next);
    }
}

#[test]
fn a_million_users_are_kept_found_and_listed_in_order() {
    let members = share(1_000_000);
    let folder = tempfile::tempdir().unwrap();
    let directory = EmbeddedDirectory::open(folder.path(), "a test").unwrap();
    let numbers: Vec<usize> = (0..members).collect();
    for numbers in numbers.chunks(MAX_IMPORT) {
        let some: Vec<NewUser> = numbers.iter().map(|number| member(*number)).collect();
        directory.import(&some, &by(now())).wait().unwrap();
    }
    let visitors = members / 500;
    for number in 0..visitors {
        let code = new_user(&format!("user-{:07}", number * 500));
        let verdict = directory
            .redeem(Ok(&code), Policy::default(), &by(now()))
            .wait();
        assert_eq!(verdict.unwrap().code(), "signed_in");
    }
    drop(directory);

    let directory = EmbeddedDirectory::open(folder.path(), "a test").unwrap();
    assert_eq!(directory.count().wait().unwrap(), members as u64);
    assert_eq!(directory.seats(now()).wait().unwrap().used, members as u64);
    for by in [SortBy::Id, SortBy::Email] {
        assert_eq!(count_in_order(&directory, by), members, "{by:?}");
    }
    let last = member(members - 1);
    let found = directory.user_by_email(last.email.as_ref().unwrap());
    assert_eq!(found.wait().unwrap().unwrap().id, last.id);
    let query = UserQuery {
        search: Search::new(&last.id.to_string()),
        ..UserQuery::default()
    };
    let found = directory.users(&query, Sort::default(), &PageStart::First, 9);
    assert_eq!(found.wait().unwrap().total, 1);
    assert!(directory.add(&last, &by(now())).wait().is_err());
    figure("users", members);
    figure("users who signed in", visitors);
    figure("users lost or out of order", 0);
}
