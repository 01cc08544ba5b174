//! Size of the heavy proofs. `cargo xtask soak` runs them whole and prints their figures; `cargo test`, and
//! with it `cargo xtask test`, runs a twentieth of each. The tests of several packages include this file.

use std::env;
use std::fmt::Display;

/// Part of a whole proof that a test runs: a twentieth.
const TEST_SHARE: usize = 20;

/// Returns how many of `whole` are done in this run, at least one.
pub(crate) fn share(whole: usize) -> usize {
    if env::var_os("LATCHKEY_SOAK").is_some() {
        whole
    } else {
        (whole / TEST_SHARE).max(1)
    }
}

/// Prints a figure for the table of `cargo xtask soak`.
pub(crate) fn figure(name: &str, value: impl Display) {
    println!("figure\t{name}\t{value}");
}
