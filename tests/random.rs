//! Random choices of the heavy proofs. The tests of two packages include this file.

use std::env;

use crate::soak::figure;

/// Generator of pseudo-random numbers with a seed.
pub(crate) struct Random(u64);

impl Random {
    /// Takes the seed from `LATCHKEY_SEED`, which `cargo xtask soak` sets. Otherwise the seed is
    /// always the same.
    pub(crate) fn new() -> Self {
        let seed = env::var("LATCHKEY_SEED").map_or(7, |seed| seed.parse().unwrap());
        figure("seed", seed);
        Self(seed)
    }

    /// Returns a number from 0 to `limit - 1`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}
