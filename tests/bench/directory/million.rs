//! Bench of a million users. Each engine is loaded in one process and measured in another, so that
//! the measured memory is that of opening and reading only.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Instant;

use latchkey_core::directory::{MAX_IMPORT, SortBy};

use crate::crowd;
use crate::engine::{Engine, PAGE};
use crate::latchkey::Latchkey;
use crate::sqlite::Sqlite;
use crate::writers::median;

const USERS: usize = 1_000_000;
/// Number of users who have signed in.
const SIGNED_IN: usize = 2_000;
const REPEATS: usize = 9;

/// Measured figures, each with its target.
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

pub(crate) fn measure() {
    println!("\nA million users; baseline: SQLite, WAL, synchronous=FULL");
    println!(
        "  {:<41}{:>12}{:>12}{:>10}{:>10}",
        "", "Latchkey", "SQLite", "ratio", "target"
    );
    let [latchkey, sqlite] = ["latchkey", "sqlite"].map(|engine| {
        let folder = tempfile::tempdir().unwrap();
        let mut figures = child("child-load", engine, folder.path());
        let mb = disk(folder.path()) as f64 / 1e6;
        figures.push(("disk, MB".to_owned(), mb));
        figures.extend(child("child-ask", engine, folder.path()));
        figures
    });
    for (name, target) in FIGURES {
        let of = |figures: &[(String, f64)]| {
            let found = figures.iter().find(|(figure, _)| figure == name);
            found.map(|(_, value)| *value)
        };
        let (latchkey, sqlite) = (of(&latchkey), of(&sqlite));
        let ratio = latchkey
            .zip(sqlite)
            .map(|(latchkey, sqlite)| latchkey / sqlite);
        // `SQLite` has no figure for operations that only Latchkey has.
        let text = |value: Option<f64>, digits| {
            value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
        };
        println!(
            "  {name:<41}{:>12}{:>12}{:>10}{target:>10}",
            text(latchkey, 2),
            text(sqlite, 2),
            text(ratio, 3)
        );
    }
}

/// Runs a part of this program in a process of its own. Returns the figures that it prints.
fn child(part: &str, engine: &str, folder: &Path) -> Vec<(String, f64)> {
    let ran = Command::new(std::env::current_exe().unwrap())
        .args([part, engine, folder.to_str().unwrap()])
        .output()
        .unwrap();
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    let text = String::from_utf8(ran.stdout).unwrap();
    let figures = text.lines().filter_map(|line| line.split_once('\t'));
    figures
        .map(|(name, value)| (name.to_owned(), value.parse().unwrap()))
        .collect()
}

fn print(name: &str, value: f64) {
    assert!(FIGURES.iter().any(|(figure, _)| *figure == name), "{name}");
    println!("{name}\t{value}");
}

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

pub(crate) fn load(engine: &str, folder: &Path) {
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

#[expect(clippy::too_many_lines, reason = "each figure is a line")]
pub(crate) fn ask(engine: &str, folder: &Path) {
    let ms = |work: &mut dyn FnMut()| {
        let begun = Instant::now();
        work();
        begun.elapsed().as_secs_f64() * 1e3
    };
    let middle = |work: &mut dyn FnMut()| {
        let mut times: Vec<f64> = (0..REPEATS).map(|_| ms(work)).collect();
        median(&mut times)
    };
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
        middle(&mut || assert_eq!(directory.pages(SortBy::Id, 20), 20 * PAGE)) / 20.0,
    );
    let mut number = 0;
    print(
        "page after a sign-in, ms",
        middle(&mut || {
            directory.redeem(&crowd::code(number));
            number += 1;
            full(directory.jump(SortBy::Id, 0));
        }) - middle(&mut || {
            directory.redeem(&crowd::code(number));
            number += 1;
        }),
    );
    let half = USERS as u64 / 2;
    print(
        "page at the middle, ms",
        middle(&mut || full(directory.jump(SortBy::Id, half))),
    );
    // Another word each time, because the last answer is cached.
    let mut words = ["hopper", "lovelace", "turing"].iter().cycle();
    let mut word = || words.next().unwrap();
    print(
        "search: present, ms",
        middle(&mut || {
            let (users, total) = directory.search(word());
            assert!(users == PAGE && total > 10_000);
        }),
    );
    let mut absent = ["zzzz", "qqqq", "nobody at"].iter().cycle();
    let mut word = || absent.next().unwrap();
    print(
        "search: absent, ms",
        middle(&mut || assert_eq!(directory.search(word()), (0, 0))),
    );
    let mut letters = ["a", "e", "o"].iter().cycle();
    let mut word = || letters.next().unwrap();
    print(
        "search: one letter, ms",
        middle(&mut || full(directory.search(word()).0)),
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
        middle(&mut || {
            directory.redeem(&crowd::code(number));
            number += 1;
            full(directory.jump(SortBy::LastSignIn, 0));
        }) - middle(&mut || {
            directory.redeem(&crowd::code(number));
            number += 1;
        }),
    );
    print("resident at the end, MB", resident_mb());
    drop(directory);
    let again = |name: &str| print(name, middle(&mut || drop(open_for_one())));
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
            middle(&mut || drop(open_tree(folder))),
        );
        // A crash leaves no file `closed`.
        fs::remove_file(folder.join("closed")).unwrap();
        print("open after a crash, ms", ms(&mut || drop(open_for_one())));
    }
}

fn disk(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries
        .map(|entry| {
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                disk(&entry.path())
            } else {
                entry.metadata().unwrap().len()
            }
        })
        .sum()
}

fn resident_mb() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    let kib: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib * 1024.0 / 1e6
}
