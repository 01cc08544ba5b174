//! State that the writer thread shares with readers.

use std::sync::{PoisonError, RwLock};

use latchkey_core::directory::{Changed, OnChange};

use super::open::Opened;

/// State that the writer and readers share.
pub(super) struct Shared {
    pub(super) opened: Opened,
    /// Callbacks for changes.
    on_change: RwLock<Vec<OnChange>>,
}

impl Shared {
    pub(super) const fn new(opened: Opened) -> Self {
        Self {
            opened,
            on_change: RwLock::new(Vec::new()),
        }
    }

    pub(super) fn on_change(&self, call: OnChange) {
        let mut calls = self
            .on_change
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        calls.push(call);
    }

    pub(super) fn tell(&self, effect: Changed) {
        if effect.activity || effect.users {
            let calls = self
                .on_change
                .read()
                .unwrap_or_else(PoisonError::into_inner);
            for call in &*calls {
                call(effect);
            }
        }
    }
}
