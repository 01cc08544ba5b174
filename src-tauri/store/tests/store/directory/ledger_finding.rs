//! Suite of tests of finding, sorting and paging links.

use std::collections::BTreeSet;

use latchkey_core::directory::Directory;
use latchkey_core::ledger::{LinkPageStart, LinkSort, LinkSortBy, ListedLink, TakenLink};
use latchkey_store::Wait as _;
use serde_json::json;

use super::at;
use super::made_links::{all, give, made_with, query, redeem, search, take};
use crate::by;

/// Gives out links whose names, times and uses differ, and are equal for some. Returns their IDs.
fn crowd(directory: &dyn Directory) -> Vec<String> {
    let give = |number: i64| {
        let user = format!(
            "{}ser-{:02}",
            if number % 2 == 0 { 'U' } else { 'u' },
            number * 7 % 20
        );
        let mut payload = json!({ "user": { "id": user } });
        if number % 3 > 0 {
            payload["user"]["name"] = json!(format!("Pérson {}", number % 11));
        }
        let entered = at(number / 4 - 100);
        let link = made_with(&payload, Some(2).filter(|_| number % 5 == 0), entered);
        let taken = TakenLink {
            note: (number % 4 == 0).then(|| format!("workshop {}", number % 8)),
            ..link.taken()
        };
        directory.take_link(taken, &by(entered)).wait().unwrap();
        for _ in 0..number % 3 {
            redeem(directory, &link.code);
        }
        link.id().to_owned()
    };
    (0..60).map(give).collect()
}

const ORDERS: [LinkSortBy; 4] = [
    LinkSortBy::Entered,
    LinkSortBy::Expires,
    LinkSortBy::LastUse,
    LinkSortBy::Person,
];

/// Returns the key of a link in an order, as a text. `given` has the IDs in the order of their entry,
/// which sorts links of the same second.
fn sort_key(by: LinkSortBy, listed: &ListedLink, given: &[String]) -> Option<String> {
    let link = &listed.link;
    let time = |time: i64| format!("{time:020}");
    match by {
        LinkSortBy::Entered => {
            let place = given.iter().position(|id| *id == link.id).unwrap();
            Some(format!("{} {place:03}", time(link.entered_at)))
        }
        LinkSortBy::Expires => link.expires_at.map(time),
        LinkSortBy::LastUse => link.last_use.as_ref().map(|last| time(last.at)),
        LinkSortBy::Person => {
            let name = link.name.as_ref().or(link.subject.as_ref());
            name.map(|name| name.to_lowercase())
        }
    }
}

pub(super) fn links_are_sorted_in_each_order(directory: &dyn Directory) {
    let given = crowd(directory);
    for sort_by in ORDERS {
        for descending in [false, true] {
            let sort = LinkSort {
                by: sort_by,
                descending,
            };
            let links = all(directory, sort);
            assert_eq!(links.len(), 60);
            let mut expected = links.clone();
            expected.sort_by(|a, b| {
                let key = |link| sort_key(sort_by, link, &given);
                let (first, second) = (key(a), key(b));
                let by_key = match (&first, &second) {
                    (Some(a), Some(b)) if descending => b.cmp(a),
                    (Some(a), Some(b)) => a.cmp(b),
                    // Links without a value come last in both directions.
                    _ => second.is_some().cmp(&first.is_some()),
                };
                by_key.then_with(|| a.link.id.cmp(&b.link.id))
            });
            let ids = |links: &[ListedLink]| -> Vec<String> {
                links.iter().map(|listed| listed.link.id.clone()).collect()
            };
            assert_eq!(ids(&links), ids(&expected), "{sort:?}");
        }
    }
}

pub(super) fn links_of_one_second_are_listed_in_the_order_of_their_entry(
    directory: &dyn Directory,
) {
    let given: Vec<String> = (0..12)
        .map(|number| give(directory, &format!("user-{number}")).id().to_owned())
        .collect();
    for descending in [false, true] {
        let sort = LinkSort {
            by: LinkSortBy::Entered,
            descending,
        };
        let mut listed: Vec<String> = all(directory, sort)
            .into_iter()
            .map(|listed| listed.link.id)
            .collect();
        if descending {
            listed.reverse();
        }
        assert_eq!(listed, given, "{sort:?}");
    }
}

pub(super) fn links_are_found_by_all_their_texts(directory: &dyn Directory) {
    let payload = json!({ "user": { "id": "key-of-ada", "name": "Ada LOVELACE" } });
    let named = made_with(&payload, None, at(0));
    let by_email = made_with(&json!({ "email": "Grace@acme.example" }), None, at(0));
    take(directory, &by_email);
    let taken = TakenLink {
        note: Some("Café table".to_owned()),
        ..named.taken()
    };
    directory.take_link(taken, &by(at(0))).wait().unwrap();
    for words in ["lovelace", "KEY-of", "café", "love TABLE ada", named.id()] {
        assert_eq!(search(directory, words), [named.id()], "{words}");
    }
    for words in ["grace@", "ACME.example", by_email.id()] {
        assert_eq!(search(directory, words), [by_email.id()], "{words}");
    }
    assert_eq!(search(directory, "lovelace grace"), [""; 0]);
    // The search finds the new text of a changed note, and not the old one.
    let taken = TakenLink {
        note: Some("Garden".to_owned()),
        ..named.taken()
    };
    directory.take_link(taken, &by(at(0))).wait().unwrap();
    assert_eq!(search(directory, "café"), [""; 0]);
    assert_eq!(search(directory, "garden"), [named.id()]);
}

pub(super) fn pages_of_links_stay_consistent_while_links_are_given_out(directory: &dyn Directory) {
    crowd(directory);
    for sort_by in ORDERS {
        let sort = LinkSort {
            by: sort_by,
            descending: true,
        };
        let before = all(directory, sort).into_iter();
        let before: BTreeSet<String> = before.map(|found| found.link.id).collect();
        let (mut seen, mut start) = (Vec::new(), LinkPageStart::First);
        loop {
            let page = directory.links(&query(), sort, &start, 7).wait().unwrap();
            seen.extend(page.links.into_iter().map(|found| found.link.id));
            give(directory, "somebody");
            match page.next {
                Some(next) => start = LinkPageStart::After(next.to_string().parse().unwrap()),
                None => break,
            }
        }
        let seen_once: BTreeSet<String> = seen.iter().cloned().collect();
        assert_eq!(seen_once.len(), seen.len(), "a link is twice in {sort:?}");
        assert!(
            seen_once.is_superset(&before),
            "a link is missing in {sort:?}"
        );
    }
    let page = directory
        .links(&query(), LinkSort::default(), &LinkPageStart::Row(50), 5)
        .wait()
        .unwrap();
    assert_eq!((page.first_row, page.links.len()), (50, 5));
}
