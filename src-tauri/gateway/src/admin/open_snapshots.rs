//! Snapshots of the directory that clients are reading.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use latchkey_core::directory::Snapshot;
use tokio::time::Instant;

/// Snapshots that clients are reading.
#[derive(Default)]
pub(super) struct OpenSnapshots(Mutex<HashMap<String, Open>>);

pub(super) struct Open {
    /// `None` while a part is read.
    pub(super) snapshot: Option<Box<dyn Snapshot>>,
    pub(super) used_at: Instant,
}

impl OpenSnapshots {
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut HashMap<String, Open>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn put(&self, id: &str, snapshot: Box<dyn Snapshot>) {
        let open = Open {
            snapshot: Some(snapshot),
            used_at: Instant::now(),
        };
        self.with(|all| all.insert(id.to_owned(), open));
    }

    pub(super) fn remove(&self, id: &str) -> Option<Open> {
        self.with(|all| all.remove(id))
    }
}
