//! Suite of tests of lists and searches. The expected result is computed here, slowly, from all
//! users.

use latchkey_store::Wait as _;
use std::cmp::{Ordering, Reverse};

use latchkey_core::ErrorCode;
use latchkey_core::directory::{
    Directory, Origin, PageStart, Search, Sort, SortBy, User, UserPage, UserQuery,
};
use latchkey_core::instance::Policy;
use latchkey_core::protocol::email::Email;
use latchkey_core::verdict::Status;

use super::{at, code, id, new_user, person};
use crate::by;

const SORTS: [SortBy; 4] = [
    SortBy::Id,
    SortBy::Email,
    SortBy::Created,
    SortBy::LastSignIn,
];

fn orders() -> impl Iterator<Item = Sort> {
    SORTS
        .into_iter()
        .flat_map(|by| [false, true].map(|descending| Sort { by, descending }))
}

fn searching(text: &str) -> UserQuery {
    UserQuery {
        search: Search::new(text),
        ..UserQuery::default()
    }
}

fn found(directory: &dyn Directory, query: &UserQuery, sort: Sort, limit: usize) -> Vec<String> {
    let mut ids = Vec::new();
    let mut place = PageStart::First;
    loop {
        let page = directory.users(query, sort, &place, limit).wait().unwrap();
        assert_eq!(page.first_row, ids.len() as u64);
        assert!(page.users.len() <= limit);
        ids.extend(names(&page));
        let Some(next) = page.next else {
            assert_eq!(page.total, ids.len() as u64);
            return ids;
        };
        place = PageStart::After(next.to_string().parse().unwrap());
    }
}

fn names(page: &UserPage) -> Vec<String> {
    page.users
        .iter()
        .map(|user| user.id.as_str().to_owned())
        .collect()
}

