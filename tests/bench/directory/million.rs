//! Bench of a million users.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Instant;

use latchkey_core::directory::{MAX_IMPORT, SortBy};

use crate::crowd;
use crate::engine::{Engine, PAGE};
use crate::latchkey::Latchkey;
use crate::sqlite::Sqlite;
use crate::table::{Table, median_ms, ms, print, resident_mb};

const USERS: usize = 1_000_000;
/// Number of users who have signed in.
const SIGNED_IN: usize = 2_000;

pub(crate) const TABLE: Table = Table {
    title: "A million users",
    figures: &FIGURES,
    parts: &[("users-load", load), ("users-ask", ask)],
};

const FIGURES: [(&str, &str); 20] = [
    ("load, s", ""),
    ("close after the load, s", ""),
    ("disk, MB", ""),
    ("open for one user, ms", "1000"),
    ("open for one user again, ms", "1000"),
    ("open for one user after sign-ins, ms", "1000"),
    ("open after a crash, ms", ""),
    ("open the tree alone, ms", ""),
    ("whole catalogue and first page, ms", "2000"),
    ("page, ms", "5"),
    ("page after a sign-in, ms", "5"),
    ("page at the middle, ms", "5"),
    ("search: present, ms", "100"),
    ("search: absent, ms", "100"),
    ("search: one letter, ms", "100"),
    ("sort by email, first time, ms", "500"),
    ("sort by last sign-in, first time, ms", ""),
    ("page by last sign-in after a sign-in, ms", "5"),
    ("resident after opening, MB", "150"),
    ("resident at the end, MB", "400"),
];

fn open(engine: &str, folder: &Path) -> Box<dyn Engine> {
    match engine {
        "latchkey" => Box::new(Latchkey::open(folder)),
        "sqlite" => Box::new(Sqlite::open(folder)),
        other => panic!("there is no engine {other}"),
    }
}

fn open_tree(folder: &Path) -> sled::Db {
    loop {
        // The tree that was dropped may still be closing.
        if let Ok(tree) = sled::open(folder.join("sled")) {
            return tree;
        }
        thread::yield_now();
    }
}

fn load(engine: &str, folder: &Path) {
    let directory = open(engine, folder);
    let begun = Instant::now();
    let mut batch = Vec::with_capacity(MAX_IMPORT);
    for number in 0..USERS {
        batch.push(crowd::person(number));
        if batch.len() == MAX_IMPORT {
            directory.import(&batch);
            batch.clear();
        }
    }
    for number in 0..SIGNED_IN {
        directory.redeem(&crowd::code(number * (USERS / SIGNED_IN)));
    }
    print("load, s", begun.elapsed().as_secs_f64());
    let begun = Instant::now();
    drop(directory);
    print("close after the load, s", begun.elapsed().as_secs_f64());
}

fn ask(engine: &str, folder: &Path) {
    let last = crowd::person(USERS - 1).id;
    let open_for_one = || {
        let directory = open(engine, folder);
        assert!(directory.is_known(&last));
        directory
    };
    let mut directory = None;
    print(
        "open for one user, ms",
        ms(&mut || directory = Some(open_for_one())),
    );
    let directory = directory.unwrap();
    print("resident after opening, MB", resident_mb());
    let full = |users| assert_eq!(users, PAGE);
    print(
        "whole catalogue and first page, ms",
        ms(&mut || full(directory.jump(SortBy::Id, 0))),
    );
    print(
        "page, ms",
        median_ms(&mut || assert_eq!(directory.pages(SortBy::Id, 20), 20 * PAGE)) / 20.0,
    );
    let mut number = 0;
    print(
        "page after a sign-in, ms",
        median_ms(&mut || {
            directory.redeem(&crowd::code(number));
            number += 1;
            full(directory.jump(SortBy::Id, 0));
        }) - median_ms(&mut || {
            directory.redeem(&crowd::code(number));
            number += 1;
        }),
    );
    let half = USERS as u64 / 2;
    print(
        "page at the middle, ms",
        median_ms(&mut || full(directory.jump(SortBy::Id, half))),
    );
    // Another word each time, because the last answer is cached.
    let mut words = ["hopper", "lovelace", "turing"].iter().cycle();
    let mut word = || words.next().unwrap();
    print(
        "search: present, ms",
        median_ms(&mut || {
            let (users, total) = directory.search(word());
            assert!(users == PAGE && total > 10_000);
        }),
    );
    let mut absent = ["zzzz", "qqqq", "nobody at"].iter().cycle();
    let mut word = || absent.next().unwrap();
    print(
        "search: absent, ms",
        median_ms(&mut || assert_eq!(directory.search(word()), (0, 0))),
    );
    let mut letters = ["a", "e", "o"].iter().cycle();
    let mut word = || letters.next().unwrap();
    print(
        "search: one letter, ms",
        median_ms(&mut || full(directory.search(word()).0)),
    );
    print(
        "sort by email, first time, ms",
        ms(&mut || full(directory.jump(SortBy::Email, 0))),
    );
    print(
        "sort by last sign-in, first time, ms",
        ms(&mut || full(directory.jump(SortBy::LastSignIn, 0))),
    );
    print(
        "page by last sign-in after a sign-in, ms",
        median_ms(&mut || {
            directory.redeem(&crowd::code(number));
            number += 1;
            full(directory.jump(SortBy::LastSignIn, 0));
        }) - median_ms(&mut || {
            directory.redeem(&crowd::code(number));
            number += 1;
        }),
    );
    print("resident at the end, MB", resident_mb());
    drop(directory);
    let again = |name: &str| print(name, median_ms(&mut || drop(open_for_one())));
    again("open for one user again, ms");
    let directory = open(engine, folder);
    for number in 0..SIGNED_IN {
        directory.redeem(&crowd::code(number));
    }
    drop(directory);
    print(
        "open for one user after sign-ins, ms",
        ms(&mut || drop(open_for_one())),
    );
    if engine == "latchkey" {
        print(
            "open the tree alone, ms",
            median_ms(&mut || drop(open_tree(folder))),
        );
        // A crash leaves no file `closed`.
        fs::remove_file(folder.join("closed")).unwrap();
        print("open after a crash, ms", ms(&mut || drop(open_for_one())));
    }
}
