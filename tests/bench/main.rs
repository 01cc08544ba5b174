//! Bench of speed, size and memory, each beside a baseline in the same run. Machines differ and are
//! shared, so only the ratios count. `cargo xtask bench` installs the baselines.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a benchmark panics when something is missing, and prints figures"
)]

mod codes;
#[path = "../window/driver.rs"]
#[allow(dead_code, reason = "the tests of the window use the rest")]
mod driver;
#[path = "../window/environment.rs"]
#[allow(dead_code, reason = "the tests of the window use the rest")]
mod environment;
mod idle;
mod paint;
#[path = "../program/peer.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod peer;
#[path = "../program/photo.rs"]
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "pixels are clamped before they are cast"
)]
mod photo;
mod pictures;
#[path = "../window/prepared.rs"]
#[allow(dead_code, reason = "the tests of the window use the rest")]
mod prepared;
mod program;
mod readers;
mod runtime;
#[path = "../program/scenes.rs"]
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "pixels are clamped before they are cast"
)]
mod scenes;
mod table;
#[path = "../window/webkit.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod webkit;

fn main() {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    let tables: [(&str, fn()); 7] = [
        ("codes", codes::measure),
        ("pictures", pictures::measure),
        ("pictures", readers::measure),
        ("start", program::measure_start),
        ("size", program::measure_size),
        ("paint", paint::measure),
        ("idle", idle::measure),
    ];
    for (name, measure) in tables {
        if wanted.is_empty() || wanted.iter().any(|wanted| name.contains(wanted.as_str())) {
            measure();
        }
    }
}
