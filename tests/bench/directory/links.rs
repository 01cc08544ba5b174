//! Bench of a million links in the ledger, and of an activity with an entry for each of them.

use std::path::Path;
use std::time::Instant;

use crate::crowd::{self, EXPIRED, LINKS};
use crate::engine::{Ledger, PAGE, Wanted};
use crate::latchkey::Latchkey;
use crate::sqlite::Sqlite;
use crate::table::{Table, median_ms, ms, peak_mb, print, resident_mb};

/// Number of links that are given out together.
const BATCH: usize = 250;

pub(crate) const TABLE: Table = Table {
    title: "A million links",
    figures: &FIGURES,
    parts: &[
        ("links-load", load),
        ("links-ask", ask),
        ("links-verify", verify),
    ],
};

const FIGURES: [(&str, &str); 24] = [
    ("load, s", ""),
    ("close after the load, s", ""),
    ("disk, MB", ""),
    ("open for one link, ms", "1000"),
    ("whole catalogue and first page, ms", "2000"),
    ("page, ms", "5"),
    ("page at the middle, ms", "5"),
    ("search: present, ms", "100"),
    ("search: absent, ms", "100"),
    ("search: one letter, ms", "100"),
    ("count the states, first time, ms", ""),
    ("page of those that work, first time, ms", ""),
    ("give one out, ms", ""),
    ("open one, ms", ""),
    ("revoke one, ms", ""),
    ("page after a change, ms", "5"),
    ("count the states after a change, ms", "50"),
    ("page of those that work after it, ms", "50"),
    ("revoke the older half, ms", ""),
    ("count the states after that, ms", ""),
    ("resident after opening, MB", "150"),
    ("memory of the catalogue per link, bytes", "400"),
    ("verify the activity, s", ""),
    ("most memory while verifying, MB", ""),
];

fn open(engine: &str, folder: &Path) -> Box<dyn Ledger> {
    match engine {
        "latchkey" => Box::new(Latchkey::open(folder)),
        "sqlite" => Box::new(Sqlite::open(folder)),
        other => panic!("there is no engine {other}"),
    }
}

fn load(engine: &str, folder: &Path) {
    let ledger = open(engine, folder);
    let begun = Instant::now();
    for first in (0..LINKS).step_by(BATCH) {
        let links: Vec<_> = (first..first + BATCH).map(crowd::link).collect();
        ledger.give_out(&links);
    }
    print("load, s", begun.elapsed().as_secs_f64());
    let begun = Instant::now();
    drop(ledger);
    print("close after the load, s", begun.elapsed().as_secs_f64());
}

#[expect(clippy::too_many_lines, reason = "each figure is a line")]
fn ask(engine: &str, folder: &Path) {
    let mut ledger = None;
    let opened = ms(&mut || {
        let opened = open(engine, folder);
        assert!(opened.has_link(&crowd::link_id(LINKS - 1)));
        ledger = Some(opened);
    });
    print("open for one link, ms", opened);
    let ledger = ledger.unwrap();
    let resident = resident_mb();
    print("resident after opening, MB", resident);
    let (all, working) = (
        Wanted::default(),
        Wanted {
            works: true,
            ..Wanted::default()
        },
    );
    let full = |(links, total): (usize, u64)| assert!(links == PAGE && total > 10_000, "{total}");
    print(
        "whole catalogue and first page, ms",
        ms(&mut || full(ledger.links(&all, 0))),
    );
    print(
        "memory of the catalogue per link, bytes",
        (resident_mb() - resident) * 1e6 / LINKS as f64,
    );
    print("page, ms", median_ms(&mut || full(ledger.links(&all, 0))));
    let half = LINKS as u64 / 2;
    print(
        "page at the middle, ms",
        median_ms(&mut || full(ledger.links(&all, half))),
    );
    // Another word each time, because the last answer is cached.
    let search = |words: [&'static str; 3], count: usize| {
        let mut words = words.into_iter().cycle();
        median_ms(&mut || {
            let word = words.next().unwrap();
            let wanted = Wanted {
                word,
                ..Wanted::default()
            };
            assert_eq!(ledger.links(&wanted, 0).0, count);
        })
    };
    print(
        "search: present, ms",
        search(["hopper", "lovelace", "turing"], PAGE),
    );
    print(
        "search: absent, ms",
        search(["zzzz", "qqqq", "nobody at"], 0),
    );
    print("search: one letter, ms", search(["a", "e", "o"], PAGE));
    let working_at_first = (LINKS - EXPIRED) as u64;
    print(
        "count the states, first time, ms",
        ms(&mut || assert_eq!(ledger.count_working(), working_at_first)),
    );
    print(
        "page of those that work, first time, ms",
        ms(&mut || full(ledger.links(&working, 0))),
    );
    // Links that work, each of them once.
    let mut numbers = (0..LINKS).rev().filter(|number| number % 10 != 0);
    let mut next = || numbers.next().unwrap();
    let mut again = Vec::new();
    print(
        "give one out, ms",
        median_ms(&mut || {
            let mut link = crowd::link(next());
            link.registered.id = Some(format!("new-{}", again.len()));
            ledger.give_out(std::slice::from_ref(&link));
            again.push(link);
        }),
    );
    let given = again.len() as u64;
    let mut codes = again.iter().map(crowd::verified);
    print(
        "open one, ms",
        median_ms(&mut || ledger.redeem(&codes.next().unwrap())),
    );
    let mut revoked = 0;
    let mut revoke = || {
        revoked += 1;
        ledger.revoke(&crowd::link_id(next()));
    };
    print("revoke one, ms", median_ms(&mut revoke));
    let mut after_a_change = |name: &str, work: &dyn Fn()| {
        let with = median_ms(&mut || {
            revoke();
            work();
        });
        print(name, with - median_ms(&mut revoke));
        // Later work must not pay for these changes.
        work();
    };
    after_a_change("page after a change, ms", &|| full(ledger.links(&all, 0)));
    after_a_change("count the states after a change, ms", &|| {
        ledger.count_working();
    });
    after_a_change("page of those that work after it, ms", &|| {
        full(ledger.links(&working, 0));
    });
    assert_eq!(ledger.count_working(), working_at_first + given - revoked);
    let middle = crowd::link(LINKS / 2).registered.issued_at.unwrap();
    print(
        "revoke the older half, ms",
        ms(&mut || ledger.revoke_before(middle)),
    );
    print(
        "count the states after that, ms",
        ms(&mut || assert!(ledger.count_working() < half)),
    );
}

fn verify(engine: &str, folder: &Path) {
    if engine != "latchkey" {
        return;
    }
    let directory = Latchkey::open(folder);
    let begun = Instant::now();
    assert!(directory.verify() > LINKS as u64);
    print("verify the activity, s", begun.elapsed().as_secs_f64());
    print("most memory while verifying, MB", peak_mb());
}
