//! Bench of the directory under load, beside `SQLite` (WAL, synchronous=FULL) with the same work in
//! the same run. Machines differ and are shared, so only the ratios count.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    reason = "a benchmark panics when something is missing, reads the clock, and prints figures"
)]

mod crowd;
mod engine;
mod latchkey;
mod links;
mod million;
mod sqlite;
mod table;
mod ways;
mod writers;

use std::path::Path;

fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let ["child", part, engine, folder] = words[..] {
        let parts = million::TABLE.parts.iter().chain(links::TABLE.parts);
        let (_, measure) = parts.into_iter().find(|(name, _)| *name == part).unwrap();
        return measure(engine, Path::new(folder));
    }
    let tables: [(&str, fn()); 4] = [
        ("writers", writers::measure),
        ("million", || million::TABLE.measure()),
        ("links", || links::TABLE.measure()),
        ("ways", ways::measure),
    ];
    for (name, measure) in tables {
        if words.is_empty() || words.iter().any(|wanted| name.contains(wanted)) {
            measure();
        }
    }
}
