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
mod million;
mod sqlite;
mod ways;
mod writers;

use std::path::Path;

fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["child-load", engine, folder] => return million::load(engine, Path::new(folder)),
        ["child-ask", engine, folder] => return million::ask(engine, Path::new(folder)),
        _ => {}
    }
    let tables: [(&str, fn()); 3] = [
        ("writers", writers::measure),
        ("million", million::measure),
        ("ways", ways::measure),
    ];
    for (name, measure) in tables {
        if words.is_empty() || words.iter().any(|wanted| name.contains(wanted)) {
            measure();
        }
    }
}
