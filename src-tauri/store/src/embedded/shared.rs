use std::sync::OnceLock;

use super::open::Opened;

/// State that the writer and readers share.
pub(super) struct Shared {
    pub(super) opened: Opened,
    /// Callback for changes.
    pub(super) on_change: OnceLock<Box<dyn Fn(Changed) + Send + Sync>>,
}

/// Parts of a directory that a change has affected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The activity has new entries.
    pub activity: bool,
    /// Users were added, changed or removed, or have signed in.
    pub users: bool,
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
