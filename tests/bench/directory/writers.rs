//! Bench of durable redemptions: each is on the disk before its writer begins the next. Latchkey
//! also records each in the activity; `SQLite` does not.

use std::thread;
use std::time::Instant;

use latchkey_core::protocol::code::VerifiedCode;

use crate::crowd;
use crate::engine::Engine;
use crate::latchkey::Latchkey;
use crate::sqlite::Sqlite;

const REDEEMS: usize = 4_000;
const TURNS: usize = 15;

pub(crate) fn measure() {
    let codes: Vec<VerifiedCode> = (0..REDEEMS).map(crowd::code).collect();
    println!(
        "\nDurable redeems of {REDEEMS} new users; baseline: SQLite, WAL, synchronous=FULL (targets 1 and 2)"
    );
    for writers in [1, 8] {
        let (mut latchkey, mut sqlite) = (Vec::new(), Vec::new());
        // In turns, so that a disturbance of the machine affects both alike.
        for _ in 0..TURNS {
            let folder = tempfile::tempdir().unwrap();
            let directory = Latchkey::open(folder.path());
            let all: Vec<&dyn Engine> = vec![&directory; writers];
            latchkey.push(rate(&all, &codes));
            let folder = tempfile::tempdir().unwrap();
            let connections: Vec<Sqlite> =
                (0..writers).map(|_| Sqlite::open(folder.path())).collect();
            let all: Vec<&dyn Engine> = connections.iter().map(|one| one as &dyn Engine).collect();
            sqlite.push(rate(&all, &codes));
        }
        let (latchkey, sqlite) = (median(&mut latchkey), median(&mut sqlite));
        println!(
            "  {writers} writer{}: Latchkey {latchkey:>8.0} /s, SQLite {sqlite:>8.0} /s   {:>7.3} of the baseline",
            if writers == 1 { " " } else { "s" },
            latchkey / sqlite
        );
    }
}

/// Returns the number of codes per second that one writer redeems for each of `engines`.
fn rate(engines: &[&dyn Engine], codes: &[VerifiedCode]) -> f64 {
    let begun = Instant::now();
    thread::scope(|scope| {
        for (number, engine) in engines.iter().enumerate() {
            let own = codes.iter().skip(number).step_by(engines.len());
            scope.spawn(move || own.for_each(|code| engine.redeem(code)));
        }
    });
    codes.len() as f64 / begun.elapsed().as_secs_f64()
}

pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
