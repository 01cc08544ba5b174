//! Size of the heavy proofs. `cargo xtask soak` runs them in full and prints their figures. `cargo
//! test` and `cargo xtask test` run a twentieth of each. The tests of several packages include this
//! file.

use std::env;
use std::fmt::Display;

/// Divisor of a proof's size in a test.
const TEST_SHARE: usize = 20;

/// Returns how many of `whole` this run does, at least one.
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
