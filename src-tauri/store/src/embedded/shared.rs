//! State that the writer thread shares with readers.

use std::sync::OnceLock;

use latchkey_core::directory::{Changed, OnChange};

use super::open::Opened;

/// State that the writer and readers share.
pub(super) struct Shared {
    pub(super) opened: Opened,
    /// Callback for changes.
    pub(super) on_change: OnceLock<OnChange>,
}

impl Shared {
    pub(super) fn tell(&self, effect: Changed) {
        if let Some(call) = self.on_change.get()
            && (effect.activity || effect.users)
        {
            call(effect);
        }
    }
}