/// Adds users of all kinds, with addresses and IDs that differ by case, and with equal times.
fn crowd(directory: &dyn Directory) {
    const TEAMS: [&str; 3] = ["research", "Sales", "ops"];
    for number in 0..60_i64 {
        let team = TEAMS[usize::try_from(number % 3).unwrap()];
        let name = format!("{team}-{:02}", number * 7 % 60);
        let email = (number % 4 != 0).then(|| {
            let domain = if number % 2 == 0 {
                "EXAMPLE.com"
            } else {
                "example.org"
            };
            format!(
                "{}{number}@{domain}",
                if number % 5 == 0 { "Z" } else { "a" }
            )
        });
        let when = at(number / 9 - 100);
        if number % 3 == 0 {
            directory
                .add(&person(&name, email.as_deref()), &by(when))
                .wait()
                .unwrap();
        } else {
            let email = email.map_or_else(String::new, |email| format!(r#","email":"{email}""#));
            let payload =
                format!(r#""user":{{"id":"{name}"{email},"fullName":"Person É{number}"}}"#);
            let code = code(&payload, -200);
            directory
                .redeem(Ok(&code), Policy::default(), &by(when))
                .wait()
                .unwrap();
        }
        if number % 7 == 0 {
            directory.suspend(&id(&name), &by(at(1))).wait().unwrap();
        }
    }
    directory.remove(&id("ops-14"), &by(at(0))).wait().unwrap();
}

fn expected(all: &[User], query: &UserQuery, sort: Sort) -> Vec<String> {
    let mut wanted: Vec<&User> = all
        .iter()
        .filter(|user| {
            let names = user
                .metadata
                .members()
                .iter()
                .filter_map(|(member, value)| {
                    value
                        .as_str()
                        .filter(|_| member.to_lowercase().contains("name"))
                });
            let email = user.email.as_ref().map(Email::as_str);
            let texts: Vec<String> = [Some(user.id.as_str()), email]
                .into_iter()
                .flatten()
                .chain(names)
                .map(str::to_lowercase)
                .collect();
            query.status.is_none_or(|status| user.status == status)
                && query.origin.is_none_or(|origin| user.origin == origin)
                && query
                    .search
                    .words()
                    .iter()
                    .all(|word| texts.iter().any(|text| text.contains(word)))
        })
        .collect();
    let by_key = |a: &User, b: &User| {
        fn last_if_none<T: Ord>(a: Option<T>, b: Option<T>, descending: bool) -> Ordering {
            match (a, b) {
                (Some(a), Some(b)) if descending => Reverse(a).cmp(&Reverse(b)),
                (Some(a), Some(b)) => a.cmp(&b),
                (a, b) => a.is_none().cmp(&b.is_none()),
            }
        }
        let email = |user: &User| user.email.as_ref().map(Email::key);
        let folded = |user: &User| Some(user.id.as_str().to_lowercase());
        match sort.by {
            SortBy::Id => last_if_none(folded(a), folded(b), sort.descending),
            SortBy::Email => last_if_none(email(a), email(b), sort.descending),
            SortBy::Created => {
                last_if_none(Some(a.created_at), Some(b.created_at), sort.descending)
            }
            SortBy::LastSignIn => last_if_none(a.last_sign_in, b.last_sign_in, sort.descending),
        }
    };
    wanted.sort_by(|a, b| by_key(a, b).then_with(|| a.id.cmp(&b.id)));
    wanted
        .into_iter()
        .map(|user| user.id.as_str().to_owned())
        .collect()
}

pub(super) fn every_query_is_answered_whole_and_in_order(directory: &dyn Directory) {
    crowd(directory);
    let everybody = directory
        .users(
            &UserQuery::default(),
            Sort::default(),
            &PageStart::First,
            1000,
        )
        .wait()
        .unwrap();
    assert_eq!((everybody.total, everybody.users.len()), (59, 59));
    let searches = [
        "",
        "a",
        "SALES",
        "-1",
        "example.org",
        "person é1",
        "é",
        "a1 research",
        "org @",
        "nobody",
    ];
    let statuses = [None, Some(Status::Active), Some(Status::Suspended)];
    let origins = [
        None,
        Some(Origin::Link),
        Some(Origin::Added),
        Some(Origin::Import),
    ];
    let mut answered = 0;
    for search in searches {
        for status in statuses {
            for origin in origins {
                let query = UserQuery {
                    status,
                    origin,
                    ..searching(search)
                };
                for sort in orders() {
                    let expected = expected(&everybody.users, &query, sort);
                    assert_eq!(
                        found(directory, &query, sort, 7),
                        expected,
                        "{query:?} {sort:?}"
                    );
                    answered += usize::from(!expected.is_empty());
                }
            }
        }
    }
    assert!(answered > 300, "only {answered} queries found anybody");
}

pub(super) fn a_search_looks_at_ids_addresses_and_names(directory: &dyn Directory) {
    let ada = code(
        r#""user":{"id":"u-1815","email":"Countess@example.com","name":"Ada Lovelace",
            "nickName":"Enchantress","team":"Analytics","name of nobody":{"a":"deep"}}"#,
        -60,
    );
    directory
        .redeem(Ok(&ada), Policy::default(), &by(at(0)))
        .wait()
        .unwrap();
    directory
        .redeem(Ok(&new_user("other")), Policy::default(), &by(at(0)))
        .wait()
        .unwrap();
    for text in [
        "1815",
        "U-18",
        "countess",
        "EXAMPLE",
        "ada",
        "lovelace",
        "chant",
        "lace  ess ada",
        "e",
    ] {
        let found = found(directory, &searching(text), Sort::default(), 5);
        assert!(found.contains(&"u-1815".to_owned()), "{text}");
    }
    for text in [
        "analytics",
        "deep",
        "ada q",
        "lovelace ench3",
        "com ada1815",
    ] {
        assert!(
            found(directory, &searching(text), Sort::default(), 5).is_empty(),
            "{text}"
        );
    }
}

pub(super) fn a_changed_user_is_found_as_it_is_now(directory: &dyn Directory) {
    let ids = |query: &UserQuery, by| {
        found(
            directory,
            query,
            Sort {
                by,
                descending: true,
            },
            2,
        )
    };
    let suspended = UserQuery {
        status: Some(Status::Suspended),
        ..UserQuery::default()
    };
    for name in ["a", "b", "c"] {
        directory
            .add(&person(name, None), &by(at(-90)))
            .wait()
            .unwrap();
    }
    assert_eq!(
        ids(&UserQuery::default(), SortBy::LastSignIn),
        ["a", "b", "c"]
    );
    directory
        .redeem(Ok(&new_user("c")), Policy::default(), &by(at(-50)))
        .wait()
        .unwrap();
    assert_eq!(
        ids(&UserQuery::default(), SortBy::LastSignIn),
        ["c", "a", "b"]
    );
    directory
        .redeem(Ok(&new_user("b")), Policy::default(), &by(at(-40)))
        .wait()
        .unwrap();
    assert_eq!(
        ids(&UserQuery::default(), SortBy::LastSignIn),
        ["b", "c", "a"]
    );
    directory.suspend(&id("b"), &by(at(1))).wait().unwrap();
    assert_eq!(ids(&suspended, SortBy::Id), ["b"]);
    directory.reactivate(&id("b"), &by(at(0))).wait().unwrap();
    assert!(ids(&suspended, SortBy::Id).is_empty());
    let renamed = code(
        r#""user":{"id":"a","email":"new@b.cd","name":"Grace"}"#,
        -10,
    );
    directory
        .redeem(Ok(&renamed), Policy::default(), &by(at(-5)))
        .wait()
        .unwrap();
    assert_eq!(ids(&searching("grace new@"), SortBy::Id), ["a"]);
    directory.remove(&id("a"), &by(at(0))).wait().unwrap();
    assert!(ids(&searching("grace"), SortBy::Id).is_empty());
    assert_eq!(ids(&UserQuery::default(), SortBy::Id), ["c", "b"]);
}

pub(super) fn pages_stay_consistent_while_users_are_added_and_removed(directory: &dyn Directory) {
    for name in ["b", "d", "f", "h"] {
        directory
            .add(&person(name, None), &by(at(0)))
            .wait()
            .unwrap();
    }
    let page = |place: &PageStart| {
        directory
            .users(&UserQuery::default(), Sort::default(), place, 2)
            .wait()
            .unwrap()
    };
    let first = page(&PageStart::First);
    assert_eq!(names(&first), ["b", "d"]);
    // The last user of the page is removed, and others are added before and after.
    directory.remove(&id("d"), &by(at(0))).wait().unwrap();
    for name in ["a", "c", "e"] {
        directory
            .add(&person(name, None), &by(at(0)))
            .wait()
            .unwrap();
    }
    let second = page(&PageStart::After(first.next.unwrap()));
    assert_eq!(names(&second), ["e", "f"]);
    assert_eq!((second.first_row, second.total), (3, 6));
    let third = page(&PageStart::After(second.next.unwrap()));
    assert_eq!((names(&third), third.next), (vec!["h".to_owned()], None));
}

pub(super) fn a_page_begins_at_the_requested_row(directory: &dyn Directory) {
    for number in 0..10 {
        directory
            .add(&person(&number.to_string(), None), &by(at(0)))
            .wait()
            .unwrap();
    }
    let page = |place: &PageStart, limit| {
        let page = directory
            .users(&UserQuery::default(), Sort::default(), place, limit)
            .wait();
        page.unwrap()
    };
    let middle = page(&PageStart::Row(6), 3);
    assert_eq!(
        (names(&middle), middle.first_row),
        (vec!["6".into(), "7".into(), "8".into()], 6)
    );
    let rest = page(&PageStart::After(middle.next.clone().unwrap()), 3);
    assert_eq!((names(&rest), rest.first_row), (vec!["9".to_owned()], 9));
    for beyond in [10, 11, u64::MAX] {
        let nobody = page(&PageStart::Row(beyond), 3);
        assert_eq!(
            (nobody.users.len(), nobody.first_row, nobody.total),
            (0, 10, 10)
        );
        assert_eq!(nobody.next, None);
    }
    let descending = Sort {
        descending: true,
        ..Sort::default()
    };
    let other_order = PageStart::After(middle.next.unwrap());
    let refused = directory
        .users(&UserQuery::default(), descending, &other_order, 3)
        .wait();
    assert_eq!(refused.unwrap_err().code, ErrorCode::InvalidCursor);
}

pub(super) fn nobody_is_found_in_an_empty_directory(directory: &dyn Directory) {
    for sort in orders() {
        for query in [UserQuery::default(), searching("a")] {
            assert!(found(directory, &query, sort, 10).is_empty());
        }
    }
}
