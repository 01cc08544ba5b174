//! Random choices of the heavy proofs. The tests of two packages include this file.

use std::env;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::soak::{figure, is_whole};

/// Pseudo-random numbers that follow from a seed.
pub(crate) struct Random(u64);

impl Random {
    /// Takes the seed from `LATCHKEY_SEED`. Without it a soak takes the clock's, and a test a fixed one.
    pub(crate) fn new() -> Self {
        let given = env::var("LATCHKEY_SEED").ok();
        let seed = match given {
            Some(seed) => seed.parse().unwrap(),
            None if is_whole() => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap()
                .as_secs(),
            None => 7,
        };
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
