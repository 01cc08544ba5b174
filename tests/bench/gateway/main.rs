//! Bench of the gateway under load and under attack, on the loopback network.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::print_stdout,
    reason = "a benchmark panics when it fails, and prints"
)]

mod crowd;
mod links;
mod load;
mod server;
mod servers;
mod wrk;

use std::path::Path;

/// Allocator of the programs with a gateway. The bare handler has the same one.
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|text| !text.starts_with("--"))
        .collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["child-bare"] => return servers::bare(),
        ["child-gateway", folder] => return servers::gateway(Path::new(folder)),
        ["child-crowd", address] => return crowd::come(address),
        _ => {}
    }
    let tables: [(&str, fn()); 2] = [
        ("gateway load", load::measure),
        ("gateway crowd", crowd::measure),
    ];
    for (name, measure) in tables {
        if words.is_empty() || words.iter().any(|wanted| name.contains(wanted)) {
            measure();
        }
    }
}
